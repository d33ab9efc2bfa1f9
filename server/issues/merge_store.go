package issues

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/database"
)

// absorbRows gives the winner what hangs on a loser, all but the events.
func (r rows) absorbRows(ctx context.Context, winner int64, loser issueRow) error {
	w := r.db.Writer(ctx)
	for _, q := range []struct {
		sql  string
		args []any
	}{
		{"UPDATE issues_hashes SET issue_id = ? WHERE issue_id = ?", []any{winner, loser.ID}},
		{`INSERT INTO issues_hours (issue_id, hour, events) SELECT CAST(? AS BIGINT), hour, events FROM issues_hours WHERE issue_id = ?
			ON CONFLICT (issue_id, hour) DO UPDATE SET events = issues_hours.events + excluded.events`, []any{winner, loser.ID}},
		{"INSERT INTO issues_users (issue_id, user_hash) SELECT CAST(? AS BIGINT), user_hash FROM issues_users WHERE issue_id = ? ON CONFLICT DO NOTHING", []any{winner, loser.ID}},
		{`INSERT INTO issues_tags (project_id, key, value, issue_id) SELECT project_id, key, value, CAST(? AS BIGINT) FROM issues_tags WHERE issue_id = ?
			ON CONFLICT DO NOTHING`, []any{winner, loser.ID}},
		{"UPDATE issues_comments SET issue_id = ? WHERE issue_id = ?", []any{winner, loser.ID}},
		{"UPDATE issues_feedback SET issue_id = ? WHERE issue_id = ?", []any{winner, loser.ID}},
		{"UPDATE issues_moves SET to_issue = ? WHERE to_issue = ?", []any{winner, loser.ID}},
		{"UPDATE issues_issues SET status = 'merged', substate = '', wake_at = 0 WHERE id = ?", []any{loser.ID}},
	} {
		if err := w.Exec(q.sql, q.args...).Error; err != nil {
			return err
		}
	}
	if err := r.dropParts(ctx, []int64{loser.ID}); err != nil {
		return err
	}
	return r.insertMove(ctx, moveRow{ProjectID: loser.ProjectID, FromIssue: loser.ID, ToIssue: winner})
}

// dropParts removes what is counted of issues.
func (r rows) dropParts(ctx context.Context, issues []int64) error {
	for _, table := range []string{"issues_hashes", "issues_hours", "issues_users", "issues_tags", "issues_tag_counts", "issues_activity", "issues_comments"} {
		if err := r.db.Writer(ctx).Exec("DELETE FROM "+table+" WHERE issue_id IN ?", issues).Error; err != nil {
			return err
		}
	}
	return r.dropWords(ctx, issues)
}

// dropIssues removes issues and lets their events follow.
func (r rows) dropIssues(ctx context.Context, issues []int64) error {
	if err := r.dropParts(ctx, issues); err != nil {
		return err
	}
	w := r.db.Writer(ctx)
	if err := w.Exec("UPDATE issues_feedback SET issue_id = 0 WHERE issue_id IN ?", issues).Error; err != nil {
		return err
	}
	err := w.Exec(`INSERT INTO issues_moves (project_id, from_issue, hash, to_issue, cursor_at, cursor_id)
		SELECT project_id, id, '', 0, 0, 0 FROM issues_issues WHERE id IN ?`, issues).Error
	if err != nil {
		return err
	}
	return w.Exec("DELETE FROM issues_issues WHERE id IN ?", issues).Error
}

// saveTotals writes what merging changes of the winner.
func (r rows) saveTotals(ctx context.Context, i issueRow) error {
	return r.db.Writer(ctx).Exec(`UPDATE issues_issues SET events = ?, users = ?, user_rows = ?, user_below = ?, first_seen = ?, last_seen = ?, first_release = ?
		WHERE id = ?`, i.Events, i.Users, i.UserRows, i.UserBelow, i.FirstSeen, i.LastSeen, i.FirstRelease, i.ID).Error
}

func (r rows) hashesOf(ctx context.Context, issue int64) ([]hashRow, error) {
	var list []hashRow
	err := r.db.Reader(ctx).Raw("SELECT * FROM issues_hashes WHERE issue_id = ? ORDER BY created_at, hash LIMIT 500", issue).Scan(&list).Error
	return list, err
}

func (r rows) repointHash(ctx context.Context, project int64, hash string, issue int64) error {
	return r.db.Writer(ctx).Exec("UPDATE issues_hashes SET issue_id = ? WHERE project_id = ? AND hash = ?", issue, project, hash).Error
}

