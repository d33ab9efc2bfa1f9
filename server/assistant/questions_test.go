package assistant

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/bots/llm"
	"github.com/signalbox/signalbox/server/assistant/evals"
	"github.com/signalbox/signalbox/server/assistant/evals/acme"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// connections reach everything that exists at the fake GitHub, allowed or not.
type connections struct{ hub *fakeGitHub }

func (c connections) Repositories(context.Context, int64) ([]string, error) {
	return []string{"acme/shop", "acme/api", "acme/legacy"}, nil
}

func (c connections) ClientAt(context.Context, int64, string) (*github.Client, bool, error) {
	return c.hub.client(), true, nil
}

type bundle struct {
	*Service
	hub    *fakeGitHub
	caller identity.Caller
	team   identity.Team
}

func setup(t testing.TB) *bundle {
	t.Helper()
	return setupWith(t, nil)
}

// setupWith makes an assistant whose tools meet faults.
func setupWith(t testing.TB, faults map[string]acme.Fault) *bundle {
	t.Helper()
	db := databasetest.Open(t)
	hub := newFakeGitHub(t)
	team := identity.Team{ID: 1, Name: "main"}
	b := &bundle{hub: hub, team: team, caller: identity.Caller{UserID: 7, Name: "ann", Roles: map[int64]identity.Role{1: identity.Owner}, Teams: map[string]identity.Team{"main": team}}}
	if err := db.Writer(t.Context()).Exec("INSERT INTO accounts_teams (id, name, created_at) VALUES (1, 'main', 0) ON CONFLICT DO NOTHING").Error; err != nil {
		t.Fatal(err)
	}
	registry := tools.NewRegistry()
	if err := registry.Register(acme.Faulty(acme.Portal(), faults)...); err != nil {
		t.Fatal(err)
	}
	for tool, fault := range faults {
		if bare, ok := strings.CutPrefix(tool, githubPrefix); ok {
			hub.Fail(bare, fault)
		}
	}
	var ids atomic.Int64
	b.Service = New(Deps{DB: db, Tools: registry, GitHub: connections{hub}, PublicURL: "https://box.example", Version: "test", Log: slog.New(slog.DiscardHandler),
		Things: func(context.Context, identity.Team) ([]string, error) {
			return acme.Things, nil
		},
		Audit:   func(context.Context, int64, string, string, string) error { return nil },
		Publish: func(context.Context, int64, string, string) error { return nil },
		ID:      func() string { return "run-" + strconv.FormatInt(ids.Add(1), 10) },
		Now:     func() time.Time { return acme.Now }})
	if _, err := b.SaveSettings(b.as(t.Context()), team, Settings{Repositories: acme.Repositories, DefaultRepository: "acme/shop"}); err != nil {
		t.Fatal(err)
	}
	if err := b.store.setLink(t.Context(), 7, "github", "ann"); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bundle) as(ctx context.Context) context.Context { return identity.With(ctx, b.caller) }

// portalTool answers with a document, whatever it is asked.
func portalTool(name, answer string) tools.Tool {
	capability, _, _ := strings.Cut(name, "_")
	return tools.Tool{Name: name, Title: name, Description: name, In: &tools.Schema{Type: "object", Additional: &tools.Schema{}}, Out: &tools.Schema{}, Class: tools.ReadOnly,
		Scope: identity.Scope{Capability: capability, Level: identity.Read},
		Run:   func(context.Context, json.RawMessage) (any, error) { return json.RawMessage(answer), nil }}
}

// room makes an assistant for a case: its faults, and its model.
func room(t testing.TB) evals.Room {
	usual := setup(t)
	return func(_ context.Context, c evals.Case, model llm.Model) (evals.Asker, func(), error) {
		if len(c.Faults) == 0 && model == nil {
			return usual.examine, func() {}, nil
		}
		faults := map[string]acme.Fault{}
		for tool, fault := range c.Faults {
			faults[tool] = acme.Fault(fault)
		}
		b := setupWith(t, faults)
		if model != nil {
			b.Model, b.Planner = model, ByLLM
		}
		return b.examine, func() {}, nil
	}
}

