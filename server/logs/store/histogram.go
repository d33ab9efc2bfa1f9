package store

import (
	"context"
	"runtime"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// Sink takes matching lines, from one goroutine. The record is valid during the call only.
type Sink interface{ Add(r *record.Record) }

// Each hands every matching line to sinks, in no order: one sink for each goroutine, made
// by newSink. columns are what the sinks look at, as for Matcher; nil is everything. It
// is what counting and other pipes are made of.
func (s *Store) Each(ctx context.Context, req Request, columns []string, newSink func() Sink) (Stats, error) {
	return s.begin(ctx, req, columnsOf(columns, columns == nil)).eachLine(newSink)
}

// eachLine hands the lines of everything lined up to sinks, and ends the query.
func (q *query) eachLine(newSink func() Sink) (Stats, error) {
	workers := runtime.GOMAXPROCS(0)
	sinks := make(chan Sink, workers)
	for range workers {
		sinks <- newSink()
	}
	hi := q.to
	if hi != int64(^uint64(0)>>1) {
		hi--
	}
	for !q.over() {
		var units []*unit
		for len(units) < lastRound {
			u := q.next()
			if u == nil {
				break
			}
			units = append(units, u)
		}
		if len(units) == 0 {
			break
		}
		parallel(workers, len(units), func(sc *scratch, i int) {
			if q.ctx.Err() != nil {
				return
			}
			sink := <-sinks
			n := int64(0)
			if err := q.each(sc, units[i], q.from, hi, func(_ int, r *record.Record) { n++; sink.Add(r) }); err != nil {
				q.failed(units[i], err)
			}
			sinks <- sink
			q.mu.Lock()
			q.stats.Matched += n
			q.mu.Unlock()
		})
	}
	stats := q.end()
	return stats, q.err()
}

// Bucket is the lines of one step of time, by level.
type Bucket struct {
	Start  time.Time
	Counts [record.Levels]int64 // indexed by record.Level
}

// Total is the lines of all levels.
func (b Bucket) Total() int64 {
	n := int64(0)
	for _, c := range b.Counts {
		n += c
	}
	return n
}

// maxBuckets bounds what a histogram may have: more than a screen has points.
const maxBuckets = 11_000

// Histogram counts matching lines per step, from the step that From is in. Steps
// without lines are there too. From and To must be given.
func (s *Store) Histogram(ctx context.Context, req Request, step time.Duration) ([]Bucket, Stats, error) {
	if step <= 0 {
		step = time.Minute
	}
	span := req.To.Sub(req.From)
	if least := span/maxBuckets + 1; step < least {
		step = least
	}
	start := req.From.UTC().Truncate(step)
	n := int((req.To.Sub(start) + step - 1) / step)
	if n <= 0 {
		return nil, Stats{}, ctx.Err()
	}
	sinks := make([]*histogramSink, runtime.GOMAXPROCS(0))
	for i := range sinks {
		sinks[i] = newHistogramSink(start, step, n)
	}
	q := s.begin(ctx, req, columnsOf([]string{ColumnLevel}, false))
	q.countSegments(sinks)
	made := 0
	stats, err := q.eachLine(func() Sink { made++; return sinks[made-1] })
	buckets := make([]Bucket, n)
	for i := range buckets {
		buckets[i].Start = start.Add(time.Duration(i) * step)
		for _, h := range sinks {
			for level, c := range h.counts[i] {
				buckets[i].Counts[level] += c
			}
		}
	}
	return buckets, stats, err
}

type histogramSink struct {
	start, step int64
	counts      [][record.Levels]int64
}

func newHistogramSink(start time.Time, step time.Duration, n int) *histogramSink {
	return &histogramSink{start: start.UnixNano(), step: int64(step), counts: make([][record.Levels]int64, n)}
}

func (h *histogramSink) Add(r *record.Record) { h.count(r.Time.UnixNano(), r.Level, 1) }

func (h *histogramSink) count(t int64, level record.Level, lines int64) {
	if i := (t - h.start) / h.step; t >= h.start && i < int64(len(h.counts)) {
		h.counts[i][level] += lines
	}
}
