package buildlog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func setup(t testing.TB) (*Store, *Log) {
	t.Helper()
	store := &Store{Dir: t.TempDir()}
	return store, open(t, store, 7)
}

func open(t testing.TB, store *Store, build int64) *Log {
	t.Helper()
	l, err := store.Open(build)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func closeLog(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func out(origin, text string) Record {
	return Record{Time: epoch, Origin: origin, Kind: KindLog, Source: Stdout, Payload: text}
}

func add(t testing.TB, l *Log, records ...Record) int64 {
	t.Helper()
	id, err := l.Append(records...)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func texts(lines []Line) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%d:%s:%s ", l.N, l.Origin, l.Text)
	}
	return strings.TrimSpace(b.String())
}

func TestEventsKeepTheirOrderAndIds(t *testing.T) {
	t.Parallel()
	store, l := setup(t)
	status := Record{Time: epoch, Kind: KindStatus, Version: "1.0", Data: json.RawMessage(`{"status":"started"}`)}
	if id := add(t, l, status); id != 0 {
		t.Errorf("first id %d", id)
	}
	if id := add(t, l, out("a", "one\r\ntwo\nthree")); id != 1 {
		t.Errorf("second id %d", id)
	}
	add(t, l, Record{Time: epoch, Origin: "a", Kind: KindLog, Source: Stderr, Payload: "bad \xff\n"})
	check := func(l *Log) {
		t.Helper()
		events, err := l.Events(0, 100)
		if err != nil || len(events) != 5 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		if e := events[0]; e.ID != 0 || e.Kind != KindStatus || e.Version != "1.0" ||
			string(e.Data) != `{"status":"started"}` || !e.Time.Equal(epoch) {
			t.Errorf("status event %+v", e)
		}
		if e := events[1]; e.ID != 1 || e.Kind != KindLog || e.Payload != "one\r\n" || e.Origin != "a" || e.Version != LogVersion {
			t.Errorf("log event %+v", e)
		}
		if e := events[4]; e.Source != Stderr || e.Payload != "bad \uFFFD\n" {
			t.Errorf("stderr event %+v", e)
		}
		lines, err := l.Lines(2, 2)
		if err != nil || texts(lines) != "2:a:two 3:a:three" || lines[0].Partial || !lines[1].Partial || lines[1].EventID != 3 {
			t.Errorf("lines %+v, %v", lines, err)
		}
		if s := l.Stats(); s.Events != 5 || s.Lines != 4 {
			t.Errorf("stats %+v", s)
		}
	}
	check(l)
	closeLog(t, l)
	l = open(t, store, 7)
	check(l)
	closeLog(t, l)
}

func TestAnEmptyLogHasNothing(t *testing.T) {
	t.Parallel()
	_, l := setup(t)
	events, err := l.Events(0, 10)
	lines, err2 := l.Tail(5)
	found, err3 := l.Search(t.Context(), Query{Text: "x", Limit: 5})
	own, err4 := l.SectionLines("a", 0, 10)
	if err := errors.Join(err, err2, err3, err4); err != nil || len(events)+len(lines)+len(own) != 0 || found.Lines != 0 {
		t.Errorf("%v %v %v %+v %v", events, lines, own, found, err)
	}
	if _, err := os.Stat(l.path); err == nil {
		t.Error("reading made a file")
	}
	closeLog(t, l)
}

func TestACutRecordIsDroppedAndWritingGoesOn(t *testing.T) {
	t.Parallel()
	for cut := 1; cut < 20; cut++ {
		store := &Store{Dir: t.TempDir()}
		l := open(t, store, 1)
		add(t, l, out("a", "kept\n"), out("a", "torn line\n"))
		path, size := l.path, l.Stats().Bytes
		closeLog(t, l)
		if err := os.Truncate(path, size-int64(cut)); err != nil {
			t.Fatal(err)
		}
		l = open(t, store, 1)
		if s := l.Stats(); s.Events != 1 {
			t.Fatalf("cut %d: %d events", cut, s.Events)
		}
		if id := add(t, l, out("a", "next\n")); id != 1 {
			t.Errorf("cut %d: id %d", cut, id)
		}
		closeLog(t, l)
		l = open(t, store, 1)
		if lines, err := l.Lines(1, 9); err != nil || texts(lines) != "1:a:kept 2:a:next" {
			t.Errorf("cut %d: %s, %v", cut, texts(lines), err)
		}
		closeLog(t, l)
	}
}

func TestACutHeaderAndGarbage(t *testing.T) {
	t.Parallel()
	store, l := setup(t)
	add(t, l, out("a", "x\n"))
	path := l.path
	closeLog(t, l)
	if err := os.Truncate(path, 3); err != nil {
		t.Fatal(err)
	}
	l = open(t, store, 7)
	if id := add(t, l, out("a", "again\n")); id != 0 {
		t.Errorf("id %d", id)
	}
	closeLog(t, l)
	if err := os.WriteFile(path, []byte("not a log of ours at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(7); err == nil {
		t.Error("a foreign file was opened")
	}
}

// TestKilledWriter appends in a process of its own that is killed with -9; whatever it
// had reported must be there.
func TestKilledWriter(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv("BUILDLOG_WRITER"); dir != "" {
		l := open(t, &Store{Dir: dir}, 1)
		for i := 0; ; i++ {
			id := add(t, l, out("a", fmt.Sprintf("line %d\n", i)))
			fmt.Println(id)
		}
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWriter$")
	cmd.Env = append(os.Environ(), "BUILDLOG_WRITER="+dir)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	store := &Store{Dir: dir}
	l := open(t, store, 1)
	seen := int64(0)
	// Another process's file is followed, too.
	if err := l.Follow(t.Context(), 0, func(events []Event) error {
		if seen = events[len(events)-1].ID + 1; seen > 2000 {
			return ErrStop
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(out("b", "mine\n")); !errors.Is(err, ErrBusy) {
		t.Errorf("two writers: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var reported bytes.Buffer
	if _, err := reported.ReadFrom(pipe); err != nil && !errors.Is(err, os.ErrClosed) {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the writer was not killed")
	}
	closeLog(t, l)
	l = open(t, store, 1)
	id := add(t, l, out("a", "after\n"))
	if id < seen || id < int64(strings.Count(reported.String(), "\n"))-1 {
		t.Errorf("%d events left, %d were seen", id, seen)
	}
	closeLog(t, l)
}

func TestFollowSeesEverythingOnce(t *testing.T) {
	t.Parallel()
	store, l := setup(t)
	const total = 5000
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			mine := open(t, store, 7)
			next := int64(10)
			err := mine.Follow(t.Context(), next, func(events []Event) error {
				for _, e := range events {
					if e.ID != next {
						return fmt.Errorf("event %d, want %d", e.ID, next)
					}
					next++
				}
				if next == total {
					return ErrStop
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			if err := mine.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range total {
		add(t, l, out("a", fmt.Sprintf("line %d\n", i)))
	}
	wg.Wait()
	closeLog(t, l)
}

func TestFollowEndsWithItsContextAndItsErrors(t *testing.T) {
	t.Parallel()
	store, l := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Follow(ctx, 0, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	add(t, l, out("a", "x\n"))
	boom := errors.New("boom")
	if err := l.Follow(t.Context(), 0, func([]Event) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("fn's error: %v", err)
	}
	if err := store.Remove(7); err != nil {
		t.Fatal(err)
	}
	if err := l.Follow(t.Context(), 1, nil); !errors.Is(err, ErrRemoved) {
		t.Errorf("removed: %v", err)
	}
	if _, err := l.Append(out("a", "x\n")); !errors.Is(err, ErrRemoved) {
		t.Errorf("append to a removed log: %v", err)
	}
	closeLog(t, l)
	if l := open(t, store, 7); l.Stats().Events != 0 {
		t.Error("events after remove")
	} else {
		closeLog(t, l)
	}
}

func TestManyMarksAndSections(t *testing.T) {
	t.Parallel()
	store, l := setup(t)
	const total = 30_000
	var records []Record
	for i := range total {
		switch i % 3 {
		case 0:
			records = append(records, out("a", fmt.Sprintf("a%d\n", i)))
		case 1:
			records = append(records, out("b", fmt.Sprintf("b%d\n", i)))
		default:
			records = append(records, Record{Time: epoch, Origin: "a", Kind: "start", Version: "1.0"})
		}
	}
	add(t, l, records...)
	want := l.Sections()
	if len(want) != 2 || want[0].Lines != total/3 || want[0].First != 1 || want[1].First != 2 || want[1].Last != total/3*2 {
		t.Fatalf("%+v", want)
	}
	closeLog(t, l)
	if _, err := os.Stat(indexPath(l.path)); err != nil {
		t.Errorf("no index: %v", err)
	}
	for _, damage := range []string{"none", "gone", "garbage"} {
		switch damage {
		case "gone":
			_ = os.Remove(indexPath(l.path))
		case "garbage":
			if err := os.WriteFile(indexPath(l.path), []byte(`{"format":1,"sum":5,"index":{"size":9}}`), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		l = open(t, store, 7)
		if got := l.Sections(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %+v", damage, got)
		}
		checkMiddle(t, l)
		closeLog(t, l)
	}
}

func checkMiddle(t *testing.T, l *Log) {
	t.Helper()
	if e, err := l.Events(20_000, 2); err != nil || len(e) != 2 || e[0].ID != 20_000 || e[1].Payload != "a20001\n" {
		t.Errorf("events %+v %v", e, err)
	}
	if lines, err := l.Lines(10_001, 2); err != nil || texts(lines) != "10001:a:a15000 10002:b:b15001" {
		t.Errorf("lines %s %v", texts(lines), err)
	}
	if lines, err := l.SectionLines("b", 5000, 2); err != nil || texts(lines) != "10002:b:b15001 10004:b:b15004" {
		t.Errorf("section %s %v", texts(lines), err)
	}
	if lines, err := l.SectionTail("b", 1); err != nil || texts(lines) != "20000:b:b29998" {
		t.Errorf("section tail %s %v", texts(lines), err)
	}
	if lines, err := l.Tail(1); err != nil || texts(lines) != "20000:b:b29998" {
		t.Errorf("tail %s %v", texts(lines), err)
	}
	found, err := l.Search(t.Context(), Query{Text: "b15004", Limit: 3})
	if err != nil || found.Lines != 1 || found.Listed[0].N != 10_004 || found.Listed[0].Nth != 5001 || found.Searched != 20_000 {
		t.Errorf("found %+v %v", found, err)
	}
}

func TestAFullDiskKeepsTheLogWhole(t *testing.T) {
	t.Parallel()
	store, l := setup(t)
	add(t, l, out("a", "before\n"))
	real := l.file
	// /dev/full refuses every write as a full disk does.
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	l.file = full
	l.mu.Unlock()
	if _, err := l.Append(out("a", "lost\n")); !errors.Is(err, ErrFull) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("append: %v", err)
	}
	w := l.LineWriter(LineOptions{Origin: "a", Source: Stdout, Now: func() time.Time { return epoch }})
	if _, err := w.Write([]byte("kept by the writer\n")); err == nil {
		t.Error("the writer reports nothing")
	}
	l.mu.Lock()
	l.file = real
	l.mu.Unlock()
	if err := errors.Join(full.Close(), w.Flush(), w.Close()); err != nil {
		t.Fatal(err)
	}
	add(t, l, out("a", "after\n"))
	closeLog(t, l)
	l = open(t, store, 7)
	if lines, err := l.Lines(1, 9); err != nil || texts(lines) != "1:a:before 2:a:kept by the writer 3:a:after" {
		t.Errorf("%s %v", texts(lines), err)
	}
	closeLog(t, l)
}

func TestRaw(t *testing.T) {
	t.Parallel()
	_, l := setup(t)
	add(t, l, out("a", "\x1b[31mred\x1b[0m\r\n"), Record{Time: epoch, Kind: "error"}, out("b", "\x1b]0;title\x07plain\n"))
	var raw, clean bytes.Buffer
	if err := errors.Join(l.Raw(&raw, false), l.Raw(&clean, true)); err != nil {
		t.Fatal(err)
	}
	if raw.String() != "\x1b[31mred\x1b[0m\r\n\x1b]0;title\x07plain\n" || clean.String() != "red\r\nplain\n" {
		t.Errorf("%q %q", raw.String(), clean.String())
	}
	if err := l.Raw(brokenWriter{}, false); !errors.Is(err, os.ErrClosed) {
		t.Errorf("broken writer: %v", err)
	}
	closeLog(t, l)
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestTooLargeAnEvent(t *testing.T) {
	t.Parallel()
	_, l := setup(t)
	big := Record{Kind: "set-pipeline-changed", Data: bytes.Repeat([]byte("x"), maxBody)}
	if _, err := l.Append(big); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v", err)
	}
	if id := add(t, l, out("a", "fine\n")); id != 0 {
		t.Errorf("id %d", id)
	}
	closeLog(t, l)
}
