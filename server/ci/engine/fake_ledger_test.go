package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/runtime"
)

var errCrash = errors.New("the server was killed")

// memoryLedger keeps rows in memory. It can die at a chosen call, before or after that
// call took effect, and stays dead until revive.
type memoryLedger struct {
	mu       sync.Mutex
	steps    map[int64]map[string]StepRecord
	caches   map[CacheKey]ResourceCache
	tasks    map[TaskCacheKey]taskCacheRow
	artifact map[int64]runtime.VolumeID
	saved    map[string]runtime.VolumeID // artifacts of builds
	outputs  []Output
	metadata []resource.Result
	checks   map[string]LastCheck
	results  []CheckResult
	targets  []CheckTarget

	calls   int
	dieAt   int // 0 never
	applied bool
	dead    bool
	onDeath func()
}

type taskCacheRow struct {
	volume runtime.VolumeID
	ttl    time.Duration
	holder int64
}

func newMemoryLedger() *memoryLedger {
	return &memoryLedger{
		steps:    map[int64]map[string]StepRecord{},
		caches:   map[CacheKey]ResourceCache{},
		tasks:    map[TaskCacheKey]taskCacheRow{},
		artifact: map[int64]runtime.VolumeID{},
		saved:    map[string]runtime.VolumeID{},
		checks:   map[string]LastCheck{},
	}
}

// do runs a write unless the ledger is dead.
func (m *memoryLedger) do(ctx context.Context, write func()) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errCrash
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.calls++
	if m.calls != m.dieAt {
		write()
		return nil
	}
	m.dead = true
	if m.applied {
		write()
	}
	if m.onDeath != nil {
		m.onDeath()
	}
	return errCrash
}

func (m *memoryLedger) revive() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead, m.dieAt = false, 0
}

func (m *memoryLedger) row(build int64, id string) StepRecord {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.steps[build][id]
}

func (m *memoryLedger) Steps(ctx context.Context, build int64) (rows []StepRecord, err error) {
	err = m.do(ctx, func() {
		for _, row := range m.steps[build] {
			rows = append(rows, row)
		}
	})
	return rows, err
}

func (m *memoryLedger) SaveStep(ctx context.Context, step StepRecord) error {
	return m.do(ctx, func() {
		if m.steps[step.BuildID] == nil {
			m.steps[step.BuildID] = map[string]StepRecord{}
		}
		m.steps[step.BuildID][step.PlanID] = step
	})
}

func (m *memoryLedger) LastCheck(ctx context.Context, target CheckTarget) (last LastCheck, err error) {
	err = m.do(ctx, func() { last = m.checks[target.Config] })
	return last, err
}

func (m *memoryLedger) CheckStarted(ctx context.Context, target CheckTarget, at time.Time) error {
	return m.do(ctx, func() {
		last := m.checks[target.Config]
		last.Started = at
		m.checks[target.Config] = last
		m.targets = append(m.targets, target)
	})
}

func (m *memoryLedger) CheckEnded(ctx context.Context, target CheckTarget, result CheckResult) error {
	return m.do(ctx, func() {
		last := m.checks[target.Config]
		last.Ended, last.Succeeded = result.At, result.Error == ""
		if len(result.Versions) > 0 {
			last.Latest = result.Versions[len(result.Versions)-1]
		}
		m.checks[target.Config] = last
		m.results = append(m.results, result)
	})
}

func (m *memoryLedger) SaveOutput(ctx context.Context, output Output) error {
	return m.do(ctx, func() { m.outputs = append(m.outputs, output) })
}

func (m *memoryLedger) SaveMetadata(ctx context.Context, _ Build, _ string, result resource.Result) error {
	return m.do(ctx, func() { m.metadata = append(m.metadata, result) })
}

func (m *memoryLedger) UseCache(ctx context.Context, _ int64, key CacheKey) (cache ResourceCache, found bool, err error) {
	err = m.do(ctx, func() { cache, found = m.caches[key] })
	return cache, found, err
}

func (m *memoryLedger) SaveCache(ctx context.Context, _ int64, cache ResourceCache) error {
	return m.do(ctx, func() {
		if _, there := m.caches[cache.Key]; !there {
			m.caches[cache.Key] = cache
		}
	})
}

func (m *memoryLedger) ForgetCache(ctx context.Context, key CacheKey, _ runtime.VolumeID) error {
	return m.do(ctx, func() { delete(m.caches, key) })
}

func (m *memoryLedger) ClaimTaskCache(ctx context.Context, build int64, key TaskCacheKey) (cache TaskCache, found bool, err error) {
	err = m.do(ctx, func() {
		row, ok := m.tasks[key]
		if !ok {
			return
		}
		cache, found = TaskCache{Volume: row.volume, Busy: row.holder != 0 && row.holder != build}, true
		if !cache.Busy {
			row.holder = build
			m.tasks[key] = row
		}
	})
	return cache, found, err
}

func (m *memoryLedger) SaveTaskCache(ctx context.Context, _ int64, key TaskCacheKey, volume runtime.VolumeID, ttl time.Duration) error {
	return m.do(ctx, func() { m.tasks[key] = taskCacheRow{volume: volume, ttl: ttl} })
}

func (m *memoryLedger) Kept(ctx context.Context, volumes []runtime.VolumeID) (kept []runtime.VolumeID, err error) {
	err = m.do(ctx, func() {
		keep := map[runtime.VolumeID]bool{}
		for _, cache := range m.caches {
			keep[cache.Volume] = true
		}
		for _, cache := range m.tasks {
			keep[cache.volume] = true
		}
		for _, volume := range m.saved {
			keep[volume] = true
		}
		for _, volume := range volumes {
			if keep[volume] {
				kept = append(kept, volume)
			}
		}
	})
	return kept, err
}

func (m *memoryLedger) Artifact(ctx context.Context, _ int64, id int64) (volume runtime.VolumeID, found bool, err error) {
	err = m.do(ctx, func() { volume, found = m.artifact[id] })
	return volume, found, err
}

func (m *memoryLedger) SaveArtifact(ctx context.Context, _ int64, name string, volume runtime.VolumeID) error {
	return m.do(ctx, func() { m.saved[name] = volume })
}
