package system

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/backup"
	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/secrets"
	"github.com/signalbox/signalbox/server/platform/work"
)

func TestScheduleRules(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		when, err := time.Parse("2006-01-02 15:04", text)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	daily := BackupSettings{EveryHours: 24, AtMinute: 150, Keep: 7}
	weekly := BackupSettings{EveryHours: 168, AtMinute: 150, Keep: 7}
	for _, sc := range []struct {
		s               BackupSettings
		now, last, next string
		due             bool
	}{
		{daily, "2026-05-01 02:29", "2026-04-30 02:30", "2026-05-01 02:30", false},
		{daily, "2026-05-01 02:30", "2026-04-30 02:30", "2026-05-02 02:30", true},
		{daily, "2026-05-03 12:00", "2026-04-30 02:30", "2026-05-04 02:30", true}, // off for days: one makes up for all
		{daily, "2026-05-03 12:00", "2026-05-03 02:31", "2026-05-04 02:30", false},
		{weekly, "2026-05-05 12:00", "2026-05-04 02:30", "2026-05-11 02:30", false}, // Mondays
		{BackupSettings{EveryHours: 6, Keep: 1}, "2026-05-01 06:01", "2026-05-01 00:00", "2026-05-01 12:00", true},
	} {
		if due := sc.s.due(at(sc.now), at(sc.last)); due != sc.due || !sc.s.Next(at(sc.now)).Equal(at(sc.next)) {
			t.Errorf("%+v at %s: due %v, next %s", sc.s, sc.now, due, sc.s.Next(at(sc.now)))
		}
	}
	never := BackupSettings{Keep: 1}
	if never.due(at("2026-05-01 00:00"), time.Time{}) || !never.Next(at("2026-05-01 00:00")).IsZero() {
		t.Error("a backup without a schedule")
	}
	for _, bad := range []BackupSettings{{EveryHours: -1, Keep: 1}, {EveryHours: 169, Keep: 1}, {AtMinute: 1440, Keep: 1}, {}, {Keep: 1001}} {
		if bad.Validate() == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

func TestBackupsCheckRules(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	daily := BackupSettings{EveryHours: 24, Keep: 7}
	whole := Backup{ID: "1", State: BackupWhole, At: now.Add(-time.Hour), Archive: 5e6}
	failed := Backup{ID: "2", State: BackupFailed, Error: "The disk is full."}
	passed := Rehearsal{ID: "r", State: RehearsalPassed, RTO: 3 * time.Second}
	old := whole
	old.At = now.Add(-72 * time.Hour)
	holes := whole
	holes.Missing = 2
	for _, sc := range []struct {
		s           BackupSettings
		last, tried Backup
		rehearsed   Rehearsal
		status      Status
		word        string
	}{
		{daily, Backup{}, Backup{}, Rehearsal{}, Warn, "There is no backup."},
		{daily, Backup{}, failed, Rehearsal{}, Fail, "disk is full"},
		{daily, whole, failed, passed, Fail, "last attempt failed: The disk is full. The newest backup is 1h0m0s old"},
		{daily, old, old, passed, Fail, "wanted every 24 hours"},
		{BackupSettings{}, whole, whole, passed, Warn, "None is made by itself"},
		{daily, holes, holes, passed, Warn, "2 stored files were gone"},
		{daily, whole, whole, Rehearsal{}, Warn, "None was ever restored"},
		{daily, whole, whole, Rehearsal{ID: "r", State: RehearsalFailed, Error: "No."}, Fail, "rehearsal failed: No."},
		{daily, whole, whole, passed, OK, "brought one back in 3s"},
	} {
		expect(t, judgeBackups(sc.s, sc.last, sc.tried, sc.rehearsed, now), sc.status, sc.word)
	}
}

func TestOutsideRules(t *testing.T) {
	t.Parallel()
	now := time.Now()
	expect(t, judgeHooks(hooks{}, "https://box.example.com", nil, now), OK, "leads here. 0 hooks.")
	expect(t, judgeHooks(hooks{count: 2, last: now.Add(-time.Minute)}, "https://box.example.com", nil, now), OK, "last delivery 1m0s ago")
	expect(t, judgeHooks(hooks{count: 1}, "http://10.0.0.7:8080", nil, now), Warn, "private address")
	expect(t, judgeHooks(hooks{count: 1, broken: []string{"web"}}, "https://box.example.com", nil, now), Warn, "broken: web")
	expect(t, judgeHooks(hooks{}, "https://box.example.com", errors.New("no such host"), now), Fail, "cannot be reached from here: no such host")
	expect(t, judgeChannels(channels{Count: 2}, "It works", "mail"), OK, "2 channels")
	expect(t, judgeChannels(channels{Count: 2, Failed: 1, Name: "ops", Error: "no_service"}, "", "Slack"), Warn, "of ops: no_service")
	db := databasetest.Open(t)
	expect(t, MailCheck(db, "", nil).Run(t.Context()), OK, "Not set up")
	expect(t, MailCheck(db, "mx", func(context.Context) error { return errors.New("550 go away") }).Run(t.Context()), Fail, "mx takes no mail: 550 go away")
	expect(t, SlackCheck(db).Run(t.Context()), OK, "Not set up")
	expect(t, SchemaCheck(db).Run(t.Context()), OK, "the newest")
	expect(t, KeyCheck("/k", func(context.Context) (int, error) { return 2, nil }).Run(t.Context()), Fail, "2 secrets")
}

// backupWorld is an installation whose backups a queue makes.
type backupWorld struct {
	*Backups
	db    *database.DB
	jobs  *work.Jobs
	at    time.Time
	audit []string
	dir   string
}

func setupBackups(t *testing.T) *backupWorld {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	w := &backupWorld{db: databasetest.Open(t), dir: filepath.Join(t.TempDir(), "data"), at: time.Now().UTC().Truncate(time.Second)}
	box, _, err := secrets.OpenBox(filepath.Join(w.dir, "secrets.key"))
	if err != nil {
		t.Fatal(err)
	}
	disk, err := blobs.NewDisk(filepath.Join(w.dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	ids := 0
	now := func() time.Time { return w.at }
	newID := func() string { ids++; return strings.Repeat("0", 31-len(t.Name())%2) + string(rune('a'+ids)) }
	w.Backups = NewBackups(BackupDeps{DB: w.db, Now: now, NewID: newID, Log: log, Node: "n1", Folder: filepath.Join(w.dir, "backups"),
		Audit: func(_ context.Context, _ int64, action, _, _ string) error {
			w.audit = append(w.audit, action)
			return nil
		},
		Source: func(kind string) (backup.Source, error) {
			return backup.Source{DB: w.db, Box: box, Dir: w.dir, Blobs: disk, Kind: kind, NewID: newID, Now: now}, nil
		},
		Target: func() (backup.Target, error) {
			newest, err := w.db.Dialect.Newest()
			return backup.Target{Box: box, Now: now, Newest: newest, Open: func(ctx context.Context, address string) (*database.DB, error) {
				return database.Open(ctx, address, log)
			}}, err
		},
		Inspect:  func(context.Context, string, *database.DB) ([]RehearsalStep, error) { return nil, nil },
		Settings: BackupSettings{Keep: 2}})
	w.jobs = work.NewJobs(w.db, "n1", time.Now, log)
	return w
}

func TestBackupsAreKeptRehearsedAndPruned(t *testing.T) {
	t.Parallel()
	w := setupBackups(t)
	var rows []Backup
	for range 3 {
		w.at = w.at.Add(time.Hour)
		row, err := w.Make(t.Context(), Order{Kind: backup.Everything, Cause: BySchedule, Actor: "schedule"})
		if err != nil || row.State != BackupWhole || row.Archive == 0 {
			t.Fatalf("%+v %v", row, err)
		}
		rows = append(rows, row)
	}
	if err := w.prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := w.List(t.Context())
	if err != nil || list[0].State != BackupWhole || list[1].State != BackupWhole || list[2].State != BackupGone {
		t.Fatalf("%+v %v", list, err)
	}
	if files, err := os.ReadDir(w.deps.Folder); err != nil || len(files) != 2 {
		t.Errorf("%v %v", files, err)
	}
	w.at = w.at.Add(10 * time.Minute)
	r, err := w.Rehearse(t.Context(), rows[2], "ann")
	if err != nil || r.State != RehearsalPassed || r.RPO != 10*time.Minute || len(r.Steps) < 2 {
		t.Fatalf("%+v %v", r, err)
	}
	path := w.Path(rows[1])
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err = w.Rehearse(t.Context(), w.At(t.Context(), path), "ann")
	if err == nil || r.State != RehearsalFailed || !strings.Contains(r.Error, "The archive is damaged ") || !strings.Contains(r.Error, " its part database/") {
		t.Fatalf("%+v %v", r, err)
	}
	if left, err := filepath.Glob(filepath.Join(w.deps.Folder, ".rehearsal-*")); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
	if got := strings.Join(w.audit, " "); got != "backup.create backup.create backup.create backup.delete backup.rehearse backup.rehearse-fail" {
		t.Error(got)
	}
	expect(t, BackupsCheck(w.Backups).Run(t.Context()), Warn, "None is made by itself")
}

func TestScheduleQueuesOnceAndInterruptedOnesEnd(t *testing.T) {
	t.Parallel()
	w := setupBackups(t)
	loop := w.Loop(w.jobs)
	count := func() (n int64) {
		if err := w.db.Reader(t.Context()).Raw("SELECT COUNT(*) FROM work_jobs WHERE kind = ?", backupJob).Scan(&n).Error; err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := loop.Run(t.Context()); err != nil || count() != 0 {
		t.Fatal(err, count())
	}
	if err := w.SetSettings(t.Context(), BackupSettings{EveryHours: 24, AtMinute: 150, Keep: 2}); err != nil {
		t.Fatal(err)
	}
	if err := w.store.insertBackup(t.Context(), Backup{ID: "x", Name: "x", Place: InFolder, Kind: backup.Everything, Cause: ByPerson, Node: "n1", State: BackupRunning, Start: w.since.Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if err := loop.Run(t.Context()); err != nil || count() != 0 {
		t.Fatal("a schedule that was just set does not wait for its hour", err, count())
	}
	if row, err := w.store.backup(t.Context(), "x"); err != nil || row.State != BackupFailed || row.Error != "It was interrupted." {
		t.Errorf("%+v %v", row, err)
	}
	w.at = w.at.Add(25 * time.Hour)
	for range 2 {
		if err := loop.Run(t.Context()); err != nil || count() != 1 {
			t.Fatal(err, count())
		}
	}
	if err := w.Ask(t.Context(), w.jobs); err != nil || count() != 2 {
		t.Error(err, count())
	}
	if err := w.Ask(t.Context(), w.jobs); err == nil {
		t.Error("the same was queued twice")
	}
	if err := w.AskRehearsal(t.Context(), w.jobs, "x"); err == nil || !strings.Contains(err.Error(), "only a whole one") {
		t.Error(err)
	}
}

func TestBackupThatFailsIsInTheHistory(t *testing.T) {
	t.Parallel()
	w := setupBackups(t)
	w.deps.Source = func(string) (backup.Source, error) { return backup.Source{}, errors.New("no room") }
	row, err := w.Make(t.Context(), Order{Kind: backup.Everything, Cause: ByPerson, Actor: "ann"})
	if err == nil || row.State != BackupFailed || row.Error != "No room." {
		t.Errorf("%+v %v", row, err)
	}
	expect(t, BackupsCheck(w.Backups).Run(t.Context()), Fail, "the last attempt failed: No room.")
}
