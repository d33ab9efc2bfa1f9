package notify

import "github.com/signalbox/signalbox/server/platform/secrets"

// SealedColumns are where the service keeps what is sealed.
func SealedColumns() []secrets.Column {
	return []secrets.Column{{Table: channelTable, Name: "target", Keys: []string{"id"}, Row: secrets.ByKey}}
}
