package edge

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/policy"
	"github.com/signalbox/signalbox/server/edge/rollout"
)

// said is one thing that a node said about its part in a rollout, in a check-in or
// a report.
type said struct {
	state  protocol.State
	exit   *protocol.Exit
	reason string
	at     time.Time
	// counts says that its window has come: until then a node that holds a release
	// calls itself deferred too, and is only waiting.
	counts bool
}

// revertPatience is how long a node that has the order may go on without taking a
// bundle back.
const revertPatience = time.Hour

// hear is what follows from it for the node's row; the row is returned as it was
// when nothing does. rolling is the state of the whole.
func hear(row memberRow, rolling rollout.State, what said) memberRow {
	row.AgentState = what.state
	next := row.State
	switch {
	case row.State == rollout.Reverting:
		// Until the order to go back has arrived it may still tell of its success.
		switch what.state {
		case protocol.StateRolledBack:
			next = rollout.Reverted
		case protocol.StateFailed:
			next = rollout.Failed
		case protocol.StateSucceeded, protocol.StateIdle:
			if row.DeliveredAt > 0 && what.at.Sub(millisTime(row.DeliveredAt)) > revertPatience {
				next, what.reason = rollout.Failed, "has its order and did not take the bundle back: perhaps it kept nothing to go back to"
			}
		}
	case what.state == protocol.StateSucceeded && (rolling == rollout.RollingBack || rolling == rollout.RolledBack):
		// Who was still installing goes back after that; the others have been told of.
		if !settled(row.State) && rolling == rollout.RollingBack {
			next = rollout.Reverting
		}
	case what.state == protocol.StateSucceeded:
		next = rollout.Succeeded
	case what.state == protocol.StateRolledBack && row.State != rollout.Reverted:
		next = rollout.RolledBackItself
	case what.state == protocol.StateFailed && row.State == rollout.Missed && what.exit != nil && *what.exit == protocol.ExitFreshness:
		// It found the deadline over, as we did.
	case what.state == protocol.StateFailed:
		next = rollout.Failed
	case what.state == protocol.StateQuarantined:
		next = rollout.Quarantined
	case what.state.Touching() && !settled(row.State):
		next = rollout.Installing
	case row.State == rollout.Silent && (what.state == protocol.StateStaging || what.state == protocol.StateStaged || what.state == protocol.StateVerifying || what.state == protocol.StateDeferred):
		next, what.reason = rollout.Deferred, "is there again, and had not begun"
	case what.state == protocol.StateDeferred && (row.State == rollout.Released && row.DeliveredAt > 0 && what.counts || row.State == rollout.Installing):
		next = rollout.Deferred
	}
	if what.exit != nil && what.state != protocol.StateStaging && what.state != protocol.StateIdle {
		row.ExitCode = int64(*what.exit)
	}
	if next == row.State {
		if row.Reason == "" { // a check-in told of the end, and the report says why
			row.Reason = what.reason
		}
		return row
	}
	row.State, row.Reason, row.ChangedAt = next, what.reason, what.at.UnixMilli()
	if next.Closed() {
		row.EndedAt = what.at.UnixMilli()
	}
	return row
}

// settled tells whether a node has told of its end; what only the clock ended may
// still begin.
func settled(s rollout.NodeState) bool {
	return s.Final() && s != rollout.Silent && s != rollout.Missed
}

// heardReports takes what nodes report, in the transaction that keeps it. Reports
// may be weeks old: only what ends a run counts here.
func (s *Service) heardReports(ctx context.Context, n Node, list []protocol.Report) error {
	for _, r := range list {
		if r.Rollout == "" || !(r.State.Final() || r.State == protocol.StateDeferred) {
			continue
		}
		row, found, err := s.rows().member(ctx, r.Rollout, n.ID)
		if err != nil {
			return err
		}
		if !found || row.TeamID != n.Team {
			continue // of a rollout that is gone, or not the node's
		}
		head, err := s.rows().rollout(ctx, r.Rollout, false)
		if err != nil {
			return err
		}
		counts := true
		if r.State == protocol.StateDeferred {
			parsed, _ := policy.Parse([]byte(head.Body)) // was good when it began
			frozen, err := s.frozen(ctx, n.Team, head.mends())
			if err != nil {
				return err
			}
			due := dueTimes{p: parsed, frozen: frozen, severities: head.mends(), from: millisTime(row.DeliveredAt), zones: map[string][]policy.Interval{}}.after(row.Zone, millisTime(row.DeliveredAt))
			counts = !due.IsZero() && !r.At.Before(due)
		}
		next := hear(row, head.State, said{r.State, r.Exit, clip(r.Message, maxReason), s.Now(), counts})
		if next == row {
			continue
		}
		if err := s.rows().setMember(ctx, next, row.State); err != nil {
			return err
		}
		if next.State != row.State {
			s.DB.AfterCommit(ctx, func() { s.orders.touch(r.Rollout) })
			if err := s.publish(ctx, n.Team, rolloutsTopic, r.Rollout); err != nil {
				return err
			}
		}
	}
	return nil
}

// fleetChanged hears that people changed nodes: rollouts look who is still there.
func (s *Service) fleetChanged(ctx context.Context, _ int64, _ []string) error {
	s.DB.AfterCommit(ctx, s.orders.fleetChanged)
	return nil
}
