package issues

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"
)

// Outcome is what became of something that a client sent.
type Outcome string

// The outcomes.
const (
	OutcomeAccepted  Outcome = "accepted"  // in the spool
	OutcomeFiltered  Outcome = "filtered"  // the project does not want it
	OutcomeLimited   Outcome = "limited"   // over a limit; the client was told
	OutcomeDropped   Outcome = "dropped"   // of a kind that is not kept, or its project is gone
	OutcomeInvalid   Outcome = "invalid"   // malformed or too large
	OutcomeDiscarded Outcome = "discarded" // by the client, as it reports
)

// tally is what is counted together.
type tally struct {
	project, key, hour int64
	outcome            Outcome
	reason, category   string
}

// usage is when a key and its project were last sent to.
type usage struct{ project, team, at int64 }

// outcomes collects counts until they are written, many requests at once.
type outcomes struct {
	mu      sync.Mutex
	counts  map[tally]int64
	used    map[int64]usage // by key
	events  map[int64]usage // by project: its last event
	writing map[tally]int64 // on their way into the database
}

// maxTallies bounds the memory that a client's inventive reasons can take;
// beyond it they are counted as "other".
const maxTallies = 10_000

func newOutcomes() *outcomes {
	return &outcomes{counts: map[tally]int64{}, used: map[int64]usage{}, events: map[int64]usage{}, writing: map[tally]int64{}}
}

func hourOf(at time.Time) int64 { return at.Truncate(time.Hour).UnixMilli() }

func (o *outcomes) add(t tally, n int64) {
	if n <= 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, known := o.counts[t]; !known && len(o.counts) >= maxTallies {
		t.reason = "other"
	}
	o.counts[t] += n
}

// seen notes that something came by a key, and whether it was an event.
func (o *outcomes) seen(p *openProject, key int64, at int64, event bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.used[key] = usage{p.ID, p.Team, at}
	if event {
		o.events[p.ID] = usage{p.ID, p.Team, at}
	}
}

// take gives what has been counted and begins anew; until settle it is still
// pending, so that limits do not forget it.
func (o *outcomes) take() (counts map[tally]int64, used, events map[int64]usage) {
	o.mu.Lock()
	defer o.mu.Unlock()
	counts, used, events = o.counts, o.used, o.events
	o.counts, o.used, o.events, o.writing = map[tally]int64{}, map[int64]usage{}, map[int64]usage{}, counts
	return counts, used, events
}

// settle ends what take began. What could not be written is counted again.
func (o *outcomes) settle(counts map[tally]int64, used, events map[int64]usage, written bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writing = map[tally]int64{}
	if written {
		return
	}
	for t, n := range counts {
		o.counts[t] += n
	}
	for from, into := range map[*map[int64]usage]map[int64]usage{&used: o.used, &events: o.events} {
		newer := maps.Clone(into)
		maps.Copy(into, *from)
		maps.Copy(into, newer)
	}
}

// pending is what was accepted since start and is not in the database yet.
func (o *outcomes) pending(project, key int64, category string, start int64) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	var n int64
	for _, counts := range []map[tally]int64{o.counts, o.writing} {
		for t, count := range counts {
			if t.project == project && (key == 0 || t.key == key) && (category == "" || t.category == category) && t.hour >= start && t.outcome == OutcomeAccepted {
				n += count
			}
		}
	}
	return n
}

// count notes n of a category. key is 0 when none is concerned.
func (s *Service) count(project, key int64, outcome Outcome, reason, category string, n int64) {
	s.outcomes.add(tally{project, key, hourOf(s.Now()), outcome, reason, category}, n)
}

// flushOutcomes writes what has been counted, in one transaction, and tells
// browsers which projects have received something.
func (s *Service) flushOutcomes(ctx context.Context) error {
	counts, used, events := s.outcomes.take()
	if len(counts) == 0 && len(used) == 0 {
		return nil
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.addOutcomes(ctx, counts); err != nil {
			return fmt.Errorf("count outcomes: %w", err)
		}
		if err := s.touchKeys(ctx, used); err != nil {
			return fmt.Errorf("note when keys were used: %w", err)
		}
		if err := s.touchProjects(ctx, events); err != nil {
			return fmt.Errorf("note when projects had events: %w", err)
		}
		told := map[int64]bool{}
		for _, u := range used {
			if told[u.project] {
				continue
			}
			told[u.project] = true
			if err := s.publish(ctx, u.team, ingestTopic, fmt.Sprint(u.project)); err != nil {
				return err
			}
		}
		return nil
	})
	s.outcomes.settle(counts, used, events, err == nil)
	return err
}

const (
	// ingestTopic tells browsers that a project (the id) has received something.
	ingestTopic = "issues.ingest"
	// outcomesKept is how long counters and rejected items are kept.
	outcomesKept = 90 * 24 * time.Hour
)

func (s *Service) pruneOutcomes(ctx context.Context) error {
	s.quotas.sweep(s.Now())
	return s.removeOutcomes(ctx, s.Now().Add(-outcomesKept).UnixMilli())
}
