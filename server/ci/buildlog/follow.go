package buildlog

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

// ErrStop, returned by the function given to Follow, ends following without an error.
var ErrStop = errors.New("stop following")

const (
	// followBatch is how many events one call of a follower gets at most.
	followBatch = 1024
	// followPace bounds how often a follower of a busy log is called; the first event
	// after a quiet moment is not delayed.
	followPace = 25 * time.Millisecond
	// pollEvery is how often a log is looked at that another process may be writing.
	pollEvery = 250 * time.Millisecond
)

// Follow calls fn with the events from the id on, in order and in batches, and waits
// for more until fn returns an error or the context ends. It works on logs that do
// not exist yet and on logs that another process writes. Only fn knows which event
// is the last, so it says when to stop with ErrStop.
func (l *Log) Follow(ctx context.Context, from int64, fn func([]Event) error) error {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		changed := l.changes()
		events, err := l.Events(from, followBatch)
		if err != nil {
			return err
		}
		if len(events) > 0 {
			if err := fn(events); errors.Is(err, ErrStop) {
				return nil
			} else if err != nil {
				return err
			}
			from = events[len(events)-1].ID + 1
			if len(events) < followBatch {
				if err := pause(ctx, followPace); err != nil {
					return err
				}
			}
			continue
		}
		if err := l.await(ctx, changed, poll.C); err != nil {
			return err
		}
	}
}

// await returns when there may be more to read.
func (l *Log) await(ctx context.Context, changed <-chan struct{}, poll <-chan time.Time) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
		return nil
	case <-poll:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.removed {
		return ErrRemoved
	}
	if l.writer {
		return nil
	}
	if err := l.openFile(os.O_RDONLY); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return l.refresh()
}

// changes is closed by the next append.
func (l *Log) changes() <-chan struct{} {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.changed
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
