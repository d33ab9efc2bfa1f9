package work

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
)

const (
	// lease is how long a silent node keeps its jobs.
	lease = 30 * time.Second
	// safetyNet is how often a pool looks without having been told.
	safetyNet = 5 * time.Second
	channel   = "work"
)

// Jobs enqueues durable work and runs the kinds that have a handler here.
type Jobs struct {
	store store
	owner string
	log   *slog.Logger
	// tracer is told what is enqueued and run; nil unless Trace was called.
	tracer Tracer

	mu      sync.Mutex
	pools   map[string]*pool
	running map[int64]context.CancelCauseFunc
	stop    context.CancelCauseFunc
	hold    context.CancelFunc
	done    sync.WaitGroup
	unhear  func()
}

type pool struct {
	Pool
	kind    string
	handler func(context.Context, Job) error
	wake    chan struct{}
	slots   chan struct{}
}

// NewJobs makes the runner of one node; owner is the node's name, the same after a restart.
func NewJobs(db *database.DB, owner string, now func() time.Time, log *slog.Logger) *Jobs {
	return &Jobs{store: store{db, now}, owner: owner, log: log, pools: map[string]*pool{}, running: map[int64]context.CancelCauseFunc{}}
}

// Tracer makes traces of jobs.
type Tracer interface {
	// Enqueued tells that a job was stored in the context's transaction.
	Enqueued(ctx context.Context, job Job)
	// Job begins one attempt; the function that it returns ends it.
	Job(ctx context.Context, job Job) (context.Context, func(error))
}

// Trace sets who makes traces; before Start.
func (j *Jobs) Trace(t Tracer) { j.tracer = t }

// Handle sets the handler of a kind; before Start. The context of a job is
// cancelled with ErrDetached as cause when the server stops or the lease is lost.
func (j *Jobs) Handle(kind string, p Pool, handler func(context.Context, Job) error) {
	if p.MaxAttempts == 0 {
		p.MaxAttempts = 12
	}
	j.pools[kind] = &pool{Pool: p, kind: kind, handler: handler, wake: make(chan struct{}, 1), slots: make(chan struct{}, p.Workers)}
}

// Enqueue stores a job in the context's transaction. It reports false when a
// waiting job with the same unique key already stands for it.
func (j *Jobs) Enqueue(ctx context.Context, job Job) (bool, error) {
	attempts := 12
	if p := j.pools[job.Kind]; p != nil {
		attempts = p.MaxAttempts
	}
	inserted, err := j.store.insert(ctx, job, attempts)
	if err != nil {
		return false, fmt.Errorf("enqueue %s: %w", job.Kind, err)
	}
	if inserted && j.tracer != nil {
		j.tracer.Enqueued(ctx, job)
	}
	return inserted, j.store.db.Notify(ctx, channel, job.Kind)
}

// EnqueueValue is Enqueue with the payload given as a value.
func (j *Jobs) EnqueueValue(ctx context.Context, job Job, payload any) (bool, error) {
	var err error
	if job.Payload, err = json.Marshal(payload); err != nil {
		return false, fmt.Errorf("encode the payload of %s: %w", job.Kind, err)
	}
	return j.Enqueue(ctx, job)
}

// Start claims and runs jobs until Stop.
func (j *Jobs) Start(ctx context.Context) error {
	if err := j.store.releaseAll(ctx, j.owner); err != nil {
		return fmt.Errorf("take back the jobs of this node's former life: %w", err)
	}
	ctx, j.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	claiming, hold := context.WithCancel(ctx)
	j.hold = hold
	j.unhear = j.store.db.Listen(channel, j.heard)
	for _, p := range j.pools {
		j.done.Go(func() { j.dispatch(ctx, claiming, p) })
	}
	j.done.Go(func() { j.heartbeat(ctx) })
	return nil
}

// Hold claims nothing more; what runs goes on. A job that is let go of meanwhile is
// left to other nodes and the next life of this one.
func (j *Jobs) Hold() {
	if j.hold != nil {
		j.hold()
	}
}

// Stop claims nothing more, tells the handlers to detach, and waits for them until ctx ends.
func (j *Jobs) Stop(ctx context.Context) error {
	if j.stop == nil {
		return nil
	}
	j.Hold()
	j.unhear()
	j.stop(ErrDetached)
	finished := make(chan struct{})
	go func() { j.done.Wait(); close(finished) }()
	select {
	case <-finished:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("jobs were still running: %w", ctx.Err())
	}
}

// heard wakes the pool of that kind, or all when anything may have happened.
func (j *Jobs) heard(kind string) {
	for _, p := range j.pools {
		if kind == "" || p.kind == kind {
			select {
			case p.wake <- struct{}{}:
			default:
			}
		}
	}
}

