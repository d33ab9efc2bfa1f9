package github

import (
	"context"
	"strings"
)

type statusRow struct {
	ID           int64 `gorm:"primaryKey"`
	TeamID       int64
	ConnectionID string
	Owner        string
	Repo         string
	SHA          string `gorm:"column:sha"`
	Context      string
	State        string
	Description  string
	TargetURL    string
	Wanted       int64
	Posted       int64
	Error        string
	Attempts     int64
	Failed       bool
	UpdatedAt    int64 `gorm:"autoUpdateTime:false"`
}

func (statusRow) TableName() string { return "github_statuses" }

// wishStatus notes what GitHub should show. It reports false when that was the wish already.
func (s *Service) wishStatus(ctx context.Context, team int64, st Status) (id int64, changed bool, err error) {
	var rows []struct{ ID int64 }
	st.Owner, st.Repo = strings.ToLower(st.Owner), strings.ToLower(st.Repo) // one wish, however the repository is written
	err = s.DB.Writer(ctx).Raw(`INSERT INTO github_statuses AS g
		(team_id, connection_id, owner, repo, sha, context, state, description, target_url, wanted, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)
		ON CONFLICT (connection_id, owner, repo, sha, context) DO UPDATE SET state = excluded.state, description = excluded.description,
			target_url = excluded.target_url, wanted = g.wanted + 1, updated_at = excluded.updated_at,
			attempts = 0, failed = FALSE, error = ''
		WHERE g.state <> excluded.state OR g.description <> excluded.description OR g.target_url <> excluded.target_url
		RETURNING id`,
		team, st.Connection, st.Owner, st.Repo, st.SHA, st.Context, st.State, st.Description, st.TargetURL, s.millis()).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return 0, false, err
	}
	return rows[0].ID, true, nil
}

func (s *Service) findStatus(ctx context.Context, id int64) (row statusRow, found bool, err error) {
	var rows []statusRow
	err = s.DB.Reader(ctx).Where("id = ?", id).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return row, false, err
	}
	return rows[0], true, nil
}

func (s *Service) statusPosted(ctx context.Context, row statusRow) error {
	return s.DB.Writer(ctx).Exec("UPDATE github_statuses SET posted = ?, attempts = attempts + 1, failed = FALSE, error = '' WHERE id = ? AND posted < ?", row.Wanted, row.ID, row.Wanted).Error
}

func (s *Service) noteStatusError(ctx context.Context, row statusRow, message string, final bool) error {
	return s.DB.Writer(ctx).Exec("UPDATE github_statuses SET attempts = attempts + 1, error = ?, failed = ? WHERE id = ? AND wanted = ?", message, final, row.ID, row.Wanted).Error
}

func (s *Service) pruneStatuses(ctx context.Context, before int64) error {
	return s.DB.Writer(ctx).Exec("DELETE FROM github_statuses WHERE updated_at < ? AND posted >= wanted", before).Error
}
