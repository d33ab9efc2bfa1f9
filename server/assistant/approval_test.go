package assistant

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signalbox/signalbox/bots/llm"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// workshop has tools that change something, and tells what was done as whom.
type workshop struct {
	*bundle
	mu     sync.Mutex
	done   []string
	status atomic.Value // of the build
	clock  atomic.Int64
	audits []string
}

func (w *workshop) did() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.done)
}

func newWorkshop(t testing.TB) *workshop {
	t.Helper()
	w := &workshop{bundle: setup(t)}
	w.status.Store("failed")
	w.clock.Store(time.Date(2026, 4, 17, 12, 0, 0, 0, time.UTC).UnixMilli())
	w.Now = func() time.Time { return time.UnixMilli(w.clock.Load()).UTC() }
	w.Audit = func(_ context.Context, _ int64, action, object, detail string) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.audits = append(w.audits, action+" "+object+" "+detail)
		return nil
	}
	w.Node = "node-1"
	w.Tools = tools.NewRegistry()
	read := func(name string, answer func() string) tools.Tool {
		t := portalTool(name, "")
		t.Run = func(context.Context, json.RawMessage) (any, error) { return json.RawMessage(answer()), nil }
		return t
	}
	change := func(name string, class tools.Class) tools.Tool {
		t := portalTool(name, "")
		t.Class, t.Scope.Level, t.Title, t.Description = class, identity.Operate, "Do "+name, "Does it."
		t.Run = func(ctx context.Context, in json.RawMessage) (any, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.done = append(w.done, identity.From(ctx).Name+" "+name+" "+string(in))
			return json.RawMessage(`{"id":99,"token":"ghp_abcdefghijklmnopqrstuvwxyz0123456789"}`), nil
		}
		return t
	}
	err := w.Tools.Register(
		read("ci_builds_list", func() string {
			return `{"items":[{"id":420,"name":"12","status":"failed"},{"id":419,"name":"11"}]}`
		}),
		read("ci_build_get", func() string {
			return `{"id":420,"name":"12","status":"` + w.status.Load().(string) + `","pipeline":{"name":"web"},"job":{"name":"unit"},"created_by":"zoe","cause":"x"}`
		}),
		read("ci_delivery_list", func() string {
			return `{"deliveries":[{"id":"d-501","event":"push","repository":"acme/shop","verdict":"accepted"}]}`
		}),
		read("issues_issue_get", func() string {
			return `{"issue":{"id":7,"short_id":"SHOP-7","title":"TypeError","status":"unresolved"}}`
		}),
		read("edge_rollout_get", func() string {
			return `{"id":"r1","number":3,"policy":"fleet","bundle":"b42","state":"running"}`
		}),
		read("ci_approval_list", func() string {
			return `{"items":[{"id":"a1","name":"release","state":"waiting","build":{"name":"4","id":9},"pipeline":{"name":"web"},"job":{"name":"deploy"}}]}`
		}),
		read("ci_pipelines_list", func() string { return `{"pipelines":[{"name":"web","paused":false}]}` }),
		change("ci_build_rerun", tools.Write), change("ci_build_abort", tools.Destructive), change("ci_webhook_redeliver", tools.Write), change("issues_issue_resolve", tools.Write),
		change("edge_rollout_pause", tools.Write), change("edge_rollout_start", tools.Write), change("ci_approval_approve", tools.Destructive), change("ci_pipeline_pause", tools.Write),
	)
	if err != nil {
		t.Fatal(err)
	}
	w.set(t, Settings{Writes: WritesConfirm})
	return w
}

func (w *workshop) set(t testing.TB, in Settings) {
	t.Helper()
	in.Repositories, in.DefaultRepository = []string{"acme/shop", "acme/api"}, "acme/shop"
	if _, err := w.SaveSettings(w.as(t.Context()), w.team, in); err != nil {
		t.Fatal(err)
	}
}

