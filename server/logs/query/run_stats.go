package query

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// sampleSize bounds what a quantile keeps of each group; beyond it a uniform
// sample stands for the whole (reservoir sampling, Vitter's algorithm R).
const sampleSize = 4096

// maxDistinct bounds what count_uniq keeps of each group.
const maxDistinct = 100_000

type statsStep struct {
	next   step
	stats  Stats
	names  []string
	groups map[string]*group
	order  []*group
	most   int
	cut    func(string)
}

type group struct {
	by      []string
	figures []figure
}

type figure struct {
	n        int64
	sum      float64
	min, max float64
	sample   []float64
	distinct map[string]struct{}
	random   uint64
}

func newStatsStep(s Stats, next step, most int, cut func(string)) *statsStep {
	st := &statsStep{next: next, stats: s, groups: map[string]*group{}, most: most, cut: cut}
	return st
}

func (s *statsStep) add(v *View) bool {
	key := s.key(v)
	g := s.groups[key]
	// Texts may share memory with a record that is gone after this call: what is
	// kept is copied.
	if g == nil {
		if len(s.groups) >= s.most {
			s.cut("There are more groups than stats can tell apart; the first ones are counted.")
			return true
		}
		g = &group{figures: make([]figure, len(s.stats.Calls))}
		for _, by := range s.stats.By {
			g.by = append(g.by, strings.Clone(groupValue(by, v)))
		}
		s.groups[strings.Clone(key)] = g
		s.order = append(s.order, g)
	}
	for i := range s.stats.Calls {
		s.count(&g.figures[i], &s.stats.Calls[i], v)
	}
	return true
}

func (s *statsStep) key(v *View) string {
	if len(s.stats.By) == 1 {
		return groupValue(s.stats.By[0], v)
	}
	var key []byte
	for _, by := range s.stats.By {
		value := groupValue(by, v)
		key = strconv.AppendInt(key, int64(len(value)), 10)
		key = append(append(key, ':'), value...)
	}
	return string(key)
}

func groupValue(by By, v *View) string {
	if by.Step > 0 && v.Record != nil {
		return v.Time.UTC().Truncate(by.Step).Format(time.RFC3339)
	}
	value, ok := v.Value(by.Field)
	if !ok && by.Field == Level {
		return record.Unknown.String()
	}
	return value
}

func (s *statsStep) count(f *figure, c *Call, v *View) {
	if c.Func == "count" && c.Field == "" {
		f.n++
		return
	}
	value, ok := v.Value(c.Field)
	if !ok || value == "" {
		return
	}
	switch c.Func {
	case "count":
		f.n++
		return
	case "count_uniq":
		if f.distinct == nil {
			f.distinct = map[string]struct{}{}
		}
		if len(f.distinct) >= maxDistinct {
			s.cut("There are more distinct values than count_uniq can tell apart.")
			return
		}
		if _, known := f.distinct[value]; !known {
			f.distinct[strings.Clone(value)] = struct{}{}
		}
		return
	}
	n, ok := parseNumber(value)
	if !ok {
		return
	}
	f.add(inBaseUnits(n), c.Func == "quantile")
}

// inBaseUnits counts durations in milliseconds, because that is what people read.
func inBaseUnits(n number) float64 {
	if n.dim == duration {
		return n.v / float64(time.Millisecond)
	}
	return n.v
}

func (f *figure) add(x float64, keep bool) {
	f.n++
	f.sum += x
	if f.n == 1 || x < f.min {
		f.min = x
	}
	if f.n == 1 || x > f.max {
		f.max = x
	}
	if !keep {
		return
	}
	if len(f.sample) < sampleSize {
		f.sample = append(f.sample, x)
		return
	}
	// splitmix64: the same lines give the same answer each time.
	f.random += 0x9E3779B97F4A7C15
	z := f.random
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	if at := (z ^ z>>31) % uint64(f.n); at < sampleSize {
		f.sample[at] = x
	}
}

func (s *statsStep) flush() {
	if len(s.order) == 0 && len(s.stats.By) == 0 {
		s.order = append(s.order, &group{figures: make([]figure, len(s.stats.Calls))})
	}
	for _, g := range s.order {
		v := &View{}
		for i, by := range s.stats.By {
			v.Extra = append(v.Extra, record.Field{Name: by.Field, Value: g.by[i]})
		}
		for i, c := range s.stats.Calls {
			v.Extra = append(v.Extra, record.Field{Name: c.Name, Value: g.figures[i].text(c), Kind: record.Number})
		}
		if !s.next.add(v) {
			break
		}
	}
	s.groups, s.order = nil, nil
	s.next.flush()
}

func (f *figure) text(c Call) string {
	switch c.Func {
	case "count":
		return strconv.FormatInt(f.n, 10)
	case "count_uniq":
		return strconv.Itoa(len(f.distinct))
	}
	if f.n == 0 {
		return ""
	}
	switch c.Func {
	case "sum":
		return formatFloat(f.sum)
	case "avg":
		return formatFloat(f.sum / float64(f.n))
	case "min":
		return formatFloat(f.min)
	case "max":
		return formatFloat(f.max)
	}
	return formatFloat(Quantile(f.sample, c.Quantile))
}

func formatFloat(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1e15 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}

// Quantile is the q-quantile of the values, between two by their distance
// (as PromQL does); it sorts them. 0 without values.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	at := q * float64(len(values)-1)
	low := int(math.Floor(at))
	high := min(low+1, len(values)-1)
	return values[low] + (values[high]-values[low])*(at-float64(low))
}
