package engine

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/runtime"
)

// mount is one directory of a task, and how its volume comes to be.
type mount struct {
	runtime.Mount
	// made: a new volume, empty unless from is set, which is then copied into it.
	made bool
	from runtime.VolumeID
}

type mounts []mount

// taskMounts chooses the volumes of a task and puts them into its row.
func (l *leaf) taskMounts(ctx context.Context, config pipeline.TaskConfig) (mounts, error) {
	l.row.Volumes = nil
	var all mounts
	inputs, err := l.taskInputs(config)
	if err != nil {
		return nil, err
	}
	outputs := map[string]bool{}
	for _, output := range config.Outputs {
		outputs[artifactPath(l.row.Dir, output.Name, output.Path)] = true
	}
	inputAt := map[string]runtime.VolumeID{}
	for _, input := range inputs {
		l.row.Volumes = append(l.row.Volumes, input)
		inputAt[input.Path] = input.ID
		if !outputs[input.Path] {
			all = append(all, mount{Mount: runtime.Mount{Volume: input.ID, Path: input.Path, Copy: true}})
		}
	}
	for _, output := range config.Outputs {
		name := output.Name
		if mapped, ok := l.plan.Task.OutputMapping[name]; ok {
			name = mapped
		}
		volume := StepVolume{
			ID: l.newVolume(), Role: RoleOutput, Name: name, Made: true,
			Path: artifactPath(l.row.Dir, output.Name, output.Path),
		}
		l.row.Volumes = append(l.row.Volumes, volume)
		// An output at the place of an input is the input as the task leaves it.
		all = append(all, mount{
			Mount: runtime.Mount{Volume: volume.ID, Path: volume.Path}, made: true, from: inputAt[volume.Path],
		})
	}
	caches, err := l.taskCaches(ctx, config)
	if err != nil {
		return nil, err
	}
	all = append(all, caches...)
	// What lies within another directory is mounted after it.
	slices.SortStableFunc(all, func(a, b mount) int { return strings.Count(a.Path, "/") - strings.Count(b.Path, "/") })
	return all, nil
}

func (l *leaf) taskInputs(config pipeline.TaskConfig) ([]StepVolume, error) {
	var volumes []StepVolume
	var missing []string
	for _, input := range config.Inputs {
		name := input.Name
		if mapped, ok := l.plan.Task.InputMapping[name]; ok {
			name = mapped
		}
		found, ok := l.at.scope.artifact(name)
		if ok {
			volumes = append(volumes, StepVolume{
				ID: found.Volume, Role: RoleInput, Name: name, Path: artifactPath(l.row.Dir, input.Name, input.Path),
			})
		} else if !input.Optional {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("missing inputs: %s", strings.Join(missing, ", "))
	}
	return volumes, nil
}

// taskCaches gives every cache a volume: the one of the last run, a copy of it while
// another build uses it, or an empty one. Builds without a job start with empty ones.
func (l *leaf) taskCaches(ctx context.Context, config pipeline.TaskConfig) (mounts, error) {
	var all mounts
	for _, cache := range config.Caches {
		volume := StepVolume{ID: l.newVolume(), Role: RoleTaskCache, Name: cache.Path, Made: true, Path: resolvePath(l.row.Dir, cache.Path)}
		if cache.TTL != "" {
			ttl, err := time.ParseDuration(cache.TTL)
			if err != nil {
				return nil, fmt.Errorf("invalid cache ttl %q: %w", cache.TTL, err)
			}
			volume.TTL = ttl
		}
		m := mount{made: true}
		if l.sharesCaches() {
			found, ok, err := l.Ledger.ClaimTaskCache(ctx, l.build.ID, l.cacheKey(cache.Path))
			if err != nil {
				return nil, l.ledgerError(ctx, "claim a task cache", err)
			}
			if ok, err = l.cacheThere(ctx, found.Volume, ok); err != nil {
				return nil, err
			}
			switch {
			case ok && (found.Busy || !l.hold(l.cacheKey(cache.Path))):
				m.from = found.Volume
			case ok:
				volume.ID, volume.Made, m.made = found.Volume, false, false
			}
		}
		m.Mount = runtime.Mount{Volume: volume.ID, Path: volume.Path}
		l.row.Volumes = append(l.row.Volumes, volume)
		all = append(all, m)
	}
	return all, nil
}

func (l *leaf) cacheKey(path string) TaskCacheKey {
	return TaskCacheKey{JobID: l.build.JobID, Step: l.plan.Task.Name, Path: path}
}

// hold takes a cache for this step alone: steps of the same name that run at the same
// time, as across makes them, must not write to one volume.
func (l *leaf) hold(key TaskCacheKey) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	holder, held := l.held[key]
	if held && holder != l.plan.ID {
		return false
	}
	l.held[key] = l.plan.ID
	return true
}

func (l *leaf) unhold(key TaskCacheKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[key] == l.plan.ID {
		delete(l.held, key)
	}
}

// cacheThere tells whether the executor still has a cache's volume.
func (l *leaf) cacheThere(ctx context.Context, volume runtime.VolumeID, claimed bool) (bool, error) {
	if !claimed {
		return false, nil
	}
	_, err := l.Executor.ReadFile(ctx, volume, "metadata.json", 1)
	return !errors.Is(err, runtime.ErrGone), nil
}

func (l *leaf) saveTaskCaches(ctx context.Context) error {
	if !l.sharesCaches() {
		return nil
	}
	for _, volume := range l.row.Volumes {
		if volume.Role != RoleTaskCache {
			continue
		}
		key := l.cacheKey(volume.Name)
		if err := l.must("save a task cache", l.Ledger.SaveTaskCache(l.base, l.build.ID, key, volume.ID, volume.TTL)); err != nil {
			return err
		}
		l.unhold(key)
	}
	return nil
}

// fill makes the volumes.
func (m mounts) fill(ctx context.Context, l *leaf) error {
	for _, mount := range m {
		if !mount.made {
			continue
		}
		if mount.from == "" {
			if err := l.makeVolume(ctx, mount.Volume); err != nil {
				return err
			}
			continue
		}
		if err := l.Executor.CloneVolume(ctx, mount.from, mount.Volume); err != nil {
			return fmt.Errorf("copy a volume: %w", err)
		}
	}
	return nil
}

func (m mounts) list() []runtime.Mount {
	list := make([]runtime.Mount, len(m))
	for i := range m {
		list[i] = m[i].Mount
	}
	return list
}

// artifactPath is where an input or output is: at its path or else its name.
func artifactPath(dir, name, at string) string {
	if at == "" {
		at = name
	}
	return resolvePath(dir, at)
}

// resolvePath places a path below dir; no ".." leads out of it.
func resolvePath(dir, at string) string {
	if path.IsAbs(at) {
		return path.Clean(at)
	}
	return path.Join(dir, strings.ReplaceAll(at, "..", ""))
}
