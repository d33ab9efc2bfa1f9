package notify

import (
	"context"
	"strings"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// KindOf is the kind of a team's channel; ok is false when the team has none of that id.
func (s *Service) KindOf(ctx context.Context, team int64, channel string) (kind Kind, ok bool, err error) {
	row, err := s.findChannel(ctx, channel)
	if problem.Is(err, problem.NotFound) || err == nil && row.TeamID != team {
		return "", false, nil
	}
	return row.Kind, err == nil, err
}

// Send tells one channel of the team, whatever events it asks for: somebody else's
// rule chose it. It is sent after the context's transaction commits and only then;
// the id is that of the delivery.
func (s *Service) Send(ctx context.Context, team int64, channel string, m Message) (delivery int64, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		row, err := s.findChannel(ctx, channel)
		switch {
		case err != nil:
			return err
		case row.TeamID != team:
			return problem.New(problem.NotFound, "There is no such channel.")
		case !row.Enabled:
			return problem.New(problem.Conflict, "The channel %s is switched off.", row.Name)
		}
		if row.Kind == GitHub && strings.HasPrefix(string(m.Event), "github.") {
			return problem.New(problem.Conflict, "The channel %s opens issues at GitHub, and those would be told to it again.", row.Name)
		}
		delivery, err = s.enqueue(ctx, row, m.bounded())
		return err
	})
	return delivery, err
}
