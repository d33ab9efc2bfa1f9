package issues

import (
	"context"
	"database/sql"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
)

// rows holds the queries about issues and events; its methods are spread over
// the *_store.go files by noun.
type rows struct {
	db         *database.DB
	statements *statements
}

func (s *Service) rows() rows { return rows{s.DB, s.compiled} }

type issueRow struct {
	ID           int64 `gorm:"primaryKey"`
	TeamID       int64
	ProjectID    int64
	Number       int64
	Title        string
	Culprit      string
	Type         string
	Value        string
	Level        string
	Platform     string
	Logger       string
	Status       Status
	Substate     Substate
	Terms        string
	StateAt      int64
	StateBy      string
	WakeAt       int64
	Events       int64
	Users        int64
	UserRows     int64
	UserBelow    int64
	FirstSeen    int64
	LastSeen     int64
	FirstRelease string
	LastRelease  string
	AssigneeID   int64
	Assignee     string
	WordsHash    int64
	WordsAt      int64
}

func (issueRow) TableName() string { return "issues_issues" }

func (r *issueRow) state() state {
	return state{Status: r.Status, Substate: r.Substate, Terms: parseTerms(r.Terms)}
}

// setState changes the state; who is "" for events and the clock.
func (r *issueRow) setState(s state, at time.Time, who string) {
	r.Status, r.Substate, r.Terms = s.Status, s.Substate, s.Terms.text()
	r.StateAt, r.StateBy, r.WakeAt = at.UnixMilli(), who, 0
	if s.Status == Archived && s.Terms.Kind == UntilTime && s.Terms.Until != nil {
		r.WakeAt = s.Terms.Until.UnixMilli()
	}
}

// issue finds one that is not merged; the caller checks its team.
func (r rows) issue(ctx context.Context, id int64) (issueRow, error) {
	var row issueRow
	err := r.db.Reader(ctx).Where("id = ? AND status <> ?", id, Merged).Take(&row).Error
	return row, database.NotFound(err, "There is no issue %d.", id)
}

// lockIssues reads issues for a change, in the order of their ids, so that two
// changers on PostgreSQL wait for each other instead of deadlocking.
func (r rows) lockIssues(ctx context.Context, ids []int64) ([]issueRow, error) {
	is, wanted := among(r, "id", ids)
	query := "SELECT " + issueFields + " FROM issues_issues WHERE " + is + " ORDER BY id"
	if r.db.Dialect == database.Postgres {
		query += " FOR UPDATE"
	}
	list := make([]issueRow, 0, len(ids))
	err := r.query(ctx, func(row *sql.Rows) error {
		var i issueRow
		err := row.Scan(&i.ID, &i.TeamID, &i.ProjectID, &i.Number, &i.Title, &i.Culprit, &i.Type, &i.Value, &i.Level, &i.Platform, &i.Logger, &i.Status,
			&i.Substate, &i.Terms, &i.StateAt, &i.StateBy, &i.WakeAt, &i.Events, &i.Users, &i.UserRows, &i.UserBelow, &i.FirstSeen, &i.LastSeen,
			&i.FirstRelease, &i.LastRelease, &i.AssigneeID, &i.Assignee, &i.WordsHash, &i.WordsAt)
		list = append(list, i)
		return err
	}, query, wanted)
	return list, err
}

const issueFields = `id, team_id, project_id, number, title, culprit, type, value, level, platform, logger, status, substate, terms, state_at, state_by,
	wake_at, events, users, user_rows, user_below, first_seen, last_seen, first_release, last_release, assignee_id, assignee, words_hash, words_at`

// lockProjects lets one node at a time digest for a project, so that two do
// not make two issues of one new hash. SQLite has one writer anyway.
func (r rows) lockProjects(ctx context.Context, projects []int64) error {
	if r.db.Dialect != database.Postgres {
		return nil
	}
	for _, p := range projects {
		if err := r.db.Writer(ctx).Exec("SELECT pg_advisory_xact_lock(7221, ?)", int32(p)).Error; err != nil {
			return err
		}
	}
	return nil
}

func (r rows) issueByNumber(ctx context.Context, project, number int64) (issueRow, error) {
	var row issueRow
	err := r.db.Reader(ctx).Where("project_id = ? AND number = ? AND status <> ?", project, number, Merged).Take(&row).Error
	return row, database.NotFound(err, "There is no such issue.")
}

// saveState writes what people and the clock change.
func (r rows) saveState(ctx context.Context, i issueRow) error {
	return r.db.Writer(ctx).Exec(`UPDATE issues_issues SET status = ?, substate = ?, terms = ?, state_at = ?, state_by = ?, wake_at = ?, assignee_id = ?, assignee = ?
		WHERE id = ?`, i.Status, i.Substate, i.Terms, i.StateAt, i.StateBy, i.WakeAt, i.AssigneeID, i.Assignee, i.ID).Error
}

// hours gives the events per hour of some issues since an hour.
func (r rows) hours(ctx context.Context, issues []int64, since int64) (map[int64]map[int64]int64, error) {
	var list []hourRow
	err := r.db.Reader(ctx).Raw("SELECT issue_id, hour, events FROM issues_hours WHERE issue_id IN ? AND hour >= ?", issues, since).Scan(&list).Error
	out := make(map[int64]map[int64]int64, len(issues))
	for _, h := range list {
		if out[h.IssueID] == nil {
			out[h.IssueID] = map[int64]int64{}
		}
		out[h.IssueID][h.Hour] += h.Events
	}
	return out, err
}

// busiestHour is the most events that an issue had in one hour since.
func (r rows) busiestHour(ctx context.Context, issue, since int64) (n int64, err error) {
	err = r.db.Reader(ctx).Raw("SELECT COALESCE(MAX(events), 0) FROM issues_hours WHERE issue_id = ? AND hour >= ?", issue, since).Scan(&n).Error
	return n, err
}

type versionRow struct {
	ProjectID int64
	Version   string
	FirstSeen int64
}

// versions are the releases that a project's events named, newest first, at most a thousand.
func (r rows) versions(ctx context.Context, project int64) ([]versionRow, error) {
	var list []versionRow
	err := r.db.Reader(ctx).Raw("SELECT * FROM issues_versions WHERE project_id = ? ORDER BY first_seen DESC LIMIT 1000", project).Scan(&list).Error
	return list, err
}

func millisTime(at int64) time.Time { return time.UnixMilli(at).UTC() }

func (r rows) versionSeen(ctx context.Context, project int64, version string) (at int64, err error) {
	err = r.db.Reader(ctx).Raw("SELECT COALESCE(MAX(first_seen), 0) FROM issues_versions WHERE project_id = ? AND version = ?", project, version).Scan(&at).Error
	return at, err
}

// staleStates lists issues that the clock changes: no longer new, or an archive whose time is over.
func (r rows) staleStates(ctx context.Context, before, now int64, limit int) ([]issueRow, error) {
	var list []issueRow
	err := r.db.Reader(ctx).Raw(`SELECT * FROM issues_issues WHERE (status = 'unresolved' AND substate <> 'ongoing' AND state_at <= ?)
		OR (status = 'archived' AND wake_at > 0 AND wake_at <= ?) ORDER BY id LIMIT ?`, before, now, limit).Scan(&list).Error
	return list, err
}
