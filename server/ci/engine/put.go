package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/ci/event"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/runtime"
)

// Resumable is a native type whose Put runs no container of its own and may be called
// again with the same handle after a restart: it finds out by itself how far it had come
// (an approval that waits for days, a call that is idempotent). Its puts take no room
// from containers while they wait.
type Resumable interface {
	ResumesPut() bool
}

func isResumable(kind resource.Type) bool {
	resumable, ok := kind.(Resumable)
	return ok && resumable.ResumesPut()
}

func (r *run) put(ctx context.Context, p *plan.Plan, at position) (bool, error) {
	row := StepRecord{Kind: KindPut, Name: p.Put.Name, Resource: p.Put.Resource, Dir: putDir}
	return r.leaf(ctx, p, at, row, func(ctx context.Context, l *leaf) (bool, error) {
		l.emit(event.InitializePut{Origin: l.origin(), Time: l.unix()})
		if err := l.placed(p.Put.Tags); err != nil {
			return false, err
		}
		call, err := l.prepare(ctx, p.Put.Type, p.Put.Source, p.Put.Params, p.Put.TypeImage)
		if err != nil {
			return false, err
		}
		inputs, err := putInputs(p.Put, at.scope)
		if err != nil {
			return false, err
		}
		return l.runPut(ctx, call, inputs)
	})
}

func (l *leaf) runPut(ctx context.Context, call resourceCall, inputs []resource.Input) (bool, error) {
	give, err := l.startPut(ctx, call, inputs)
	if err != nil {
		return false, err
	}
	defer give()
	limit, err := l.duration(ctx, l.plan.Put.Timeout, l.at)
	if err != nil {
		return false, err
	}
	ctx, cancel := l.deadline(ctx, l.row.StartedAt, limit)
	defer cancel()

	log := l.stderr()
	log.sayRestarts()
	request := l.request(call, log, l.plan.Put.ExposeBuildCreatedBy)
	request.Inputs = inputs
	if call.scripted {
		request.Executor = startNotice{Executor: l.Executor, leaf: l}
	}
	var result resource.Result
	err = l.call(ctx, call.scripted, func(inner context.Context) (err error) {
		if isResumable(call.kind) {
			inner = l.waits(inner, ctx)
		}
		result, err = call.kind.Put(inner, request)
		return err
	})
	if err != nil {
		return l.resourceFailed(ctx, err, func(status int) event.Event {
			return event.FinishPut{Origin: l.origin(), Time: l.unix(), ExitStatus: status}
		})
	}
	return true, l.published(call, result)
}

// startPut records the put before it begins, or finds out whether that of an earlier
// run can be gone on with.
func (l *leaf) startPut(ctx context.Context, call resourceCall, inputs []resource.Input) (func(), error) {
	resumable := isResumable(call.kind)
	if l.resumed && l.row.Container != "" && !resumable {
		_, gone, err := l.attach()
		switch {
		case err != nil:
			return nil, err
		case gone && l.row.State == StateRunning:
			return nil, errLost
		case gone:
			if err := l.beginAnew(); err != nil {
				return nil, err
			}
		}
	}
	begin := func() error { return l.beginPut(call, inputs) }
	if !resumable {
		return l.occupy(ctx, begin)
	}
	if l.row.Container != "" {
		return func() {}, nil
	}
	l.selectedWorker()
	return func() {}, begin()
}

func (l *leaf) beginPut(call resourceCall, inputs []resource.Input) error {
	l.emit(event.StartPut{Origin: l.origin(), Time: l.unix()})
	l.row.Container = l.newContainer()
	for _, input := range inputs {
		l.row.Volumes = append(l.row.Volumes, StepVolume{
			ID: input.Volume, Role: RoleInput, Name: input.Name, Path: putDir + "/" + input.Name,
		})
	}
	// A type of the server's own may act without a container, so nothing will tell
	// whether it had begun.
	state := StateRunning
	if call.scripted {
		state = StateStarting
	}
	return l.begin(state)
}

// startNotice records that side effects may have begun as soon as the container runs.
type startNotice struct {
	runtime.Executor
	leaf *leaf
}

func (n startNotice) Start(ctx context.Context, spec runtime.Spec) error {
	if err := n.Executor.Start(ctx, spec); err != nil {
		return err
	}
	if n.leaf.row.State == StateRunning {
		return nil
	}
	return n.leaf.begin(StateRunning)
}

// published saves what a put created.
func (l *leaf) published(call resourceCall, result resource.Result) error {
	if l.plan.Put.Resource != "" {
		config, err := configKey(call.program, call.source)
		if err != nil {
			return err
		}
		if err := l.must("save an output", l.Ledger.SaveOutput(l.base, Output{
			Build: l.build, PlanID: l.row.PlanID, Name: l.row.Name,
			Resource: l.plan.Put.Resource, Config: config, Result: result,
		})); err != nil {
			return err
		}
	}
	l.setResult(l.plan.ID, result.Version)
	l.flush()
	l.emit(event.FinishPut{
		Origin: l.origin(), Time: l.unix(), Created: result.Version, Metadata: eventFields(result.Metadata),
	})
	return l.keepResult(stepResult{Result: result}, 0)
}

// putInputs chooses the artifacts that a put sees.
func putInputs(put *plan.Put, s *scope) ([]resource.Input, error) {
	all := s.all()
	var names []string
	switch {
	case put.Inputs == nil, put.Inputs.Detect:
		for _, name := range detectInputs(put.Params) {
			if _, ok := all[name]; ok {
				names = append(names, name)
			}
		}
	case put.Inputs.All:
		names = slices.Sorted(maps.Keys(all))
	default:
		names = put.Inputs.Specified
	}
	inputs := make([]resource.Input, 0, len(names))
	for _, name := range names {
		found, ok := all[name]
		if !ok {
			return nil, fmt.Errorf("input not found: %s", name)
		}
		inputs = append(inputs, resource.Input{Name: name, Volume: found.Volume})
	}
	return inputs, nil
}

// detectInputs lists what could be names of artifacts: the first directory of every
// text in the params that looks like a path, or the text itself.
func detectInputs(params pipeline.Params) []string {
	found := map[string]bool{}
	collectNames(map[string]any(params), found)
	return slices.Sorted(maps.Keys(found))
}

func collectNames(value any, found map[string]bool) {
	switch v := value.(type) {
	case string:
		found[firstSegment(v)] = true
	case map[string]any:
		for _, item := range v {
			collectNames(item, found)
		}
	case []any:
		for _, item := range v {
			collectNames(item, found)
		}
	}
}

func firstSegment(text string) string {
	parts := strings.Split(text, "/")
	if len(parts) == 1 {
		return text
	}
	for _, part := range parts {
		if part != "." && part != ".." {
			return part
		}
	}
	return text
}
