package accounts

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

type tokenOut struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	User string `json:"user"`
	// Team is empty when the token is good for every team of the user.
	Team     string               `json:"team"`
	Scopes   identity.TokenScopes `json:"scopes"`
	Created  time.Time            `json:"created_at"`
	Expires  time.Time            `json:"expires_at,omitzero"`
	LastUsed time.Time            `json:"last_used_at,omitzero"`
}

func tokenOutOf(t Token) tokenOut {
	return tokenOut{ID: t.ID, Name: t.Name, User: t.User, Team: t.Team.Name, Scopes: t.Scopes, Created: t.Created, Expires: t.Expires, LastUsed: t.LastUsed}
}

func (s *Service) tokenRoutes(r api.Router) {
	r.GET("/tokens", api.SignedIn(), api.Handle(s.handleTokens))
	r.POST("/tokens", api.SignedIn(), api.Handle(s.handleCreateToken))
	r.DELETE("/tokens/:id", api.SignedIn(), api.Handle(s.handleRevokeToken))
}

type tokensIn struct {
	// Everybody asks, as an administrator, for all users' tokens.
	Everybody bool `form:"everybody"`
}

func (s *Service) handleTokens(ctx context.Context, in tokensIn) (list[tokenOut], error) {
	tokens, err := s.Tokens(ctx, in.Everybody)
	return listOf(tokens, tokenOutOf), err
}

type createTokenIn struct {
	Name   string               `json:"name"`
	Team   string               `json:"team"`
	Scopes identity.TokenScopes `json:"scopes"`
	Days   int                  `json:"expires_in_days"`
}

type createTokenOut struct {
	tokenOut
	// Token is the value, shown this once.
	Token string `json:"token"`
}

func (s *Service) handleCreateToken(ctx context.Context, in createTokenIn) (api.Created[createTokenOut], error) {
	t, secret, err := s.CreateToken(ctx, NewToken{Name: in.Name, Team: in.Team, Scopes: in.Scopes, Days: in.Days})
	return api.Created[createTokenOut]{Value: createTokenOut{tokenOutOf(t), secret}}, err
}

type tokenIn struct {
	ID string `uri:"id" json:"-"`
}

func (s *Service) handleRevokeToken(ctx context.Context, in tokenIn) (api.Nothing, error) {
	return api.Nothing{}, s.RevokeToken(ctx, in.ID)
}
