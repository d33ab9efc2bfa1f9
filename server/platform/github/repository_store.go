package github

import (
	"context"

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
	// Gone is why nothing is heard of it any more, since GoneAt.
	Gone   Gone
	GoneAt int64
}

func (repositoryRow) TableName() string { return "github_repositories" }

// saveRepository notes what was told. One that was gone is there again when it is told
// of by what arrived (row.GoneAt) after its end.
func (s *Service) saveRepository(ctx context.Context, row repositoryRow) error {
	return s.DB.Writer(ctx).Exec(`INSERT INTO github_repositories AS g (team_id, place, owner, name, connection_id, seen_at, hook_id) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (team_id, place) DO UPDATE SET owner = excluded.owner, name = excluded.name, connection_id = excluded.connection_id,
			seen_at = excluded.seen_at, hook_id = excluded.hook_id, gone = CASE WHEN g.gone_at < ? THEN '' ELSE g.gone END`,
		row.TeamID, row.Place, row.Owner, row.Name, row.ConnectionID, row.SeenAt, row.HookID, row.GoneAt).Error
}

// noteGone says of repositories why nothing is heard of them, or with "" that they are
// there again. Of one that nothing was ever heard of it is noted, too. It reports false
// when that, or something newer, was known.
func (s *Service) noteGone(ctx context.Context, row repositoryRow) (bool, error) {
	r := s.DB.Writer(ctx).Exec(`INSERT INTO github_repositories (team_id, place, owner, name, connection_id, seen_at, hook_id, gone, gone_at) VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?)
		ON CONFLICT (team_id, place) DO UPDATE SET gone = excluded.gone, gone_at = excluded.gone_at WHERE github_repositories.gone_at < excluded.gone_at`,
		row.TeamID, row.Place, row.Owner, row.Name, row.ConnectionID, row.HookID, row.Gone, row.GoneAt)
	return r.RowsAffected == 1, r.Error
}

func (s *Service) repositoriesAt(ctx context.Context, team int64, places []string) ([]repositoryRow, error) {
	var rows []repositoryRow
	err := s.DB.Reader(ctx).Where("team_id = ? AND place IN ?", team, places).Order("seen_at DESC, place").Find(&rows).Error
	return rows, err
}

func (s *Service) findRepository(ctx context.Context, team int64, place string) (repositoryRow, bool, error) {
	var row repositoryRow
	err := s.DB.Reader(ctx).Where("team_id = ? AND place = ?", team, normalPlace(place)).Take(&row).Error
	if database.IsNotFound(err) {
		return repositoryRow{}, false, nil
	}
	return row, err == nil, err
}
