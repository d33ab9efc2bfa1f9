package issues

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
)

type erasureRow struct {
	ID        string `gorm:"primaryKey"`
	TeamID    int64
	ProjectID int64
	State     EraseState
	Mode      EraseMode
	Subject   string
	Label     string
	Position  int64
	Counts    string
	Error     string
	CreatedBy string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	EndedAt   int64
}

func (erasureRow) TableName() string { return "issues_erasures" }

// sought is what an erasure remembers until it is done.
type sought struct {
	Subject
	Seen []int64 `json:"seen,omitempty"`
}

func rowOfErasure(e Erasure) erasureRow {
	row := erasureRow{ID: e.ID, TeamID: e.Team, ProjectID: e.Project.ID, State: e.State, Mode: e.Mode, Label: e.Label, Position: e.position,
		Counts: settings(e.Counts), Error: e.Error, CreatedBy: e.CreatedBy, CreatedAt: int64(e.CreatedAt), EndedAt: int64(e.EndedAt)}
	if e.subject != (Subject{}) {
		row.Subject = settings(sought{e.subject, e.seen})
	}
	return row
}

func (r erasureRow) erasure(slug string) (Erasure, error) {
	e := Erasure{ID: r.ID, Team: r.TeamID, Project: projectRef{r.ProjectID, slug}, State: r.State, Mode: r.Mode, Label: r.Label, Error: r.Error,
		CreatedBy: r.CreatedBy, CreatedAt: api.Millis(r.CreatedAt), EndedAt: api.Millis(r.EndedAt), position: r.Position}
	if r.Subject != "" {
		var s sought
		if err := json.Unmarshal([]byte(r.Subject), &s); err != nil {
			return e, err
		}
		e.subject, e.seen = s.Subject, s.Seen
	}
	return e, json.Unmarshal([]byte(r.Counts), &e.Counts)
}

func (r rows) insertErasure(ctx context.Context, e Erasure) error {
	row := rowOfErasure(e)
	return r.db.Writer(ctx).Create(&row).Error
}

func (r rows) saveErasure(ctx context.Context, e Erasure) error {
	row := rowOfErasure(e)
	return r.db.Writer(ctx).Exec("UPDATE issues_erasures SET state = ?, subject = ?, position = ?, counts = ?, error = ?, ended_at = ? WHERE id = ?",
		row.State, row.Subject, row.Position, row.Counts, row.Error, row.EndedAt, row.ID).Error
}

func (r rows) erasure(ctx context.Context, id string) (Erasure, error) {
	var row erasureRow
	if err := r.db.Reader(ctx).Where("id = ?", id).Take(&row).Error; err != nil {
		return Erasure{}, database.NotFound(err, "There is no such erasure.")
	}
	slugs, err := r.projectSlugs(ctx, row.TeamID)
	if err != nil {
		return Erasure{}, err
	}
	return row.erasure(slugs[row.ProjectID])
}

