package engine

import (
	"context"
	"errors"

	"github.com/signalbox/signalbox/server/ci/event"
	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/runtime"
)

// getDir and putDir are where resource scripts find their files.
const (
	getDir = "/tmp/build/get"
	putDir = "/tmp/build/put"
)

func (r *run) get(ctx context.Context, p *plan.Plan, at position) (bool, error) {
	row := StepRecord{Kind: KindGet, Name: p.Get.Name, Resource: p.Get.Resource, Dir: getDir}
	return r.leaf(ctx, p, at, row, func(ctx context.Context, l *leaf) (bool, error) {
		l.emit(event.InitializeGet{Origin: l.origin(), Time: l.unix()})
		if err := l.placed(p.Get.Tags); err != nil {
			return false, err
		}
		prepared, err := l.prepareGet(ctx)
		if err != nil {
			return false, err
		}
		l.emit(event.StartGet{Origin: l.origin(), Time: l.unix()})
		return l.runGet(ctx, prepared)
	})
}

// getting is a get whose vars are replaced and whose type and version are known.
type getting struct {
	resourceCall
	version resource.Version
	key     CacheKey
}

func (l *leaf) prepareGet(ctx context.Context) (getting, error) {
	step := l.plan.Get
	call, err := l.prepare(ctx, step.Type, l.readable(step.Source), step.Params, step.TypeImage)
	if err != nil {
		return getting{}, err
	}
	g := getting{resourceCall: call}
	switch {
	case step.Version != nil:
		g.version = resource.Version(*step.Version)
	case step.VersionFrom != nil:
		version, ok := l.result(*step.VersionFrom)
		if !ok || version == nil {
			return getting{}, errors.New("version is missing from previous step")
		}
		g.version = version
	default:
		return getting{}, errors.New("no version to get")
	}
	g.key, err = cacheKey(call.program, call.source, call.params, g.version)
	return g, err
}

// runGet takes the version from a cache, or fetches it while nobody else does.
func (l *leaf) runGet(ctx context.Context, g getting) (bool, error) {
	unlock, err := l.single.lock(ctx, "get:"+string(g.key), func() {
		l.stderr().say("\x1b[1;36mINFO: waiting to acquire resource lock\x1b[0m\n")
	})
	if err != nil {
		return false, err
	}
	defer unlock()
	if l.resumed && l.row.Container != "" {
		if done, err := l.resumeGet(ctx, g); done || err != nil {
			return err == nil, err
		}
	}
	if l.row.Container == "" {
		if done, err := l.takeCache(ctx, g); done || err != nil {
			return err == nil, err
		}
	}
	return l.fetchVersion(ctx, g)
}

func (l *leaf) takeCache(ctx context.Context, g getting) (bool, error) {
	cached, hit, err := l.useCache(ctx, g.key)
	if err != nil || !hit {
		return false, err
	}
	l.selectedWorker()
	l.stderr().say("\x1b[1;36mINFO: found existing resource cache\x1b[0m\n")
	l.row.Volumes = []StepVolume{{ID: cached.Volume, Role: RoleResource, Name: l.row.Name}}
	return true, l.got(g, cached.Volume, cached.Result)
}

// resumeGet finishes a get whose result was saved before the server stopped. Otherwise
// the container of the earlier run is gone on with if there is one, and what is left of
// it removed if not: fetching has no side effects, so it may be done twice.
func (l *leaf) resumeGet(ctx context.Context, g getting) (bool, error) {
	_, gone, err := l.attach()
	if err != nil || !gone {
		return false, err
	}
	cached, hit, err := l.useCache(ctx, g.key)
	if err != nil {
		return false, err
	}
	if hit && cached.Volume == l.row.Volumes[0].ID {
		return true, l.got(g, cached.Volume, cached.Result)
	}
	return false, l.beginAnew()
}

// useCache finds a cache whose volume the executor still has.
func (l *leaf) useCache(ctx context.Context, key CacheKey) (ResourceCache, bool, error) {
	cached, hit, err := l.Ledger.UseCache(ctx, l.build.ID, key)
	if err != nil || !hit {
		return ResourceCache{}, false, l.ledgerError(ctx, "find a resource cache", err)
	}
	// Any read tells whether the volume is there; the file need not be.
	_, err = l.Executor.ReadFile(ctx, cached.Volume, "metadata.json", 1)
	if !errors.Is(err, runtime.ErrGone) {
		return cached, true, nil
	}
	err = l.Ledger.ForgetCache(ctx, key, cached.Volume)
	return ResourceCache{}, false, l.ledgerError(ctx, "forget a resource cache", err)
}

