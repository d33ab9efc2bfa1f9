package system

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
)

const (
	backupsShown    = 50
	rehearsalsShown = 20
)

func (s *Service) backupRoutes(own api.Router) {
	own.GET("/backups", api.Admin(), api.Handle(s.handleBackups))
	own.POST("/backups", api.Admin(), api.Handle(s.handleBackup))
	own.PUT("/backups/settings", api.Admin(), api.Handle(s.handleBackupSettings))
	own.POST("/backups/:id/rehearse", api.Admin(), api.Handle(s.handleRehearse))
	own.DELETE("/backups/:id", api.Admin(), api.Handle(s.handleRemoveBackup))
}

type backupOut struct {
	ID       string      `json:"id"`
	Name     string      `json:"name"`
	Place    Place       `json:"place"`
	Kind     string      `json:"kind"`
	Cause    Cause       `json:"cause"`
	Actor    string      `json:"actor"`
	State    BackupState `json:"state"`
	Error    string      `json:"error,omitempty"`
	Started  time.Time   `json:"started_at"`
	Finished time.Time   `json:"finished_at,omitzero"`
	At       time.Time   `json:"state_at,omitzero"`
	Schema   int64       `json:"schema"`
	Archive  int64       `json:"archive_bytes"`
	Content  int64       `json:"content_bytes"`
	Rows     int64       `json:"rows"`
	Parts    int64       `json:"parts"`
	Missing  int64       `json:"missing"`
}

type rehearsalOut struct {
	ID       string          `json:"id"`
	Backup   string          `json:"backup_id,omitempty"`
	Name     string          `json:"name"`
	Actor    string          `json:"actor"`
	State    RehearsalState  `json:"state"`
	Error    string          `json:"error,omitempty"`
	Started  time.Time       `json:"started_at"`
	Finished time.Time       `json:"finished_at,omitzero"`
	RTO      int64           `json:"rto_ms"`
	RPO      int64           `json:"rpo_ms"`
	Steps    []RehearsalStep `json:"steps"`
}

type settingsIn struct {
	EveryHours int  `json:"every_hours"`
	AtMinute   int  `json:"at_minute"`
	Keep       int  `json:"keep"`
	Rehearse   bool `json:"rehearse"`
}

type backupsOut struct {
	Settings settingsIn `json:"settings"`
	// Changed is absent while the configuration's settings hold.
	Changed   time.Time `json:"changed_at,omitzero"`
	ChangedBy string    `json:"changed_by,omitempty"`
	// Where says in words where archives go.
	Where string    `json:"where"`
	Next  time.Time `json:"next_at,omitzero"`
	// KeyFile is what has to be kept apart.
	KeyFile    string         `json:"key_file"`
	Items      []backupOut    `json:"items"`
	Rehearsals []rehearsalOut `json:"rehearsals"`
}

func (s *Service) handleBackups(ctx context.Context, _ api.Nothing) (backupsOut, error) {
	b := s.deps.Backups
	settings, err := b.Settings(ctx)
	if err != nil {
		return backupsOut{}, err
	}
	list, err := b.store.backups(ctx, backupsShown)
	if err != nil {
		return backupsOut{}, err
	}
	history, err := b.store.rehearsals(ctx, rehearsalsShown)
	if err != nil {
		return backupsOut{}, err
	}
	out := backupsOut{Settings: settingsIn{settings.EveryHours, settings.AtMinute, settings.Keep, settings.Rehearse}, Changed: settings.Changed, ChangedBy: settings.ChangedBy,
		Where: b.where(), Next: settings.Next(b.deps.Now()), KeyFile: b.deps.KeyFile, Items: make([]backupOut, len(list)), Rehearsals: make([]rehearsalOut, len(history))}
	for i, r := range list {
		out.Items[i] = backupOut{r.ID, r.Name, r.Place, r.Kind, r.Cause, r.Actor, r.State, r.Error, r.Start, r.Finish, r.At, r.Schema, r.Archive, r.Content, r.Rows, r.Parts, r.Missing}
	}
	for i, r := range history {
		out.Rehearsals[i] = rehearsalOut{r.ID, r.BackupID, r.Name, r.Actor, r.State, r.Error, r.Start, r.Finish, r.RTO.Milliseconds(), r.RPO.Milliseconds(), r.Steps}
	}
	return out, nil
}

func (b *Backups) where() string {
	if b.deps.Remote != nil {
		return b.deps.RemoteName
	}
	return b.deps.Folder
}

func (s *Service) handleBackup(ctx context.Context, _ api.Nothing) (api.Nothing, error) {
	return api.Nothing{}, s.deps.Backups.Ask(ctx, s.deps.Queue)
}

func (s *Service) handleBackupSettings(ctx context.Context, in settingsIn) (api.Nothing, error) {
	return api.Nothing{}, s.deps.Backups.SetSettings(ctx, BackupSettings{EveryHours: in.EveryHours, AtMinute: in.AtMinute, Keep: in.Keep, Rehearse: in.Rehearse})
}

type backupIn struct {
	ID string `uri:"id" json:"-"`
}

func (s *Service) handleRehearse(ctx context.Context, in backupIn) (api.Nothing, error) {
	return api.Nothing{}, s.deps.Backups.AskRehearsal(ctx, s.deps.Queue, in.ID)
}

func (s *Service) handleRemoveBackup(ctx context.Context, in backupIn) (api.Nothing, error) {
	row, err := s.deps.Backups.store.backup(ctx, in.ID)
	if err != nil {
		return api.Nothing{}, err
	}
	return api.Nothing{}, s.deps.Backups.Remove(ctx, row)
}
