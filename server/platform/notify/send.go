package notify

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// Has reports whether the team has the channel.
func (s *Service) Has(ctx context.Context, team int64, channel string) (bool, error) {
	row, err := s.findChannel(ctx, channel)
	if problem.Is(err, problem.NotFound) {
		return false, nil
	}
	return err == nil && row.TeamID == team, err
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
		delivery, err = s.enqueue(ctx, row, m.bounded())
		return err
	})
	return delivery, err
}
