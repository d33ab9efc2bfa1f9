package issues

import (
	"context"
	"sync"
	"time"
)

// portion is a batch of the spool on its way through digestion.
type portion struct {
	batch []Accepted
	// living leaves out what belongs to projects that are gone.
	living []Accepted
	// list is living, read; nil when that is still to do.
	list []ready
	next int64 // the place behind the batch
}

// digestAll hands the spool to digestion until ctx ends. While one batch is
// written the next one is read, on the processors that writing leaves free;
// batches are written one after the other, so that an issue's events keep their order.
func (s *Service) digestAll(ctx context.Context) {
	ahead := make(chan portion)
	var reading sync.WaitGroup
	reading.Go(func() { s.readAhead(ctx, ahead) })
	defer reading.Wait()
	for {
		var p portion
		select {
		case p = <-ahead:
		case <-ctx.Done():
			return
		}
		pause := firstBackoff
		for err := s.digestOne(ctx, p); err != nil; err = s.digestOne(ctx, p) {
			if ctx.Err() != nil {
				return
			}
			s.Log.Error("digestion waits", "error", err)
			pause = s.rest(ctx, pause)
			p.list = nil // what was read may be why
		}
	}
}

const (
	// gatherFor is how long what arrives is gathered after a batch: a commit costs
	// as much for one event as for twenty. The first event after a pause never waits.
	gatherFor = 40 * time.Millisecond
	// gatherBytes is when there is enough for a batch.
	gatherBytes = 1 << 20
)

// readAhead reads the spool batch by batch, each when the one before has been taken.
func (s *Service) readAhead(ctx context.Context, out chan<- portion) {
	at, _ := s.spool.state()
	gathered := time.NewTimer(0)
	defer gathered.Stop()
	pause := firstBackoff
	for s.gather(ctx, at, gathered.C) {
		p, err := s.portion(ctx, at)
		if err != nil {
			if ctx.Err() == nil {
				s.Log.Error("reading the spool waits", "error", err)
			}
			pause = s.rest(ctx, pause)
			gathered.Reset(0)
			continue
		}
		pause = firstBackoff
		if p.next == at {
			select {
			case <-s.spool.more:
			case <-ctx.Done():
			}
			gathered.Reset(0)
			continue
		}
		select {
		case out <- p:
		case <-ctx.Done():
			return
		}
		at = p.next
		gathered.Reset(gatherFor)
	}
}

// gather waits until there is enough for a batch or it was waited for long
// enough; false when ctx has ended.
func (s *Service) gather(ctx context.Context, at int64, enough <-chan time.Time) bool {
	for {
		if _, durable := s.spool.state(); durable-at >= gatherBytes {
			return ctx.Err() == nil
		}
		select {
		case <-enough:
			return ctx.Err() == nil
		case <-s.spool.more:
		case <-ctx.Done():
			return false
		}
	}
}

// portion reads the batch that begins at a place.
func (s *Service) portion(ctx context.Context, at int64) (p portion, err error) {
	p.batch, p.next, err = s.spool.read(at)
	if err != nil || len(p.batch) == 0 {
		return p, err
	}
	if p.living, err = s.living(ctx, p.batch); err != nil || len(p.living) == 0 || s.consume != nil {
		return p, err
	}
	list, err := s.prepare(ctx, p.living)
	if err != nil { // digestion tries again, and says what is wrong
		return p, nil
	}
	p.list = list
	return p, nil
}

// digestOne digests what was read, and moves the position behind it.
func (s *Service) digestOne(ctx context.Context, p portion) error {
	// What came before is done when only letting go failed.
	if digested, _ := s.spool.state(); digested < p.next && len(p.living) > 0 && !s.digestAtOnce(ctx, p.list) {
		s.digestSurely(ctx, p.living)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if digested, _ := s.spool.state(); digested < p.next {
		if err := s.DB.Tx(ctx, func(ctx context.Context) error { return s.spoolDone(ctx, p.next) }); err != nil {
			return err
		}
	}
	return s.letGo(ctx, p.batch)
}

// digestAtOnce writes what was read ahead; where that fails, digestSurely finds out why.
func (s *Service) digestAtOnce(ctx context.Context, list []ready) bool {
	return len(list) > 0 && guarded(func() error { return s.digestReady(ctx, list) }) == nil
}
