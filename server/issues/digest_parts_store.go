package issues

import "context"

// projectTeams gives the teams of the projects that exist.
func (r rows) projectTeams(ctx context.Context, ids []int64) (map[int64]int64, error) {
	var list []struct{ ID, TeamID int64 }
	err := r.db.Writer(ctx).Raw("SELECT id, team_id FROM issues_projects WHERE id IN ?", ids).Scan(&list).Error
	out := make(map[int64]int64, len(list))
	for _, p := range list {
		out[p.ID] = p.TeamID
	}
	return out, err
}

// timings finds a day's rows by name, and how many there are in all.
func (r rows) timings(ctx context.Context, project, day int64, names []string) (found map[string]*timingRow, count int64, err error) {
	if err := r.db.Writer(ctx).Raw("SELECT COUNT(*) FROM issues_transactions WHERE project_id = ? AND day = ?", project, day).Scan(&count).Error; err != nil {
		return nil, 0, err
	}
	var list []timingRow
	err = r.db.Writer(ctx).Raw("SELECT * FROM issues_transactions WHERE project_id = ? AND day = ? AND name IN ?", project, day, names).Scan(&list).Error
	found = make(map[string]*timingRow, len(list))
	for i := range list {
		found[list[i].Name] = &list[i]
	}
	return found, count, err
}

func (r rows) saveTimings(ctx context.Context, changed map[string]*timingRow) error {
	values := make([]any, 0, 11*len(changed))
	for _, t := range changed {
		values = append(values, t.ProjectID, t.Day, t.Name, t.Op, t.Count, t.Failed, t.Duration, t.Longest, t.LastSeen, t.Release, t.Samples)
	}
	return r.insertMany(ctx, "issues_transactions (project_id, day, name, op, count, failed, duration, longest, last_seen, release, samples)", 11, values,
		`ON CONFLICT (project_id, day, name) DO UPDATE SET op = excluded.op, count = excluded.count, failed = excluded.failed, duration = excluded.duration,
		longest = excluded.longest, last_seen = excluded.last_seen, release = excluded.release, samples = excluded.samples`)
}

// listTimings sums a project's days since one, most time first.
func (r rows) listTimings(ctx context.Context, project, since int64, limit int) ([]timingRow, error) {
	var list []timingRow
	err := r.db.Reader(ctx).Raw(`SELECT name, MAX(op) AS op, SUM(count) AS count, SUM(failed) AS failed, SUM(duration) AS duration, MAX(longest) AS longest,
		MAX(last_seen) AS last_seen, MAX(release) AS release, MAX(samples) AS samples FROM issues_transactions WHERE project_id = ? AND day >= ?
		GROUP BY name ORDER BY SUM(duration) DESC LIMIT ?`, project, since, limit).Scan(&list).Error
	return list, err
}

type activityRow struct {
	ID      int64
	IssueID int64
	Kind    ChangeKind
	At      int64
	Person  string
	Detail  string
}

func (r rows) insertActivity(ctx context.Context, list []activityRow) error {
	values := make([]any, 0, 5*len(list))
	for _, a := range list {
		values = append(values, a.IssueID, a.Kind, a.At, a.Person, a.Detail)
	}
	return r.insertMany(ctx, "issues_activity (issue_id, kind, at, person, detail)", 5, values, "")
}

// activity lists what happened to an issue, newest first.
func (r rows) activity(ctx context.Context, issue int64, limit int) ([]activityRow, error) {
	var list []activityRow
	err := r.db.Reader(ctx).Raw("SELECT * FROM issues_activity WHERE issue_id = ? ORDER BY id DESC LIMIT ?", issue, limit).Scan(&list).Error
	return list, err
}
