package issues

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
)

type keyRow struct {
	ID         int64 `gorm:"primaryKey"`
	ProjectID  int64
	Public     string
	Secret     string
	Label      string
	Active     bool
	Limits     string
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
	LastUsedAt int64
}

func (keyRow) TableName() string { return "issues_keys" }

func (r keyRow) key() (Key, error) {
	k := Key{ID: r.ID, Project: r.ProjectID, Public: r.Public, Secret: r.Secret, Label: r.Label, Active: r.Active,
		CreatedAt: api.Millis(r.CreatedAt), LastUsedAt: api.Millis(r.LastUsedAt)}
	if err := json.Unmarshal([]byte(r.Limits), &k.Limits); err != nil {
		return k, fmt.Errorf("read the limits of key %d: %w", r.ID, err)
	}
	return k, nil
}

func (s *Service) insertKey(ctx context.Context, k Key) (int64, error) {
	row := keyRow{ProjectID: k.Project, Public: k.Public, Secret: k.Secret, Label: k.Label, Active: k.Active, Limits: settings(k.Limits), CreatedAt: int64(k.CreatedAt)}
	err := s.DB.Writer(ctx).Create(&row).Error
	return row.ID, err
}

func (s *Service) updateKey(ctx context.Context, k Key) error {
	return s.DB.Writer(ctx).Exec("UPDATE issues_keys SET label = ?, active = ?, limits = ? WHERE id = ?", k.Label, k.Active, settings(k.Limits), k.ID).Error
}

func (s *Service) removeKey(ctx context.Context, id int64) error {
	return s.DB.Writer(ctx).Where("id = ?", id).Delete(&keyRow{}).Error
}

func (s *Service) findKey(ctx context.Context, public string) (Key, error) {
	var row keyRow
	if err := s.DB.Reader(ctx).Where("public = ?", public).Take(&row).Error; err != nil {
		return Key{}, database.NotFound(err, "There is no such key.")
	}
	return row.key()
}

func (s *Service) keysOf(ctx context.Context, project int64) ([]Key, error) {
	var rows []keyRow
	if err := s.DB.Reader(ctx).Where("project_id = ?", project).Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]Key, len(rows))
	for i, r := range rows {
		k, err := r.key()
		if err != nil {
			return nil, err
		}
		list[i] = k
	}
	return list, nil
}
