package issues

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	// batchItems and batchBytes bound what one transaction digests.
	batchItems = 200
	batchBytes = 8 << 20
	// digestAttempts is how often an item is tried alone before it is put aside.
	digestAttempts = 3
	firstBackoff   = 100 * time.Millisecond
	lastBackoff    = 10 * time.Second
)

// read gives the items from a place on, at most a batch of them, and the place
// behind them. Nothing and the same place: nothing is there yet. Nothing and a
// later place: what lay between is damaged.
func (p *spool) read(at int64) (batch []Accepted, next int64, err error) {
	g, end, found := p.find(at)
	if !found {
		return nil, at, nil
	}
	at = max(at, g.start) // the database may know less than was dropped
	f, err := os.Open(g.path)
	if err != nil {
		return nil, at, fmt.Errorf("open the spool: %w", err)
	}
	defer f.Close()
	in := bufio.NewReaderSize(io.NewSectionReader(f, at-g.start, end-at), 1<<17)
	for size := 0; len(batch) < batchItems && size < batchBytes && at < end; {
		var buf []byte
		raw, err := nextRecord(in, &buf)
		var a Accepted
		if err == nil {
			a, err = readRecord(raw)
		}
		switch {
		case errors.Is(err, errTorn) || errors.Is(err, io.EOF):
			if len(batch) > 0 {
				return batch, at, nil
			}
			p.log.Error("the spool is damaged; what follows in the file is lost", "file", g.path, "at", at-g.start, "bytes", end-at)
			return nil, end, nil
		case err != nil:
			return nil, at, fmt.Errorf("read the spool: %w", err)
		}
		at += int64(len(raw))
		size += len(raw)
		a.Offset = at
		batch = append(batch, a)
	}
	return batch, at, nil
}

// living leaves out what belongs to projects that are gone.
func (s *Service) living(ctx context.Context, batch []Accepted) ([]Accepted, error) {
	list := make([]Accepted, 0, len(batch))
	for _, a := range batch {
		p, err := s.openProject(ctx, a.Project)
		if err != nil {
			return nil, err
		}
		if p == nil {
			s.count(a.Project, a.Key, OutcomeDropped, "project_deleted", categoryOf(a), 1)
			continue
		}
		list = append(list, a)
	}
	return list, nil
}

// digestSurely returns when every item is digested or put aside, or ctx ends.
func (s *Service) digestSurely(ctx context.Context, batch []Accepted) {
	pause := firstBackoff
	for attempt := 1; ctx.Err() == nil; {
		err := s.attempt(ctx, batch)
		switch {
		case err == nil:
			return
		case s.passing(ctx, err):
			if ctx.Err() == nil {
				s.Log.Error("digestion waits", "error", err)
			}
			pause = s.rest(ctx, pause)
			continue
		case len(batch) > 1: // one of them is poisonous: halves find it in few steps
			s.digestSurely(ctx, batch[:len(batch)/2])
			s.digestSurely(ctx, batch[len(batch)/2:])
			return
		case attempt < digestAttempts:
			attempt++
			pause = s.rest(ctx, pause)
			continue
		}
		if err = s.putAside(ctx, batch[0], err); err == nil {
			return
		}
		s.Log.Error("putting an item aside failed", "error", err)
		pause = s.rest(ctx, pause)
	}
}

// attempt is one try.
func (s *Service) attempt(ctx context.Context, batch []Accepted) error {
	return guarded(func() error {
		if s.consume != nil {
			return s.consume(ctx, batch)
		}
		return s.digest(ctx, batch)
	})
}

// guarded makes a panic an error of the batch.
func guarded(run func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return run()
}

// passing reports whether an error is the database's and not the batch's.
func (s *Service) passing(ctx context.Context, err error) bool {
	return ctx.Err() != nil || problem.Is(err, problem.Unavailable) || s.DB.Ping(ctx) != nil
}

// putAside keeps a poisonous item for whoever looks for the reason, and goes on.
func (s *Service) putAside(ctx context.Context, a Accepted, reason error) error {
	s.Log.Error("an item could not be digested and was put aside", "project", a.Project, "type", a.ItemType, "event", a.EventID, "error", reason)
	p, err := s.openProject(ctx, a.Project)
	if err != nil {
		return err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if p != nil { // not gone meanwhile
			if err := s.insertRejected(ctx, a, reason.Error()); err != nil {
				return fmt.Errorf("put an item aside: %w", err)
			}
		}
		return s.spoolDone(ctx, a.Offset)
	})
	if err == nil {
		s.count(a.Project, a.Key, OutcomeInvalid, "digestion", categoryOf(a), 1)
	}
	return err
}

// rest waits and returns how long to wait next time.
func (s *Service) rest(ctx context.Context, pause time.Duration) time.Duration {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return min(2*pause, lastBackoff)
}

// letGo ends the spool's own hold on the blobs of items that are done.
func (s *Service) letGo(ctx context.Context, batch []Accepted) error {
	for _, a := range batch {
		if a.Header[headerHold] == "" {
			continue
		}
		if err := s.releaseHold(ctx, a.Team, a.Header[headerBlob], a.Header[headerHold]); err != nil {
			return fmt.Errorf("let go of an attachment: %w", err)
		}
	}
	return nil
}

// sweepHolds lets go of blobs whose items never reached the spool, because the
// server died in between.
func (s *Service) sweepHolds(ctx context.Context) error {
	digested, durable := s.spool.state()
	before := s.Now().Add(-time.Hour)
	if digested < durable {
		batch, _, err := s.spool.read(digested)
		if err != nil || len(batch) == 0 {
			return err
		}
		before = batch[0].Received.Add(-time.Hour)
	}
	holds, err := s.holdsBefore(ctx, before.UnixMilli())
	if err != nil {
		return err
	}
	for _, h := range holds {
		if err := s.releaseHold(ctx, h.TeamID, h.SHA256, h.ID); err != nil {
			return err
		}
	}
	return nil
}
