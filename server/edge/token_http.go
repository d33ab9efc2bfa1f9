package edge

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) tokenRoutes(r api.Router) {
	read, write := api.Scoped("edge", identity.Read), api.Scoped("edge", identity.Write)
	r.GET("/tokens", read, api.Handle(s.httpTokens))
	r.POST("/tokens", write, api.Handle(s.httpCreateToken))
	r.DELETE("/tokens/:token", write, api.Handle(s.httpRevokeToken))
}

type tokensOut struct {
	Items []Token `json:"items"`
}

func (s *Service) httpTokens(ctx context.Context, in teamIn) (tokensOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return tokensOut{}, err
	}
	list, err := s.rows().tokens(ctx, team.ID)
	return tokensOut{list}, err
}

type createTokenIn struct {
	Team    string            `json:"team" form:"-"`
	Name    string            `json:"name" form:"-"`
	Site    string            `json:"site" form:"-"`
	Labels  map[string]string `json:"labels" form:"-"`
	Accepts bool              `json:"accepts" form:"-"`
	MaxUses int64             `json:"max_uses" form:"-"`
	Hours   float64           `json:"hours" form:"-"`
}

func (s *Service) httpCreateToken(ctx context.Context, in createTokenIn) (api.Created[Token], error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return api.Created[Token]{}, err
	}
	hours := min(max(in.Hours, -1), 1e6) // beyond either end it is refused
	t, err := s.CreateToken(ctx, team.ID, Token{Name: in.Name, Site: in.Site, Labels: in.Labels, Accepts: in.Accepts, MaxUses: in.MaxUses}, time.Duration(hours*float64(time.Hour)))
	return api.Created[Token]{Value: t}, err
}

type tokenIn struct {
	ID string `uri:"token" json:"-" form:"-"`
}

func (s *Service) httpRevokeToken(ctx context.Context, in tokenIn) (api.Nothing, error) {
	return api.Nothing{}, s.RevokeToken(ctx, in.ID)
}
