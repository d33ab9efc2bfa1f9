package engine

import (
	"testing"
	"time"
)

// TestClockJumps: while a task runs, the machine's clock is set forward by days or back;
// the task ends as it would have, within its timeout, whether or not the server restarts.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	for name, jump := range map[string]time.Duration{"forward": 48 * time.Hour, "back": -48 * time.Hour} {
		for _, restart := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := setup(t)
				limit := `{"id":"2","timeout":{"duration":"100h","step":` + task("1", "effect once", "print begun", "block", "print done") + `}}`
				b := build(t, limit)
				e := w.engine()
				ended := make(chan Outcome, 1)
				run := func(e *Engine) {
					outcome, err := e.Run(t.Context(), b)
					if err == nil {
						ended <- outcome
					}
				}
				go run(e)
				for w.executor.count("once") == 0 {
					waitABit(t)
				}
				w.pass(jump)
				if restart {
					e.Detach()
					go run(w.engine())
				}
				close(w.executor.release)
				if outcome := <-ended; outcome != Succeeded || w.executor.count("once") != 1 {
					t.Errorf("%s, ran %d times\n%v", outcome, w.executor.count("once"), w.events())
				}
				if text := w.log("1"); text != "begun\r\ndone\r\n" {
					t.Errorf("log %q", text)
				}
				row, found, err := find(t, w)
				if err != nil || !found || row.EndedAt.IsZero() || row.Outcome != Succeeded {
					t.Errorf("%+v, %v", row, err)
				}
			})
		}
	}
}

func waitABit(t *testing.T) {
	t.Helper()
	select {
	case <-time.After(2 * time.Millisecond):
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}

func find(t *testing.T, w *world) (StepRecord, bool, error) {
	t.Helper()
	rows, err := w.ledger.Steps(t.Context(), 1)
	for _, r := range rows {
		if r.Kind == KindTask {
			return r, true, err
		}
	}
	return StepRecord{}, false, err
}

// TestHeldSlots: nothing new starts while containers are held back, who waits is told
// why, and they go in turn when it is over.
func TestHeldSlots(t *testing.T) {
	t.Parallel()
	s := NewSlots(1)
	first, err := s.take(t.Context(), 1, func() { t.Error("there was room") })
	if err != nil {
		t.Fatal(err)
	}
	s.Hold("the worker is landing")
	began := make(chan func(), 1)
	queued := make(chan struct{})
	go func() {
		give, err := s.take(t.Context(), 2, func() { close(queued) })
		if err != nil {
			t.Error(err)
		}
		began <- give
	}()
	<-queued
	first()
	if reason, waits := s.Waiting(2); !waits || reason != "the worker is landing" || s.Running() != 0 {
		t.Errorf("%q, %v, %d run", reason, waits, s.Running())
	}
	if _, waits := s.Waiting(1); waits {
		t.Error("who has a place waits")
	}
	running := s.force() // one that ran before the server's restart
	s.Hold("")
	if reason, _ := s.Waiting(2); reason != "1 of at most 1 containers are running" {
		t.Errorf("%q", reason)
	}
	running()
	(<-began)()
	if s.Running() != 0 {
		t.Errorf("%d run at the end", s.Running())
	}
}
