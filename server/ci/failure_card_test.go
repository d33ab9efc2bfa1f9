package ci

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestSteadyLines(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"":                                "",
		"plain words":                     "plain words",
		"\x1b[31;1mFAIL\x1b[0m  pkg 1.2s": "FAIL pkg #",
		"took 350 ms, 3 of 12 tests":      "took #, # of # tests",
		"2026-03-04T05:06:07.123Z boom":   "#-#-#T#Z boom",
		"commit 4f2a91c0de is bad":        "commit # is bad",
		"id 0f8fad5b-d9cb-469f-a165-70867728950e": "id #",
		"at 0xc000123abc":                         "at #",
		" 10%\r 50%\rbroken pipe\r":               "broken pipe",
		"defaced facade":                          "defaced facade",
		"\x1b]8;;http://x\x07link":                "link",
	} {
		if got := steady(line); got != want {
			t.Errorf("%q becomes %q, want %q", line, got, want)
		}
	}
}

func TestFingerprints(t *testing.T) {
	t.Parallel()
	base := failureCard{Step: "unit", StepKind: "task", Reason: "It exited with status 1.", Lines: []string{"ok 12 tests", "--- FAIL: TestSum (0.01s)", "sum_test.go:12: 3 is not 4", "exit"}}
	change := func(f func(*failureCard)) failureCard {
		c := base
		c.Lines = append([]string(nil), base.Lines...)
		f(&c)
		return c
	}
	for name, c := range map[string]struct {
		card failureCard
		same bool
	}{
		"itself":               {base, true},
		"another time":         {change(func(c *failureCard) { c.Lines[1] = "--- FAIL: TestSum (2.4s)" }), true},
		"in colour":            {change(func(c *failureCard) { c.Lines[1] = "\x1b[31m--- FAIL: TestSum (0.01s)\x1b[0m" }), true},
		"said twice":           {change(func(c *failureCard) { c.Lines = append(c.Lines, c.Lines[1]) }), true},
		"other harmless lines": {change(func(c *failureCard) { c.Lines[0] = "done with the rest" }), true},
		"another test":         {change(func(c *failureCard) { c.Lines[1] = "--- FAIL: TestProduct (0.01s)" }), false},
		"another step":         {change(func(c *failureCard) { c.Step = "lint" }), false},
		"another kind":         {change(func(c *failureCard) { c.StepKind = "get" }), false},
		"another reason":       {change(func(c *failureCard) { c.Reason = "no space left on device" }), false},
		"no words":             {change(func(c *failureCard) { c.Lines = nil }), false},
	} {
		if same := c.card.fingerprint() == base.fingerprint(); same != c.same {
			t.Errorf("%s: same is %v", name, same)
		}
	}
	if got := telling([]string{"a", "b", "", "c 1", "c 2", "d", "e", "f"}); !reflect.DeepEqual(got, []string{"c #", "c #", "d", "e", "f"}) {
		t.Errorf("%q", got)
	}
}

func TestReasons(t *testing.T) {
	t.Parallel()
	status := func(n int) *int { return &n }
	for want, c := range map[string]struct {
		message string
		exit    *int
	}{
		"image not found":               {"image not found", status(1)},
		"It failed without saying why.": {"", nil},
		"It exited with status 3.":      {"", status(3)},
		"The program was killed (exit status 137), most often because it used too much memory.": {"", status(137)},
	} {
		if got := reasonOf(c.message, c.exit); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestFailureCard follows a job through the same failure, another one, and a rerun that passes.
func TestFailureCard(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.remote.publish("repo", "a1")
	yaml := func(task string) string {
		return strings.Replace(strings.Replace(chain, "{get: repo, trigger: true}", "{get: repo}", 1), "task: t", "task: "+task, 1)
	}
	w.set("web", yaml("fail"))
	card := func(id int64) failureCard {
		t.Helper()
		return must[failureCard](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/failure", id), "")
	}
	trigger := func(number string, status Status) int64 {
		t.Helper()
		must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/web/jobs/unit/builds", "")
		return w.waitBuild("web", "unit", number, status).ID
	}
	first := trigger("1", Failed)
	three := 3
	want := failureCard{Step: "fail", StepKind: "task", Reason: "It exited with status 3.", ExitCode: &three, Lines: []string{"hello from unit"}, LogLine: 1}
	if got := card(first); !reflect.DeepEqual(got, want) {
		t.Errorf("the first: %+v", got)
	}
	second := trigger("2", Failed)
	want.SameFailure, want.FirstBad = sameFailure{1, 1}, &ref{first, "1"}
	if got := card(second); !reflect.DeepEqual(got, want) {
		t.Errorf("the second: %+v", got)
	}
	// It passes with the same version, as if it were fixed by luck.
	w.set("web", yaml("t"))
	passed := trigger("3", Succeeded)
	if a := w.call("GET", fmt.Sprintf("/api/v1/ci/builds/%d/failure", passed), ""); a.status != 404 || !strings.Contains(a.body, "Build #3 did not fail: it is succeeded.") {
		t.Errorf("%d %s", a.status, a.body)
	}
	want.Flaky = true
	if got := card(second); !reflect.DeepEqual(got, want) {
		t.Errorf("after it passed: %+v", got)
	}
	w.set("web", yaml("fail"))
	fourth := trigger("4", Failed)
	want.SameFailure, want.FirstBad = sameFailure{2, 3}, nil
	if got := card(fourth); !reflect.DeepEqual(got, want) {
		t.Errorf("a new row of failures: %+v", got)
	}
	// Another version is another story.
	w.remote.publish("repo", "a2")
	w.call("POST", fmt.Sprintf("/api/v1/ci/resources/%d/check", w.resource("web", "repo")), "")
	w.eventually("the new version", func() bool {
		return strings.Contains(w.call("GET", "/api/v1/teams/main/pipelines/web/resources/repo/versions", "").body, "a2")
	})
	fifth := trigger("5", Failed)
	want.SameFailure, want.FirstBad, want.Flaky = sameFailure{3, 4}, &ref{fourth, "4"}, false
	if got := card(fifth); !reflect.DeepEqual(got, want) {
		t.Errorf("another version: %+v", got)
	}
	for user, status := range map[string]int{"viewer": 200, "stranger": 404, "": 401} {
		if a := w.call("GET", fmt.Sprintf("/api/v1/ci/builds/%d/failure", fifth), "", as(user)); a.status != status {
			t.Errorf("%q: %d %s", user, a.status, a.body)
		}
	}
}
