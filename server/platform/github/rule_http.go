package github

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) ruleRoutes(r api.Router, read, write api.Access) {
	r.GET("/ci/rules", read, api.Handle(s.listRules))
	r.POST("/ci/rules", write, api.Handle(s.postRule))
	r.PATCH("/ci/rules/:id", write, api.Handle(s.patchRule))
	r.DELETE("/ci/rules/:id", write, api.Handle(s.deleteRule))
	r.POST("/ci/rules/:id/test", write, api.Handle(s.testRule))
	r.GET("/ci/rules/:id/deliveries", read, api.Handle(s.listRuleMessages))
}

func (s *Service) listRules(ctx context.Context, in listIn) (items[Rule], error) {
	teams, err := readableTeams(ctx, in.Team)
	if err != nil {
		return items[Rule]{}, err
	}
	list, err := s.Rules(ctx, teams...)
	return items[Rule]{list}, err
}

type ruleIn struct {
	ID         string    `uri:"id" json:"-" form:"-"`
	Team       string    `json:"team" form:"-"`
	Name       *string   `json:"name" form:"-"`
	Events     *[]string `json:"events" form:"-"`
	Actions    *[]string `json:"actions" form:"-"`
	Repository *string   `json:"repository" form:"-"`
	Branch     *string   `json:"branch" form:"-"`
	Channel    *string   `json:"channel" form:"-"`
	Enabled    *bool     `json:"enabled" form:"-"`
}

func (in ruleIn) change() RuleChange {
	return RuleChange{Name: in.Name, Repository: in.Repository, Branch: in.Branch, Channel: in.Channel, Events: in.Events, Actions: in.Actions, Enabled: in.Enabled}
}

func (s *Service) postRule(ctx context.Context, in ruleIn) (api.Created[Rule], error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return api.Created[Rule]{}, err
	}
	r, err := s.CreateRule(ctx, team.ID, in.change())
	return api.Created[Rule]{Value: r}, err
}

func (s *Service) patchRule(ctx context.Context, in ruleIn) (Rule, error) {
	return s.ChangeRule(ctx, in.ID, in.change())
}

func (s *Service) deleteRule(ctx context.Context, in idIn) (api.Nothing, error) {
	return api.Nothing{}, s.DeleteRule(ctx, in.ID)
}

func (s *Service) testRule(ctx context.Context, in idIn) (api.Nothing, error) {
	return api.Nothing{}, s.TestRule(ctx, in.ID)
}

type ruleMessagesIn struct {
	ID     string `uri:"id" json:"-" form:"-"`
	Before int64  `form:"before"`
}

func (s *Service) listRuleMessages(ctx context.Context, in ruleMessagesIn) (items[RuleMessage], error) {
	list, err := s.RuleMessages(ctx, in.ID, in.Before)
	return items[RuleMessage]{list}, err
}
