package ci

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// ApprovalState is where a question for approval stands; the words are stored.
type ApprovalState string

// The states.
const (
	ApprovalWaiting  ApprovalState = "waiting"
	ApprovalApproved ApprovalState = "approved"
	ApprovalRejected ApprovalState = "rejected"
	ApprovalExpired  ApprovalState = "expired" // nobody decided in time
	// ApprovalWithdrawn is never stored: the step that waited has ended, aborted or timed out.
	ApprovalWithdrawn ApprovalState = "withdrawn"
)

const (
	approvalChannel = "ci.approval"
	topicApproval   = "ci.approval"
	expiredReason   = "nobody decided in time"
	maxReason       = 2000
	// approvalGlance is how often a waiting step looks without having been told.
	approvalGlance = 30 * time.Second
	// authorDepth bounds how far pipelines are followed that were set by builds of others.
	authorDepth = 5
)

// AskApproval stores a step's question; for a step that asked before it finds it again.
func (s *Service) AskApproval(ctx context.Context, gate resource.Gate) (resource.Asked, error) {
	b, err := s.build(ctx, gate.Build)
	if err != nil {
		return resource.Asked{}, err
	}
	excluded, err := s.interested(ctx, b, authorDepth)
	if err != nil {
		return resource.Asked{}, err
	}
	now := s.now()
	row := approvalRow{ID: s.deps.NewID(), TeamID: b.TeamID, BuildID: b.ID, Handle: string(gate.Handle), Approvers: encode(append([]string{}, gate.Approvers...)),
		ReasonRequired: gate.ReasonRequired, Excluded: encode(excluded), State: ApprovalWaiting, AskedAt: toMillis(now), ExpiresAt: toMillis(now.Add(gate.Timeout))}
	isNew := false
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if isNew, err = s.insertApproval(ctx, row); err != nil {
			return err
		}
		if isNew {
			return s.tellAsked(ctx, b, row)
		}
		row, err = s.approvalByHandle(ctx, row.Handle)
		return err
	})
	if err == nil && isNew {
		s.approvalChanged(ctx, row)
	}
	return resource.Asked{ID: row.ID, ExpiresAt: row.ExpiresAt.Time()}, err
}

// interested are those who may not approve: who started the build, and who last set
// its pipeline, also through builds of other pipelines.
func (s *Service) interested(ctx context.Context, b buildRow, depth int) ([]string, error) {
	names := []string{}
	if b.CreatedBy != "" {
		names = append(names, b.CreatedBy)
	}
	if b.PipelineID == 0 || depth == 0 {
		return names, nil
	}
	p, err := s.pipeline(ctx, b.PipelineID)
	if err != nil {
		return nil, err
	}
	id, byBuild := strings.CutPrefix(p.UpdatedBy, "build ")
	if !byBuild {
		return append(names, p.UpdatedBy), nil
	}
	setter, err := s.build(ctx, parseID(id))
	if problem.Is(err, problem.NotFound) {
		return names, nil
	}
	if err != nil {
		return nil, err
	}
	more, err := s.interested(ctx, setter, depth-1)
	return append(names, more...), err
}

// AwaitApproval returns when somebody has decided or time is up.
func (s *Service) AwaitApproval(ctx context.Context, id string) (resource.Verdict, error) {
	told := make(chan struct{}, 1)
	defer s.db.Listen(approvalChannel, func(which string) {
		if which == "" || which == id {
			select {
			case told <- struct{}{}:
			default:
			}
		}
	})()
	leave := func() {}
	defer func() { leave() }()
	for first := true; ; first = false {
		row, err := s.approval(ctx, id)
		if err != nil {
			return resource.Verdict{}, err
		}
		left := row.ExpiresAt.Time().Sub(s.now())
		switch {
		case row.State != ApprovalWaiting:
			return resource.Verdict{Approved: row.State == ApprovalApproved, By: row.DecidedBy, Reason: row.Reason}, nil
		case left <= 0:
			if err := s.expireApproval(ctx, row); err != nil {
				return resource.Verdict{}, err
			}
			continue
		}
		if first {
			leave = resource.Waiting(ctx, row.ExpiresAt.Time())
		}
		timer := time.NewTimer(min(left, approvalGlance))
		select {
		case <-ctx.Done():
			timer.Stop()
			return resource.Verdict{}, ctx.Err()
		case <-told:
			timer.Stop()
		case <-timer.C:
		}
	}
}

func (s *Service) expireApproval(ctx context.Context, row approvalRow) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		row.State, row.Reason, row.DecidedAt = ApprovalExpired, expiredReason, toMillis(s.now())
		changed, err := s.settleApproval(ctx, row, "")
		if err != nil || !changed {
			return err
		}
		s.approvalChanged(ctx, row)
		return s.audit(ctx, row.TeamID, "approval.expire", "build "+formatInt(row.BuildID), "")
	})
}

