package apply

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/journal"
	"github.com/signalbox/signalbox/agents/protocol"
)

// again is how soon something is tried once more that nothing announces the end of.
const again = 15 * time.Minute

// order believes an order or not, and then follows it.
func (s *session) order(ctx context.Context, o Order) Outcome {
	a, view, doubt, err := s.believe(o)
	if err != nil {
		return s.refuse(err)
	}
	r := s.j.Now().Run
	same := r.Rollout == a.Rollout && r.Bundle == a.Bundle
	switch a.Action {
	case protocol.ActionStop, protocol.ActionStage:
		return s.hold(a)
	case protocol.ActionRollback:
		if same && r.State == protocol.StateRolledBack {
			return s.outcome()
		}
		return s.takeBack(ctx, a)
	case protocol.ActionInstall:
	default:
		return s.refuse(&bundle.Error{Kind: bundle.Target, Message: fmt.Sprintf("This agent knows no action %q.", a.Action)})
	}
	if same && s.settled(r, a) {
		return s.outcome()
	}
	if q, quarantined := s.j.Now().Quarantined[a.Bundle]; quarantined {
		return s.fresh(a, o.Envelope, func() Outcome {
			return s.end(protocol.StateQuarantined, protocol.ExitQuarantined, "in quarantine: "+q.Reason, nil)
		})
	}
	if doubt != nil {
		return s.fresh(a, o.Envelope, func() Outcome { return s.rejected(doubt) })
	}
	open, next, why, over := Window(&a, s.now(a.Issued))
	switch {
	case over:
		return s.fresh(a, o.Envelope, func() Outcome { return s.end(protocol.StateFailed, protocol.ExitFreshness, why, nil) })
	case !open:
		return s.fresh(a, o.Envelope, func() Outcome { return s.deferred(why, next) })
	}
	return s.fresh(a, o.Envelope, func() Outcome {
		return s.install(ctx, &spool{dir: s.Spool}, view, o.Manifest)
	})
}

// settled tells whether a run needs no second look under this order.
func (s *session) settled(r journal.Run, a protocol.Assignment) bool {
	newer := a.Issued.After(r.Plan.Issued)
	_, quarantined := s.j.Now().Quarantined[a.Bundle]
	switch r.State {
	case protocol.StateSucceeded:
		return true
	case protocol.StateQuarantined:
		return quarantined
	case protocol.StateRolledBack:
		return quarantined || !newer
	case protocol.StateFailed:
		return quarantined || !newer || s.Now().Sub(r.Changed) < again
	}
	return false
}

// believe checks whose word the order is and keeps what it proves. The order
// hangs on the root alone: doubt says what is wrong with the other metadata, so
// that a bundle which nobody vouches for can be named in what is told.
func (s *session) believe(o Order) (a protocol.Assignment, view *bundle.View, doubt, err error) {
	if s.trust == nil {
		if len(o.Set.Roots) == 0 {
			return a, nil, nil, &bundle.Error{Kind: bundle.Authenticity, Message: "This machine has no trusted root yet."}
		}
		if s.trust, err = bundle.InitTrust(s.trustDir(), o.Set.Roots); err != nil {
			return a, nil, nil, err
		}
	}
	view, doubt = s.trust.Accept(o.Set, bundle.Installed, s.now())
	if o.Envelope == nil {
		return a, nil, doubt, &bundle.Error{Kind: bundle.Authenticity, Message: "There is no order."}
	}
	keys, err := s.portalKeys()
	if err != nil {
		return a, nil, doubt, err
	}
	if a, err = o.Envelope.Open(keys); err != nil {
		return a, nil, doubt, &bundle.Error{Kind: bundle.Authenticity, Message: "The order's signature does not hold under the trusted root."}
	}
	known := s.j.Now()
	switch id, _ := s.Identity(); {
	case a.Node != id:
		return a, nil, doubt, &bundle.Error{Kind: bundle.Target, Message: "The order is for another node."}
	case a.Issued.Before(known.Issued):
		return a, nil, doubt, &bundle.Error{Kind: bundle.Stale, Message: "The order is older than one that was seen before."}
	}
	q, quarantined := known.Quarantined[a.Bundle]
	release := quarantined && slices.Contains(o.Release, a.Bundle) && a.Issued.After(q.Since)
	if !release && a.Issued.Equal(known.Issued) {
		return a, view, doubt, nil
	}
	return a, view, doubt, s.j.Change(func(r *journal.Record) {
		r.Issued = a.Issued
		if a.Issued.After(r.Good) {
			r.Good = a.Issued
		}
		if release {
			delete(r.Quarantined, a.Bundle)
			delete(r.Bad, a.Bundle)
			if r.Run.Bundle == a.Bundle {
				r.Run = journal.Run{State: protocol.StateIdle}
			}
		}
	})
}

