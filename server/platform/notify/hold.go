package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

const (
	kindRelease = "notify.release"
	// lookEvery is how often held messages are looked at, and so how late they may be.
	lookEvery = 5 * time.Second
	// maxHeld of a channel are kept one by one; more are counted with one of them.
	maxHeld = 500
)

// Loops are what the service wants run.
func (s *Service) Loops() []work.Loop {
	return []work.Loop{{Name: "notify: held messages", Every: lookEvery, Run: s.lookAtHeld}}
}

// weigh decides about a message whose turn it is, once: what it says is in the row. It
// runs in the channel's own series of jobs, so that no two are decided at once.
func (s *Service) weigh(ctx context.Context, row channelRow, d deliveryRow) (held bool, err error) {
	manner := row.manner()
	if d.ReleasedAt != 0 || manner.plain() {
		return false, nil
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		st, err := s.standing(ctx, row.ID, manner, d)
		if err != nil {
			return err
		}
		v := manner.judge(d.Event, st, s.Now())
		if v.goes() {
			return s.noteReleased(ctx, d.ID)
		}
		held = true
		full, err := s.countHeld(ctx, row.ID)
		if err != nil {
			return err
		}
		if full >= maxHeld {
			return s.countWith(ctx, d)
		}
		return s.noteHeld(ctx, d.ID, v)
	})
	if err == nil && held {
		err = s.changed(ctx, row.TeamID, row.ID)
	}
	return held, err
}

// countWith lets one that is held already stand for a message.
func (s *Service) countWith(ctx context.Context, d deliveryRow) error {
	other, err := s.newestHeld(ctx, d)
	if err != nil {
		return err
	}
	return errors.Join(s.addMore(ctx, other, 1+d.More), s.noteInto(ctx, []int64{d.ID}, other))
}

// standing gathers what judge needs.
func (s *Service) standing(ctx context.Context, channel string, m Manner, d deliveryRow) (st standing, err error) {
	if m.GroupMinutes > 0 {
		if st.last, err = s.lastLetter(ctx, channel, d.Rule, d.Subject); err != nil {
			return st, err
		}
	}
	if m.Limit > 0 {
		if st.letters, err = s.letters(ctx, channel, s.Now().Add(-minutes(m.LimitMinutes))); err != nil {
			return st, err
		}
		st.queue, err = s.queue(ctx, channel)
	}
	return st, err
}

// lookAtHeld has the channels look after their held messages whose time has come.
func (s *Service) lookAtHeld(ctx context.Context) error {
	list, err := s.channelsDue(ctx)
	if err != nil {
		return err
	}
	for _, row := range list {
		if err := s.enqueueRelease(ctx, row.TeamID, row.ID); err != nil {
			return err
		}
	}
	return nil
}

// enqueueRelease puts it into the channel's series, so that it waits while the channel is
// out of order, and one waits at a time.
func (s *Service) enqueueRelease(ctx context.Context, team int64, channel string) error {
	_, err := s.Jobs.EnqueueValue(ctx, work.Job{Kind: kindRelease, Team: team, UniqueKey: channel, SerialKey: "notify/" + channel}, channelPayload{channel})
	return err
}

type channelPayload struct {
	Channel string `json:"channel"`
}

// release is the job: what was held until now goes as one letter, which is a delivery of
// its own with a job of its own, written in the same transaction.
func (s *Service) release(ctx context.Context, job work.Job) error {
	var in channelPayload
	if err := json.Unmarshal(job.Payload, &in); err != nil {
		return work.GiveUp(fmt.Errorf("read the payload: %w", err))
	}
	row, err := s.findChannel(ctx, in.Channel)
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var dropped []int64
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		list, err := s.heldDue(ctx, row.ID)
		if err != nil || len(list) == 0 {
			return err
		}
		if !row.Enabled {
			for _, d := range list {
				dropped = append(dropped, d.ID)
			}
			return s.noteDropped(ctx, dropped, "The channel was switched off while this was held. It can be sent still.")
		}
		return s.letGo(ctx, row, list)
	})
	if err != nil {
		return err
	}
	s.told(ctx, dropped...)
	return s.changed(ctx, row.TeamID, row.ID)
}

// letGo releases those of the list that may go, and holds the others on.
func (s *Service) letGo(ctx context.Context, row channelRow, list []deliveryRow) error {
	manner := row.manner()
	letters, err := s.letters(ctx, row.ID, s.Now().Add(-minutes(manner.LimitMinutes)))
	if err != nil {
		return err
	}
	ask := make([]due, len(list))
	for i, d := range list {
		ask[i] = due{d.ID, d.Event}
	}
	together, on := manner.release(ask, letters, s.Now())
	for id, v := range on {
		if err := s.noteHeld(ctx, id, v); err != nil {
			return err
		}
	}
	list = slices.DeleteFunc(list, func(d deliveryRow) bool { return !slices.Contains(together, d.ID) })
	if len(list) == 0 {
		return nil
	}
	if len(list) == 1 && list[0].More == 0 {
		return errors.Join(s.noteFree(ctx, list[0].ID), s.enqueueSend(ctx, row, list[0].ID))
	}
	parts := make([]told, len(list))
	for i, d := range list {
		parts[i] = told{Message: d.message(), at: time.UnixMilli(d.CreatedAt), why: d.HeldFor, more: d.More}
	}
	page, err := s.page(ctx, row.TeamID)
	if err != nil {
		return err
	}
	m := summarise(parts, page)
	m.Now = true // its limit was looked at just now
	sum, err := s.enqueue(ctx, row, m.bounded())
	if err != nil {
		return err
	}
	return errors.Join(s.addMore(ctx, sum, m.Count), s.noteInto(ctx, together, sum))
}

// page is where a team's messages are listed.
func (s *Service) page(ctx context.Context, team int64) (string, error) {
	if s.Page == nil {
		return "", nil
	}
	return s.Page(ctx, team)
}

// changed has pages look again.
func (s *Service) changed(ctx context.Context, team int64, channel string) error {
	if s.Publish == nil {
		return nil
	}
	return s.Publish(ctx, team, Topic, channel)
}
