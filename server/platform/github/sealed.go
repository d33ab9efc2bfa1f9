package github

import "github.com/signalbox/signalbox/server/platform/secrets"

// SealedColumns are where the service keeps what is sealed.
func SealedColumns() []secrets.Column {
	return []secrets.Column{
		{Table: connectionTable, Name: "token", Keys: []string{"id"}, Row: secrets.ByKey},
		{Table: connectionTable, Name: "app_key", Keys: []string{"id"}, Row: func(keys []string) string { return keys[0] + "/key" }},
		{Table: hookTable, Name: "secret", Keys: []string{"id"}, Row: secrets.ByKey},
		{Table: hookTable, Name: "previous_secret", Keys: []string{"id"}, Row: secrets.ByKey},
	}
}
