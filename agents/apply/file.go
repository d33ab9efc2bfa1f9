package apply

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/journal"
	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/agents/report"
)

// Hand is how a person wants a bundle installed that they brought.
type Hand struct {
	Health     protocol.Health
	Reboot     string // never, ifNeeded or always
	HoldPolicy string
	// NoWayBack installs although the machine could not go back by itself.
	NoWayBack bool
	// Force lets a bundle in that is in quarantine.
	Force   bool
	Timeout time.Duration
}

// File installs a bundle file now: no portal is asked and no window is waited
// for. Whose word the bundle is decides the root that this machine has pinned.
func (w *Worker) File(ctx context.Context, path string, hand Hand) Outcome {
	f, err := bundle.Open(path)
	if err != nil {
		return Outcome{State: protocol.StateFailed, Exit: protocol.Exit(bundle.ExitCode(err)), Message: err.Error()}
	}
	out := w.locked(ctx, func(s *session) Outcome {
		if out, busy := s.resume(ctx); busy {
			return out
		}
		return s.file(ctx, f, hand)
	})
	if err := f.Close(); err != nil {
		w.Log.Warn("close the bundle", "error", err)
	}
	return out
}

func (s *session) file(ctx context.Context, f *bundle.File, hand Hand) Outcome {
	if s.trust == nil {
		return s.brought(&bundle.Error{Kind: bundle.Authenticity, Message: "This machine has no trusted root: enrol it, or give one with --trust."})
	}
	// What the file says of itself is nobody's word until this: it names no run and no quarantine. The date of a
	// manifest that nobody has vouched for would move the clock, so only what is known counts.
	m, v, err := s.trust.VerifyFile(ctx, f, s.node(), s.now())
	if err != nil {
		return s.brought(err)
	}
	if q, quarantined := s.j.Now().Quarantined[m.BundleID]; quarantined && !hand.Force {
		return Outcome{State: protocol.StateQuarantined, Exit: protocol.ExitQuarantined, Bundle: m.BundleID, Message: "in quarantine: " + q.Reason}
	}
	a := protocol.Assignment{Bundle: m.BundleID, BundleVersion: m.Version, Action: protocol.ActionInstall, Health: hand.Health, Issued: s.j.Now().Issued,
		Install:  protocol.Install{Reboot: hand.Reboot, Conffiles: "keep", HoldPolicy: hand.HoldPolicy, TimeoutSeconds: int64(hand.Timeout / time.Second)},
		Rollback: protocol.Rollback{Enabled: !hand.NoWayBack, Method: "auto", Keep: 1}}
	return s.fresh(a, nil, func() Outcome {
		if err := s.become(protocol.StateVerifying, func(r *journal.Run) { r.Message, r.Exit = "", protocol.ExitOK }); err != nil {
			return s.internal(err)
		}
		t := &transaction{session: s, plan: a, manifest: m, variant: v, from: &carried{f}, raw: f.ManifestBytes}
		if out, done := t.prepare(ctx); done {
			t.clearAway()
			return out
		}
		if err := t.begin(ctx, false); err != nil {
			return s.internal(err)
		}
		return t.carryOn(ctx)
	})
}

// brought refuses a file that a person brought. The run of the journal stays what
// it was, and nothing goes into quarantine: whoever made the file could otherwise
// have this machine turn its back on a bundle that is sound.
func (s *session) brought(err error) Outcome {
	out := Outcome{State: protocol.StateFailed, Exit: protocol.Exit(bundle.ExitCode(err)), Message: err.Error()}
	s.Log.Error("the file is refused", "exit", int(out.Exit), "error", err)
	told := s.j.Change(func(r *journal.Record) { r.LastExit = &out.Exit })
	if told == nil {
		told = s.queue(func(q *report.Queue) error {
			_, err := q.Append(protocol.Report{At: s.now(), State: out.State, Exit: &out.Exit, Message: "a file that was brought here is refused: " + out.Message})
			return err
		})
	}
	if told != nil {
		s.Log.Error("the refusal is not kept", "error", told)
	}
	return out
}

// rejected of a carried bundle ends the run: nothing fetches a better copy, and
// the stick may be at fault.
func (t *transaction) rejected(err error) Outcome {
	if _, brought := t.from.(*carried); brought && bundle.KindOf(err) != "" {
		return t.end(protocol.StateFailed, protocol.Exit(bundle.ExitCode(err)), err.Error(), nil)
	}
	return t.session.rejected(err)
}
