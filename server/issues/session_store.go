package issues

import "context"

// markSession tells whether this is the first time that a session's mark is seen.
func (r rows) markSession(ctx context.Context, project int64, session, mark string, now int64) (bool, error) {
	result := r.db.Writer(ctx).Exec("INSERT INTO issues_session_marks (project_id, session, mark, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
		project, clipText(session, 64), mark, now)
	return result.RowsAffected > 0, result.Error
}

func (r rows) countSessions(ctx context.Context, row sessionRow) error {
	if row.Total+row.Errored+row.Crashed+row.Abnormal == 0 {
		return nil
	}
	return r.db.Writer(ctx).Exec(`INSERT INTO issues_sessions (project_id, hour, release, environment, total, errored, crashed, abnormal) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (project_id, hour, release, environment) DO UPDATE SET total = issues_sessions.total + excluded.total,
		errored = issues_sessions.errored + excluded.errored, crashed = issues_sessions.crashed + excluded.crashed, abnormal = issues_sessions.abnormal + excluded.abnormal`,
		row.ProjectID, row.Hour, row.Release, row.Environment, row.Total, row.Errored, row.Crashed, row.Abnormal).Error
}

// sessionSums adds up per release; no versions means all.
func (r rows) sessionSums(ctx context.Context, projects []int64, versions []string, since int64) ([]sessionRow, error) {
	q := r.db.Reader(ctx).Table("issues_sessions").Select("release, SUM(total) AS total, SUM(errored) AS errored, SUM(crashed) AS crashed, SUM(abnormal) AS abnormal").
		Where("project_id IN ? AND hour >= ?", append([]int64{0}, projects...), since)
	if versions != nil {
		q = q.Where("release IN ?", versions)
	}
	var list []sessionRow
	err := q.Group("release").Find(&list).Error
	return list, err
}

// releaseSessionHours adds up the hours of one release.
func (r rows) releaseSessionHours(ctx context.Context, projects []int64, version string, since int64) ([]sessionRow, error) {
	var list []sessionRow
	err := r.db.Reader(ctx).Table("issues_sessions").Select("hour, SUM(total) AS total, SUM(errored) AS errored, SUM(crashed) AS crashed, SUM(abnormal) AS abnormal").
		Where("project_id IN ? AND hour >= ? AND release = ?", append([]int64{0}, projects...), since, version).Group("hour").Order("hour").Find(&list).Error
	return list, err
}
