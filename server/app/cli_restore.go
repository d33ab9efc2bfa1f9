package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox/signalbox/server/platform/backup"
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
	if _, err := os.Stat(input); err != nil {
		return fmt.Errorf("open the archive: %w", err)
	}
	box, err := existingBox(cfg, "put the key file of the installation that made the backup there first, with mode 0600")
	if err != nil {
		return err
	}
	target, err := installation{config: cfg, box: box, log: log}.target()
	if err != nil {
		return err
	}
	back, err := backup.Restore(ctx, input, target)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "restored the state of %s: %d rows, %s, in %s\n", back.Header.At.Format(time.RFC3339), back.Manifest.Rows(), size(back.Manifest.Bytes()), back.Took.Round(10*time.Millisecond))
	for _, name := range back.Manifest.Missing {
		fmt.Fprintln(c.out, "gone before the backup:", name)
	}
	return nil
}
