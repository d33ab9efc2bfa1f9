package edge

import (
	"context"
	"fmt"
	"time"

	"github.com/signalbox/signalbox/server/edge/rollout"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// StartRollout begins a policy's rollout as it stands now, or asks for approval
// where the policy wants one.
func (s *Service) StartRollout(ctx context.Context, team int64, policyID, reason string) (rolloutRow, error) {
	reason, err := checkReason(reason, true)
	if err != nil {
		return rolloutRow{}, err
	}
	var row rolloutRow
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		p, err := s.writablePolicy(ctx, policyID)
		if err != nil {
			return err
		}
		if p.TeamID != team {
			return problem.New(problem.NotFound, "There is no such policy.")
		}
		row, err = s.begin(ctx, p, reason)
		return err
	})
	return row, err
}

// begin makes a rollout in the context's transaction, in the caller's name.
func (s *Service) begin(ctx context.Context, p policyRow, reason string) (rolloutRow, error) {
	var row rolloutRow
	if err := s.rows().lockTeam(ctx, p.TeamID); err != nil {
		return row, err
	}
	parsed, _, err := readPolicy(p.Body)
	if err != nil {
		return row, err
	}
	plan, err := s.plan(ctx, p.TeamID, p.ID, parsed)
	if err != nil {
		return row, err
	}
	if len(plan.Problems) > 0 {
		return row, problem.New(problem.Conflict, "%s", plan.Problems[0])
	}
	number, err := s.rows().nextRolloutNumber(ctx, p.TeamID)
	if err != nil {
		return row, err
	}
	now := s.millis()
	row = rolloutRow{ID: s.NewID(), TeamID: p.TeamID, Number: number, PolicyID: p.ID, Policy: p.Name, Revision: p.Revision, Body: p.Body, BundleID: plan.Bundle.ID, BundleVersion: plan.Bundle.Version,
		ManifestSHA256: plan.Bundle.ManifestSHA256, Severities: text(append([]string{}, plan.Severities...)), State: rollout.Running, Reason: reason, Batches: len(plan.Batches), Batch: -1, Proceeds: true,
		OrderedAt: now, CreatedBy: identity.From(ctx).Name, CreatedAt: now, StartedAt: now}
	if ends := parsed.Spec.Schedule.Ends(zoneOf(parsed, "UTC")); !ends.IsZero() {
		row.DeadlineAt = ends.UnixMilli()
	}
	if need := parsed.Spec.Approval.Required; need > 0 {
		row.State, row.StartedAt, row.Waits = rollout.AwaitingApproval, 0, fmt.Sprintf("for %d to approve", need)
	}
	batches, members := plan.rows(row, now)
	if err := s.rows().insertRollout(ctx, row, batches, members); err != nil {
		return row, err
	}
	if err := s.rows().setWanted(ctx, p.ID, false, ""); err != nil {
		return row, err
	}
	return row, s.told(ctx, &row, "created", reason)
}

// rows are what is kept of a plan.
func (p *Plan) rows(of rolloutRow, now int64) (batches []batchRow, members []memberRow) {
	member := func(c Candidate, batch int, state rollout.NodeState) {
		members = append(members, of.member(c, batch, state, now))
	}
	for i, list := range p.Batches {
		batches = append(batches, batchRow{RolloutID: of.ID, Number: i, Size: len(list), Canary: p.Canary && i == 0})
		for _, c := range list {
			member(c, i, rollout.Waiting)
		}
	}
	for _, c := range p.Skipped {
		member(c, -1, rollout.Skipped)
	}
	return batches, members
}

// told writes down that a rollout changed, in the context's transaction: in its
// history, in the audit if a person did it, and to who looks at it.
func (s *Service) told(ctx context.Context, row *rolloutRow, kind, reason string) error {
	actor := identity.From(ctx).Name
	if err := s.rows().insertRolloutEvent(ctx, rolloutEventRow{RolloutID: row.ID, At: s.millis(), Kind: kind, State: string(row.State), Actor: actor, Reason: reason}); err != nil {
		return err
	}
	if actor != "" {
		if err := s.audit(ctx, row.TeamID, "edge.rollout."+kind, fmt.Sprintf("rollout %d of %s", row.Number, row.Policy), string(row.State)+": "+reason); err != nil {
			return err
		}
	}
	if err := s.ordersChanged(ctx); err != nil {
		return err
	}
	if s.OnRollout != nil && (kind == "created" || kind == "state") {
		failures, err := s.failures(ctx, row)
		if err != nil {
			return err
		}
		if err := s.OnRollout(ctx, RolloutChanged{row.TeamID, row.ID, row.Number, row.Policy, row.BundleID, row.State, actor, reason, failures}); err != nil {
			return err
		}
	}
	return s.publish(ctx, row.TeamID, rolloutsTopic, row.ID)
}

// RolloutChanged is what other parts are told of a rollout.
type RolloutChanged struct {
	Team           int64
	ID             string
	Number         int64
	Policy, Bundle string
	State          rollout.State
	// Actor is who did it, empty for the rollout itself.
	Actor, Reason string
	// Failures is how many nodes failed in one that is over.
	Failures int
}

func (s *Service) failures(ctx context.Context, row *rolloutRow) (n int, err error) {
	if row.State.Active() {
		return 0, nil
	}
	counts, err := s.rows().memberCounts(ctx, []string{row.ID}, "batch")
	for _, c := range counts {
		if c.State.Failure() {
			n += c.N
		}
	}
	return n, err
}

const rolloutsTopic = "edge.rollouts"

// millisTime turns a row's time into Go's; 0 is never.
func millisTime(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}
