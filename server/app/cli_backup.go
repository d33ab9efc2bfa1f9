package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox/signalbox/server/accounts"
	"github.com/signalbox/signalbox/server/platform/backup"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/system"
)

// byCommand is who does it, for history and audit log.
const byCommand = "command line"

func (c *cli) backupCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "backup", Short: "Save everything in one encrypted file, while the server runs", Args: exactly(0),
		Long: "Saves the database, blobs, log lines and build logs in one file, encrypted with the key file. The key file itself is\n" +
			"not in it: keep a copy of it in another place, for without it the backup cannot be read. Without --output the file\n" +
			"goes where the configuration wants backups.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withBackups(cmd.Context(), func(b *system.Backups) error { return c.backup(cmd.Context(), b, output) })
		},
	}
	cmd.Flags().StringVar(&output, "output", "", "file to write; it must not exist")
	rehearse := &cobra.Command{
		Use: "rehearse FILE", Short: "Restore a backup into a scratch place, check it, and say how long it took", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withBackups(cmd.Context(), func(b *system.Backups) error { return c.rehearse(cmd.Context(), b, args[0]) })
		},
	}
	verify := &cobra.Command{
		Use: "verify FILE", Short: "Read a backup to its end and check every part against the manifest", Args: exactly(1),
		RunE: func(_ *cobra.Command, args []string) error { return c.verifyBackup(args[0]) },
	}
	list := &cobra.Command{
		Use: "list", Short: "List the backups that this installation made", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withBackups(cmd.Context(), func(b *system.Backups) error { return c.listBackups(cmd.Context(), b) })
		},
	}
	cmd.AddCommand(rehearse, verify, list)
	return cmd
}

// withBackups opens the data folder for one command; a server may be running on it.
func (c *cli) withBackups(ctx context.Context, fn func(*system.Backups) error) error {
	cfg, log, err := c.load()
	if err != nil {
		return err
	}
	box, err := existingBox(cfg, "is --data-dir right?")
	if err != nil {
		return err
	}
	return c.withDatabase(ctx, func(db *database.DB) error {
		if _, err := c.migrate(ctx, db); err != nil {
			return err
		}
		// On the same connection: entries belong into the transactions of what they tell of.
		s, err := accounts.New(accounts.Deps{DB: db, Now: now, Log: discardLog(), Version: Version})
		if err != nil {
			return err
		}
		b, err := installation{cfg, db, box, log}.backups(s.Audit)
		if err == nil {
			err = fn(b)
		}
		return errors.Join(err, s.Close(ctx))
	})
}

func (c *cli) backup(ctx context.Context, b *system.Backups, output string) error {
	made, err := b.Make(ctx, system.Order{Kind: backup.Everything, Cause: system.ByCommand, Actor: byCommand, Path: output})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s: %s, of %s in %d parts, %d rows, in %s\n", b.Path(made), size(made.Archive), size(made.Content), made.Parts, made.Rows, made.Finish.Sub(made.Start).Round(10*time.Millisecond))
	if made.Missing > 0 {
		fmt.Fprintf(c.out, "%d stored files were gone already; signalbox backup verify names them.\n", made.Missing)
	}
	fmt.Fprintf(c.out, "Keep %s apart from it: it is not in the backup, and without it the backup cannot be read.\n", b.KeyFile())
	return nil
}

func (c *cli) rehearse(ctx context.Context, b *system.Backups, file string) error {
	full, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	r, err := b.Rehearse(ctx, b.At(ctx, full), byCommand)
	for _, s := range r.Steps {
		fmt.Fprintf(c.out, "%-10s %6d ms  %s\n", s.Name, s.TookMS, s.Detail)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "RTO %s: from the archive to a checked installation of this version.\nRPO %s: so old was its state; what came after would have been lost.\n",
		r.RTO.Round(10*time.Millisecond), r.RPO.Round(time.Second))
	return nil
}

func (c *cli) verifyBackup(file string) error {
	cfg, _, err := c.load()
	if err != nil {
		return err
	}
	box, err := existingBox(cfg, "it opens the backup; name it with secrets.key_file or --data-dir")
	if err != nil {
		return err
	}
	m, err := backup.Verify(file, box)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "whole: %d parts, %s, %d rows in %d tables\n", len(m.Parts), size(m.Bytes()), m.Rows(), len(m.Tables))
	for _, name := range m.Missing {
		fmt.Fprintln(c.out, "gone before the backup:", name)
	}
	return nil
}

func (c *cli) listBackups(ctx context.Context, b *system.Backups) error {
	list, err := b.List(ctx)
	if err != nil {
		return err
	}
	return c.table("STARTED (UTC)\tSTATE\tCAUSE\tSIZE\tWHERE", func(w *tabwriter.Writer) {
		for _, r := range list {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", date(r.Start), r.State, r.Cause, size(r.Archive), b.Path(r))
		}
	})
}

func size(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	value, unit := float64(n), 0
	for value >= 1000 && unit < len(units)-1 {
		value, unit = value/1000, unit+1
	}
	return fmt.Sprintf("%.4g %s", value, units[unit])
}