// lastOfHash is the newest kept event that a hash led here.
func (r rows) lastOfHash(ctx context.Context, issue int64, hash string) (eventRow, error) {
	var row eventRow
	err := r.db.Reader(ctx).Where("issue_id = ? AND hash = ?", issue, hash).Order("timestamp DESC, id DESC").Take(&row).Error
	return row, database.NotFound(err, "No event of this hash is kept any more.")
}

// lastOfOthers is the newest kept event that another hash led here.
func (r rows) lastOfOthers(ctx context.Context, issue int64, hash string) (eventRow, error) {
	var row eventRow
	err := r.db.Reader(ctx).Where("issue_id = ? AND hash <> ?", issue, hash).Order("timestamp DESC, id DESC").Take(&row).Error
	return row, database.NotFound(err, "No event of another hash is kept any more.")
}

// retitle makes an issue look like one of its events.
func (r rows) retitle(ctx context.Context, issue int64, e eventRow) error {
	return r.db.Writer(ctx).Exec("UPDATE issues_issues SET title = ?, culprit = ?, level = ? WHERE id = ?", e.Title, e.Culprit, e.Level, issue).Error
}

type moveRow struct {
	ID        int64
	ProjectID int64
	FromIssue int64
	Hash      string
	ToIssue   int64
	CursorAt  int64
	CursorID  int64
}

func (r rows) insertMove(ctx context.Context, m moveRow) error {
	return r.db.Writer(ctx).Exec("INSERT INTO issues_moves (project_id, from_issue, hash, to_issue, cursor_at, cursor_id) VALUES (?, ?, ?, ?, 0, 0)",
		m.ProjectID, m.FromIssue, m.Hash, m.ToIssue).Error
}

// oldestMove gives the next move to go on with; its id is 0 when there is none.
func (r rows) oldestMove(ctx context.Context) (m moveRow, err error) {
	err = r.db.Writer(ctx).Raw("SELECT * FROM issues_moves ORDER BY id LIMIT 1").Scan(&m).Error
	return m, err
}

func (r rows) advanceMove(ctx context.Context, m moveRow) error {
	return r.db.Writer(ctx).Exec("UPDATE issues_moves SET cursor_at = ?, cursor_id = ? WHERE id = ?", m.CursorAt, m.CursorID, m.ID).Error
}

// endMove forgets a move and, when all events have left a merged issue, the issue.
func (r rows) endMove(ctx context.Context, m moveRow) error {
	if err := r.db.Writer(ctx).Exec("DELETE FROM issues_moves WHERE id = ?", m.ID).Error; err != nil {
		return err
	}
	return r.db.Writer(ctx).Exec("DELETE FROM issues_issues WHERE id = ? AND status = 'merged'", m.FromIssue).Error
}

// eventsToMove reads the next events of a move, oldest first.
func (r rows) eventsToMove(ctx context.Context, m moveRow, limit int, bodies bool) ([]eventRow, error) {
	columns := eventList + ", LENGTH(e.body) AS size"
	if bodies {
		columns += ", e.body"
	}
	var list []eventRow
	err := r.db.Writer(ctx).Raw("SELECT "+columns+` FROM issues_events e WHERE e.issue_id = ? AND (e.timestamp, e.id) > (?, ?)
		ORDER BY e.timestamp, e.id LIMIT ?`, m.FromIssue, m.CursorAt, m.CursorID, limit).Scan(&list).Error
	return list, err
}

func (r rows) repointEvents(ctx context.Context, ids []int64, issue int64) error {
	return r.db.Writer(ctx).Exec("UPDATE issues_events SET issue_id = ? WHERE id IN ?", issue, ids).Error
}

// subtract takes moved events out of an issue's counters.
func (r rows) subtract(ctx context.Context, issue int64, events int64, hours map[int64]int64) error {
	w := r.db.Writer(ctx)
	if err := w.Exec("UPDATE issues_issues SET events = CASE WHEN events > ? THEN events - ? ELSE 0 END WHERE id = ?", events, events, issue).Error; err != nil {
		return err
	}
	for hour, n := range hours {
		if err := w.Exec("UPDATE issues_hours SET events = events - ? WHERE issue_id = ? AND hour = ? AND events >= ?", n, issue, hour, n).Error; err != nil {
			return err
		}
	}
	return nil
}
