package engine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/signalbox/signalbox/server/ci/plan"
)

func (r *run) inParallel(ctx context.Context, p *plan.InParallel, at position) (bool, error) {
	limit := p.Limit
	if limit < 1 {
		limit = len(p.Steps)
	}
	return r.parallel(ctx, len(p.Steps), limit, p.FailFast, func(ctx context.Context, i int) (bool, error) {
		return r.step(ctx, &p.Steps[i], at)
	})
}

// parallel runs count steps, limit at once. All run unless failFast: then the first
// that is not ok interrupts the others. Interruptions are not errors of the whole.
func (r *run) parallel(ctx context.Context, count, limit int, failFast bool, fn func(context.Context, int) (bool, error)) (bool, error) {
	inner, interrupt := context.WithCancelCause(ctx)
	defer interrupt(nil)
	var (
		wait sync.WaitGroup
		mu   sync.Mutex
		ok   = true
		errs []error
	)
	one := func(i int) {
		stepOK, err := fn(inner, i)
		if !stepOK && failFast {
			interrupt(errInterrupted)
		}
		mu.Lock()
		defer mu.Unlock()
		ok = ok && stepOK
		if err != nil && !errors.Is(err, errInterrupted) {
			errs = append(errs, err)
		}
	}
	if workers := min(max(limit, 1), count); workers > 0 {
		var next, left atomic.Int64
		left.Store(int64(workers))
		r.hires(workers)
		for range workers {
			wait.Go(func() {
				for i := next.Add(1) - 1; i < int64(count) && inner.Err() == nil; i = next.Add(1) - 1 {
					one(int(i))
				}
				if left.Add(-1) > 0 { // the last one stands for the goroutine that waits below
					r.dismiss()
				}
			})
		}
		r.dismiss()
	}
	wait.Wait()
	if reason := r.why(ctx); reason != nil {
		return false, reason
	}
	return ok && len(errs) == 0, errors.Join(errs...)
}
