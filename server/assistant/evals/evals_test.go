package evals

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/bots/llm"
)

func TestShippedCasesAreRead(t *testing.T) {
	t.Parallel()
	list, err := Shipped()
	if err != nil || len(list) < 40 {
		t.Fatalf("%d cases, %v", len(list), err)
	}
	for _, c := range list {
		if c.Planner == "" && len(c.Ask) < 3 && len(c.Then) == 0 {
			t.Errorf("%s has %d phrasings", c.Name, len(c.Ask))
		}
	}
}

// good is a run that searched, read what it found, and answered.
func good() Trace {
	t := Trace{Status: "answered", Steps: []Step{
		{Number: 1, Tool: "github__search_issues", Args: json.RawMessage(`{"query":"repo:acme/shop is:open"}`), Result: `{"total_count":41,"items":[{"number":1290}]}`},
		{Number: 2, Kind: "call", Tool: "github__issue_read", Args: json.RawMessage(`{"owner":"acme","repo":"shop","issue_number":1290}`), Result: `{"issue":{"number":1290}}`},
		{Number: 3, Kind: "guard", Tool: "ci_job_trigger", Args: json.RawMessage(`{}`), Result: "refused", Failed: true},
	}}
	t.Answer.Text = "**41** open bugs; #1290 is one."
	return t
}

func usual() Expect {
	return Expect{
		Called:   []Invocation{{Tool: "github__search_issues|other", Args: map[string]any{"query": "/IS:open/"}, Result: Fact{"41"}}, {Tool: "github__issue_read", Args: map[string]any{"issue_number": 1290}, Times: 1}},
		Contains: []Fact{{"41"}, {"nothing", "#1290"}}, Lacks: []Fact{{"42"}, {"4"}},
		Equal:    []Equal{{Answer: `\*\*([\d,]+)\*\*`, Tool: "github__search_issues", Field: "total_count"}},
		Order:    []Order{{First: "github__search_issues", Then: "github__issue_read", Carries: "issue_number"}},
		Boundary: &Boundary{Tools: []string{"github__search_issues", "github__issue_read"}, Repositories: []string{"Acme/Shop"}, Calls: 2},
	}
}

