package logs

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	// gatherLines and gatherBytes are how much of a stream is kept at once.
	gatherLines = 2000
	gatherBytes = 2 << 20
	// streamMemory is what one stream may have read and not yet kept.
	streamMemory = 4 << 20
)

// gathering is how a stream of records that may never end is kept: one side
// reads, the other keeps what has been read meanwhile. So a lone line is kept at
// once and many share a write to the disk, without waiting for either.
type gathering struct {
	// next reads a record; its error ends the stream. It is called by one
	// goroutine at a time, and returns when interrupt was called.
	next func() (record.Record, error)
	// keep makes records durable; its error ends the stream.
	keep      func(ctx context.Context, records []record.Record) error
	interrupt func()
}

// run gives what ended the stream: the error of next, io.EOF among them, and
// that of keep, after which nothing more was kept.
func (g gathering) run(ctx context.Context) (read, failed error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := make(chan record.Record, gatherLines)
	room := semaphore.NewWeighted(streamMemory)
	ended := make(chan error, 1)
	go func() {
		defer close(lines)
		// What a stranger's bytes may bring about costs their stream, not the server.
		defer func() {
			if p := recover(); p != nil {
				ended <- fmt.Errorf("reading a stream panicked: %v\n%s", p, debug.Stack())
			}
		}()
		for {
			r, err := g.next()
			if err == nil {
				err = room.Acquire(ctx, weight(r))
			}
			if err != nil {
				ended <- err
				return
			}
			lines <- r // there is room, or the keeper makes some, or it drains
		}
	}()
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { defer close(interrupted); g.interrupt() })
	defer func() {
		if !stop() {
			<-interrupted // or it would interrupt whatever comes next on this connection
		}
	}()
	for first := range lines {
		batch, size := []record.Record{first}, weight(first)
		for more := true; more && len(batch) < gatherLines && size < gatherBytes; {
			select {
			case r, ok := <-lines:
				if more = ok; ok {
					batch, size = append(batch, r), size+weight(r)
				}
			default:
				more = false
			}
		}
		if failed == nil {
			if failed = g.keep(ctx, batch); failed != nil {
				cancel()
			}
		}
		room.Release(size)
	}
	return <-ended, failed
}

// weight is what a record takes of a stream's memory; the largest still fits.
func weight(r record.Record) int64 { return min(int64(r.Size())+64, streamMemory) }

// passing says whether an error is one of those that end by themselves.
func passing(err error) bool { return problem.From(err).RetryAfter > 0 }

// again keeps on trying what can only be put off: streams without answers lose
// nothing while the disk is full, their senders wait.
func again(ctx context.Context, wait time.Duration, try func() error) error {
	for {
		err := try()
		if err == nil || !passing(err) {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
	}
}
