package ci

import (
	"context"
	"sync"
	"time"
)

const (
	checkChannel = "ci.check"
	// checkLease is after how long a check is repeated whose node died; while it lives it
	// extends the lease.
	checkLease = 2 * time.Minute
	// checkNet is how often the checker looks without having been told.
	checkNet = 10 * time.Second
)

// checker finds resources whose time has come and checks them, a few at once.
type checker struct {
	service *Service
	wake    chan struct{}

	mu      sync.Mutex
	busy    map[int64]millis // until when each is this node's
	working sync.WaitGroup
}

func newChecker(s *Service) *checker {
	return &checker{service: s, wake: make(chan struct{}, 1), busy: map[int64]millis{}}
}

// wakeAfter wakes the checkers of all nodes after the commit. A lost
// notification only delays a check until the next look.
func (c *checker) wakeAfter(ctx context.Context) {
	if err := c.service.db.Notify(ctx, checkChannel, ""); err != nil {
		c.service.deps.Log.WarnContext(ctx, "waking the checker failed", "error", err)
	}
}

func (c *checker) poke(string) {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *checker) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhear := c.service.db.Listen(checkChannel, c.poke)
	c.working.Go(func() { c.keep(ctx) })
	return func() {
		unhear()
		cancel()
		c.working.Wait()
	}
}

func (c *checker) keep(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		case <-timer.C:
		}
		if err := c.extend(ctx); err != nil && ctx.Err() == nil {
			c.service.deps.Log.WarnContext(ctx, "keeping checks to this server failed", "error", err)
		}
		if err := c.claim(ctx); err != nil && ctx.Err() == nil {
			c.service.deps.Log.ErrorContext(ctx, "looking for due checks failed", "error", err)
		}
		timer.Reset(c.untilNext(ctx))
	}
}

// extend keeps the checks under way this node's.
func (c *checker) extend(ctx context.Context) error {
	s := c.service
	now := s.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	until := toMillis(now.Add(checkLease))
	for id, held := range c.busy {
		if held.Time().Sub(now) > checkLease/2 {
			continue
		}
		if err := s.extendCheck(ctx, id, held, until); err != nil {
			return err
		}
		c.busy[id] = until
	}
	return nil
}

// claim starts checks until no worker is free or nothing is due.
func (c *checker) claim(ctx context.Context) error {
	s := c.service
	due, err := s.anyDue(ctx)
	if err != nil || !due {
		return err
	}
	c.mu.Lock()
	busy := make([]int64, 0, len(c.busy))
	for id := range c.busy {
		busy = append(busy, id)
	}
	c.mu.Unlock()
	free := s.deps.Checks - len(busy)
	if free <= 0 {
		return nil // whoever ends looks again
	}
	rows, err := s.claimChecks(ctx, toMillis(s.now().Add(checkLease)), busy, free)
	if err != nil {
		return err
	}
	c.mu.Lock()
	for _, r := range rows {
		c.busy[r.ID] = r.NextCheckAt
	}
	c.mu.Unlock()
	for _, r := range rows {
		c.working.Go(func() { c.check(ctx, r) })
	}
	return nil
}

func (c *checker) check(ctx context.Context, r resourceRow) {
	if err := c.service.checkResource(ctx, r); err != nil && !gone(err) {
		c.service.deps.Log.ErrorContext(ctx, "a check could not be recorded; it is tried again", "resource", r.ID, "error", err)
		if err := c.service.postpone(context.WithoutCancel(ctx), r.ID); err != nil {
			c.service.deps.Log.ErrorContext(ctx, "putting a check off failed", "resource", r.ID, "error", err)
		}
	}
	c.mu.Lock()
	delete(c.busy, r.ID)
	c.mu.Unlock()
	c.poke("")
}

func (c *checker) untilNext(ctx context.Context) time.Duration {
	at, err := c.service.nextCheck(ctx)
	if err != nil || at == 0 {
		return checkNet
	}
	c.mu.Lock()
	full := len(c.busy) >= c.service.deps.Checks
	c.mu.Unlock()
	if full {
		return checkNet
	}
	return min(max(at.Time().Sub(c.service.now()), 5*time.Millisecond), checkNet)
}
