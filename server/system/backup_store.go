package system

import (
	"context"
	"encoding/json"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
)

type backupRow struct {
	ID           string `gorm:"primaryKey"`
	Name         string
	Place        string
	Kind         string
	Cause        string
	Actor        string
	Node         string
	State        string
	Error        string
	StartedAt    int64
	FinishedAt   int64
	StateAt      int64
	SchemaNumber int64
	ArchiveBytes int64
	ContentBytes int64
	RowCount     int64
	PartCount    int64
	MissingCount int64
}

func (backupRow) TableName() string { return "system_backups" }

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func rowOf(b Backup) backupRow {
	return backupRow{ID: b.ID, Name: b.Name, Place: string(b.Place), Kind: b.Kind, Cause: string(b.Cause), Actor: b.Actor, Node: b.Node,
		State: string(b.State), Error: b.Error, StartedAt: millis(b.Start), FinishedAt: millis(b.Finish), StateAt: millis(b.At), SchemaNumber: b.Schema,
		ArchiveBytes: b.Archive, ContentBytes: b.Content, RowCount: b.Rows, PartCount: b.Parts, MissingCount: b.Missing}
}

func (r backupRow) backup() Backup {
	return Backup{ID: r.ID, Name: r.Name, Place: Place(r.Place), Kind: r.Kind, Cause: Cause(r.Cause), Actor: r.Actor, Node: r.Node,
		State: BackupState(r.State), Error: r.Error, Start: fromMillis(r.StartedAt), Finish: fromMillis(r.FinishedAt), At: fromMillis(r.StateAt), Schema: r.SchemaNumber,
		Archive: r.ArchiveBytes, Content: r.ContentBytes, Rows: r.RowCount, Parts: r.PartCount, Missing: r.MissingCount}
}

func (s store) insertBackup(ctx context.Context, b Backup) error {
	row := rowOf(b)
	return s.db.Writer(ctx).Create(&row).Error
}

func (s store) updateBackup(ctx context.Context, b Backup) error {
	row := rowOf(b)
	return s.db.Writer(ctx).Model(&backupRow{}).Where("id = ?", b.ID).Select("*").Omit("id").Updates(&row).Error
}