// TestCheck spoils a good run, or what is expected of it, once for each thing that a check finds.
func TestCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(e *Expect, r *Trace)
		want  string // "pattern: part of the text", "" for none
	}{
		{"nothing", func(*Expect, *Trace) {}, ""},
		{"another status", func(_ *Expect, r *Trace) { r.Status = "failed" }, "contract: the run is failed"},
		{"a call that is missing", func(_ *Expect, r *Trace) { r.Steps = r.Steps[:1] }, "invocation: github__issue_read was not called"},
		{"a call with other arguments", func(e *Expect, _ *Trace) { e.Called[1].Args["issue_number"] = 7 }, "invocation: github__issue_read was not called with"},
		{"a call without the argument", func(e *Expect, _ *Trace) { e.Called[1].Args["method"] = "get" }, "invocation: github__issue_read was not called with"},
		{"a call that failed", func(_ *Expect, r *Trace) { r.Steps[1].Failed = true }, "invocation: github__issue_read did not succeed"},
		{"another result", func(e *Expect, _ *Trace) { e.Called[0].Result = Fact{"42"} }, "invocation: github__search_issues|other did not succeed"},
		{"a call too often", func(_ *Expect, r *Trace) { r.Steps = append(r.Steps, r.Steps[1]) }, "invocation: github__issue_read succeeded 2 times"},
		{"calls where none should be", func(e *Expect, _ *Trace) { *e = Expect{Untouched: true} }, "invocation: github__search_issues was called"},
		{"a fact that is missing", func(e *Expect, _ *Trace) { e.Contains = append(e.Contains, Fact{"/wombat|platypus/"}) }, "contract: the answer lacks"},
		{"a part of a number", func(e *Expect, _ *Trace) { e.Contains = append(e.Contains, Fact{"129"}) }, "contract: the answer lacks 129"},
		{"a fact too many", func(e *Expect, _ *Trace) { e.Lacks = append(e.Lacks, Fact{"#1290"}) }, "contract: the answer has #1290"},
		{"another number than the result", func(_ *Expect, r *Trace) { r.Answer.Text = "**1,290** open bugs, 41; #1290" }, "contract: the answer says 1,290, and total_count"},
		{"no number", func(_ *Expect, r *Trace) { r.Answer.Text = "41 and #1290" }, "contract: the answer says no number"},
		{"the wrong way round", func(_ *Expect, r *Trace) { r.Steps[0].Number, r.Steps[1].Number = 2, 1 }, "order: github__issue_read does not come after"},
		{"data from nowhere", func(_ *Expect, r *Trace) { r.Steps[0].Result = `{"total_count":41}` }, "order: github__issue_read does not come after github__search_issues with its issue_number"},
		{"another tool", func(e *Expect, _ *Trace) { e.Boundary.Tools = e.Boundary.Tools[:1] }, "boundary: github__issue_read was called"},
		{"another repository", func(e *Expect, _ *Trace) { e.Boundary.Repositories = []string{"acme/api"} }, "boundary: github__search_issues read acme/shop"},
		{"too many calls", func(e *Expect, _ *Trace) { e.Boundary.Calls = 1 }, "boundary: 2 calls"},
		{"too many tokens", func(e *Expect, r *Trace) { e.Boundary.Tokens, r.TokensIn = 10, 11 }, "boundary: 11 tokens"},
		{"a failure that did not happen", func(e *Expect, r *Trace) {
			e.Failed, r.Answer.Text = []string{"github__issue_read"}, "**41**, #1290 could not be read"
		}, "honesty: github__issue_read should have failed"},
		{"a failure that is not told", func(e *Expect, r *Trace) {
			*e, r.Steps[1].Failed = Expect{Failed: []string{"github__issue_read"}}, true
		}, "honesty: the answer does not say"},
		{"none is made of a failure", func(e *Expect, r *Trace) {
			*e, r.Steps[1].Failed, r.Answer.Text = Expect{Failed: []string{"github__issue_read"}}, true, "It failed. No pull requests were merged."
		}, "honesty: the answer claims"},
		{"silence", func(e *Expect, r *Trace) { *e, r.Answer.Text = Expect{Called: e.Called}, "" }, "invariant: there is no final reply"},
		{"a call without a result", func(_ *Expect, r *Trace) { r.Steps[0].Result = ""; r.Steps = r.Steps[:1] }, "invariant: call 1 of github__search_issues has no result"},
		{"a secret in the answer", func(_ *Expect, r *Trace) { r.Answer.Text += " ghp_" + strings.Repeat("a", 36) }, "invariant: the answer shows a secret"},
		{"a secret in the trace", func(_ *Expect, r *Trace) { r.Steps[0].Result += "AKIA" + strings.Repeat("A", 16) }, "invariant: call 1 of github__search_issues shows a secret"},
		{"a ping", func(_ *Expect, r *Trace) { r.Answer.Text += " <!here>" }, "invariant: the answer pings"},
		{"a fact from nowhere", func(_ *Expect, r *Trace) { r.Answer.Unverified = []string{"#9"} }, "invariant: no tool has said #9"},
		{"a mark that is missing", func(e *Expect, _ *Trace) { e.Unverified = []string{"#9"} }, "invariant: #9 is not marked"},
	} {
		e, r := usual(), good()
		c.spoil(&e, &r)
		var found []string
		for _, f := range Check(e, r) {
			found = append(found, f.Pattern+": "+f.Text)
		}
		if c.want == "" && len(found) > 0 || c.want != "" && !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, c.want) }) {
			t.Errorf("%s: %q, want %q", c.name, found, c.want)
		}
	}
}