// person is somebody else of the team.
func (w *workshop) person(ctx context.Context, id int64, name string, role identity.Role) context.Context {
	return identity.With(ctx, identity.Caller{UserID: id, Name: name, SessionID: "s", Roles: map[int64]identity.Role{1: role}, Teams: w.caller.Teams})
}

func (w *workshop) order(t testing.TB, text string) Approval {
	t.Helper()
	run, err := w.Ask(w.as(t.Context()), Question{Team: "main", Text: text, Surface: "web"})
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Approvals) != 1 {
		t.Fatalf("%s: %d approvals, %s %s", text, len(run.Approvals), run.Status, run.Answer.Text)
	}
	return run.Approvals[0]
}

// TestOrders proposes what people order, and only that.
func TestOrders(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	for _, c := range []struct{ say, tool, args, target string }{
		{"rerun build 12 of web/unit", "ci_build_rerun", `{"build":420}`, "build #12 of web / unit"},
		{"Please rerun the last failed build of web/unit.", "ci_build_rerun", `{"build":420}`, "build #12 of web / unit"},
		{"could you re-run web/unit #11 please", "ci_build_rerun", `{"build":419}`, "build #12 of web / unit"},
		{"abort build 12 of web/unit!", "ci_build_abort", `{"build":420}`, "build #12"},
		{"resolve issue shop-7", "issues_issue_resolve", `{"issue":"SHOP-7","team":"main"}`, "SHOP-7: TypeError"},
		{"resolve SHOP-7 in the next release", "issues_issue_resolve", `{"issue":"SHOP-7","kind":"in_next_release","team":"main"}`, "SHOP-7"},
		{"redeliver d-501", "ci_webhook_redeliver", `{"delivery":"d-501"}`, "delivery d-501 (push acme/shop)"},
		{"approve gate release of web/deploy", "ci_approval_approve", `{"approval":"a1"}`, "approval release of build #4 of web / deploy"},
		{"pause rollout 3 because nodes fail", "edge_rollout_pause", `{"number":3,"reason":"nodes fail","team":"main"}`, "rollout #3 of b42 by policy fleet"},
		{"start rollout fleet because of CVE-2026-1", "edge_rollout_start", `{"policy":"fleet","reason":"CVE-2026-1","team":"main"}`, "policy fleet"},
		{"pause pipeline web", "ci_pipeline_pause", `{"pipeline":"web","team":"main"}`, "pipeline web"},
	} {
		a := w.order(t, c.say)
		if a.Tool != c.tool || string(a.Args) != c.args || !strings.Contains(a.Target, c.target) || a.State != ApprovalPending || a.Proposer != "ann" || a.SHA256 == "" || len(a.Words) == 0 {
			t.Errorf("%s: %+v", c.say, a)
		}
	}
	// A dry run is how a rollout is looked at before it is proposed; it changes nothing.
	if did := w.did(); len(did) != 1 || !strings.Contains(did[0], `"dry_run":true`) {
		t.Errorf("done without approval: %v", did)
	}
	for say, contains := range map[string]string{
		"pause rollout 3":                          "Say why",
		"rerun build 13 of web/unit":               "no build 13",
		"approve gate nothing":                     "No build waits",
		"rerun build 12 of web/unit and merge 5":   "did not understand all of that order",
		"delete everything":                        "did not understand all of that order",
		"rerun build 12 of web/unit; abort it too": "did not understand all of that order",
	} {
		run, err := w.Ask(w.as(t.Context()), Question{Team: "main", Text: say})
		if err != nil || len(run.Approvals) != 0 || !strings.Contains(run.Answer.Text, contains) {
			t.Errorf("%s: %v %s, %d approvals", say, err, run.Answer.Text, len(run.Approvals))
		}
	}
	run, err := w.Ask(w.person(t.Context(), 9, "vic", identity.Viewer), Question{Team: "main", Text: "rerun build 12 of web/unit"})
	if err != nil || len(run.Approvals) != 0 || run.Status != Failed {
		t.Errorf("a viewer's order: %v %+v", err, run)
	}
	w.set(t, Settings{})
	run, err = w.Ask(w.as(t.Context()), Question{Team: "main", Text: "rerun build 12 of web/unit"})
	if err != nil || len(run.Approvals) != 0 || !strings.Contains(run.Answer.Text, "change nothing here") {
		t.Errorf("off: %v %s", err, run.Answer.Text)
	}
}

