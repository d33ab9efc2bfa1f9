package notify

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

// Routes registers /ci/channels and a team's notifications below /api/v1.
func (s *Service) Routes(r api.Router) {
	s.teamRoutes(r)
	read, write := api.Scoped("ci", identity.Read), api.Scoped("ci", identity.Write)
	r.GET("/ci/channels", read, api.Handle(s.httpList))
	r.POST("/ci/channels", write, api.Handle(s.httpCreate))
	r.PATCH("/ci/channels/:id", write, api.Handle(s.httpChange))
	r.DELETE("/ci/channels/:id", write, api.Handle(s.httpDelete))
	r.POST("/ci/channels/:id/test", write, api.Handle(s.httpTest))
	r.GET("/ci/channels/:id/deliveries", read, api.Handle(s.httpHistory))
}

type listIn struct {
	Team string `form:"team" json:"-"`
}

type items[T any] struct {
	Items []T `json:"items"`
}

func (s *Service) httpList(ctx context.Context, in listIn) (items[Channel], error) {
	teams := identity.From(ctx).TeamIDs(reading)
	if in.Team != "" {
		team, err := identity.RequireTeam(ctx, in.Team, reading)
		if err != nil {
			return items[Channel]{}, err
		}
		teams = []int64{team.ID}
	}
	list, err := s.Channels(ctx, teams...)
	return items[Channel]{list}, err
}

type changeIn struct {
	Name       *string   `json:"name" form:"-"`
	Recipients *[]string `json:"recipients" form:"-"`
	URL        *string   `json:"url" form:"-"`
	Secret     *string   `json:"secret" form:"-"`
	Repository *string   `json:"repository" form:"-"`
	Events     *[]Event  `json:"events" form:"-"`
	Pipelines  *[]string `json:"pipelines" form:"-"`
	Enabled    *bool     `json:"enabled" form:"-"`
	Manner     *Manner   `json:"manner" form:"-"`
}

type createIn struct {
	Team string `json:"team" form:"-"`
	Kind Kind   `json:"kind" form:"-"`
	changeIn
}

// channelSecret is a new channel; a secret that was made is shown this once.
type channelSecret struct {
	Channel
	Secret string `json:"secret,omitempty"`
}

func (s *Service) httpCreate(ctx context.Context, in createIn) (api.Created[channelSecret], error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return api.Created[channelSecret]{}, err
	}
	c, secret, err := s.Create(ctx, team.ID, in.Kind, Change(in.changeIn))
	return api.Created[channelSecret]{Value: channelSecret{c, secret}}, err
}

type patchIn struct {
	ID string `uri:"id" json:"-" form:"-"`
	changeIn
}

func (s *Service) httpChange(ctx context.Context, in patchIn) (Channel, error) {
	return s.Change(ctx, in.ID, Change(in.changeIn))
}

type idIn struct {
	ID string `uri:"id" json:"-" form:"-"`
}

func (s *Service) httpDelete(ctx context.Context, in idIn) (api.Nothing, error) {
	return api.Nothing{}, s.Delete(ctx, in.ID)
}

func (s *Service) httpTest(ctx context.Context, in idIn) (TestResult, error) {
	return s.Test(ctx, in.ID)
}

type historyIn struct {
	ID     string `uri:"id" json:"-" form:"-"`
	Before int64  `form:"before" json:"-"`
}

func (s *Service) httpHistory(ctx context.Context, in historyIn) (items[Delivery], error) {
	list, err := s.History(ctx, in.ID, in.Before)
	return items[Delivery]{list}, err
}
