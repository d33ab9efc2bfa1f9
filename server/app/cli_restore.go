package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox/signalbox/server/platform/backup"
	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/secrets"
)

func (c *cli) restoreCommand() *cobra.Command {
	var input string
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "Put a backup back into an empty data folder or PostgreSQL database",
		Long: "Puts a backup back: all of it, or nothing if any part of it is damaged. The key file must be in its place already;\n" +
			"the data folder may hold nothing else. What was saved by an older version is migrated by the next start.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if input == "" && len(args) == 1 {
				input, args = args[0], nil
			}
			if input == "" || len(args) > 0 {
				return errUsage{errors.New("restore needs one FILE")}
			}
			return c.restore(cmd.Context(), input)
		},
	}
	cmd.Flags().StringVar(&input, "input", "", "the same as FILE")
	return cmd
}

func (c *cli) restore(ctx context.Context, input string) error {
	cfg, log, err := c.load()
	if err != nil {
		return err
	}
	box, err := existingBox(cfg, "put the key file of the installation that made the backup there first, with mode 0600")
	if err != nil {
		return err
	}
	target, err := restoreTarget(cfg, box)
	if err != nil {
		return err
	}
	target.Open = openDatabase(log)
	back, err := backup.Restore(ctx, input, target)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "restored the state of %s: %d rows, %s, in %s\n", back.Header.At.Format(time.RFC3339), back.Manifest.Rows(), size(back.Manifest.Bytes()), back.Took.Round(10*time.Millisecond))
	for _, m := range back.Manifest.Missing {
		fmt.Fprintln(c.out, "missing since before the backup:", m)
	}
	return nil
}

// restoreTarget is where this configuration wants an archive restored to.
func restoreTarget(cfg config.Config, box *secrets.Box) (backup.Target, error) {
	t := backup.Target{Box: box, Dir: cfg.DataDir, Database: cfg.Database.URL, Now: now, Ignore: []string{"backups"}}
	if rel, err := filepath.Rel(cfg.DataDir, cfg.Secrets.KeyFile); err == nil && filepath.IsLocal(rel) {
		t.Ignore = append(t.Ignore, strings.Split(rel, string(os.PathSeparator))[0])
	}
	dialect := database.SQLite
	if strings.HasPrefix(t.Database, "postgres") {
		dialect = database.Postgres
	}
	var err error
	if t.Newest, err = dialect.Newest(); err != nil {
		return t, err
	}
	if cfg.Blobs.S3Endpoint != "" {
		t.Blobs, err = blobBackend(cfg)
	}
	return t, err
}
