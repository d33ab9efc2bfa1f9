package logs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/signalbox/signalbox/server/logs/mask"
)

type maskRow struct {
	TeamID    int64 `gorm:"primaryKey"`
	Rules     string
	UpdatedAt int64 `gorm:"autoUpdateTime:false"`
	UpdatedBy string
}

func (maskRow) TableName() string { return "logs_masks" }

// masking is a team's, or what holds for a team that has said nothing.
func (r rows) masking(ctx context.Context, team int64) (Masking, error) {
	out := Masking{Rules: mask.Default()}
	if r.db == nil { // a service without a database has no rules of teams
		return out, nil
	}
	var row maskRow
	err := r.db.Reader(ctx).Where("team_id = ?", team).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.Rules = mask.Rules{}
	if err := json.Unmarshal([]byte(row.Rules), &out.Rules); err != nil {
		return out, fmt.Errorf("what team %d masks cannot be read: %w", team, err)
	}
	at := millis(row.UpdatedAt)
	out.Updated, out.By = &at, row.UpdatedBy
	return out, nil
}

func (r rows) setMasking(ctx context.Context, team int64, rules string, now time.Time, by string) error {
	return r.db.Writer(ctx).Exec(`INSERT INTO logs_masks (team_id, rules, updated_at, updated_by) VALUES (?, ?, ?, ?)
		ON CONFLICT (team_id) DO UPDATE SET rules = excluded.rules, updated_at = excluded.updated_at, updated_by = excluded.updated_by`, team, rules, now.UnixMilli(), by).Error
}
