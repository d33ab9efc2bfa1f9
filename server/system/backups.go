package system

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/backup"
	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// BackupDeps is what backups need from the outside.
type BackupDeps struct {
	DB    *database.DB
	Now   func() time.Time
	NewID func() string
	Log   *slog.Logger
	Audit func(ctx context.Context, team int64, action, object, detail string) error
	// Node is this server's name.
	Node string
	// Folder is where archives are made, and stay unless Remote is set.
	Folder string
	// KeyFile is the file that archives cannot be read without.
	KeyFile string
	// Remote takes the archives instead; nil when there is none. RemoteName says what it is.
	Remote     blobs.Backend
	RemoteName string
	// Source is this installation as something to save.
	Source func(kind string) (backup.Source, error)
	// Target is this installation's way of restoring, with the data folder and the
	// database's address yet to be filled in.
	Target func() (backup.Target, error)
	// Inspect looks at an installation that was restored into dir, whose database is db and
	// is migrated already. Its error is why it would be of no use.
	Inspect func(ctx context.Context, dir string, db *database.DB) ([]RehearsalStep, error)
	// Settings hold until a person sets others.
	Settings BackupSettings
}

// Backups makes, keeps and rehearses backups; the server and the commands use it alike.
type Backups struct {
	deps  BackupDeps
	store store
	// OnFailed hears of a backup, or of its rehearsal, that failed in the background; nil when nobody does.
	OnFailed func(ctx context.Context, b Backup, rehearsal bool, reason string) error
	// since is when this process began to use it.
	since time.Time
}

// NewBackups assembles it; it needs a migrated database.
func NewBackups(d BackupDeps) *Backups {
	return &Backups{deps: d, store: store{d.DB}, since: d.Now()}
}

// Order is what a backup is to be.
type Order struct {
	Kind  string
	Cause Cause
	Actor string
	// Path is where to write it; empty for the folder, or what stands in its place.
	Path string
}

// Make makes a backup and keeps its history. What fails is in the history too.
func (b *Backups) Make(ctx context.Context, o Order) (Backup, error) {
	row := Backup{ID: b.deps.NewID(), Kind: o.Kind, Cause: o.Cause, Actor: o.Actor, Node: b.deps.Node, State: BackupRunning, Start: b.deps.Now(), Place: InFolder}
	row.Name = ArchiveName(row.Start, o.Cause, row.ID)
	path := filepath.Join(b.deps.Folder, row.Name)
	switch {
	case o.Path != "":
		full, err := filepath.Abs(o.Path)
		if err != nil {
			return row, err
		}
		path, row.Name, row.Place = full, full, InFile
	case b.deps.Remote != nil:
		row.Place = InS3
	}
	if err := b.store.insertBackup(ctx, row); err != nil {
		return row, fmt.Errorf("note the backup: %w", err)
	}
	made, err := b.write(ctx, o.Kind, path, row)
	row.fill(made)
	err = b.record(ctx, &row, err)
	return row, err
}

// record keeps how a backup ended, and hands its error back.
func (b *Backups) record(ctx context.Context, row *Backup, failed error) error {
	row.Finish, row.State = b.deps.Now(), BackupWhole
	action, detail := "backup.create", fmt.Sprintf("%s, %d rows, %s", bytes(uint64(row.Archive)), row.Rows, row.Cause)
	if failed != nil {
		row.State, row.Error = BackupFailed, sentence(failed)
		action, detail = "backup.fail", row.Error
	}
	// Also when the server is stopping: what happened has happened.
	ctx = byWhom(context.WithoutCancel(ctx), row.Actor)
	err := b.deps.DB.Tx(ctx, func(ctx context.Context) error {
		if err := b.store.updateBackup(ctx, *row); err != nil {
			return err
		}
		return b.deps.Audit(ctx, 0, action, row.Name, detail)
	})
	return errors.Join(failed, err)
}

// RecordMigration keeps the backup that was made before a migration, which could not be
// noted while it was made: its table may have come with the migration.
func (b *Backups) RecordMigration(ctx context.Context, path string, made backup.Result) error {
	row := Backup{ID: b.deps.NewID(), Name: filepath.Base(path), Place: InFolder, Kind: made.Header.Kind, Cause: ByMigration, Node: b.deps.Node,
		State: BackupRunning, Start: made.Header.At, Actor: "migration"}
	row.fill(made)
	if err := b.store.insertBackup(ctx, row); err != nil {
		return err
	}
	if err := b.record(ctx, &row, nil); err != nil {
		return err
	}
	return b.prune(ctx)
}

func (b *Backup) fill(made backup.Result) {
	b.At, b.Schema, b.Archive = made.Header.At, made.Header.Schema, made.Size
	b.Content, b.Rows, b.Parts, b.Missing = made.Manifest.Bytes(), made.Manifest.Rows(), int64(len(made.Manifest.Parts)), int64(len(made.Manifest.Missing))
}

// byWhom makes what is done without a request somebody's doing in the audit log.
func byWhom(ctx context.Context, actor string) context.Context {
	if identity.From(ctx).Name != "" || actor == "" {
		return ctx
	}
	return identity.With(ctx, identity.Caller{Name: actor})
}

