package journal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
)

func open(t *testing.T, dir string) *Journal {
	t.Helper()
	j, err := Open(dir, func() time.Time { return time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC) })
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestChangesSurvive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir)
	if got := j.Now(); got.Run.State != protocol.StateIdle || got.Quarantined == nil {
		t.Fatalf("a new journal holds %+v", got)
	}
	err := j.Change(func(r *Record) {
		r.Run = Run{State: protocol.StateVerifying, Bundle: "b1", Version: 4}
		r.Bad["b1"] = 4
		r.Quarantined["b0"] = Quarantine{Reason: "bad"}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, dir)
	got := j.Now()
	if got.Run.Bundle != "b1" || got.Bad["b1"] != 4 || got.Quarantined["b0"].Reason != "bad" || got.Run.Changed.IsZero() {
		t.Errorf("read back %+v", got)
	}
	got.Bad["b1"] = 99
	if j.Now().Bad["b1"] != 4 {
		t.Error("changing a copy changed the journal")
	}
}

func TestOneRunAtATime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir)
	if _, err := Open(dir, time.Now); !errors.Is(err, ErrBusy) {
		t.Errorf("a second run: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

func TestTransitions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to protocol.State
		ok       bool
	}{
		{protocol.StateIdle, protocol.StateVerifying, true},
		{protocol.StateIdle, protocol.StateInstalling, false},
		{protocol.StateVerifying, protocol.StateInstalling, true},
		{protocol.StateInstalling, protocol.StateHealthChecking, true},
		{protocol.StateInstalling, protocol.StateDeferred, false},
		{protocol.StateInstalling, protocol.StateSucceeded, false},
		{protocol.StateHealthChecking, protocol.StateInstalling, false},
		{protocol.StateHealthChecking, protocol.StateRollingBack, true},
		{protocol.StateRollingBack, protocol.StateSucceeded, false},
		{protocol.StateIdle, protocol.StateSucceeded, false},
		{protocol.StateSucceeded, protocol.StateSucceeded, true},
		{protocol.StateSucceeded, protocol.StateInstalling, false},
		{protocol.StateQuarantined, protocol.StateInstalling, false},
	} {
		if CanBecome(c.from, c.to) != c.ok {
			t.Errorf("%s to %s: %v", c.from, c.to, !c.ok)
		}
	}
	for _, s := range protocol.States() {
		if s == protocol.StateStaging || s == protocol.StateStaged {
			continue // the network half's; the journal never holds them
		}
		if len(next[s]) == 0 {
			t.Errorf("nothing follows %s", s)
		}
	}
	j := open(t, t.TempDir())
	if err := j.Change(func(r *Record) { r.Run.State = protocol.StateInstalling }); err == nil {
		t.Error("a jump from idle to installing was written")
	}
	if j.Now().Run.State != protocol.StateIdle {
		t.Error("a refused change was kept")
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	for content, says := range map[string]string{
		"{":                                   "read the journal",
		`{"schema":2,"run":{"state":"idle"}}`: "newer agent",
		`{"schema":1,"run":{"state":"odd"}}`:  "does not know",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, time.Now); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", content, err)
		}
	}
}

// An agent of before wrote fewer fields: it is read, and what is unknown is empty.
func TestOlderAgentsJournal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := `{"run":{"state":"installing","bundle":"b1","installs":1},"bad":{"b1":3}}`
	if err := os.WriteFile(filepath.Join(dir, name), []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	got := open(t, dir).Now()
	if got.Schema != Schema || got.Run.State != protocol.StateInstalling || got.Run.Installs != 1 || got.Bad["b1"] != 3 || got.Quarantined == nil {
		t.Errorf("read %+v", got)
	}
}

func TestHalfWrittenFileIsNotRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir)
	if err := j.Change(func(r *Record) { r.Run.State = protocol.StateVerifying }); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".new"), []byte(`{"sch`), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := Read(dir); err != nil || r.Run.State != protocol.StateVerifying {
		t.Errorf("read %+v, %v", r, err)
	}
	if err := j.Change(func(r *Record) { r.Run.State = protocol.StateDeferred }); err != nil {
		t.Error(err)
	}
}

func TestStepsAreCounted(t *testing.T) {
	t.Parallel()
	j := open(t, t.TempDir())
	var steps []int
	j.Wrote = func(n int) { steps = append(steps, n) }
	if err := j.Change(func(r *Record) { r.Run.State = protocol.StateVerifying }); err != nil {
		t.Fatal(err)
	}
	if len(steps) != 2 || steps[1] != 2 {
		t.Errorf("steps %v", steps)
	}
}