func (s store) backups(ctx context.Context, limit int) ([]Backup, error) {
	var rows []backupRow
	if err := s.db.Reader(ctx).Order("started_at DESC, id").Limit(limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	return backupsOf(rows), nil
}

func backupsOf(rows []backupRow) []Backup {
	list := make([]Backup, len(rows))
	for i, r := range rows {
		list[i] = r.backup()
	}
	return list
}

func (s store) backup(ctx context.Context, id string) (Backup, error) {
	var row backupRow
	err := s.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row.backup(), database.NotFound(err, "There is no backup %.64s.", id)
}

// lastOf is the newest backup of a cause and state; the zero value when there is none.
func (s store) lastOf(ctx context.Context, causes []Cause, states []BackupState) (Backup, error) {
	var rows []backupRow
	q := s.db.Reader(ctx).Where("state IN ?", states)
	if causes != nil {
		q = q.Where("cause IN ?", causes)
	}
	if err := q.Order("started_at DESC").Limit(1).Find(&rows).Error; err != nil || len(rows) == 0 {
		return Backup{}, err
	}
	return rows[0].backup(), nil
}

// surplus are the whole backups of the schedule, and of migrations, beyond the newest keep of each.
func (s store) surplus(ctx context.Context, cause Cause, keep int) ([]Backup, error) {
	var rows []backupRow
	err := s.db.Reader(ctx).Where("cause = ? AND state = ? AND place <> ?", cause, BackupWhole, InFile).
		Order("started_at DESC").Offset(keep).Limit(1000).Find(&rows).Error
	return backupsOf(rows), err
}

// stranded are backups that were being made by this node in a former life, or by anybody long ago.
func (s store) stranded(ctx context.Context, node string, started, longAgo time.Time) ([]Backup, error) {
	var rows []backupRow
	err := s.db.Reader(ctx).Where("state = ? AND (node = ? AND cause <> ? AND started_at < ? OR started_at < ?)",
		BackupRunning, node, ByCommand, started.UnixMilli(), longAgo.UnixMilli()).Find(&rows).Error
	return backupsOf(rows), err
}

// forget removes rows of what is over and older than that.
func (s store) forget(ctx context.Context, before time.Time) error {
	if err := s.db.Writer(ctx).Where("started_at < ? AND state IN ?", before.UnixMilli(), []BackupState{BackupFailed, BackupGone}).Delete(&backupRow{}).Error; err != nil {
		return err
	}
	return s.db.Writer(ctx).Where("started_at < ?", before.UnixMilli()).Delete(&rehearsalRow{}).Error
}

type rehearsalRow struct {
	ID         string `gorm:"primaryKey"`
	BackupID   string
	Name       string
	Actor      string
	State      string
	Error      string
	StartedAt  int64
	FinishedAt int64
	RtoMs      int64
	RpoMs      int64
	Steps      string
}

func (rehearsalRow) TableName() string { return "system_rehearsals" }

func (s store) putRehearsal(ctx context.Context, r Rehearsal) error {
	steps, err := json.Marshal(r.Steps)
	if err != nil {
		return err
	}
	return s.db.Writer(ctx).Exec(`INSERT INTO system_rehearsals (id, backup_id, name, actor, state, error, started_at, finished_at, rto_ms, rpo_ms, steps)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state, error = excluded.error,
		finished_at = excluded.finished_at, rto_ms = excluded.rto_ms, rpo_ms = excluded.rpo_ms, steps = excluded.steps`,
		r.ID, r.BackupID, r.Name, r.Actor, string(r.State), r.Error, millis(r.Start), millis(r.Finish), r.RTO.Milliseconds(), r.RPO.Milliseconds(), string(steps)).Error
}

func (s store) rehearsals(ctx context.Context, limit int) ([]Rehearsal, error) {
	var rows []rehearsalRow
	if err := s.db.Reader(ctx).Order("started_at DESC, id").Limit(limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]Rehearsal, len(rows))
	for i, r := range rows {
		list[i] = Rehearsal{ID: r.ID, BackupID: r.BackupID, Name: r.Name, Actor: r.Actor, State: RehearsalState(r.State), Error: r.Error,
			Start: fromMillis(r.StartedAt), Finish: fromMillis(r.FinishedAt), RTO: time.Duration(r.RtoMs) * time.Millisecond, RPO: time.Duration(r.RpoMs) * time.Millisecond}
		if err := json.Unmarshal([]byte(r.Steps), &list[i].Steps); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// endRehearsals ends what a former life began; nothing that runs now began before started.
func (s store) endRehearsals(ctx context.Context, started time.Time) error {
	return s.db.Writer(ctx).Exec("UPDATE system_rehearsals SET state = ?, error = ?, finished_at = ? WHERE state = ? AND started_at < ?",
		RehearsalFailed, "It was interrupted.", started.UnixMilli(), RehearsalRunning, started.UnixMilli()).Error
}

type settingsRow struct {
	ID         int64 `gorm:"primaryKey"`
	EveryHours int
	AtMinute   int
	Keep       int
	Rehearse   bool
	ChangedAt  int64
	ChangedBy  string
}

func (settingsRow) TableName() string { return "system_backup_settings" }

func (s store) settings(ctx context.Context, otherwise BackupSettings) (BackupSettings, error) {
	var rows []settingsRow
	if err := s.db.Reader(ctx).Limit(1).Find(&rows).Error; err != nil || len(rows) == 0 {
		return otherwise, err
	}
	r := rows[0]
	return BackupSettings{EveryHours: r.EveryHours, AtMinute: r.AtMinute, Keep: r.Keep, Rehearse: r.Rehearse, ChangedBy: r.ChangedBy, Changed: fromMillis(r.ChangedAt)}, nil
}

func (s store) saveSettings(ctx context.Context, b BackupSettings) error {
	return s.db.Writer(ctx).Exec(`INSERT INTO system_backup_settings (id, every_hours, at_minute, keep, rehearse, changed_at, changed_by) VALUES (1, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET every_hours = excluded.every_hours, at_minute = excluded.at_minute, keep = excluded.keep, rehearse = excluded.rehearse,
		changed_at = excluded.changed_at, changed_by = excluded.changed_by`, b.EveryHours, b.AtMinute, b.Keep, b.Rehearse, b.Changed.UnixMilli(), b.ChangedBy).Error
}
