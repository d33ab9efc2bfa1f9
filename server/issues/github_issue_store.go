package issues

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/database"
)

type linkRow struct {
	ID         int64 `gorm:"primaryKey"`
	TeamID     int64
	IssueID    int64
	Repository string
	Number     int64
	URL        string
	Title      string
	Body       string
	State      string
	Error      string
	Marker     string
	TriedAt    int64
	CreatedBy  string
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
}

func (linkRow) TableName() string { return "issues_links" }

// insertLink stores a link; a second one to the same issue is none, and made is false.
func (r rows) insertLink(ctx context.Context, row *linkRow) (made bool, err error) {
	err = r.db.Writer(ctx).Raw(`INSERT INTO issues_links (team_id, issue_id, repository, number, url, title, body, state, error, marker, tried_at, created_by, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (issue_id, repository, number) DO NOTHING RETURNING id`, row.TeamID, row.IssueID, row.Repository, row.Number,
		row.URL, row.Title, row.Body, row.State, row.Error, row.Marker, row.TriedAt, row.CreatedBy, row.CreatedAt).Scan(&row.ID).Error
	return row.ID != 0, err
}

func (r rows) saveLink(ctx context.Context, row linkRow) error {
	return r.db.Writer(ctx).Exec("UPDATE issues_links SET number = ?, url = ?, title = ?, body = ?, state = ?, error = ?, tried_at = ? WHERE id = ?",
		row.Number, row.URL, row.Title, row.Body, row.State, row.Error, row.TriedAt, row.ID).Error
}

func (r rows) removeLink(ctx context.Context, id int64) error {
	return r.db.Writer(ctx).Where("id = ?", id).Delete(&linkRow{}).Error
}

func (r rows) link(ctx context.Context, id int64) (linkRow, error) {
	var row linkRow
	err := r.db.Writer(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no such link.")
}

func (r rows) links(ctx context.Context, issue int64) ([]linkRow, error) {
	var list []linkRow
	err := r.db.Reader(ctx).Where("issue_id = ?", issue).Order("id").Find(&list).Error
	return list, err
}

func (r rows) linksByID(ctx context.Context, ids []int64) (map[int64]linkRow, error) {
	out := map[int64]linkRow{}
	if len(ids) == 0 {
		return out, nil
	}
	var list []linkRow
	err := r.db.Reader(ctx).Where("id IN ?", ids).Find(&list).Error
	for _, l := range list {
		out[l.ID] = l
	}
	return out, err
}

// linksOfNumber finds the issues of a team that are linked to one at GitHub.
func (r rows) linksOfNumber(ctx context.Context, team int64, repository string, number int64) ([]linkRow, error) {
	var list []linkRow
	err := r.db.Writer(ctx).Where("team_id = ? AND LOWER(repository) = LOWER(?) AND number = ?", team, repository, number).Order("id").Find(&list).Error
	return list, err
}

// followMoves gives an issue the links of those whose events are on their way to
// it, except those that it has.
func (r rows) followMoves(ctx context.Context, to int64) error {
	var from []int64
	if err := r.db.Writer(ctx).Raw("SELECT DISTINCT from_issue FROM issues_moves WHERE to_issue = ? AND hash = ''", to).Scan(&from).Error; err != nil {
		return err
	}
	for _, loser := range from {
		err := r.db.Writer(ctx).Exec(`UPDATE issues_links SET issue_id = ? WHERE issue_id = ? AND NOT EXISTS
			(SELECT 1 FROM issues_links o WHERE o.issue_id = ? AND o.repository = issues_links.repository AND o.number = issues_links.number)`, to, loser, to).Error
		if err != nil {
			return err
		}
		if err := r.removeLinks(ctx, loser); err != nil {
			return err
		}
	}
	return nil
}

func (r rows) removeLinks(ctx context.Context, issue int64) error {
	return r.db.Writer(ctx).Where("issue_id = ?", issue).Delete(&linkRow{}).Error
}
