package logql

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/logs/record"
)

// Source gives the records that meet a query's condition, from on and before
// to, in any order. columns are the fields that are looked at, nil is all; fn
// does not keep the record and says whether it wants more.
type Source interface {
	Scan(ctx context.Context, q *query.Query, columns []string, from, to time.Time, fn func(*record.Record) bool) error
}

// Span is when a metric is calculated: at Start, Start+Step, … up to End.
type Span struct {
	Start, End time.Time
	Step       time.Duration
}

// Series are the values of one set of labels.
type Series struct {
	Labels record.Labels
	// Values has one number for each step; NaN where there is none.
	Values []float64
}

const (
	// MaxSteps is what Grafana's data source expects as the limit.
	MaxSteps  = 11_000
	maxSeries = 2000
)

// LimitError says that a query would give more than an answer may hold.
type LimitError struct{ Message string }

func (e *LimitError) Error() string { return e.Message }

// Steps is how many values each series has.
func (s Span) Steps() int {
	if s.Step <= 0 || s.End.Before(s.Start) {
		return 1
	}
	return int(s.End.Sub(s.Start)/s.Step) + 1
}

// At is the time of a step.
func (s Span) At(step int) time.Time { return s.Start.Add(time.Duration(step) * s.Step) }

// Eval calculates a metric, ordered by labels unless the expression orders it.
func Eval(ctx context.Context, src Source, m Metric, span Span) ([]Series, error) {
	if n := span.Steps(); n > MaxSteps {
		return nil, &LimitError{fmt.Sprintf("exceeded maximum resolution of %d points per time series. Try increasing the value of the step parameter", MaxSteps)}
	}
	e := evaluation{ctx: ctx, src: src, span: span, steps: span.Steps()}
	list, err := e.eval(m, nil)
	if err != nil {
		return nil, err
	}
	if v, ok := m.(*Vector); !ok || !strings.HasPrefix(v.Op, "sort") {
		slices.SortFunc(list, byLabels)
	}
	kept := list[:0]
	for _, s := range list {
		if slices.ContainsFunc(s.Values, func(v float64) bool { return !math.IsNaN(v) }) {
			kept = append(kept, s)
		}
	}
	return kept, nil
}

func byLabels(a, b Series) int { return strings.Compare(a.Labels.Key(), b.Labels.Key()) }

type evaluation struct {
	ctx   context.Context
	src   Source
	span  Span
	steps int
}

// eval calculates; wanted are names that something above will group or match
// by, so that a field among them tells series apart.
func (e *evaluation) eval(m Metric, wanted []string) ([]Series, error) {
	switch m := m.(type) {
	case Number:
		return []Series{e.constant(float64(m))}, nil
	case Constant:
		return []Series{e.constant(float64(m))}, nil
	case *Range:
		return e.window(m, m.Group, wanted)
	case *Vector:
		return e.vector(m, wanted)
	case *Binary:
		return e.binary(m, wanted)
	case *LabelReplace:
		return e.labelReplace(m, wanted)
	}
	return nil, fmt.Errorf("no metric: %T", m)
}

func (e *evaluation) constant(x float64) Series {
	s := e.series(nil)
	for i := range s.Values {
		s.Values[i] = x
	}
	return s
}

func (e *evaluation) series(labels record.Labels) Series {
	s := Series{Labels: labels, Values: make([]float64, e.steps)}
	for i := range s.Values {
		s.Values[i] = math.NaN()
	}
	return s
}

// distributes: the sum of these is the same whatever the series are, so that
// sum by (…) is gathered while scanning.
func distributes(r *Range) bool {
	return r.Group == nil && (r.Unwrap == nil && r.Func != "absent_over_time" || r.Unwrap != nil && r.Func == "sum_over_time")
}

func (e *evaluation) vector(v *Vector, wanted []string) ([]Series, error) {
	if r, ok := v.X.(*Range); ok && v.Op == "sum" && distributes(r) {
		group := v.Group
		if group == nil {
			group = &Grouping{}
		}
		return e.window(r, group, nil)
	}
	if v.Group != nil && !v.Group.Without {
		wanted = append(slices.Clone(wanted), v.Group.Names...)
	}
	list, err := e.eval(v.X, wanted)
	if err != nil {
		return nil, err
	}
	switch v.Op {
	case "sort", "sort_desc":
		return e.sorted(list, v.Op == "sort_desc"), nil
	case "topk", "bottomk":
		return e.best(v, list), nil
	}
	return e.aggregate(v, list), nil
}

func (e *evaluation) aggregate(v *Vector, list []Series) []Series {
	type group struct {
		out    Series
		values [][]float64
	}
	groups := map[string]*group{}
	var order []*group
	for _, s := range list {
		labels := v.Group.of(s.Labels)
		key := labels.Key()
		g := groups[key]
		if g == nil {
			g = &group{out: e.series(labels), values: make([][]float64, e.steps)}
			groups[key] = g
			order = append(order, g)
		}
		for i, x := range s.Values {
			if !math.IsNaN(x) {
				g.values[i] = append(g.values[i], x)
			}
		}
	}
	out := make([]Series, 0, len(order))
	for _, g := range order {
		for i, values := range g.values {
			if len(values) > 0 {
				g.out.Values[i] = combine(v.Op, values)
			}
		}
		out = append(out, g.out)
	}
	return out
}

// of is what a grouping leaves of labels; without one nothing is left.
func (g *Grouping) of(l record.Labels) record.Labels {
	if g == nil {
		return nil
	}
	var out record.Labels
	for _, label := range l {
		if slices.Contains(g.Names, label.Name) != g.Without {
			out = append(out, label)
		}
	}
	return out
}

func combine(op string, values []float64) float64 {
	switch op {
	case "count":
		return float64(len(values))
	case "min":
		return slices.Min(values)
	case "max":
		return slices.Max(values)
	}
	sum := 0.0
	for _, x := range values {
		sum += x
	}
	mean := sum / float64(len(values))
	switch op {
	case "avg":
		return mean
	case "stdvar", "stddev":
		square := 0.0
		for _, x := range values {
			square += (x - mean) * (x - mean)
		}
		square /= float64(len(values))
		if op == "stddev" {
			return math.Sqrt(square)
		}
		return square
	}
	return sum
}

// best keeps, at each step, the N largest or smallest of each group.
func (e *evaluation) best(v *Vector, list []Series) []Series {
	// Among equals the one whose labels come first wins, whatever was found first.
	slices.SortFunc(list, byLabels)
	groups := map[string][]int{}
	for i, s := range list {
		key := v.Group.of(s.Labels).Key()
		groups[key] = append(groups[key], i)
	}
	out := make([]Series, len(list))
	for i, s := range list {
		out[i] = e.series(s.Labels)
	}
	for _, members := range groups {
		for step := range e.steps {
			present := slices.DeleteFunc(slices.Clone(members), func(i int) bool { return math.IsNaN(list[i].Values[step]) })
			slices.SortStableFunc(present, func(a, b int) int {
				x, y := list[a].Values[step], list[b].Values[step]
				if v.Op == "bottomk" {
					x, y = y, x
				}
				switch {
				case x > y:
					return -1
				case x < y:
					return 1
				}
				return 0
			})
			for _, i := range present[:min(v.N, len(present))] {
				out[i].Values[step] = list[i].Values[step]
			}
		}
	}
	return out
}

func (e *evaluation) sorted(list []Series, desc bool) []Series {
	last := e.steps - 1
	slices.SortStableFunc(list, func(a, b Series) int {
		x, y := a.Values[last], b.Values[last]
		if desc {
			x, y = y, x
		}
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	return list
}
