package issues

import (
	"context"

	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/platform/database"
)

type monitorRow struct {
	ID                int64 `gorm:"primaryKey"`
	TeamID            int64
	ProjectID         int64
	Slug              string
	Crontab           string
	Every             int64
	Unit              string
	Timezone          string
	Margin            int64
	MaxRuntime        int64
	FailureThreshold  int64
	RecoveryThreshold int64
	Muted             bool
	CreatedAt         int64
}

func (monitorRow) TableName() string { return "issues_monitors" }

func (r rows) monitor(ctx context.Context, project int64, slug string) (monitorRow, error) {
	var row monitorRow
	err := r.db.Writer(ctx).Where("project_id = ? AND slug = ?", project, slug).Take(&row).Error
	return row, database.NotFound(err, "There is no monitor %.60s.", slug)
}

func (r rows) monitorByID(ctx context.Context, id int64) (monitorRow, error) {
	var row monitorRow
	err := r.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no such monitor.")
}

// listMonitors gives a team's monitors or those of one project.
func (r rows) listMonitors(ctx context.Context, team, project int64) ([]monitorRow, error) {
	q := r.db.Reader(ctx).Where("team_id = ? AND project_id IN (SELECT id FROM issues_projects)", team)
	if project != 0 {
		q = q.Where("project_id = ?", project)
	}
	var list []monitorRow
	err := q.Order("slug, id").Limit(5000).Find(&list).Error
	return list, err
}

func (r rows) countMonitors(ctx context.Context, project int64) (n int64, err error) {
	err = r.db.Writer(ctx).Model(&monitorRow{}).Where("project_id = ?", project).Count(&n).Error
	return n, err
}

func (r rows) insertMonitor(ctx context.Context, m monitorRow) (int64, error) {
	err := r.db.Writer(ctx).Create(&m).Error
	return m.ID, err
}

func (r rows) saveMonitor(ctx context.Context, m monitorRow) error {
	return r.db.Writer(ctx).Exec(`UPDATE issues_monitors SET crontab = ?, every = ?, unit = ?, timezone = ?, margin = ?, max_runtime = ?, failure_threshold = ?,
		recovery_threshold = ?, muted = ? WHERE id = ?`, m.Crontab, m.Every, m.Unit, m.Timezone, m.Margin, m.MaxRuntime, m.FailureThreshold, m.RecoveryThreshold, m.Muted, m.ID).Error
}

func (r rows) removeMonitor(ctx context.Context, id int64) error {
	return r.db.Writer(ctx).Where("id = ?", id).Delete(&monitorRow{}).Error
}

type monitorStateRow struct {
	MonitorID   int64
	Environment string
	Status      string
	Failures    int64
	Successes   int64
	LastAt      int64
	NextAt      int64
	MissedAt    int64
	FailingAt   int64
	Told        bool
}

func (monitorStateRow) TableName() string { return "issues_monitor_states" }

func (r rows) monitorState(ctx context.Context, monitor int64, environment string) (row monitorStateRow, known bool, err error) {
	err = r.db.Writer(ctx).Where("monitor_id = ? AND environment = ?", monitor, environment).Take(&row).Error
	if database.IsNotFound(err) {
		return monitorStateRow{MonitorID: monitor, Environment: environment, Status: monitorWaiting}, false, nil
	}
	return row, err == nil, err
}

func (r rows) countEnvironments(ctx context.Context, monitor int64) (n int64, err error) {
	err = r.db.Writer(ctx).Model(&monitorStateRow{}).Where("monitor_id = ?", monitor).Count(&n).Error
	return n, err
}

func (r rows) saveMonitorState(ctx context.Context, st monitorStateRow) error {
	return r.db.Writer(ctx).Exec(`INSERT INTO issues_monitor_states (monitor_id, environment, status, failures, successes, last_at, next_at, missed_at, failing_at, told)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (monitor_id, environment) DO UPDATE SET status = excluded.status, failures = excluded.failures,
		successes = excluded.successes, last_at = excluded.last_at, next_at = excluded.next_at, missed_at = excluded.missed_at, failing_at = excluded.failing_at, told = excluded.told`,
		st.MonitorID, st.Environment, st.Status, st.Failures, st.Successes, st.LastAt, st.NextAt, st.MissedAt, st.FailingAt, st.Told).Error
}

