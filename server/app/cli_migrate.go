package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/signalbox/signalbox/server/accounts"
	"github.com/signalbox/signalbox/server/platform/database"
)

// migrate brings a database up to date for a command, saved before as by the server.
func (c *cli) migrate(ctx context.Context, db *database.DB) ([]string, error) {
	cfg, log, err := c.load()
	if err != nil {
		return nil, err
	}
	i := installation{config: cfg, db: db, log: log}
	applied, archive, made, err := i.migrateSaving(ctx)
	if err != nil || archive == "" {
		return applied, err
	}
	s, err := accounts.New(accounts.Deps{DB: db, Now: now, Log: discardLog(), Version: Version})
	if err != nil {
		return applied, err
	}
	b, err := i.backups(s.Audit)
	if err == nil {
		err = b.RecordMigration(ctx, archive, made)
	}
	return applied, errors.Join(err, s.Close(ctx))
}

// migrationPlan says what migrate would do.
func (c *cli) migrationPlan(ctx context.Context, db *database.DB) error {
	plan, err := db.MigrationPlan(ctx)
	if err != nil {
		return err
	}
	if len(plan.Unknown) > 0 {
		return fmt.Errorf("the database is of a newer version: this program lacks the migrations %v; install that version or a newer one", plan.Unknown)
	}
	fmt.Fprintf(c.out, "the schema is at %d\n", plan.Schema)
	for _, name := range plan.Pending {
		fmt.Fprintln(c.out, "would apply", name)
	}
	if len(plan.Pending) == 0 {
		fmt.Fprintln(c.out, "nothing to apply")
	}
	return nil
}