// portalKeys are those that the newest trusted root gives the portal.
func (s *session) portalKeys() (map[string]ed25519.PublicKey, error) {
	roots := s.trust.Set().Roots
	_, roles, err := bundle.RootRoles(roots[len(roots)-1])
	keys := map[string]ed25519.PublicKey{}
	for _, role := range roles {
		for _, key := range role.Keys {
			if role.Name == "timestamp" {
				keys[key.ID] = key.Public
			}
		}
	}
	return keys, err
}

// refuse is for an order that is not believed or not understood: nothing changes
// but what is shown and told, once.
func (s *session) refuse(err error) Outcome {
	out := s.outcome()
	out.Exit, out.Message = protocol.Exit(bundle.ExitCode(err)), err.Error()
	if last := s.j.Now().LastExit; last != nil && *last == out.Exit {
		return out
	}
	s.Log.Error("the order is refused", "error", err)
	changed := s.j.Change(func(r *journal.Record) { r.LastExit = &out.Exit })
	if changed = errors.Join(changed, s.tell(&out.Exit, detail("refused", err.Error()))); changed != nil {
		s.Log.Error("the refusal is not kept", "error", changed)
	}
	return out
}

// fresh puts the order into the journal's run, where it is another one, before it is followed.
func (s *session) fresh(a protocol.Assignment, e *protocol.Envelope, follow func() Outcome) Outcome {
	r := s.j.Now().Run
	if r.Rollout != a.Rollout || r.Bundle != a.Bundle || !r.Plan.Issued.Equal(a.Issued) {
		err := s.j.Change(func(j *journal.Record) {
			started := s.now(a.Issued)
			state := protocol.StateIdle
			if r.State == protocol.StateDeferred && r.Bundle == a.Bundle && r.Rollout == a.Rollout {
				state, started = r.State, r.Started // the same wait under a renewed order
			}
			j.Run = journal.Run{State: state, Rollout: a.Rollout, Bundle: a.Bundle, Version: a.BundleVersion, Order: e, Plan: a, Started: started, Message: j.Run.Message, Exit: j.Run.Exit}
			if state == protocol.StateIdle {
				j.Run.Message, j.Run.Exit = "", protocol.ExitOK
			}
		})
		if err != nil {
			return s.internal(err)
		}
	}
	return follow()
}

// hold is for stop and stage: begin nothing.
func (s *session) hold(a protocol.Assignment) Outcome {
	if s.j.Now().Run.State == protocol.StateDeferred {
		if err := s.become(protocol.StateIdle, func(r *journal.Run) { r.Message = "" }); err != nil {
			return s.internal(err)
		}
	}
	out := s.outcome()
	out.Exit, out.Message = protocol.ExitOK, ""
	if a.Action == protocol.ActionStage {
		out.Exit, out.Message = protocol.ExitDeferred, "to be staged, not yet installed"
	}
	return out
}

// deferred waits: told once for each reason.
func (s *session) deferred(why string, next *time.Time) Outcome {
	err := s.become(protocol.StateDeferred, func(r *journal.Run) { r.Message, r.Exit = why, protocol.ExitDeferred })
	if err != nil {
		return s.internal(err)
	}
	out := s.outcome()
	out.Next = next
	return out
}

func (s *session) deferredAWhile(why string) Outcome {
	at := s.Now().Add(again)
	return s.deferred(why, &at)
}

