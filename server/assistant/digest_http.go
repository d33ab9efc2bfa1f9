package assistant

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Slack) digestRoutes(g api.Router) {
	admin := api.Scoped("assistant", identity.Admin)
	g.GET("/digests", admin, api.Handle(s.httpDigests))
	g.POST("/digests", admin, api.Handle(s.httpAddDigest))
	g.PUT("/digests/:id", admin, api.Handle(s.httpSaveDigest))
	g.DELETE("/digests/:id", admin, api.Handle(s.httpDropDigest))
}

type digestsOut struct {
	Items []Digest `json:"items"`
}

func (s *Slack) httpDigests(ctx context.Context, in teamIn) (digestsOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, administering)
	if err != nil {
		return digestsOut{}, err
	}
	list, err := s.Digests(ctx, team)
	return digestsOut{list}, err
}

type digestIn struct {
	ID   string `uri:"id" json:"-"`
	Team string `json:"team"`
	DigestChange
}

func (s *Slack) httpAddDigest(ctx context.Context, in digestIn) (api.Created[Digest], error) {
	team, err := identity.RequireTeam(ctx, in.Team, administering)
	if err != nil {
		return api.Created[Digest]{}, err
	}
	d, err := s.SaveDigest(ctx, team, "", in.DigestChange)
	return api.Created[Digest]{Value: d, Location: "/api/v1/assistant/slack/digests/" + d.ID}, err
}

func (s *Slack) httpSaveDigest(ctx context.Context, in digestIn) (Digest, error) {
	team, err := identity.RequireTeam(ctx, in.Team, administering)
	if err != nil {
		return Digest{}, err
	}
	return s.SaveDigest(ctx, team, in.ID, in.DigestChange)
}

type dropDigestIn struct {
	ID   string `uri:"id" json:"-"`
	Team string `form:"team" json:"-"`
}

func (s *Slack) httpDropDigest(ctx context.Context, in dropDigestIn) (api.Nothing, error) {
	team, err := identity.RequireTeam(ctx, in.Team, administering)
	if err != nil {
		return api.Nothing{}, err
	}
	return api.Nothing{}, s.RemoveDigest(ctx, team, in.ID)
}
