package logs

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

var administering = identity.Scope{Capability: "logs", Level: identity.Admin}

func (s *Service) limitRoutes(r api.Router) {
	r.GET("/limits", api.Scoped("logs", identity.Read), api.Handle(s.httpLimits))
	r.PUT("/limits", api.Scoped("logs", identity.Admin), api.Handle(s.httpSetLimits))
}

func (s *Service) httpLimits(ctx context.Context, in teamIn) (TeamLimits, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return TeamLimits{}, err
	}
	return s.LimitsOf(ctx, team.ID)
}

type limitsIn struct {
	Team string `json:"team" form:"team"`
	Limits
}

func (s *Service) httpSetLimits(ctx context.Context, in limitsIn) (TeamLimits, error) {
	team, err := identity.RequireTeam(ctx, in.Team, administering)
	if err != nil {
		return TeamLimits{}, err
	}
	return s.SetLimits(ctx, team, in.Limits)
}
