package assistant_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/bots/llm"
	"github.com/signalbox/signalbox/bots/slack/slacktest"
	"github.com/signalbox/signalbox/server/assistant"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/secrets"
	"github.com/signalbox/signalbox/server/platform/tools"
	"github.com/signalbox/signalbox/server/platform/work"
)

// parrot is a model that looks builds up, or a repository when one is named, and answers with the question.
type parrot struct{}

func (parrot) Turn(_ context.Context, r llm.Request) (llm.Reply, error) {
	last := r.Messages[len(r.Messages)-1]
	if len(last.Results) > 0 {
		question := r.Messages[0].Text
		text := "Here is what I found about **" + question + "**: [the page](https://box.example/teams/main/issues/7) and [elsewhere](https://evil.example/x)."
		if strings.Contains(question, "long") {
			text += strings.Repeat("\n- one more line", 40)
		}
		if strings.Contains(question, "pings") {
			text += "\n<!channel> <@U1> <https://evil.example|click>"
		}
		return llm.Reply{Text: text, Stop: llm.Done}, nil
	}
	call := llm.Call{ID: "1", Name: "ci_builds_list", Args: json.RawMessage(`{"team":"main"}`)}
	if strings.Contains(last.Text, "rerun") {
		call = llm.Call{ID: "1", Name: "ci_builds_rerun", Args: json.RawMessage(`{"team":"main","build":41}`)}
	}
	for _, word := range strings.Fields(last.Text) {
		if strings.Contains(word, "/") {
			call = llm.Call{ID: "1", Name: "github__search_issues", Args: json.RawMessage(`{"query":"repo:` + word + ` is:issue"}`)}
		}
	}
	return llm.Reply{Calls: []llm.Call{call}, Stop: llm.Tools}, nil
}

// hub is a GitHub with acme/open and acme/secret.
type hub struct{ client *github.Client }

func newHub(t testing.TB) hub {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasPrefix(r.URL.Path, "/search"):
			fmt.Fprint(w, `{"total_count":0,"items":[]}`)
		case strings.HasPrefix(r.URL.Path, "/repos/"):
			fmt.Fprintf(w, `{"private":%t,"full_name":"x"}`, strings.Contains(r.URL.Path, "secret"))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	c, err := github.NewClient(nil).WithEnterpriseURLs(server.URL, server.URL)
	if err != nil {
		t.Fatal(err)
	}
	c.BaseURL.Path = "/"
	return hub{c}
}

func (h hub) Repositories(context.Context, int64) ([]string, error) {
	return []string{"acme/open", "acme/secret"}, nil
}

func (h hub) ClientAt(context.Context, int64, string) (*github.Client, bool, error) {
	return h.client, true, nil
}

// desk is an assistant at work in a fake Slack.
type desk struct {
	*assistant.Slack
	t     testing.TB
	db    *database.DB
	slack *slacktest.Server
	http  *httptest.Server
	// called is done by the tool in the middle of a run.
	called atomic.Pointer[func(ctx context.Context)]
	now    atomic.Int64
	// reruns counts calls of the tool that changes something.
	reruns atomic.Int64
	root   context.Context
	stop   func()
	box    *secrets.Box
	hub    hub
	people map[int64]identity.Caller
}

const main = int64(1)

func newDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{t: t, db: databasetest.Open(t), slack: slacktest.New(), hub: newHub(t)}
	d.now.Store(time.Date(2026, 4, 17, 12, 0, 0, 0, time.UTC).UnixMilli())
	d.http = httptest.NewServer(d.slack)
	t.Cleanup(d.http.Close)
	d.slack.At(d.http.URL)
	for _, statement := range []string{"INSERT INTO accounts_teams (id, name, created_at) VALUES (1, 'main', 0) ON CONFLICT DO NOTHING", "INSERT INTO accounts_teams (id, name, created_at) VALUES (2, 'other', 0)",
		"INSERT INTO accounts_users (id, name, password_hash, created_at) VALUES (7, 'ann', '', 0)", "INSERT INTO accounts_users (id, name, password_hash, created_at) VALUES (8, 'root', '', 0)"} {
		d.exec(statement)
	}
	team, other := identity.Team{ID: main, Name: "main"}, identity.Team{ID: 2, Name: "other"}
	d.people = map[int64]identity.Caller{
		7: {UserID: 7, Name: "ann", Roles: map[int64]identity.Role{1: identity.Member}, Teams: map[string]identity.Team{"main": team}},
		8: {UserID: 8, Name: "root", Admin: true, SessionID: "s", Roles: map[int64]identity.Role{1: identity.Owner, 2: identity.Owner}, Teams: map[string]identity.Team{"main": team, "other": other}},
	}
	d.root = identity.With(t.Context(), d.people[8])
	box, _, err := secrets.OpenBox(t.TempDir() + "/key")
	if err != nil {
		t.Fatal(err)
	}
	d.box = box
	d.start()
	t.Cleanup(func() { d.stop() })
	return d
}

func (d *desk) exec(statement string, args ...any) {
	d.t.Helper()
	if err := d.db.Writer(context.Background()).Exec(statement, args...).Error; err != nil {
		d.t.Fatal(err)
	}
}

// clock runs with the real one, from where the test has set it.
func (d *desk) clock() func() time.Time {
	began := time.Now()
	return func() time.Time { return time.UnixMilli(d.now.Load()).Add(time.Since(began)) }
}

type listIn struct {
	Team string `json:"team"`
}

type rerunIn struct {
	Team  string `json:"team"`
	Build int    `json:"build"`
}

type listOut struct {
	Items []string `json:"items"`
}

// start begins a life of the server on the same data; end with stop.
func (d *desk) start() {
	d.t.Helper()
	registry := tools.NewRegistry()
	err := registry.Register(tools.New(tools.Spec{Name: "ci_builds_list", Title: "List builds", Description: "Builds.", Class: tools.ReadOnly, Level: identity.Read},
		func(ctx context.Context, _ listIn) (listOut, error) {
			if f := d.called.Load(); f != nil {
				(*f)(ctx)
			}
			return listOut{[]string{"web/unit #1 failed"}}, ctx.Err()
		}),
		tools.New(tools.Spec{Name: "ci_builds_rerun", Title: "Run a build again", Description: "Again.", Class: tools.Write, Level: identity.Write},
			func(context.Context, rerunIn) (listOut, error) { d.reruns.Add(1); return listOut{[]string{"#42"}}, nil }))
	if err != nil {
		d.t.Fatal(err)
	}
	var ids atomic.Int64
	clock := d.clock()
	life := strconv.FormatInt(time.Now().UnixNano(), 36)
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(d.t.Output(), nil))
	}
	service := assistant.New(assistant.Deps{DB: d.db, Tools: registry, GitHub: d.hub, Model: parrot{}, Planner: assistant.ByLLM, PublicURL: "https://box.example", Version: "test", Log: log,
		Things:  func(context.Context, identity.Team) ([]string, error) { return nil, nil },
		Audit:   func(context.Context, int64, string, string, string) error { return nil },
		Publish: func(context.Context, int64, string, string) error { return nil },
		ID:      func() string { return life + strconv.FormatInt(ids.Add(1), 10) }, Now: clock})
	jobs := work.NewJobs(d.db, "node", clock, log)
	d.Slack = assistant.NewSlack(service, assistant.SlackDeps{Box: d.box, Jobs: jobs, URL: d.slack.API(), HTTP: http.DefaultClient, Sockets: &http.Client{}, Node: "node",
		Caller: func(_ context.Context, user int64) (identity.Caller, error) {
			if c, ok := d.people[user]; ok {
				c.SessionID = ""
				return c, nil
			}
			return identity.Caller{}, problem.New(problem.Unauthorized, "Unknown.")
		}})
	ctx, kill := context.WithCancel(context.Background())
	loops := work.NewLoops(clock, log)
	if err := jobs.Start(ctx); err != nil {
		d.t.Fatal(err)
	}
	loops.Start(ctx, d.Slack.Loops()...)
	var once sync.Once
	d.stop = func() {
		once.Do(func() {
			kill()
			loops.Stop()
			patience, done := context.WithTimeout(context.Background(), time.Minute)
			defer done()
			if err := jobs.Stop(patience); err != nil {
				d.t.Error(err)
			}
		})
	}
}

