package apply

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/health"
	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/journal"
	"github.com/signalbox/signalbox/agents/packages"
	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/agents/report"
	"github.com/signalbox/signalbox/agents/rollback"
)

// Options is what a Worker is made of.
type Options struct {
	Dir   string    // what only root may change: journal, trust, stash, reports
	Root  host.Root // the machine
	Spool string    // where the network half puts blobs
	Agent string    // its version
	// Identity gives the node's id and name; both empty before it is enrolled.
	Identity func() (id, name string)
	Now      func() time.Time
	Log      *slog.Logger
	// LockWait is how long a lock of the package manager is waited for; 0 is a minute.
	LockWait time.Duration
	Checker  health.Checker
	// Power is /sys/class/power_supply.
	Power string
	// Wrote is called around every write of the journal; tests kill the process there.
	Wrote func(step int)
	// What tests replace; empty means the machine's own.
	System packages.System
	BootID func() string
	Reboot func(ctx context.Context) error
}

// Worker does one thing at a time, and only one process of the machine does.
type Worker struct {
	Options
	reports sync.Mutex
}

// New completes the options.
func New(o Options) (*Worker, error) {
	if o.LockWait <= 0 {
		o.LockWait = time.Minute
	}
	if o.BootID == nil {
		o.BootID = host.BootID
	}
	if o.Wrote == nil {
		o.Wrote = func(int) {}
	}
	if o.Reboot == nil {
		o.Reboot = func(ctx context.Context) error {
			out, err := host.Run(ctx, "systemctl", "reboot")
			if err == nil && out.Exit != 0 {
				err = errors.New(out.Text)
			}
			return err
		}
	}
	o.Checker.Root = o.Root
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the agent's folder: %w", err)
	}
	return &Worker{Options: o}, nil
}

// Outcome is what became of an order.
type Outcome struct {
	State   protocol.State `json:"state"`
	Exit    protocol.Exit  `json:"exit"`
	Message string         `json:"message,omitempty"`
	Bundle  string         `json:"bundle,omitempty"`
	Rollout string         `json:"rollout,omitempty"`
	// Next is when trying again makes sense; nil: when something changes.
	Next *time.Time `json:"next,omitempty"`
	// Restage says that blobs are missing or were thrown away.
	Restage bool `json:"restage,omitempty"`
}

// Order is what the network half hands over.
type Order struct {
	Envelope *protocol.Envelope `json:"envelope"`
	Set      bundle.Set         `json:"set"` // metadata from the portal
	Manifest []byte             `json:"manifest"`
	// Offset is what the portal's clock is ahead, where that is more than a day.
	Offset time.Duration `json:"offset,omitempty"`
	// Release names bundles whose quarantine the portal ends. It counts only
	// together with an order for that bundle that is newer than the quarantine.
	Release []string `json:"release,omitempty"`
}

// session is one run under the lock, with everything opened.
type session struct {
	*Worker
	j       *journal.Journal
	trust   *bundle.Trust // nil: nothing is pinned yet
	stash   *rollback.Stash
	machine protocol.Machine
	system  packages.System
	offset  time.Duration
	said    string // the end of what the package manager said in this session
}

func (w *Worker) open() (*session, error) {
	j, err := journal.Open(w.Dir, w.Now)
	if err != nil {
		return nil, err
	}
	j.Wrote = w.Wrote
	s := &session{Worker: w, j: j, system: w.System}
	if err := s.load(); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return s, nil
}

