package logs

import (
	"context"
	"encoding/json"
	"fmt"

	"gorm.io/gorm/clause"

	"github.com/signalbox/signalbox/server/platform/database"
)

type alertRow struct {
	ID              string `gorm:"primaryKey"`
	TeamID          int64
	Name            string
	Enabled         bool
	Condition       string
	Actions         string
	ThrottleMinutes int64
	RemindMinutes   int64
	Resolve         bool
	MutedUntil      int64
	CreatedBy       string
	CreatedAt       int64 `gorm:"autoCreateTime:false"`
	UpdatedAt       int64 `gorm:"autoUpdateTime:false"`
	Revision        int64
	CheckedAt       int64
	Value           *float64
	Error           string
	ErrorSince      int64
	ToldAt          int64
	FiredAt         int64
	Gap             int64
	GapUntil        int64
	LearnedTo       int64
}

func (alertRow) TableName() string { return "logs_alerts" }

// written is JSON of one of this package's own types.
func written(value any) string {
	raw, _ := json.Marshal(value) // they hold nothing that JSON cannot
	return string(raw)
}

// take copies an alert into its row.
func (r *alertRow) take(a Alert) {
	r.ID, r.TeamID, r.Name, r.Enabled, r.Condition, r.Actions = a.ID, a.Team, a.Name, a.Enabled, written(a.Condition), written(a.Actions)
	r.ThrottleMinutes, r.RemindMinutes, r.Resolve, r.MutedUntil = a.Throttle, a.Remind, a.Resolve, a.MutedUntil
}

func (r alertRow) alert() (Alert, error) {
	a := Alert{ID: r.ID, Team: r.TeamID, Name: r.Name, Enabled: r.Enabled, Throttle: r.ThrottleMinutes, Remind: r.RemindMinutes, Resolve: r.Resolve, MutedUntil: r.MutedUntil}
	if err := json.Unmarshal([]byte(r.Condition), &a.Condition); err != nil {
		return a, fmt.Errorf("read the condition of alert %s: %w", r.ID, err)
	}
	if err := json.Unmarshal([]byte(r.Actions), &a.Actions); err != nil {
		return a, fmt.Errorf("read the actions of alert %s: %w", r.ID, err)
	}
	return a, nil
}

func (r rows) insertAlert(ctx context.Context, row *alertRow) error {
	return r.db.Writer(ctx).Create(row).Error
}

// updateAlert writes what people say of an alert; what was found last is dropped
// when its condition is another one.
func (r rows) updateAlert(ctx context.Context, row alertRow, anew bool) error {
	w := r.db.Writer(ctx)
	err := w.Exec(`UPDATE logs_alerts SET name = ?, enabled = ?, condition = ?, actions = ?, throttle_minutes = ?, remind_minutes = ?, resolve = ?, muted_until = ?,
		updated_at = ?, revision = revision + 1 WHERE id = ?`, row.Name, row.Enabled, row.Condition, row.Actions, row.ThrottleMinutes, row.RemindMinutes, row.Resolve,
		row.MutedUntil, row.UpdatedAt, row.ID).Error
	if err != nil || !anew {
		return err
	}
	for _, q := range []string{
		"UPDATE logs_alerts SET checked_at = 0, value = NULL, error = '', error_since = 0, told_at = 0, gap = 0, gap_until = 0, learned_to = 0 WHERE id = ?",
		"DELETE FROM logs_alert_states WHERE alert_id = ?",
		"DELETE FROM logs_alert_patterns WHERE alert_id = ?",
	} {
		if err := w.Exec(q, row.ID).Error; err != nil {
			return err
		}
	}
	return w.Exec("UPDATE logs_alert_firings SET ended_at = ? WHERE alert_id = ? AND ended_at = 0", row.UpdatedAt, row.ID).Error
}

func (r rows) removeAlert(ctx context.Context, id string) error {
	return r.db.Writer(ctx).Where("id = ?", id).Delete(&alertRow{}).Error
}

func (r rows) alert(ctx context.Context, id string) (alertRow, error) {
	var row alertRow
	err := r.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no alert %.40s.", id)
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

// enabledAlerts are those of all teams that are looked at.
func (r rows) enabledAlerts(ctx context.Context) ([]alertRow, error) {
	var list []alertRow
	err := r.db.Reader(ctx).Where("enabled").Order("checked_at, id").Find(&list).Error
	return list, err
}

// claimLook writes down what a look found; false when somebody else has looked,
// or the alert was changed or deleted meanwhile.
func (r rows) claimLook(ctx context.Context, row, next alertRow) (bool, error) {
	result := r.db.Writer(ctx).Exec(`UPDATE logs_alerts SET checked_at = ?, value = ?, error = ?, error_since = ?, told_at = ?, fired_at = ?, gap = ?, gap_until = ?, learned_to = ?
		WHERE id = ? AND checked_at = ? AND revision = ?`, next.CheckedAt, next.Value, next.Error, next.ErrorSince, next.ToldAt, next.FiredAt, next.Gap, next.GapUntil,
		next.LearnedTo, row.ID, row.CheckedAt, row.Revision)
	return result.RowsAffected > 0, result.Error
}

type stateRow struct {
	AlertID  string `gorm:"primaryKey"`
	Subject  string `gorm:"primaryKey"`
	Firing   bool
	Since    int64
	Value    *float64
	Told     bool
	FiringID int64
	SeenAt   int64
}

func (stateRow) TableName() string { return "logs_alert_states" }

func (r rows) alertStates(ctx context.Context, alert string) ([]stateRow, error) {
	var list []stateRow
	err := r.db.Reader(ctx).Where("alert_id = ?", alert).Order("subject").Find(&list).Error
	return list, err
}

// firingStates are what some alerts fire about.
func (r rows) firingStates(ctx context.Context, alerts []string) (map[string][]stateRow, error) {
	var list []stateRow
	err := r.db.Reader(ctx).Where("alert_id IN ? AND firing", append([]string{""}, alerts...)).Order("since DESC, subject").Find(&list).Error
	out := map[string][]stateRow{}
	for _, st := range list {
		out[st.AlertID] = append(out[st.AlertID], st)
	}
	return out, err
}

func (r rows) saveState(ctx context.Context, row stateRow) error {
	return r.db.Writer(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "alert_id"}, {Name: "subject"}},
		DoUpdates: clause.AssignmentColumns([]string{"firing", "since", "value", "told", "firing_id", "seen_at"})}).Create(&row).Error
}

