package logs

import (
	"context"

	"github.com/signalbox/signalbox/server/logs/mask"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) maskRoutes(r api.Router) {
	r.GET("/masking", api.Scoped("logs", identity.Read), api.Handle(s.httpMasking))
	r.PUT("/masking", api.Scoped("logs", identity.Admin), api.Handle(s.httpSetMasking))
	r.POST("/masking/preview", api.Scoped("logs", identity.Read), api.Handle(s.httpPreviewMasking))
}

func (s *Service) httpMasking(ctx context.Context, in teamIn) (Masking, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return Masking{}, err
	}
	return s.rows.masking(ctx, team.ID)
}

type maskingIn struct {
	Team  string     `json:"team"`
	Rules mask.Rules `json:"rules"`
}

// whole gives lists that are left out as empty ones.
func (in maskingIn) whole() mask.Rules {
	if in.Rules.Keys == nil {
		in.Rules.Keys = []string{}
	}
	if in.Rules.Patterns == nil {
		in.Rules.Patterns = []string{}
	}
	return in.Rules
}

func (s *Service) httpSetMasking(ctx context.Context, in maskingIn) (Masking, error) {
	team, err := identity.RequireTeam(ctx, in.Team, identity.Scope{Capability: "logs", Level: identity.Admin})
	if err != nil {
		return Masking{}, err
	}
	return s.SetMasking(ctx, team, in.whole())
}

type maskingTrialIn struct {
	maskingIn
	Lines []string `json:"lines"`
}

func (s *Service) httpPreviewMasking(ctx context.Context, in maskingTrialIn) (MaskingPreview, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return MaskingPreview{}, err
	}
	return s.PreviewMasking(ctx, team, in.whole(), in.Lines)
}
