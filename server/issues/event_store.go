package issues

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/database"
)

type eventRow struct {
	ID          int64 `gorm:"primaryKey"`
	TeamID      int64
	ProjectID   int64
	IssueID     int64
	EventID     string
	Hash        string
	Timestamp   int64
	Received    int64
	Level       string
	Environment string
	Release     string
	UserHash    int64
	UserLabel   string
	TraceHash   int64
	Title       string
	Culprit     string
	Quality     int64
	Body        []byte
	// Size is the stored body's, where a query asks for it.
	Size int64 `gorm:"->"`
}

func (eventRow) TableName() string { return "issues_events" }

// eventList leaves out the body, which is large.
const eventList = `e.id, e.team_id, e.project_id, e.issue_id, e.event_id, e.hash, e.timestamp, e.received, e.level, e.environment, e.release,
	e.user_hash, e.user_label, e.trace_hash, e.title, e.culprit, e.quality`

func (r rows) insertEvents(ctx context.Context, list []*eventRow) error {
	values := make([]any, 0, 17*len(list))
	for _, e := range list {
		values = append(values, e.TeamID, e.ProjectID, e.IssueID, e.EventID, e.Hash, e.Timestamp, e.Received, e.Level, e.Environment, e.Release,
			e.UserHash, e.UserLabel, e.TraceHash, e.Title, e.Culprit, e.Quality, e.Body)
	}
	return r.insertMany(ctx, `issues_events (team_id, project_id, issue_id, event_id, hash, timestamp, received, level, environment, release,
		user_hash, user_label, trace_hash, title, culprit, quality, body)`, 17, values, "")
}

// eventPlace is where a page of events begins: behind this one. The zero place is the beginning.
type eventPlace struct{ Timestamp, ID int64 }

// events lists an issue's events, newest first.
func (r rows) events(ctx context.Context, issue int64, behind eventPlace, limit int) ([]eventRow, error) {
	q := r.db.Reader(ctx).Table("issues_events e").Select(eventList).Where("e.issue_id = ?", issue)
	if behind.ID != 0 {
		q = q.Where("(e.timestamp, e.id) < (?, ?)", behind.Timestamp, behind.ID)
	}
	var list []eventRow
	err := q.Order("e.timestamp DESC, e.id DESC").Limit(limit).Find(&list).Error
	return list, err
}

// event finds one of an issue, with its body.
func (r rows) event(ctx context.Context, project int64, eventID string) (eventRow, error) {
	var row eventRow
	err := r.db.Reader(ctx).Where("project_id = ? AND event_id = ?", project, eventID).Take(&row).Error
	return row, database.NotFound(err, "There is no event %s in this issue; it may be older than what is kept.", eventID)
}

// eventOfProject finds one with its body; the latest when eventID is empty.
func (r rows) eventOfProject(ctx context.Context, project int64, eventID string) (eventRow, error) {
	q := r.db.Reader(ctx).Where("project_id = ?", project)
	if eventID != "" {
		q = q.Where("event_id = ?", eventID)
	}
	var row eventRow
	err := q.Order("id DESC").Take(&row).Error
	return row, database.NotFound(err, "No such event of the project is kept. Send one first.")
}

// eventsByID finds an event in any project of a team.
func (r rows) eventsByID(ctx context.Context, team int64, eventID string) ([]eventRow, error) {
	var list []eventRow
	err := r.db.Reader(ctx).Raw(`SELECT `+eventList+` FROM issues_projects p JOIN issues_events e ON e.project_id = p.id AND e.event_id = ?
		WHERE p.team_id = ? ORDER BY e.id LIMIT 10`, eventID, team).Scan(&list).Error
	return list, err
}

// endEvent is an issue's newest or oldest event.
func (r rows) endEvent(ctx context.Context, issue int64, oldest bool) (eventRow, error) {
	order := "timestamp DESC, id DESC"
	if oldest {
		order = "timestamp, id"
	}
	var row eventRow
	err := r.db.Reader(ctx).Where("issue_id = ?", issue).Order(order).Take(&row).Error
	return row, database.NotFound(err, "No event of this issue is kept any more.")
}

// bestEvent is the one that tells most among the newest hundred.
func (r rows) bestEvent(ctx context.Context, issue int64) (eventRow, error) {
	var row eventRow
	err := r.db.Reader(ctx).Raw(`SELECT * FROM issues_events WHERE id = (SELECT id FROM (SELECT id, quality, timestamp FROM issues_events
		WHERE issue_id = ? ORDER BY timestamp DESC, id DESC LIMIT 100) AS newest ORDER BY quality DESC, timestamp DESC, id DESC LIMIT 1)`, issue).Take(&row).Error
	return row, database.NotFound(err, "No event of this issue is kept any more.")
}

