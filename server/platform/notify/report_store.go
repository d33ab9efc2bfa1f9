package notify

import (
	"context"

	"gorm.io/gorm/clause"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

type issueRow struct {
	ChannelID string `gorm:"primaryKey"`
	Subject   string `gorm:"primaryKey"`
	Marker    string
	Number    int64
	URL       string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
}

func (issueRow) TableName() string { return "notify_issues" }

func (s *Service) findIssue(ctx context.Context, channel, subject string) (row issueRow, found bool, err error) {
	err = database.NotFound(s.DB.Reader(ctx).Where("channel_id = ? AND subject = ?", channel, subject).Take(&row).Error, "There is no such issue.")
	if problem.Is(err, problem.NotFound) {
		return issueRow{}, false, nil
	}
	return row, err == nil, err
}

func (s *Service) saveIssue(ctx context.Context, row issueRow) error {
	return s.DB.Writer(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "channel_id"}, {Name: "subject"}},
		DoUpdates: clause.AssignmentColumns([]string{"marker", "number", "url", "created_at"})}).Create(&row).Error
}

func (s *Service) forgetIssues(ctx context.Context, channel string) error {
	return s.DB.Writer(ctx).Where("channel_id = ?", channel).Delete(&issueRow{}).Error
}