// rejected ends a run because of what the bundle is, before anything was touched.
func (s *session) rejected(err error) Outcome {
	id := s.j.Now().Run.Bundle
	switch bundle.KindOf(err) {
	case bundle.Incomplete:
		out := s.deferredAWhile(err.Error())
		out.Restage = true
		return out
	case bundle.Integrity:
		if s.j.Now().Bad[id] >= badMost {
			return s.end(protocol.StateQuarantined, protocol.ExitIntegrity, err.Error(), nil)
		}
		out := s.deferredAWhile(err.Error())
		out.Restage, out.Exit = true, protocol.ExitIntegrity
		return out
	case bundle.Malformed:
		return s.end(protocol.StateQuarantined, protocol.ExitIntegrity, err.Error(), nil)
	case bundle.Authenticity:
		return s.end(protocol.StateQuarantined, protocol.ExitAuthenticity, err.Error(), nil)
	case bundle.Stale, bundle.Target:
		return s.end(protocol.StateFailed, protocol.ExitFreshness, err.Error(), nil)
	}
	if isNoSpace(err) {
		return s.end(protocol.StateFailed, protocol.ExitPreflight, err.Error(), nil)
	}
	return s.end(protocol.StateFailed, protocol.ExitInternal, err.Error(), nil)
}

// badMost is how often a complete blob may have the wrong hash before the bundle is left alone.
const badMost = 3

// Condemn puts a bundle into quarantine on the word of the network half, which
// can withhold it in any case.
func (w *Worker) Condemn(ctx context.Context, o Order, exit protocol.Exit, reason string) Outcome {
	return w.locked(ctx, func(s *session) Outcome {
		if out, busy := s.resume(ctx); busy {
			return out
		}
		a, _, _, err := s.believe(o)
		if err != nil {
			return s.refuse(err)
		}
		if exit != protocol.ExitIntegrity && exit != protocol.ExitAuthenticity {
			return s.outcome()
		}
		if _, known := s.j.Now().Quarantined[a.Bundle]; known {
			return s.outcome()
		}
		return s.fresh(a, o.Envelope, func() Outcome { return s.end(protocol.StateQuarantined, exit, reason, nil) })
	})
}

// manifest judges what the bundle says of itself.
func (s *session) manifest(view *bundle.View, raw []byte, a protocol.Assignment) (*bundle.Manifest, *bundle.Variant, bool, error) {
	m, err := view.Manifest(a.Bundle, raw)
	if err != nil {
		return nil, nil, false, err
	}
	if sum := sha256.Sum256(raw); a.ManifestSHA256 != "" && hex.EncodeToString(sum[:]) != a.ManifestSHA256 || a.BundleVersion != 0 && a.BundleVersion != m.Version {
		return nil, nil, false, &bundle.Error{Kind: bundle.Target, Message: "The signed bundle " + a.Bundle + " is not the one that the order means."}
	}
	if err := s.trust.CheckFloor(m); err != nil {
		return nil, nil, false, err
	}
	stale, err := m.Fresh(s.now(a.Issued, m.Created), time.Duration(a.OfflineGraceSeconds)*time.Second)
	if err != nil {
		return nil, nil, false, err
	}
	v, err := m.For(s.node())
	return m, v, stale, err
}

func (s *session) node() bundle.Node {
	id, name := s.Identity()
	return bundle.Node{ID: id, Name: name, OSID: s.machine.OSID, VersionID: s.machine.VersionID, Codename: s.machine.Codename,
		Arch: s.machine.Arch, PackageSystem: s.machine.PackageSystem, Agent: s.Agent}
}

// install goes from believing the bundle to the end.
func (s *session) install(ctx context.Context, from source, view *bundle.View, manifest []byte) Outcome {
	if err := s.become(protocol.StateVerifying, func(r *journal.Run) { r.Message, r.Exit = "", protocol.ExitOK }); err != nil {
		return s.internal(err)
	}
	a := s.j.Now().Run.Plan
	m, v, stale, err := s.manifest(view, manifest, a)
	if err != nil {
		return s.rejected(err)
	}
	t := &transaction{session: s, plan: a, manifest: m, variant: v, from: from, raw: manifest}
	if out, done := t.prepare(ctx); done {
		t.clearAway()
		return out
	}
	if err := t.begin(ctx, stale); err != nil {
		return s.internal(err)
	}
	return t.carryOn(ctx)
}

func isNoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