// setUp enters the tokens, links Ann and gives a channel to team main.
func (d *desk) setUp(mode string) {
	d.t.Helper()
	if _, err := d.SetUp(d.root, assistant.SlackSetup{Mode: mode, BotToken: slacktest.BotToken, AppToken: slacktest.AppToken, SigningSecret: slacktest.Secret}); err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.SaveSettings(d.root, identity.Team{ID: main, Name: "main"}, assistant.Settings{Repositories: []string{"acme/open", "acme/secret"}, Writes: assistant.WritesConfirm}); err != nil {
		d.t.Fatal(err)
	}
	d.exec("INSERT INTO assistant_slack_people (workspace, slack_user, slack_name, user_id, team, linked_at) VALUES (?, 'U1', 'ann', 7, '', 0)", slacktest.Workspace)
	if _, err := d.MapChannel(d.root, identity.Team{ID: main, Name: "main"}, "C111", nil); err != nil {
		d.t.Fatal(err)
	}
	if mode == "socket" {
		d.await("a socket", func() bool { return d.slack.Open() > 0 })
	}
}

// await waits until Slack looks as wanted.
func (d *desk) await(what string, ok func() bool) {
	d.t.Helper()
	patience := time.After(time.Minute)
	for {
		changed := d.slack.Changed()
		if ok() {
			return
		}
		select {
		case <-changed:
		case <-time.After(100 * time.Millisecond): // what is awaited may not be Slack's
		case <-patience:
			d.t.Fatalf("%s did not come; Slack has %s", what, d.dump())
		}
	}
}

func (d *desk) dump() string {
	var b strings.Builder
	for _, m := range d.slack.Messages("") {
		fmt.Fprintf(&b, "\n%s %s in %s below %s by %s, stream %t, edits %d, only for %q: %q %v", m.Channel, m.TS, m.Channel, m.Thread, m.User, m.Stream, m.Edits, m.OnlyFor, m.Said(), m.Tasks)
	}
	return b.String()
}

// answers are what the bot has said to everybody in a thread and is done with.
func (d *desk) answers(channel, thread string) []slacktest.Message {
	var out []slacktest.Message
	for _, m := range d.slack.Thread(channel, thread) {
		if m.FromBot() && m.TS != thread && m.OnlyFor == "" && !m.Stream && m.Text != "" && !strings.HasPrefix(m.Said(), "…") && !strings.HasPrefix(m.Said(), "✓") {
			out = append(out, m)
		}
	}
	return out
}

// answered waits for an answer in a thread.
func (d *desk) answered(channel, thread string, n int) slacktest.Message {
	d.t.Helper()
	d.await("answer "+strconv.Itoa(n), func() bool { return len(d.answers(channel, thread)) >= n })
	return d.answers(channel, thread)[n-1]
}

// quiet waits until nothing is left to do.
func (d *desk) quiet() {
	d.t.Helper()
	d.await("quiet", func() bool {
		var n int64
		err := d.db.Reader(context.Background()).Raw("SELECT COUNT(*) FROM work_jobs WHERE state <> 'dead'").Scan(&n).Error
		return err == nil && n == 0 && d.slack.Settled()
	})
}

var (
	mainTeam  = identity.Team{ID: main, Name: "main"}
	otherTeam = identity.Team{ID: 2, Name: "other"}
)

// stopAt lets the tool do something in the middle of a run.
func (d *desk) stopAt(f func(ctx context.Context)) { d.called.Store(&f) }
