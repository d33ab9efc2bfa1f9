package query

import (
	"cmp"
	"slices"
	"strings"
)

// sortStep keeps the rows that come first in the order, at most `most`.
type sortStep struct {
	next step
	keys []SortKey
	most int
	rows []*View
	cut  func(string)
}

func (s *sortStep) add(v *View) bool {
	s.rows = append(s.rows, v)
	if s.most > 0 && len(s.rows) >= 2*s.most {
		s.trim()
	}
	return true
}

func (s *sortStep) trim() {
	slices.SortStableFunc(s.rows, s.compare)
	if s.most > 0 && len(s.rows) > s.most {
		s.cut("More rows were sorted than are shown.")
		clear(s.rows[s.most:])
		s.rows = s.rows[:s.most]
	}
}

func (s *sortStep) flush() {
	s.trim()
	for _, v := range s.rows {
		if !s.next.add(v) {
			break
		}
	}
	s.rows = nil
	s.next.flush()
}

func (s *sortStep) compare(a, b *View) int {
	for _, key := range s.keys {
		x, _ := a.Value(key.Field)
		y, _ := b.Value(key.Field)
		if c := compareValues(key.Field, x, y); c != 0 {
			if key.Desc {
				return -c
			}
			return c
		}
	}
	return 0
}

// compareValues orders numbers as numbers, levels by how bad they are, and the
// rest as text; what is no number comes before numbers.
func compareValues(name, x, y string) int {
	if name == Level {
		return cmp.Compare(severity(x), severity(y))
	}
	a, okA := parseNumber(x)
	b, okB := parseNumber(y)
	if okA && okB {
		if c, ok := relate(a, b); ok {
			return c
		}
	}
	if okA != okB {
		if okB {
			return -1
		}
		return 1
	}
	return strings.Compare(x, y)
}
