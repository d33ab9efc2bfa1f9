package issues

import (
	"context"
	"sync"
)

type releaseKey struct {
	project int64
	version string
}

// releaseMemory knows releases that are stored, so that an event of a known one
// costs no statement. It forgets all of them when there are too many, and
// hourly, so that a deleted release comes back with its next event.
type releaseMemory struct {
	mu    sync.Mutex
	known map[releaseKey]bool
}

const maxKnownReleases = 10_000

func (m *releaseMemory) knows(k releaseKey) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known[k]
}

func (m *releaseMemory) learn(k releaseKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= maxKnownReleases {
		m.known = map[releaseKey]bool{}
	}
	m.known[k] = true
}

func (m *releaseMemory) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known = nil
}

// sweepReleases forgets what is known, and removes what nobody needs any more:
// marks of sessions that are over, counters, check-ins, chunks and bundles.
func (s *Service) sweepReleases(ctx context.Context) error {
	s.releases.forget()
	now := s.Now()
	if err := s.rows().dropOldHealth(ctx, now); err != nil {
		return err
	}
	if err := s.sweepChunks(ctx); err != nil {
		return err
	}
	return s.sweepArtifacts(ctx)
}
