package assistant

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// administering is what a team's channels and digests need.
var administering = identity.Scope{Capability: "assistant", Level: identity.Admin}

// MappedChannel is a channel of Slack that belongs to a team.
type MappedChannel struct {
	Channel string `json:"channel"`
	Name    string `json:"name"`
	// Repositories are the private ones whose content may be said there.
	Repositories []string  `json:"repositories"`
	UpdatedAt    time.Time `json:"updated_at"`
	UpdatedBy    string    `json:"updated_by"`
}

var channelForm = regexp.MustCompile(`^[CG][A-Z0-9]{2,20}$`)

func (r channelRow) shape() (MappedChannel, error) {
	repositories, err := words(r.Repositories)
	return MappedChannel{Channel: r.Channel, Name: r.Name, Repositories: repositories, UpdatedAt: time.UnixMilli(r.UpdatedAt).UTC(), UpdatedBy: r.UpdatedBy}, err
}

// Channels are those of a team.
func (s *Slack) Channels(ctx context.Context, team identity.Team) ([]MappedChannel, error) {
	rows, err := s.rows.channels(ctx, team.ID)
	out := []MappedChannel{}
	for _, r := range rows {
		c, err := r.shape()
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, err
}

// MapChannel gives a channel to a team. One that another company reads is refused, as
// is one of another team: whoever is in a channel learns what is said there.
func (s *Slack) MapChannel(ctx context.Context, team identity.Team, channel string, repositories []string) (MappedChannel, error) {
	if !channelForm.MatchString(channel) {
		return MappedChannel{}, problem.FieldError("channel", "%.40q is no channel's id; it begins with C and stands at the end of the channel's details in Slack", channel)
	}
	list, err := s.repositoriesOf(ctx, team, repositories)
	if err != nil {
		return MappedChannel{}, err
	}
	l, err := s.linked(ctx)
	if errors.Is(err, errNoSlack) {
		return MappedChannel{}, problem.New(problem.Conflict, "No Slack workspace is set up; an administrator does that first.")
	}
	if err != nil {
		return MappedChannel{}, err
	}
	room, err := l.client.Room(ctx, channel)
	if err != nil {
		return MappedChannel{}, problem.FieldError("channel", "%s", strings.TrimSuffix(explainSlack(err), "."))
	}
	if room.Shared {
		return MappedChannel{}, problem.FieldError("channel", "#%s is shared with another company, so it may belong to no team", room.Name)
	}
	raw, err := json.Marshal(list)
	if err != nil {
		return MappedChannel{}, err
	}
	row := channelRow{Channel: channel, Name: room.Name, TeamID: team.ID, Repositories: string(raw), UpdatedAt: s.Now().UnixMilli(), UpdatedBy: identity.From(ctx).Name}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		ours, err := s.rows.saveChannel(ctx, row)
		if err != nil {
			return err
		}
		if !ours {
			return problem.New(problem.Conflict, "#%s belongs to another team. An owner of that team gives it up first.", room.Name)
		}
		return s.Audit(ctx, team.ID, "assistant.slack.channel", "#"+room.Name, strings.Join(list, " "))
	})
	if err != nil {
		return MappedChannel{}, err
	}
	return row.shape()
}

// repositoriesOf are those of a list that the team's assistant may read at all.
func (s *Slack) repositoriesOf(ctx context.Context, team identity.Team, wanted []string) ([]string, error) {
	settings, err := s.settings(ctx, team.ID)
	if err != nil {
		return nil, err
	}
	list := []string{}
	for _, r := range wanted {
		i := slices.IndexFunc(settings.Repositories, func(o string) bool { return strings.EqualFold(o, strings.TrimSpace(r)) })
		if i < 0 {
			return nil, problem.FieldError("repositories", "%.100q is not among the repositories that the assistant may read", r)
		}
		list = append(list, settings.Repositories[i])
	}
	return slices.Compact(list), nil
}

// UnmapChannel takes a channel from a team, and its digests with it.
func (s *Slack) UnmapChannel(ctx context.Context, team identity.Team, channel string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		ours, err := s.rows.dropChannel(ctx, team.ID, channel)
		if err != nil {
			return err
		}
		if !ours {
			return problem.New(problem.NotFound, "This channel does not belong to the team.")
		}
		return s.Audit(ctx, team.ID, "assistant.slack.channel.remove", channel, "")
	})
}
