package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// maxLeap is how far the machine's clock may be from what is expected of it.
	maxLeap = 24 * time.Hour
	// believeAfter is for how long a clock that leapt must keep to its new time, while
	// the store is open, before anything is let go by it.
	believeAfter = 24 * time.Hour
)

// clock is the time by which lines are old. The machine's own may leap: for a dead
// battery to 1970, for a wrong time server or a typing error to next year, and what is
// let go by such a time is gone. So it is compared with what an unfailing clock must
// show, the time of the last look and what has passed since, and a leap of more than a
// day, whichever way, is believed only after a day. A server that was off for longer
// than a day keeps old lines a day longer for it.
type clock struct {
	now     func() time.Time
	running func() time.Duration // since the store was opened, whatever the clock says
	path    string

	mu      sync.Mutex
	known   bool
	trusted time.Time     // what it showed
	at      time.Duration // when running was this
	held    time.Duration // for how long a leap has not been believed, other lives included
}

// clockFile is what the next life knows of the clock.
type clockFile struct {
	Trusted int64 `json:"trusted"` // nanoseconds since 1970
	Held    int64 `json:"held"`    // nanoseconds
}

// openClock reads what the last life knew; without that the machine's clock is believed.
func openClock(dir string, now func() time.Time, running func() time.Duration) (*clock, error) {
	c := &clock{now: now, running: running, path: filepath.Join(dir, "clock"), at: running()}
	raw, err := os.ReadFile(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the clock of the log store: %w", err)
	}
	var f clockFile
	if json.Unmarshal(raw, &f) == nil && f.Trusted > 0 { // torn by a crash: as if there were none
		c.known, c.trusted, c.held = true, time.Unix(0, f.Trusted).UTC(), time.Duration(f.Held)
	}
	return c, nil
}

// expected is what the clock should show; the lock is held.
func (c *clock) expected(running time.Duration) time.Time { return c.trusted.Add(running - c.at) }

// look compares the clock with itself and returns the time to go by. leap is how far
// the machine's clock is from it, 0 when it is believed.
func (c *clock) look() (now time.Time, leap time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall, running := c.now().UTC().Round(0), c.running()
	since := running - c.at
	should := c.expected(running)
	leap = wall.Sub(should)
	switch {
	case !c.known || leap.Abs() <= maxLeap || c.held+since >= believeAfter:
		c.known, c.trusted, c.held, leap = true, wall, 0, 0
	default:
		c.trusted, c.held = should, c.held+since
	}
	c.at = running
	return c.trusted, leap, c.save()
}

func (c *clock) save() error {
	raw, err := json.Marshal(clockFile{c.trusted.UnixNano(), int64(c.held)})
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.path+".tmp", raw, 0o640); err != nil {
		return fmt.Errorf("write the clock of the log store: %w", err)
	}
	if err := os.Rename(c.path+".tmp", c.path); err != nil {
		return fmt.Errorf("write the clock of the log store: %w", err)
	}
	return nil
}

// Receipt is the time of a line that comes now and names none, as a clock shows wall. A
// clock that fell back by more than a day is not believed here either: such lines would
// go as old ones as soon as it is right again.
func (s *Store) Receipt(wall time.Time) time.Time {
	c := s.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.known {
		return wall
	}
	if should := c.expected(c.running()); wall.Before(should.Add(-maxLeap)) {
		return should
	}
	return wall
}
