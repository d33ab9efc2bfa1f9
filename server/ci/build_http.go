package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) buildRoutes(r api.Router) {
	r.GET("/builds", reading(), api.Handle(s.httpBuilds))
	r.GET("/builds/:id", exposable(), s.preferHome(api.Handle(s.httpBuild)))
	r.POST("/builds/:id/abort", operating(), api.Handle(s.httpAbort))
	r.POST("/builds/:id/rerun", operating(), api.Handle(s.httpRerun))
}

func (s *Service) httpBuilds(ctx context.Context, in pageIn) (buildPage, error) {
	if in.Team == "" {
		return buildPage{}, problem.FieldError("team", "say which team, as ?team=main")
	}
	team, err := identity.RequireTeam(ctx, in.Team, scope(identity.Read))
	if err != nil {
		return buildPage{}, err
	}
	return s.buildPageOf(ctx, buildFilter{Teams: []int64{team.ID}, Below: in.Before, Limit: in.Limit})
}

func (s *Service) httpBuild(ctx context.Context, in byID) (buildShape, error) {
	b, err := s.seenBuild(ctx, in.ID)
	if err != nil {
		return buildShape{}, err
	}
	return s.shapeBuild(ctx, b)
}

func (s *Service) httpAbort(ctx context.Context, in byID) (buildShape, error) {
	b, err := s.buildFor(ctx, in.ID, identity.Operate)
	if err != nil {
		return buildShape{}, err
	}
	if b.Status.Ended() {
		return buildShape{}, problem.New(problem.Conflict, "Build #%s has ended already: it %s.", b.Name, b.Status)
	}
	if err := s.abort(ctx, b); err != nil {
		return buildShape{}, err
	}
	return s.httpBuild(ctx, in)
}

func (s *Service) httpRerun(ctx context.Context, in byID) (api.Created[buildShape], error) {
	of, err := s.buildFor(ctx, in.ID, identity.Operate)
	if err != nil {
		return api.Created[buildShape]{}, err
	}
	b, err := s.rerun(ctx, of)
	if err != nil {
		return api.Created[buildShape]{}, err
	}
	return s.createdBuild(ctx, b)
}
