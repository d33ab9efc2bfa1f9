package engine

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// kinds are the ways a step can end, as plans with the id 1.
var kinds = map[string]string{
	"ok":    task("1", "effect step"),
	"fail":  task("1", "effect step", "exit 1"),
	"error": errs("1"),
	"abort": task("1", "effect step", "block"),
}

func hook(kind, step, next string) string {
	return fmt.Sprintf(`{"id":"9","%s":{"step":%s,"%s":%s}}`, kind, step, kind, next)
}

// runAborting runs a plan; when its abort step blocks, the build is aborted.
func runAborting(t *testing.T, w *world, planJSON string) Outcome {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	w.executor.onStart = func(spec runtime.Spec) {
		if strings.Contains(strings.Join(spec.Args, " "), "block") {
			cancel(ErrAborted)
		}
	}
	outcome, err := w.engine().Run(ctx, build(t, planJSON))
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

func TestHooks(t *testing.T) {
	t.Parallel()
	ok, fail, broken := task("2", "effect hook"), task("2", "effect hook", "exit 3"), errs("2")
	for _, tc := range []struct {
		kind, step, next string
		want             Outcome
		hookRuns         bool
	}{
		{"on_success", "ok", ok, Succeeded, true},
		{"on_success", "ok", fail, Failed, true},
		{"on_success", "ok", broken, Errored, false},
		{"on_success", "fail", ok, Failed, false},
		{"on_success", "error", ok, Errored, false},
		{"on_success", "abort", ok, Aborted, false},
		{"on_failure", "ok", ok, Succeeded, false},
		{"on_failure", "fail", ok, Failed, true},
		{"on_failure", "fail", fail, Failed, true},
		{"on_failure", "fail", broken, Errored, false},
		{"on_failure", "error", ok, Errored, false},
		{"on_failure", "abort", ok, Aborted, false},
		{"on_error", "ok", ok, Succeeded, false},
		{"on_error", "fail", ok, Failed, false},
		{"on_error", "error", ok, Errored, true},
		{"on_error", "error", fail, Errored, true},
		{"on_error", "error", broken, Errored, false},
		{"on_error", "abort", ok, Aborted, false},
		{"on_abort", "ok", ok, Succeeded, false},
		{"on_abort", "fail", ok, Failed, false},
		{"on_abort", "error", ok, Errored, false},
		{"on_abort", "abort", ok, Aborted, true},
		{"on_abort", "abort", fail, Aborted, true},
		{"on_abort", "abort", broken, Aborted, false},
		{"ensure", "ok", ok, Succeeded, true},
		{"ensure", "ok", fail, Failed, true},
		{"ensure", "ok", broken, Errored, false},
		{"ensure", "fail", ok, Failed, true},
		{"ensure", "error", ok, Errored, true},
		{"ensure", "error", fail, Errored, true},
		{"ensure", "abort", ok, Aborted, true},
		{"ensure", "abort", fail, Aborted, true},
	} {
		name := tc.kind + " after " + tc.step
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			if got := runAborting(t, w, hook(tc.kind, kinds[tc.step], tc.next)); got != tc.want {
				t.Errorf("outcome is %s, want %s\n%s", got, tc.want, strings.Join(w.events(), "\n"))
			}
			if runs := w.executor.count("hook") == 1; runs != tc.hookRuns {
				t.Errorf("hook ran: %v", runs)
			}
		})
	}
}

func TestComposites(t *testing.T) {
	t.Parallel()
	try := func(step string) string { return fmt.Sprintf(`{"id":"9","try":{"step":%s}}`, step) }
	retry := func(steps ...string) string { return fmt.Sprintf(`{"id":"9","retry":[%s]}`, strings.Join(steps, ",")) }
	parallel := func(options string, steps ...string) string {
		return fmt.Sprintf(`{"id":"9","in_parallel":{"steps":[%s]%s}}`, strings.Join(steps, ","), options)
	}
	second := task("2", "effect second")
	for _, tc := range []struct {
		name, plan string
		want       Outcome
		second     int // how often the second step ran
	}{
		{"do ok", do("9", kinds["ok"], second), Succeeded, 1},
		{"do stops at a failure", do("9", kinds["fail"], second), Failed, 0},
		{"do stops at an error", do("9", kinds["error"], second), Errored, 0},
		{"do stops at an abort", do("9", kinds["abort"], second), Aborted, 0},
		{"empty do", `{"id":"9","do":[]}`, Succeeded, 0},
		{"try ok", try(kinds["ok"]), Succeeded, 0},
		{"try failed", try(kinds["fail"]), Succeeded, 0},
		{"try errored", try(kinds["error"]), Succeeded, 0},
		{"try aborted", try(kinds["abort"]), Aborted, 0},
		{"retry stops at ok", retry(kinds["ok"], second), Succeeded, 0},
		{"retry after failure", retry(kinds["fail"], second), Succeeded, 1},
		{"retry after error", retry(kinds["error"], second), Succeeded, 1},
		{"retry after abort", retry(kinds["abort"], second), Aborted, 0},
		{"last attempt failed", retry(kinds["error"], task("2", "effect second", "exit 1")), Failed, 1},
		{"last attempt errored", retry(kinds["fail"], errs("2")), Errored, 0},
		{"parallel ok", parallel("", kinds["ok"], second), Succeeded, 1},
		{"parallel with nothing", parallel(""), Succeeded, 0},
		{"parallel runs all", parallel(`,"limit":1`, kinds["fail"], second), Failed, 1},
		{"parallel error", parallel(`,"limit":1`, kinds["error"], second), Errored, 1},
		{"parallel fails fast", parallel(`,"limit":1,"fail_fast":true`, kinds["fail"], second), Failed, 0},
		{"parallel errors fast", parallel(`,"limit":1,"fail_fast":true`, kinds["error"], second), Errored, 0},
		{"parallel interrupts others", parallel(`,"fail_fast":true`, task("1", "exit 1"), task("2", "effect second", "block")), Failed, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			run := runAborting
			if tc.name == "parallel interrupts others" {
				run = func(t *testing.T, w *world, p string) Outcome { return w.run(p) }
			}
			if got := run(t, w, tc.plan); got != tc.want {
				t.Errorf("outcome is %s, want %s\n%s", got, tc.want, strings.Join(w.events(), "\n"))
			}
			// Whoever fails fast may do so before the other has started.
			if got := w.executor.count("second"); got != tc.second && tc.name != "parallel interrupts others" {
				t.Errorf("the second step ran %d times", got)
			}
		})
	}
}
