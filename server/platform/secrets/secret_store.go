package secrets

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

type secretRow struct {
	ID         int64 `gorm:"primaryKey"`
	TeamID     int64
	Pipeline   string
	Name       string
	Sealed     []byte
	CreatedAt  int64
	UpdatedAt  int64
	UpdatedBy  string
	LastUsedAt int64
	Version    int64
	// By whom: empty before the first use.
	UsedPipeline string
	UsedJob      string
	UsedNumber   string
	UsedBuild    int64
}

func (secretRow) TableName() string { return table }

// List tells of the team's own secrets, and of those of one pipeline, or of all
// pipelines when pipeline is "".
func (s *Store) List(ctx context.Context, team int64, pipeline string) ([]Secret, error) {
	q := s.deps.DB.Reader(ctx).Model(&secretRow{}).Where("team_id = ?", team)
	if pipeline != "" {
		q = q.Where("pipeline IN ?", []string{"", pipeline})
	}
	var rows []secretRow
	err := q.Select("name, pipeline, updated_at, updated_by, last_used_at, version, used_pipeline, used_job, used_number, used_build").Order("pipeline, name").Find(&rows).Error
	list := make([]Secret, 0, len(rows))
	for _, r := range rows {
		x := Secret{Name: r.Name, Pipeline: r.Pipeline, UpdatedAt: api.Millis(r.UpdatedAt), UpdatedBy: r.UpdatedBy, LastUsedAt: api.Millis(r.LastUsedAt), Version: r.Version}
		if r.LastUsedAt != 0 && r.UsedPipeline+r.UsedNumber != "" {
			x.LastUsedBy = &Use{Pipeline: r.UsedPipeline, Job: r.UsedJob, Number: r.UsedNumber, Build: r.UsedBuild}
		}
		list = append(list, x)
	}
	return list, err
}

func (s *Store) upsert(ctx context.Context, team int64, pipeline, name string, sealed []byte) (created bool, err error) {
	now, by := s.deps.Now().UnixMilli(), identity.From(ctx).Name
	r := s.deps.DB.Writer(ctx).Exec(`UPDATE secrets_values SET sealed = ?, updated_at = ?, updated_by = ?, version = version + 1
		WHERE team_id = ? AND pipeline = ? AND name = ?`, sealed, now, by, team, pipeline, name)
	if r.Error != nil || r.RowsAffected > 0 {
		return false, r.Error
	}
	return true, s.deps.DB.Writer(ctx).Exec(`INSERT INTO secrets_values (team_id, pipeline, name, sealed, created_at, updated_at, updated_by)
		VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (team_id, pipeline, name) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at, updated_by = excluded.updated_by, version = secrets_values.version + 1`,
		team, pipeline, name, sealed, now, now, by).Error
}

func (s *Store) remove(ctx context.Context, team int64, pipeline, name string) error {
	r := s.deps.DB.Writer(ctx).Exec("DELETE FROM secrets_values WHERE team_id = ? AND pipeline = ? AND name = ?", team, pipeline, name)
	if r.Error == nil && r.RowsAffected == 0 {
		return problem.New(problem.NotFound, "There is no secret %q here.", name)
	}
	return r.Error
}

func (s *Store) find(ctx context.Context, team int64, pipeline, name string) (row secretRow, found bool, err error) {
	// '' sorts before every pipeline's name, so the pipeline's own comes first in descending order.
	err = s.deps.DB.Reader(ctx).Where("team_id = ? AND pipeline IN ? AND name = ?", team, []string{"", pipeline}, name).
		Order("pipeline DESC").Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, false, nil
	}
	return row, err == nil, err
}

// all are the secrets of a team and of its pipelines.
func (s *Store) all(ctx context.Context, team int64) ([]secretRow, error) {
	var rows []secretRow
	err := s.deps.DB.Reader(ctx).Select("pipeline, name, sealed").Where("team_id = ?", team).Find(&rows).Error
	return rows, err
}

func (s *Store) markUsed(ctx context.Context, due map[int64]used) error {
	if len(due) == 0 {
		return nil
	}
	return s.deps.DB.Tx(ctx, func(ctx context.Context) error {
		for id, u := range due {
			err := s.deps.DB.Writer(ctx).Exec("UPDATE secrets_values SET last_used_at = ?, used_pipeline = ?, used_job = ?, used_number = ?, used_build = ? WHERE id = ? AND last_used_at < ?",
				u.at.UnixMilli(), u.by.Pipeline, u.by.Job, u.by.Number, u.by.Build, id, u.at.UnixMilli()).Error
			if err != nil {
				return err
			}
		}
		return nil
	})
}
