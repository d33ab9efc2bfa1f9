package notify

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

var (
	readingAll = identity.Scope{Capability: "accounts", Level: identity.Read}
	writingAll = identity.Scope{Capability: "accounts", Level: identity.Write}
)

// teamRoutes registers what is about all capabilities together. It needs accounts:read,
// and shows of each capability only what the caller may read there.
func (s *Service) teamRoutes(r api.Router) {
	read, write := api.Scoped("accounts", identity.Read), api.Scoped("accounts", identity.Write)
	g := r.Group("/accounts/teams/:team/notifications")
	g.GET("/rules", read, api.Handle(s.httpRules))
	g.PATCH("/rules/:rule", write, api.Handle(s.httpSwitch))
	g.GET("/messages", read, api.Handle(s.httpMessages))
	g.POST("/messages/retry", write, api.Handle(s.httpRetryAll))
	g.POST("/messages/:id/retry", write, api.Handle(s.httpRetry))
}

type byTeam struct {
	Team string `uri:"team" json:"-" form:"-"`
}

func (s *Service) httpRules(ctx context.Context, in byTeam) (RuleList, error) {
	team, err := identity.RequireTeam(ctx, in.Team, readingAll)
	if err != nil {
		return RuleList{}, err
	}
	return s.Rules(ctx, team)
}

type switchIn struct {
	Team    string `uri:"team" json:"-" form:"-"`
	Rule    string `uri:"rule" json:"-" form:"-"`
	Enabled bool   `json:"enabled" form:"-"`
}

func (s *Service) httpSwitch(ctx context.Context, in switchIn) (api.Nothing, error) {
	team, err := identity.RequireTeam(ctx, in.Team, writingAll)
	if err != nil {
		return api.Nothing{}, err
	}
	return api.Nothing{}, s.SwitchRule(ctx, team, in.Rule, in.Enabled)
}

type messagesIn struct {
	Team       string `uri:"team" json:"-" form:"-"`
	Channel    string `form:"channel" json:"-"`
	Rule       string `form:"rule" json:"-"`
	Capability string `form:"capability" json:"-"`
	State      State  `form:"state" json:"-"`
	Text       string `form:"q" json:"-"`
	Into       int64  `form:"into" json:"-"`
	Before     int64  `form:"before" json:"-"`
}

func (in messagesIn) search() Search {
	return Search{Channel: in.Channel, Rule: in.Rule, Capability: in.Capability, State: in.State, Text: in.Text, Into: in.Into, Before: in.Before}
}

type messageList struct {
	Items []Kept `json:"items"`
	// Counts are of all messages of the team that are remembered, whatever is searched.
	Counts Counts `json:"counts"`
}

func (s *Service) httpMessages(ctx context.Context, in messagesIn) (messageList, error) {
	team, err := identity.RequireTeam(ctx, in.Team, readingAll)
	if err != nil {
		return messageList{}, err
	}
	list, err := s.TeamHistory(ctx, team, in.search())
	if err != nil {
		return messageList{}, err
	}
	counts, err := s.counts(ctx, team.ID)
	return messageList{list, counts}, err
}

type retryAllIn struct {
	Team       string `uri:"team" json:"-" form:"-"`
	Channel    string `json:"channel" form:"-"`
	Rule       string `json:"rule" form:"-"`
	Capability string `json:"capability" form:"-"`
	Text       string `json:"q" form:"-"`
}

func (s *Service) httpRetryAll(ctx context.Context, in retryAllIn) (RetryResult, error) {
	team, err := identity.RequireTeam(ctx, in.Team, writingAll)
	if err != nil {
		return RetryResult{}, err
	}
	return s.Retry(ctx, team, 0, Search{Channel: in.Channel, Rule: in.Rule, Capability: in.Capability, Text: in.Text})
}

type retryIn struct {
	Team string `uri:"team" json:"-" form:"-"`
	ID   int64  `uri:"id" json:"-" form:"-"`
}

func (s *Service) httpRetry(ctx context.Context, in retryIn) (RetryResult, error) {
	team, err := identity.RequireTeam(ctx, in.Team, writingAll)
	if err != nil {
		return RetryResult{}, err
	}
	return s.Retry(ctx, team, in.ID, Search{})
}