// erasures lists a team's, or one project's, newest first.
func (r rows) erasures(ctx context.Context, team, project int64) ([]Erasure, error) {
	slugs, err := r.projectSlugs(ctx, team)
	if err != nil {
		return nil, err
	}
	q := r.db.Reader(ctx).Where("team_id = ?", team)
	if project != 0 {
		q = q.Where("project_id = ?", project)
	}
	var list []erasureRow
	if err := q.Order("created_at DESC, id").Limit(100).Find(&list).Error; err != nil {
		return nil, err
	}
	out := make([]Erasure, len(list))
	for i, row := range list {
		if out[i], err = row.erasure(slugs[row.ProjectID]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// eventsAfter reads a project's events with their bodies in the order they came.
func (r rows) eventsAfter(ctx context.Context, project, position int64, limit int) ([]eventRow, error) {
	var list []eventRow
	err := r.db.Writer(ctx).Raw("SELECT * FROM issues_events WHERE project_id = ? AND id > ? ORDER BY id LIMIT ?", project, position, limit).Scan(&list).Error
	return list, err
}

// rewriteEvent stores what is left of an event.
func (r rows) rewriteEvent(ctx context.Context, e eventRow) error {
	return r.db.Writer(ctx).Exec("UPDATE issues_events SET user_hash = ?, user_label = ?, title = ?, culprit = ?, body = ? WHERE id = ?",
		e.UserHash, e.UserLabel, e.Title, e.Culprit, e.Body, e.ID).Error
}

// dropUser forgets that a user had an issue, and tells whether that was known.
func (r rows) dropUser(ctx context.Context, u userRow) (bool, error) {
	result := r.db.Writer(ctx).Exec("DELETE FROM issues_users WHERE issue_id = ? AND user_hash = ?", u.IssueID, u.UserHash)
	return result.RowsAffected > 0, result.Error
}

// dropTag tells whether there was one.
func (r rows) dropTag(ctx context.Context, t tagRow) (bool, error) {
	result := r.db.Writer(ctx).Exec("DELETE FROM issues_tags WHERE project_id = ? AND key = ? AND value = ? AND issue_id = ?", t.ProjectID, t.Key, t.Value, t.IssueID)
	return result.RowsAffected > 0, result.Error
}

// tagsWithText are a project's tags whose value holds a text, in whatever case.
func (r rows) tagsWithText(ctx context.Context, project int64, text string) ([]tagRow, error) {
	var list []tagRow
	err := r.db.Writer(ctx).Raw(`SELECT * FROM issues_tags WHERE project_id = ? AND LOWER(value) LIKE ? ESCAPE '\' ORDER BY issue_id`, project, likeText(text)).Scan(&list).Error
	return list, err
}

// likeText is the pattern for values that hold a text.
func likeText(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(text)) + "%"
}

// issuesWithText are a project's issues that show a text.
func (r rows) issuesWithText(ctx context.Context, project int64, text string) (ids []int64, err error) {
	like := likeText(text)
	err = r.db.Writer(ctx).Raw(`SELECT id FROM issues_issues WHERE project_id = ? AND (LOWER(title) LIKE ? ESCAPE '\' OR LOWER(value) LIKE ? ESCAPE '\'
		OR LOWER(culprit) LIKE ? ESCAPE '\') ORDER BY id`, project, like, like, like).Scan(&ids).Error
	return ids, err
}

// dropFeedbackOf removes what people wrote with events.
func (r rows) dropFeedbackOf(ctx context.Context, project int64, events []string) (int64, error) {
	result := r.db.Writer(ctx).Exec("DELETE FROM issues_feedback WHERE project_id = ? AND event_id IN ?", project, events)
	return result.RowsAffected, result.Error
}

// dropFeedbackBy removes what a person wrote or what names them.
func (r rows) dropFeedbackBy(ctx context.Context, project int64, text string) (int64, error) {
	like := likeText(text)
	result := r.db.Writer(ctx).Exec(`DELETE FROM issues_feedback WHERE project_id = ? AND (LOWER(email) LIKE ? ESCAPE '\' OR LOWER(name) LIKE ? ESCAPE '\'
		OR LOWER(message) LIKE ? ESCAPE '\' OR LOWER(url) LIKE ? ESCAPE '\')`, project, like, like, like, like)
	return result.RowsAffected, result.Error
}

type commentText struct {
	ID   int64
	Text string
}

func (r rows) commentsWithText(ctx context.Context, project int64, text string) ([]commentText, error) {
	var list []commentText
	err := r.db.Writer(ctx).Raw(`SELECT c.id, c.text FROM issues_comments c JOIN issues_issues i ON i.id = c.issue_id
		WHERE i.project_id = ? AND LOWER(c.text) LIKE ? ESCAPE '\'`, project, likeText(text)).Scan(&list).Error
	return list, err
}

func (r rows) rewriteComment(ctx context.Context, c commentText) error {
	return r.db.Writer(ctx).Exec("UPDATE issues_comments SET text = ? WHERE id = ?", c.Text, c.ID).Error
}

type rejectedBody struct {
	ID      int64
	Payload []byte
}

// rejectedBodies are items that were put aside, as they came.
func (r rows) rejectedBodies(ctx context.Context, project int64) ([]rejectedBody, error) {
	var list []rejectedBody
	err := r.db.Writer(ctx).Raw("SELECT id, payload FROM issues_rejected WHERE project_id = ?", project).Scan(&list).Error
	return list, err
}

func (r rows) dropRejected(ctx context.Context, ids []int64) error {
	return r.db.Writer(ctx).Exec("DELETE FROM issues_rejected WHERE id IN ?", ids).Error
}
