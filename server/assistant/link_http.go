package assistant

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Slack) linkRoutes(g api.Router) {
	admin := api.Scoped("assistant", identity.Admin)
	g.POST("/link/look", api.SignedIn(), api.Handle(s.httpLookAtLink))
	g.POST("/link", api.SignedIn(), api.Handle(s.httpLink))
	g.GET("/me", api.SignedIn(), api.Handle(s.httpMyLinks))
	g.GET("/people", api.Admin(), api.Handle(s.httpPeople))
	g.DELETE("/people/:user", api.SignedIn(), api.Handle(s.httpUnlink))
	g.GET("/channels", admin, api.Handle(s.httpChannels))
	g.PUT("/channels/:channel", admin, api.Handle(s.httpSaveChannel))
	g.DELETE("/channels/:channel", admin, api.Handle(s.httpDropChannel))
}

type lookIn struct {
	Code string `json:"code"`
}

func (s *Slack) httpLookAtLink(ctx context.Context, in lookIn) (Invited, error) {
	return s.Invitation(ctx, in.Code)
}

type linkIn struct {
	Code string `json:"code"`
	Team string `json:"team"`
}

func (s *Slack) httpLink(ctx context.Context, in linkIn) (api.Nothing, error) {
	return api.Nothing{}, s.Link(ctx, in.Code, in.Team)
}

// LinkedPerson is a Slack user who is a user here.
type LinkedPerson struct {
	SlackUser string    `json:"slack_user"`
	Name      string    `json:"name"`
	User      string    `json:"user"`
	Team      string    `json:"team"`
	LinkedAt  time.Time `json:"linked_at"`
}

type peopleOut struct {
	Items []LinkedPerson `json:"items"`
}

func (s *Slack) links(ctx context.Context, user int64) (peopleOut, error) {
	out := peopleOut{Items: []LinkedPerson{}}
	row, ok, err := s.rows.settings(ctx)
	if err != nil || !ok {
		return out, err
	}
	list, err := s.rows.linksOf(ctx, row.Workspace, user)
	for _, p := range list {
		caller, err := s.Caller(ctx, p.UserID)
		if err != nil && !problem.Is(err, problem.Unauthorized) {
			return out, err
		}
		out.Items = append(out.Items, LinkedPerson{SlackUser: p.SlackUser, Name: p.SlackName, User: caller.Name, Team: p.Team, LinkedAt: time.UnixMilli(p.LinkedAt).UTC()})
	}
	return out, err
}

func (s *Slack) httpMyLinks(ctx context.Context, _ struct{}) (peopleOut, error) {
	return s.links(ctx, identity.From(ctx).UserID)
}

func (s *Slack) httpPeople(ctx context.Context, _ struct{}) (peopleOut, error) {
	return s.links(ctx, 0)
}

type personIn struct {
	User string `uri:"user" json:"-"`
}

func (s *Slack) httpUnlink(ctx context.Context, in personIn) (api.Nothing, error) {
	return api.Nothing{}, s.Unlink(ctx, in.User)
}

type channelsOut struct {
	Items []MappedChannel `json:"items"`
}

func (s *Slack) httpChannels(ctx context.Context, in teamIn) (channelsOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, administering)
	if err != nil {
		return channelsOut{}, err
	}
	list, err := s.Channels(ctx, team)
	return channelsOut{list}, err
}

type saveChannelIn struct {
	Channel      string   `uri:"channel" json:"-"`
	Team         string   `json:"team"`
	Repositories []string `json:"repositories"`
}

func (s *Slack) httpSaveChannel(ctx context.Context, in saveChannelIn) (MappedChannel, error) {
	team, err := identity.RequireTeam(ctx, in.Team, administering)
	if err != nil {
		return MappedChannel{}, err
	}
	return s.MapChannel(ctx, team, in.Channel, in.Repositories)
}

type dropChannelIn struct {
	Channel string `uri:"channel" json:"-"`
	Team    string `form:"team" json:"-"`
}

func (s *Slack) httpDropChannel(ctx context.Context, in dropChannelIn) (api.Nothing, error) {
	team, err := identity.RequireTeam(ctx, in.Team, administering)
	if err != nil {
		return api.Nothing{}, err
	}
	return api.Nothing{}, s.UnmapChannel(ctx, team, in.Channel)
}
