package notify

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// RegisterTools adds what machines may know of channels.
func (s *Service) RegisterTools(r *tools.Registry) error {
	return r.Register(
		tools.New(tools.Spec{Name: "ci_channel_list", Title: "List notification channels", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Channels of a team: mail, Slack, webhook or GitHub issues, what they are told, how often and in which hours, and the last delivery with its error. Addresses that are secret are not shown."}, s.toolChannels),
		tools.New(tools.Spec{Name: "accounts_rules_list", Title: "List notification rules", Class: tools.ReadOnly, Level: identity.Read,
			Description: "The rules of all capabilities that tell people something: what each waits for, which channels it tells, whether it is on, muted or held back, when it last told something, and why it does not reach people."}, s.toolRules),
		tools.New(tools.Spec{Name: "accounts_messages_list", Title: "List notifications", Class: tools.ReadOnly, Level: identity.Read,
			Description: "What a team was told, newest first: channel, rule, and whether it was sent, is held until a time, was told with others, or failed and why. state is waiting, sent, failed, held or grouped; text looks at titles, channels and errors. Example: {\"team\":\"main\",\"state\":\"failed\"}."}, s.toolMessages),
	)
}

type toolTeamIn struct {
	Team string `json:"team"`
}

func (s *Service) toolRules(ctx context.Context, in toolTeamIn) (RuleList, error) {
	return s.httpRules(ctx, byTeam(in))
}

type toolMessagesIn struct {
	Team  string `json:"team"`
	State string `json:"state,omitempty"`
	Rule  string `json:"rule,omitempty"`
	Text  string `json:"text,omitempty"`
}

func (s *Service) toolMessages(ctx context.Context, in toolMessagesIn) (messageList, error) {
	return s.httpMessages(ctx, messagesIn{Team: in.Team, State: State(in.State), Rule: in.Rule, Text: in.Text})
}

type toolChannelsIn struct {
	Team string `json:"team"`
}

func (s *Service) toolChannels(ctx context.Context, in toolChannelsIn) (items[Channel], error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return items[Channel]{}, err
	}
	list, err := s.Channels(ctx, team.ID)
	return items[Channel]{list}, err
}
