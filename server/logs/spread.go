package logs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"sync"
	"time"

	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/cluster"
)

// lines are those of all servers: each keeps what it took in on its own disk, and a
// question goes to all. An answer without a server that may have some of it is partial
// and names that server. With one server it is that one's store.
type lines struct {
	*store.Store
	service *Service
}

// late is how much later than it was taken in a line may say that it happened, which a
// server that is gone may still have.
const late = time.Minute

// others are the servers to ask besides this one, and sentences about those that would
// have to be.
func (l lines) others(ctx context.Context, req store.Request) (there []cluster.Member, missing []string, err error) {
	c := l.service.Cluster
	if c == nil {
		return nil, nil, nil
	}
	all, err := c.Others(ctx)
	for _, m := range all {
		switch {
		case m.There:
			there = append(there, m)
		case l.mayHold(m, req):
			missing = append(missing, missed(m))
		}
	}
	return there, missing, err
}

// mayHold reports whether a server that is gone may have lines of the time asked for.
func (l lines) mayHold(m cluster.Member, req store.Request) bool {
	seen := m.Seen.Add(late)
	if kept := l.service.RetentionOf(req.Team).Age; kept > 0 && l.service.Now().Sub(seen) > kept {
		return false // too old by now, all of them
	}
	return req.From.IsZero() || req.From.Before(seen)
}

func missed(m cluster.Member) string {
	if m.There {
		return fmt.Sprintf("Lines on the server %s are missing, which does not answer.", m.Title())
	}
	return fmt.Sprintf("Lines on the server %s are missing, %s.", m.Title(), m.Absence())
}

// asking is one question to the other servers.
type asking struct {
	there   []cluster.Member
	missing []string
	call    lineCall
}

// ask prepares a question; nil when there is nobody else to ask.
func (l lines) ask(ctx context.Context, what string, req store.Request) (*asking, error) {
	there, missing, err := l.others(ctx, req)
	if err != nil || len(there)+len(missing) == 0 {
		return nil, err
	}
	a := &asking{there: there, missing: missing, call: lineCall{What: what, Request: req}}
	a.call.Request.Match = nil
	switch m := req.Match.(type) {
	case nil:
	case *query.Plan:
		if a.call.Filter, err = query.MarshalExpr(m.Filter()); err != nil {
			return nil, err
		}
	default:
		return nil, nil // about what is on this disk alone
	}
	return a, nil
}

// absent is what a search without those servers lacks.
func (a *asking) absent() store.Stats {
	if len(a.missing) == 0 {
		return store.Stats{}
	}
	return store.Stats{Partial: store.PartialServer, Missing: a.missing}
}

// Search merges the lines of all servers in their order.
func (l lines) Search(ctx context.Context, req store.Request) *store.Rows {
	a, err := l.ask(ctx, askRows, req)
	if err != nil {
		return store.MakeRows(func(func(store.Row) bool) (store.Stats, error) { return store.Stats{}, err })
	}
	if a == nil {
		return l.Store.Search(ctx, req)
	}
	return store.MakeRows(func(yield func(store.Row) bool) (store.Stats, error) { return l.merge(ctx, req, a, yield) })
}

// source is a server's lines, one after another.
type source struct {
	next func() (store.Row, bool)
	head store.Row
	more bool
	end  func() (store.Stats, error)
}

func (l lines) merge(ctx context.Context, req store.Request, a *asking, yield func(store.Row) bool) (store.Stats, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	own := l.Store.Search(ctx, req)
	next, stop := iter.Pull(own.All())
	defer stop()
	sources := []*source{{next: next, end: func() (store.Stats, error) { return own.Stats(), own.Err() }}}
	for _, m := range a.there {
		sources = append(sources, l.remote(ctx, m, a.call))
	}
	for _, s := range sources {
		s.head, s.more = s.next()
	}
	for n := 0; req.Limit == 0 || n < req.Limit; n++ {
		var first *source
		for _, s := range sources {
			if s.more && (first == nil || s.head.ID.Before(first.head.ID, req.Newest)) {
				first = s
			}
		}
		if first == nil || !yield(first.head) {
			break
		}
		first.head, first.more = first.next()
	}
	stop() // before cancel: who has read enough has not given up
	cancel()
	stats := a.absent()
	var errs []error
	for _, s := range sources {
		part, err := s.end()
		stats.Add(part)
		errs = append(errs, err)
	}
	return stats, errors.Join(errs...)
}

