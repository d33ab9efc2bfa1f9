package system

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/signalbox/signalbox/server/platform/backup"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

const (
	backupJob    = "system.backup"
	rehearsalJob = "system.rehearsal"
	// historyFor is how long what is over stays to be seen.
	historyFor = 400 * 24 * time.Hour
)

type backupPayload struct {
	Cause Cause  `json:"cause"`
	Actor string `json:"actor"`
	// Due is the instant of the schedule that it is for.
	Due time.Time `json:"due,omitzero"`
}

type rehearsalPayload struct {
	Backup string `json:"backup"`
	Actor  string `json:"actor"`
}

// Queue is the part of work.Jobs that backups need to happen in the background.
type Queue interface {
	Handle(kind string, p work.Pool, handler func(context.Context, work.Job) error)
	EnqueueValue(ctx context.Context, job work.Job, payload any) (bool, error)
}

// Register sets the handlers of the jobs; before they start. One attempt each: the next
// hour of the schedule, or the person, is the retry, and each attempt is in the history.
func (b *Backups) Register(q Queue) {
	q.Handle(backupJob, work.Pool{Workers: 1, MaxAttempts: 1}, b.runBackup)
	q.Handle(rehearsalJob, work.Pool{Workers: 1, MaxAttempts: 1}, b.runRehearsal)
}

func (b *Backups) runBackup(ctx context.Context, j work.Job) error {
	var p backupPayload
	if err := json.Unmarshal(j.Payload, &p); err != nil {
		return work.GiveUp(err)
	}
	if p.Cause == BySchedule {
		// Another node, or this one before it was killed, may have made it.
		last, err := b.store.lastOf(ctx, []Cause{BySchedule}, []BackupState{BackupRunning, BackupWhole})
		if err != nil || !last.Start.Before(p.Due) && last.State == BackupWhole {
			return err
		}
	}
	row, err := b.Make(ctx, Order{Kind: backup.Everything, Cause: p.Cause, Actor: p.Actor})
	if err != nil && ctx.Err() != nil {
		return work.ErrDetached // the server stops; the next one begins anew
	}
	if err != nil {
		b.deps.Log.ErrorContext(ctx, "the backup failed", "backup", row.Name, "error", err)
		b.tellFailed(ctx, row, false, err)
		return nil // it is in the history, and on the page of the checks
	}
	if err := b.prune(ctx); err != nil {
		return err
	}
	settings, err := b.Settings(ctx)
	if err != nil || p.Cause != BySchedule || !settings.Rehearse {
		return err
	}
	b.rehearseLogged(ctx, row, p.Actor)
	return nil
}

func (b *Backups) runRehearsal(ctx context.Context, j work.Job) error {
	var p rehearsalPayload
	if err := json.Unmarshal(j.Payload, &p); err != nil {
		return work.GiveUp(err)
	}
	row, err := b.store.backup(ctx, p.Backup)
	if err != nil {
		return err
	}
	b.rehearseLogged(ctx, row, p.Actor)
	return nil
}

func (b *Backups) rehearseLogged(ctx context.Context, row Backup, actor string) {
	if _, err := b.Rehearse(ctx, row, actor); err != nil {
		b.deps.Log.ErrorContext(ctx, "the rehearsal of a backup failed", "backup", row.Name, "error", err)
		b.tellFailed(ctx, row, true, err)
	}
}

// tellFailed passes a failure on; that nobody can be told stops nothing.
func (b *Backups) tellFailed(ctx context.Context, row Backup, rehearsal bool, failed error) {
	if b.OnFailed == nil {
		return
	}
	if err := b.OnFailed(ctx, row, rehearsal, sentence(failed)); err != nil {
		b.deps.Log.ErrorContext(ctx, "nobody is told that a backup failed", "backup", row.Name, "error", err)
	}
}

// Loop looks each minute whether the schedule wants a backup, and ends what a former life
// of this server left running.
func (b *Backups) Loop(q Queue) work.Loop {
	return work.Loop{Name: "system: backups", Every: time.Minute, Run: func(ctx context.Context) error {
		return errors.Join(b.endStranded(ctx), b.enqueueDue(ctx, q), b.store.forget(ctx, b.deps.Now().Add(-historyFor)))
	}}
}

func (b *Backups) endStranded(ctx context.Context) error {
	now := b.deps.Now()
	list, err := b.store.stranded(ctx, b.deps.Node, b.since, now.Add(-24*time.Hour))
	if err != nil {
		return err
	}
	for _, row := range list {
		row.State, row.Error, row.Finish = BackupFailed, "It was interrupted.", now
		if err := b.store.updateBackup(ctx, row); err != nil {
			return err
		}
	}
	return b.store.endRehearsals(ctx, b.since)
}