func (r rows) dropState(ctx context.Context, alert, subject string) error {
	return r.db.Writer(ctx).Where("alert_id = ? AND subject = ?", alert, subject).Delete(&stateRow{}).Error
}

type firingRow struct {
	ID         int64 `gorm:"primaryKey"`
	AlertID    string
	TeamID     int64
	Subject    string
	At         int64
	EndedAt    int64
	Value      *float64
	Why        string
	URL        string
	Test       bool
	Deliveries string
}

func (firingRow) TableName() string { return "logs_alert_firings" }

func (r rows) insertFiring(ctx context.Context, row *firingRow) error {
	return r.db.Writer(ctx).Create(row).Error
}

func (r rows) endFiring(ctx context.Context, id, at int64) error {
	return r.db.Writer(ctx).Exec("UPDATE logs_alert_firings SET ended_at = ? WHERE id = ?", at, id).Error
}

// addDeliveries notes messages that concern some firings.
func (r rows) addDeliveries(ctx context.Context, ids []int64, more []delivery) error {
	var list []firingRow
	if err := r.db.Writer(ctx).Where("id IN ?", append([]int64{0}, ids...)).Find(&list).Error; err != nil {
		return err
	}
	for _, f := range list {
		all := append(parseDeliveries(f.Deliveries), more...)
		// The first message and the newest say enough of one that reminds for weeks.
		if most := 5 * maxActions; len(all) > most {
			all = append(all[:maxActions], all[len(all)-most+maxActions:]...)
		}
		if err := r.db.Writer(ctx).Exec("UPDATE logs_alert_firings SET deliveries = ? WHERE id = ?", written(all), f.ID).Error; err != nil {
			return err
		}
	}
	return nil
}

// firings lists an alert's, newest first, below the id before (0: from the newest).
func (r rows) firings(ctx context.Context, alert string, before int64, limit int) ([]firingRow, error) {
	q := r.db.Reader(ctx).Where("alert_id = ?", alert)
	if before > 0 {
		q = q.Where("id < ?", before)
	}
	var list []firingRow
	err := q.Order("id DESC").Limit(limit).Find(&list).Error
	return list, err
}

// lastFirings gives the newest of each of some alerts.
func (r rows) lastFirings(ctx context.Context, alerts []string) (map[string]firingRow, error) {
	var list []firingRow
	err := r.db.Reader(ctx).Where("id IN (SELECT MAX(id) FROM logs_alert_firings WHERE alert_id IN ? GROUP BY alert_id)", append([]string{""}, alerts...)).Find(&list).Error
	out := make(map[string]firingRow, len(list))
	for _, f := range list {
		out[f.AlertID] = f
	}
	return out, err
}

// forgetFirings removes history that ended long ago.
func (r rows) forgetFirings(ctx context.Context, before int64) error {
	return r.db.Writer(ctx).Exec(`DELETE FROM logs_alert_firings WHERE at < ?
		AND NOT EXISTS (SELECT 1 FROM logs_alert_states s WHERE s.firing_id = logs_alert_firings.id AND s.firing)`, before).Error
}

type patternRow struct {
	AlertID string `gorm:"primaryKey"`
	Hash    string `gorm:"primaryKey"`
	Pattern string
	SeenAt  int64
}

func (patternRow) TableName() string { return "logs_alert_patterns" }

// patterns are those that an alert has seen since, as it saw them.
func (r rows) patterns(ctx context.Context, alert string, since int64) ([]patternRow, error) {
	var list []patternRow
	err := r.db.Reader(ctx).Where("alert_id = ? AND seen_at >= ?", alert, since).Order("hash").Find(&list).Error
	return list, err
}

// savePatterns writes what changed and removes those not seen since.
func (r rows) savePatterns(ctx context.Context, alert string, seen []patternRow, gone []string, since int64) error {
	w := r.db.Writer(ctx)
	if len(seen) > 0 {
		if err := w.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "alert_id"}, {Name: "hash"}}, DoUpdates: clause.AssignmentColumns([]string{"seen_at"})}).
			CreateInBatches(seen, 100).Error; err != nil {
			return err
		}
	}
	return w.Where("alert_id = ? AND (seen_at < ? OR hash IN ?)", alert, since, append([]string{""}, gone...)).Delete(&patternRow{}).Error
}
