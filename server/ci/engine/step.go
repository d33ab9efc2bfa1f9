package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/platform/telemetry"
)

// position is where in the tree a step stands.
type position struct {
	scope    *scope
	attempts []int
	// status is BUILD_STATUS for the steps of a hook.
	status string
}

// attempt is the path of attempts as fly shows it.
func (at position) attempt() string {
	words := make([]string, len(at.attempts))
	for i, n := range at.attempts {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ".")
}

// step runs one plan. Every step is reached through here, so nothing begins after the
// build was suspended, and what ended because of that is not taken for an outcome.
func (r *run) step(ctx context.Context, p *plan.Plan, at position) (bool, error) {
	if r.suspended() {
		return false, errSuspended
	}
	ok, err := r.dispatch(ctx, p, at)
	if r.suspended() {
		return false, errSuspended
	}
	return ok, err
}

func (r *run) dispatch(ctx context.Context, p *plan.Plan, at position) (bool, error) {
	switch {
	case p.Task != nil:
		return r.task(ctx, p, at)
	case p.Get != nil:
		return r.get(ctx, p, at)
	case p.Put != nil:
		return r.put(ctx, p, at)
	case p.Check != nil:
		return r.check(ctx, p, at)
	case p.Run != nil:
		return r.prototype(ctx, p, at)
	case p.SetPipeline != nil:
		return r.setPipeline(ctx, p, at)
	case p.LoadVar != nil:
		return r.loadVar(ctx, p, at)
	case p.ArtifactInput != nil:
		return r.artifactInput(ctx, p, at)
	case p.ArtifactOutput != nil:
		return r.artifactOutput(ctx, p, at)
	case p.Do != nil:
		return r.do(ctx, *p.Do, at)
	case p.InParallel != nil:
		return r.inParallel(ctx, p.InParallel, at)
	case p.Across != nil:
		return r.across(ctx, p, at)
	case p.Retry != nil:
		return r.retry(ctx, *p.Retry, at)
	case p.Timeout != nil:
		return r.timeout(ctx, p, at)
	}
	return r.hooked(ctx, p, at)
}

// leaf is a step that has a row, while it runs.
type leaf struct {
	*run
	plan *plan.Plan
	at   position
	row  StepRecord
	// resumed tells that the row was there before: an earlier run began the step.
	resumed bool
	// oldContainer is the container of that run.
	oldContainer runtime.ContainerID
	writers      stepWriters
}

// leaf runs fn unless the step has ended in an earlier run, and records the outcome.
func (r *run) leaf(ctx context.Context, p *plan.Plan, at position, row StepRecord, fn func(context.Context, *leaf) (bool, error)) (bool, error) {
	l := &leaf{run: r, plan: p, at: at, row: row}
	if old, found := r.row(p.ID); found {
		if old.State == StateEnded {
			return r.replay(old, at)
		}
		l.row, l.resumed, l.oldContainer = old, true, old.Container
	} else {
		l.row.BuildID, l.row.PlanID, l.row.Attempt = r.build.ID, string(p.ID), at.attempt()
	}
	ctx, done := telemetry.Child(ctx, string(l.row.Kind), l.row.Name,
		telemetry.Attribute{Name: "signalbox.build.id", Number: r.build.ID}, telemetry.Attribute{Name: "signalbox.plan.id", Text: l.row.PlanID})
	ok, err := l.guard(ctx, fn)
	ok, err = l.end(ok, err)
	done(wrong(ok, err))
	return ok, err
}

// wrong says of a step's end what its trace should; "" when it went well. Why it
// errored may hold secrets, which only the log knows to hide.
func wrong(ok bool, err error) string {
	switch {
	case err != nil:
		return "errored"
	case !ok:
		return "failed"
	}
	return ""
}

// guard keeps a panic of one step from ending the server, and lets the end of the
// context explain errors that come from it.
func (l *leaf) guard(ctx context.Context, fn func(context.Context, *leaf) (bool, error)) (ok bool, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			l.Logger.Error("a step panicked", "build", l.build.ID, "plan", l.row.PlanID, "panic", cause, "stack", string(debug.Stack()))
			ok, err = false, fmt.Errorf("the server has a fault in this kind of step: %v", cause)
		}
	}()
	if reason := l.why(ctx); reason != nil && !l.resumed {
		return false, reason
	}
	ok, err = fn(ctx, l)
	if err != nil {
		if reason := l.why(ctx); reason != nil {
			err = reason
		}
	}
	return ok, err
}

func (l *leaf) end(ok bool, err error) (bool, error) {
	l.flush()
	if l.suspended() {
		return false, errSuspended
	}
	l.row.State, l.row.EndedAt = StateEnded, l.Now()
	if l.row.StartedAt.IsZero() {
		l.row.StartedAt = l.row.EndedAt
	}
	l.row.Outcome = outcomeOf(ok, err)
	if err != nil {
		l.row.Message = l.tracker.Redact(err.Error())
	}
	if err != nil {
		l.emitError(l.row.PlanID, err.Error())
	}
	if saved := l.save(l.row); saved != nil {
		return false, saved
	}
	return ok && err == nil, err
}

// begin records the step before its first side effect.
func (l *leaf) begin(state State) error {
	l.row.State = state
	if l.row.StartedAt.IsZero() {
		l.row.StartedAt = l.Now()
	}
	return l.save(l.row)
}

// replay gives the result of a step that ended in an earlier run.
func (r *run) replay(row StepRecord, at position) (bool, error) {
	if row.Outcome == Succeeded || row.Kind == KindTask {
		for _, volume := range row.Volumes {
			if volume.Role == RoleOutput || volume.Role == RoleResource {
				at.scope.register(volume.Name, artifact{Volume: volume.ID})
			}
		}
	}
	switch row.Outcome {
	case Succeeded:
		return true, r.replayResult(row, at)
	case Failed:
		return false, nil
	case Aborted:
		return false, errInterrupted
	}
	if row.Message == errTimeout.Error() {
		return false, errTimeout
	}
	return false, errors.New(row.Message)
}

func (r *run) replayResult(row StepRecord, at position) error {
	if row.Kind != KindGet && row.Kind != KindPut && row.Kind != KindCheck {
		return nil
	}
	kept, err := readResult(row)
	if err != nil {
		return err
	}
	r.setResult(plan.ID(row.PlanID), kept.Version)
	if row.Kind == KindGet {
		at.scope.setLocal(row.Name, metadataVar(kept.Metadata), false)
	}
	return nil
}

// stepResult is StepRecord.Result of get, put and check.
type stepResult struct {
	resource.Result
	// Cache is what a get fetched; images use it in the keys of what they fetch.
	Cache CacheKey `json:"cache,omitempty"`
}
