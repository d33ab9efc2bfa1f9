package database

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/signalbox/signalbox/migrations"
)

var gooseDialects = map[Dialect]goose.Dialect{SQLite: goose.DialectSQLite3, Postgres: goose.DialectPostgres}

// Migrate brings the schema up to date and returns the names of the files it
// applied. Several nodes may call it at once; on PostgreSQL an advisory lock
// lets one at a time work.
func (db *DB) Migrate(ctx context.Context) ([]string, error) {
	files, err := fs.Sub(migrations.Files, string(db.Dialect))
	if err != nil {
		return nil, err
	}
	pool, err := db.writer.DB()
	if err != nil {
		return nil, err
	}
	if db.Dialect == Postgres {
		conn, err := pool.Conn(ctx)
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(7210)"); err != nil {
			return nil, fmt.Errorf("wait for another node's migration: %w", err)
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(7210)")
	}
	provider, err := goose.NewProvider(gooseDialects[db.Dialect], pool, files)
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	var applied []string
	for _, r := range results {
		applied = append(applied, r.Source.Path)
	}
	return applied, nil
}
