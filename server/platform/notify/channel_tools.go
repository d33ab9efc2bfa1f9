package notify

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// RegisterTools adds what machines may know of channels.
func (s *Service) RegisterTools(r *tools.Registry) error {
	return r.Register(tools.New(tools.Spec{Name: "ci_channel_list", Title: "List notification channels", Class: tools.ReadOnly, Level: identity.Read,
		Description: "Channels of a team: mail, Slack or webhook, what they are told, and the last delivery with its error. Addresses that are secret are not shown."}, s.toolChannels))
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
