package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/signalbox/signalbox/server/accounts"
	"github.com/signalbox/signalbox/server/assistant"
	"github.com/signalbox/signalbox/server/assistant/mcpservers"
	"github.com/signalbox/signalbox/server/ci"
	"github.com/signalbox/signalbox/server/edge"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/github"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/notify"
	"github.com/signalbox/signalbox/server/platform/secrets"
)

// SealedColumns are all places of the schema where something is sealed.
func SealedColumns() []secrets.Column {
	return slices.Concat(secrets.Columns(), github.SealedColumns(), notify.SealedColumns(), ci.SealedColumns(), edge.SealedColumns(), mcpservers.SealedColumns(), assistant.SealedColumns())
}

// openSecrets reads the key file. That it is another one than what lies in the database was
// sealed with is said at every start; the rest of the server works without.
func (a *App) openSecrets(ctx context.Context) (err error) {
	path := a.config.Secrets.KeyFile
	if a.box, _, err = secrets.OpenBox(path); err != nil {
		return err
	}
	unreadable, err := secrets.Unreadable(ctx, a.db, a.box, SealedColumns())
	if err != nil {
		return err
	}
	if unreadable > 0 {
		a.log.Error("the key file lacks the keys of what is sealed in the database; put the right file back or enter the secrets again", "file", path, "unreadable", unreadable)
	}
	a.secrets = secrets.New(secrets.Deps{DB: a.db, Box: a.box, Now: now, Columns: SealedColumns(), Audit: a.audit})
	return nil
}

func (c *cli) secretsCommand() *cobra.Command {
	group := &cobra.Command{Use: "secrets", Short: "Rotate the key that secrets are encrypted with"}
	rotate := &cobra.Command{
		Use: "rotate", Short: "Add a key to the key file and encrypt every secret with it", Args: exactly(0),
		Long: "Adds a key to the key file and encrypts every secret in the database with it. A running server takes the key up by itself.\n" +
			"The old keys stay in the file: backups of the database need them. Where several servers share a database,\n" +
			"give each the new file at once: they cannot read what is encrypted with a key that they lack.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withDatabase(cmd.Context(), func(db *database.DB) error { return c.rotateKey(cmd.Context(), db) })
		},
	}
	group.AddCommand(rotate)
	return group
}

func (c *cli) rotateKey(ctx context.Context, db *database.DB) error {
	cfg, _, err := c.load()
	if err != nil {
		return err
	}
	if _, err := c.migrate(ctx, db); err != nil {
		return err
	}
	if err := secrets.AddKey(cfg.Secrets.KeyFile); err != nil {
		return err
	}
	box, _, err := secrets.OpenBox(cfg.Secrets.KeyFile)
	if err != nil {
		return err
	}
	n, err := secrets.Reseal(ctx, db, box, SealedColumns())
	err = errors.Join(err, c.auditRotation(ctx, db, cfg.Secrets.KeyFile, n))
	fmt.Fprintf(c.out, "%s has a new key, which %d secrets were encrypted with. Back the file up.\n", cfg.Secrets.KeyFile, n)
	return err
}

// auditRotation records that the key changed, also when some secrets could not follow it.
func (c *cli) auditRotation(ctx context.Context, db *database.DB, file string, resealed int) error {
	s, err := accounts.New(accounts.Deps{DB: db, Now: now, Log: discardLog(), Version: Version})
	if err != nil {
		return err
	}
	ctx = identity.With(ctx, identity.Caller{Name: byCommand})
	return errors.Join(s.Audit(ctx, 0, "secrets.rotate", file, fmt.Sprintf("%d secrets encrypted anew", resealed)), s.Close(ctx))
}
