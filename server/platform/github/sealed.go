package github

import "github.com/signalbox/signalbox/server/platform/secrets"

// SealedColumns are where the service keeps what is sealed.
func SealedColumns() []secrets.Column {
	farewells := []string{"id", "connection_id"}
	return []secrets.Column{
		{Table: connectionTable, Name: "token", Keys: []string{"id"}, Row: secrets.ByKey},
		{Table: connectionTable, Name: "app_key", Keys: []string{"id"}, Row: func(keys []string) string { return keys[0] + "/key" }},
		{Table: hookTable, Name: "secret", Keys: []string{"id"}, Row: secrets.ByKey},
		{Table: hookTable, Name: "previous_secret", Keys: []string{"id"}, Row: secrets.ByKey},
		// Copied as they are from a connection that goes with its team.
		{Table: "github_farewells", Name: "token", Keys: farewells, SealedFor: connectionTable, Row: func(keys []string) string { return keys[1] }},
		{Table: "github_farewells", Name: "app_key", Keys: farewells, SealedFor: connectionTable, Row: func(keys []string) string { return keys[1] + "/key" }},
	}
}
