package notify

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"github.com/signalbox/signalbox/server/platform/database"
)

// lastLetter is when the newest message of a rule and subject left, alone or within another.
func (s *Service) lastLetter(ctx context.Context, channel, rule, subject string) (time.Time, error) {
	var at int64
	err := s.DB.Reader(ctx).Raw("SELECT COALESCE(MAX(released_at), 0) FROM notify_deliveries WHERE channel_id = ? AND rule = ? AND subject = ? AND released_at > 0",
		channel, rule, subject).Scan(&at).Error
	if at == 0 {
		return time.Time{}, err
	}
	return time.UnixMilli(at), err
}

// letters are when the channel's letters left since then.
func (s *Service) letters(ctx context.Context, channel string, since time.Time) ([]time.Time, error) {
	var stamps []int64
	err := s.DB.Reader(ctx).Raw("SELECT released_at FROM notify_deliveries WHERE channel_id = ? AND into_id = 0 AND released_at > ?",
		channel, since.UnixMilli()).Scan(&stamps).Error
	list := make([]time.Time, len(stamps))
	for i, at := range stamps {
		list[i] = time.UnixMilli(at)
	}
	return list, err
}

// queue is until when messages wait because of the channel's limit; zero when none does.
func (s *Service) queue(ctx context.Context, channel string) (time.Time, error) {
	var at int64
	err := s.DB.Reader(ctx).Raw("SELECT COALESCE(MAX(held_until), 0) FROM notify_deliveries WHERE channel_id = ? AND state = ? AND held_for = ?",
		channel, Held, HeldLimit).Scan(&at).Error
	if at == 0 {
		return time.Time{}, err
	}
	return time.UnixMilli(at), err
}

func (s *Service) countHeld(ctx context.Context, channel string) (n int64, err error) {
	err = s.DB.Reader(ctx).Raw("SELECT COUNT(*) FROM notify_deliveries WHERE channel_id = ? AND state = ?", channel, Held).Scan(&n).Error
	return n, err
}

// newestHeld is one of the same rule and subject if there is one.
func (s *Service) newestHeld(ctx context.Context, d deliveryRow) (id int64, err error) {
	err = s.DB.Reader(ctx).Raw(`SELECT id FROM notify_deliveries WHERE channel_id = ? AND state = ?
		ORDER BY CASE WHEN rule = ? AND subject = ? THEN 0 ELSE 1 END, id DESC LIMIT 1`, d.ChannelID, Held, d.Rule, d.Subject).Scan(&id).Error
	return id, err
}

func (s *Service) channelsDue(ctx context.Context) ([]channelRow, error) {
	var rows []channelRow
	err := s.DB.Reader(ctx).Where("id IN (SELECT channel_id FROM notify_deliveries WHERE state = 'held' AND held_until <= ?)", s.millis()).Find(&rows).Error
	return rows, err
}

// heldDue are those whose time has come, the oldest first. Nobody else takes them meanwhile.
func (s *Service) heldDue(ctx context.Context, channel string) ([]deliveryRow, error) {
	q := s.DB.Writer(ctx).Where("channel_id = ? AND state = 'held' AND held_until <= ?", channel, s.millis()).Order("id").Limit(maxHeld)
	if s.DB.Dialect == database.Postgres {
		q = q.Clauses(clause.Locking{Strength: "UPDATE"})
	}
	var rows []deliveryRow
	return rows, q.Find(&rows).Error
}

func (s *Service) noteReleased(ctx context.Context, id int64) error {
	return s.DB.Writer(ctx).Exec("UPDATE notify_deliveries SET released_at = ? WHERE id = ?", s.millis(), id).Error
}

func (s *Service) noteHeld(ctx context.Context, id int64, v verdict) error {
	return s.DB.Writer(ctx).Exec("UPDATE notify_deliveries SET state = ?, held_until = ?, held_for = ? WHERE id = ? AND state IN ('waiting', 'held')",
		Held, v.until.UnixMilli(), v.why, id).Error
}

// noteFree lets a held or failed message go by itself.
func (s *Service) noteFree(ctx context.Context, id int64) error {
	return s.DB.Writer(ctx).Exec("UPDATE notify_deliveries SET state = ?, released_at = ?, held_until = 0, ended_at = 0, error = '' WHERE id = ? AND state IN ('held', 'failed')",
		Waiting, s.millis(), id).Error
}

func (s *Service) noteInto(ctx context.Context, ids []int64, into int64) error {
	return s.DB.Writer(ctx).Exec("UPDATE notify_deliveries SET state = ?, into_id = ?, released_at = ?, held_until = 0 WHERE id IN ? AND state IN ('waiting', 'held')",
		Grouped, into, s.millis(), ids).Error
}

func (s *Service) noteDropped(ctx context.Context, ids []int64, words string) error {
	return s.DB.Writer(ctx).Exec("UPDATE notify_deliveries SET state = ?, error = ?, ended_at = ?, held_until = 0 WHERE id IN ? AND state = 'held'",
		Failed, words, s.millis(), ids).Error
}

func (s *Service) addMore(ctx context.Context, id, n int64) error {
	return s.DB.Writer(ctx).Exec("UPDATE notify_deliveries SET more = more + ? WHERE id = ?", n, id).Error
}

// hasten makes everything that a channel holds due: its manner is another one now.
func (s *Service) hasten(ctx context.Context, channel string) error {
	return s.DB.Writer(ctx).Exec("UPDATE notify_deliveries SET held_until = ? WHERE channel_id = ? AND state = 'held'", s.millis(), channel).Error
}

// within are the ids of what goes with deliveries, directly or through one of those.
func (s *Service) within(ctx context.Context, ids []int64) (rows []deliveryRow, err error) {
	err = s.DB.Reader(ctx).Where(`into_id IN ? OR into_id IN (SELECT id FROM notify_deliveries WHERE into_id IN ?)`, ids, ids).Order("id").Find(&rows).Error
	return rows, err
}