// tellState notes that a failure has been told, unless it is over.
func (r rows) tellState(ctx context.Context, st monitorStateRow) error {
	return r.db.Writer(ctx).Exec("UPDATE issues_monitor_states SET told = TRUE WHERE monitor_id = ? AND environment = ? AND failing_at = ?",
		st.MonitorID, st.Environment, st.FailingAt).Error
}

func (r rows) statesOf(ctx context.Context, monitors []int64) (map[int64][]monitorStateRow, error) {
	var list []monitorStateRow
	err := r.db.Reader(ctx).Where("monitor_id IN ?", append([]int64{0}, monitors...)).Order("monitor_id, environment").Find(&list).Error
	out := map[int64][]monitorStateRow{}
	for _, st := range list {
		out[st.MonitorID] = append(out[st.MonitorID], st)
	}
	return out, err
}

func (r rows) missedStates(ctx context.Context, now int64, limit int) ([]monitorStateRow, error) {
	query := "SELECT * FROM issues_monitor_states WHERE missed_at > 0 AND missed_at <= ? ORDER BY monitor_id, environment LIMIT ?"
	if r.db.Dialect == database.Postgres {
		query += " FOR UPDATE SKIP LOCKED"
	}
	var list []monitorStateRow
	err := r.db.Writer(ctx).Raw(query, now, limit).Scan(&list).Error
	return list, err
}

func (r rows) untoldStates(ctx context.Context, limit int) ([]monitorStateRow, error) {
	var list []monitorStateRow
	err := r.db.Reader(ctx).Where("failing_at > 0 AND told = FALSE").Order("monitor_id").Limit(limit).Find(&list).Error
	return list, err
}

type checkInRow struct {
	ID          int64 `gorm:"primaryKey"`
	MonitorID   int64
	Environment string
	CheckIn     string
	Status      string
	Late        bool
	Duration    int64
	Release     string
	ExpectedAt  int64
	StartedAt   int64
	EndedAt     int64
	TimeoutAt   int64
}

func (checkInRow) TableName() string { return "issues_check_ins" }

// openCheckIn finds the check-in that another one completes: that of its id, or
// without one the latest that is running.
func (r rows) openCheckIn(ctx context.Context, monitor int64, environment, id string) (row checkInRow, found bool, err error) {
	q := r.db.Writer(ctx).Where("monitor_id = ? AND environment = ?", monitor, environment)
	if id != "" {
		q = q.Where("check_in = ?", id)
	} else {
		q = q.Where("status = ?", sentry.CheckInProgress)
	}
	err = q.Order("id DESC").Take(&row).Error
	if database.IsNotFound(err) {
		return row, false, nil
	}
	return row, err == nil, err
}

func (r rows) insertCheckIn(ctx context.Context, c checkInRow) error {
	return r.db.Writer(ctx).Create(&c).Error
}

func (r rows) saveCheckIn(ctx context.Context, c checkInRow) error {
	return r.db.Writer(ctx).Exec("UPDATE issues_check_ins SET status = ?, duration = ?, ended_at = ?, timeout_at = ? WHERE id = ?",
		c.Status, c.Duration, c.EndedAt, c.TimeoutAt, c.ID).Error
}

func (r rows) overdueCheckIns(ctx context.Context, now int64, limit int) ([]checkInRow, error) {
	query := "SELECT * FROM issues_check_ins WHERE timeout_at > 0 AND timeout_at <= ? ORDER BY id LIMIT ?"
	if r.db.Dialect == database.Postgres {
		query += " FOR UPDATE SKIP LOCKED"
	}
	var list []checkInRow
	err := r.db.Writer(ctx).Raw(query, now, limit).Scan(&list).Error
	return list, err
}

// checkIns lists a monitor's, newest first; environment "" means all, before 0 the newest.
func (r rows) checkIns(ctx context.Context, monitor int64, environment string, before int64, limit int) ([]checkInRow, error) {
	q := r.db.Reader(ctx).Where("monitor_id = ?", monitor)
	if environment != "" {
		q = q.Where("environment = ?", environment)
	}
	if before > 0 {
		q = q.Where("id < ?", before)
	}
	var list []checkInRow
	err := q.Order("id DESC").Limit(limit).Find(&list).Error
	return list, err
}
