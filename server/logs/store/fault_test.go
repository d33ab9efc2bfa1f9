package store_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
)

// one returns the only file below dir with that suffix.
func one(t *testing.T, dir, suffix string) string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if filepath.Ext(path) == suffix {
			found = append(found, path)
		}
		return err
	})
	if err != nil || len(found) != 1 {
		t.Fatalf("files with %s: %v, %v", suffix, found, err)
	}
	return found[0]
}

func flip(t *testing.T, path string, at int64) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if at < 0 {
		at += int64(len(data))
	}
	data[at] ^= 0x10
	if err := os.WriteFile(path, data, 0o640); err != nil {
		t.Fatal(err)
	}
}

// messages of every line that can be found, sorted.
func (w *world) messages() []string {
	w.t.Helper()
	rows, _ := w.search(store.Request{})
	out := make([]string, len(rows))
	for i := range rows {
		out[i] = text(&rows[i].Record)
	}
	slices.Sort(out)
	return out
}

// wrong tells a line that never was put in, or was found twice.
func (w *world) wrong(got []string) string {
	want := map[string]bool{}
	for i := range w.all {
		want[text(&w.all[i])] = true
	}
	for i, s := range got {
		if !want[s] || i > 0 && got[i-1] == s {
			return s
		}
	}
	return ""
}

// A write that a crash cut off is no damage: what was acknowledged before it is there.
func TestTornTail(t *testing.T) {
	t.Parallel()
	w := setup(t, store.Options{})
	w.put(2000, 1, day, time.Hour)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := one(t, w.opt.Dir, ".wal")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{1, 20, 25, 5000} { // inside a payload, a header, at a border or not
		if err := os.WriteFile(path, whole[:len(whole)-cut], 0o640); err != nil {
			t.Fatal(err)
		}
		w.open()
		if n := len(w.messages()); n != 1500 || len(w.Damaged()) != 0 {
			t.Fatalf("cut by %d: %d lines, damage %+v", cut, n, w.Damaged())
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		os.Remove(filepath.Join(w.opt.Dir, "wal", "000000000002.wal"))
	}
	w.open()
}

// A damaged place in the write-ahead log costs the batch it is in, is listed, and kept to look at.
func TestDamagedWAL(t *testing.T) {
	t.Parallel()
	for _, at := range []int64{5, 30, 60_000, 100_000} { // header of the first frame, its payload, later ones
		w := setup(t, store.Options{Dir: t.TempDir()})
		w.put(2000, 1, day, time.Hour)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		flip(t, one(t, w.opt.Dir, ".wal"), at)
		w.open()
		got := w.messages()
		if s := w.wrong(got); s != "" || len(got) != 1500 {
			t.Fatalf("at %d: %d lines, wrong %q", at, len(got), s)
		}
		if d := w.Damaged(); len(d) != 1 || d[0].What != store.DamageWAL {
			t.Fatalf("at %d: %+v", at, d)
		}
		if kept, _ := os.ReadDir(filepath.Join(w.opt.Dir, "quarantine")); len(kept) != 1 {
			t.Fatalf("at %d: quarantine has %d files", at, len(kept))
		}
	}
}

// Wherever a bit of a segment flips, nothing wrong is served, nothing else is lost, the
// search says what it could not read, and the damage is listed.
func TestDamagedSegment(t *testing.T) {
	t.Parallel()
	w := setup(t, store.Options{NoMerge: true, Dir: t.TempDir()})
	w.put(18_000, 1, day, time.Hour) // three row groups
	w.flush()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := one(t, w.opt.Dir, ".parquet")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	places := []int64{0, 4, 40, int64(len(whole)) / 2, int64(len(whole)) - 1, int64(len(whole)) - 6, int64(len(whole)) - 2000}
	for range 5 {
		places = append(places, rng.Int64N(int64(len(whole))))
	}
	for _, at := range places {
		bad := slices.Clone(whole)
		bad[at] ^= 1 << rng.IntN(8)
		if err := os.WriteFile(path, bad, 0o640); err != nil {
			t.Fatal(err)
		}
		w.open()
		rows, stats := w.search(store.Request{})
		got := make([]string, len(rows))
		for i := range rows {
			got[i] = text(&rows[i].Record)
		}
		slices.Sort(got)
		if s := w.wrong(got); s != "" {
			t.Fatalf("at %d: served %s", at, s)
		}
		if len(got) < 18_000 && (stats.Partial != store.PartialDamage || len(w.Damaged()) == 0) {
			t.Fatalf("at %d: %d lines, %+v, damage %+v", at, len(got), stats, w.Damaged())
		}
		if at > 100 && at < int64(len(whole))*9/10 && len(got) < 18_000-2*8192 {
			t.Fatalf("at %d: only %d lines are left", at, len(got))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, whole, 0o640); err != nil {
		t.Fatal(err)
	}
	w.open()
}

// A damaged filter costs time, never lines.
func TestDamagedFilter(t *testing.T) {
	t.Parallel()
	w := setup(t, store.Options{NoMerge: true, Dir: t.TempDir()})
	w.put(9000, 1, day, time.Hour)
	w.flush()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := one(t, w.opt.Dir, ".idx")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 12_000; at < len(whole); at += 400 { // every row of the filter is hit
		whole[at] ^= 0xff
	}
	if err := os.WriteFile(path, whole, 0o640); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.checkAll("damaged filter")
	if d := w.Damaged(); len(d) == 0 || d[0].What != store.DamageFilter {
		t.Fatalf("damage: %+v", d)
	}
}

// A sidecar that cannot be read takes its segment out of searches, which say so.
func TestDamagedSidecar(t *testing.T) {
	t.Parallel()
	for _, at := range []int64{0, 5, 9, 100} {
		w := setup(t, store.Options{NoMerge: true, Dir: t.TempDir()})
		w.put(1000, 1, day, time.Hour)
		w.flush()
		w.put(700, 2, day.Add(2*time.Hour), time.Hour)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		flip(t, one(t, w.opt.Dir, ".idx"), at)
		w.open()
		rows, stats := w.search(store.Request{})
		if len(rows) != 1700 || len(w.Damaged()) != 1 {
			t.Fatalf("at %d: %d lines, %+v, %+v", at, len(rows), stats, w.Damaged())
		}
		w.checkAll("sidecar made anew")
	}
}

// A damaged or lost manifest is made anew from the segments, and nothing is lost or doubled.
func TestDamagedManifest(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(path string){
		"first line":  func(p string) { flip(t, p, 3) },
		"body":        func(p string) { flip(t, p, 40) },
		"last line":   func(p string) { flip(t, p, -20) },
		"lost":        func(p string) { os.Remove(p) },
		"emptied":     func(p string) { os.Truncate(p, 0) },
		"torn append": func(p string) { b, _ := os.ReadFile(p); os.WriteFile(p, append(b, "12345678 {\"add\""...), 0o640) },
	} {
		w := setup(t, store.Options{NoMerge: true, Dir: t.TempDir(), Now: func() time.Time { return day.Add(72 * time.Hour) }})
		for i := range 3 {
			w.put(800, uint64(i), day.Add(time.Duration(i)*time.Hour), time.Hour)
			w.flush()
		}
		if _, err := w.Merge(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.put(500, 9, day.Add(9*time.Hour), time.Hour)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		spoil(filepath.Join(w.opt.Dir, "manifest"))
		w.open()
		got := w.messages()
		if s := w.wrong(got); s != "" || len(got) != len(w.all) {
			t.Fatalf("%s: %d lines of %d, wrong %q; damage %+v", name, len(got), len(w.all), s, w.Damaged())
		}
		if d := w.Damaged(); (len(d) == 1) != (name != "torn append") {
			t.Fatalf("%s: damage %+v", name, d)
		}
		w.put(100, 11, day.Add(10*time.Hour), time.Hour)
		w.flush()
		w.reopen()
		if got := w.messages(); len(got) != len(w.all) {
			t.Fatalf("%s: %d lines of %d after going on", name, len(got), len(w.all))
		}
	}
}

// A full disk refuses lines and goes on answering; when there is room again it takes them.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	free := make(chan int64, 1)
	free <- 1 << 40
	w := setup(t, store.Options{DiskFree: func(string) (int64, int64, error) {
		n := <-free
		free <- n
		return n, 1 << 40, nil
	}})
	w.put(1000, 1, day, time.Hour)
	set := func(n int64) { <-free; free <- n }
	line := []record.Record{{Time: day, Message: "late"}}
	until := func(want error) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; {
			err := w.Append(context.Background(), 1, line)
			if err == nil {
				w.all = append(w.all, line...)
			}
			if errors.Is(err, want) && (err == nil) == (want == nil) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("got %v, not %v", err, want)
			}
			unix.Nanosleep(&unix.Timespec{Nsec: 20e6}, nil) // the store looks at the disk only now and then
		}
	}
	set(1 << 20)
	until(store.ErrFull)
	w.check("while full", store.Request{})
	set(1 << 40)
	until(nil)
	w.check("after", store.Request{})
}

