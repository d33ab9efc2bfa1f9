package logql

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/logs/record"
)

// maxSamples bounds what quantiles keep over the whole query.
const maxSamples = 5_000_000

// bucket gathers what falls into the window of one step.
type bucket struct {
	n           int64
	sum, square float64
	min, max    float64
	first, last float64
	firstAt     int64
	lastAt      int64
	values      []float64
}

type gathered struct {
	labels record.Labels
	// added and summed are differences from step to step, so that a line costs
	// the same however many windows it lies in.
	added, summed []float64
	buckets       []bucket
}

// gatherer is a range aggregation at work.
type gatherer struct {
	r       *Range
	e       *evaluation
	group   *Grouping
	wanted  []string
	series  map[string]*gathered
	order   []*gathered
	samples int
	err     error
	// whole: more than counts and sums is needed.
	whole bool
}

// window calculates a range aggregation whose series are told apart by group,
// or by stream and extracted labels if it is nil.
func (e *evaluation) window(r *Range, group *Grouping, wanted []string) ([]Series, error) {
	g := &gatherer{r: r, e: e, group: group, wanted: wanted, series: map[string]*gathered{}}
	switch r.Func {
	case "rate", "rate_counter", "count_over_time", "bytes_rate", "bytes_over_time", "sum_over_time", "avg_over_time", "absent_over_time":
		g.whole = r.Func == "rate_counter"
	default:
		g.whole = true
	}
	stream := query.NewStream(r.Log)
	from := e.span.Start.Add(-r.Window - r.Offset).Add(1)
	to := e.span.At(e.steps - 1).Add(-r.Offset).Add(1)
	err := e.src.Scan(e.ctx, r.Log, g.columns(), from, to, func(rec *record.Record) bool {
		if v := stream.Apply(rec); v != nil {
			g.add(v)
		}
		return g.err == nil
	})
	if err == nil {
		err = g.err
	}
	if err != nil {
		return nil, err
	}
	if r.Func == "absent_over_time" {
		return g.absent(), nil
	}
	out := make([]Series, 0, len(g.order))
	for _, s := range g.order {
		out = append(out, g.finish(s))
	}
	return out, nil
}

// columns are the fields that are looked at; nil is all.
func (g *gatherer) columns() []string {
	names := query.NewPlan(g.r.Log, nil).Columns()
	if names == nil {
		return nil
	}
	names = slices.Clone(names)
	for _, p := range g.r.Log.Pipes {
		switch p := p.(type) {
		case query.Where:
			more := query.NewPlan(&query.Query{Filter: p.Filter}, nil).Columns()
			if more == nil {
				return nil
			}
			names = append(names, more...)
		case query.Drop:
			if slices.ContainsFunc(p.Names, func(t query.LabelTest) bool { return t.Only != nil }) {
				return nil
			}
		default:
			return nil
		}
	}
	if strings.HasPrefix(g.r.Func, "bytes") {
		names = append(names, "message")
	}
	if g.r.Unwrap != nil {
		names = append(names, g.r.Unwrap.Name)
	}
	asked := slices.Clone(g.wanted)
	if g.group != nil {
		asked = append(asked, g.group.Names...)
	}
	for _, name := range asked {
		names = append(names, fieldName(name))
	}
	return names
}

func (g *gatherer) add(v *query.View) {
	x := 1.0
	switch {
	case g.r.Unwrap != nil:
		var ok bool
		if x, ok = g.r.Unwrap.number(v); !ok {
			return
		}
	case strings.HasPrefix(g.r.Func, "bytes"):
		x = float64(len(v.Line()))
	}
	at := v.Time.Add(g.r.Offset).Sub(g.e.span.Start)
	first, behind := g.steps(at)
	if first >= behind {
		return
	}
	s := g.find(v)
	if s == nil {
		return
	}
	s.added[first]++
	s.added[behind]--
	s.summed[first] += x
	s.summed[behind] -= x
	if g.whole {
		for i := first; i < behind; i++ {
			g.fill(&s.buckets[i], x, v.Time.UnixNano())
		}
	}
}

// steps are those whose window holds a line at that distance from the start:
// a window ends with its step and does not hold its beginning.
func (g *gatherer) steps(at time.Duration) (first, behind int) {
	if g.e.span.Step <= 0 {
		if at <= 0 && at > -g.r.Window {
			return 0, 1
		}
		return 0, 0
	}
	step := float64(g.e.span.Step)
	first = int(math.Ceil(float64(at) / step))
	behind = int(math.Ceil(float64(at+g.r.Window) / step))
	return max(first, 0), min(behind, g.e.steps)
}

