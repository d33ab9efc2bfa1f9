package system

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
)

const (
	// slowClock is what two machines may differ without anybody noticing.
	slowClock = 5 * time.Second
	// wrongClock breaks sessions, leases and certificates.
	wrongClock = time.Minute
)

// released is when this check was written: no clock that is right is before it.
var released = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// ClockCheck compares this machine's clock with the database server's, and
// where that is this machine, with the last write to the data folder.
func ClockCheck(db *database.DB, dir string, now func() time.Time) Check {
	return Check{"clock", func(ctx context.Context) Result {
		if db.Dialect == database.Postgres {
			theirs, err := (store{db}).clock(ctx)
			if err != nil {
				return Result{Fail, fmt.Sprintf("The database's clock cannot be read: %s.", err), "See the check of the database."}
			}
			return judgeClock(now(), theirs, "the database server's")
		}
		info, err := os.Stat(dir)
		if err != nil {
			return Result{Fail, fmt.Sprintf("The data folder cannot be examined: %s.", err), "See the check of the disk."}
		}
		if last := info.ModTime(); last.After(now()) {
			return judgeClock(now(), last, "the last write to the data folder")
		}
		return judgeClock(now(), now(), "")
	}}
}

func judgeClock(ours, theirs time.Time, whose string) Result {
	const fix = "Set the clock, and let chrony or systemd-timesyncd keep it."
	if ours.Before(released) {
		return Result{Fail, fmt.Sprintf("This machine believes it is %s.", ours.UTC().Format(time.RFC1123)), fix}
	}
	apart := ours.Sub(theirs).Abs().Round(time.Millisecond)
	switch {
	case apart > wrongClock:
		return Result{Fail, fmt.Sprintf("This machine's clock and %s are %s apart.", whose, apart), fix}
	case apart > slowClock:
		return Result{Warn, fmt.Sprintf("This machine's clock and %s are %s apart.", whose, apart), fix}
	}
	return Good("It is %s.", ours.UTC().Format(time.RFC1123))
}