// neighbours are the event ids before and after one in time; "" at the ends.
func (r rows) neighbours(ctx context.Context, e eventRow) (previous, next string, err error) {
	err = r.db.Reader(ctx).Raw(`SELECT COALESCE((SELECT event_id FROM issues_events WHERE issue_id = ? AND (timestamp, id) < (?, ?)
			ORDER BY timestamp DESC, id DESC LIMIT 1), ''),
		COALESCE((SELECT event_id FROM issues_events WHERE issue_id = ? AND (timestamp, id) > (?, ?) ORDER BY timestamp, id LIMIT 1), '')`,
		e.IssueID, e.Timestamp, e.ID, e.IssueID, e.Timestamp, e.ID).Row().Scan(&previous, &next)
	return previous, next, err
}

type attachmentRow struct {
	ID          int64 `gorm:"primaryKey"`
	TeamID      int64
	ProjectID   int64
	EventID     string
	Name        string
	Kind        string
	ContentType string
	Size        int64
	SHA256      string `gorm:"column:sha256"`
	CreatedAt   int64
}

func (attachmentRow) TableName() string { return "issues_attachments" }

// insertAttachment gives the new row's id, or 0 when the event has it already.
func (r rows) insertAttachment(ctx context.Context, a attachmentRow) (id int64, err error) {
	err = r.db.Writer(ctx).Raw(`INSERT INTO issues_attachments (team_id, project_id, event_id, name, kind, content_type, size, sha256, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id`, a.TeamID, a.ProjectID, a.EventID, a.Name, a.Kind, a.ContentType, a.Size,
		a.SHA256, a.CreatedAt).Scan(&id).Error
	return id, err
}

func (r rows) attachments(ctx context.Context, project int64, eventID string) ([]attachmentRow, error) {
	var list []attachmentRow
	err := r.db.Reader(ctx).Where("project_id = ? AND event_id = ?", project, eventID).Order("id").Limit(100).Find(&list).Error
	return list, err
}

func (r rows) attachment(ctx context.Context, id int64) (attachmentRow, error) {
	var row attachmentRow
	err := r.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no such attachment.")
}

type feedbackRow struct {
	ID        int64 `gorm:"primaryKey"`
	TeamID    int64
	ProjectID int64
	IssueID   int64
	EventID   string
	Key       string
	Name      string
	Email     string
	Message   string
	URL       string `gorm:"column:url"`
	CreatedAt int64
}

func (feedbackRow) TableName() string { return "issues_feedback" }

// insertFeedback links to the event if it is there; false when it was sent before.
func (r rows) insertFeedback(ctx context.Context, f feedbackRow) (bool, error) {
	result := r.db.Writer(ctx).Exec(`INSERT INTO issues_feedback (team_id, project_id, issue_id, event_id, key, name, email, message, url, created_at)
		VALUES (?, ?, COALESCE((SELECT issue_id FROM issues_events WHERE project_id = ? AND event_id = ?), 0), ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		f.TeamID, f.ProjectID, f.ProjectID, f.EventID, f.EventID, f.Key, f.Name, f.Email, f.Message, f.URL, f.CreatedAt)
	return result.RowsAffected == 1, result.Error
}

// linkFeedback gives what came before its event the event's issue.
func (r rows) linkFeedback(ctx context.Context, project int64, eventIDs []string) error {
	return r.db.Writer(ctx).Exec(`UPDATE issues_feedback SET issue_id = (SELECT e.issue_id FROM issues_events e
			WHERE e.project_id = issues_feedback.project_id AND e.event_id = issues_feedback.event_id)
		WHERE project_id = ? AND event_id IN ? AND issue_id = 0`, project, eventIDs).Error
}

// feedback lists what people wrote about an issue, newest first; eventID narrows it.
func (r rows) feedback(ctx context.Context, issue int64, eventID string, limit int) ([]feedbackRow, error) {
	q := r.db.Reader(ctx).Where("issue_id = ?", issue)
	if eventID != "" {
		q = q.Where("event_id = ?", eventID)
	}
	var list []feedbackRow
	err := q.Order("id DESC").Limit(limit).Find(&list).Error
	return list, err
}
