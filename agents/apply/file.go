package apply

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/journal"
	"github.com/signalbox/signalbox/agents/protocol"
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
		return Outcome{State: protocol.StateIdle, Exit: protocol.Exit(bundle.ExitCode(err)), Message: err.Error()}
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
	id := f.Manifest.BundleID
	a := protocol.Assignment{Bundle: id, BundleVersion: f.Manifest.Version, Action: protocol.ActionInstall, Health: hand.Health, Issued: s.j.Now().Issued,
		Install:  protocol.Install{Reboot: hand.Reboot, Conffiles: "keep", HoldPolicy: hand.HoldPolicy, TimeoutSeconds: int64(hand.Timeout / time.Second)},
		Rollback: protocol.Rollback{Enabled: !hand.NoWayBack, Method: "auto", Keep: 1}}
	if s.trust == nil {
		return s.outcomeOf(&bundle.Error{Kind: bundle.Authenticity, Message: "This machine has no trusted root: enrol it, or give one with --trust."})
	}
	if q, quarantined := s.j.Now().Quarantined[id]; quarantined && !hand.Force {
		return Outcome{State: protocol.StateQuarantined, Exit: protocol.ExitQuarantined, Bundle: id, Message: "in quarantine: " + q.Reason}
	}
	return s.fresh(a, nil, func() Outcome {
		if err := s.become(protocol.StateVerifying, func(r *journal.Run) { r.Message, r.Exit = "", protocol.ExitOK }); err != nil {
			return s.internal(err)
		}
		// The date of a manifest that nobody has vouched for yet would move the clock, so only what is known counts.
		m, v, err := s.trust.VerifyFile(ctx, f, s.node(), s.now())
		if err != nil {
			return s.brought(err)
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

// outcomeOf says what is wrong without touching the journal.
func (s *session) outcomeOf(err error) Outcome {
	return Outcome{State: s.j.Now().Run.State, Exit: protocol.Exit(bundle.ExitCode(err)), Message: err.Error()}
}

// brought ends a person's run: nothing fetches a better copy, so it is over at
// once. What is short is not quarantined, as the stick may be at fault.
func (s *session) brought(err error) Outcome {
	if bundle.KindOf(err) == bundle.Incomplete {
		return s.end(protocol.StateFailed, protocol.ExitDeferred, err.Error(), nil)
	}
	if bundle.KindOf(err) == bundle.Integrity {
		return s.end(protocol.StateFailed, protocol.ExitIntegrity, err.Error(), nil)
	}
	return s.rejected(err)
}
