package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/signalbox/signalbox/server/ci/vars"
)

// What a build of a fork may not do is decided here and nowhere else:
//
//   - no var is resolved, from whatever source: lookup;
//   - gets and checks leave out the settings of a source that need vars, and so fetch as
//     a stranger would; puts and tasks that need vars are errored: source;
//   - no pipeline is set, since that one's builds would get vars: setPipeline;
//   - nothing runs privileged, since it could read the server's own files: onlyTrusted;
//   - caches of tasks are neither read nor kept, since the job's other builds would run
//     what a fork left in them: sharesCaches.

var errForkSets = errors.New("a build of a fork may not set pipelines")

// forkVars answers every reference with a refusal.
type forkVars struct{}

func (forkVars) Get(_ context.Context, ref vars.Ref) (any, bool, error) {
	name := ref.Path
	if ref.Source != "" {
		name = ref.Source + ":" + name
	}
	return nil, false, fmt.Errorf("((%s)) is not given to builds of forks: whoever opens a pull request could read it", name)
}

// lookup is where the build's vars come from.
func (e *Engine) lookup(ctx context.Context, build Build) (vars.Lookup, error) {
	if build.Untrusted {
		return forkVars{}, nil
	}
	return e.Vars(ctx, build)
}

func onlyTrusted(allowed func(context.Context, Build) bool) func(context.Context, Build) bool {
	return func(ctx context.Context, build Build) bool {
		return !build.Untrusted && allowed != nil && allowed(ctx, build)
	}
}

// sharesCaches tells whether the task's caches are those of its job.
func (r *run) sharesCaches() bool { return r.build.JobID != 0 && !r.build.Untrusted }

// readable is the source that a get or a check of the build may use.
func (r *run) readable(source map[string]any) map[string]any {
	if !r.build.Untrusted || source == nil {
		return source
	}
	kept := map[string]any{}
	for key, value := range source {
		if !needsVars(map[string]any{key: value}) {
			kept[key] = value
		}
	}
	return kept
}

func needsVars(tree any) bool {
	for _, ref := range vars.Find(tree) {
		if ref.Source != vars.LocalSource {
			return true
		}
	}
	return false
}
