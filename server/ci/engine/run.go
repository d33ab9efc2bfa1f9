package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/vars"
)

// The ways in which a step's context ends. They travel as causes, so that a step can
// tell them apart, and as errors, so that hooks can.
var (
	errInterrupted = errors.New("interrupted")
	errTimeout     = errors.New("timeout exceeded")
	// errSuspended means that nobody follows the build any more: record nothing.
	errSuspended = errors.New("suspended")
)

// Run executes the build's plan, or what is left of it, and returns its outcome.
//
// With an error there is no outcome: the server is stopping (errors.Is ErrDetached), the
// build waits for people alone (errors.Is ErrParked), or the ledger or the log cannot be written. The containers are as they were, and Run is
// to be called again with the same build, in this process or the next.
//
// Run writes all events of the steps. It does not write `status` events and removes
// nothing: the caller stores the outcome, appends the event, closes the log, and calls
// Release, at once for a build that succeeded and later for the others, whose
// containers people may want to look into.
func (e *Engine) Run(ctx context.Context, build Build) (Outcome, error) {
	r, err := e.open(ctx, build)
	if err != nil {
		return "", err
	}
	defer r.close()

	lookup, err := e.lookup(r.base, build)
	if err != nil {
		r.emitError(string(build.Plan.ID), err.Error())
		return r.outcome(false, err)
	}
	root := newScope(r.tracker, lookup)
	if len(r.rows) > 0 {
		r.rememberSecrets(root)
	}
	ok, err := r.step(r.work, &r.build.Plan, position{scope: root})
	return r.outcome(ok, err)
}

// run is one call of Run.
type run struct {
	*Engine
	build   Build
	log     *eventLog
	tracker *vars.Tracker

	// base ends when the build is suspended or over; hooks after an abort run in it.
	base context.Context
	halt context.CancelCauseFunc
	// work is base until the build is aborted.
	work  context.Context
	abort context.CancelCauseFunc
	undo  []func() bool

	mu      sync.Mutex
	rows    map[plan.ID]StepRecord
	results map[plan.ID]resource.Version
	held    map[TaskCacheKey]plan.ID
	crew    crew
	reason  error // why it is suspended, nil when it is not
}

func (e *Engine) open(ctx context.Context, build Build) (*run, error) {
	if err := e.stopping.Err(); err != nil {
		return nil, fmt.Errorf("run build %d: %w", build.ID, ErrDetached)
	}
	r := &run{
		Engine: e, build: build, tracker: new(vars.Tracker),
		rows: map[plan.ID]StepRecord{}, results: map[plan.ID]resource.Version{},
		held: map[TaskCacheKey]plan.ID{}, crew: crew{working: 1},
	}
	r.base, r.halt = context.WithCancelCause(context.WithoutCancel(ctx))
	r.work, r.abort = context.WithCancelCause(r.base)
	rows, err := e.Ledger.Steps(r.base, build.ID)
	if err != nil {
		r.halt(nil)
		return nil, fmt.Errorf("load the steps of build %d: %w", build.ID, err)
	}
	for _, row := range rows {
		r.rows[plan.ID(row.PlanID)] = row
	}
	if r.log, err = openLog(e.Logs, build.ID); err != nil {
		r.halt(nil)
		return nil, fmt.Errorf("open the log of build %d: %w", build.ID, err)
	}
	if errors.Is(context.Cause(ctx), ErrAborted) {
		r.abort(errInterrupted) // at once: what follows is told in its own time
	}
	r.undo = append(r.undo,
		context.AfterFunc(ctx, func() {
			if errors.Is(context.Cause(ctx), ErrAborted) {
				r.abort(errInterrupted)
				return
			}
			r.suspend(ErrDetached)
		}),
		context.AfterFunc(e.stopping, func() { r.suspend(ErrDetached) }))
	return r, nil
}

func (r *run) close() {
	for _, undo := range r.undo {
		undo()
	}
	r.abort(nil)
	r.halt(nil)
	if err := r.log.close(); err != nil {
		r.Logger.Error("close build log", "build", r.build.ID, "error", err)
	}
}

// rememberSecrets looks up every var in the plan, so that the log of a build that goes
// on hides what steps that ran before have asked for. What is not found now does not
// matter: a step that needs it will say so.
func (r *run) rememberSecrets(s *scope) {
	tree, err := toTree(r.build.Plan)
	if err != nil {
		return
	}
	for _, ref := range vars.Find(tree) {
		if ref.Source != vars.LocalSource {
			_, _, _ = vars.Resolve(r.base, ref, s)
		}
	}
}

// suspend ends the run without an outcome. The first reason stays.
func (r *run) suspend(reason error) {
	r.mu.Lock()
	if r.reason == nil {
		r.reason = reason
	}
	r.mu.Unlock()
	r.halt(errSuspended)
}

func (r *run) suspended() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reason != nil
}

func (r *run) outcome(ok bool, err error) (Outcome, error) {
	r.mu.Lock()
	reason := r.reason
	r.mu.Unlock()
	if reason != nil {
		return "", fmt.Errorf("run build %d: %w", r.build.ID, reason)
	}
	return outcomeOf(ok, err), nil
}

// why says how a context ended; nil when it has not.
func (r *run) why(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	cause := context.Cause(ctx)
	if errors.Is(cause, errTimeout) || errors.Is(cause, errInterrupted) {
		return cause
	}
	return errSuspended
}

func (r *run) row(id plan.ID) (StepRecord, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	row, ok := r.rows[id]
	return row, ok
}

// save stores a row; a ledger that cannot ends the run.
func (r *run) save(row StepRecord) error {
	if r.suspended() {
		return errSuspended
	}
	if err := r.Ledger.SaveStep(r.base, row); err != nil {
		r.suspend(fmt.Errorf("record step %s: %w", row.PlanID, err))
		return errSuspended
	}
	r.mu.Lock()
	r.rows[plan.ID(row.PlanID)] = row
	r.mu.Unlock()
	return nil
}

// must turns an error of the ledger into the end of the run.
func (r *run) must(doing string, err error) error {
	if err == nil {
		return nil
	}
	r.suspend(fmt.Errorf("%s: %w", doing, err))
	return errSuspended
}

func (r *run) setResult(id plan.ID, version resource.Version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results[id] = version
}

func (r *run) result(id plan.ID) (resource.Version, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	version, ok := r.results[id]
	return version, ok
}