// dispatch claims until claiming ends; handlers run in ctx.
func (j *Jobs) dispatch(ctx, claiming context.Context, p *pool) {
	for claiming.Err() == nil {
		select { // a free worker
		case <-claiming.Done():
			return
		case p.slots <- struct{}{}:
		}
		free := 1
		for free < p.Workers && tryPut(p.slots) {
			free++
		}
		// To its end: a claim that is broken off may have been made, and its jobs would wait for the lease's end.
		jobs, err := j.store.claim(context.WithoutCancel(ctx), p.kind, j.owner, lease, free)
		if err != nil {
			j.log.Error("claiming jobs failed", "kind", p.kind, "error", err)
		}
		begun := 0
		for _, job := range jobs {
			if j.runs(job.ID) {
				continue // its lease ran out because this node was slow, and is renewed by the claim
			}
			j.done.Go(func() { j.run(ctx, p, job) })
			begun++
		}
		for range free - begun {
			<-p.slots
		}
		if len(jobs) < free {
			j.sleep(claiming, p)
		}
	}
}

func (j *Jobs) runs(id int64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.running[id] != nil
}

func tryPut(c chan struct{}) bool {
	select {
	case c <- struct{}{}:
		return true
	default:
		return false
	}
}

// sleep waits for a wake-up, the next due time, or the safety net.
func (j *Jobs) sleep(ctx context.Context, p *pool) {
	wait := safetyNet
	if due, err := j.store.nextDue(ctx, p.kind, j.owner); err == nil && !due.IsZero() {
		wait = min(wait, max(due.Sub(j.store.now()), 10*time.Millisecond))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-p.wake:
	case <-timer.C:
	}
}

func (j *Jobs) run(ctx context.Context, p *pool, job Job) {
	defer func() { <-p.slots }()
	jobCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	j.mu.Lock()
	j.running[job.ID] = cancel
	j.mu.Unlock()
	handlerCtx, end := j.traced(jobCtx, job)
	err := protect(func() error { return p.handler(handlerCtx, job) })
	if errors.Is(err, context.Canceled) && errors.Is(context.Cause(jobCtx), ErrDetached) {
		err = ErrDetached // it was broken off, which is no attempt of its own
	}
	end(err)
	j.mu.Lock()
	delete(j.running, job.ID)
	j.mu.Unlock()
	if err := j.settle(context.WithoutCancel(handlerCtx), p, job, err); err != nil {
		j.log.Error("recording a job's end failed; it runs again when its lease ends", "kind", job.Kind, "job", job.ID, "error", err)
	}
	if job.SerialKey != "" {
		j.heard(job.Kind) // the next of its series may be due
	}
}

// traced begins a span where traces are made.
func (j *Jobs) traced(ctx context.Context, job Job) (context.Context, func(error)) {
	if j.tracer == nil {
		return ctx, func(error) {}
	}
	return j.tracer.Job(ctx, job)
}

func (j *Jobs) settle(ctx context.Context, p *pool, job Job, err error) error {
	var d delayed
	var final permanent
	switch {
	case err == nil:
		return j.store.finish(ctx, job.ID)
	case errors.Is(err, ErrDetached):
		return j.store.release(ctx, job.ID)
	case errors.As(err, &final), p.MaxAttempts > 0 && job.Attempt >= p.MaxAttempts:
		j.log.ErrorContext(ctx, "job is dead", "kind", job.Kind, "job", job.ID, "attempts", job.Attempt, "error", err)
		return j.store.bury(ctx, job.ID, err.Error())
	}
	wait := delay(job.Attempt)
	if errors.As(err, &d) {
		wait = d.after
	}
	j.log.WarnContext(ctx, "job failed and will be tried again", "kind", job.Kind, "job", job.ID, "attempt", job.Attempt, "in", wait, "error", err)
	return j.store.retry(ctx, job.ID, j.store.now().Add(wait), err.Error())
}

// heartbeat extends the leases of running jobs and cancels those that were lost.
func (j *Jobs) heartbeat(ctx context.Context) {
	ticker := time.NewTicker(lease / 4)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		j.beat(ctx)
	}
}

func (j *Jobs) beat(ctx context.Context) {
	j.mu.Lock()
	ids := make([]int64, 0, len(j.running))
	for id := range j.running {
		ids = append(ids, id)
	}
	j.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	held, err := j.store.extend(ctx, j.owner, ids, lease)
	if err != nil {
		j.log.Warn("extending leases failed", "error", err)
		return
	}
	kept := map[int64]bool{}
	for _, id := range held {
		kept[id] = true
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, id := range ids {
		if cancel := j.running[id]; cancel != nil && !kept[id] {
			cancel(ErrDetached)
		}
	}
}

// Bind lets only that node run the job from now on, in the context's transaction: what it
// works on is there. When the node dies, the job waits for its return.
func (j *Jobs) Bind(ctx context.Context, id int64, node string) error {
	return j.store.bind(ctx, id, node)
}

// DeadLetters lists dead jobs, newest first, below the id before (0: from the newest).
func (j *Jobs) DeadLetters(ctx context.Context, before int64, limit int) ([]Job, error) {
	return j.store.dead(ctx, before, limit)
}

// Retry gives a dead job all its attempts again.
func (j *Jobs) Retry(ctx context.Context, id int64) error {
	kind, err := j.store.revive(ctx, id)
	if err != nil {
		return err
	}
	return j.store.db.Notify(ctx, channel, kind)
}

// Discard deletes a dead job.
func (j *Jobs) Discard(ctx context.Context, id int64) error { return j.store.discard(ctx, id) }

// Counts says how many jobs are in each state.
func (j *Jobs) Counts(ctx context.Context) (map[State]int64, error) { return j.store.counts(ctx) }
