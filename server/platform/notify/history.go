package notify

import (
	"context"
	"fmt"
	"slices"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Kept is a delivery with the channel that it goes to.
type Kept struct {
	Delivery
	Channel     string `json:"channel"`
	ChannelName string `json:"channel_name"`
	ChannelKind Kind   `json:"channel_kind"`
	// Capability is whose rule caused it, "" for a test.
	Capability string `json:"capability"`
}

// Search narrows the history; zero fields do not.
type Search struct {
	Channel, Rule, Capability string
	State                     State
	Text                      string
	// Into lists what one delivery tells of.
	Into   int64
	Before int64
}

const historyPage = 50

// TeamHistory lists a team's deliveries of all channels, newest first: those that the
// caller may read, and tests.
func (s *Service) TeamHistory(ctx context.Context, team identity.Team, q Search) ([]Kept, error) {
	states := []State{"", Waiting, Sent, Failed, Held, Grouped}
	if !slices.Contains(states, q.State) {
		return nil, problem.FieldError("state", "%.20q is none of waiting, sent, failed, held and grouped", string(q.State))
	}
	return s.search(ctx, team.ID, q, readable(ctx, team.ID), historyPage)
}

// readable are the capabilities of which the caller may read in a team.
func readable(ctx context.Context, team int64) (list []string) {
	caller := identity.From(ctx)
	for _, word := range identity.Capabilities {
		if caller.Can(team, identity.Scope{Capability: word, Level: identity.Read}) {
			list = append(list, word)
		}
	}
	return list
}

// Counts are how many messages are in which state.
type Counts map[State]int64

// RetryResult is how many messages go once more.
type RetryResult struct {
	Retried int64 `json:"retried"`
}

// maxRetry bounds how many are sent once more at one time.
const maxRetry = 500

// Retry sends failed messages once more, and held ones at once; with id 0 all that failed
// and fit the search.
func (s *Service) Retry(ctx context.Context, team identity.Team, id int64, q Search) (out RetryResult, err error) {
	if err := identity.Require(ctx, team.ID, writing); err != nil {
		return out, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		out.Retried = 0
		list, err := s.retriable(ctx, team, id, q)
		if err != nil {
			return err
		}
		for _, d := range list {
			row, err := s.findChannel(ctx, d.Channel)
			if err != nil {
				return err
			}
			if !row.Enabled {
				if id != 0 {
					return problem.New(problem.Conflict, "The channel %s is switched off. Switch it on first.", row.Name)
				}
				continue
			}
			if err := s.noteFree(ctx, d.ID); err != nil {
				return err
			}
			if err := s.enqueueSend(ctx, row, d.ID); err != nil {
				return err
			}
			out.Retried++
		}
		if out.Retried == 0 {
			return nil
		}
		if err := s.audit(ctx, team.ID, "notify.delivery.retry", fmt.Sprint(out.Retried), ""); err != nil {
			return err
		}
		return s.changed(ctx, team.ID, "")
	})
	return out, err
}

// retriable are the messages that Retry is about, the oldest first.
func (s *Service) retriable(ctx context.Context, team identity.Team, id int64, q Search) ([]Kept, error) {
	if id == 0 {
		q.State, q.Before = Failed, 0
		list, err := s.search(ctx, team.ID, q, readable(ctx, team.ID), maxRetry)
		slices.Reverse(list)
		return list, err
	}
	d, err := s.findDelivery(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case d.TeamID != team.ID:
		return nil, problem.New(problem.NotFound, "There is no such delivery.")
	case d.State != Failed && d.State != Held:
		return nil, problem.New(problem.Conflict, "The message is %s; only what failed or is held can be sent now.", string(d.State))
	}
	return []Kept{{Delivery: d.delivery(), Channel: d.ChannelID}}, nil
}