// examine asks as a case does, and gives the run in the form of the API.
func (b *bundle) examine(ctx context.Context, q evals.Asked) (evals.Trace, error) {
	run, err := b.Ask(b.as(ctx), Question{Team: "main", Text: q.Text, Zone: q.Zone, Repository: q.Repository, Thread: q.Thread})
	if err != nil {
		return evals.Trace{}, err
	}
	raw, err := json.Marshal(run)
	if err != nil {
		return evals.Trace{}, err
	}
	var t evals.Trace
	return t, json.Unmarshal(raw, &t)
}

// TestQuestions asks what people ask, each in three phrasings: the cases that come with the product.
func TestQuestions(t *testing.T) {
	t.Parallel()
	cases, err := evals.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	results, err := evals.Run(t.Context(), cases, room(t), evals.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if len(results) < 100 {
		t.Errorf("only %d questions were asked", len(results))
	}
	for _, r := range results {
		for _, f := range r.Findings {
			last := r.Traces[len(r.Traces)-1]
			t.Errorf("%s, %q: %s: %s\n%s\nread as: %s", r.Case, r.Asked, f.Pattern, f.Text, last.Answer.Text, last.Reading)
		}
	}
}

// TestThread asks on: a question that narrows, asks about, or moves the one before.
func TestThread(t *testing.T) {
	t.Parallel()
	b := setup(t)
	thread := ""
	for _, c := range []struct{ ask, contains, lacks string }{
		{"What PRs were merged this week?", "#5678", "5644"},
		{"only carol's", "#5702", "5678"},
		{"who approved it?", "ann approved", "carol"},
		{"What PRs were merged this week?", "#5678", "5644"},
		{"and last week?", "#5644", "5678"},
	} {
		run, err := b.Ask(b.as(t.Context()), Question{Team: "main", Text: c.ask, Zone: "Europe/London", Thread: thread})
		if err != nil {
			t.Fatal(err)
		}
		thread = run.Thread
		if !strings.Contains(run.Answer.Text, c.contains) || strings.Contains(run.Answer.Text, c.lacks) {
			t.Errorf("%s: %s\nread as %s", c.ask, run.Answer.Text, run.Reading)
		}
	}
}

// TestGitHubIsDown says so instead of "none".
func TestGitHubIsDown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.hub.Down.Store(true)
	run, err := b.Ask(b.as(t.Context()), Question{Team: "main", Text: "What PRs were merged this week?"})
	if err != nil || run.Status != Failed || !strings.Contains(run.Answer.Text, "GitHub could not be reached") || strings.Contains(run.Answer.Text, "No pull") || b.hub.Calls.Load() > 3 {
		t.Errorf("%v %s %s, %d calls", err, run.Status, run.Answer.Text, b.hub.Calls.Load())
	}
}

// TestRights asks as people who may not.
func TestRights(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.caller.Scopes = identity.TokenScopes{"logs:read"}
	if _, err := b.Ask(b.as(t.Context()), Question{Team: "main", Text: "help"}); err == nil {
		t.Error("a token without assistant:read asks")
	}
	b.caller.Scopes = identity.TokenScopes{"assistant:read"}
	run, err := b.Ask(b.as(t.Context()), Question{Team: "main", Text: "Which builds are failing?"})
	if err != nil || run.Status != Failed || strings.Contains(run.Answer.Text, "#42") {
		t.Errorf("builds without ci:read: %v %s", err, run.Answer.Text)
	}
	b.caller.Scopes = nil
	other := identity.Caller{UserID: 8, Name: "eve", Roles: map[int64]identity.Role{1: identity.Viewer}, Teams: b.caller.Teams}
	if _, err := b.mayRead(identity.With(t.Context(), other), run.ID); err == nil {
		t.Error("a viewer reads somebody else's run")
	}
	if _, err := b.SaveSettings(identity.With(t.Context(), other), b.team, Settings{}); err == nil {
		t.Error("a viewer changes the settings")
	}
}

func writeText(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) }
