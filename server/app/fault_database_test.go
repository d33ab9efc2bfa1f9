package app_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalbox/signalbox/server/platform/databasetest"
)

// outage takes the database away for a moment: PostgreSQL ends every connection of the
// server again and again, as a restart does once; SQLite's file is locked by another.
func outage(t testing.TB, url string) {
	t.Helper()
	deadline := time.After(2 * time.Second)
	if file, found := strings.CutPrefix(url, "sqlite:"); found {
		db, err := sql.Open("sqlite", file)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		db.SetMaxOpenConns(1)
		if _, err := db.Exec("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE"); err != nil {
			t.Fatal(err)
		}
		<-deadline
		if _, err := db.Exec("ROLLBACK"); err != nil {
			t.Fatal(err)
		}
		return
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := conn.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-tick.C:
		case <-deadline:
			return
		}
	}
}

// TestDatabaseGoneWhileBuilding: builds that run while the database is away go on when it
// is back; each line is there once, so nothing ran twice.
func TestDatabaseGoneWhileBuilding(t *testing.T) {
	t.Parallel()
	const jobs, lines = 4, 120
	url := databasetest.URL(t)
	p := launchOn(t, t.TempDir(), url)
	p.pipeline(t, "main", "count", counting(jobs, lines))
	var builds []build
	for _, job := range []string{"j0", "j1", "j2", "j3"} {
		builds = append(builds, p.trigger(t, "main", "count", job))
	}
	for _, b := range builds {
		eventually(t, "the first lines", func() bool { return strings.Contains(p.log(t, b.ID), "line 3") })
	}
	outage(t, url)
	eventually(t, "the server to be ready", func() bool { return p.as("").status(t, "GET", "/readyz") == 200 })
	for _, b := range builds {
		if ended := p.finish(t, b.ID); ended.Status != "succeeded" {
			t.Errorf("%+v\n%s", ended, p.stderr)
		}
		wantLines(t, "a build", p.log(t, b.ID), lines)
	}
	if after := p.finish(t, p.trigger(t, "main", "count", "j0").ID); after.Status != "succeeded" {
		t.Errorf("afterwards: %+v", after)
	}
}
