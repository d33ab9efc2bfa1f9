package issues

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/database"
)

type commentRow struct {
	ID       int64 `gorm:"primaryKey"`
	IssueID  int64
	At       int64
	EditedAt int64
	UserID   int64
	Person   string
	Text     string
}

func (commentRow) TableName() string { return "issues_comments" }

// talk counts comments and feedback.
func (r rows) talk(ctx context.Context, issue int64) (comments, feedback int64, err error) {
	err = r.db.Reader(ctx).Raw(`SELECT (SELECT COUNT(*) FROM issues_comments WHERE issue_id = ?), (SELECT COUNT(*) FROM issues_feedback WHERE issue_id = ?)`,
		issue, issue).Row().Scan(&comments, &feedback)
	return comments, feedback, err
}

func (r rows) insertComment(ctx context.Context, c *commentRow) error {
	return r.db.Writer(ctx).Create(c).Error
}

// comments lists those of an issue, oldest first.
func (r rows) comments(ctx context.Context, issue int64) ([]commentRow, error) {
	var list []commentRow
	err := r.db.Reader(ctx).Where("issue_id = ?", issue).Order("id").Limit(1000).Find(&list).Error
	return list, err
}

func (r rows) comment(ctx context.Context, issue, id int64) (commentRow, error) {
	var row commentRow
	err := r.db.Reader(ctx).Where("id = ? AND issue_id = ?", id, issue).Take(&row).Error
	return row, database.NotFound(err, "There is no such comment.")
}

func (r rows) editComment(ctx context.Context, id int64, text string, at int64) error {
	return r.db.Writer(ctx).Exec("UPDATE issues_comments SET text = ?, edited_at = ? WHERE id = ?", text, at, id).Error
}

func (r rows) removeComment(ctx context.Context, id int64) error {
	return r.db.Writer(ctx).Exec("DELETE FROM issues_comments WHERE id = ?", id).Error
}
