package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/signalbox/signalbox/server/ci/runtime/worker"
	"github.com/signalbox/signalbox/server/platform/cluster"
	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/outbound"
	"github.com/signalbox/signalbox/server/platform/secrets"
	"github.com/signalbox/signalbox/server/platform/work"
	"github.com/signalbox/signalbox/server/system"
)

func (c *cli) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Check the installation and say how to mend what is wrong", Args: exactly(0),
		Long: "Runs the checks of the page Administration, System health, from this machine and with this configuration; a server may be\n" +
			"running or not. It changes nothing. It exits with 1 if anything is broken; what only wants a look does not count.",
		RunE: func(cmd *cobra.Command, _ []string) error { return c.doctor(cmd.Context()) },
	}
}

func (c *cli) doctor(ctx context.Context) error {
	cfg, _, err := c.load()
	if err != nil {
		return err
	}
	if _, err := os.Stat(cfg.DataDir); err != nil {
		return fmt.Errorf("there is no data folder %s; name the server's with --data-dir", cfg.DataDir)
	}
	db, err := database.Open(ctx, cfg.Database.URL, discardLog())
	if err != nil {
		c.finding(system.Finding{Name: "database", Result: system.Result{Status: system.Fail, Detail: fmt.Sprintf("It cannot be opened: %s.", err),
			Fix: "See that it runs, that database.url is right, and that its disk has room."}})
		return errors.New("without the database nothing else can be checked")
	}
	findings, err := c.diagnose(ctx, cfg, db)
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	broken := 0
	for _, f := range findings {
		c.finding(f)
		if f.Status == system.Fail {
			broken++
		}
	}
	if broken > 0 {
		return fmt.Errorf("%d of %d checks found something broken", broken, len(findings))
	}
	return nil
}

// probeCommand is for container runtimes whose image has no other program to ask with.
func (c *cli) probeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "probe", Short: "Ask the server on this machine whether it is alive", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := c.load()
			if err != nil {
				return err
			}
			cfg.Server.PublicURL = ""
			if err := system.Reach(cmd.Context(), configuredURL(cfg)); err != nil {
				return fmt.Errorf("%s: %w", configuredURL(cfg), err)
			}
			fmt.Fprintln(c.out, "alive")
			return nil
		},
	}
}

var statusWords = map[system.Status]string{system.OK: "ok    ", system.Warn: "look  ", system.Fail: "BROKEN"}

func (c *cli) finding(f system.Finding) {
	fmt.Fprintf(c.out, "%s  %-14s  %s\n", statusWords[f.Status], f.Name, f.Detail)
	if f.Fix != "" {
		fmt.Fprintf(c.out, "%24s> %s\n", "", f.Fix)
	}
}

// diagnose runs the checks without a server: its loops and memory are seen on its page only.
func (c *cli) diagnose(ctx context.Context, cfg config.Config, db *database.DB) ([]system.Finding, error) {
	guard, err := outbound.New(cfg.Outbound.Allow)
	if err != nil {
		return nil, errUsage{err}
	}
	i := installation{config: cfg, db: db, log: discardLog()}
	keyFault := error(nil)
	if i.box, keyFault = existingBox(cfg, "the server makes one when it first starts; secrets in the database need the one they were made with"); keyFault != nil {
		i.box = &secrets.Box{}
	}
	backups, err := i.backups(func(context.Context, int64, string, string, string) error { return nil })
	if err != nil {
		return nil, errUsage{err}
	}
	checks := i.checks(checkable{publicURL: configuredURL(cfg), dial: guard.DialContext, backups: backups, jobs: work.NewJobs(db, i.node(), now, i.log),
		isolation: func(ctx context.Context) (string, error) { return tryIsolation(ctx, cfg) }})
	checks = append(checks, system.ServersCheck(cluster.New(cluster.Deps{DB: db, Self: cluster.Member{Node: i.node()}, Now: now, Log: i.log}).Members, nil))
	if keyFault != nil {
		for n := range checks {
			if checks[n].Name == "key file" {
				checks[n] = system.KeyCheck(cfg.Secrets.KeyFile, func(context.Context) (int, error) { return 0, keyFault })
			}
		}
	}
	return system.Diagnose(ctx, checks), nil
}

// configuredURL is where the server would say that it is.
func configuredURL(cfg config.Config) string {
	if cfg.Server.PublicURL != "" {
		return cfg.Server.PublicURL
	}
	scheme := "http"
	if cfg.Server.TLSCert != "" {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(cfg.Server.Listen)
	if ip := net.ParseIP(host); err != nil || host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// tryIsolation starts an empty container from a folder of its own, which leaves a running
// server's alone.
func tryIsolation(ctx context.Context, cfg config.Config) (said string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	root, err := os.MkdirTemp(cfg.DataDir, ".doctor-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(root) // an empty container leaves nothing that matters
	w, err := worker.New(worker.Options{Root: filepath.Join(root, "ci"), Name: "doctor", AllowOutbound: cfg.Outbound.Allow, Self: self, Logger: discardLog(), Now: now})
	if err != nil {
		return "", err
	}
	said, err = isolationOf(ctx, w)
	return said, errors.Join(err, w.Close())
}