func sentence(err error) string {
	if p := problem.From(err); p.Kind != problem.Internal {
		return p.Detail
	}
	text := strings.TrimSuffix(err.Error(), ".")
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// write makes the archive and brings it where it belongs.
func (b *Backups) write(ctx context.Context, kind, path string, row Backup) (backup.Result, error) {
	source, err := b.deps.Source(kind)
	if err != nil {
		return backup.Result{}, err
	}
	made, err := backup.Make(ctx, source, path)
	if err != nil || row.Place != InS3 {
		return made, err
	}
	f, err := os.Open(path)
	if err != nil {
		return made, err
	}
	err = b.deps.Remote.Put(ctx, row.Name, f, made.Size)
	if err = errors.Join(err, f.Close(), os.Remove(path)); err != nil {
		return made, fmt.Errorf("bring the archive to S3: %w", err)
	}
	return made, nil
}

// Remove deletes an archive; its row stays.
func (b *Backups) Remove(ctx context.Context, row Backup) error {
	if row.State != BackupWhole {
		return problem.New(problem.Conflict, "This backup is %s; there is nothing to remove.", row.State)
	}
	var err error
	switch row.Place {
	case InS3:
		if b.deps.Remote == nil {
			return problem.New(problem.Conflict, "This backup lies in S3, and backup.s3_endpoint is not set any more.")
		}
		err = b.deps.Remote.Delete(ctx, row.Name)
	case InFolder:
		err = os.Remove(filepath.Join(b.deps.Folder, row.Name))
	case InFile:
		return problem.New(problem.Conflict, "A command wrote this backup to %s; remove it there.", row.Name)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the backup %s: %w", row.Name, err)
	}
	row.State = BackupGone
	return b.deps.DB.Tx(ctx, func(ctx context.Context) error {
		if err := b.store.updateBackup(ctx, row); err != nil {
			return err
		}
		return b.deps.Audit(ctx, 0, "backup.delete", row.Name, string(row.Cause))
	})
}

// keptMigrations is how many backups from before migrations stay.
const keptMigrations = 3

// prune removes what is beyond the settings.
func (b *Backups) prune(ctx context.Context) error {
	settings, err := b.Settings(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for cause, keep := range map[Cause]int{BySchedule: settings.Keep, ByMigration: keptMigrations} {
		list, err := b.store.surplus(ctx, cause, keep)
		errs = append(errs, err)
		for _, row := range list {
			errs = append(errs, b.Remove(byWhom(ctx, "schedule"), row))
		}
	}
	return errors.Join(errs...)
}

// Settings are what holds now.
func (b *Backups) Settings(ctx context.Context) (BackupSettings, error) {
	return b.store.settings(ctx, b.deps.Settings)
}

// SetSettings changes them.
func (b *Backups) SetSettings(ctx context.Context, s BackupSettings) error {
	if err := s.Validate(); err != nil {
		return err
	}
	s.Changed, s.ChangedBy = b.deps.Now(), identity.From(ctx).Name
	return b.deps.DB.Tx(ctx, func(ctx context.Context) error {
		if err := b.store.saveSettings(ctx, s); err != nil {
			return err
		}
		detail := fmt.Sprintf("every %d hours at %02d:%02d UTC, keep %d, rehearse %v", s.EveryHours, s.AtMinute/60, s.AtMinute%60, s.Keep, s.Rehearse)
		if s.EveryHours == 0 {
			detail = "never"
		}
		return b.deps.Audit(ctx, 0, "backup.schedule", "backups", detail)
	})
}

// List is the history, newest first.
func (b *Backups) List(ctx context.Context) ([]Backup, error) {
	return b.store.backups(ctx, backupsShown)
}

// Path says where an archive lies, for people.
func (b *Backups) Path(row Backup) string {
	switch row.Place {
	case InS3:
		return strings.TrimRight(b.deps.RemoteName, "/") + "/" + row.Name
	case InFolder:
		return filepath.Join(b.deps.Folder, row.Name)
	}
	return row.Name
}

// KeyFile is the file that archives cannot be read without.
func (b *Backups) KeyFile() string { return b.deps.KeyFile }

// At is the backup whose archive lies at path, as a row of the history if it is in there.
func (b *Backups) At(ctx context.Context, path string) Backup {
	unknown := Backup{Name: path, Place: InFile}
	list, err := b.store.backups(ctx, 1000)
	if err != nil {
		return unknown // it can be rehearsed all the same
	}
	for _, row := range list {
		if row.Place != InS3 && b.Path(row) == path {
			return row
		}
	}
	return unknown
}

// Newest is the newest whole backup, the zero value when there is none, and whether the
// last attempt failed.
func (b *Backups) Newest(ctx context.Context) (newest Backup, failed bool, err error) {
	if newest, err = b.store.lastOf(ctx, nil, []BackupState{BackupWhole}); err != nil {
		return newest, false, err
	}
	tried, err := b.store.lastOf(ctx, nil, []BackupState{BackupWhole, BackupFailed})
	return newest, tried.State == BackupFailed, err
}
