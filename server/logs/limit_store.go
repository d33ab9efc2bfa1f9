package logs

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/signalbox/signalbox/server/platform/api"
)

type limitRow struct {
	TeamID         int64 `gorm:"primaryKey"`
	RetentionDays  int64
	RetentionBytes int64
	LinesPerSecond int64
	BytesPerDay    int64
	UpdatedAt      int64 `gorm:"autoUpdateTime:false"`
	UpdatedBy      string
}

func (limitRow) TableName() string { return "logs_limits" }

func (r limitRow) limits() Limits {
	return Limits{r.RetentionDays, r.RetentionBytes, r.LinesPerSecond, r.BytesPerDay}
}

func (r rows) allLimits(ctx context.Context) (map[int64]Limits, error) {
	var list []limitRow
	err := r.db.Reader(ctx).Find(&list).Error
	out := make(map[int64]Limits, len(list))
	for _, row := range list {
		out[row.TeamID] = row.limits()
	}
	return out, err
}

// limits are a team's own; all zero for one that has set nothing.
func (r rows) limits(ctx context.Context, team int64) (TeamLimits, error) {
	var row limitRow
	err := r.db.Reader(ctx).Where("team_id = ?", team).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return TeamLimits{}, nil
	}
	at := api.Millis(row.UpdatedAt)
	return TeamLimits{Limits: row.limits(), Updated: &at, By: row.UpdatedBy}, err
}

func (r rows) setLimits(ctx context.Context, team int64, l Limits, now time.Time, by string) error {
	return r.db.Writer(ctx).Exec(`INSERT INTO logs_limits (team_id, retention_days, retention_bytes, lines_per_second, bytes_per_day, updated_at, updated_by) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (team_id) DO UPDATE SET retention_days = excluded.retention_days, retention_bytes = excluded.retention_bytes, lines_per_second = excluded.lines_per_second,
		bytes_per_day = excluded.bytes_per_day, updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
		team, l.RetentionDays, l.RetentionBytes, l.LinesPerSecond, l.BytesPerDay, now.UnixMilli(), by).Error
}

// addUsage adds to what came on a day. A team that is gone has none.
func (r rows) addUsage(ctx context.Context, team, day int64, n usage) error {
	return r.db.Writer(ctx).Exec(`INSERT INTO logs_usage (team_id, day, lines, bytes) SELECT id, CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT) FROM accounts_teams WHERE id = ?
		ON CONFLICT (team_id, day) DO UPDATE SET lines = logs_usage.lines + excluded.lines, bytes = logs_usage.bytes + excluded.bytes`, day, n.lines, n.bytes, team).Error
}

func (r rows) usage(ctx context.Context, team, day int64) (n usage, err error) {
	var list []struct{ Lines, Bytes int64 }
	err = r.db.Reader(ctx).Raw("SELECT lines, bytes FROM logs_usage WHERE team_id = ? AND day = ?", team, day).Scan(&list).Error
	for _, row := range list {
		n = usage{row.Lines, row.Bytes}
	}
	return n, err
}

func (r rows) forgetUsage(ctx context.Context, before int64) error {
	return r.db.Writer(ctx).Exec("DELETE FROM logs_usage WHERE day < ?", before).Error
}