// A clock that jumps back neither loses nor reorders nor doubles.
func TestClockGoesBack(t *testing.T) {
	t.Parallel()
	now := day.Add(100 * time.Hour)
	w := setup(t, store.Options{NoMerge: true, Now: func() time.Time { return now }})
	for i := range 6 {
		now = now.Add(-time.Duration(i) * 5 * time.Hour)
		w.append(record.Record{Message: "no time of its own " + string(rune('a'+i))})
		w.append(record.Record{Time: now.Add(time.Second), Message: "a time"})
		if i%2 == 1 {
			w.flush()
			w.reopen()
		}
	}
	w.check("all", store.Request{})
	w.check("newest", store.Request{Newest: true, Limit: 5})
}

// Two processes must not write one folder.
func TestOneProcess(t *testing.T) {
	t.Parallel()
	w := setup(t, store.Options{})
	if _, err := store.Open(context.Background(), w.opt); err == nil {
		t.Fatal("the folder was opened twice")
	}
}

// What a crash left half-written is removed and nothing of it is served.
func TestSweepsLeftovers(t *testing.T) {
	t.Parallel()
	w := setup(t, store.Options{NoMerge: true, Dir: t.TempDir()})
	w.put(500, 1, day, time.Hour)
	w.flush()
	dir := filepath.Dir(one(t, w.opt.Dir, ".parquet"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"zz.parquet.tmp", "zz.idx", "zz.parquet"} {
		if err := os.WriteFile(filepath.Join(dir, name), bytes.Repeat([]byte("x"), 100), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	w.open()
	w.check("all", store.Request{})
	one(t, w.opt.Dir, ".parquet")
}