func (s *session) load() (err error) {
	if s.trust, err = bundle.OpenTrust(s.trustDir()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if s.stash, err = rollback.OpenStash(filepath.Join(s.Dir, "stash")); err != nil {
		return err
	}
	if s.machine, err = s.Root.Machine(); err != nil {
		return err
	}
	if s.system == nil {
		s.system, err = packages.For(s.Root, s.machine)
	}
	return err
}

func (w *Worker) trustDir() string { return filepath.Join(w.Dir, "trust") }

// Pin makes the first roots the ones that everything must lead to. Doing it
// again with others is refused: that is what a person with root rights removes the folder for.
func (w *Worker) Pin(roots [][]byte) error {
	if _, err := bundle.OpenTrust(w.trustDir()); err == nil {
		return nil
	}
	_, err := bundle.InitTrust(w.trustDir(), roots)
	return err
}

// now is the time that decides: not before anything that is known to be past,
// and by the portal's clock where the machine's is more than a day off.
func (s *session) now(known ...time.Time) time.Time {
	t := s.Now().Add(s.offset)
	for _, k := range append(known, s.j.Now().Good) {
		if k.After(t) {
			t = k
		}
	}
	return t
}

// Do works on an order until there is nothing more to do at the moment.
func (w *Worker) Do(ctx context.Context, o Order) Outcome {
	return w.locked(ctx, func(s *session) Outcome {
		s.offset = o.Offset
		if out, busy := s.resume(ctx); busy {
			return out
		}
		return s.order(ctx, o)
	})
}

// Recover finishes what an earlier process began; it is called when the machine starts.
func (w *Worker) Recover(ctx context.Context) Outcome {
	return w.locked(ctx, func(s *session) Outcome {
		if out, busy := s.resume(ctx); busy {
			return out
		}
		return s.outcome()
	})
}

func (w *Worker) locked(ctx context.Context, do func(s *session) Outcome) (out Outcome) {
	s, err := w.open()
	if errors.Is(err, journal.ErrBusy) {
		return Outcome{State: protocol.StateIdle, Exit: protocol.ExitBusy, Message: err.Error()}
	}
	if err != nil {
		return Outcome{State: protocol.StateFailed, Exit: protocol.ExitInternal, Message: err.Error()}
	}
	defer func() {
		if err := s.j.Close(); err != nil {
			w.Log.Error("release the lock", "error", err)
		}
	}()
	// What has begun is finished: a package manager is not stopped in its middle
	// because this process is.
	return do(s)
}

// outcome is what the journal says.
func (s *session) outcome() Outcome {
	r := s.j.Now().Run
	return Outcome{State: r.State, Exit: r.Exit, Message: r.Message, Bundle: r.Bundle, Rollout: r.Rollout}
}

// internal is for what should not have happened. Before anything was touched
// the run is given up; afterwards the journal stays, and the next process goes on.
func (s *session) internal(err error) Outcome {
	s.Log.Error("the run stopped", "error", err)
	out := s.outcome()
	out.Exit, out.Message = protocol.ExitInternal, err.Error()
	return out
}

// become writes the next state and then reports it.
func (s *session) become(state protocol.State, change func(r *journal.Run)) error {
	before := s.j.Now().Run
	err := s.j.Change(func(r *journal.Record) {
		r.Run.State = state
		if change != nil {
			change(&r.Run)
		}
	})
	if err != nil {
		return err
	}
	r := s.j.Now().Run
	if r.State == before.State && r.Exit == before.Exit && r.Message == before.Message && r.Bundle == before.Bundle && r.Rollout == before.Rollout {
		return nil // said already
	}
	return s.tell(nil, nil)
}

// end is become for where a run is over: the exit code is kept for check-ins too.
func (s *session) end(state protocol.State, exit protocol.Exit, message string, details []byte) Outcome {
	before := s.j.Now().Run
	err := s.j.Change(func(r *journal.Record) {
		r.Run.State, r.Run.Exit, r.Run.Message = state, exit, message
		r.LastExit = &exit
		switch {
		case state == protocol.StateSucceeded:
			r.Current = r.Run.Bundle
		case state == protocol.StateQuarantined || state == protocol.StateRolledBack && exit != protocol.ExitOK || state == protocol.StateFailed && exit == protocol.ExitRollbackFailed:
			if _, known := r.Quarantined[r.Run.Bundle]; !known && r.Run.Bundle != "" {
				r.Quarantined[r.Run.Bundle] = journal.Quarantine{Reason: message, Since: s.now(r.Run.Plan.Issued)}
			}
		}
	})
	if err != nil {
		return s.internal(err)
	}
	s.Log.Info("the run ended", "state", state, "exit", int(exit), "message", message)
	out := s.outcome()
	if before.State == state && before.Exit == exit && before.Message == message && before.Bundle == out.Bundle && before.Rollout == out.Rollout {
		return out
	}
	if err := s.tell(&exit, details); err != nil {
		return s.internal(err)
	}
	return out
}

// tell queues a report of what the journal says.
func (s *session) tell(exit *protocol.Exit, details []byte) error {
	r := s.j.Now().Run
	s.Log.Info("state", "state", r.State, "bundle", r.Bundle, "message", r.Message)
	message := r.Message
	if exit == nil && r.State != protocol.StateDeferred {
		message = ""
	}
	return s.queue(func(q *report.Queue) error {
		_, err := q.Append(protocol.Report{At: s.now(), Rollout: r.Rollout, Bundle: r.Bundle, State: r.State, Exit: exit, Method: r.Method, Message: message, Details: details})
		return err
	})
}

// queue opens the reports for one call: another process may have added some.
func (w *Worker) queue(do func(q *report.Queue) error) error {
	w.reports.Lock()
	defer w.reports.Unlock()
	q, err := report.Open(filepath.Join(w.Dir, "reports"))
	if err != nil {
		return err
	}
	return do(q)
}

// Reports gives what waits above a number; what is at or below it is forgotten.
func (w *Worker) Reports(above int64, most int) (list []protocol.Report, err error) {
	err = w.queue(func(q *report.Queue) error {
		if err := q.Acked(above); err != nil {
			return err
		}
		list = q.First(above, most)
		return nil
	})
	return list, err
}

// Status is what is shown to people and what the network half needs to know.
type Status struct {
	Record journal.Record `json:"record"`
	Stash  []string       `json:"stash"` // hashes of the package files kept
	Pinned bool           `json:"pinned"`
}

// Status reads without the lock: an install may be going on.
func (w *Worker) Status() (Status, error) {
	var st Status
	var err error
	if st.Record, err = journal.Read(w.Dir); err != nil {
		return st, err
	}
	stash, err := rollback.OpenStash(filepath.Join(w.Dir, "stash"))
	if err != nil {
		return st, err
	}
	_, err = bundle.OpenTrust(w.trustDir())
	st.Pinned = err == nil
	st.Stash = stash.Hashes()
	slices.Sort(st.Stash)
	return st, nil
}
