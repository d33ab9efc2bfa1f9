package app

import (
	"context"
	"net"

	"github.com/signalbox/signalbox/server/ci/runtime/worker"
	"github.com/signalbox/signalbox/server/platform/notify"
	"github.com/signalbox/signalbox/server/platform/secrets"
	"github.com/signalbox/signalbox/server/system"
)

// checkable is what the checks need besides the installation; the server has it at hand
// and the command makes it.
type checkable struct {
	publicURL string
	dial      func(ctx context.Context, network, address string) (net.Conn, error)
	isolation func(ctx context.Context) (string, error)
	backups   *system.Backups
	jobs      system.Jobs
}

// checks are those of the page and of the command alike.
func (i installation) checks(c checkable) []system.Check {
	cfg := i.config
	greet := func(ctx context.Context) error { return notify.Greet(ctx, cfg.SMTP, c.dial) }
	unreadable := func(ctx context.Context) (int, error) { return secrets.Unreadable(ctx, i.db, i.box, SealedColumns()) }
	return []system.Check{
		system.DatabaseCheck(i.db, now), system.SchemaCheck(i.db), system.DiskCheck(cfg.DataDir), system.ClockCheck(i.db, cfg.DataDir, now),
		system.KeyCheck(cfg.Secrets.KeyFile, unreadable), system.PublicURLCheck(cfg.Server.PublicURL, c.publicURL), system.WebhookCheck(i.db, c.publicURL, now),
		system.MailCheck(i.db, cfg.SMTP.Host, greet), system.SlackCheck(i.db), system.IsolationCheck(c.isolation),
		system.BackupsCheck(c.backups), system.JobsCheck(c.jobs),
	}
}

func isolationOf(ctx context.Context, w *worker.Worker) (string, error) {
	if err := w.Ready(ctx); err != nil {
		return "", err
	}
	if why := w.Network(); why != "" {
		return "Tasks run under " + w.Engine() + ", without a network: " + why, nil
	}
	return "Tasks run under " + w.Engine() + ", each with a network of its own.", nil
}
