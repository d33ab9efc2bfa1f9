package issues

import (
	"context"
	"database/sql"
	"strings"

	"github.com/signalbox/signalbox/server/platform/database"
)

// knownEvents tells which of some event ids a project has already.
func (r rows) knownEvents(ctx context.Context, project int64, ids []string) (known []string, err error) {
	is, list := among(r, "event_id", ids)
	err = r.query(ctx, func(row *sql.Rows) error {
		var id string
		err := row.Scan(&id)
		known = append(known, id)
		return err
	}, "SELECT event_id FROM issues_events WHERE project_id = ? AND "+is, project, list)
	return known, err
}

type hashRow struct {
	ProjectID int64
	Hash      string
	IssueID   int64
	Kind      string
	CreatedAt int64
}

// hashes finds the issues of some grouping hashes.
func (r rows) hashes(ctx context.Context, project int64, wanted []string) (found []hashRow, err error) {
	is, list := among(r, "hash", wanted)
	err = r.query(ctx, func(row *sql.Rows) error {
		var h hashRow
		err := row.Scan(&h.ProjectID, &h.Hash, &h.IssueID, &h.Kind, &h.CreatedAt)
		found = append(found, h)
		return err
	}, "SELECT project_id, hash, issue_id, kind, created_at FROM issues_hashes WHERE project_id = ? AND "+is, project, list)
	return found, err
}

func (r rows) insertHashes(ctx context.Context, list []hashRow) error {
	values := make([]any, 0, len(list)*5)
	for _, h := range list {
		values = append(values, h.ProjectID, h.Hash, h.IssueID, h.Kind, h.CreatedAt)
	}
	return r.insertMany(ctx, "issues_hashes (project_id, hash, issue_id, kind, created_at)", 5, values, "ON CONFLICT DO NOTHING")
}

// nextNumbers takes n numbers for new issues of a project and returns the last one.
func (r rows) nextNumbers(ctx context.Context, project int64, n int) (last int64, err error) {
	err = r.db.Writer(ctx).Raw(`INSERT INTO issues_numbers (project_id, last) VALUES (?, ?)
		ON CONFLICT (project_id) DO UPDATE SET last = issues_numbers.last + excluded.last RETURNING last`, project, n).Scan(&last).Error
	return last, err
}

const issueColumns = `issues_issues (id, team_id, project_id, number, title, culprit, type, value, level, platform, logger, status, substate, terms,
	state_at, state_by, wake_at, events, users, user_rows, user_below, first_seen, last_seen, first_release, last_release, words_hash, words_at)`

func (r *issueRow) values() []any {
	return []any{r.TeamID, r.ProjectID, r.Number, r.Title, r.Culprit, r.Type, r.Value, r.Level, r.Platform, r.Logger, r.Status, r.Substate, r.Terms,
		r.StateAt, r.StateBy, r.WakeAt, r.Events, r.Users, r.UserRows, r.UserBelow, r.FirstSeen, r.LastSeen, r.FirstRelease, r.LastRelease, r.WordsHash, r.WordsAt}
}

// insertIssues stores new issues and gives them their ids.
func (r rows) insertIssues(ctx context.Context, list []*issueRow) error {
	if len(list) == 0 {
		return nil
	}
	values := make([]any, 0, len(list)*26)
	for _, i := range list {
		values = append(values, i.values()...)
	}
	group := "(?" + strings.Repeat(",?", 25) + ")"
	var made []struct{ ID, ProjectID, Number int64 }
	err := r.db.Writer(ctx).Raw("INSERT INTO "+strings.Replace(issueColumns, "(id, ", "(", 1)+" VALUES "+group+strings.Repeat(","+group, len(list)-1)+
		" RETURNING id, project_id, number", values...).Scan(&made).Error
	if err != nil {
		return err
	}
	// The order of RETURNING is nobody's promise; the number is.
	ids := make(map[[2]int64]int64, len(made))
	for _, m := range made {
		ids[[2]int64{m.ProjectID, m.Number}] = m.ID
	}
	for _, i := range list {
		i.ID = ids[[2]int64{i.ProjectID, i.Number}]
	}
	return nil
}

// updateIssues writes what digestion changes, in one statement.
func (r rows) updateIssues(ctx context.Context, list []*issueRow) error {
	values := make([]any, 0, len(list)*27)
	for _, i := range list {
		values = append(append(values, i.ID), i.values()...)
	}
	return r.insertMany(ctx, issueColumns, 27, values, `ON CONFLICT (id) DO UPDATE SET title = excluded.title, culprit = excluded.culprit,
		type = excluded.type, value = excluded.value, level = excluded.level, platform = excluded.platform, logger = excluded.logger,
		status = excluded.status, substate = excluded.substate, terms = excluded.terms, state_at = excluded.state_at, state_by = excluded.state_by, wake_at = excluded.wake_at,
		events = excluded.events, users = excluded.users, user_rows = excluded.user_rows, user_below = excluded.user_below,
		first_seen = excluded.first_seen, last_seen = excluded.last_seen, first_release = excluded.first_release, last_release = excluded.last_release,
		words_hash = excluded.words_hash, words_at = excluded.words_at`)
}

type tagCountRow struct {
	IssueID int64
	Counts  string
}

