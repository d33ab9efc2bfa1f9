package logs

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// maxReasons bounds how many reasons of a source are told apart: some quote what
// a sender wrote.
const (
	maxReasons  = 50
	maxReason   = 200
	otherReason = "other reasons"
)

// Source is one way in and what a team has sent over it.
type Source struct {
	Source   string      `json:"source"`
	First    time.Time   `json:"first_seen"`
	Last     time.Time   `json:"last_seen"`
	Lines    int64       `json:"lines"`
	Bytes    int64       `json:"bytes"`
	Rejected []Rejection `json:"rejected"`
}

// Rejection is why lines of a source were not kept.
type Rejection struct {
	Reason string    `json:"reason"`
	Count  int64     `json:"count"`
	Last   time.Time `json:"last"`
}

type sourceKey struct {
	team   int64
	source string
}

// seen is what came from a source since it was last written down.
type seen struct {
	first, last  time.Time
	lines, bytes int64
	rejected     map[string]Rejection
}

// sources counts in memory, since a row per request would cost more than the
// lines; a loop adds the counts to the tables.
type sources struct {
	mu   sync.Mutex
	news map[sourceKey]*seen
}

// of is the entry of a source; the lock is held.
func (s *sources) of(key sourceKey) *seen {
	if s.news == nil {
		s.news = map[sourceKey]*seen{}
	}
	if s.news[key] == nil {
		s.news[key] = &seen{rejected: map[string]Rejection{}}
	}
	return s.news[key]
}

// accept counts lines that were kept.
func (s *sources) accept(team int64, source string, records []record.Record, now time.Time) {
	if len(records) == 0 {
		return
	}
	bytes := 0
	for i := range records {
		bytes += records[i].Size()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of(sourceKey{team, source}).add(seen{first: now, last: now, lines: int64(len(records)), bytes: int64(bytes)})
}

// reject counts lines that were not.
func (s *sources) reject(team int64, source string, reasons map[string]int, now time.Time) {
	if len(reasons) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	more := seen{first: now, last: now, rejected: map[string]Rejection{}}
	for reason, n := range reasons {
		reason = clipText(reason, maxReason)
		r := more.rejected[reason]
		more.rejected[reason] = Rejection{reason, r.Count + int64(n), now}
	}
	s.of(sourceKey{team, source}).add(more)
}

func (s *seen) add(more seen) {
	if s.first.IsZero() || more.first.Before(s.first) {
		s.first = more.first
	}
	if more.last.After(s.last) {
		s.last = more.last
	}
	s.lines += more.lines
	s.bytes += more.bytes
	for _, reason := range slices.Sorted(maps.Keys(more.rejected)) {
		r := more.rejected[reason]
		if _, known := s.rejected[reason]; !known && len(s.rejected) >= maxReasons {
			reason = otherReason
		}
		old := s.rejected[reason]
		s.rejected[reason] = Rejection{reason, old.Count + r.Count, r.Last}
	}
}

// take gives what was counted and begins anew.
func (s *sources) take() map[sourceKey]*seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.news
	s.news = nil
	return out
}

// putBack takes counts again that could not be written down.
func (s *sources) putBack(key sourceKey, counts *seen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of(key).add(*counts)
}

// flushSources writes down what was counted.
func (s *Service) flushSources(ctx context.Context) error {
	var failed error
	for key, counts := range s.sources.take() {
		if failed == nil {
			failed = s.rows.addSource(ctx, key, counts)
		}
		if failed != nil {
			s.sources.putBack(key, counts)
		}
	}
	return failed
}

// Sources lists a team's ways in, the last used first.
func (s *Service) Sources(ctx context.Context, team int64) ([]Source, error) {
	if err := s.flushSources(ctx); err != nil {
		return nil, err
	}
	list, err := s.rows.sources(ctx, team)
	slices.SortFunc(list, func(a, b Source) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Source, b.Source)) })
	return list, err
}