func (b *Backups) enqueueDue(ctx context.Context, q Queue) error {
	settings, err := b.Settings(ctx)
	if err != nil || settings.EveryHours == 0 {
		return err
	}
	last, err := b.store.lastOf(ctx, []Cause{BySchedule}, []BackupState{BackupRunning, BackupWhole, BackupFailed, BackupGone})
	if err != nil {
		return err
	}
	now := b.deps.Now()
	// A schedule that was just set waits for its hour.
	if settings.Changed.After(last.Start) {
		last.Start = settings.Changed
	}
	if last.Start.IsZero() {
		last.Start = b.since
	}
	if !settings.due(now, last.Start) {
		return nil
	}
	_, err = q.EnqueueValue(ctx, work.Job{Kind: backupJob, UniqueKey: string(BySchedule), SerialKey: backupJob}, backupPayload{BySchedule, "schedule", settings.lastDue(now)})
	return err
}

// Ask queues a backup that a person wants.
func (b *Backups) Ask(ctx context.Context, q Queue) error {
	actor := identity.From(ctx).Name
	return b.deps.DB.Tx(ctx, func(ctx context.Context) error {
		fresh, err := q.EnqueueValue(ctx, work.Job{Kind: backupJob, UniqueKey: string(ByPerson), SerialKey: backupJob}, backupPayload{Cause: ByPerson, Actor: actor})
		if err == nil && !fresh {
			return problem.New(problem.Conflict, "A backup is waiting to begin already.")
		}
		return err
	})
}

// AskRehearsal queues a rehearsal that a person wants.
func (b *Backups) AskRehearsal(ctx context.Context, q Queue, id string) error {
	row, err := b.store.backup(ctx, id)
	if err != nil {
		return err
	}
	if row.State != BackupWhole {
		return problem.New(problem.Conflict, "This backup is %s; only a whole one can be rehearsed.", row.State)
	}
	_, err = q.EnqueueValue(ctx, work.Job{Kind: rehearsalJob, UniqueKey: id, SerialKey: rehearsalJob}, rehearsalPayload{id, identity.From(ctx).Name})
	return err
}

// BackupsCheck asks whether there is a backup that would help.
func BackupsCheck(b *Backups) Check {
	return Check{"backups", func(ctx context.Context) Result {
		settings, err := b.Settings(ctx)
		last, lastErr := b.store.lastOf(ctx, nil, []BackupState{BackupWhole})
		tried, triedErr := b.store.lastOf(ctx, nil, []BackupState{BackupWhole, BackupFailed})
		history, historyErr := b.store.rehearsals(ctx, 1)
		if err := errors.Join(err, lastErr, triedErr, historyErr); err != nil {
			return Result{Fail, fmt.Sprintf("The backups cannot be listed: %s.", err), "See the check of the database."}
		}
		var rehearsed Rehearsal
		if len(history) > 0 {
			rehearsed = history[0]
		}
		return judgeBackups(settings, last, tried, rehearsed, b.deps.Now())
	}}
}

func judgeBackups(s BackupSettings, last, tried Backup, rehearsed Rehearsal, now time.Time) Result {
	const page = "Administration, Backups"
	if last.ID == "" {
		r := Result{Warn, "There is no backup.", "Make one on the page " + page + ", or with signalbox backup; set a schedule there, and keep a copy of the key file in another place."}
		if tried.ID != "" {
			r.Status, r.Detail = Fail, "There is no backup; the last attempt failed: "+tried.Error
		}
		return r
	}
	age := now.Sub(last.At).Round(time.Minute)
	r := Good("The newest is %s old (%s).", age, bytes(uint64(last.Archive)))
	switch {
	case tried.State == BackupFailed:
		return Result{Fail, fmt.Sprintf("The last attempt failed: %s The newest backup is %s old.", tried.Error, age), "Mend what the error names, then make one on the page " + page + "."}
	case s.EveryHours > 0 && age > 2*time.Duration(s.EveryHours)*time.Hour:
		return Result{Fail, fmt.Sprintf("The newest is %s old, and one is wanted every %d hours.", age, s.EveryHours), "See the jobs, the loops and the server's log for why none was made."}
	case s.EveryHours == 0:
		return Result{Warn, r.Detail + " None is made by itself.", "Set a schedule on the page " + page + "."}
	case last.Missing > 0:
		return Result{Warn, fmt.Sprintf("%s %d stored files were gone when it was made.", r.Detail, last.Missing), "See whether the folder or bucket of blobs is the right one."}
	case rehearsed.State == RehearsalFailed:
		return Result{Fail, "The last rehearsal failed: " + rehearsed.Error, "Rehearse another backup on the page " + page + "; make a new one if it fails too."}
	case rehearsed.ID == "":
		return Result{Warn, r.Detail + " None was ever restored for a try.", "Rehearse one on the page " + page + ", or with signalbox backup rehearse."}
	}
	if rehearsed.State == RehearsalPassed {
		r.Detail += fmt.Sprintf(" The last rehearsal brought one back in %s.", rehearsed.RTO.Round(10*time.Millisecond))
	}
	return r
}
