package ci

import (
	"context"
	"fmt"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// approvalTools are what machines may do for builds that wait.
func (s *Service) approvalTools() []tools.Tool {
	return []tools.Tool{
		tools.New(tools.Spec{Name: "ci_approval_list", Title: "List approvals", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Builds of a team that wait for approval, or with state decided the last decisions."}, s.toolApprovals),
		tools.New(tools.Spec{Name: "ci_approval_approve", Title: "Approve a build", Class: tools.Destructive, Level: identity.Operate,
			Description: "Lets a build that waits go on, in the name of the caller. Nobody approves what they started or whose pipeline they last set."}, s.toolApprove),
		tools.New(tools.Spec{Name: "ci_approval_reject", Title: "Reject a build", Class: tools.Destructive, Level: identity.Operate,
			Description: "Fails the step that waits for approval, in the name of the caller."}, s.toolReject),
		tools.New(tools.Spec{Name: "ci_waiting_explain", Title: "Say why a build waits", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Sentences that say what a build waits for; none when it waits for nothing."}, s.toolWaiting),
		tools.New(tools.Spec{Name: "ci_job_get", Title: "Read a job", Class: tools.ReadOnly, Level: identity.Read,
			Description: "One job: its builds, the resources it takes and makes, the inputs it asks for, and why it waits."}, s.toolJob),
	}
}

type toolApprovalsIn struct {
	Team  string `json:"team"`
	State string `json:"state,omitempty"`
}

func (s *Service) toolApprovals(ctx context.Context, in toolApprovalsIn) (approvalList, error) {
	return s.httpApprovals(ctx, approvalsIn(in))
}

type toolDecideIn struct {
	Approval string `json:"approval"`
	Reason   string `json:"reason,omitempty"`
}

func (s *Service) toolApprove(ctx context.Context, in toolDecideIn) (approvalShape, error) {
	return s.httpApprove(ctx, decideIn{ID: in.Approval, Reason: in.Reason})
}

func (s *Service) toolReject(ctx context.Context, in toolDecideIn) (approvalShape, error) {
	return s.httpReject(ctx, decideIn{ID: in.Approval, Reason: in.Reason})
}

type toolWaitingOut struct {
	Build   int64    `json:"build"`
	Status  Status   `json:"status"`
	Waiting []string `json:"waiting"`
}

func (s *Service) toolWaiting(ctx context.Context, in toolBuildIn) (toolWaitingOut, error) {
	b, err := s.httpBuild(ctx, byID{in.Build})
	if err != nil {
		return toolWaitingOut{}, err
	}
	out := toolWaitingOut{Build: b.ID, Status: b.Status, Waiting: b.Waiting}
	asked, err := s.listApprovals(ctx, "a.build_id = ? AND a.state = 'waiting' AND "+stepWaits, b.ID)
	for _, a := range asked {
		who := "anybody who may run jobs"
		if names := a.Row.approvers(); len(names) > 0 {
			who = joinWords(names)
		}
		out.Waiting = append(out.Waiting, fmt.Sprintf("Step %s waits for approval by %s.", a.StepName, who))
	}
	return out, err
}

type toolJobIn struct {
	Team     string `json:"team"`
	Pipeline string `json:"pipeline"`
	Job      string `json:"job"`
}

func (s *Service) toolJob(ctx context.Context, in toolJobIn) (jobShape, error) {
	team, err := identity.RequireTeam(ctx, in.Team, scope(identity.Read))
	if err != nil {
		return jobShape{}, err
	}
	p, err := s.pipelineByName(ctx, team.ID, in.Pipeline, "")
	if err != nil {
		return jobShape{}, err
	}
	j, err := s.jobByName(ctx, p.ID, in.Job)
	if err != nil {
		return jobShape{}, err
	}
	return s.httpJob(ctx, byID{j.ID})
}
