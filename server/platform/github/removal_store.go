package github

import "context"

type removalRow struct {
	ID           int64 `gorm:"primaryKey"`
	TeamID       int64
	ConnectionID string
	Kind         HookKind
	Owner        string
	Repo         string
	GithubID     int64
	URL          string `gorm:"column:url"`
	Error        string
	CreatedAt    int64 `gorm:"autoCreateTime:false"`
}

func (removalRow) TableName() string { return "github_removals" }

func (s *Service) insertRemoval(ctx context.Context, r *removalRow) error {
	return s.DB.Writer(ctx).Create(r).Error
}

func (s *Service) findRemoval(ctx context.Context, id int64) (row removalRow, found bool, err error) {
	var rows []removalRow
	err = s.DB.Reader(ctx).Where("id = ?", id).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return row, false, err
	}
	return rows[0], true, nil
}

func (s *Service) anyRemoval(ctx context.Context, connection string) (bool, error) {
	var n int64
	err := s.DB.Writer(ctx).Model(&removalRow{}).Where("connection_id = ?", connection).Count(&n).Error
	return n > 0, err
}

func (s *Service) noteRemoval(ctx context.Context, id int64, message string) error {
	return s.DB.Writer(ctx).Exec("UPDATE github_removals SET error = ? WHERE id = ?", message, id).Error
}

func (s *Service) deleteRemoval(ctx context.Context, id int64) error {
	return s.DB.Writer(ctx).Where("id = ?", id).Delete(&removalRow{}).Error
}

// pruneRemovals forgets what could not be removed at GitHub for a month, and the
// connections that were kept for it.
func (s *Service) pruneRemovals(ctx context.Context, before int64) error {
	if err := s.DB.Writer(ctx).Exec("DELETE FROM github_removals WHERE created_at < ?", before).Error; err != nil {
		return err
	}
	return s.DB.Writer(ctx).Exec(`DELETE FROM github_connections WHERE removed_at > 0 AND removed_at < ?
		AND NOT EXISTS (SELECT 1 FROM github_removals r WHERE r.connection_id = github_connections.id)`, before).Error
}
