package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// scriptedPut is the JSON of a put whose type is an image.
func scriptedPut(id string, script ...string) string {
	return fmt.Sprintf(`{"id":%q,"put":{"name":"out","type":"custom","resource":"out","source":{},"params":{"script":[%s]},"image":{"base_type":"fake",
		"check_plan":{"id":"%s/image-check","check":{"name":"custom","type":"fake","resource_type":"custom","source":{},"image":{"base_type":"fake"}}},
		"get_plan":{"id":"%s/image-get","get":{"name":"custom","type":"fake","source":{},"image":{"base_type":"fake"},"version_from":"%s/image-check"}}}}}`,
		id, strings.Join(quoted(script), ","), id, id, id)
}

func quoted(script []string) []string {
	list := make([]string, len(script))
	for i, s := range script {
		list[i] = fmt.Sprintf("%q", s)
	}
	return list
}

// bigPlan has every kind of step; each has one side effect that must happen once.
func bigPlan() string {
	produce := `{"id":"1","task":{"name":"make","privileged":false,"hermetic":false,"config":{"platform":"linux","outputs":[{"name":"dir"}],"caches":[{"path":"cache"}],
		"run":{"path":"sh","args":["effect make","write dir/file value","write cache/x 1","print made it","print secret hunter2"]}}}}`
	load := `{"id":"2","load_var":{"name":"v","file":"dir/file"}}`
	across := `{"id":"6","across":{"vars":[{"name":"n","values":["a","b"],"max_in_flight":"all"}],
		"substep_template":"{\"id\":\"5\",\"task\":{\"name\":\"x\",\"privileged\":false,\"hermetic\":false,\"config\":{\"platform\":\"linux\",\"run\":{\"path\":\"sh\",\"args\":[\"effect across ((.:n)) ((.:v))\",\"print ((.:n))\"]}}}}"}}`
	failing := fmt.Sprintf(`{"id":"10","try":{"step":{"id":"9","on_failure":{"step":%s,"on_failure":%s}}}}`,
		task("7", "effect fails", "print no", "exit 1"), task("8", "effect hook", "print hook"))
	retry := fmt.Sprintf(`{"id":"13","retry":[%s,%s]}`, task("11", "effect attempt 1", "exit 1"), task("12", "effect attempt 2"))
	timeout := fmt.Sprintf(`{"id":"15","timeout":{"duration":"1h","step":%s}}`, task("14", "effect timed"))
	keep := `{"id":"16","artifact_output":{"name":"dir"}}`
	set := `{"id":"17","set_pipeline":{"name":"other","file":"dir/file"}}`
	ensure := fmt.Sprintf(`{"id":"30","ensure":{"step":%s,"ensure":%s}}`,
		do("29", getPlan("0", "repo", "abc"), produce, load, across, failing, retry, timeout, keep, set, scriptedPut("18", "print pushed")),
		task("19", "effect ensured", "print last"))
	return ensure
}

var bigEffects = map[string]int{
	"make": 1, "across a value": 1, "across b value": 1, "fails": 1, "hook": 1, "attempt 1": 1, "attempt 2": 1,
	"timed": 1, "out": 1, "ensured": 1,
}

func prepareBig(t *testing.T) *world {
	w := setup(t)
	w.native.versions = append(w.native.versions, map[string]string{"v": "1"})
	w.set = func(SetPipelineRequest) (SetPipelineResult, error) {
		return SetPipelineResult{Changed: true, Output: "done"}, nil
	}
	return w
}

// checkBig says what is wrong with a world in which the big plan has run.
func checkBig(w *world) error {
	w.executor.mu.Lock()
	effects := maps.Clone(w.executor.effects)
	w.executor.mu.Unlock()
	for name, want := range bigEffects {
		if effects[name] != want {
			return fmt.Errorf("%s happened %d times", name, effects[name])
		}
	}
	for origin, want := range map[string]string{
		"1": "made it\r\nsecret hunter2\r\n", "6/0/0": "a\r\n", "6/1/0": "b\r\n", "7": "no\r\n", "8": "hook\r\n",
		"18": "out output\npushed\n", "19": "last\r\n", "2": "var v fetched.\nadded var v to build.\n", "17": "done\n",
	} {
		if got := strings.ReplaceAll(w.log(origin), "\r\n", "\n"); got != strings.ReplaceAll(want, "\r\n", "\n") {
			return fmt.Errorf("the log of %s is %q", origin, got)
		}
	}
	seen := map[string]bool{}
	for _, line := range w.events() {
		if !strings.HasPrefix(line, "log ") {
			words := strings.Fields(line)
			key := strings.Join(words[:2], " ")
			if seen[key] {
				return fmt.Errorf("said twice: %s", line)
			}
			seen[key] = true
		}
	}
	return nil
}

func TestBigPlanRuns(t *testing.T) {
	t.Parallel()
	w := prepareBig(t)
	if got := w.run(bigPlan()); got != Succeeded {
		t.Fatalf("outcome is %s\n%s", got, strings.Join(w.events(), "\n"))
	}
	if err := checkBig(w); err != nil {
		t.Errorf("%v\n%s", err, strings.Join(w.events(), "\n"))
	}
}

