package issues

import "context"

// candidates are issues that a filter selects, those with the latest event first.
func (r rows) candidates(ctx context.Context, f issueFilter, limit int) ([]issueRow, error) {
	where, args := f.where()
	var list []issueRow
	err := r.db.Reader(ctx).Raw("SELECT i.* FROM issues_issues i WHERE "+where+" ORDER BY i.last_seen DESC, i.id DESC LIMIT ?", append(args, limit)...).Scan(&list).Error
	return list, err
}

// firstIn is when an issue was first seen in an environment, 0 when no event of it is left.
func (r rows) firstIn(ctx context.Context, issue int64, environment string) (at int64, err error) {
	err = r.db.Reader(ctx).Raw("SELECT timestamp FROM issues_events WHERE issue_id = ? AND environment = ? ORDER BY timestamp, id LIMIT 1", issue, environment).Scan(&at).Error
	return at, err
}

func (r rows) regressions(ctx context.Context, issues []int64, since int64) ([]activityRow, error) {
	var list []activityRow
	err := r.db.Reader(ctx).Raw("SELECT * FROM issues_activity WHERE issue_id IN ? AND kind = 'regressed' AND at >= ? ORDER BY id LIMIT ?", issues, since, maxPreviewIssues).Scan(&list).Error
	return list, err
}

// environmentAt is that of the event that came last before a time.
func (r rows) environmentAt(ctx context.Context, issue, at int64) (environment string, err error) {
	err = r.db.Reader(ctx).Raw("SELECT environment FROM issues_events WHERE issue_id = ? AND timestamp <= ? ORDER BY timestamp DESC, id DESC LIMIT 1", issue, at).Scan(&environment).Error
	return environment, err
}

type eventTime struct {
	Timestamp   int64
	UserHash    int64
	Environment string
}

// eventTimes are an issue's events since a time, oldest first.
func (r rows) eventTimes(ctx context.Context, issue, since int64, limit int) ([]eventTime, error) {
	var list []eventTime
	err := r.db.Reader(ctx).Raw("SELECT timestamp, user_hash, environment FROM issues_events WHERE issue_id = ? AND timestamp >= ? ORDER BY timestamp, id LIMIT ?",
		issue, since, limit).Scan(&list).Error
	return list, err
}

// sessionHours gives a project's sessions per hour since one, and of those the crashed.
func (r rows) sessionHours(ctx context.Context, project int64, environment string, since int64) ([]sessionRow, error) {
	q := r.db.Reader(ctx).Table("issues_sessions").Select("hour, SUM(total) AS total, SUM(crashed) AS crashed").Where("project_id = ? AND hour >= ?", project, since)
	if environment != "" {
		q = q.Where("environment = ?", environment)
	}
	var list []sessionRow
	err := q.Group("hour").Order("hour").Find(&list).Error
	return list, err
}

// wrongCheckIn is a check-in that rules about monitors may be told of.
type wrongCheckIn struct {
	ID, MonitorID, ProjectID  int64
	Slug, Environment, Status string
	Late                      bool
	StartedAt, EndedAt        int64
}

func (w wrongCheckIn) outcome() MonitorOutcome {
	switch {
	case w.Status == checkInMissed:
		return MonitorMissed
	case w.Status == checkInTimeout || w.Status == "error":
		return MonitorFailed
	}
	return MonitorLate
}

const wrongColumns = `SELECT c.id, c.monitor_id, m.project_id, m.slug, c.environment, c.status, c.late, c.started_at, c.ended_at
	FROM issues_check_ins c JOIN issues_monitors m ON m.id = c.monitor_id`

// wrongCheckIns are those of a team since a time that were missed, late or failed.
func (r rows) wrongCheckIns(ctx context.Context, team, since int64, limit int) ([]wrongCheckIn, error) {
	var list []wrongCheckIn
	err := r.db.Reader(ctx).Raw(wrongColumns+` WHERE c.started_at >= ? AND m.team_id = ? AND (c.late = TRUE OR c.status IN ?) ORDER BY c.started_at, c.id LIMIT ?`,
		since, team, []string{checkInMissed, checkInTimeout, "error"}, limit).Scan(&list).Error
	return list, err
}

// lateStep is how many late check-ins one look takes.
const lateStep = 200

// lateCheckIns are those of a team behind an id that came late.
func (r rows) lateCheckIns(ctx context.Context, team, behind int64) ([]wrongCheckIn, error) {
	var list []wrongCheckIn
	err := r.db.Reader(ctx).Raw(wrongColumns+" WHERE c.id > ? AND m.team_id = ? AND c.late = TRUE AND m.muted = FALSE ORDER BY c.id LIMIT ?", behind, team, lateStep).Scan(&list).Error
	return list, err
}

// failingMonitor is a monitor that fails in an environment.
type failingMonitor struct {
	MonitorID, ProjectID int64
	Slug, Environment    string
	FailingAt, Failures  int64
}

func (r rows) failingMonitors(ctx context.Context, team, since int64) ([]failingMonitor, error) {
	var list []failingMonitor
	err := r.db.Reader(ctx).Raw(`SELECT s.monitor_id, m.project_id, m.slug, s.environment, s.failing_at, s.failures
		FROM issues_monitor_states s JOIN issues_monitors m ON m.id = s.monitor_id
		WHERE m.team_id = ? AND s.failing_at > ? AND m.muted = FALSE ORDER BY s.monitor_id, s.environment LIMIT 1000`, team, since).Scan(&list).Error
	return list, err
}

// watchingAlerts are the rules that the clock looks at.
func (r rows) watchingAlerts(ctx context.Context) ([]alertRow, error) {
	var list []alertRow
	err := r.db.Reader(ctx).Where("enabled AND (condition LIKE ? OR condition LIKE ? OR condition LIKE ?)",
		`{"type":"spike"%`, `{"type":"crash_free"%`, `{"type":"monitor"%`).Order("team_id, id").Find(&list).Error
	return list, err
}

func (r rows) saveCheckInCursor(ctx context.Context, alert, id int64) error {
	return r.db.Writer(ctx).Exec("UPDATE issues_alerts SET check_in = ? WHERE id = ? AND check_in < ?", id, alert, id).Error
}

// lockAlert gives a rule to one node at a time; false when it is off or gone.
func (r rows) lockAlert(ctx context.Context, id int64) (row alertRow, on bool, err error) {
	var list []alertRow
	err = r.db.Writer(ctx).Raw("SELECT * FROM issues_alerts WHERE id = ? AND enabled"+r.lockWords(), id).Scan(&list).Error
	if err != nil || len(list) == 0 {
		return row, false, err
	}
	return list[0], true, nil
}

const pruneAlertStep = 5000

// pruneCounts removes what is older than a rule's window, in steps along the issues.
func (r rows) pruneCounts(ctx context.Context, table, column string, alert, from, before int64) (next int64, err error) {
	var last []int64
	err = r.db.Writer(ctx).Raw("SELECT MAX(issue_id) FROM (SELECT issue_id FROM "+table+" WHERE alert_id = ? AND issue_id >= ? AND "+column+" < ? ORDER BY issue_id LIMIT ?) AS few HAVING COUNT(*) > 0",
		alert, from, before, pruneAlertStep).Scan(&last).Error
	if err != nil || len(last) == 0 {
		return 0, err
	}
	return last[0] + 1, r.db.Writer(ctx).Exec("DELETE FROM "+table+" WHERE alert_id = ? AND issue_id BETWEEN ? AND ? AND "+column+" < ?", alert, from, last[0], before).Error
}