func (g *gatherer) find(v *query.View) *gathered {
	labels := g.labels(v)
	key := labels.Key()
	s := g.series[key]
	if s == nil {
		if len(g.series) >= maxSeries {
			g.err = &LimitError{fmt.Sprintf("maximum of series (%d) reached for a single query", maxSeries)}
			return nil
		}
		// The record's texts are gone after this call.
		for i := range labels {
			labels[i].Value = strings.Clone(labels[i].Value)
		}
		s = &gathered{labels: labels, added: make([]float64, g.e.steps+1), summed: make([]float64, g.e.steps+1)}
		if g.whole {
			s.buckets = make([]bucket, g.e.steps)
		}
		g.series[key] = s
		g.order = append(g.order, s)
	}
	return s
}

func (g *gatherer) labels(v *query.View) record.Labels {
	m := map[string]string{}
	if g.group != nil && !g.group.Without {
		for _, name := range g.group.Names {
			if value, ok := v.Value(fieldName(name)); ok {
				m[name] = value
			}
		}
		return record.MakeLabels(m)
	}
	for _, l := range v.Stream {
		if value, ok := v.Value(l.Name); ok {
			m[l.Name] = value
		}
	}
	for _, f := range v.Extra {
		if f.Name != record.NameMessage && f.Name != query.ErrorName && (g.r.Unwrap == nil || f.Name != g.r.Unwrap.Name) {
			m[f.Name] = f.Value
		}
	}
	for _, name := range g.wanted {
		if value, ok := v.Value(fieldName(name)); ok {
			m[name] = value
		}
	}
	if g.group != nil {
		for _, name := range g.group.Names {
			delete(m, name)
		}
	}
	return record.MakeLabels(m)
}

func (u *Unwrap) number(v *query.View) (float64, bool) {
	text, ok := v.Value(u.Name)
	if !ok {
		return 0, false
	}
	switch u.As {
	case "duration":
		d, err := time.ParseDuration(text)
		return d.Seconds(), err == nil
	case "bytes":
		return query.ParseSize(text)
	}
	x, err := strconv.ParseFloat(text, 64)
	return x, err == nil && !math.IsNaN(x)
}

func (g *gatherer) fill(b *bucket, x float64, at int64) {
	if b.n == 0 || x < b.min {
		b.min = x
	}
	if b.n == 0 || x > b.max {
		b.max = x
	}
	if b.n == 0 || at < b.firstAt {
		b.first, b.firstAt = x, at
	}
	if b.n == 0 || at >= b.lastAt {
		b.last, b.lastAt = x, at
	}
	b.n++
	b.sum += x
	b.square += x * x
	if g.r.Func == "quantile_over_time" {
		if g.samples++; g.samples > maxSamples {
			g.err = &LimitError{fmt.Sprintf("quantile_over_time would keep more than %d values", maxSamples)}
			return
		}
		b.values = append(b.values, x)
	}
}

func (g *gatherer) finish(s *gathered) Series {
	out := g.e.series(s.labels)
	n, sum := 0.0, 0.0
	seconds := g.r.Window.Seconds()
	for i := range out.Values {
		n += s.added[i]
		sum += s.summed[i]
		if n < 0.5 {
			sum = 0 // what is left is the error of floating point
			continue
		}
		switch g.r.Func {
		case "count_over_time":
			out.Values[i] = n
		case "bytes_over_time", "sum_over_time":
			out.Values[i] = sum
		case "rate":
			out.Values[i] = sum / seconds
		case "bytes_rate":
			out.Values[i] = sum / seconds
		case "avg_over_time":
			out.Values[i] = sum / n
		default:
			out.Values[i] = g.fromBucket(&s.buckets[i], seconds)
		}
	}
	return out
}

func (g *gatherer) fromBucket(b *bucket, seconds float64) float64 {
	mean := b.sum / float64(b.n)
	switch g.r.Func {
	case "min_over_time":
		return b.min
	case "max_over_time":
		return b.max
	case "first_over_time":
		return b.first
	case "last_over_time":
		return b.last
	case "stdvar_over_time":
		return max(0, b.square/float64(b.n)-mean*mean)
	case "stddev_over_time":
		return math.Sqrt(max(0, b.square/float64(b.n)-mean*mean))
	case "rate_counter":
		return max(0, b.last-b.first) / seconds
	}
	return query.Quantile(b.values, g.r.Quantile)
}

// absent is 1 where no line was found.
func (g *gatherer) absent() []Series {
	out := g.e.constant(1)
	for _, s := range g.order {
		n := 0.0
		for i := range out.Values {
			if n += s.added[i]; n > 0.5 {
				out.Values[i] = math.NaN()
			}
		}
	}
	return []Series{out}
}