// TestCasesThatSayNothing refuses files that would pass for ever.
func TestCasesThatSayNothing(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`[{name: a, expect: {contains: [x]}}]`:                                       "asks nothing",
		`[{name: a, ask: [x], expect: {}}]`:                                          "could not fail",
		`[{name: a, ask: [x], expect: {contain: [x]}}]`:                              "contain",
		`[{name: a, ask: [x], expect: {untouched: true, called: [{tool: t}]}}]`:      "none at all",
		`[{name: a, ask: [x], planner: llm, expect: {untouched: true}}]`:             "plan or model",
		`[{name: a, ask: [x], faults: {t: fire}, expect: {untouched: true}}]`:        "none of error",
		`[{name: a, ask: [x], then: [{ask: []}], expect: {untouched: true}}]`:        "then 1",
		`[{name: a, ask: [x], expect: {untouched: true, contains: [{deep: down}]}}]`: "",
	} {
		if _, err := parse([]byte(text), "file.yaml"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	file := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(file, []byte(`[{name: a, ask: [x], planner: model, expect: {untouched: true}}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := Load(filepath.Dir(file))
	if err != nil || len(list) != 1 || list[0].Planner != "live" {
		t.Errorf("%+v %v", list, err)
	}
	if _, err := Load(file + ".missing"); err == nil {
		t.Error("a file that is missing was read")
	}
}

// TestPlayer shows a cassette what it does not expect.
func TestPlayer(t *testing.T) {
	t.Parallel()
	none := 0
	turn := Turn{Shown: Shown{System: []Fact{{"rules"}}, Tools: []string{"a"}, Withheld: []string{"b"}, Question: Fact{"why"}, Results: []Fact{{"42"}}, Errors: &none}, Says: Says{Calls: []Said{{Tool: "a"}}, In: 3}}
	request := func() llm.Request {
		return llm.Request{System: "the rules", Tools: []llm.Tool{{Name: "a"}}, Messages: []llm.Message{{Text: "why?"}, {Results: []llm.Result{{Text: "it is 42"}}}}}
	}
	for _, c := range []struct {
		name  string
		spoil func(r *llm.Request)
		want  string
	}{
		{"as expected", func(*llm.Request) {}, ""},
		{"a changed prompt", func(r *llm.Request) { r.System = "no" }, "the system prompt lacks rules"},
		{"a tool less", func(r *llm.Request) { r.Tools = nil }, "a is not offered"},
		{"a tool more", func(r *llm.Request) { r.Tools = append(r.Tools, llm.Tool{Name: "b"}) }, "b is offered"},
		{"another question", func(r *llm.Request) { r.Messages[0].Text = "how?" }, "the question lacks why"},
		{"another result", func(r *llm.Request) { r.Messages[1].Results[0].Text = "it is 420" }, "the results lack 42"},
		{"a result that failed", func(r *llm.Request) { r.Messages[1].Results[0].IsError = true }, "1 results are errors"},
	} {
		p, r := Play([]Turn{turn}), request()
		c.spoil(&r)
		reply, err := p.Turn(t.Context(), r)
		if c.want == "" {
			if err != nil || len(p.Wrong()) > 0 || reply.Stop != llm.Tools || string(reply.Calls[0].Args) != "{}" || reply.Usage.In != 3 {
				t.Errorf("%s: %+v %v %v", c.name, reply, err, p.Wrong())
			}
			if _, err := p.Turn(t.Context(), r); err == nil {
				t.Error("a turn that is not on the cassette was played")
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || len(p.Wrong()) != 1 {
			t.Errorf("%s: %v %v", c.name, err, p.Wrong())
		}
	}
	if wrong := Play([]Turn{turn}).Wrong(); len(wrong) != 1 || !strings.Contains(wrong[0].Text, "0 of 1 turns") {
		t.Errorf("%v", wrong)
	}
}

// TestRecorder records a played cassette, which then plays again.
func TestRecorder(t *testing.T) {
	t.Parallel()
	r := &Recorder{Model: Play([]Turn{{Says: Says{Calls: []Said{{Tool: "a", Args: map[string]any{"x": "y"}}}}}, {Says: Says{Text: "done"}}})}
	requests := []llm.Request{{Tools: []llm.Tool{{Name: "a"}}, Messages: []llm.Message{{Text: "?"}}}, {Messages: []llm.Message{{Results: []llm.Result{{IsError: true}}}}}}
	for _, q := range requests {
		if _, err := r.Turn(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := WriteCassette(r.Cassette())
	if err != nil {
		t.Fatal(err)
	}
	list, err := parse([]byte("- name: a\n  ask: [x]\n  planner: model\n  expect: {untouched: true}\n  "+strings.ReplaceAll(strings.TrimSpace(string(raw)), "\n", "\n  ")), "recorded.yaml")
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	again := Play(list[0].Cassette)
	for _, q := range requests {
		if _, err := again.Turn(t.Context(), q); err != nil {
			t.Errorf("%v\n%s", err, raw)
		}
	}
	if len(again.Wrong()) > 0 {
		t.Errorf("%v", again.Wrong())
	}
}

// TestRunAndReport runs cases, a live one among them, and writes the page.
func TestRunAndReport(t *testing.T) {
	t.Parallel()
	cases := []Case{
		{Name: "good", Ask: []string{"<b>how many</b>", "again"}, Expect: usual(), Then: []Case{{Ask: []string{"and then?"}, Expect: Expect{Contains: []Fact{{"nowhere"}}}}}},
		{Name: "live", Ask: []string{"x"}, Planner: "live", Expect: Expect{Contains: []Fact{{"41"}}}},
	}
	left := 0
	room := func(context.Context, Case, llm.Model) (Asker, func(), error) {
		return func(context.Context, Asked) (Trace, error) { return good(), nil }, func() { left++ }, nil
	}
	results, err := Run(t.Context(), cases, room, Options{Now: time.Now})
	if err != nil || len(results) != 2 || results[0].Passed() || !results[1].Passed() || len(results[0].Traces) != 2 || left != 2 {
		t.Fatalf("%+v %v, left %d", results, err, left)
	}
	page := string(Report(results, time.Now()))
	if !strings.Contains(page, "1 passed") || !strings.Contains(page, "the answer lacks nowhere") || strings.Contains(page, "<b>how") || !strings.Contains(page, "&#34;total_count&#34;: 41") {
		t.Error(page)
	}
	live, err := Run(t.Context(), cases, room, Options{Now: time.Now, Live: Play(nil), Runs: 3})
	if err != nil || len(live) != 5 {
		t.Errorf("%d results, %v", len(live), err)
	}
}
