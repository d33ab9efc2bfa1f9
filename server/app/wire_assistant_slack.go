package app

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/assistant"
	"github.com/signalbox/signalbox/server/platform/github/payload"
	"github.com/signalbox/signalbox/server/platform/outbound"
)

// wireSlack puts the assistant into Slack, where somebody sets a workspace up.
func (a *App) wireSlack(context.Context) error {
	a.slack = assistant.NewSlack(a.assistant, assistant.SlackDeps{Box: a.box, Jobs: a.jobs, URL: a.config.Assistant.SlackURL, Node: a.node,
		HTTP: a.guard.Client(outbound.Options{Timeout: 20 * time.Second, MaxBytes: 8 << 20, Redirects: -1}),
		// A socket stays open, and its answer is a connection that both sides write to.
		Sockets: &http.Client{Transport: &http.Transport{DialContext: a.guard.DialContext, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 20 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		Caller: a.accounts.CallerOf, Hosts: a.githubHosts})
	return nil
}

// githubHosts are where people see what a team's connections reach.
func (a *App) githubHosts(ctx context.Context, team int64) ([]string, error) {
	connections, err := a.github.Connections(ctx, team)
	hosts := []string{"github.com"}
	for _, c := range connections {
		if u, err := url.Parse(c.APIURL); err == nil {
			hosts = append(hosts, strings.TrimPrefix(u.Host, "api."))
		}
	}
	return hosts, err
}

// pullForReview lets Slack tell people of reviews that are asked of them.
func (a *App) pullForReview(ctx context.Context, team int64, f payload.Facts) error {
	return a.slack.PullChanged(ctx, team, assistant.PullEvent{Event: f.Event, Action: f.Action, Repository: f.Repository, Number: f.Number, Title: f.Title, URL: f.URL, Sender: f.Sender, Reviewers: f.Reviewers})
}