// TestApprove runs what was proposed once, as who approved it, with what was stored.
func TestApprove(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	var heard []ApprovalState
	w.OnApproval = func(_ context.Context, _ int64, a Approval) {
		w.mu.Lock()
		defer w.mu.Unlock()
		heard = append(heard, a.State)
	}
	a := w.order(t, "rerun build 12 of web/unit")
	if again := w.order(t, "please rerun build 12 of web/unit"); again.ID != a.ID {
		t.Error("the same order waits twice")
	}
	bob := w.person(t.Context(), 8, "bob", identity.Operator)
	done, err := w.Approve(bob, a.ID)
	if err != nil || done.State != ApprovalDone || done.DecidedBy != "bob" || strings.Contains(done.Outcome, "ghp_") || !strings.Contains(done.Outcome, "[secret:github:6789]") {
		t.Fatalf("%+v %v", done, err)
	}
	if did := w.did(); !slices.Equal(did, []string{`bob ci_build_rerun {"build":420}`}) {
		t.Errorf("%v", did)
	}
	for _, again := range []func() (Approval, error){func() (Approval, error) { return w.Approve(bob, a.ID) }, func() (Approval, error) { return w.Deny(bob, a.ID, "") }} {
		if _, err := again(); !problem.Is(err, problem.Conflict) || !strings.Contains(err.Error(), "bob has approved it already") {
			t.Errorf("again: %v", err)
		}
	}
	if !slices.Equal(heard, []ApprovalState{ApprovalPending, ApprovalApproved, ApprovalRunning, ApprovalDone}) {
		t.Errorf("heard %v", heard)
	}
	log := strings.Join(w.audits, "\n")
	for _, want := range []string{"assistant.approval.propose", "assistant.approval.approved " + a.ID + ` ci_build_rerun {"build":420}`, "assistant.approval.done"} {
		if !strings.Contains(log, want) {
			t.Errorf("the audit log lacks %q:\n%s", want, log)
		}
	}
	list, err := w.Approvals(bob, w.team, false)
	if err != nil || len(list) != 1 || list[0].Run == "" {
		t.Errorf("%+v %v", list, err)
	}
}

