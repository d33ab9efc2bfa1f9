package edge

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/signalbox/signalbox/server/edge/policy"
	"github.com/signalbox/signalbox/server/edge/rollout"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// change runs fn on a rollout that the caller may write, in a transaction that
// others who change it wait for.
func (s *Service) change(ctx context.Context, id string, fn func(ctx context.Context, row *rolloutRow) error) (rolloutRow, error) {
	var row rolloutRow
	err := s.DB.Tx(ctx, func(ctx context.Context) (err error) {
		if row, err = s.rows().rollout(ctx, id, true); err != nil {
			return err
		}
		if err := identity.Require(ctx, row.TeamID, reading); err != nil {
			return err
		}
		if err := identity.Require(ctx, row.TeamID, writing); err != nil {
			return err
		}
		return fn(ctx, &row)
	})
	return row, err
}

// become moves a rollout to a state, and tells of it.
func (s *Service) become(ctx context.Context, row *rolloutRow, to rollout.State, reason string) error {
	if !row.State.CanBecome(to) {
		return problem.New(problem.Conflict, "Rollout %d is %s and cannot become %s.", row.Number, row.State, to)
	}
	now := s.millis()
	row.State, row.Reason, row.OrderedAt, row.Waits, row.AgainAt = to, reason, now, "", now
	if to == rollout.Running && row.StartedAt == 0 {
		row.StartedAt = now
	}
	if row.EndedAt = 0; !to.Active() {
		row.EndedAt = now
	}
	if err := s.rows().setRollout(ctx, *row); err != nil {
		return err
	}
	return s.told(ctx, row, "state", reason)
}

// PauseRollout releases nothing more until somebody resumes it. What installs ends;
// a node that is offline and holds its release may still begin.
func (s *Service) PauseRollout(ctx context.Context, id, reason string) (rolloutRow, error) {
	reason, err := checkReason(reason, true)
	if err != nil {
		return rolloutRow{}, err
	}
	return s.change(ctx, id, func(ctx context.Context, row *rolloutRow) error { return s.become(ctx, row, rollout.Paused, reason) })
}

// unsaid is the reason of what people may do without giving one: a history without
// reasons helps nobody.
const unsaid = "no reason was given"

// ResumeRollout goes on. The failures so far are known from now on and pause
// nothing any more.
func (s *Service) ResumeRollout(ctx context.Context, id, reason string) (rolloutRow, error) {
	reason, err := checkReason(reason, false)
	if err != nil {
		return rolloutRow{}, err
	}
	return s.change(ctx, id, func(ctx context.Context, row *rolloutRow) error {
		if row.State != rollout.Paused {
			return problem.New(problem.Conflict, "Rollout %d is %s, not paused.", row.Number, row.State)
		}
		row.SinceAt = s.millis()
		return s.become(ctx, row, rollout.Running, cmp.Or(reason, unsaid))
	})
}

// ProceedRollout lets the next batch go as soon as the present one is closed,
// without its rest.
func (s *Service) ProceedRollout(ctx context.Context, id, reason string) (rolloutRow, error) {
	reason, err := checkReason(reason, false)
	if err != nil {
		return rolloutRow{}, err
	}
	return s.change(ctx, id, func(ctx context.Context, row *rolloutRow) error {
		if row.State != rollout.Running || row.Batch+1 >= row.Batches {
			return problem.New(problem.Conflict, "Rollout %d is %s and has no next batch to begin.", row.Number, row.State)
		}
		row.Proceeds, row.AgainAt = true, s.millis()
		if err := s.rows().setRollout(ctx, *row); err != nil {
			return err
		}
		return s.told(ctx, row, "proceed", cmp.Or(reason, unsaid))
	})
}

// AbortRollout ends it where it stands: what has the bundle keeps it.
func (s *Service) AbortRollout(ctx context.Context, id, reason string) (rolloutRow, error) {
	reason, err := checkReason(reason, true)
	if err != nil {
		return rolloutRow{}, err
	}
	return s.change(ctx, id, func(ctx context.Context, row *rolloutRow) error { return s.end(ctx, row, reason) })
}

// end aborts a rollout in the context's transaction.
func (s *Service) end(ctx context.Context, row *rolloutRow, reason string) error {
	if err := s.become(ctx, row, rollout.Aborted, reason); err != nil {
		return err
	}
	_, err := s.rows().moveMembers(ctx, row.ID, nil, rollout.Missed, "the rollout was aborted", s.millis(), stillOpen()...)
	return err
}

// stillOpen are the states of nodes that have not begun.
func stillOpen() []rollout.NodeState {
	return []rollout.NodeState{rollout.Waiting, rollout.Released, rollout.Deferred, rollout.Away}
}

