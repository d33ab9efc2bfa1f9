package issues

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/signalbox/signalbox/server/platform/database"
)

type alertRow struct {
	ID              int64 `gorm:"primaryKey"`
	TeamID          int64
	ProjectID       int64
	Name            string
	Enabled         bool
	Condition       string
	Environment     string
	Query           string
	Actions         string
	ThrottleMinutes int64
	CreatedBy       string
	CreatedAt       int64 `gorm:"autoCreateTime:false"`
	UpdatedAt       int64 `gorm:"autoUpdateTime:false"`
	FiredAt         int64
	BurstAt         int64
	BurstTold       int64
	BurstHeld       int64
	CheckIn         int64
}

func (alertRow) TableName() string { return "issues_alerts" }

// take copies a rule into its row.
func (r *alertRow) take(a Alert) {
	r.TeamID, r.ProjectID, r.Name, r.Enabled = a.Team, a.Project, a.Name, a.Enabled
	r.Condition, r.Environment, r.Query = settings(a.Condition), a.Environment, a.Query
	r.Actions, r.ThrottleMinutes = settings(a.Actions), a.Throttle
}

func (r alertRow) alert() (Alert, error) {
	a := Alert{ID: r.ID, Team: r.TeamID, Project: r.ProjectID, Name: r.Name, Enabled: r.Enabled, Environment: r.Environment, Query: r.Query, Throttle: r.ThrottleMinutes}
	if err := json.Unmarshal([]byte(r.Condition), &a.Condition); err != nil {
		return a, fmt.Errorf("read the condition of alert %d: %w", r.ID, err)
	}
	if err := json.Unmarshal([]byte(r.Actions), &a.Actions); err != nil {
		return a, fmt.Errorf("read the actions of alert %d: %w", r.ID, err)
	}
	return a, nil
}

func (r rows) insertAlert(ctx context.Context, row *alertRow) error {
	return r.db.Writer(ctx).Create(row).Error
}

func (r rows) updateAlert(ctx context.Context, row alertRow) error {
	return r.db.Writer(ctx).Exec(`UPDATE issues_alerts SET project_id = ?, name = ?, enabled = ?, condition = ?, environment = ?, query = ?, actions = ?,
		throttle_minutes = ?, updated_at = ? WHERE id = ?`, row.ProjectID, row.Name, row.Enabled, row.Condition, row.Environment, row.Query, row.Actions,
		row.ThrottleMinutes, row.UpdatedAt, row.ID).Error
}

func (r rows) removeAlert(ctx context.Context, id int64) error {
	return r.db.Writer(ctx).Where("id = ?", id).Delete(&alertRow{}).Error
}

// forgetProgress drops what a rule has counted: its condition is another one now.
func (r rows) forgetProgress(ctx context.Context, id int64) error {
	for _, table := range []string{"issues_alert_last", "issues_alert_counts", "issues_alert_users"} {
		if err := r.db.Writer(ctx).Exec("DELETE FROM "+table+" WHERE alert_id = ?", id).Error; err != nil {
			return err
		}
	}
	return nil
}

func (r rows) alert(ctx context.Context, id int64) (alertRow, error) {
	var row alertRow
	err := r.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no alert %d.", id)
}

func (r rows) alerts(ctx context.Context, team int64) ([]alertRow, error) {
	var list []alertRow
	err := r.db.Reader(ctx).Where("team_id = ?", team).Order("name, id").Limit(maxAlerts).Find(&list).Error
	return list, err
}

func (r rows) countAlerts(ctx context.Context, team int64) (n int64, err error) {
	err = r.db.Writer(ctx).Model(&alertRow{}).Where("team_id = ?", team).Count(&n).Error
	return n, err
}

// lastCheckIn is the newest of all; what a rule has not seen is behind it.
func (r rows) lastCheckIn(ctx context.Context) (id int64, err error) {
	err = r.db.Reader(ctx).Raw("SELECT COALESCE(MAX(id), 0) FROM issues_check_ins").Scan(&id).Error
	return id, err
}

type firingRow struct {
	ID         int64 `gorm:"primaryKey"`
	AlertID    int64
	TeamID     int64
	ProjectID  int64
	IssueID    int64
	EventID    string
	At         int64
	Why        string
	URL        string
	Test       bool
	Deliveries string
}

func (firingRow) TableName() string { return "issues_alert_firings" }

func (r rows) insertFiring(ctx context.Context, row *firingRow) error {
	return r.db.Writer(ctx).Create(row).Error
}

// firings lists a rule's, newest first, below the id before (0: from the newest).
func (r rows) firings(ctx context.Context, alert, before int64, limit int) ([]firingRow, error) {
	q := r.db.Reader(ctx).Where("alert_id = ?", alert)
	if before > 0 {
		q = q.Where("id < ?", before)
	}
	var list []firingRow
	err := q.Order("id DESC").Limit(limit).Find(&list).Error
	return list, err
}

// lastFirings gives the newest of each of some rules.
func (r rows) lastFirings(ctx context.Context, alerts []int64) (map[int64]firingRow, error) {
	var list []firingRow
	err := r.db.Reader(ctx).Where("id IN (SELECT MAX(id) FROM issues_alert_firings WHERE alert_id IN ? GROUP BY alert_id)", append([]int64{0}, alerts...)).Find(&list).Error
	out := make(map[int64]firingRow, len(list))
	for _, f := range list {
		out[f.AlertID] = f
	}
	return out, err
}

func (r rows) issuesByID(ctx context.Context, ids []int64) (map[int64]issueRow, error) {
	var list []issueRow
	err := r.db.Reader(ctx).Where("id IN ?", append([]int64{0}, ids...)).Find(&list).Error
	out := make(map[int64]issueRow, len(list))
	for _, i := range list {
		out[i.ID] = i
	}
	return out, err
}
