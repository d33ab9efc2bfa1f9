package edge

import (
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/rollout"
)

// TestEveryChangeHasAnActorAndAReason: whoever reads a rollout's history later learns
// who did what and why, also where people gave no reason, and where the rollout acted
// by itself. What people did is in the audit, too.
func TestEveryChangeHasAnActorAndAReason(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	w.enrolled(6)
	w.bring("b1", 1, "")
	row := w.begun(policyText("b1", "approval: {required: 1}", "rolloutStrategy: {type: Manual, batchSize: 2, pauseOn: {consecutive: 1}}"))
	for _, act := range []func() error{
		func() error { _, err := w.ApproveRollout(w.mia(), row.ID, ""); return err },
		func() error { _, err := w.ProceedRollout(w.ada(), row.ID, ""); return err },
		func() error { w.finish(row, protocol.StateRolledBack, protocol.ExitHealthFailed); return nil }, // pauses by itself
		func() error { _, err := w.ResumeRollout(w.mia(), row.ID, ""); return err },
		func() error { _, err := w.PauseRollout(w.ada(), row.ID, "lunch"); return err },
		func() error { _, err := w.AbortRollout(w.ada(), row.ID, "not today"); return err },
		func() error { _, err := w.RollBackRollout(w.ada(), row.ID, "take it back"); return err },
	} {
		w.must(act())
		w.tick(time.Minute)
	}
	events, err := w.rows().rolloutEvents(t.Context(), row.ID, 100)
	w.must(err)
	people, byItself := 0, map[string]bool{}
	for _, e := range events {
		if e.Reason == "" || e.Kind == "" || e.State == "" || e.At == 0 {
			t.Errorf("%+v", e)
		}
		if e.Actor != "" {
			people++
		} else {
			byItself[e.Kind+" "+e.State] = true
		}
	}
	if !byItself["state "+string(rollout.Paused)] || !byItself["batch "+string(rollout.Running)] || people < 7 {
		t.Errorf("%d by people, by itself %v\n%s", people, byItself, w.history(row))
	}
	audited := 0
	for _, line := range w.audits {
		if strings.HasPrefix(line, "edge.rollout.") {
			audited++
		}
	}
	if audited != people {
		t.Errorf("%d changes by people, %d in the audit:\n%s", people, audited, strings.Join(w.audits, "\n"))
	}
	// A check-in tells that a node failed, its report says why.
	list, err := w.rows().members(t.Context(), row.ID, memberFilter{state: string(rollout.RolledBackItself), limit: 10})
	w.must(err)
	if len(list) == 0 {
		t.Fatal("nobody failed")
	}
	m := list[0].Member
	n, err := w.rows().node(t.Context(), m.NodeID)
	w.must(err)
	exit := protocol.ExitHealthFailed
	_, err = w.TakeReports(t.Context(), n, []protocol.Report{{Seq: 1, At: w.clock.now(), Rollout: row.ID, Bundle: "b1", State: protocol.StateRolledBack, Exit: &exit, Message: "the till answered 502"}})
	w.must(err)
	if m, _, err = w.rows().member(t.Context(), row.ID, m.NodeID); err != nil || m.Reason != "the till answered 502" {
		t.Errorf("%+v %v", m, err)
	}
}
