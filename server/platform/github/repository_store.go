package github

import (
	"context"

	"gorm.io/gorm/clause"

	"github.com/signalbox/signalbox/server/platform/database"
)

type repositoryRow struct {
	TeamID       int64  `gorm:"primaryKey"`
	Place        string `gorm:"primaryKey"`
	Owner        string
	Name         string
	ConnectionID string
	SeenAt       int64
	HookID       string
}

func (repositoryRow) TableName() string { return "github_repositories" }

func (s *Service) saveRepository(ctx context.Context, row repositoryRow) error {
	return s.DB.Writer(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
}

func (s *Service) findRepository(ctx context.Context, team int64, place string) (repositoryRow, bool, error) {
	var row repositoryRow
	err := s.DB.Reader(ctx).Where("team_id = ? AND place = ?", team, normalPlace(place)).Take(&row).Error
	if database.IsNotFound(err) {
		return repositoryRow{}, false, nil
	}
	return row, err == nil, err
}
