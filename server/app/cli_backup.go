package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox/signalbox/server/platform/backup"
	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/secrets"
)

// saved is what of the data folder belongs into a backup. Containers, caches and images
// are made again; ci/bundles and the spool hold what is under way.
var saved = []backup.Folder{
	{Path: "node-id"},
	{Path: "issues/spool"},
	{Path: "ci/logs", Early: true, Skip: []string{".index"}},
	{Path: "logs", Steady: "manifest", Skip: []string{"/lock", ".tmp"}},
}

// blobBackend is where blobs lie.
func blobBackend(cfg config.Config) (blobs.Backend, error) {
	b := cfg.Blobs
	if b.S3Endpoint == "" {
		return blobs.NewDisk(filepath.Join(cfg.DataDir, "blobs"))
	}
	return blobs.NewS3(blobs.S3Options{Endpoint: b.S3Endpoint, Bucket: b.S3Bucket, Region: b.S3Region, AccessKey: b.S3AccessKey, SecretKey: b.S3SecretKey})
}

// backupSource is this installation as something to save.
func backupSource(cfg config.Config, db *database.DB, box *secrets.Box, kind string) (backup.Source, error) {
	backend, err := blobBackend(cfg)
	if err != nil {
		return backup.Source{}, err
	}
	node, err := os.ReadFile(filepath.Join(cfg.DataDir, "node-id"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return backup.Source{}, fmt.Errorf("read this node's name: %w", err)
	}
	return backup.Source{DB: db, Box: box, Dir: cfg.DataDir, Folders: saved, Blobs: backend, Kind: kind, Program: Version, Node: string(node), NewID: randomID, Now: now}, nil
}

// existingBox opens the key file, which must be there: a new one would be of no use.
func existingBox(cfg config.Config, why string) (*secrets.Box, error) {
	if _, err := os.Stat(cfg.Secrets.KeyFile); errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no key file %s; %s", cfg.Secrets.KeyFile, why)
	}
	box, _, err := secrets.OpenBox(cfg.Secrets.KeyFile)
	return box, err
}

func (c *cli) backupCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "backup", Short: "Save everything in one encrypted file, while the server runs", Args: exactly(0),
		Long: "Saves the database, blobs, log lines and build logs in one file, encrypted with the key file. The key file itself is\n" +
			"not in it: keep a copy of it in another place, for without it the backup cannot be read.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withDatabase(cmd.Context(), func(db *database.DB) error { return c.backup(cmd.Context(), db, output) })
		},
	}
	cmd.Flags().StringVar(&output, "output", "", "file to write; it must not exist")
	return cmd
}

func (c *cli) backup(ctx context.Context, db *database.DB, output string) error {
	if output == "" {
		return errUsage{errors.New("backup needs --output FILE")}
	}
	cfg, _, err := c.load()
	if err != nil {
		return err
	}
	box, err := existingBox(cfg, "is --data-dir right?")
	if err != nil {
		return err
	}
	source, err := backupSource(cfg, db, box, backup.Everything)
	if err != nil {
		return err
	}
	made, err := backup.Make(ctx, source, output)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s: %s of %s, %d rows, %d parts, in %s\n", output, size(made.Size), size(made.Manifest.Bytes()), made.Manifest.Rows(), len(made.Manifest.Parts), made.Took.Round(10*time.Millisecond))
	for _, m := range made.Manifest.Missing {
		fmt.Fprintln(c.out, "missing:", m)
	}
	fmt.Fprintf(c.out, "Keep %s apart from it: it is not in the backup, and without it the backup cannot be read.\n", cfg.Secrets.KeyFile)
	return nil
}

func size(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	value, unit := float64(n), 0
	for value >= 1000 && unit < len(units)-1 {
		value, unit = value/1000, unit+1
	}
	return fmt.Sprintf("%.4g %s", value, units[unit])
}

func openDatabase(log *slog.Logger) func(context.Context, string) (*database.DB, error) {
	return func(ctx context.Context, address string) (*database.DB, error) { return database.Open(ctx, address, log) }
}