// TestApproveAtOnce lets ten people press the button at the same time.
func TestApproveAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	a := w.order(t, "rerun build 12 of web/unit")
	var wait sync.WaitGroup
	var won atomic.Int64
	for n := range 10 {
		wait.Go(func() {
			act := w.Approve
			if n%3 == 0 {
				act = func(ctx context.Context, id string) (Approval, error) { return w.Deny(ctx, id, "no") }
			}
			if _, err := act(w.person(t.Context(), int64(20+n), "p", identity.Member), a.ID); err == nil {
				won.Add(1)
			} else if !problem.Is(err, problem.Conflict) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if won.Load() != 1 || len(w.did()) > 1 {
		t.Errorf("%d won, done %v", won.Load(), w.did())
	}
}

// TestNothingRuns walks what must leave nothing done.
func TestNothingRuns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		before   func(t *testing.T, w *workshop, a Approval)
		who      func(w *workshop, ctx context.Context) context.Context
		order    string
		contains string
	}{
		{name: "expired", before: func(_ *testing.T, w *workshop, _ Approval) { w.clock.Add((15 * time.Minute).Milliseconds()) }, contains: "expired"},
		{name: "expired and tidied", before: func(t *testing.T, w *workshop, _ Approval) {
			w.clock.Add((16 * time.Minute).Milliseconds())
			if err := w.tidyApprovals(t.Context()); err != nil {
				t.Fatal(err)
			}
		}, contains: "expired"},
		{name: "denied", before: func(t *testing.T, w *workshop, a Approval) {
			if d, err := w.Deny(w.person(t.Context(), 8, "bob", identity.Member), a.ID, "not now"); err != nil || d.State != ApprovalDenied || d.Reason != "not now" {
				t.Fatal(d, err)
			}
		}, contains: "bob has denied it"},
		{name: "a viewer", who: func(w *workshop, ctx context.Context) context.Context {
			return w.person(ctx, 9, "vic", identity.Viewer)
		}, contains: "needs ci:operate"},
		{name: "a token", who: func(w *workshop, ctx context.Context) context.Context {
			c := w.caller
			c.TokenID = "t1"
			return identity.With(ctx, c)
		}, contains: "a token may not"},
		{name: "a stranger", who: func(_ *workshop, ctx context.Context) context.Context {
			return identity.With(ctx, identity.Caller{UserID: 99, Name: "eve", Roles: map[int64]identity.Role{2: identity.Owner}, Teams: map[string]identity.Team{"other": {ID: 2, Name: "other"}}})
		}, contains: "no such approval"},
		{name: "the build has changed", before: func(_ *testing.T, w *workshop, _ Approval) { w.status.Store("succeeded") }, contains: "was failed when this was proposed and is succeeded now"},
		{name: "writing was turned off", before: func(t *testing.T, w *workshop, _ Approval) { w.set(t, Settings{Writes: WritesOff}) }, contains: "turned off"},
		{name: "four eyes", order: "abort build 12 of web/unit", before: func(t *testing.T, w *workshop, _ Approval) {
			w.set(t, Settings{Writes: WritesConfirm, FourEyes: true})
		}, contains: "somebody else"},
		{name: "stored arguments were changed", before: func(t *testing.T, w *workshop, a Approval) {
			if err := w.DB.Writer(t.Context()).Exec(`UPDATE assistant_approvals SET args = '{"build":1}' WHERE id = ?`, a.ID).Error; err != nil {
				t.Fatal(err)
			}
		}, contains: "not what was proposed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorkshop(t)
			if c.order == "" {
				c.order = "rerun build 12 of web/unit"
			}
			a := w.order(t, c.order)
			if c.before != nil {
				c.before(t, w, a)
			}
			ctx := w.as(t.Context())
			if c.who != nil {
				ctx = c.who(w, t.Context())
			}
			if _, err := w.Approve(ctx, a.ID); err == nil || !strings.Contains(err.Error(), c.contains) {
				t.Errorf("%v", err)
			}
			if did := w.did(); len(did) != 0 {
				t.Errorf("done: %v", did)
			}
		})
	}
}

// TestFourEyes lets somebody else approve what loses something, and anybody what does not.
func TestFourEyes(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	w.set(t, Settings{Writes: WritesConfirm, FourEyes: true})
	rerun, abort := w.order(t, "rerun build 12 of web/unit"), w.order(t, "abort build 12 of web/unit")
	if _, err := w.Approve(w.as(t.Context()), rerun.ID); err != nil {
		t.Error(err)
	}
	if shown, err := w.Approval(w.as(t.Context()), abort.ID); err != nil || shown.Refusal == "" {
		t.Errorf("%+v %v", shown, err)
	}
	if _, err := w.Approve(w.person(t.Context(), 8, "bob", identity.Operator), abort.ID); err != nil {
		t.Error(err)
	}
	if len(w.did()) != 2 {
		t.Errorf("%v", w.did())
	}
}

