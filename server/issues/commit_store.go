package issues

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/database"
)

type commitRow struct {
	ReleaseID  int64
	TeamID     int64
	SHA        string `gorm:"column:sha"`
	Position   int64
	Repository string
	Author     string
	Email      string
	Message    string
	At         int64
	Files      string
}

func (commitRow) TableName() string { return "issues_commits" }

func (r rows) replaceCommits(ctx context.Context, release int64, list []commitRow) error {
	if err := r.db.Writer(ctx).Exec("DELETE FROM issues_commits WHERE release_id = ?", release).Error; err != nil {
		return err
	}
	values := make([]any, 0, 10*len(list))
	for _, c := range list {
		values = append(values, c.ReleaseID, c.TeamID, c.SHA, c.Position, c.Repository, c.Author, c.Email, c.Message, c.At, c.Files)
	}
	return r.insertMany(ctx, "issues_commits (release_id, team_id, sha, position, repository, author, email, message, at, files)", 10, values, "")
}

// commits are a release's in the order they were given, newest first.
func (r rows) commits(ctx context.Context, release int64, limit int) ([]commitRow, error) {
	var list []commitRow
	err := r.db.Reader(ctx).Where("release_id = ?", release).Order("position").Limit(limit).Find(&list).Error
	return list, err
}

func (r rows) commitsOf(ctx context.Context, team int64, version string) ([]commitRow, error) {
	var list []commitRow
	if version == "" {
		return nil, nil
	}
	err := r.db.Reader(ctx).Raw(`SELECT c.* FROM issues_releases r JOIN issues_commits c ON c.release_id = r.id
		WHERE r.team_id = ? AND r.version = ? ORDER BY c.position LIMIT ?`, team, version, maxCommits).Scan(&list).Error
	return list, err
}

func (r rows) releaseOfCommit(ctx context.Context, team int64, sha string) (version string, err error) {
	err = r.db.Reader(ctx).Raw(`SELECT COALESCE((SELECT r.version FROM issues_commits c JOIN issues_releases r ON r.id = c.release_id
		WHERE c.team_id = ? AND c.sha >= ? AND c.sha < ? ORDER BY r.created_at, r.id LIMIT 1), '')`, team, sha, sha+"g").Row().Scan(&version)
	return version, err
}

// waitingForCommit are issues resolved in a commit; whether it has a release is in their terms.
func (r rows) waitingForCommit(ctx context.Context, team int64) ([]issueRow, error) {
	query := `SELECT * FROM issues_issues WHERE team_id = ? AND status = 'resolved' AND terms LIKE '%"in_commit"%' AND terms NOT LIKE '%"release"%' ORDER BY id LIMIT 10000`
	if r.db.Dialect == database.Postgres {
		query += " FOR UPDATE"
	}
	var list []issueRow
	err := r.db.Writer(ctx).Raw(query, team).Scan(&list).Error
	return list, err
}

func (r rows) issueByShortID(ctx context.Context, team int64, slug string, number int64) (issueRow, error) {
	var row issueRow
	err := r.db.Writer(ctx).Raw(`SELECT i.* FROM issues_projects p JOIN issues_issues i ON i.project_id = p.id AND i.number = ?
		WHERE p.team_id = ? AND p.slug = ? AND i.status <> 'merged'`, number, team, slug).Take(&row).Error
	return row, database.NotFound(err, "There is no such issue.")
}
