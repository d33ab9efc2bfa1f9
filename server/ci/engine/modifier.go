package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signalbox/signalbox/server/ci/plan"
)

func (r *run) do(ctx context.Context, steps plan.Do, at position) (bool, error) {
	for i := range steps {
		if ok, err := r.step(ctx, &steps[i], at); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// hooked runs the steps that wrap another one.
func (r *run) hooked(ctx context.Context, p *plan.Plan, at position) (bool, error) {
	switch {
	case p.OnSuccess != nil:
		ok, err := r.step(ctx, &p.OnSuccess.Step, at)
		if err != nil || !ok {
			return false, err
		}
		return r.step(ctx, &p.OnSuccess.Next, at.within(Succeeded))
	case p.OnFailure != nil:
		return r.onFailure(ctx, p.OnFailure, at)
	case p.OnAbort != nil:
		return r.onAbort(ctx, p.OnAbort, at)
	case p.OnError != nil:
		return r.onError(ctx, p.OnError, at)
	case p.Ensure != nil:
		return r.ensure(ctx, p.Ensure, at)
	case p.Try != nil:
		_, err := r.step(ctx, &p.Try.Step, at)
		if errors.Is(err, errInterrupted) {
			return false, err
		}
		return true, nil
	}
	err := fmt.Errorf("the plan %q has no step that this server knows", p.ID)
	r.emitError(string(p.ID), err.Error())
	return false, err
}

// within is the position of a hook: its steps are told how the hooked step ended.
func (at position) within(outcome Outcome) position {
	at.status = string(outcome)
	return at
}

func (r *run) onFailure(ctx context.Context, p *plan.OnFailure, at position) (bool, error) {
	ok, err := r.step(ctx, &p.Step, at)
	if err != nil || ok {
		return ok, err
	}
	if _, err := r.step(ctx, &p.Next, at.within(Failed)); err != nil {
		return false, err
	}
	return false, nil
}

// onAbort runs its hook in a context of its own: that of the step is over.
func (r *run) onAbort(ctx context.Context, p *plan.OnAbort, at position) (bool, error) {
	ok, err := r.step(ctx, &p.Step, at)
	if errors.Is(err, errInterrupted) {
		// How the hook ends changes nothing: the step was aborted. Its own error is in the log.
		_, _ = r.step(r.base, &p.Next, at.within(Aborted))
	}
	return ok, err
}

func (r *run) onError(ctx context.Context, p *plan.OnError, at position) (bool, error) {
	ok, err := r.step(ctx, &p.Step, at)
	if err == nil || errors.Is(err, errInterrupted) {
		return ok, err
	}
	_, hookErr := r.step(r.base, &p.Next, at.within(Errored))
	return false, errors.Join(err, hookErr)
}

func (r *run) ensure(ctx context.Context, p *plan.Ensure, at position) (bool, error) {
	ok, err := r.step(ctx, &p.Step, at)
	hookCtx := ctx
	if ctx.Err() != nil {
		hookCtx = r.base
	}
	hookOK, hookErr := r.step(hookCtx, &p.Next, at)
	if reason := r.why(ctx); reason != nil {
		return false, reason
	}
	if err = errors.Join(err, hookErr); err != nil {
		return false, err
	}
	return ok && hookOK, nil
}

// retry stops at the first attempt that is ok; failed and errored ones are repeated.
func (r *run) retry(ctx context.Context, attempts plan.Retry, at position) (ok bool, err error) {
	for i := range attempts {
		here := at
		here.attempts = append(append([]int(nil), at.attempts...), i+1)
		ok, err = r.step(ctx, &attempts[i], here)
		if reason := r.why(ctx); reason != nil {
			return false, reason
		}
		if err == nil && ok {
			break
		}
	}
	return ok, err
}

// timeout has a row for the time at which its clock began. Once the row has ended, so have
// the steps below, and replaying them must not depend on the time.
func (r *run) timeout(ctx context.Context, p *plan.Plan, at position) (bool, error) {
	limit, err := r.duration(ctx, p.Timeout.Duration, at)
	if err != nil {
		r.emitError(string(p.ID), err.Error())
		return false, err
	}
	row, found := r.row(p.ID)
	if !found {
		row = StepRecord{
			BuildID: r.build.ID, PlanID: string(p.ID), Kind: KindTimeout, Attempt: at.attempt(),
			State: StateRunning, StartedAt: r.Now(),
		}
		if err := r.save(row); err != nil {
			return false, err
		}
	}
	if row.State == StateEnded {
		limit = 0
	}
	inner, cancel := r.deadline(ctx, row.StartedAt, limit)
	defer cancel()
	ok, err := r.step(inner, &p.Timeout.Step, at)
	if errors.Is(err, errTimeout) {
		ok, err = false, nil
	}
	if row.State == StateEnded || r.suspended() {
		return ok, err
	}
	row.State, row.EndedAt, row.Outcome = StateEnded, r.Now(), outcomeOf(ok, err)
	return ok, errors.Join(err, r.save(row))
}

// outcomeOf names how a step ended.
func outcomeOf(ok bool, err error) Outcome {
	switch {
	case errors.Is(err, errInterrupted):
		return Aborted
	case err != nil:
		return Errored
	case ok:
		return Succeeded
	}
	return Failed
}

// deadline ends a context limit after began, which may lie in an earlier run. A clock
// that was set back cannot give more than the limit.
func (r *run) deadline(ctx context.Context, began time.Time, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit == 0 {
		return ctx, func() {}
	}
	left := min(limit-r.Now().Sub(began), limit)
	return context.WithTimeoutCause(ctx, left, errTimeout)
}

// duration reads a timeout, which may hold ((vars)); "" is 0, which is none.
func (r *run) duration(ctx context.Context, text string, at position) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	text, err := at.scope.text(ctx, text)
	if err != nil {
		return 0, err
	}
	limit, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("parse timeout: %w", err)
	}
	return limit, nil
}
