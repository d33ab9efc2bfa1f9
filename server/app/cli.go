package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox/signalbox/server/ci/runtime/worker"
	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/database"
)

// Version is set by the build.
var Version = "dev"

// errUsage makes Main exit with 2.
type errUsage struct{ error }

// Main runs the command line and returns the exit code: 0 done, 1 failed, 2 wrong use.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == worker.SupervisorCommand {
		return worker.SupervisorMain(args[1:])
	}
	c := &cli{out: stdout}
	root := c.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var usage errUsage
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "signalbox:", err)
		return 2
	}
	fmt.Fprintln(stderr, "signalbox:", err)
	return 1
}

type cli struct {
	out     io.Writer
	dataDir string
	file    string
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use: "signalbox", Short: "Pipelines, errors, logs, an assistant and edge patching in one binary",
		SilenceErrors: true, SilenceUsage: true, Version: Version,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return errUsage{fmt.Errorf("there is no command %q; signalbox --help lists them", args[0])}
			}
			return cmd.Help()
		},
		Args: cobra.ArbitraryArgs,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return errUsage{err} })
	root.PersistentFlags().StringVar(&c.dataDir, "data-dir", "./data", "folder with everything the server keeps")
	root.PersistentFlags().StringVar(&c.file, "config", "", "configuration file (YAML)")
	root.AddCommand(c.serveCommand(), c.demoCommand(), c.migrateCommand(), c.configCommand(), c.userCommand(), c.tokenCommand(), c.secretsCommand(), c.logsCommand(), c.bundleCommand(), c.backupCommand(), c.restoreCommand(), c.doctorCommand(), c.probeCommand(), c.mcpCommand(), c.askCommand(), c.evalCommand())
	return root
}

// exactly is cobra.ExactArgs as wrong use.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(n)(cmd, args); err != nil {
			return errUsage{err}
		}
		return nil
	}
}

func (c *cli) load() (config.Config, *slog.Logger, error) {
	cfg, err := config.Load(c.dataDir, c.file)
	if err != nil {
		return cfg, nil, errUsage{err}
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Log.Level)); err != nil {
		return cfg, nil, errUsage{fmt.Errorf("log.level: %w", err)}
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	slog.SetDefault(log)
	return cfg, log, nil
}

func (c *cli) serveCommand() *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use: "serve", Short: "Serve the portal until told to stop", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, log, err := c.load()
			if err != nil {
				return err
			}
			if address != "" {
				cfg.Server.Listen = address
			}
			return c.serve(cmd.Context(), cfg, log, nil)
		},
	}
	cmd.Flags().StringVar(&address, "listen", "", "address to listen on, instead of server.listen")
	return cmd
}

// serve starts a server, tells how to get in, lets prepare add to it, and runs it.
func (c *cli) serve(ctx context.Context, cfg config.Config, log *slog.Logger, prepare func(context.Context, *App) error) error {
	limitMemory(cfg.Server.MemoryLimitMB, availableMemory())
	a, err := New(ctx, cfg, log)
	if err != nil {
		return err
	}
	a.unreadyFor = unreadyFor
	fmt.Fprintf(c.out, "\n  Signalbox %s on %s\n", Version, a.PublicURL())
	if a.FirstPassword != "" {
		fmt.Fprintf(c.out, "\n  Sign in as %s with the password %s\n  (shown this once; change it after signing in)\n", cfg.Admin.User, a.FirstPassword)
	}
	fmt.Fprintln(c.out)
	if prepare != nil {
		if err := prepare(ctx, a); err != nil {
			return errors.Join(err, a.Close(ctx))
		}
	}
	return a.Run(ctx)
}

func (c *cli) migrateCommand() *cobra.Command {
	var plan bool
	cmd := &cobra.Command{
		Use: "migrate", Short: "Bring the database's schema up to date; --plan only says what would be done", Args: exactly(0),
		Long: "Saves the database in the folder for backups, then applies what is missing. There is no way back but that backup.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withDatabase(cmd.Context(), func(db *database.DB) error {
				if plan {
					return c.migrationPlan(cmd.Context(), db)
				}
				applied, err := c.migrate(cmd.Context(), db)
				for _, name := range applied {
					fmt.Fprintln(c.out, "applied", name)
				}
				if err == nil && len(applied) == 0 {
					fmt.Fprintln(c.out, "the schema is up to date")
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&plan, "plan", false, "only list what would be applied")
	return cmd
}

func (c *cli) withDatabase(ctx context.Context, fn func(*database.DB) error) error {
	cfg, log, err := c.load()
	if err != nil {
		return err
	}
	db, err := database.Open(ctx, cfg.Database.URL, log)
	if err != nil {
		return err
	}
	return errors.Join(fn(db), db.Close())
}

func (c *cli) configCommand() *cobra.Command {
	return &cobra.Command{
		Use: "config", Short: "Print every configuration key", Args: exactly(0),
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(c.out, config.Markdown())
			return err
		},
	}
}

// nodeID is this data folder's name among the nodes, the same after a restart.
func nodeID(dataDir string, fresh func() string) (string, error) {
	path := filepath.Join(dataDir, "node-id")
	raw, err := os.ReadFile(path)
	if err == nil && len(raw) > 0 {
		return string(raw), nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read this node's name: %w", err)
	}
	id := fresh()
	if err := os.WriteFile(path, []byte(id), 0o600); err != nil {
		return "", fmt.Errorf("write this node's name: %w", err)
	}
	return id, nil
}

func now() time.Time { return time.Now() }

func discardLog() *slog.Logger { return slog.New(slog.DiscardHandler) }
