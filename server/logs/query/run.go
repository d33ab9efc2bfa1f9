package query

import (
	"slices"

	"github.com/signalbox/signalbox/server/logs/record"
)

// Limits bound what the pipes of one query may hold.
type Limits struct {
	// Rows are kept at most, by sort or as the result.
	Rows int
	// Groups are told apart at most, by stats, top, dedup and pattern.
	Groups int
}

// DefaultLimits suit a search by a person.
func DefaultLimits() Limits { return Limits{Rows: 10_000, Groups: 10_000} }

// Run takes records through the pipes of a query. It is used by one goroutine.
type Run struct {
	first step
	last  *collect
	// Cut says why the result is not the whole; "" when it is.
	cut string
}

// Result is what came out of the pipes.
type Result struct {
	// Columns are the names of a table; nil when records came out.
	Columns []string
	Rows    []*View
	// Cut says in a sentence why this is not the whole.
	Cut string
}

// step is one pipe at work: add hands a row on or keeps it, and says whether
// it wants more; flush hands on what was kept.
type step interface {
	add(v *View) bool
	flush()
}

// NewRun prepares the pipes of a query.
func NewRun(q *Query, limits Limits) *Run {
	r := &Run{last: &collect{most: limits.Rows}}
	r.last.cut = r.note
	var next step = r.last
	for i := len(q.Pipes) - 1; i >= 0; i-- {
		next = r.step(q.Pipes[i], next, limits)
	}
	r.first = next
	for _, p := range q.Pipes {
		r.last.columns = columnsBehind(p, r.last.columns)
	}
	return r
}

// Aggregates says whether the pipes make rows of their own from all records,
// in whatever order they come.
func (q *Query) Aggregates() bool {
	for _, p := range q.Pipes {
		switch p.(type) {
		case Stats, Top, Pattern:
			return true
		case Limit, Dedup, Sort:
			return false
		}
	}
	return false
}

// Ordered says whether a pipe needs all records in order of time, or holds
// them back.
func (q *Query) Ordered() bool {
	return slices.ContainsFunc(q.Pipes, func(p Pipe) bool {
		switch p.(type) {
		case Dedup, Sort, Stats, Top, Pattern:
			return true
		}
		return false
	})
}

// Needs are the names that the pipes look at, for a store that reads only
// those; nil is all of a record.
func (q *Query) Needs() []string {
	names := []string{}
	for _, p := range q.Pipes {
		switch p := p.(type) {
		case Where:
			plan := NewPlan(&Query{Filter: p.Filter}, nil)
			if plan.Columns() == nil {
				return nil
			}
			names = append(names, plan.Columns()...)
		case Pattern:
			return append(names, "message")
		case Top:
			return append(names, columnNames(p.Fields)...)
		case Stats:
			for _, by := range p.By {
				names = append(names, columnNames([]string{by.Field})...)
			}
			for _, c := range p.Calls {
				if c.Field != "" {
					names = append(names, columnNames([]string{c.Field})...)
				}
			}
			return names
		default:
			return nil
		}
	}
	return nil
}

func columnNames(names []string) []string {
	names = slices.Clone(names)
	for i, name := range names {
		if name == record.NameMessage {
			names[i] = "message"
		}
	}
	return names
}

func (r *Run) note(why string) {
	if r.cut == "" {
		r.cut = why
	}
}

// Add takes one record and says whether more are wanted. If the query
// aggregates, nothing of the record is used after the call; otherwise it must
// stay as it is until the result is read.
func (r *Run) Add(rec *record.Record) bool { return r.first.add(&View{Record: rec}) }

// Result ends the run.
func (r *Run) Result() Result {
	r.first.flush()
	return Result{Columns: r.last.columns, Rows: r.last.rows, Cut: r.cut}
}

type collect struct {
	rows    []*View
	columns []string
	most    int
	cut     func(string)
}

func (c *collect) add(v *View) bool {
	if c.most > 0 && len(c.rows) >= c.most {
		c.cut("More rows were found than are shown.")
		return false
	}
	c.rows = append(c.rows, v)
	return true
}

func (c *collect) flush() {}

func columnsBehind(p Pipe, before []string) []string {
	switch p := p.(type) {
	case Stats:
		var names []string
		for _, by := range p.By {
			names = append(names, by.Field)
		}
		for _, c := range p.Calls {
			names = append(names, c.Name)
		}
		return names
	case Top:
		return append(slices.Clone(p.Fields), "count")
	case Pattern:
		return []string{"pattern", "count", "sample"}
	case Fields:
		return p.Names
	}
	return before
}

func (r *Run) step(p Pipe, next step, limits Limits) step {
	switch p := p.(type) {
	case Where:
		return &filterStep{next: next, test: compile(p.Filter)}
	case Limit:
		return &limitStep{next: next, left: p.N}
	case Fields:
		return &fieldsStep{next: next, names: p.Names}
	case Dedup:
		return &dedupStep{next: next, names: p.Names, seen: map[string]bool{}, most: limits.Groups * 10, cut: r.note}
	case Sort:
		return &sortStep{next: next, keys: p.Keys, most: limits.Rows, cut: r.note}
	case Stats:
		return newStatsStep(p, next, limits.Groups, r.note)
	case Top:
		stats := Stats{Calls: []Call{{Func: "count", Name: "count"}}}
		for _, name := range p.Fields {
			stats.By = append(stats.By, By{Field: name})
		}
		var behind step = &limitStep{next: next, left: p.N}
		behind = &sortStep{next: behind, keys: []SortKey{{"count", true}}, most: limits.Groups, cut: r.note}
		return newStatsStep(stats, behind, limits.Groups, r.note)
	case Pattern:
		return newPatternStep(next, r.note)
	}
	return &mapStep{next: next, change: transform(p)}
}

type filterStep struct {
	next step
	test condition
}

func (s *filterStep) add(v *View) bool { return !s.test(v) || s.next.add(v) }
func (s *filterStep) flush()           { s.next.flush() }

type limitStep struct {
	next step
	left int
}

func (s *limitStep) add(v *View) bool {
	if s.left <= 0 {
		return false
	}
	s.left--
	return s.next.add(v) && s.left > 0
}

func (s *limitStep) flush() { s.next.flush() }

type fieldsStep struct {
	next  step
	names []string
}

func (s *fieldsStep) add(v *View) bool {
	v.only = map[string]bool{}
	kept := v.Extra[:0]
	for _, name := range s.names {
		v.only[name] = true
	}
	for _, f := range v.Extra {
		if v.only[f.Name] {
			kept = append(kept, f)
		}
	}
	v.Extra = kept
	return s.next.add(v)
}

func (s *fieldsStep) flush() { s.next.flush() }

type dedupStep struct {
	next  step
	names []string
	seen  map[string]bool
	most  int
	cut   func(string)
}

func (s *dedupStep) add(v *View) bool {
	key := v.key(s.names)
	if s.seen[key] {
		return true
	}
	if len(s.seen) >= s.most {
		s.cut("There are more distinct values than dedup can tell apart.")
		return false
	}
	s.seen[key] = true
	return s.next.add(v)
}

func (s *dedupStep) flush() { s.next.flush() }

type mapStep struct {
	next   step
	change func(*View) bool
}

func (s *mapStep) add(v *View) bool { return !s.change(v) || s.next.add(v) }
func (s *mapStep) flush()           { s.next.flush() }
