package github

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/signalbox/signalbox/server/platform/github/githubtest"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// circle is a service with a fake GitHub that posts to it, and one connection.
type circle struct {
	*bundle
	hub  *githubtest.Server
	conn Connection
	repo *githubtest.Repo
	// web is where deliveries arrive; public is what the service says of itself.
	web *httptest.Server
}

func newCircle(t *testing.T) *circle {
	t.Helper()
	b := setup(t)
	hub, stop := githubtest.Start()
	t.Cleanup(stop)
	hub.Now, hub.Token = b.clock.now, "ghp_hush"
	web := httptest.NewServer(b.engine)
	t.Cleanup(web.Close)
	b.PublicURL = func() string { return web.URL }
	c := &circle{bundle: b, hub: hub, web: web, repo: hub.AddRepo("octo", "web")}
	conn, err := b.CreateConnection(b.as(t.Context()), 1, "gh", hub.URL, "ghp_hush")
	if err != nil {
		t.Fatal(err)
	}
	c.conn = conn
	return c
}

// jobs runs durable jobs for the length of the test.
func (c *circle) jobs(t *testing.T) {
	t.Helper()
	if err := c.Jobs.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Jobs.Stop(context.WithoutCancel(t.Context())) })
}

// left counts jobs of a kind that are not done.
func (b *bundle) left(t *testing.T, kind, state string) (n int) {
	t.Helper()
	if err := b.db.Reader(t.Context()).Raw("SELECT COUNT(*) FROM work_jobs WHERE kind LIKE ? AND state LIKE ?", kind, state).Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

// hurry makes waiting jobs due.
func (b *bundle) hurry(t *testing.T) {
	t.Helper()
	if err := b.db.Writer(t.Context()).Exec("UPDATE work_jobs SET run_at = 0 WHERE state = 'waiting'").Error; err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{hookJob, removalJob, postJob, statusJob} {
		if err := b.db.Notify(t.Context(), "work", kind); err != nil {
			t.Fatal(err)
		}
	}
}

// settled hurries until no job is left that could still run.
func (c *circle) settled(t *testing.T) {
	t.Helper()
	until(t, "all jobs are done", func() bool {
		c.hurry(t)
		return c.left(t, "%", "%ing") == 0 // waiting or running, counted at one moment
	})
}

func (c *circle) ensure(t *testing.T, repo string) Hook {
	t.Helper()
	h, err := c.EnsureHook(c.as(t.Context()), c.conn.ID, "octo", repo)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// atHub are the repository's hooks at GitHub.
func (c *circle) atHub() (list []githubtest.Hook) {
	c.hub.Look("octo", "web", func(r *githubtest.Repo) {
		for _, h := range r.Hooks {
			list = append(list, *h)
		}
	})
	return list
}

func (c *circle) hookNow(t *testing.T, id string) hookRow {
	t.Helper()
	row, err := c.findHook(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

// app connects a GitHub App through its manifest, installed and chosen.
func (c *circle) app(t *testing.T) (Connection, *githubtest.App) {
	t.Helper()
	ctx := c.as(t.Context())
	m, err := c.BeginApp(ctx, identity.Team{ID: 1, Name: "main"}, "", c.hub.URL)
	if err != nil {
		t.Fatal(err)
	}
	var manifest map[string]any
	if err := json.Unmarshal(m.Manifest, &manifest); err != nil {
		t.Fatal(err)
	}
	app, code := c.hub.CreateApp("box", manifest)
	conn, err := c.FinishApp(ctx, m.State, code)
	if err != nil {
		t.Fatal(err)
	}
	installation := c.hub.Install(app)
	if conn, err = c.ChangeConnection(ctx, conn.ID, ConnectionChange{Installation: &installation}); err != nil {
		t.Fatal(err)
	}
	return conn, app
}

// teller plays the channels of team 1: "web" is one, everything else is not.
type teller struct {
	mu    sync.Mutex
	told  []Telling
	state map[int64]Told
}

func (l *teller) Has(_ context.Context, team int64, channel string) (bool, error) {
	return team == 1 && channel == "web", nil
}

func (l *teller) Tell(ctx context.Context, team int64, channel string, m Telling) (int64, error) {
	if ok, _ := l.Has(ctx, team, channel); !ok {
		return 0, problem.New(problem.NotFound, "There is no such channel.")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, m)
	if l.state == nil {
		l.state = map[int64]Told{}
	}
	l.state[int64(len(l.told))] = Told{State: TellWaiting}
	return int64(len(l.told)), nil
}

func (l *teller) Told(_ context.Context, ids []int64) (map[int64]Told, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[int64]Told{}
	for _, id := range ids {
		if t, known := l.state[id]; known {
			out[id] = t
		}
	}
	return out, nil
}

func (l *teller) set(id int64, t Told) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state[id] = t
}

func jsonRequest(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, "/api/v1/ci"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}
