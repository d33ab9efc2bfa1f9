package ci

import (
	"context"
	"strconv"
	"sync"

	"github.com/signalbox/signalbox/server/platform/problem"
)

const scheduleChannel = "ci.schedule"

// scheduler lets one goroutine at a time look at a pipeline, at once when told.
// A pipeline that is told of while it is looked at is looked at again.
type scheduler struct {
	service *Service
	slots   chan struct{}

	mu      sync.Mutex
	ctx     context.Context // nil until started and after stop
	dirty   map[int64]bool  // present while a goroutine has it; true: look again
	working sync.WaitGroup
}

func newScheduler(s *Service) *scheduler {
	return &scheduler{service: s, slots: make(chan struct{}, 4), dirty: map[int64]bool{}}
}

func (d *scheduler) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d.mu.Lock()
	d.ctx = ctx
	d.mu.Unlock()
	unhear := d.service.db.Listen(scheduleChannel, d.heard)
	return func() {
		unhear()
		d.mu.Lock()
		d.ctx = nil
		d.mu.Unlock()
		cancel()
		d.working.Wait()
	}
}

// heard must not block: it is called on the notifier's goroutine.
func (d *scheduler) heard(payload string) {
	id, err := strconv.ParseInt(payload, 10, 64)
	if err != nil {
		return // a lost connection; the sweep finds what was missed
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	ctx := d.ctx
	if ctx == nil {
		return
	}
	if _, busy := d.dirty[id]; busy {
		d.dirty[id] = true
		return
	}
	d.dirty[id] = false
	d.working.Go(func() { d.keep(ctx, id) })
}

func (d *scheduler) keep(ctx context.Context, id int64) {
	for {
		select {
		case d.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		err := d.service.schedulePipeline(ctx, id)
		<-d.slots
		if err != nil && ctx.Err() == nil && !problem.Is(err, problem.NotFound) {
			d.service.deps.Log.ErrorContext(ctx, "scheduling failed; the next sweep tries again", "pipeline", id, "error", err)
		}
		d.mu.Lock()
		again := d.dirty[id] && ctx.Err() == nil
		if again {
			d.dirty[id] = false
		} else {
			delete(d.dirty, id)
		}
		d.mu.Unlock()
		if !again {
			return
		}
	}
}

// sweep finds pipelines whose notification was lost.
func (d *scheduler) sweep(ctx context.Context) error {
	ids, err := d.service.duePipelines(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		d.heard(strconv.FormatInt(id, 10))
	}
	return nil
}

// schedule asks for the named jobs, or all when names is nil, to be looked at
// once the context's transaction has committed.
func (s *Service) schedule(ctx context.Context, pipeline int64, names []string) error {
	if names != nil && len(names) == 0 {
		return nil
	}
	n, err := s.requestSchedule(ctx, pipeline, names)
	if err != nil || n == 0 {
		return err
	}
	return s.db.Notify(ctx, scheduleChannel, strconv.FormatInt(pipeline, 10))
}

func (s *Service) scheduleAll(ctx context.Context, p pipelineRow) error {
	return s.schedule(ctx, p.ID, nil)
}

// versionsChanged asks for the jobs that take the resource's versions.
func (s *Service) versionsChanged(ctx context.Context, r resourceRow) error {
	p, err := s.pipeline(ctx, r.PipelineID)
	if err != nil {
		return err
	}
	config, err := s.configs.of(p)
	if err != nil {
		return err
	}
	s.resourceChanged(ctx, r)
	return s.schedule(ctx, p.ID, nonNil(facts{config}.takers(r.Name)))
}

func nonNil(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}
