package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/database"
)

type signingKeyRow struct {
	Algorithm string `gorm:"primaryKey"`
	Kid       string
	Sealed    []byte
	CreatedAt millis
}

func (signingKeyRow) TableName() string { return signingTable }

// storedKey is empty when there is none of the algorithm yet.
func (s store) storedKey(ctx context.Context, algorithm string) (signingKeyRow, error) {
	var row signingKeyRow
	err := s.db.Writer(ctx).Where("algorithm = ?", algorithm).Take(&row).Error
	if database.IsNotFound(err) {
		return signingKeyRow{}, nil
	}
	return row, err
}

func (s store) insertKey(ctx context.Context, row signingKeyRow) error {
	return s.db.Writer(ctx).Exec("INSERT INTO ci_signing_keys (algorithm, kid, sealed, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (algorithm) DO NOTHING",
		row.Algorithm, row.Kid, row.Sealed, row.CreatedAt).Error
}
