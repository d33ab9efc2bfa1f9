package edge

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) policySourceRoutes(r api.Router) {
	admin := api.Scoped("edge", identity.Admin)
	r.GET("/policy-sources", api.Scoped("edge", identity.Read), api.Handle(s.httpPolicySources))
	r.POST("/policy-sources", admin, api.Handle(s.httpCreatePolicySource))
	r.PUT("/policy-sources/:source", admin, api.Handle(s.httpChangePolicySource))
	r.DELETE("/policy-sources/:source", admin, api.Handle(s.httpDeletePolicySource))
	r.POST("/policy-sources/:source/sync", api.Scoped("edge", identity.Write), api.Handle(s.httpSyncPolicySource))
}

type policySourcesOut struct {
	Items []PolicySource `json:"items"`
}

func (s *Service) httpPolicySources(ctx context.Context, in policyTeamIn) (policySourcesOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return policySourcesOut{}, err
	}
	list, err := s.PolicySources(ctx, team.ID)
	return policySourcesOut{list}, err
}

type createPolicySourceIn struct {
	Team       string `json:"team"`
	Repository string `json:"repository"`
	Branch     string `json:"branch"`
	Folder     string `json:"folder"`
	Starts     bool   `json:"starts"`
	OnRevert   string `json:"on_revert"`
}

func (s *Service) httpCreatePolicySource(ctx context.Context, in createPolicySourceIn) (api.Created[PolicySource], error) {
	team, err := identity.RequireTeam(ctx, in.Team, administering)
	if err != nil {
		return api.Created[PolicySource]{}, err
	}
	src, err := s.CreatePolicySource(ctx, team.ID, PolicySource{Repository: in.Repository, Branch: in.Branch, Folder: in.Folder, Starts: in.Starts, OnRevert: in.OnRevert})
	return api.Created[PolicySource]{Value: src}, err
}

type changePolicySourceIn struct {
	Source   string `uri:"source" json:"-"`
	Branch   string `json:"branch"`
	Folder   string `json:"folder"`
	Starts   bool   `json:"starts"`
	OnRevert string `json:"on_revert"`
}

func (s *Service) httpChangePolicySource(ctx context.Context, in changePolicySourceIn) (PolicySource, error) {
	return s.ChangePolicySource(ctx, in.Source, PolicySource{Branch: in.Branch, Folder: in.Folder, Starts: in.Starts, OnRevert: in.OnRevert})
}

type policySourceIn struct {
	Source string `uri:"source" json:"-"`
}

func (s *Service) httpDeletePolicySource(ctx context.Context, in policySourceIn) (api.Nothing, error) {
	return api.Nothing{}, s.DeletePolicySource(ctx, in.Source)
}

func (s *Service) httpSyncPolicySource(ctx context.Context, in policySourceIn) (PolicySource, error) {
	return s.SyncPolicySource(ctx, in.Source)
}
