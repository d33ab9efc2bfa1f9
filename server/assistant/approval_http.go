package assistant

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) approvalRoutes(r api.Router) {
	if s.Outside != nil {
		s.Outside.Routes(r)
	}
	r.GET("/approvals", api.Scoped("assistant", identity.Read), api.Handle(s.httpApprovals))
	r.GET("/approvals/:id", api.Scoped("assistant", identity.Read), api.Handle(s.httpApproval))
	// Who may decide depends on the tool; reading is what everybody here needs.
	r.POST("/approvals/:id/approve", api.Scoped("assistant", identity.Read), api.Handle(s.httpApprove))
	r.POST("/approvals/:id/deny", api.Scoped("assistant", identity.Read), api.Handle(s.httpDeny))
}

type approvalsIn struct {
	Team  string `form:"team" json:"-"`
	State string `form:"state" json:"-"`
}

type approvalsOut struct {
	Items []Approval `json:"items"`
}

func (s *Service) httpApprovals(ctx context.Context, in approvalsIn) (approvalsOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, asking)
	if err != nil {
		return approvalsOut{}, err
	}
	if in.State != "" && in.State != "waiting" && in.State != "decided" {
		return approvalsOut{}, problem.FieldError("state", "is neither waiting nor decided")
	}
	list, err := s.Approvals(ctx, team, in.State != "decided")
	return approvalsOut{list}, err
}

type approvalIn struct {
	ID string `uri:"id" json:"-"`
}

func (s *Service) httpApproval(ctx context.Context, in approvalIn) (Approval, error) {
	return s.Approval(ctx, in.ID)
}

func (s *Service) httpApprove(ctx context.Context, in approvalIn) (Approval, error) {
	return s.Approve(ctx, in.ID)
}

type denyIn struct {
	ID     string `uri:"id" json:"-"`
	Reason string `json:"reason,omitempty"`
}

func (s *Service) httpDeny(ctx context.Context, in denyIn) (Approval, error) {
	return s.Deny(ctx, in.ID, in.Reason)
}
