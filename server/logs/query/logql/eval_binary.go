package logql

import (
	"fmt"
	"math"
	"regexp"
	"slices"

	"github.com/signalbox/signalbox/server/logs/record"
)

func isScalar(m Metric) bool {
	switch m := m.(type) {
	case Number:
		return true
	case *Binary:
		return isScalar(m.L) && isScalar(m.R)
	}
	return false
}

func comparison(op string) bool {
	return slices.Contains(precedence[2], op)
}

func (e *evaluation) binary(b *Binary, wanted []string) ([]Series, error) {
	if b.On {
		wanted = append(slices.Clone(wanted), b.Matching...)
	}
	left, err := e.eval(b.L, wanted)
	if err != nil {
		return nil, err
	}
	right, err := e.eval(b.R, wanted)
	if err != nil {
		return nil, err
	}
	switch l, r := isScalar(b.L), isScalar(b.R); {
	case l && r:
		return []Series{e.each(left[0], right[0], left[0], b, true)}, nil
	case r:
		for i := range left {
			left[i] = e.each(left[i], right[0], left[i], b, b.Bool)
		}
		return left, nil
	case l:
		for i := range right {
			right[i] = e.each(left[0], right[i], right[i], b, b.Bool)
		}
		return right, nil
	}
	switch b.Op {
	case "and", "or", "unless":
		return e.set(b, left, right), nil
	}
	return e.match(b, left, right)
}

// each combines two series; comparisons leave out what does not hold and keep
// the value of kept, or give 0 and 1.
func (e *evaluation) each(l, r, kept Series, b *Binary, bool01 bool) Series {
	out := e.series(kept.Labels)
	for i := range out.Values {
		x, y := l.Values[i], r.Values[i]
		if math.IsNaN(x) || math.IsNaN(y) {
			continue
		}
		if !comparison(b.Op) {
			out.Values[i] = calculate(b.Op, x, y)
			continue
		}
		switch holds := compare(b.Op, x, y); {
		case bool01 && holds:
			out.Values[i] = 1
		case bool01:
			out.Values[i] = 0
		case holds:
			out.Values[i] = kept.Values[i]
		}
	}
	return out
}

func calculate(op string, x, y float64) float64 {
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "/":
		return x / y
	case "%":
		return math.Mod(x, y)
	}
	return math.Pow(x, y)
}

func compare(op string, x, y float64) bool {
	switch op {
	case "==":
		return x == y
	case "!=":
		return x != y
	case ">":
		return x > y
	case ">=":
		return x >= y
	case "<":
		return x < y
	}
	return x <= y
}

// key is what must be equal for two series to belong together.
func (b *Binary) key(l record.Labels) string {
	if b.Matching == nil {
		return l.Key()
	}
	return (&Grouping{Without: !b.On, Names: b.Matching}).of(l).Key()
}

func (e *evaluation) match(b *Binary, left, right []Series) ([]Series, error) {
	byKey := map[string]Series{}
	for _, r := range right {
		key := b.key(r.Labels)
		if _, twice := byKey[key]; twice {
			return nil, &LimitError{fmt.Sprintf("found several series on the right side of %s for the labels %s; group them by those labels first", b.Op, key)}
		}
		byKey[key] = r
	}
	var out []Series
	used := map[string]bool{}
	for _, l := range left {
		key := b.key(l.Labels)
		r, ok := byKey[key]
		if !ok {
			continue
		}
		if used[key] {
			return nil, &LimitError{fmt.Sprintf("found several series on the left side of %s for the labels %s; group them by those labels first", b.Op, key)}
		}
		used[key] = true
		s := e.each(l, r, l, b, b.Bool)
		if b.Matching != nil {
			s.Labels = (&Grouping{Without: !b.On, Names: b.Matching}).of(l.Labels)
		}
		out = append(out, s)
	}
	return out, nil
}

func (e *evaluation) set(b *Binary, left, right []Series) []Series {
	has := func(list []Series) map[string][]bool {
		m := map[string][]bool{}
		for _, s := range list {
			key := b.key(s.Labels)
			if m[key] == nil {
				m[key] = make([]bool, e.steps)
			}
			for i, x := range s.Values {
				m[key][i] = m[key][i] || !math.IsNaN(x)
			}
		}
		return m
	}
	keep := func(list []Series, other map[string][]bool, want bool) []Series {
		var out []Series
		for _, s := range list {
			at := other[b.key(s.Labels)]
			kept := e.series(s.Labels)
			for i, x := range s.Values {
				if (at != nil && at[i]) == want {
					kept.Values[i] = x
				}
			}
			out = append(out, kept)
		}
		return out
	}
	switch b.Op {
	case "and":
		return keep(left, has(right), true)
	case "unless":
		return keep(left, has(right), false)
	}
	return append(left, keep(right, has(left), false)...)
}

func (e *evaluation) labelReplace(r *LabelReplace, wanted []string) ([]Series, error) {
	list, err := e.eval(r.X, append(slices.Clone(wanted), r.From))
	if err != nil {
		return nil, err
	}
	re, err := regexp.Compile("^(?:" + r.Regex + ")$")
	if err != nil {
		return nil, fmt.Errorf("label_replace: %w", err)
	}
	for i := range list {
		value := list[i].Labels.Get(r.From)
		at := re.FindStringSubmatchIndex(value)
		if at == nil {
			continue
		}
		m := list[i].Labels.Map()
		m[r.To] = string(re.ExpandString(nil, r.With, value, at))
		list[i].Labels = record.MakeLabels(m)
	}
	return list, nil
}
