package accounts

import (
	"context"
	"net/url"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

type teamOut struct {
	Name string `json:"name"`
	// Role is the caller's.
	Role       identity.Role `json:"role"`
	Members    int64         `json:"members"`
	Privileged bool          `json:"privileged"`
	Created    time.Time     `json:"created_at"`
}

func (s *Service) teamRoutes(r api.Router) {
	r.GET("/teams", api.SignedIn(), api.Handle(s.handleTeams))
	r.POST("/teams", api.Admin(), api.Handle(s.handleCreateTeam))
	r.GET("/teams/:team", api.Scoped("accounts", identity.Read), api.Handle(s.handleTeam))
	r.PATCH("/teams/:team", api.Scoped("accounts", identity.Admin), api.Handle(s.handleChangeTeam))
	r.DELETE("/teams/:team", api.Scoped("accounts", identity.Admin), api.Handle(s.handleDeleteTeam))
}

func (s *Service) memberRoutes(r api.Router) {
	r.GET("/teams/:team/members", api.Scoped("accounts", identity.Read), api.Handle(s.handleMembers))
	r.PUT("/teams/:team/members/:user", api.Scoped("accounts", identity.Admin), api.Handle(s.handleSetMember))
	r.DELETE("/teams/:team/members/:user", api.Scoped("accounts", identity.Admin), api.Handle(s.handleRemoveMember))
}

func teamOutFor(ctx context.Context) func(Team) teamOut {
	roles := identity.From(ctx).Roles
	return func(t Team) teamOut {
		role := roles[t.ID]
		if role == "" {
			role = identity.Owner // just created by the caller
		}
		return teamOut{Name: t.Name, Role: role, Members: t.Members, Privileged: t.Privileged, Created: t.Created}
	}
}

func (s *Service) handleTeams(ctx context.Context, _ api.Nothing) (list[teamOut], error) {
	teams, err := s.Teams(ctx)
	return listOf(teams, teamOutFor(ctx)), err
}

type createTeamIn struct {
	Name string `json:"name"`
}

func (s *Service) handleCreateTeam(ctx context.Context, in createTeamIn) (api.Created[teamOut], error) {
	t, err := s.CreateTeam(ctx, in.Name)
	t.Members = 1
	return api.Created[teamOut]{Value: teamOutFor(ctx)(t), Location: "/api/v1/accounts/teams/" + url.PathEscape(t.Name)}, err
}

type teamIn struct {
	Team string `uri:"team" json:"-"`
}

func (s *Service) handleTeam(ctx context.Context, in teamIn) (teamOut, error) {
	t, err := s.teamWithCount(ctx, in.Team)
	return teamOutFor(ctx)(t), err
}

func (s *Service) teamWithCount(ctx context.Context, name string) (Team, error) {
	t, err := s.store.teamByName(ctx, name)
	if err != nil {
		return t, err
	}
	found, err := s.store.teams(ctx, []int64{t.ID})
	if err == nil && len(found) == 1 {
		t = found[0]
	}
	return t, err
}

type changeTeamIn struct {
	Team       string  `uri:"team" json:"-"`
	Name       *string `json:"name"`
	Privileged *bool   `json:"privileged"`
}

func (s *Service) handleChangeTeam(ctx context.Context, in changeTeamIn) (teamOut, error) {
	t, err := s.ChangeTeam(ctx, in.Team, TeamChange{Name: in.Name, Privileged: in.Privileged})
	if err != nil {
		return teamOut{}, err
	}
	t, err = s.teamWithCount(ctx, t.Name)
	return teamOutFor(ctx)(t), err
}

func (s *Service) handleDeleteTeam(ctx context.Context, in teamIn) (api.Nothing, error) {
	return api.Nothing{}, s.DeleteTeam(ctx, in.Team)
}

type memberOut struct {
	Name     string        `json:"name"`
	Role     identity.Role `json:"role"`
	IsAdmin  bool          `json:"is_admin"`
	Disabled bool          `json:"disabled"`
}

func (s *Service) handleMembers(ctx context.Context, in teamIn) (list[memberOut], error) {
	members, err := s.Members(ctx, in.Team)
	return listOf(members, func(m Member) memberOut {
		return memberOut{Name: m.User.Name, Role: m.Role, IsAdmin: m.User.IsAdmin, Disabled: m.User.Disabled}
	}), err
}

type memberIn struct {
	Team string        `uri:"team" json:"-"`
	User string        `uri:"user" json:"-"`
	Role identity.Role `json:"role"`
}

func (s *Service) handleSetMember(ctx context.Context, in memberIn) (api.Nothing, error) {
	return api.Nothing{}, s.SetMember(ctx, in.Team, in.User, in.Role)
}

func (s *Service) handleRemoveMember(ctx context.Context, in memberIn) (api.Nothing, error) {
	return api.Nothing{}, s.RemoveMember(ctx, in.Team, in.User)
}
