package system

import (
	"context"
	"time"
)

// hooks is how GitHub's webhooks fare: how many there are, which are broken, and when
// the last delivery or ping came.
type hooks struct {
	count  int64
	broken []string
	last   time.Time
}

func (s store) hooks(ctx context.Context) (h hooks, err error) {
	var sum struct{ Count, Last int64 }
	err = s.db.Reader(ctx).Raw(`SELECT COUNT(*) AS count, COALESCE(MAX(CASE WHEN last_delivery_at > last_ping_at THEN last_delivery_at ELSE last_ping_at END), 0) AS last
		FROM github_hooks`).Scan(&sum).Error
	if err != nil {
		return h, err
	}
	h.count, h.last = sum.Count, fromMillis(sum.Last)
	err = s.db.Reader(ctx).Raw("SELECT name FROM github_hooks WHERE state = 'broken' ORDER BY name LIMIT 5").Scan(&h.broken).Error
	return h, err
}

// channels is how the enabled channels of a kind fare, by their last message.
type channels struct {
	Count  int64
	Failed int64
	Name   string
	Error  string
}

func (s store) channels(ctx context.Context, kind string) (c channels, err error) {
	err = s.db.Reader(ctx).Raw("SELECT COUNT(*) AS count FROM notify_channels WHERE enabled AND kind = ?", kind).Scan(&c).Error
	if err != nil || c.Count == 0 {
		return c, err
	}
	var failed []struct{ Name, Error string }
	err = s.db.Reader(ctx).Raw(`SELECT c.name, d.error FROM notify_channels c JOIN notify_deliveries d ON d.channel_id = c.id
		WHERE c.enabled AND c.kind = ? AND d.state = 'failed' AND d.id = (SELECT MAX(id) FROM notify_deliveries l WHERE l.channel_id = c.id AND l.state <> 'waiting')
		ORDER BY c.name`, kind).Scan(&failed).Error
	if len(failed) > 0 {
		c.Failed, c.Name, c.Error = int64(len(failed)), failed[0].Name, failed[0].Error
	}
	return c, err
}