// TestWritesOfClients holds MCP clients to the team's policy.
func TestWritesOfClients(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	client := w.caller
	client.TokenID, client.Scopes = "t1", identity.TokenScopes{"ci:write", "assistant:read"}
	ctx := identity.With(t.Context(), client)
	out, err := w.callOutside(ctx, "ci_build_rerun", json.RawMessage(`{"build": 420}`))
	if err != nil || !strings.Contains(string(out), "waiting for approval, id ") || len(w.did()) != 0 {
		t.Fatalf("%s %v %v", out, err, w.did())
	}
	list, err := w.Approvals(w.as(t.Context()), w.team, true)
	if err != nil || len(list) != 1 || list[0].Surface != "mcp" {
		t.Fatalf("%+v %v", list, err)
	}
	if _, err := w.Approve(ctx, list[0].ID); err == nil {
		t.Error("the client approves its own call")
	}
	if _, err := w.Approve(w.as(t.Context()), list[0].ID); err != nil || len(w.did()) != 1 {
		t.Error(err, w.did())
	}
	if out, err := w.callOutside(ctx, "ci_build_get", json.RawMessage(`{"build":420}`)); err != nil || !strings.Contains(string(out), "web") {
		t.Error("reading waits as well:", err)
	}
	client.Scopes = identity.TokenScopes{"read"}
	if _, err := w.callOutside(identity.With(t.Context(), client), "ci_build_rerun", json.RawMessage(`{"build":420}`)); !problem.Is(err, problem.NotFound) {
		t.Error("a reading token proposes:", err)
	}
	w.set(t, Settings{})
	if _, err := w.callOutside(ctx, "ci_build_rerun", json.RawMessage(`{"build":420}`)); !problem.Is(err, problem.Forbidden) {
		t.Error("off:", err)
	}
}

// TestModelProposes lets a model propose when the asker wants it, and tells what waits by code.
func TestModelProposes(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	w.Model, w.Planner = &script{turns: []llm.Reply{wants(call("1", "ci_builds_list", `{"team":"main"}`)), wants(call("2", "ci_build_rerun", `{"build":420}`)), says("I have done it.")}}, ByLLM
	run, err := w.Ask(w.as(t.Context()), Question{Team: "main", Text: "kindly give the newest one of web another go"})
	if err != nil || len(run.Approvals) != 1 || !strings.Contains(run.Answer.Text, "Waiting for approval: [Do ci\\_build\\_rerun: build #12 of web / unit](https://box.example/teams/main/assistant/approvals/") || len(w.did()) != 0 {
		t.Fatalf("%v %+v", err, run)
	}
	if last := run.Steps[len(run.Steps)-1]; last.Kind != ApprovalStep || !strings.Contains(last.Result, "Nothing has been done") {
		t.Errorf("%+v", last)
	}
}

// TestKilled kills a server while an approved call runs: it is never run again.
func TestApprovalsAreKeptAsLongAsTheAuditLog(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	old := w.order(t, "rerun build 12 of web/unit")
	if _, err := w.Deny(w.as(t.Context()), old.ID, "not now"); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		days int64
		kept bool
	}{{399, true}, {2, false}} {
		w.clock.Add(step.days * 24 * time.Hour.Milliseconds())
		if err := w.tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Approval(w.as(t.Context()), old.ID); (err == nil) != step.kept {
			t.Errorf("after %d more days: %v", step.days, err)
		}
	}
}

func TestKilled(t *testing.T) {
	t.Parallel()
	address, marks := databasetest.URL(t), filepath.Join(t.TempDir(), "marks")
	child := exec.Command(os.Args[0], "-test.run", "^$")
	child.Env = append(os.Environ(), "ASSISTANT_KILLED="+address, "ASSISTANT_MARKS="+marks)
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		if raw, err := os.ReadFile(marks); err == nil && len(raw) > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the call never began")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err == nil {
		t.Error("the child ended by itself")
	}
	s, id, ctx := killable(t.Context(), address, marks)
	defer s.DB.Close()
	if before, err := s.Approval(ctx, id); err != nil || before.State != ApprovalRunning {
		t.Fatalf("%+v %v", before, err)
	}
	if err := s.tidyApprovals(ctx); err != nil {
		t.Fatal(err)
	}
	after, err := s.Approval(ctx, id)
	if err != nil || after.State != ApprovalFailed || !strings.Contains(after.Outcome, "Interrupted") {
		t.Errorf("%+v %v", after, err)
	}
	if _, err := s.Approve(ctx, id); !problem.Is(err, problem.Conflict) {
		t.Errorf("approved again: %v", err)
	}
	if raw, err := os.ReadFile(marks); err != nil || string(raw) != "ran\n" {
		t.Errorf("%q %v", raw, err)
	}
}
