package ci

import "github.com/signalbox/signalbox/server/platform/secrets"

// SealedColumns are where the service keeps what is sealed.
func SealedColumns() []secrets.Column {
	return []secrets.Column{
		{Table: runInputTable, Name: "sealed", Keys: []string{"build_id", "name"}, Row: func(keys []string) string { return keys[0] + "/" + keys[1] }},
		{Table: signingTable, Name: "sealed", Keys: []string{"algorithm"}, Row: secrets.ByKey},
	}
}