func (r rows) tagCounts(ctx context.Context, issues []int64) (map[int64]string, error) {
	is, list := among(r, "issue_id", issues)
	out := make(map[int64]string, len(issues))
	err := r.query(ctx, func(row *sql.Rows) error {
		var c tagCountRow
		err := row.Scan(&c.IssueID, &c.Counts)
		out[c.IssueID] = c.Counts
		return err
	}, "SELECT issue_id, counts FROM issues_tag_counts WHERE "+is, list)
	return out, err
}

func (r rows) saveTagCounts(ctx context.Context, list []tagCountRow) error {
	values := make([]any, 0, 2*len(list))
	for _, c := range list {
		values = append(values, c.IssueID, c.Counts)
	}
	return r.insertMany(ctx, "issues_tag_counts (issue_id, counts)", 2, values, "ON CONFLICT (issue_id) DO UPDATE SET counts = excluded.counts")
}

type tagRow struct {
	ProjectID  int64
	Key, Value string
	IssueID    int64
}

func (r rows) insertTags(ctx context.Context, list []tagRow) error {
	values := make([]any, 0, 4*len(list))
	for _, t := range list {
		values = append(values, t.ProjectID, t.Key, t.Value, t.IssueID)
	}
	return r.insertMany(ctx, "issues_tags (project_id, key, value, issue_id)", 4, values, "ON CONFLICT DO NOTHING")
}

type hourRow struct{ IssueID, Hour, Events int64 }

func (r rows) addHours(ctx context.Context, list []hourRow) error {
	values := make([]any, 0, 3*len(list))
	for _, h := range list {
		values = append(values, h.IssueID, h.Hour, h.Events)
	}
	return r.insertMany(ctx, "issues_hours (issue_id, hour, events)", 3, values,
		"ON CONFLICT (issue_id, hour) DO UPDATE SET events = issues_hours.events + excluded.events")
}

type userRow struct{ IssueID, UserHash int64 }

// knownUsers tells which of the pairs are stored.
func (r rows) knownUsers(ctx context.Context, pairs []userRow) (known []userRow, err error) {
	for len(pairs) > 0 {
		n := min(len(pairs), 10000)
		tuples := make([][]any, n)
		for i, p := range pairs[:n] {
			tuples[i] = []any{p.IssueID, p.UserHash}
		}
		var list []userRow
		err = r.db.Writer(ctx).Raw("SELECT issue_id, user_hash FROM issues_users WHERE (issue_id, user_hash) IN ?", tuples).Scan(&list).Error
		if err != nil {
			return nil, err
		}
		known, pairs = append(known, list...), pairs[n:]
	}
	return known, nil
}

func (r rows) insertUsers(ctx context.Context, pairs []userRow) error {
	values := make([]any, 0, 2*len(pairs))
	for _, p := range pairs {
		values = append(values, p.IssueID, p.UserHash)
	}
	return r.insertMany(ctx, "issues_users (issue_id, user_hash)", 2, values, "ON CONFLICT DO NOTHING")
}

func (r rows) userHashes(ctx context.Context, issue int64) (hashes []int64, err error) {
	err = r.db.Writer(ctx).Raw("SELECT user_hash FROM issues_users WHERE issue_id = ?", issue).Scan(&hashes).Error
	return hashes, err
}

func (r rows) dropUsersFrom(ctx context.Context, issue, from int64) error {
	return r.db.Writer(ctx).Exec("DELETE FROM issues_users WHERE issue_id = ? AND user_hash >= ?", issue, from).Error
}

// addUsage counts what a project holds; both may be negative.
func (r rows) addUsage(ctx context.Context, team, project, events, bytes int64) error {
	return r.exec(ctx, `INSERT INTO issues_usage (project_id, team_id, events, bytes) VALUES (?, ?, ?, ?)
		ON CONFLICT (project_id) DO UPDATE SET events = issues_usage.events + excluded.events, bytes = issues_usage.bytes + excluded.bytes`,
		project, team, events, bytes)
}

func (r rows) insertVersions(ctx context.Context, list []versionRow) error {
	values := make([]any, 0, 3*len(list))
	for _, v := range list {
		values = append(values, v.ProjectID, v.Version, v.FirstSeen)
	}
	return r.insertMany(ctx, "issues_versions (project_id, version, first_seen)", 3, values, "ON CONFLICT DO NOTHING")
}

// saveWords replaces what the full text holds of an issue.
func (r rows) saveWords(ctx context.Context, issue int64, words string) error {
	if r.db.Dialect == database.Postgres {
		return r.db.Writer(ctx).Exec(`INSERT INTO issues_search (issue_id, words) VALUES (?, array_to_tsvector(string_to_array(?, ' ')))
			ON CONFLICT (issue_id) DO UPDATE SET words = excluded.words`, issue, words).Error
	}
	return r.exec(ctx, "INSERT OR REPLACE INTO issues_search (rowid, words) VALUES (?, ?)", issue, words)
}

func (r rows) dropWords(ctx context.Context, issues []int64) error {
	column := "rowid"
	if r.db.Dialect == database.Postgres {
		column = "issue_id"
	}
	return r.db.Writer(ctx).Exec("DELETE FROM issues_search WHERE "+column+" IN ?", issues).Error
}
