package notify

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
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
}

func (deliveryRow) TableName() string { return "notify_deliveries" }

func (r deliveryRow) delivery() Delivery {
	return Delivery{ID: r.ID, Event: r.Event, Title: r.Title, State: r.State, Attempts: r.Attempts, Error: r.Error,
		CreatedAt: api.Millis(r.CreatedAt), EndedAt: api.Millis(r.EndedAt)}
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

// forgetOld keeps the history of a channel short; what still waits stays.
func (s *Service) forgetOld(ctx context.Context, channel string) error {
	return s.DB.Writer(ctx).Exec(`DELETE FROM notify_deliveries WHERE channel_id = ? AND state <> ? AND id <=
		(SELECT id FROM notify_deliveries WHERE channel_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`, channel, Waiting, channel, kept).Error
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

// Outcomes are the deliveries of those ids that are still remembered.
func (s *Service) Outcomes(ctx context.Context, ids []int64) ([]Delivery, error) {
	var rows []deliveryRow
	err := s.DB.Reader(ctx).Where("id IN ?", ids).Find(&rows).Error
	list := make([]Delivery, len(rows))
	for i, r := range rows {
		list[i] = r.delivery()
	}
	return list, err
}
