package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signalbox/signalbox/server/ci/event"
	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/resource"
)

// defaultInterval is how long the result of a check is good for.
const defaultInterval = time.Minute

// defaultCheckTimeout bounds checks that have no timeout of their own.
const defaultCheckTimeout = time.Hour

func (r *run) check(ctx context.Context, p *plan.Plan, at position) (bool, error) {
	row := StepRecord{Kind: KindCheck, Name: p.Check.Name, Resource: p.Check.Resource}
	return r.leaf(ctx, p, at, row, func(ctx context.Context, l *leaf) (bool, error) {
		l.emit(event.InitializeCheck{Origin: l.origin(), Time: l.unix(), Check: p.Check.Name})
		if err := l.placed(p.Check.Tags); err != nil {
			return false, err
		}
		call, err := l.prepare(ctx, p.Check.Type, l.readable(p.Check.Source), nil, p.Check.TypeImage)
		if err != nil {
			return false, err
		}
		config, err := configKey(call.program, call.source)
		if err != nil {
			return false, err
		}
		target := CheckTarget{
			Build: l.build, PlanID: l.row.PlanID, Name: p.Check.Name,
			Resource: p.Check.Resource, ResourceType: p.Check.ResourceType, Prototype: p.Check.Prototype,
			Type: p.Check.Type, Config: config,
		}
		// One check of a configuration at a time: who waited finds its result.
		unlock, err := l.single.lock(ctx, "check:"+config, func() {})
		if err != nil {
			return false, err
		}
		defer unlock()
		return l.runCheck(ctx, call, target)
	})
}

func (l *leaf) runCheck(ctx context.Context, call resourceCall, target CheckTarget) (bool, error) {
	last, err := l.Ledger.LastCheck(ctx, target)
	if err != nil {
		return false, l.ledgerError(ctx, "read the last check", err)
	}
	if !l.resumed && !checkDue(l.plan.Check, l.build, last, l.Now()) {
		return true, l.checked(last.Latest)
	}
	from := resource.Version(l.plan.Check.FromVersion)
	if from == nil {
		from = last.Latest
	}
	versions, err := l.callCheck(ctx, call, target, from)
	if l.suspended() {
		return false, errSuspended
	}
	result := CheckResult{At: l.Now(), Versions: versions}
	if err != nil {
		result.Versions, result.Error = nil, l.checkError(ctx, err)
	}
	if saved := l.must("save versions", l.Ledger.CheckEnded(l.base, target, result)); saved != nil {
		return false, saved
	}
	if err != nil {
		return l.checkFailed(ctx, err)
	}
	latest := last.Latest
	if len(versions) > 0 {
		latest = versions[len(versions)-1]
	}
	return true, l.checked(latest)
}

// checkDue says whether a check must run now, or the last one's result is good enough.
func checkDue(check *plan.Check, build Build, last LastCheck, now time.Time) bool {
	ok := last.Succeeded && !last.Ended.IsZero()
	switch {
	case check.FromVersion != nil || !ok && check.Resource == "":
		return true
	case check.SkipInterval:
		return !ok || !last.Started.After(build.CreatedAt)
	case check.Interval.Never:
		return last.Ended.IsZero()
	}
	interval := check.Interval.Interval
	if interval == 0 {
		interval = defaultInterval
	}
	// A clock that was set back must not put checks off for longer than the interval.
	age := now.Sub(last.Ended)
	return last.Ended.IsZero() || age >= interval || age < 0
}

func (l *leaf) callCheck(ctx context.Context, call resourceCall, target CheckTarget, from resource.Version) ([]resource.Version, error) {
	if l.resumed && l.row.Container != "" {
		if _, gone, err := l.attach(); err != nil {
			return nil, err
		} else if gone {
			if err := l.beginAnew(); err != nil {
				return nil, err
			}
		}
	}
	give, err := l.occupy(ctx, func() error {
		l.row.Container = l.newContainer()
		if err := l.begin(StateStarting); err != nil {
			return err
		}
		return l.must("note a check", l.Ledger.CheckStarted(l.base, target, l.row.StartedAt))
	})
	if err != nil {
		return nil, err
	}
	defer give()
	l.emit(event.Start{Origin: l.origin(), Time: l.unix()})
	limit, err := l.duration(ctx, l.plan.Check.Timeout, l.at)
	if err != nil {
		return nil, err
	}
	if limit == 0 {
		limit = defaultCheckTimeout
	}
	ctx, cancel := l.deadline(ctx, l.row.StartedAt, limit)
	defer cancel()
	log := l.stderr()
	log.sayRestarts()
	request := l.request(call, log, false)
	request.Version = from
	var versions []resource.Version
	err = l.call(ctx, call.scripted, func(ctx context.Context) (err error) {
		versions, err = call.kind.Check(ctx, request)
		return err
	})
	if reason := l.why(ctx); err != nil && reason != nil {
		err = reason
	}
	return versions, err
}

// checkError is the sentence that pages show beside the resource.
func (l *leaf) checkError(ctx context.Context, err error) string {
	if reason := l.why(ctx); reason != nil {
		err = reason
	}
	return l.tracker.Redact(err.Error())
}

func (l *leaf) checkFailed(ctx context.Context, err error) (bool, error) {
	if l.why(ctx) == nil && errors.Is(err, errTimeout) {
		return l.timedOut()
	}
	var exit *resource.ExitError
	if !errors.As(err, &exit) {
		return false, fmt.Errorf("run check: %w", err)
	}
	l.row.ExitStatus = &exit.Status
	l.flush()
	l.emit(event.Finish{Origin: l.origin(), Time: l.unix()})
	return false, nil
}

func (l *leaf) checked(latest resource.Version) error {
	l.setResult(l.plan.ID, latest)
	l.flush()
	l.emit(event.Finish{Origin: l.origin(), Time: l.unix(), Succeeded: true})
	return l.keepResult(stepResult{Result: resource.Result{Version: latest}}, 0)
}