// remote reads another server's lines ahead. One that fails is a server that is missing.
func (l lines) remote(ctx context.Context, m cluster.Member, call lineCall) *source {
	rows, done := make(chan []store.Row, 2), make(chan struct{})
	var stats store.Stats
	go func() {
		defer close(done)
		defer close(rows)
		stats = l.read(ctx, m, call, func(part lineAnswer) bool {
			select {
			case rows <- part.Rows:
				return true
			case <-ctx.Done():
				return false
			}
		})
	}()
	var batch []store.Row
	return &source{next: func() (store.Row, bool) {
		for len(batch) == 0 {
			var ok bool
			if batch, ok = <-rows; !ok {
				return store.Row{}, false
			}
		}
		row := batch[0]
		batch = batch[1:]
		return row, true
	}, end: func() (store.Stats, error) {
		<-done
		return stats, nil
	}}
}

// read asks one server and hands on what it answers, part by part.
func (l lines) read(ctx context.Context, m cluster.Member, call lineCall, take func(lineAnswer) bool) store.Stats {
	stats, err := l.service.readLines(ctx, m, call, take)
	if err != nil && ctx.Err() == nil {
		l.service.Log.WarnContext(ctx, "asking another server for its lines failed", "server", m.Title(), "error", err)
		return store.Stats{Partial: store.PartialServer, Missing: []string{missed(m)}}
	}
	return stats
}

// everybody asks all other servers at once, and this one meanwhile.
func (l lines) everybody(ctx context.Context, a *asking, own func() (store.Stats, error), take func(m cluster.Member, part lineAnswer)) (store.Stats, error) {
	stats := a.absent()
	var mu sync.Mutex
	var asked sync.WaitGroup
	for _, m := range a.there {
		asked.Go(func() {
			part := l.read(ctx, m, a.call, func(answer lineAnswer) bool { take(m, answer); return ctx.Err() == nil })
			mu.Lock()
			defer mu.Unlock()
			stats.Add(part)
		})
	}
	mine, err := own()
	asked.Wait()
	stats.Add(mine)
	return stats, err
}

// Each hands every matching line of all servers to sinks.
func (l lines) Each(ctx context.Context, req store.Request, columns []string, newSink func() store.Sink) (store.Stats, error) {
	a, err := l.ask(ctx, askRows, req)
	if a == nil || err != nil {
		if err != nil {
			return store.Stats{}, err
		}
		return l.Store.Each(ctx, req, columns, newSink)
	}
	sinks := map[string]store.Sink{}
	for _, m := range a.there {
		sinks[m.Node] = newSink()
	}
	return l.everybody(ctx, a, func() (store.Stats, error) { return l.Store.Each(ctx, req, columns, newSink) },
		func(m cluster.Member, part lineAnswer) {
			for i := range part.Rows {
				sinks[m.Node].Add(&part.Rows[i].Record)
			}
		})
}

// Histogram adds the counts of all servers.
func (l lines) Histogram(ctx context.Context, req store.Request, step time.Duration) (buckets []store.Bucket, stats store.Stats, err error) {
	a, err := l.ask(ctx, askHistogram, req)
	if a == nil || err != nil {
		if err != nil {
			return nil, store.Stats{}, err
		}
		return l.Store.Histogram(ctx, req, step)
	}
	a.call.Step = step
	var mu sync.Mutex
	var others [][]store.Bucket
	stats, err = l.everybody(ctx, a, func() (s store.Stats, err error) { buckets, s, err = l.Store.Histogram(ctx, req, step); return s, err },
		func(_ cluster.Member, part lineAnswer) {
			mu.Lock()
			defer mu.Unlock()
			others = append(others, part.Buckets)
		})
	for _, other := range others {
		for i := range min(len(other), len(buckets)) {
			for level, n := range other[i].Counts {
				buckets[i].Counts[level] += n
			}
		}
	}
	return buckets, stats, err
}

// lineCall is a question of one server to another.
type lineCall struct {
	What    string
	Request store.Request
	// Filter stands for the request's matcher.
	Filter json.RawMessage `json:",omitempty"`
	Step   time.Duration
	Names  []string
	Top    int
}

// What is asked.
const (
	askRows      = "rows"
	askHistogram = "histogram"
	askFields    = "fields"
	askFacets    = "facets"
	askStreams   = "streams"
	askLabels    = "labels"
	askValues    = "values"
	askTail      = "tail"
	askSizes     = "sizes"
)

// lineAnswer is a part of an answer; the last one has the stats, or what went wrong.
type lineAnswer struct {
	Rows    []store.Row
	Buckets []store.Bucket
	Fields  []store.FieldInfo
	Facets  []store.Facet
	Streams []store.Series
	Texts   []string
	Days    []store.DaySize
	Sizes   []store.StreamSize
	Damage  []store.Damage
	Caught  *store.Caught
	Stats   *store.Stats
	Error   string
}
