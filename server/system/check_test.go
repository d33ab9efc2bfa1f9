package system

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/work"
)

func expect(t *testing.T, r Result, status Status, word string) {
	t.Helper()
	if r.Status != status || !strings.Contains(r.Detail, word) || (r.Fix == "") != (status == OK) {
		t.Errorf("%+v, want %s with %q", r, status, word)
	}
}

func TestDiskRules(t *testing.T) {
	t.Parallel()
	const gb = 1 << 30
	expect(t, judgeDisk("/d", 50*gb, 100*gb, gb, true), OK, "53.7 GB free of 107 GB; the data folder takes 1.1 GB.")
	expect(t, judgeDisk("/d", 4*gb, 100*gb, gb, false), Warn, "at least 1.1 GB")
	expect(t, judgeDisk("/d", gb, 8*gb, 0, true), Warn, "0 B")
	expect(t, judgeDisk("/d", gb/8, 8*gb, 0, true), Fail, "134 MB free")
}

func TestDiskCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), make([]byte, 1500), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "b", "c"), make([]byte, 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	if size, whole := folderSize(t.Context(), dir); size != 2500 || !whole {
		t.Fatal(size, whole)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, whole := folderSize(ended, dir); whole {
		t.Fatal("the walk went on without time")
	}
	if r := DiskCheck(dir).Run(t.Context()); !strings.Contains(r.Detail, "takes 2.5 kB") {
		t.Fatalf("%+v", r)
	}
	expect(t, DiskCheck(filepath.Join(dir, "none")).Run(t.Context()), Fail, "cannot be examined")
}

func TestClockRules(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	expect(t, judgeClock(at, at.Add(2*time.Second), "the other"), OK, "It is Fri, 01 May 2026 12:00:00 UTC.")
	expect(t, judgeClock(at, at.Add(-7*time.Second), "the other"), Warn, "the other are 7s apart")
	expect(t, judgeClock(at, at.Add(time.Hour), "the other"), Fail, "1h0m0s apart")
	expect(t, judgeClock(time.Unix(0, 0), time.Unix(0, 0), ""), Fail, "1970")
}

func TestClockCheck(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	dir := t.TempDir()
	expect(t, ClockCheck(db, dir, time.Now).Run(t.Context()), OK, "It is ")
	set := func() time.Time { return time.Now().Add(-time.Hour) }
	expect(t, ClockCheck(db, dir, set).Run(t.Context()), Fail, "apart")
}

func TestDatabaseCheck(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	at := time.Now()
	expect(t, DatabaseCheck(db, func() time.Time { return at }).Run(t.Context()), OK, "SQL")
	slow := func() time.Time { at = at.Add(time.Second); return at }
	expect(t, DatabaseCheck(db, slow).Run(t.Context()), Warn, "answers in 1s")
	db.Close()
	expect(t, DatabaseCheck(db, time.Now).Run(t.Context()), Fail, "does not answer")
}

func TestMemoryCheck(t *testing.T) {
	t.Parallel()
	start := time.Now()
	expect(t, MemoryCheck(start, func() time.Time { return start.Add(90 * time.Second) }).Run(t.Context()), OK, "up for 1m30s")
	for statm, want := range map[string]uint64{"9000 25 3 4 0 5 0": 100, "": 7, "9000": 7, "9000 x": 7} {
		if got := residentOf(statm, 4, 7); got != want {
			t.Errorf("%q: %d", statm, got)
		}
	}
}

func TestPublicURLCheck(t *testing.T) {
	t.Parallel()
	for _, sc := range []struct {
		configured string
		status     Status
		word       string
	}{
		{"", Warn, "http://localhost:8080"}, {"box.example.com", Fail, "no web address"}, {"ftp://box", Fail, "no web address"},
		{"http://box.example.com", Warn, "not encrypted"}, {"http://localhost:8080", OK, "localhost"}, {"http://127.0.0.1:1", OK, "127"}, {"https://box.example.com", OK, "https"},
	} {
		expect(t, PublicURLCheck(sc.configured, "http://localhost:8080").Run(t.Context()), sc.status, sc.word)
	}
}

func TestIsolationCheck(t *testing.T) {
	t.Parallel()
	expect(t, IsolationCheck(func(context.Context) (string, error) { return "runc 1.1 with user namespaces.", nil }).Run(t.Context()), OK, "runc 1.1")
	expect(t, IsolationCheck(func(context.Context) (string, error) { return "", errors.New("there is no runc.") }).Run(t.Context()), Fail, "Tasks cannot run: there is no runc.")
}

func TestJobsCheck(t *testing.T) {
	t.Parallel()
	w := setup(t)
	check := JobsCheck(w.jobs)
	expect(t, check.Run(t.Context()), OK, "0 dead")
	w.bury(1)
	expect(t, check.Run(t.Context()), Warn, "1 dead")
	w.db.Close()
	expect(t, check.Run(t.Context()), Fail, "cannot be counted")
}

func TestLoopsCheck(t *testing.T) {
	t.Parallel()
	list := []work.LoopStatus{{Name: "a"}, {Name: "b"}}
	check := LoopsCheck(func() []work.LoopStatus { return list })
	expect(t, check.Run(t.Context()), OK, "All 2")
	list[1].Error = "broken"
	expect(t, check.Run(t.Context()), Warn, "failed of: b.")
}

func TestBytes(t *testing.T) {
	t.Parallel()
	for n, want := range map[uint64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 123456: "123 kB", 5 << 30: "5.4 GB", 1 << 60: "1153 PB"} {
		if got := bytes(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
