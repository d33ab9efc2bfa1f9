package apply

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/signalbox/signalbox/agents/journal"
	"github.com/signalbox/signalbox/agents/packages"
	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/agents/rollback"
)

// failed takes the bundle back, where there is a way.
func (s *session) failed(ctx context.Context, cause protocol.Exit, why string) Outcome {
	if s.j.Now().Run.Method == "" {
		exit := cause
		if cause == protocol.ExitInstallFailed {
			exit = protocol.ExitRollbackFailed
		}
		return s.end(protocol.StateFailed, exit, "no way back was wanted: "+why, s.changes(nil, nil))
	}
	err := s.become(protocol.StateRollingBack, func(r *journal.Run) { r.Cause, r.Message = cause, why })
	if err != nil {
		return s.internal(err)
	}
	return s.goBack(ctx)
}

// goBack restores what was before. It may be called any number of times.
func (s *session) goBack(ctx context.Context) Outcome {
	r := s.j.Now().Run
	if r.BootID != "" && r.BootID != s.BootID() {
		return s.isBack(ctx) // the restart was the last step
	}
	d, err := s.driver(r.Method)
	if err != nil {
		return s.end(protocol.StateFailed, protocol.ExitRollbackFailed, err.Error()+"; before: "+r.Message, nil)
	}
	limited, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*s.limit())
	defer stop()
	if err := s.mend(limited); err != nil {
		s.Log.Warn("the package manager could not be mended first", "error", err)
	}
	restart, err := d.Restore(limited, rollback.Point{ID: r.Bundle, Before: r.Before})
	if err != nil {
		return s.end(protocol.StateFailed, protocol.ExitRollbackFailed, "the rollback failed: "+err.Error()+"; before: "+r.Message, nil)
	}
	if restart {
		if err := s.become(protocol.StateRollingBack, func(r *journal.Run) { r.BootID = s.BootID() }); err != nil {
			return s.internal(err)
		}
		return s.reboot(ctx)
	}
	return s.isBack(ctx)
}

// isBack believes only the versions.
func (s *session) isBack(ctx context.Context) Outcome {
	r := s.j.Now().Run
	list, err := s.system.Installed(ctx)
	if err != nil {
		return s.internal(err)
	}
	now := packages.Versions(list, s.machine.Arch)
	for key, want := range r.Before {
		if have := now[key]; have != want {
			return s.end(protocol.StateFailed, protocol.ExitRollbackFailed, fmt.Sprintf("after the rollback %s is %s and was %s; before: %s", key, orNone(have), orNone(want), r.Message), nil)
		}
	}
	if broken, err := s.system.Broken(ctx); err != nil || broken != "" {
		return s.end(protocol.StateFailed, protocol.ExitRollbackFailed, fmt.Sprintf("after the rollback packages are broken: %s %v; before: %s", broken, err, r.Message), nil)
	}
	err = s.j.Change(func(j *journal.Record) {
		j.Points = slices.DeleteFunc(slices.Clone(j.Points), func(p journal.Point) bool { return p.Bundle == r.Bundle })
		if j.Current == r.Bundle {
			j.Current = ""
		}
	})
	if err != nil {
		return s.internal(err)
	}
	out := s.end(protocol.StateRolledBack, r.Cause, r.Message, s.changes(r.After, r.Before))
	d, err := s.driver(r.Method)
	if err == nil {
		err = d.Delete(ctx, r.Bundle)
	}
	if err := errors.Join(err, os.RemoveAll(s.Root.Path(cache)), removed(filepath.Join(s.Dir, manifestFile))); err != nil {
		s.Log.Warn("scratch files stay", "error", err)
	}
	return out
}

// takeBack restores the newest point, for the portal or for a person.
func (s *session) takeBack(ctx context.Context, a protocol.Assignment) Outcome {
	points := s.j.Now().Points
	if a.Bundle != "" {
		points = slices.DeleteFunc(slices.Clone(points), func(p journal.Point) bool { return p.Bundle != a.Bundle })
	}
	if len(points) == 0 {
		out := s.outcome()
		out.Exit, out.Message = protocol.ExitOK, "there is nothing to go back from"
		return out
	}
	p := points[len(points)-1]
	if newest := s.j.Now().Points; newest[len(newest)-1].Bundle != p.Bundle {
		out := s.outcome()
		out.Exit, out.Message = protocol.ExitPreflight, "a newer bundle has been installed since; that one has to be taken back first"
		return out
	}
	if err := packages.WaitUnlocked(ctx, s.system, s.LockWait); err != nil {
		out := s.outcome()
		at := s.Now().Add(again)
		out.Exit, out.Message, out.Next = protocol.ExitDeferred, err.Error(), &at
		return out
	}
	// Through idle: what ended is followed by nothing but a new run.
	err := s.j.Change(func(r *journal.Record) {
		r.Run = journal.Run{State: protocol.StateRollingBack, Rollout: a.Rollout, Bundle: p.Bundle, Plan: a, Started: s.now(), Method: p.Method, Before: p.Before, After: p.After, Message: "taken back on request"}
	})
	if err == nil {
		err = s.tell(nil, nil)
	}
	if err != nil {
		return s.internal(err)
	}
	return s.goBack(ctx)
}

// Back is a person's rollback: the bundle stays away until the portal releases it.
func (w *Worker) Back(ctx context.Context) Outcome {
	return w.locked(ctx, func(s *session) Outcome {
		if out, busy := s.resume(ctx); busy {
			return out
		}
		out := s.takeBack(ctx, protocol.Assignment{Rollout: s.j.Now().Run.Rollout, Issued: s.j.Now().Issued})
		if out.State == protocol.StateRolledBack {
			err := s.j.Change(func(r *journal.Record) {
				r.Quarantined[out.Bundle] = journal.Quarantine{Reason: "taken back by hand", Since: s.now()}
			})
			if err != nil {
				return s.internal(err)
			}
		}
		return out
	})
}
