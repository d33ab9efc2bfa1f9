package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/resource"
)

// gateType is a type whose put waits for a person, by the name in its params.
type gateType struct {
	mu       sync.Mutex
	answered map[string]bool
	asked    []string
}

func (g *gateType) ResumesPut() bool { return true }

func (g *gateType) Check(context.Context, resource.Request) ([]resource.Version, error) {
	return nil, nil
}

func (g *gateType) Get(context.Context, resource.Request) (resource.Result, error) {
	return resource.Result{}, errors.New("gates are not fetched")
}

func (g *gateType) Put(ctx context.Context, req resource.Request) (resource.Result, error) {
	name, _ := req.Params["name"].(string)
	leave := func() {}
	defer func() { leave() }()
	for first := true; ; first = false {
		g.mu.Lock()
		answered := g.answered[name]
		g.asked = append(g.asked, name)
		g.mu.Unlock()
		if answered {
			return resource.Result{Version: resource.Version{"gate": name}}, nil
		}
		if first {
			leave = resource.Waiting(ctx, time.Now().Add(time.Hour))
		}
		select {
		case <-ctx.Done():
			return resource.Result{}, ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (g *gateType) answer(names ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, name := range names {
		g.answered[name] = true
	}
}

func gate(id, name string) string {
	return fmt.Sprintf(`{"id":%q,"put":{"name":%q,"resource":%q,"type":"gate","source":{},"params":{"name":%q}}}`, id, name, name, name)
}

func side(limit int, steps ...string) string {
	return fmt.Sprintf(`{"id":"par","in_parallel":{"limit":%d,"steps":[%s]}}`, limit, strings.Join(steps, ","))
}

// parked runs a build and expects that it is parked.
func (w *world) parked(b Build) *Parked {
	w.t.Helper()
	outcome, err := w.engine().Run(w.t.Context(), b)
	var parked *Parked
	if !errors.As(err, &parked) || !errors.Is(err, ErrParked) || errors.Is(err, ErrDetached) || outcome != "" {
		w.t.Fatalf("outcome %s, %v", outcome, err)
	}
	return parked
}

func TestParking(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, plan string
		// effects are there when the build is parked, and after all gates have opened.
		effects, after string
	}{
		{"alone", gate("1", "a"), "", ""},
		{"between tasks", do("d", task("1", "effect x"), gate("2", "a"), task("3", "effect y")), "x", "x y"},
		{"beside a task", side(0, gate("1", "a"), task("2", "effect x")), "x", "x"},
		{"beside a chain", side(0, gate("1", "a"), do("d", task("2", "effect x"), task("3", "effect y"))), "x y", "x y"},
		{"all of several", side(0, gate("1", "a"), gate("2", "b"), gate("3", "a")), "", ""},
		{"one at a time", side(1, task("1", "effect x"), gate("2", "a"), task("3", "effect y")), "x", "x y"},
		{"in the shade of another", side(0, gate("1", "a"), side(2, task("2", "effect x"), task("3", "effect y"), task("4", "effect z"))), "x y z", "x y z"},
		{"within hooks", hook("ensure", gate("1", "a"), task("2", "effect x")), "", "x"},
		{"no failure", hook("on_failure", gate("1", "a"), task("2", "effect x")), "", ""},
		{"no error", hook("on_error", gate("1", "a"), task("2", "effect x")), "", ""},
		{"no other attempt", `{"id":"r","retry":[` + gate("1", "a") + `,` + task("2", "effect x") + `]}`, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			b := build(t, c.plan)
			effects := func() string {
				var seen []string
				for _, name := range []string{"x", "y", "z"} {
					switch n := w.executor.count(name); {
					case n == 1:
						seen = append(seen, name)
					case n > 1:
						t.Errorf("%s happened %d times", name, n)
					}
				}
				return strings.Join(seen, " ")
			}
			for range 2 { // a wake without a reason changes nothing
				if parked := w.parked(b); parked.Build != b.ID || time.Until(parked.Until) < 50*time.Minute {
					t.Errorf("%+v", parked)
				}
				if got := effects(); got != c.effects {
					t.Errorf("parked after %q, want %q", got, c.effects)
				}
			}
			w.gate.answer("a", "b")
			if got := w.runBuild(b); got != Succeeded {
				t.Errorf("%s\n%s", got, strings.Join(w.events(), "\n"))
			}
			if got := effects(); got != c.after {
				t.Errorf("in the end %q, want %q", got, c.after)
			}
		})
	}
}

// TestWhatRunsIsNotParked: a gate beside a running task is heard at once.
func TestWhatRunsIsNotParked(t *testing.T) {
	t.Parallel()
	w := setup(t)
	done := make(chan Outcome, 1)
	b := build(t, side(0, do("d", gate("1", "a"), task("2", "effect x")), task("3", "effect y", "block")))
	go func() {
		outcome, err := w.engine().Run(t.Context(), b)
		if err == nil {
			done <- outcome
		}
	}()
	until(t, "the task beside it", func() bool { return w.executor.count("y") == 1 })
	w.gate.answer("a")
	until(t, "what follows the gate", func() bool { return w.executor.count("x") == 1 })
	close(w.executor.release)
	if got := <-done; got != Succeeded {
		t.Error(got)
	}
}

// TestAbortedGates end: neither is a build parked that is being aborted, nor does one
// stay so that was parked before.
func TestAbortedGates(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := build(t, hook("ensure", gate("1", "a"), task("2", "effect x")))
	w.parked(b)
	ctx, abort := context.WithCancelCause(t.Context())
	abort(ErrAborted)
	outcome, err := w.engine().Run(ctx, b)
	if err != nil || outcome != Aborted || w.executor.count("x") != 1 {
		t.Errorf("%s, %v, %d", outcome, err, w.executor.count("x"))
	}
}

// TestParkedTimeout names the time at which the step's own timeout is over.
func TestParkedTimeout(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := build(t, `{"id":"t","timeout":{"duration":"10m","step":`+gate("1", "a")+`}}`)
	if left := time.Until(w.parked(b).Until); left > 11*time.Minute {
		t.Errorf("parked for %s", left)
	}
	w.pass(11 * time.Minute)
	if got := w.runBuild(b); got != Failed {
		t.Error(got)
	}
}
