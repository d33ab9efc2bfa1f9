package system

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/backup"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const rehearsalPrefix = ".rehearsal-"

// Rehearse restores a backup into a scratch place, looks at it, and throws it away. It
// keeps what it measured in the history, also when it fails.
func (b *Backups) Rehearse(ctx context.Context, row Backup, actor string) (Rehearsal, error) {
	r := Rehearsal{ID: b.deps.NewID(), BackupID: row.ID, Name: row.Name, Actor: actor, State: RehearsalRunning, Start: b.deps.Now(), Steps: []RehearsalStep{}}
	if err := b.store.putRehearsal(ctx, r); err != nil {
		return r, fmt.Errorf("note the rehearsal: %w", err)
	}
	t := &rehearser{Backups: b, out: &r, last: r.Start}
	err := t.run(ctx, row)
	r.Finish = b.deps.Now()
	r.State = RehearsalPassed
	action, detail := "backup.rehearse", ""
	if err != nil {
		r.State, r.Error, r.RTO = RehearsalFailed, sentence(err), 0
		action, detail = "backup.rehearse-fail", r.Error
	} else {
		r.RTO = r.Finish.Sub(r.Start)
		detail = fmt.Sprintf("back in %s, state %s old", r.RTO.Round(time.Millisecond), r.RPO.Round(time.Second))
	}
	done := byWhom(context.WithoutCancel(ctx), actor)
	noted := b.deps.DB.Tx(done, func(ctx context.Context) error {
		if err := b.store.putRehearsal(ctx, r); err != nil {
			return err
		}
		return b.deps.Audit(ctx, 0, action, r.Name, detail)
	})
	return r, errors.Join(err, noted)
}

type rehearser struct {
	*Backups
	out  *Rehearsal
	last time.Time
}

// step notes what has been done since the step before.
func (t *rehearser) step(name, detail string, args ...any) {
	now := t.deps.Now()
	t.out.Steps = append(t.out.Steps, RehearsalStep{Name: name, Detail: fmt.Sprintf(detail, args...), TookMS: now.Sub(t.last).Milliseconds()})
	t.last = now
}

func (t *rehearser) run(ctx context.Context, row Backup) error {
	if err := os.MkdirAll(t.deps.Folder, 0o700); err != nil {
		return fmt.Errorf("make the folder for backups: %w", err)
	}
	t.sweep()
	scratch, err := os.MkdirTemp(t.deps.Folder, rehearsalPrefix)
	if err != nil {
		return fmt.Errorf("make a folder for the rehearsal: %w", err)
	}
	defer os.RemoveAll(scratch) // the next rehearsal removes what stays
	path, err := t.fetch(ctx, row, scratch)
	if err != nil {
		return err
	}
	target, err := t.deps.Target()
	if err != nil {
		return err
	}
	target.Dir, target.Ignore, target.Blobs = filepath.Join(scratch, "data"), nil, nil
	target.Database = filepath.Join(target.Dir, database.SnapshotFile)
	head, err := backup.ReadHeader(path)
	if err != nil {
		return err
	}
	if head.Dialect == string(database.Postgres) {
		address, drop, err := t.deps.DB.ScratchSchema(ctx, "rehearsal_"+t.out.ID)
		if err != nil {
			return err
		}
		defer func() {
			if err := drop(context.WithoutCancel(ctx)); err != nil {
				t.deps.Log.Warn("a schema of a rehearsal stays", "schema", "rehearsal_"+t.out.ID, "error", err)
			}
		}()
		target.Database = address
	}
	back, err := backup.Restore(ctx, path, target)
	if err != nil {
		return err
	}
	t.out.RPO = t.out.Start.Sub(back.Header.At)
	t.step("restore", "%d parts with the hashes of the manifest, %d tables with its %d rows, %s.", len(back.Manifest.Parts), len(back.Manifest.Tables), back.Manifest.Rows(), bytes(uint64(back.Manifest.Bytes())))
	if n := len(back.Manifest.Missing); n > 0 {
		t.step("missing", "%d stored files were gone before the backup was made, the first %s.", n, back.Manifest.Missing[0])
	}
	return t.look(ctx, target)
}

// look opens what was restored as the next start of a server would.
func (t *rehearser) look(ctx context.Context, target backup.Target) (err error) {
	db, err := target.Open(ctx, target.Database)
	if err != nil {
		return fmt.Errorf("open the restored database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	applied, err := db.Migrate(ctx)
	if err != nil {
		return fmt.Errorf("migrate the restored database: %w", err)
	}
	t.step("schema", "%d migrations were applied to it; it is this version's.", len(applied))
	steps, err := t.deps.Inspect(ctx, target.Dir, db)
	t.out.Steps = append(t.out.Steps, steps...)
	t.last = t.deps.Now()
	return err
}

// sweep removes what a killed rehearsal left behind; only one runs at a time.
func (t *rehearser) sweep() {
	left, err := filepath.Glob(filepath.Join(t.deps.Folder, rehearsalPrefix+"*"))
	if err != nil {
		return // only a bad pattern is an error
	}
	for _, path := range left {
		if info, err := os.Stat(path); err == nil && t.deps.Now().Sub(info.ModTime()) > 24*time.Hour {
			_ = os.RemoveAll(path) // tried again next time
		}
	}
}

// fetch gives a path at which the archive can be read.
func (t *rehearser) fetch(ctx context.Context, row Backup, scratch string) (string, error) {
	switch row.Place {
	case InFile:
		return row.Name, nil
	case InFolder:
		return filepath.Join(t.deps.Folder, row.Name), nil
	}
	if t.deps.Remote == nil {
		return "", problem.New(problem.Conflict, "This backup lies in S3, and backup.s3_endpoint is not set any more.")
	}
	in, err := t.deps.Remote.Open(ctx, row.Name)
	if err != nil {
		return "", fmt.Errorf("fetch %s from S3: %w", row.Name, err)
	}
	defer in.Close()
	path := filepath.Join(scratch, "archive"+filepath.Ext(row.Name))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, in)
	if err = errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("fetch %s from S3: %w", row.Name, err)
	}
	t.step("fetch", "from %s.", strings.TrimSuffix(t.deps.RemoteName, "."))
	return path, nil
}
