package issues

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"
)

// bucket counts what was accepted in one window of one limit.
type bucket struct {
	start, end time.Time
	used       int64
}

type bucketKey struct {
	project, key int64 // key is 0 for a project's limit
	category     string
	per          Per
}

// quotas are the running windows of all limits. They are this server's own:
// a window begins with what the counters of all servers say.
type quotas struct {
	mu      sync.Mutex
	buckets map[bucketKey]*bucket
}

func newQuotas() *quotas { return &quotas{buckets: map[bucketKey]*bucket{}} }

// refusal says that a category is over a limit, for how long, and whose limit it is.
type refusal struct {
	category, scope, reason string
	until                   time.Time
}

// scopes of refusals.
const (
	scopeProject = "project"
	scopeKey     = "key"
)

// held is a limit that concerns an item, and its window.
type held struct {
	Limit
	scope  string
	bucket *bucket
}

// admit takes n of a category from the limits of project and key, from all or
// from none of them.
func (s *Service) admit(ctx context.Context, p *openProject, k Key, category string, n int64) (*refusal, error) {
	if len(p.Limits) == 0 && len(k.Limits) == 0 {
		return nil, nil
	}
	var list []held
	now := s.Now()
	for scope, limits := range map[string][]Limit{scopeKey: k.Limits, scopeProject: p.Limits} {
		key := k.ID
		if scope == scopeProject {
			key = 0
		}
		for _, l := range limits {
			if l.Category != "" && l.Category != category {
				continue
			}
			b, err := s.bucket(ctx, bucketKey{p.ID, key, l.Category, l.Per}, now)
			if err != nil {
				return nil, err
			}
			list = append(list, held{l, scope, b})
		}
	}
	s.quotas.mu.Lock()
	defer s.quotas.mu.Unlock()
	var worst *refusal
	for _, h := range list {
		if h.bucket.used+n > h.Count && (worst == nil || h.bucket.end.After(worst.until)) {
			worst = &refusal{h.Category, h.scope, fmt.Sprintf("%s_limit", h.Per), h.bucket.end}
		}
	}
	if worst != nil {
		return worst, nil
	}
	for _, h := range list {
		h.bucket.used += n
	}
	return nil, nil
}

// bucket gives the running window; a new one begins with what is counted already,
// so that a restart does not give a second month.
func (s *Service) bucket(ctx context.Context, key bucketKey, now time.Time) (*bucket, error) {
	q := s.quotas
	q.mu.Lock()
	b := q.buckets[key]
	q.mu.Unlock()
	if b != nil && now.Before(b.end) && !now.Before(b.start) {
		return b, nil
	}
	start, end := key.per.window(now)
	fresh := &bucket{start: start, end: end}
	if key.per != PerMinute { // the counters know hours; a restart may give a second minute
		stored, err := s.accepted(ctx, key.project, key.key, key.category, start.UnixMilli())
		if err != nil {
			return nil, fmt.Errorf("count what was accepted: %w", err)
		}
		fresh.used = stored + s.outcomes.pending(key.project, key.key, key.category, start.UnixMilli())
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if b := q.buckets[key]; b != nil && b.start.Equal(start) {
		return b, nil // somebody was faster
	}
	q.buckets[key] = fresh
	return fresh, nil
}

// sweep forgets windows that are over.
func (q *quotas) sweep(now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for key, b := range q.buckets {
		if !now.Before(b.end) {
			delete(q.buckets, key)
		}
	}
}

// notKept is how long clients are asked not to send again what is not kept.
const notKept = time.Hour

// rateLimits is the value of X-Sentry-Rate-Limits, and the seconds of Retry-After.
func rateLimits(list []refusal, now time.Time) (header string, retry int) {
	parts := make([]string, 0, len(list))
	said := map[string]bool{}
	for _, r := range list {
		seconds := max(1, int(math.Ceil(r.until.Sub(now).Seconds())))
		part := fmt.Sprintf("%d:%s:%s:%s", seconds, r.category, r.scope, r.reason)
		if !said[part] {
			said[part] = true
			parts = append(parts, part)
			retry = max(retry, seconds)
		}
	}
	return strings.Join(parts, ", "), retry
}
