package github

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) hookRoutes(r api.Router, read, write api.Access) {
	r.GET("/ci/hooks", read, api.Handle(s.listHooks))
	r.POST("/ci/hooks", write, api.Handle(s.postHook))
	r.DELETE("/ci/hooks/:id", write, api.Handle(s.deleteHook))
	r.POST("/ci/hooks/:id/rotate", write, api.Handle(s.rotateHook))
}

func (s *Service) listHooks(ctx context.Context, in listIn) (items[Hook], error) {
	teams, err := readableTeams(ctx, in.Team)
	if err != nil {
		return items[Hook]{}, err
	}
	list, err := s.Hooks(ctx, teams...)
	return items[Hook]{list}, err
}

type postHookIn struct {
	Team       string `json:"team" form:"-"`
	Name       string `json:"name" form:"-"`
	Connection string `json:"connection" form:"-"`
}

func (s *Service) postHook(ctx context.Context, in postHookIn) (api.Created[HookSecret], error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return api.Created[HookSecret]{}, err
	}
	h, err := s.CreateHook(ctx, team.ID, in.Name, in.Connection)
	return api.Created[HookSecret]{Value: h}, err
}

func (s *Service) deleteHook(ctx context.Context, in idIn) (api.Nothing, error) {
	return api.Nothing{}, s.DeleteHook(ctx, in.ID)
}

func (s *Service) rotateHook(ctx context.Context, in idIn) (HookSecret, error) {
	return s.RotateHook(ctx, in.ID)
}
