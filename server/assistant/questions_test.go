package assistant

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
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
	db := databasetest.Open(t)
	hub := newFakeGitHub(t)
	team := identity.Team{ID: 1, Name: "main"}
	b := &bundle{hub: hub, team: team, caller: identity.Caller{UserID: 7, Name: "ann", Roles: map[int64]identity.Role{1: identity.Owner}, Teams: map[string]identity.Team{"main": team}}}
	if err := db.Writer(t.Context()).Exec("INSERT INTO accounts_teams (id, name, created_at) VALUES (1, 'main', 0) ON CONFLICT DO NOTHING").Error; err != nil {
		t.Fatal(err)
	}
	registry := tools.NewRegistry()
	for name, answer := range portal {
		if strings.Contains(name, " ") {
			continue
		}
		if err := registry.Register(portalTool(name, answer)); err != nil {
			t.Fatal(err)
		}
	}
	var ids atomic.Int64
	b.Service = New(Deps{DB: db, Tools: registry, GitHub: connections{hub}, PublicURL: "https://box.example", Version: "test", Log: slog.New(slog.DiscardHandler),
		Things: func(context.Context, identity.Team) ([]string, error) {
			return []string{"web", "api", "nightly", "payments"}, nil
		},
		Audit:   func(context.Context, int64, string, string, string) error { return nil },
		Publish: func(context.Context, int64, string, string) error { return nil },
		ID:      func() string { return "run-" + strconv.FormatInt(ids.Add(1), 10) },
		Now:     func() time.Time { return time.Date(2026, 4, 17, 12, 0, 0, 0, time.UTC) }})
	if _, err := b.SaveSettings(b.as(t.Context()), team, Settings{Repositories: []string{"acme/shop", "acme/api"}, DefaultRepository: "acme/shop"}); err != nil {
		t.Fatal(err)
	}
	if err := b.store.setLink(t.Context(), 7, "github", "ann"); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bundle) as(ctx context.Context) context.Context { return identity.With(ctx, b.caller) }

// portalTool answers with a document, or with the one that the input's pipeline names.
func portalTool(name, answer string) tools.Tool {
	capability, _, _ := strings.Cut(name, "_")
	return tools.Tool{Name: name, Title: name, Description: name, In: &tools.Schema{Type: "object", Additional: &tools.Schema{}}, Out: &tools.Schema{}, Class: tools.ReadOnly,
		Scope: identity.Scope{Capability: capability, Level: identity.Read},
		Run: func(_ context.Context, in json.RawMessage) (any, error) {
			var args struct{ Pipeline, Query string }
			if err := json.Unmarshal(in, &args); err != nil {
				return nil, err
			}
			if args.Pipeline != "" {
				answer, ok := portal[name+" "+args.Pipeline]
				if !ok {
					return nil, problem.New(problem.NotFound, "There is no pipeline %s.", args.Pipeline)
				}
				return json.RawMessage(answer), nil
			}
			return json.RawMessage(answer), nil
		}}
}

// portal is what the capabilities know in the world, as their tools say it.
var portal = map[string]string{
	"ci_pipelines_list":  `{"pipelines":[{"name":"web"},{"name":"api"},{"name":"nightly"}]}`,
	"ci_builds_list":     `{"items":[{"id":43,"name":"43","status":"started","pipeline":{"name":"web"},"job":{"name":"test"},"created_at":"2026-04-17T11:58:00Z"}]}`,
	"ci_build_get":       `{"failure":{"step":"s","name":"test","exit_status":1,"last_lines":["ok","expected 1000 got 999"],"same_in_last":1}}`,
	"issues_issue_list":  `{"issues":[{"id":7,"short_id":"SHOP-7","title":"TypeError: cannot read total of undefined","state":"unresolved","events":128,"users":54,"first_seen":"2026-04-16T10:20:00Z","releases":{"first":"v1.4.2"}},{"id":9,"short_id":"API-1","title":"nil dereference","state":"unresolved","events":3,"users":1,"first_seen":"2026-04-17T06:00:00Z","releases":{}}],"next":""}`,
	"issues_issue_get":   `{"issue":{"id":7,"short_id":"SHOP-7","title":"TypeError","state":"unresolved","events":128,"users":54,"first_seen":"2026-04-16T10:20:00Z","last_seen":"2026-04-17T11:00:00Z","releases":{}},"suspect_commits":[]}`,
	"logs_line_count":    `{"total":5230}`,
	"logs_pattern_list":  `{"patterns":[{"pattern":"connection to <*> refused","count":5100,"sample":"x"},{"pattern":"slow","count":130,"sample":"y"}]}`,
	"ci_delivery_list":   `{"received":40,"failed":3,"refused":1,"deliveries":[{"id":"d-501","event":"push","state":"failed","verdict":"accepted","error":"web answered 500"},{"id":"d-502","event":"push","state":"failed","verdict":"accepted","error":"web answered 500"},{"id":"d-503","event":"push","state":"failed","verdict":"accepted","error":"web answered 500"},{"id":"d-504","event":"push","state":"none","verdict":"refused","error":"bad signature"}]}`,
	"edge_patch_status":  `{"under_way":[{"id":"r1","number":3,"policy":"fleet","bundle":"20260415-build-42","state":"running","nodes":{"succeeded":9,"quarantined":1,"deferred":2},"total":12,"failures":1}],"last":null}`,
	"edge_rollouts_list": `{"rollouts":[{"id":"r1","number":3,"bundle":"20260415-build-42","state":"running","nodes":{"succeeded":9},"total":12,"failures":1}]}`,
	"edge_nodes_list":    `{"total":4,"nodes":[{"id":"n1","name":"edge-01","agent_state":"succeeded"},{"id":"n7","name":"edge-07","agent_state":"quarantined","last_exit":"2: integrity"},{"id":"n3","name":"edge-03","agent_state":"deferred"},{"id":"n11","name":"edge-11","agent_state":"deferred"}]}`,
	"ci_approval_list":   `{"items":[]}`,
}