// decision is what a person says to a question.
type decision struct {
	Approve          bool
	Reviewer, Reason string
}

// decide stores a person's answer; the step that waits goes on wherever it runs.
func (s *Service) decide(ctx context.Context, id string, d decision) (approvalRow, error) {
	d.Reason = strings.TrimSpace(d.Reason)
	var row approvalRow
	err := s.db.Tx(ctx, func(ctx context.Context) (err error) {
		if row, err = s.approvalFor(ctx, id); err != nil {
			return err
		}
		if err := s.mayDecide(ctx, row, d); err != nil {
			return err
		}
		row.State, row.DecidedBy, row.Reason, row.DecidedAt = ApprovalRejected, callerName(ctx), d.Reason, toMillis(s.now())
		action := "approval.reject"
		if d.Approve {
			row.State, action = ApprovalApproved, "approval.approve"
		}
		changed, err := s.decideApproval(ctx, row)
		if err != nil {
			return err
		}
		if !changed {
			return problem.New(problem.Conflict, "Somebody else was faster, or the build waits no more.")
		}
		if err := s.audit(ctx, row.TeamID, action, "build "+formatInt(row.BuildID), d.Reason); err != nil {
			return err
		}
		s.approvalChanged(ctx, row)
		b, err := s.build(ctx, row.BuildID)
		if err != nil {
			return err
		}
		if err := s.unpark(ctx, b); err != nil {
			return err
		}
		return s.db.Notify(ctx, approvalChannel, row.ID)
	})
	return row, err
}

// approvalFor loads a question of a team in which the caller may run jobs.
func (s *Service) approvalFor(ctx context.Context, id string) (approvalRow, error) {
	row, err := s.approval(ctx, id)
	if err == nil {
		err = identity.Require(ctx, row.TeamID, scope(identity.Operate))
	}
	return row, err
}

func (s *Service) mayDecide(ctx context.Context, row approvalRow, d decision) error {
	caller := identity.From(ctx)
	if d.Reviewer != "" && d.Reviewer != caller.Name {
		return problem.FieldError("reviewer", "must be you (%s); nobody decides in another's name", caller.Name)
	}
	switch {
	case row.State != ApprovalWaiting:
		return problem.New(problem.Conflict, "This was decided already: it is %s.", row.State)
	case !s.now().Before(row.ExpiresAt.Time()):
		return problem.New(problem.Conflict, "Time is up: %s.", expiredReason)
	case row.ReasonRequired && d.Reason == "":
		return problem.FieldError("reason", "is required here")
	case len(d.Reason) > maxReason:
		return problem.FieldError("reason", "is longer than %d characters", maxReason)
	}
	if !isApprover(caller, row.TeamID, row.approvers()) {
		return problem.New(problem.Forbidden, "Only %s may decide this.", joinWords(row.approvers()))
	}
	if !d.Approve {
		return nil // who started a build may always take it back
	}
	return s.refuseInterested(ctx, row, caller.Name)
}

// refuseInterested asks again who set the pipeline: it may be set while a build waits.
func (s *Service) refuseInterested(ctx context.Context, row approvalRow, name string) error {
	b, err := s.build(ctx, row.BuildID)
	if err != nil {
		return err
	}
	now, err := s.interested(ctx, b, authorDepth)
	switch {
	case err != nil:
		return err
	case name == b.CreatedBy:
		return problem.New(problem.Forbidden, "You started this build, so somebody else must approve it.")
	case slices.Contains(now, name), slices.Contains(row.excluded(), name):
		return problem.New(problem.Forbidden, "You last set this pipeline, so somebody else must approve its builds.")
	}
	return nil
}

// isApprover matches a caller with names of roles (or a higher one), users and teams.
// The word of a role is never a user's name.
func isApprover(c identity.Caller, team int64, approvers []string) bool {
	if len(approvers) == 0 {
		return true
	}
	for _, name := range approvers {
		if wanted := slices.Index(identity.Roles, identity.Role(name)); wanted >= 0 {
			if slices.Index(identity.Roles, c.Roles[team]) >= wanted {
				return true
			}
			continue
		}
		if _, member := c.Teams[name]; member || name == c.Name {
			return true
		}
	}
	return false
}

func (s *Service) approvalChanged(ctx context.Context, row approvalRow) {
	s.changed(ctx, row.TeamID, topicBuild, row.BuildID)
	if s.deps.Publish == nil {
		return
	}
	if err := s.deps.Publish(ctx, row.TeamID, topicApproval, row.ID); err != nil {
		s.deps.Log.WarnContext(ctx, "telling the browsers failed", "topic", topicApproval, "id", row.ID, "error", err)
	}
}
