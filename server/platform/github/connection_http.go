package github

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

// Routes registers the own API below /api/v1.
func (s *Service) Routes(r api.Router) {
	read, write := api.Scoped("ci", identity.Read), api.Scoped("ci", identity.Write)
	r.GET("/ci/connections", read, api.Handle(s.listConnections))
	r.POST("/ci/connections", write, api.Handle(s.postConnection))
	r.PATCH("/ci/connections/:id", write, api.Handle(s.patchConnection))
	r.DELETE("/ci/connections/:id", write, api.Handle(s.deleteConnection))
	r.POST("/ci/connections/:id/test", write, api.Handle(s.testConnection))
	s.appRoutes(r, read, write)
	s.hookRoutes(r, read, write)
	s.deliveryRoutes(r, read, write)
	s.manageRoutes(r, read, write)
	s.ruleRoutes(r, read, write)
}

type listIn struct {
	Team string `form:"team" json:"-"`
}

type idIn struct {
	ID string `uri:"id" json:"-" form:"-"`
}

type items[T any] struct {
	Items []T `json:"items"`
}

// readableTeams is the named team, or all in which the caller may read.
func readableTeams(ctx context.Context, name string) ([]int64, error) {
	if name == "" {
		return identity.From(ctx).TeamIDs(reading), nil
	}
	team, err := identity.RequireTeam(ctx, name, reading)
	return []int64{team.ID}, err
}

func (s *Service) listConnections(ctx context.Context, in listIn) (items[Connection], error) {
	teams, err := readableTeams(ctx, in.Team)
	if err != nil {
		return items[Connection]{}, err
	}
	list, err := s.Connections(ctx, teams...)
	return items[Connection]{list}, err
}

type postConnectionIn struct {
	Team   string `json:"team" form:"-"`
	Name   string `json:"name" form:"-"`
	APIURL string `json:"api_url" form:"-"`
	Token  string `json:"token" form:"-"`
}

func (s *Service) postConnection(ctx context.Context, in postConnectionIn) (api.Created[Connection], error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return api.Created[Connection]{}, err
	}
	c, err := s.CreateConnection(ctx, team.ID, in.Name, in.APIURL, in.Token)
	return api.Created[Connection]{Value: c}, err
}

type patchConnectionIn struct {
	ID           string  `uri:"id" json:"-" form:"-"`
	Name         *string `json:"name" form:"-"`
	APIURL       *string `json:"api_url" form:"-"`
	Token        *string `json:"token" form:"-"`
	Installation *int64  `json:"installation" form:"-"`
}

func (s *Service) patchConnection(ctx context.Context, in patchConnectionIn) (Connection, error) {
	return s.ChangeConnection(ctx, in.ID, ConnectionChange{Name: in.Name, APIURL: in.APIURL, Token: in.Token, Installation: in.Installation})
}

func (s *Service) deleteConnection(ctx context.Context, in idIn) (api.Nothing, error) {
	return api.Nothing{}, s.DeleteConnection(ctx, in.ID)
}

func (s *Service) testConnection(ctx context.Context, in idIn) (ConnectionTest, error) {
	return s.TestConnection(ctx, in.ID)
}
