package database_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func insertTeam(ctx context.Context, db *database.DB, name string) error {
	return db.Writer(ctx).Exec("INSERT INTO accounts_teams (name, created_at) VALUES (?, 1)", name).Error
}

func teams(t *testing.T, ctx context.Context, db *database.DB) (n int64) {
	t.Helper()
	if err := db.Reader(ctx).Raw("SELECT COUNT(*) FROM accounts_teams WHERE name LIKE 'x%'").Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTransactionCommitsRollsBackAndNests(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	no := errors.New("no")
	for _, c := range []struct {
		name string
		run  func(ctx context.Context) error
		rows int64
	}{
		{"rolled back", func(ctx context.Context) error { insertTeam(ctx, db, "x1"); return no }, 0},
		{"inner failure undoes the outer", func(ctx context.Context) error {
			insertTeam(ctx, db, "x1")
			return db.Tx(ctx, func(ctx context.Context) error { insertTeam(ctx, db, "x2"); return no })
		}, 0},
		{"both commit", func(ctx context.Context) error {
			insertTeam(ctx, db, "x1")
			if teams(t, ctx, db) != 1 {
				t.Error("a transaction does not see its own write")
			}
			return db.Tx(ctx, func(ctx context.Context) error { return insertTeam(ctx, db, "x2") })
		}, 2},
	} {
		db.Tx(t.Context(), c.run)
		if got := teams(t, t.Context(), db); got != c.rows {
			t.Errorf("%s: %d rows, want %d", c.name, got, c.rows)
		}
	}
}

func TestNotificationsComeAfterTheCommitOnly(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	heard := make(chan string, 8)
	stop := db.Listen("c", func(p string) { heard <- p })
	defer stop()
	db.Tx(t.Context(), func(ctx context.Context) error { db.Notify(ctx, "c", "undone"); return errors.New("no") })
	db.Tx(t.Context(), func(ctx context.Context) error { return db.Notify(ctx, "c", "done") })
	for {
		select {
		case got := <-heard:
			if got == "undone" {
				t.Fatal("heard of what was rolled back")
			}
			if got == "done" {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the commit was not heard of")
		}
	}
}

// TestNotificationsReachOtherProcesses: from the moment that Open returns, and once each.
func TestNotificationsReachOtherProcesses(t *testing.T) {
	t.Parallel()
	url := databasetest.URL(t)
	one, err := database.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { one.Close() })
	other := one // on SQLite there is one process, which hears itself
	if one.Dialect == database.Postgres {
		if other, err = database.Open(t.Context(), url, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { other.Close() })
	}
	mine, theirs := make(chan string, 8), make(chan string, 8)
	defer one.Listen("mine", func(p string) { mine <- p })()
	defer other.Listen("theirs", func(p string) { theirs <- p })()
	for _, c := range []string{"mine", "theirs"} {
		if err := one.Notify(t.Context(), c, "a"); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-theirs; got != "a" {
		t.Errorf("heard %q", got)
	}
	// Its own came at once; had it come a second time, that would be before what follows.
	if err := other.Notify(t.Context(), "mine", "b"); err != nil {
		t.Fatal(err)
	}
	if first, second := <-mine, <-mine; first != "a" || second != "b" {
		t.Errorf("heard %q, then %q", first, second)
	}
}

func TestNotificationsStayWithinTheInstallation(t *testing.T) {
	t.Parallel()
	ours, theirs := databasetest.Open(t), databasetest.Open(t)
	heard := make(chan string, 64)
	defer ours.Listen("c", func(p string) { heard <- p })()
	for {
		theirs.Notify(t.Context(), "c", "theirs")
		ours.Notify(t.Context(), "c", "ours")
		select {
		case got := <-heard:
			if got != "ours" {
				t.Fatal("heard what another installation in the same database says")
			}
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func TestErrorsAreRecognised(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	if err := insertTeam(t.Context(), db, "x1"); err != nil {
		t.Fatal(err)
	}
	if err := insertTeam(t.Context(), db, "x1"); !database.IsDuplicate(err) {
		t.Errorf("a duplicate is not recognised: %v", err)
	}
	var row struct{ ID int64 }
	err := db.Reader(t.Context()).Table("accounts_teams").Where("name = ?", "none").Take(&row).Error
	if !database.IsNotFound(err) || !problem.Is(database.NotFound(err, "There is no team %q.", "none"), problem.NotFound) {
		t.Errorf("a missing row is not recognised: %v", err)
	}
}

func TestFullDiskIsUnavailableAndHeals(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	if db.Dialect != database.SQLite {
		return // PostgreSQL's own disk is its operator's
	}
	// A page limit makes SQLite answer exactly as a full disk does.
	var pages int64
	db.Writer(t.Context()).Raw("PRAGMA page_count").Scan(&pages)
	db.Writer(t.Context()).Exec("PRAGMA max_page_count = 1")
	big := make([]byte, 1<<20)
	err := db.Tx(t.Context(), func(ctx context.Context) error {
		return db.Writer(ctx).Exec("INSERT INTO work_jobs (kind, payload, state, max_attempts, run_at, created_at, updated_at) VALUES ('k', ?, 'waiting', 1, 0, 0, 0)", big).Error
	})
	if !problem.Is(err, problem.Unavailable) {
		t.Fatalf("got %v", err)
	}
	db.Writer(t.Context()).Exec("PRAGMA max_page_count = 1000000")
	if err := insertTeam(t.Context(), db, "x1"); err != nil {
		t.Fatalf("does not heal: %v", err)
	}
}

func TestBothDialectsHaveTheSameFiles(t *testing.T) {
	t.Parallel()
	names := func(dialect string) (out []string) {
		entries, err := os.ReadDir(filepath.Join("../../../migrations", dialect))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			out = append(out, e.Name())
		}
		return out
	}
	lite, pg := names("sqlite"), names("postgres")
	if len(lite) != len(pg) {
		t.Fatalf("%v and %v", lite, pg)
	}
	for i := range lite {
		if lite[i] != pg[i] {
			t.Errorf("%s and %s", lite[i], pg[i])
		}
	}
}
