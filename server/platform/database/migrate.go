package database

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/signalbox/signalbox/migrations"
)

var gooseDialects = map[Dialect]goose.Dialect{SQLite: goose.DialectSQLite3, Postgres: goose.DialectPostgres}

// withGoose calls fn with the migrations of this program. Several nodes may do so at once;
// on PostgreSQL an advisory lock lets one at a time work.
func (db *DB) withGoose(ctx context.Context, fn func(*goose.Provider) error) error {
	files, err := fs.Sub(migrations.Files, string(db.Dialect))
	if err != nil {
		return err
	}
	pool, err := db.writer.DB()
	if err != nil {
		return err
	}
	if db.Dialect == Postgres {
		conn, err := pool.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(7210)"); err != nil {
			return fmt.Errorf("wait for another node's migration: %w", err)
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(7210)")
	}
	provider, err := goose.NewProvider(gooseDialects[db.Dialect], pool, files)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	return fn(provider)
}

// Migrate brings the schema up to date and returns the names of the files it applied.
func (db *DB) Migrate(ctx context.Context) ([]string, error) { return db.MigrateAfter(ctx, nil) }

// MigrateAfter is Migrate that first calls before, if there is something to migrate in a
// database that has a schema already; when before fails nothing is changed.
func (db *DB) MigrateAfter(ctx context.Context, before func(Plan) error) (applied []string, err error) {
	err = db.withGoose(ctx, func(p *goose.Provider) error {
		plan, err := planOf(ctx, p)
		if err != nil {
			return err
		}
		if before != nil && plan.Schema > 0 && len(plan.Pending) > 0 {
			if err := before(plan); err != nil {
				return err
			}
		}
		results, err := p.Up(ctx)
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		for _, r := range results {
			applied = append(applied, r.Source.Path)
		}
		return nil
	})
	return applied, err
}

// MigrateTo brings an empty or older database to the schema of an earlier version.
func (db *DB) MigrateTo(ctx context.Context, schema int64) error {
	return db.withGoose(ctx, func(p *goose.Provider) error {
		if _, err := p.UpTo(ctx, schema); err != nil {
			return fmt.Errorf("make the schema %d: %w", schema, err)
		}
		return nil
	})
}

// Plan is what a migration would do.
type Plan struct {
	// Schema is the number of the last migration that was applied; 0 for an empty database.
	Schema int64
	// Pending are the files that would be applied, in order.
	Pending []string
	// Unknown are the numbers that were applied and that this program does not have: it is
	// older than the one that wrote the database.
	Unknown []int64
}

// MigrationPlan looks what Migrate would do, and changes nothing but making goose's table.
func (db *DB) MigrationPlan(ctx context.Context) (plan Plan, err error) {
	err = db.withGoose(ctx, func(p *goose.Provider) error {
		if plan, err = planOf(ctx, p); err != nil {
			return err
		}
		known := map[int64]bool{0: true}
		for _, s := range p.ListSources() {
			known[s.Version] = true
		}
		var applied []int64
		if err := db.Reader(ctx).Raw("SELECT version_id FROM " + versions + " ORDER BY version_id").Scan(&applied).Error; err != nil {
			return err
		}
		for _, v := range applied {
			if !known[v] {
				plan.Unknown = append(plan.Unknown, v)
			}
		}
		return nil
	})
	return plan, err
}

func planOf(ctx context.Context, p *goose.Provider) (plan Plan, err error) {
	list, err := p.Status(ctx)
	if err != nil {
		return plan, fmt.Errorf("read which migrations were applied: %w", err)
	}
	for _, s := range list {
		if s.State == goose.StatePending {
			plan.Pending = append(plan.Pending, s.Source.Path)
		} else {
			plan.Schema = max(plan.Schema, s.Source.Version)
		}
	}
	return plan, nil
}

// Newest is the number of this program's last migration.
func (d Dialect) Newest() (newest int64, err error) {
	names, err := fs.Glob(migrations.Files, string(d)+"/*.sql")
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return 0, err
		}
		newest = max(newest, version)
	}
	return newest, nil
}
