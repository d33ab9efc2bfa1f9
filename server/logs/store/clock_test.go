package store_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/store"
)

// clockWorld is a store with lines of twelve days, of which ten are kept, whose clock and running time the test moves.
type clockWorld struct {
	*world
	now     time.Time
	running time.Duration
}

func withClock(t *testing.T) *clockWorld {
	t.Helper()
	c := &clockWorld{now: day.Add(12 * 24 * time.Hour)}
	c.world = setup(t, store.Options{NoMerge: true, Dir: t.TempDir(), Now: func() time.Time { return c.now }, Running: func() time.Duration { return c.running },
		Retention: func(int64) store.Retention { return store.Retention{Age: 10 * 24 * time.Hour} }})
	for i := range 12 {
		c.put(50, uint64(i), day.Add(time.Duration(i)*24*time.Hour), time.Hour)
	}
	c.flush()
	return c
}

// pass lets time go by, moves the clock besides, and gives how many days retention took.
func (c *clockWorld) pass(goesBy, leap time.Duration) int {
	c.t.Helper()
	c.running += goesBy
	c.now = c.now.Add(goesBy + leap)
	gone, err := c.Retain(context.Background())
	if err != nil {
		c.t.Fatal(err)
	}
	return len(gone)
}

const days = 24 * time.Hour

func TestClockLeapsAhead(t *testing.T) {
	t.Parallel()
	c := withClock(t)
	if n := c.pass(time.Minute, 0); n != 2 {
		t.Fatalf("%d days went in their time", n)
	}
	// A year ahead for an hour: nothing goes, and nothing is owed when it is right again.
	for _, leap := range []time.Duration{365 * days, 0, 0} {
		if n := c.pass(10*time.Minute, leap); n != 0 {
			t.Fatalf("%d days went by a clock that leapt", n)
		}
	}
	if n := c.pass(10*time.Minute, -365*days); n != 0 {
		t.Fatalf("%d days went", n)
	}
	// Time that passes takes what is old as ever.
	if n := c.pass(23*time.Hour, 0) + c.pass(2*time.Hour, 0); n != 1 {
		t.Fatalf("%d days went in a day", n)
	}
}

func TestClockThatLeaptIsBelievedAfterADay(t *testing.T) {
	t.Parallel()
	c := withClock(t)
	c.pass(time.Minute, 0)
	if n := c.pass(time.Minute, 5*days); n != 0 {
		t.Fatalf("%d days went at once", n)
	}
	if n := c.pass(12*time.Hour, 0); n != 0 {
		t.Fatalf("%d days went after half a day", n)
	}
	// A restart neither forgets the doubt nor begins it anew.
	c.running = 0
	c.reopen()
	if n := c.pass(time.Hour, 0); n != 0 {
		t.Fatalf("%d days went after a restart", n)
	}
	if n := c.pass(12*time.Hour, 0); n != 6 {
		t.Fatalf("%d days went when it was believed", n)
	}
}

func TestServerWasOff(t *testing.T) {
	t.Parallel()
	c := withClock(t)
	c.pass(time.Minute, 0)
	c.running = 0
	c.reopen()
	if n := c.pass(time.Minute, 20*time.Hour); n != 0 {
		t.Fatalf("%d days went early", n)
	}
	c.running = 0
	c.reopen()
	if n := c.pass(time.Minute, 20*time.Hour); n != 1 { // off for less than a day: as ever
		t.Fatalf("%d days went", n)
	}
	c.running = 0
	c.reopen()
	if n := c.pass(time.Minute, 40*days); n != 0 {
		t.Fatalf("%d days went right after forty days of silence", n)
	}
	if n := c.pass(25*time.Hour, 0); n != 9 {
		t.Fatalf("%d days went a day later", n)
	}
}

// TestReceiptWhenTheClockFallsBack: lines without a time do not get one by which they would go at once.
func TestReceiptWhenTheClockFallsBack(t *testing.T) {
	t.Parallel()
	c := withClock(t)
	if got := c.Receipt(c.now); !got.Equal(c.now) {
		t.Error(got)
	}
	c.pass(time.Minute, 0)
	c.running += time.Hour
	right := c.now.Add(time.Hour)
	for wall, want := range map[time.Time]time.Time{time.Unix(0, 0): right, right: right, right.Add(-20 * time.Hour): right.Add(-20 * time.Hour), right.Add(40 * days): right.Add(40 * days)} {
		if got := c.Receipt(wall); !got.Equal(want) {
			t.Errorf("at %s: %s", wall, got)
		}
	}
}

// TestDamagedClock: a file that a crash tore is as good as none.
func TestDamagedClock(t *testing.T) {
	t.Parallel()
	c := withClock(t)
	c.pass(time.Minute, 0)
	for _, text := range []string{"", "{", `{"trusted":-5}`, "null"} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(c.opt.Dir, "clock"), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		c.open()
		if got := c.Receipt(time.Unix(0, 0)); !got.Equal(time.Unix(0, 0)) {
			t.Errorf("%q: %s", text, got)
		}
		c.pass(time.Minute, 0)
	}
}
