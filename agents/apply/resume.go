package apply

import (
	"context"
	"os"
	"path/filepath"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/journal"
	"github.com/signalbox/signalbox/agents/need"
	"github.com/signalbox/signalbox/agents/packages"
	"github.com/signalbox/signalbox/agents/protocol"
)

// resume finishes what was begun by a process that is gone. busy is false where there is nothing.
func (s *session) resume(ctx context.Context) (out Outcome, busy bool) {
	r := s.j.Now().Run
	if !r.State.Touching() {
		return out, false
	}
	s.Log.Warn("an earlier run did not end", "state", r.State, "bundle", r.Bundle)
	// Its package manager may have outlived it.
	if err := packages.WaitUnlocked(ctx, s.system, s.limit()); err != nil {
		return s.internal(err), true
	}
	if r.State == protocol.StateRollingBack {
		return s.goBack(ctx), true
	}
	t, err := s.restore(ctx)
	if err != nil {
		return s.failed(ctx, protocol.ExitInstallFailed, "the run cannot be gone on with: "+err.Error()), true
	}
	if r.State == protocol.StateInstalling {
		return t.afterKill(ctx), true
	}
	switch {
	case r.BootID != "" && r.BootID == s.BootID():
		return s.reboot(ctx), true
	case r.Healths >= healthMost:
		return s.failed(ctx, protocol.ExitHealthFailed, "the checks were interrupted again and again"), true
	}
	return t.checks(ctx), true
}

// restore makes the transaction anew from what was written down.
func (s *session) restore(ctx context.Context) (*transaction, error) {
	raw, err := os.ReadFile(filepath.Join(s.Dir, manifestFile))
	if err != nil {
		return nil, err
	}
	m, err := bundle.ParseManifest(raw)
	if err != nil {
		return nil, err
	}
	v, err := m.For(s.node())
	if err != nil {
		return nil, err
	}
	r := s.j.Now().Run
	t := &transaction{session: s, plan: r.Plan, manifest: m, variant: v, from: none{}, raw: raw, before: r.Before, after: r.After, method: r.Method}
	// What was installed before the run decides what was picked, not what is now.
	list, err := s.system.Installed(ctx)
	if err != nil {
		return nil, err
	}
	was := packages.Versions(list, v.Arch)
	for key, version := range r.Before {
		if was[key] = version; version == "" {
			delete(was, key)
		}
	}
	t.picked = need.Packages(v, was, s.system.Compare)
	return t, nil
}

// afterKill mends, compares, and tries once more where that makes sense.
func (t *transaction) afterKill(ctx context.Context) Outcome {
	ctx = context.WithoutCancel(ctx)
	if err := t.mend(ctx); err != nil {
		t.Log.Warn("mending failed", "error", err)
	}
	if t.complete(ctx) == "" {
		return t.installed(ctx)
	}
	if t.j.Now().Run.Installs >= installMost {
		return t.failed(ctx, protocol.ExitInstallFailed, "the install was interrupted again: "+t.complete(ctx))
	}
	if err := t.intact(ctx); err != nil {
		return t.failed(ctx, protocol.ExitInstallFailed, "the install was interrupted, and its files with it: "+err.Error())
	}
	if err := t.become(protocol.StateInstalling, func(r *journal.Run) { r.Installs++ }); err != nil {
		return t.internal(err)
	}
	return t.carryOn(ctx)
}
