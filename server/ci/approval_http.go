package ci

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) approvalRoutes(r api.Router) {
	r.GET("/approvals", reading(), api.Handle(s.httpApprovals))
	r.POST("/approvals/:id/approve", operating(), api.Handle(s.httpApprove))
	r.POST("/approvals/:id/reject", operating(), api.Handle(s.httpReject))
}

// approvalShape is a question as our own API shows it.
type approvalShape struct {
	ID             string        `json:"id"`
	Name           string        `json:"name"`
	State          ApprovalState `json:"state"`
	Build          ref           `json:"build"`
	Pipeline       ref           `json:"pipeline"`
	Job            ref           `json:"job"`
	CreatedBy      string        `json:"created_by"`
	Approvers      []string      `json:"approvers"`
	ReasonRequired bool          `json:"reason_required"`
	AskedAt        time.Time     `json:"asked_at"`
	ExpiresAt      time.Time     `json:"expires_at"`
	DecidedBy      string        `json:"decided_by"`
	DecidedAt      *time.Time    `json:"decided_at,omitempty"`
	Reason         string        `json:"reason"`
	// Refusal says why the caller may not approve; "" when they may.
	Refusal string `json:"refusal"`
	// Fork is set instead of build, pipeline and job where a commit of a fork waits.
	Fork *forkShape `json:"fork,omitempty"`
}

type approvalsIn struct {
	Team  string `form:"team" json:"-"`
	State string `form:"state" json:"-"`
}

type approvalList struct {
	Items []approvalShape `json:"items"`
}

func (s *Service) httpApprovals(ctx context.Context, in approvalsIn) (approvalList, error) {
	if in.Team == "" {
		return approvalList{}, problem.FieldError("team", "say which team, as ?team=main")
	}
	if in.State != "" && in.State != "waiting" && in.State != "decided" {
		return approvalList{}, problem.FieldError("state", "%q is neither waiting nor decided", in.State)
	}
	team, err := identity.RequireTeam(ctx, in.Team, scope(identity.Read))
	if err != nil {
		return approvalList{}, err
	}
	rows, err := s.approvals(ctx, team.ID, in.State != "decided", 100)
	if err != nil {
		return approvalList{}, err
	}
	out := approvalList{Items: make([]approvalShape, len(rows))}
	for i, r := range rows {
		if out.Items[i], err = s.shapeApproval(ctx, r); err != nil {
			return approvalList{}, err
		}
	}
	return out, s.addForks(ctx, team.ID, in.State != "decided", &out)
}

func (s *Service) shapeApproval(ctx context.Context, l approvalListed) (approvalShape, error) {
	r := l.Row
	out := approvalShape{ID: r.ID, Name: l.StepName, State: r.State, Build: ref{r.BuildID, l.BuildName}, Pipeline: ref{l.PipelineID, l.PipelineName},
		Job: ref{l.JobID, l.JobName}, CreatedBy: l.CreatedBy, Approvers: r.approvers(), ReasonRequired: r.ReasonRequired,
		AskedAt: r.AskedAt.Time(), ExpiresAt: r.ExpiresAt.Time(), DecidedBy: r.DecidedBy, DecidedAt: r.DecidedAt.pointer(), Reason: r.Reason}
	if r.State == ApprovalWaiting && !l.StepWaits {
		out.State = ApprovalWithdrawn
	}
	if out.State != ApprovalWaiting {
		out.Refusal = "It is " + string(out.State) + "."
		return out, nil
	}
	err := identity.Require(ctx, r.TeamID, scope(identity.Operate))
	if err == nil {
		err = s.mayDecide(ctx, r, decision{Approve: true, Reason: "given later"})
	}
	if p := problem.From(err); err != nil {
		if p.Kind == problem.Internal {
			return out, err
		}
		out.Refusal = p.Detail
	}
	return out, nil
}

type decideIn struct {
	ID       string `uri:"id" json:"-" form:"-"`
	Reviewer string `json:"reviewer" form:"-"`
	Reason   string `json:"reason" form:"-"`
}

func (s *Service) httpApprove(ctx context.Context, in decideIn) (approvalShape, error) {
	return s.httpDecide(ctx, in, true)
}

func (s *Service) httpReject(ctx context.Context, in decideIn) (approvalShape, error) {
	return s.httpDecide(ctx, in, false)
}

func (s *Service) httpDecide(ctx context.Context, in decideIn, approve bool) (approvalShape, error) {
	if shown, isFork, err := s.decideForkIn(ctx, in, approve); isFork || err != nil {
		return shown, err
	}
	if _, err := s.decide(ctx, in.ID, decision{Approve: approve, Reviewer: in.Reviewer, Reason: in.Reason}); err != nil {
		return approvalShape{}, err
	}
	listed, err := s.listedApproval(ctx, in.ID)
	if err != nil {
		return approvalShape{}, err
	}
	return s.shapeApproval(ctx, listed)
}
