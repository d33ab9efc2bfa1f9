package catalog

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm/clause"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

type store struct{ db *database.DB }

type serviceRow struct {
	TeamID      int64  `gorm:"primaryKey"`
	Name        string `gorm:"primaryKey"`
	Description string
	Owners      string
	Repository  string
	Pipeline    string
	Job         string
	Project     string
	LogFilter   string
	Package     string
	UpdatedBy   string
	UpdatedAt   int64 `gorm:"autoUpdateTime:false"`
}

func (serviceRow) TableName() string { return "accounts_services" }

func (s store) services(ctx context.Context, team int64) ([]Service, error) {
	var rows []serviceRow
	if err := s.db.Reader(ctx).Where("team_id = ?", team).Order("name").Find(&rows).Error; err != nil {
		return nil, err
	}
	out := make([]Service, len(rows))
	for i, r := range rows {
		out[i] = Service{Name: r.Name, Description: r.Description, Owners: []string{}, Repository: r.Repository, Pipeline: r.Pipeline, Job: r.Job, Project: r.Project,
			LogFilter: r.LogFilter, Package: r.Package, UpdatedBy: r.UpdatedBy, UpdatedAt: time.UnixMilli(r.UpdatedAt).UTC()}
		if err := json.Unmarshal([]byte(r.Owners), &out[i].Owners); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s store) others(ctx context.Context, team int64, name string) (n int64, err error) {
	err = s.db.Reader(ctx).Model(&serviceRow{}).Where("team_id = ? AND name <> ?", team, name).Count(&n).Error
	return n, err
}

func (s store) save(ctx context.Context, team int64, v Service) error {
	owners, err := json.Marshal(v.Owners)
	if err != nil {
		return err
	}
	row := serviceRow{TeamID: team, Name: v.Name, Description: v.Description, Owners: string(owners), Repository: v.Repository, Pipeline: v.Pipeline, Job: v.Job, Project: v.Project,
		LogFilter: v.LogFilter, Package: v.Package, UpdatedBy: v.UpdatedBy, UpdatedAt: v.UpdatedAt.UnixMilli()}
	return s.db.Writer(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
}

func (s store) delete(ctx context.Context, team int64, name string) error {
	r := s.db.Writer(ctx).Where("team_id = ? AND name = ?", team, name).Delete(&serviceRow{})
	if r.Error == nil && r.RowsAffected == 0 {
		return problem.New(problem.NotFound, "There is no service %.80q.", name)
	}
	return r.Error
}
