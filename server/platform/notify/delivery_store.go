package notify

import (
	"context"
	"encoding/json"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

type deliveryRow struct {
	ID        int64 `gorm:"primaryKey"`
	TeamID    int64
	ChannelID string
	Event     Event
	Title     string
	Message   string
	State     State
	Attempts  int64
	Error     string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	EndedAt   int64

	Rule, Subject      string
	HeldUntil          int64
	HeldFor            Hold
	ReleasedAt, IntoID int64
	More               int64
}

func (deliveryRow) TableName() string { return "notify_deliveries" }

func (r deliveryRow) delivery() Delivery {
	d := Delivery{ID: r.ID, Event: r.Event, Title: r.Title, State: r.State, Attempts: r.Attempts, Error: r.Error, CreatedAt: api.Millis(r.CreatedAt),
		EndedAt: api.Millis(r.EndedAt), Rule: r.Rule, Subject: r.Subject, Into: r.IntoID, More: r.More, URL: r.message().URL}
	if r.State == Held {
		d.HeldUntil, d.HeldFor = api.Millis(r.HeldUntil), r.HeldFor
	}
	return d
}

// message is what it says; the zero Message when the row is damaged.
func (r deliveryRow) message() (m Message) {
	if json.Unmarshal([]byte(r.Message), &m) != nil {
		return Message{}
	}
	return m
}

func (s *Service) insertDelivery(ctx context.Context, row *deliveryRow) error {
	return s.DB.Writer(ctx).Create(row).Error
}

func (s *Service) findDelivery(ctx context.Context, id int64) (deliveryRow, error) {
	var row deliveryRow
	err := s.DB.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no such delivery.")
}

func (s *Service) noteAttempt(ctx context.Context, d deliveryRow, state State, failed *failure) error {
	words, ended := "", int64(0)
	if failed != nil {
		words = failed.words
	}
	if state != Waiting {
		ended = s.millis()
	}
	return s.DB.Writer(ctx).Exec("UPDATE notify_deliveries SET state = ?, attempts = attempts + 1, error = ?, ended_at = ? WHERE id = ?",
		state, words, ended, d.ID).Error
}

// forgetOld keeps the history of a channel short; what has still to be told stays, and
// so do letters that its limit counts.
func (s *Service) forgetOld(ctx context.Context, row channelRow) error {
	now := s.Now()
	return s.DB.Writer(ctx).Exec(`DELETE FROM notify_deliveries WHERE channel_id = ? AND state IN ('sent', 'failed', 'grouped') AND NOT (into_id = 0 AND released_at > ?)
		AND (created_at < ? OR id <= (SELECT id FROM notify_deliveries WHERE channel_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?))`,
		row.ID, now.Add(-minutes(row.manner().LimitMinutes)).UnixMilli(), now.Add(-keptFor).UnixMilli(), row.ID, kept).Error
}

func (s *Service) deliveries(ctx context.Context, channel string, before int64, limit int) ([]Delivery, error) {
	q := s.DB.Reader(ctx).Where("channel_id = ?", channel)
	if before > 0 {
		q = q.Where("id < ?", before)
	}
	var rows []deliveryRow
	err := q.Order("id DESC").Limit(limit).Find(&rows).Error
	list := make([]Delivery, len(rows))
	for i, r := range rows {
		list[i] = r.delivery()
	}
	return list, err
}

func (s *Service) deliveriesByID(ctx context.Context, ids []int64) (rows []deliveryRow, err error) {
	return rows, s.DB.Reader(ctx).Where("id IN ?", ids).Find(&rows).Error
}

// Outcomes are the deliveries of those ids that are still remembered. What another one
// tells of fares as that one does, and what is held waits: who asks knows no more.
func (s *Service) Outcomes(ctx context.Context, ids []int64) ([]Delivery, error) {
	rows, err := s.deliveriesByID(ctx, ids)
	list := make([]Delivery, len(rows))
	for i, r := range rows {
		list[i] = r.delivery()
		for hops := 0; err == nil && r.State == Grouped && hops < 3; hops++ {
			if r, err = s.findDelivery(ctx, r.IntoID); problem.Is(err, problem.NotFound) {
				r.State, err = Sent, nil // so long ago that only this one is remembered
			}
			list[i].State, list[i].Error, list[i].EndedAt = r.State, r.Error, api.Millis(r.EndedAt)
		}
		if list[i].State == Held || list[i].State == Grouped {
			list[i].State = Waiting
		}
	}
	return list, err
}