// TestResume kills the server at every write of the ledger, before and after the write
// took effect, and lets another one go on: everything happens once and is said once.
func TestResume(t *testing.T) {
	t.Parallel()
	whole := prepareBig(t)
	whole.run(bigPlan())
	calls := whole.ledger.calls
	if calls < 50 {
		t.Fatalf("the plan has only %d ledger calls", calls)
	}
	for at := 1; at <= calls; at++ {
		for _, applied := range []bool{false, true} {
			t.Run(fmt.Sprintf("call %d applied %v", at, applied), func(t *testing.T) {
				t.Parallel()
				w := prepareBig(t)
				w.ledger.dieAt, w.ledger.applied = at, applied
				b := build(t, bigPlan())
				if _, err := w.engine().Run(t.Context(), b); !errors.Is(err, errCrash) {
					t.Fatalf("the killed run returned %v", err)
				}
				w.ledger.revive()
				if got := w.runBuild(b); got != Succeeded {
					t.Fatalf("outcome is %s\n%s", got, strings.Join(w.events(), "\n"))
				}
				if err := checkBig(w); err != nil {
					t.Errorf("%v\n%s", err, strings.Join(w.events(), "\n"))
				}
			})
		}
	}
}

// TestLostContainers kills the server while a step runs and loses its container.
func TestLostContainers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, plan string
		want       Outcome
		effect     string
		times      int
		message    string
	}{
		{"task", task("1", "effect e", "print begun", "block"), Errored, "e", 1, errLost.Error()},
		{"image put", scriptedPut("1", "effect e", "block"), Errored, "e", 1, errLost.Error()},
		{"native put", `{"id":"1","put":{"name":"p","type":"fake","source":{},"image":{"base_type":"fake"},"params":{"block":"x"}}}`, Errored, "put", 1, errLost.Error()},
		{"get", getPlan("1", "repo", "abc", `,"params":{"log":"fetching","block":"x"}`), Succeeded, "get", 2, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.native.versions = append(w.native.versions, map[string]string{"v": "1"})
			b := build(t, tc.plan)
			ctx, kill := context.WithCancelCause(t.Context())
			done := make(chan error, 1)
			go func() {
				_, err := w.engine().Run(ctx, b)
				done <- err
			}()
			until(t, "the step acts", func() bool { return w.executor.count(tc.effect) == 1 && w.ledger.row(1, "1").State != "" })
			if tc.name == "task" || tc.name == "image put" {
				until(t, "the row says so", func() bool { return w.ledger.row(1, "1").State == StateRunning })
			}
			kill(ErrDetached)
			if err := <-done; !errors.Is(err, ErrDetached) {
				t.Fatalf("detached run returned %v", err)
			}
			if row := w.ledger.row(1, "1"); row.State == StateEnded {
				t.Fatal("a detached step has an outcome")
			}
			w.executor.lose()
			if tc.name == "get" {
				unblock(w)
			}
			if got := w.runBuild(b); got != tc.want {
				t.Errorf("outcome is %s\n%s", got, strings.Join(w.events(), "\n"))
			}
			if got := w.executor.count(tc.effect); got != tc.times {
				t.Errorf("%s happened %d times", tc.effect, got)
			}
			if row := w.ledger.row(1, "1"); row.Message != tc.message {
				t.Errorf("message is %q", row.Message)
			}
		})
	}
}

// unblock lets the fake type's get return at once from now on.
func unblock(w *world) {
	w.native.mu.Lock()
	defer w.native.mu.Unlock()
	w.native.freed = true
}

// TestReattach detaches in the middle of output and goes on where the log stopped.
func TestReattach(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := build(t, task("1", "print one", "raw tw", "block", "raw o\r\n", "print three"))
	e := w.engine()
	done := make(chan error, 1)
	go func() {
		_, err := e.Run(t.Context(), b)
		done <- err
	}()
	until(t, "the first line", func() bool { return strings.Contains(w.log("1"), "one") })
	e.Detach()
	if err := <-done; !errors.Is(err, ErrDetached) {
		t.Fatalf("detached run returned %v", err)
	}
	if _, err := e.Run(t.Context(), b); !errors.Is(err, ErrDetached) {
		t.Errorf("a detached engine runs builds: %v", err)
	}
	close(w.executor.release)
	if got := w.runBuild(b); got != Succeeded {
		t.Errorf("outcome is %s", got)
	}
	if got := w.log("1"); got != "one\r\ntwo\r\nthree\r\n" {
		t.Errorf("log is %q", got)
	}
	if got := w.executor.scripts(); len(got) != 1 {
		t.Errorf("started %v", got)
	}
}

// TestAbortAfterRestart aborts a build whose container runs since before a restart.
func TestAbortAfterRestart(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := build(t, hook("on_abort", task("1", "block"), task("2", "effect hook", "block")))
	e := w.engine()
	done := make(chan error, 1)
	go func() {
		_, err := e.Run(t.Context(), b)
		done <- err
	}()
	until(t, "the task runs", func() bool { return w.ledger.row(1, "1").State == StateRunning })
	e.Detach()
	<-done

	// The next server is told of the abort, and stops while the hook runs.
	ctx, abort := context.WithCancelCause(t.Context())
	abort(ErrAborted)
	second := w.engine()
	go func() {
		_, err := second.Run(ctx, b)
		done <- err
	}()
	until(t, "the hook runs", func() bool { return w.ledger.row(1, "2").State == StateRunning })
	second.Detach()
	if err := <-done; !errors.Is(err, ErrDetached) {
		t.Fatalf("detached run returned %v", err)
	}
	close(w.executor.release)
	outcome, err := w.engine().Run(ctx, b)
	if err != nil || outcome != Aborted {
		t.Fatalf("outcome is %s, %v", outcome, err)
	}
	if w.executor.count("hook") != 1 {
		t.Errorf("the hook ran %d times", w.executor.count("hook"))
	}
	if got := w.log("1"); got != "stopped\r\n" {
		t.Errorf("log is %q", got)
	}
	if !slices.Contains(w.events(), `error 1 "interrupted"`) {
		t.Errorf("events %v", w.events())
	}
}