// RollBackRollout has every node take the bundle back that has installed it.
// Nodes restore what was before with what they kept of it.
func (s *Service) RollBackRollout(ctx context.Context, id, reason string) (rolloutRow, error) {
	reason, err := checkReason(reason, true)
	if err != nil {
		return rolloutRow{}, err
	}
	return s.change(ctx, id, func(ctx context.Context, row *rolloutRow) error { return s.takeBack(ctx, row, reason) })
}

func (s *Service) takeBack(ctx context.Context, row *rolloutRow, reason string) error {
	if row.StartedAt == 0 {
		return problem.New(problem.Conflict, "Rollout %d has not begun, so there is nothing to take back.", row.Number)
	}
	if err := s.become(ctx, row, rollout.RollingBack, reason); err != nil {
		return err
	}
	if _, err := s.rows().moveMembers(ctx, row.ID, nil, rollout.Missed, "the rollout is being taken back", s.millis(), stillOpen()...); err != nil {
		return err
	}
	nodes, err := s.revertible(ctx, row)
	if err != nil {
		return err
	}
	_, err = s.rows().moveMembers(ctx, row.ID, nodes, rollout.Reverting, "the rollout is being taken back", s.millis(), rollout.Succeeded)
	return err
}

// revertible are the nodes that still have what the rollout installed: what came
// later cannot be left on top of it.
func (s *Service) revertible(ctx context.Context, row *rolloutRow) ([]string, error) {
	later, err := s.rows().installedLater(ctx, row.TeamID, row.Number)
	if err != nil {
		return nil, err
	}
	playing, err := s.rows().playing(ctx, row.ID)
	nodes := []string{}
	for _, m := range playing {
		if m.State == rollout.Succeeded && !later[m.NodeID] {
			nodes = append(nodes, m.NodeID)
		}
	}
	return nodes, err
}

// ApproveRollout agrees to a rollout that awaits it. Who began it does not count.
func (s *Service) ApproveRollout(ctx context.Context, id, comment string) (rolloutRow, error) {
	comment, err := checkReason(comment, false)
	if err != nil {
		return rolloutRow{}, err
	}
	return s.change(ctx, id, func(ctx context.Context, row *rolloutRow) error {
		if row.State != rollout.AwaitingApproval {
			return problem.New(problem.Conflict, "Rollout %d is %s and awaits no approval.", row.Number, row.State)
		}
		who := identity.From(ctx)
		if who.Name == row.CreatedBy {
			return problem.New(problem.Forbidden, "Somebody else must approve: you began rollout %d.", row.Number)
		}
		if err := s.rows().insertApproval(ctx, approvalRow{row.ID, who.UserID, who.Name, comment, s.millis()}); err != nil {
			if database.IsDuplicate(err) {
				return problem.New(problem.Conflict, "You have approved rollout %d already.", row.Number)
			}
			return err
		}
		given, err := s.rows().approvals(ctx, row.ID)
		if err != nil {
			return err
		}
		if err := s.told(ctx, row, "approval", cmp.Or(comment, unsaid)); err != nil {
			return err
		}
		parsed, _ := policy.Parse([]byte(row.Body))
		if need := parsed.Spec.Approval.Required; len(given) < need {
			row.Waits = fmt.Sprintf("for %d more to approve", need-len(given))
			return s.rows().setRollout(ctx, *row)
		}
		return s.become(ctx, row, rollout.Running, fmt.Sprintf("%d approved", len(given)))
	})
}

// RejectRollout ends a rollout that awaits approval.
func (s *Service) RejectRollout(ctx context.Context, id, reason string) (rolloutRow, error) {
	reason, err := checkReason(reason, true)
	if err != nil {
		return rolloutRow{}, err
	}
	return s.change(ctx, id, func(ctx context.Context, row *rolloutRow) error {
		if row.State != rollout.AwaitingApproval {
			return problem.New(problem.Conflict, "Rollout %d is %s and awaits no approval.", row.Number, row.State)
		}
		return s.end(ctx, row, "rejected: "+reason)
	})
}

// approvalOf says how far a rollout's approval is, and whether the caller may add to it.
func (s *Service) approvalOf(ctx context.Context, row rolloutRow, required int) (approvalShape, error) {
	given, err := s.rows().approvals(ctx, row.ID)
	who := identity.From(ctx)
	out := approvalShape{Required: required, Given: []approvalGiven{}}
	for _, g := range given {
		out.Given = append(out.Given, approvalGiven{g.Name, g.Comment, instant(millisTime(g.At))})
	}
	out.Mine = slices.ContainsFunc(given, func(g approvalRow) bool { return g.UserID == who.UserID })
	out.May = row.State == rollout.AwaitingApproval && !out.Mine && who.Name != row.CreatedBy && who.Can(row.TeamID, writing)
	return out, err
}
