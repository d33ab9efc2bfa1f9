package issues

import (
	"context"
	"strings"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (r rows) enabledAlerts(ctx context.Context, team int64) ([]alertRow, error) {
	var list []alertRow
	err := r.db.Reader(ctx).Where("team_id = ? AND enabled", team).Order("id").Find(&list).Error
	return list, err
}

// claimSubject notes that a rule fires about something; false when it did so after since.
func (r rows) claimSubject(ctx context.Context, alert int64, subject string, now, since int64) (bool, error) {
	result := r.db.Writer(ctx).Exec(`INSERT INTO issues_alert_last (alert_id, subject, at) VALUES (?, ?, ?)
		ON CONFLICT (alert_id, subject) DO UPDATE SET at = excluded.at WHERE issues_alert_last.at <= ?`, alert, subject, now, since)
	return result.RowsAffected > 0, result.Error
}

// startBurst locks a rule and tells how many firings of the present burst were
// told. A burst of which some were held back ends only when that has been told.
func (r rows) startBurst(ctx context.Context, alert, now, since int64) (told int64, err error) {
	var list []int64
	err = r.db.Writer(ctx).Raw(`UPDATE issues_alerts SET fired_at = ?,
		burst_told = CASE WHEN burst_at <= ? AND burst_held = 0 THEN 0 ELSE burst_told END,
		burst_at = CASE WHEN burst_at <= ? AND burst_held = 0 THEN ? ELSE burst_at END WHERE id = ? RETURNING burst_told`, now, since, since, now, alert).Scan(&list).Error
	if err == nil && len(list) == 0 {
		err = problem.New(problem.NotFound, "There is no alert %d.", alert)
	}
	return append(list, 0)[0], err
}

func (r rows) countBurst(ctx context.Context, alert, told, held int64) error {
	return r.db.Writer(ctx).Exec("UPDATE issues_alerts SET burst_told = burst_told + ?, burst_held = burst_held + ? WHERE id = ?", told, held, alert).Error
}

func (r rows) endedBursts(ctx context.Context, since int64) ([]alertRow, error) {
	var list []alertRow
	err := r.db.Reader(ctx).Where("burst_held > 0 AND burst_at <= ?", since).Order("id").Find(&list).Error
	return list, err
}

// endBurst tells how many firings were held back, to one node only.
func (r rows) endBurst(ctx context.Context, alert int64) (held int64, err error) {
	q := "SELECT burst_held FROM issues_alerts WHERE id = ?"
	if err := r.db.Writer(ctx).Raw(q+r.lockWords(), alert).Scan(&held).Error; err != nil || held == 0 {
		return 0, err
	}
	return held, r.db.Writer(ctx).Exec("UPDATE issues_alerts SET burst_at = 0, burst_told = 0, burst_held = 0 WHERE id = ?", alert).Error
}

// lockWords keep others from a row that is read; SQLite has one writer anyway.
func (r rows) lockWords() string {
	if r.db.Dialect == database.Postgres {
		return " FOR UPDATE"
	}
	return ""
}

// where is the filter as a condition on issues_issues i.
func (f issueFilter) where() (string, []any) {
	var b strings.Builder
	b.WriteString("i.team_id = ? AND i.status IN ?")
	args := []any{f.Team, f.Statuses}
	for _, c := range f.Where {
		b.WriteString(" AND (" + c.sql + ")")
		args = append(args, c.args...)
	}
	return b.String(), args
}

// selects tells which of some issues a filter selects.
func (r rows) selects(ctx context.Context, f issueFilter, ids []int64) (map[int64]bool, error) {
	where, args := f.where()
	var list []int64
	err := r.db.Writer(ctx).Raw("SELECT i.id FROM issues_issues i WHERE i.id IN ? AND "+where, append([]any{ids}, args...)...).Scan(&list).Error
	out := make(map[int64]bool, len(list))
	for _, id := range list {
		out[id] = true
	}
	return out, err
}

// environments are those that a team's errors have named.
func (r rows) environments(ctx context.Context, team int64) ([]string, error) {
	list := []string{}
	err := r.db.Reader(ctx).Raw(`SELECT DISTINCT t.value FROM issues_tags t JOIN issues_projects p ON p.id = t.project_id
		WHERE p.team_id = ? AND t.key = 'environment' ORDER BY t.value LIMIT 100`, team).Scan(&list).Error
	return list, err
}

// countingAlerts are the rules that count events or users.
func (r rows) countingAlerts(ctx context.Context) ([]alertRow, error) {
	var list []alertRow
	err := r.db.Reader(ctx).Where("condition LIKE ? OR condition LIKE ?", `{"type":"events"%`, `{"type":"users"%`).Order("id").Find(&list).Error
	return list, err
}

// sweepAlertRows removes what is too old, and what belonged to projects and issues that are gone.
func (r rows) sweepAlertRows(ctx context.Context, subjects, firings, slot int64) error {
	for _, q := range []struct {
		sql  string
		args []any
	}{
		{"DELETE FROM issues_alert_last WHERE at < ?", []any{subjects}},
		{"DELETE FROM issues_alert_firings WHERE at < ?", []any{firings}},
		{"DELETE FROM issues_pace WHERE slot < ?", []any{slot}},
		{"DELETE FROM issues_alerts WHERE project_id <> 0 AND NOT EXISTS (SELECT 1 FROM issues_projects p WHERE p.id = issues_alerts.project_id)", nil},
		{"DELETE FROM issues_links WHERE NOT EXISTS (SELECT 1 FROM issues_issues i WHERE i.id = issues_links.issue_id)", nil},
	} {
		if err := r.db.Writer(ctx).Exec(q.sql, q.args...).Error; err != nil {
			return err
		}
	}
	return nil
}
