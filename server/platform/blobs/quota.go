package blobs

import (
	"context"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// recountAfter is how long a team's sum holds: adding up is cheap, but not per upload.
const recountAfter = 15 * time.Second

// quotas remembers what teams take, with what was put since it was added up.
type quotas struct {
	mu   sync.Mutex
	used map[int64]usage
}

type usage struct {
	bytes int64
	at    time.Time
}

// admit refuses what would bring a team beyond its quota. Other servers' uploads of the
// last seconds may not be known yet, so a quota is kept to about, never by far.
func (s *Store) admit(ctx context.Context, team, size int64) error {
	quota := s.deps.Quota
	if quota <= 0 {
		return nil
	}
	s.quotas.mu.Lock()
	defer s.quotas.mu.Unlock()
	now := s.deps.Now()
	used, known := s.quotas.used[team]
	// Before it refuses it looks again: something may have been collected.
	if !known || now.Sub(used.at) > recountAfter || used.bytes+size > quota {
		sum, err := s.Usage(ctx, team)
		if err != nil {
			return err
		}
		used = usage{sum, now}
	}
	if used.bytes+size > quota {
		s.quotas.used[team] = used
		return problem.New(problem.TooLarge, "The team's stored files take %d MB of the %d MB that it may use, and this has %d MB more. "+
			"Remove artifacts, bundles or events, or ask an administrator to raise blobs.team_quota_mb.", used.bytes>>20, quota>>20, (size+1<<20-1)>>20)
	}
	used.bytes += size
	s.quotas.used[team] = used
	return nil
}
