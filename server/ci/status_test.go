package ci

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/github/payload"
)

func TestWhatGitHubIsTold(t *testing.T) {
	t.Parallel()
	w := setup(t)
	comments := make(chan PullComment, 16)
	w.ci.deps.PullComment = func(_ context.Context, c PullComment) error { comments <- c; return nil }
	w.ci.failingCases = func(_ context.Context, _ int64, _ int) ([]failingCase, error) {
		return []failingCase{{Name: "TestSum", Message: "3 is not 4", File: "pulls/sum_test.go", Line: 12}, {Name: "no file"}, {Name: "out", File: "../../etc/passwd", Line: 1}}, nil
	}
	w.set("web", strings.Replace(pulls, "{task: ok,", "{task: fail,", 1))
	w.pull("opened", pullOf(7, 1, ""))
	b := w.waitBuild("web", "review", "1", Failed)
	var last CommitStatus
	w.eventually("the end to be told", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		if n := len(w.statuses); n > 0 {
			last = w.statuses[n-1]
		}
		return last.State == "failure"
	})
	if last.ExternalID != externalID(b.ID) || last.Ended.IsZero() || last.Started.IsZero() || !strings.Contains(last.URL, "/builds/1#L") {
		t.Errorf("%+v", last)
	}
	for _, want := range []string{"**web/review**", "Step `fail` failed with exit status 3", "`TestSum`", "hello from review"} {
		if !strings.Contains(last.Summary, want) {
			t.Errorf("no %q in %s", want, last.Summary)
		}
	}
	if len(last.Annotations) != 1 || last.Annotations[0] != (Annotation{Path: "sum_test.go", Line: 12, Title: "TestSum", Message: "3 is not 4"}) {
		t.Errorf("%+v", last.Annotations)
	}
	select {
	case c := <-comments:
		if c.Number != 7 || c.Repository != "github.com/acme/web" || !strings.Contains(c.Body, "| review | failed | [#1](") || c.Key != "results/web" {
			t.Errorf("%+v", c)
		}
	case <-time.After(time.Minute):
		t.Error("there is no comment")
	}
}

func TestLinesThatPointSomewhere(t *testing.T) {
	t.Parallel()
	in := commitInput{Name: "repo", Resource: "code"}
	for line, want := range map[string]string{
		"main.go:12:3: undefined: x":    "main.go:12 undefined: x",
		"    sum_test.go:7: 3 is not 4": "sum_test.go:7 3 is not 4",
		"./repo/src/a.ts:1:2 error TS1": "src/a.ts:1 error TS1",
		"code/x.py:9: oops":             "x.py:9 oops",
		"\x1b[31ma.c:1:1: error: y":     "a.c:1 error: y",
		"/etc/passwd.txt:1: no":         "",
		"../up.go:1: no":                "",
		"2026-01-02T03:04:05 a clock":   "",
		"https://example.com:80 a page": "",
		"a.go:0: no line":               "",
		"a.go:12345678: too long":       "",
		"a.go:12:":                      "",
		"plain words":                   "",
	} {
		a := statusSummary{failure: &failure{LastLines: []string{line, line}}}
		got := ""
		for _, n := range a.annotations(in) {
			got += fmt.Sprintf("%s:%d %s", n.Path, n.Line, n.Message)
		}
		if got != want {
			t.Errorf("%q gives %q", line, got)
		}
	}
	quoted := statusSummary{failure: &failure{LastLines: []string{"````", "# not a title"}}}.markdown(CommitStatus{})
	if strings.Count(quoted, "````") != 2 {
		t.Errorf("a log ends its quote: %s", quoted)
	}
}

func TestGitHubsButtonRunsABuildAgainOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", pushed)
	if _, err := w.ci.ReceivePush(t.Context(), teamMain, pushOf(1, "docs/a")); err != nil {
		t.Fatal(err)
	}
	b := w.waitBuild("web", "unit", "1", Succeeded)
	w.waitBuild("web", "docs", "1", Succeeded)
	again := func(team int64, delivery string, r payload.Rerequest) Told {
		got, err := w.ci.ReceiveRerequest(t.Context(), team, delivery, webPlaces, r, "ada")
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	one := payload.Rerequest{ExternalID: externalID(b.ID), SHA: fmt.Sprintf(sha, 1)}
	for range 3 {
		if got := again(teamMain, "h d1", one); len(got.Effects) != 1 || got.Effects[0].Kind != "build" {
			t.Errorf("%+v", got)
		}
	}
	second := w.waitBuild("web", "unit", "1.1", Succeeded)
	if row := w.build(second.ID); row.CreatedBy != "ada on GitHub" || !strings.Contains(row.Cause, "Build #1 again, by ada on GitHub") {
		t.Errorf("%+v", row)
	}
	if got := again(teamMain, "h d2", payload.Rerequest{SHA: fmt.Sprintf(sha, 1)}); len(got.Effects) != 2 {
		t.Errorf("all of the commit: %+v", got)
	}
	w.waitBuild("web", "unit", "1.2", Succeeded)
	w.waitBuild("web", "docs", "1.1", Succeeded)
	for name, r := range map[string]payload.Rerequest{"somebody else's check": {ExternalID: "x", SHA: fmt.Sprintf(sha, 1)}, "a build that is gone": {ExternalID: "build:999"},
		"another commit": {SHA: fmt.Sprintf(sha, 9)}, "no commit": {SHA: "%"}} {
		if got := again(teamMain, name, r); len(got.Effects) != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := again(teamOther, "h d3", one); len(got.Effects) != 0 {
		t.Errorf("another team's hook: %+v", got)
	}
	if n := len(w.builds("web", "unit")); n != 3 {
		t.Errorf("%d builds", n)
	}
}

func TestPollingRestsWhileAHookIsAlive(t *testing.T) {
	t.Parallel()
	w := setup(t)
	alive := true
	w.ci.deps.HookAlive = func(_ context.Context, _ int64, place string) (bool, error) {
		return alive && place == "github.com/acme/web", nil
	}
	w.set("web", strings.ReplaceAll(pushed, "check_every: never", "check_every: 2m"))
	w.set("pulls", strings.ReplaceAll(pulls, "check_every: never", "check_every: 30m"))
	at := func(pipeline, name string) polling {
		r, err := w.ci.resource(t.Context(), w.resource(pipeline, name))
		if err != nil {
			t.Fatal(err)
		}
		p, err := w.ci.pollingOf(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := at("web", "repo"); p.by != checkedByPoll || !strings.Contains(p.reason, "has not sent push events") {
		t.Errorf("a hook that sends no pushes: %+v", p)
	}
	if _, err := w.ci.ReceivePush(t.Context(), teamMain, pushOf(1, "a")); err != nil {
		t.Fatal(err)
	}
	if p := at("web", "repo"); p.by != checkedByWebhook || p.every != 20*time.Minute || !strings.Contains(p.reason, "every 20 minutes") {
		t.Errorf("%+v", p)
	}
	if p := at("pulls", "pulls"); p.by != checkedByPoll {
		t.Errorf("pushes prove no pull requests: %+v", p)
	}
	w.pull("opened", pullOf(1, 1, ""))
	if p := at("pulls", "pulls"); p.by != checkedByWebhook || p.every != time.Hour {
		t.Errorf("%+v", p)
	}
	shown := must[resourceShape](w, 200, "GET", fmt.Sprintf("/api/v1/ci/resources/%d", w.resource("web", "repo")), "")
	if shown.CheckedBy != "webhook" || shown.CheckedReason == "" {
		t.Errorf("%+v", shown)
	}
	alive = false
	if p := at("web", "repo"); p.by != checkedByPoll || p.every != 2*time.Minute {
		t.Errorf("after it fell silent: %+v", p)
	}
	if p := at("pulls", "out"); p.by != checkedByPoll || p.reason != "It is polled every 30 minutes." {
		t.Errorf("%+v", p)
	}
}
