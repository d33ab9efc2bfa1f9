package system

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
)

// reachFor is how long the server may take to reach itself from the outside.
const reachFor = 4 * time.Second

// WebhookCheck asks whether the public address leads to a server of ours, as GitHub would
// have to, and how the hooks fare.
func WebhookCheck(db *database.DB, publicURL string, now func() time.Time) Check {
	return Check{"webhooks", func(ctx context.Context) Result {
		h, err := (store{db}).hooks(ctx)
		if err != nil {
			return Result{Fail, fmt.Sprintf("The hooks cannot be listed: %s.", err), "See the check of the database."}
		}
		return judgeHooks(h, publicURL, Reach(ctx, publicURL), now())
	}}
}

// Reach asks an address whether a server of ours lives there. It is the administrator's,
// so it needs no guard; redirects are a fault, as GitHub follows none.
func Reach(ctx context.Context, publicURL string) error {
	ctx, cancel := context.WithTimeout(ctx, reachFor)
	defer cancel()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, publicURL+"/healthz", nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	var inner *url.Error
	if errors.As(err, &inner) {
		return inner.Err
	}
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 100))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK || strings.TrimSpace(string(body)) != "alive" {
		return fmt.Errorf("it answers %d, which is not this server", res.StatusCode)
	}
	return nil
}

func judgeHooks(h hooks, publicURL string, unreachable error, now time.Time) Result {
	host := publicURL
	if u, err := url.Parse(publicURL); err == nil {
		host = u.Hostname()
	}
	said := fmt.Sprintf("%d hooks", h.count)
	if !h.last.IsZero() {
		said += fmt.Sprintf(", the last delivery %s ago", now.Sub(h.last).Round(time.Second))
	}
	switch {
	case unreachable != nil:
		return Result{Fail, fmt.Sprintf("%s cannot be reached from here: %s. %s.", publicURL, strings.TrimSuffix(unreachable.Error(), "."), said),
			"See that its name resolves, that its certificate is valid, and that the proxy in front passes everything on; then ask from outside: curl " + publicURL + "/healthz"}
	case len(h.broken) > 0:
		return Result{Warn, fmt.Sprintf("%s; broken: %s.", said, strings.Join(h.broken, ", ")), "Open the hook's page: it says what GitHub answered, and renews it."}
	case h.count > 0 && (local(host) || private(host)):
		return Result{Warn, fmt.Sprintf("%s; %s is a private address, which github.com does not reach.", said, host), "Set server.public_url to an address that GitHub reaches, or let the resources be polled (check_every)."}
	}
	return Good("%s leads here. %s.", publicURL, strings.ToUpper(said[:1])+said[1:])
}

func private(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast())
}

// MailCheck asks the mail server whether it would take our mail; greet signs in and says
// good-bye. host is empty where no mail is to be sent.
func MailCheck(db *database.DB, host string, greet func(ctx context.Context) error) Check {
	return Check{"mail", func(ctx context.Context) Result {
		c, err := (store{db}).channels(ctx, "mail")
		if err != nil {
			return Result{Fail, fmt.Sprintf("The channels cannot be listed: %s.", err), "See the check of the database."}
		}
		if host == "" {
			if c.Count > 0 {
				return Result{Fail, fmt.Sprintf("%d channels want mail, and smtp.host is not set.", c.Count), "Set smtp.host and smtp.from."}
			}
			return Good("Not set up: smtp.host is empty, and no channel wants mail.")
		}
		if err := greet(ctx); err != nil {
			return Result{Fail, fmt.Sprintf("%s takes no mail: %s.", host, strings.TrimSuffix(err.Error(), ".")), "See smtp.host, smtp.port, smtp.tls, smtp.user and smtp.password; a private address must be in outbound.allow."}
		}
		return judgeChannels(c, host+" takes our mail", "mail")
	}}
}

// SlackCheck asks how the messages to Slack fared. It sends none.
func SlackCheck(db *database.DB) Check {
	return Check{"Slack", func(ctx context.Context) Result {
		c, err := (store{db}).channels(ctx, "slack")
		if err != nil {
			return Result{Fail, fmt.Sprintf("The channels cannot be listed: %s.", err), "See the check of the database."}
		}
		if c.Count == 0 {
			return Good("Not set up: no channel posts to Slack.")
		}
		return judgeChannels(c, "Channels post to Slack", "Slack")
	}}
}

func judgeChannels(c channels, well, what string) Result {
	if c.Failed > 0 {
		return Result{Warn, fmt.Sprintf("The last message of %d of %d channels failed, of %s: %s", c.Failed, c.Count, c.Name, c.Error),
			"Open the channel in the team's settings, mend its " + what + " address, and press Send test."}
	}
	return Good("%s; %d channels, none of whose last message failed.", well, c.Count)
}

// KeyCheck asks whether what is sealed in the database opens with the key file.
func KeyCheck(path string, unreadable func(ctx context.Context) (int, error)) Check {
	return Check{"key file", func(ctx context.Context) Result {
		n, err := unreadable(ctx)
		if err != nil {
			return Result{Fail, fmt.Sprintf("%s cannot be used: %s.", path, strings.TrimSuffix(err.Error(), ".")), "Put the key file back from its copy, with mode 0600."}
		}
		if n > 0 {
			return Result{Fail, fmt.Sprintf("%d secrets in the database were encrypted with keys that %s lacks.", n, path), "Put the right key file back, or enter the secrets again."}
		}
		return Good("%s opens every secret. Keep a copy of it apart from the backups.", path)
	}}
}

// SchemaCheck asks whether the database is of this program's version.
func SchemaCheck(db *database.DB) Check {
	return Check{"schema", func(ctx context.Context) Result {
		plan, err := db.MigrationPlan(ctx)
		switch {
		case err != nil:
			return Result{Fail, fmt.Sprintf("The migrations cannot be read: %s.", err), "See the check of the database."}
		case len(plan.Unknown) > 0:
			return Result{Fail, fmt.Sprintf("The database is of a newer version: this program lacks the migration %d.", plan.Unknown[0]), "Install that version or a newer one again."}
		case len(plan.Pending) > 0:
			return Result{Warn, fmt.Sprintf("%d migrations wait, the first %s.", len(plan.Pending), plan.Pending[0]), "Start the server: it makes a backup and applies them. signalbox migrate --plan lists them."}
		}
		return Good("Migration %d, the newest of this program.", plan.Schema)
	}}
}