// ledgerError ends the run unless the step's own context is what ended the call.
func (l *leaf) ledgerError(ctx context.Context, doing string, err error) error {
	if err != nil && ctx.Err() != nil {
		return err
	}
	return l.must(doing, err)
}

func (l *leaf) fetchVersion(ctx context.Context, g getting) (bool, error) {
	give, err := l.occupy(ctx, func() error { return l.chooseDest(ctx) })
	if err != nil {
		return false, err
	}
	defer give()
	limit, err := l.duration(ctx, l.plan.Get.Timeout, l.at)
	if err != nil {
		return false, err
	}
	ctx, cancel := l.deadline(ctx, l.row.StartedAt, limit)
	defer cancel()

	result, err := l.callGet(ctx, g)
	if l.couldNotResume(ctx, err) {
		if err := l.beginAnew(); err != nil {
			return false, err
		}
		if err := l.chooseDest(ctx); err != nil {
			return false, err
		}
		result, err = l.callGet(ctx, g)
	}
	if err != nil {
		return l.resourceFailed(ctx, err, func(status int) event.Event {
			return event.FinishGet{Origin: l.origin(), Time: l.unix(), ExitStatus: status}
		})
	}
	if err := l.saveCache(g, result); err != nil {
		return false, err
	}
	return true, l.got(g, l.row.Volumes[0].ID, result)
}

func (l *leaf) callGet(ctx context.Context, g getting) (result resource.Result, err error) {
	log := l.stderr()
	log.sayRestarts()
	request := l.request(g.resourceCall, log, false)
	request.Version, request.Dest = g.version, l.row.Volumes[0].ID
	err = l.call(ctx, g.scripted, func(ctx context.Context) (err error) {
		result, err = g.kind.Get(ctx, request)
		return err
	})
	return result, err
}

// couldNotResume tells that the container of an earlier run is there, but nobody saw how
// it ended, as after a power cut.
func (l *leaf) couldNotResume(ctx context.Context, err error) bool {
	var exit *resource.ExitError
	tried := l.resumed && l.row.Container == l.oldContainer
	return err != nil && tried && ctx.Err() == nil && !errors.As(err, &exit)
}

func (l *leaf) chooseDest(ctx context.Context) error {
	l.row.Container = l.newContainer()
	l.row.Volumes = []StepVolume{{ID: l.newVolume(), Role: RoleResource, Name: l.row.Name, Path: getDir, Made: true}}
	if err := l.begin(StateStarting); err != nil {
		return err
	}
	return l.makeVolume(ctx, l.row.Volumes[0].ID)
}

func (l *leaf) saveCache(g getting, result resource.Result) error {
	return l.must("save a resource cache", l.Ledger.SaveCache(l.base, l.build.ID, ResourceCache{
		Key: g.key, Volume: l.row.Volumes[0].ID, Type: l.plan.Get.Type,
		Result: result, Resource: l.plan.Get.Resource, Build: l.build,
	}))
}

// got registers what was fetched.
func (l *leaf) got(g getting, volume runtime.VolumeID, result resource.Result) error {
	if result.Version == nil {
		result.Version = g.version
	}
	l.at.scope.register(l.row.Name, artifact{Volume: volume})
	l.at.scope.setLocal(l.row.Name, metadataVar(result.Metadata), false)
	l.setResult(l.plan.ID, result.Version)
	if l.plan.Get.Resource != "" {
		if err := l.must("save metadata", l.Ledger.SaveMetadata(l.base, l.build, l.plan.Get.Resource, result)); err != nil {
			return err
		}
	}
	l.flush()
	l.emit(event.FinishGet{
		Origin: l.origin(), Time: l.unix(), Fetched: result.Version, Metadata: eventFields(result.Metadata),
	})
	return l.keepResult(stepResult{Result: result, Cache: g.key}, 0)
}
