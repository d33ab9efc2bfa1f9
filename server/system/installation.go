package system

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/signalbox/signalbox/server/platform/work"
)

// PublicURLCheck asks whether links that leave the server lead back to it;
// configured is empty when nobody set it, effective is what is used instead.
func PublicURLCheck(configured, effective string) Check {
	return Check{"public address", func(context.Context) Result {
		const fix = "Set server.public_url (SIGNALBOX_SERVER_PUBLIC_URL) to the address under which people and GitHub reach this server."
		if configured == "" {
			return Result{Warn, fmt.Sprintf("server.public_url is not set; links, commit statuses and hooks say %s, which only this machine may reach.", effective), fix}
		}
		u, err := url.Parse(configured)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return Result{Fail, fmt.Sprintf("server.public_url is %q, which is no web address.", configured), fix}
		}
		if u.Scheme == "http" && !local(u.Hostname()) {
			return Result{Warn, configured + " is not encrypted: passwords and tokens travel in the open.",
				"Put a proxy with TLS in front, or set server.tls_cert and server.tls_key; then set server.public_url to https."}
		}
		return Good("%s", configured)
	}}
}

func local(host string) bool {
	return host == "localhost" || strings.HasPrefix(host, "127.") || host == "::1" || strings.HasSuffix(host, ".localhost")
}

// IsolationCheck asks how tasks are kept apart from this machine. tell returns
// the way in words, or why there is none.
func IsolationCheck(tell func(ctx context.Context) (string, error)) Check {
	return Check{"task isolation", func(ctx context.Context) Result {
		way, err := tell(ctx)
		if err != nil {
			return Result{Fail, fmt.Sprintf("Tasks cannot run: %s.", strings.TrimSuffix(err.Error(), ".")), "Install runc, or bubblewrap where runc cannot run, and start the server again."}
		}
		return Good("%s", way)
	}}
}

// JobsCheck asks whether any durable work has given up.
func JobsCheck(jobs Jobs) Check {
	return Check{"jobs", func(ctx context.Context) Result {
		counts, err := jobs.Counts(ctx)
		if err != nil {
			return Result{Fail, fmt.Sprintf("The jobs cannot be counted: %s.", err), "See the check of the database."}
		}
		r := Good("%d waiting, %d running, %d dead.", counts[work.Waiting], counts[work.Running], counts[work.Dead])
		if counts[work.Dead] > 0 {
			r.Status, r.Fix = Warn, "Look at the dead jobs: mend what their errors name, then retry or discard them."
		}
		return r
	}}
}

// LoopsCheck asks whether the last run of any background loop failed.
func LoopsCheck(loops func() []work.LoopStatus) Check {
	return Check{"loops", func(context.Context) Result {
		all := loops()
		var broken []string
		for _, l := range all {
			if l.Elsewhere {
				continue
			}
			if l.Error != "" {
				broken = append(broken, l.Name)
			}
		}
		if len(broken) > 0 {
			return Result{Warn, "The last run failed of: " + strings.Join(broken, ", ") + ".", "Their errors are on the page of the loops and in the server's log; each runs again by itself."}
		}
		return Good("All %d ran without an error.", len(all))
	}}
}