func init() {
	portal["ci_builds_list web"] = `{"items":[{"id":43,"name":"43","status":"started","pipeline":{"name":"web"},"job":{"name":"test"},"created_at":"2026-04-17T11:58:00Z"},{"id":42,"name":"42","status":"failed","pipeline":{"name":"web"},"job":{"name":"test"},"created_at":"2026-04-17T07:50:00Z","ended_at":"2026-04-17T07:55:00Z"},{"id":41,"name":"41","status":"succeeded","pipeline":{"name":"web"},"job":{"name":"test"},"created_at":"2026-04-16T08:50:00Z","ended_at":"2026-04-16T09:00:00Z"}]}`
	portal["ci_builds_list api"] = `{"items":[{"id":17,"name":"17","status":"succeeded","pipeline":{"name":"api"},"job":{"name":"test"},"created_at":"2026-04-16T09:00:00Z","ended_at":"2026-04-16T09:00:00Z"}]}`
	portal["ci_builds_list nightly"] = `{"items":[{"id":88,"name":"88","status":"failed","pipeline":{"name":"nightly"},"job":{"name":"migrate"},"created_at":"2026-04-17T02:00:00Z","ended_at":"2026-04-17T02:01:00Z"}]}`
}

// TestQuestions asks what people ask, each in several phrasings.
func TestQuestions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct {
		ask      []string
		status   Status
		contains []string
		lacks    []string
		tools    []string
	}{
		{ask: []string{"How many open bugs do we have?", "number of open bugs", "count the open bugs please"}, contains: []string{"41", "acme/shop"}, lacks: []string{"42", "30"}, tools: []string{"github__search_issues"}},
		{ask: []string{"Show me the critical open bugs", "which critical bugs are open?", "list open critical bugs"}, contains: []string{"#1234", "#1290", "assigned to nobody"}, lacks: []string{"1302"}},
		{ask: []string{"What PRs were merged this week?", "show pull requests merged since monday", "which PRs have been merged this week"}, contains: []string{"#5650", "#5678", "#5691", "#5702", "13 Apr"}, lacks: []string{"5644", "5699"}},
		{ask: []string{"What's the latest release?", "newest release", "what is the most recent release?"}, contains: []string{"v1.4.2", "16 Apr", "https://github.com/acme/shop/releases/tag/v1.4.2"}},
		{ask: []string{"Are any critical bugs related to PRs merged this week?", "which critical bugs are linked to PRs merged this week", "critical bugs connected to pull requests merged this week"},
			contains: []string{"#1234", "#5678", "still open", "#1290", "#5691", "reopened", "#1302", "4 pull requests looked at"}},
		{ask: []string{"Show me PRs merged this week still linked to open bugs"}, contains: []string{"#5678", "#1234", "#5691", "#1290"}, lacks: []string{"5702"}},
		{ask: []string{"Who reviewed PR 5678?", "who has reviewed #5678", "reviews of PR 5678"}, contains: []string{"bob approved", "carol commented"}, lacks: []string{"carol approved"}},
		{ask: []string{"Which PRs are waiting for my review?", "what PRs need my review", "which pull requests should I review?"}, contains: []string{"No pull request", "ann at GitHub"}, lacks: []string{"5710"}},
		{ask: []string{"Which open PRs have no review yet?", "open PRs without review", "which open pull requests have not been reviewed?"}, contains: []string{"#5710", "Drafts", "#5712"}, lacks: []string{"5715", "5716"}},
		{ask: []string{"What PRs are pending?", "which PRs are open", "list open pull requests"}, contains: []string{"#5710", "#5712", "draft", "#5715", "ann approved", "#5716", "ann asked for changes"}},
		{ask: []string{"Which builds are failing right now?", "what builds are broken", "any failing pipelines?"}, contains: []string{"nightly / migrate #88", "web / test #42", "web / test #43"}, lacks: []string{"api"}},
		{ask: []string{"Why did the last web build fail?", "why is web failing in ci", "why did the web pipeline fail"}, contains: []string{"test", "expected 1000 got 999", "/builds/42"}, lacks: []string{"#43"}},
		{ask: []string{"Which PRs can be merged now?", "what PRs are ready to merge", "which pull requests are ready to be merged?"}, contains: []string{"**1 pull request** of acme/shop can be merged now.\n- [#5715", "#5710", "unit-tests failed"}},
		{ask: []string{"What changed between v1.4.1 and v1.4.2?", "changes between v1.4.1 and v1.4.2", "compare v1.4.1 with v1.4.2"}, contains: []string{"5644", "5650", "5678", "5691", "5702"}, lacks: []string{"5710"}},
		{ask: []string{"What new errors came in since the last release?", "new errors since the latest release", "any new exceptions since our last release?"}, contains: []string{"SHOP-7", "128 events", "54 users", "API-1"}, lacks: []string{"SHOP-3"}, tools: []string{"github__get_latest_release", "issues_issue_list"}},
		{ask: []string{"Any errors in payments in the last hour?", "errors of payments in the last hour", "show errors in payments within the last 60 minutes"}, contains: []string{"5,230", "98 %", "connection to &lt;\\*&gt; refused"}},
		{ask: []string{"Which edge agents are not patched?", "which nodes are unpatched", "edge nodes without the patch"}, contains: []string{"9 of 12 nodes", "edge-07", "integrity", "edge-03", "edge-11"}, lacks: []string{"edge-01", "all patched"}},
		{ask: []string{"Which rollouts are running?"}, contains: []string{"rollout #3", "9 of 12 nodes"}},
		{ask: []string{"Did any webhook deliveries fail today?", "which webhook deliveries failed today", "failed deliveries today"}, contains: []string{"3 failed", "d-501", "d-503", "1 refused", "bad signature"}},
		{ask: []string{"Any open bugs in acme/api?", "open bugs of acme/api", "show open bugs in acme/api"}, contains: []string{"#12", "#15", "acme/api"}},
		{ask: []string{"What's the latest release of acme/api?", "newest release in acme/api"}, contains: []string{"no release", "404"}, lacks: []string{"v1.4.2"}},
		{ask: []string{"Show bugs in acme/legacy", "how many bugs are in acme/legacy", "latest release of acme/legacy"}, status: Refused, contains: []string{"not on this team's list", "Assistant, Settings"}, tools: []string{}},
		{ask: []string{"Summarise issue 1320", "summary of issue 1320", "tell me about issue 1320"}, contains: []string{"#1320", "&lt;!channel&gt;", "orders"}, lacks: []string{"<!channel>", "deploy token", "5716"}, tools: []string{"github__issue_read"}},
		{ask: []string{"recent releases", "list releases"}, contains: []string{"v1.5.0-rc.1", "pre-release", "v1.4.2", "v1.4.1"}},
		{ask: []string{"Is PR 5710 good to merge?", "Did v1.4.2 break something?", "Who should I ask about the refund code?"}, status: Refused, contains: []string{"language model"}, tools: []string{}},
		{ask: []string{"Please merge 5715", "delete the repo"}, status: Refused, contains: []string{"change nothing"}, tools: []string{}},
		{ask: []string{"hello", "", "help"}, contains: []string{"For example"}, tools: []string{}},
		{ask: []string{"what's the weather", "critical bugs touching wombats"}, status: Refused, contains: []string{"did not understand"}, tools: []string{}},
		{ask: []string{"critical bugs about payment"}, contains: []string{"#1234"}, lacks: []string{"1290"}},
	} {
		if c.status == "" {
			c.status = Answered
		}
		for _, question := range c.ask {
			run, err := b.Ask(b.as(t.Context()), Question{Team: "main", Text: question, Zone: "Europe/London"})
			if err != nil {
				t.Fatal(err)
			}
			if run.Status != c.status || len(run.Answer.Unverified) > 0 {
				t.Errorf("%s: %s, unverified %v\n%s\nread as: %s", question, run.Status, run.Answer.Unverified, run.Answer.Text, run.Reading)
				continue
			}
			for _, want := range c.contains {
				if !strings.Contains(run.Answer.Text, want) {
					t.Errorf("%s: lacks %q\n%s\nread as: %s", question, want, run.Answer.Text, run.Reading)
				}
			}
			for _, not := range c.lacks {
				if strings.Contains(run.Answer.Text, not) {
					t.Errorf("%s: has %q\n%s", question, not, run.Answer.Text)
				}
			}
			var called []string
			for _, s := range run.Steps {
				if s.Failed && c.status == Answered && !strings.Contains(run.Answer.Text, "404") {
					t.Errorf("%s: %s failed: %s", question, s.Tool, s.Result)
				}
				called = append(called, s.Tool)
			}
			if c.tools != nil && !slices.Equal(called, c.tools) && !(len(c.tools) == 0 && called == nil) {
				t.Errorf("%s: called %v, want %v", question, called, c.tools)
			}
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
	b.hub.down.Store(true)
	run, err := b.Ask(b.as(t.Context()), Question{Team: "main", Text: "What PRs were merged this week?"})
	if err != nil || run.Status != Failed || !strings.Contains(run.Answer.Text, "GitHub could not be reached") || strings.Contains(run.Answer.Text, "No pull") || b.hub.calls.Load() > 3 {
		t.Errorf("%v %s %s, %d calls", err, run.Status, run.Answer.Text, b.hub.calls.Load())
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
