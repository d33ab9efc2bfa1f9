package edge

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) expectedRoutes(r api.Router) {
	write := api.Scoped("edge", identity.Write)
	r.GET("/expected", api.Scoped("edge", identity.Read), api.Handle(s.httpExpected))
	r.POST("/expected", write, api.Handle(s.httpExpect))
	r.DELETE("/expected/:fingerprint", write, api.Handle(s.httpForgetExpected))
}

type expectedOut struct {
	Items []Expected `json:"items"`
}

func (s *Service) httpExpected(ctx context.Context, in teamIn) (expectedOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return expectedOut{}, err
	}
	list, err := s.ExpectedNodes(ctx, team.ID)
	return expectedOut{list}, err
}

type expectIn struct {
	Team  string `json:"team" form:"-"`
	Days  int    `json:"days" form:"-"`
	Items []struct {
		Fingerprint string            `json:"fingerprint"`
		Name        string            `json:"name"`
		Site        string            `json:"site"`
		Labels      map[string]string `json:"labels"`
	} `json:"items" form:"-"`
}

func (s *Service) httpExpect(ctx context.Context, in expectIn) (api.Created[expectedOut], error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return api.Created[expectedOut]{}, err
	}
	list := make([]Expected, len(in.Items))
	for i, e := range in.Items {
		list[i] = Expected{Fingerprint: e.Fingerprint, Name: e.Name, Site: e.Site, Labels: e.Labels}
	}
	list, err = s.Expect(ctx, team.ID, list, in.Days)
	return api.Created[expectedOut]{Value: expectedOut{list}}, err
}

type forgetExpectedIn struct {
	Team        string `form:"team" json:"-"`
	Fingerprint string `uri:"fingerprint" json:"-" form:"-"`
}

func (s *Service) httpForgetExpected(ctx context.Context, in forgetExpectedIn) (api.Nothing, error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return api.Nothing{}, err
	}
	return api.Nothing{}, s.ForgetExpected(ctx, team.ID, in.Fingerprint)
}
