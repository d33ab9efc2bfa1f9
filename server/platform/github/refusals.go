package github

import (
	"context"
	"sync"
	"time"
)

const (
	// keepRefused is how many refused rows a hook keeps.
	keepRefused = 200
	// refusalPause is the time within which further refusals of a hook only count.
	refusalPause = 10 * time.Second
)

// refusals writes rows for refused requests: one at once, the following ones of
// the hook as a number on it, so that a flood costs next to nothing.
type refusals struct {
	service *Service
	in      chan deliveryRow
	end     chan struct{}
	stopped sync.WaitGroup
	// Owned by run: when each hook's last row was written, and what was counted since.
	last    map[string]time.Time
	pending map[string]int
}

func newRefusals(s *Service) *refusals {
	return &refusals{service: s, in: make(chan deliveryRow, 64), end: make(chan struct{}), last: map[string]time.Time{}, pending: map[string]int{}}
}

func (r *refusals) start(ctx context.Context) { r.stopped.Go(func() { r.run(ctx) }) }

func (r *refusals) stop() {
	close(r.end)
	r.stopped.Wait()
}

// note never waits: in a flood some refusals go uncounted.
func (r *refusals) note(row deliveryRow) {
	select {
	case r.in <- row:
	default:
	}
}

func (r *refusals) run(ctx context.Context) {
	tick := time.NewTicker(refusalPause)
	defer tick.Stop()
	for {
		select {
		case row := <-r.in:
			r.take(ctx, row)
		case <-tick.C:
			r.flush(ctx)
		case <-r.end:
			for len(r.in) > 0 {
				r.take(ctx, <-r.in)
			}
			r.flush(ctx)
			return
		}
	}
}

func (r *refusals) take(ctx context.Context, row deliveryRow) {
	now := r.service.Now()
	if now.Sub(r.last[row.HookID]) < refusalPause {
		r.pending[row.HookID]++
		return
	}
	r.last[row.HookID] = now
	s := r.service
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.insertDeliveries(ctx, row); err != nil {
			return err
		}
		if err := s.capRefusals(ctx, row.HookID, keepRefused); err != nil {
			return err
		}
		return s.publish(ctx, row.TeamID, deliveryTopic, row.HookID)
	})
	if err != nil {
		s.Log.Warn("a refused delivery was not noted", "hook", row.HookID, "error", err)
	}
}

func (r *refusals) flush(ctx context.Context) {
	for hook, n := range r.pending {
		if err := r.service.repeatRefusal(ctx, hook, n); err != nil {
			r.service.Log.Warn("refused deliveries were not counted", "hook", hook, "count", n, "error", err)
		}
	}
	clear(r.pending)
	for hook, at := range r.last {
		if r.service.Now().Sub(at) > refusalPause {
			delete(r.last, hook)
		}
	}
}
