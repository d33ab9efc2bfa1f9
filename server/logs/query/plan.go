package query

import (
	"slices"

	"github.com/signalbox/signalbox/server/logs/record"
)

// Plan is a query made ready: a test for records, and what the store may skip.
type Plan struct {
	holds   condition
	filter  Expr
	tokens  [][]string
	columns []string
	all     bool
}

// NewPlan prepares the query's condition. isLabel says whether a name is that
// of a label in any stream asked for: what is a field alone is found by the
// tokens of its value. nil says that any name may be a label's.
func NewPlan(q *Query, isLabel func(name string) bool) *Plan {
	p := &Plan{filter: q.Filter, holds: compile(q.Filter), columns: []string{}}
	p.tokens = pruner{isLabel}.mustHold(q.Filter)
	p.collect(q.Filter)
	return p
}

// Filter is the condition that the plan is of.
func (p *Plan) Filter() Expr { return p.filter }

// Match says whether the record meets the condition.
func (p *Plan) Match(r *record.Record) bool { return p.holds(&View{Record: r}) }

// Tokens are what a record must hold to match: one of each inner list. nil
// says nothing.
func (p *Plan) Tokens() [][]string { return p.tokens }

// Streams says whether records of a stream can match at all.
func (p *Plan) Streams(l record.Labels) bool {
	return inStreamAt(p.filter, l, record.Unknown) != never
}

// Decide says whether records of a stream and level match, if labels and level
// alone tell.
func (p *Plan) Decide(l record.Labels, level record.Level) (holds, known bool) {
	v := inStreamAt(p.filter, l, level)
	return v == always, v != perhaps
}

// pruner derives tokens from conditions.
type pruner struct{ isLabel func(string) bool }

// inFilters says whether the values of a name are in the token filters, which
// know messages and fields, and neither labels nor the level.
func (p pruner) inFilters(name string) bool {
	switch name {
	case "", record.NameMessage:
		return true
	case Level, record.NameTime, record.NameStream:
		return false
	}
	return p.isLabel != nil && !p.isLabel(name)
}

// mustHold are tokens that any match holds: one of each inner list.
func (p pruner) mustHold(e Expr) [][]string {
	switch e := e.(type) {
	case And:
		var all [][]string
		for _, x := range e {
			all = append(all, p.mustHold(x)...)
		}
		return all
	case Or:
		return p.oneOf(e)
	case Text:
		return each(p.textTokens(e))
	case Compare:
		return p.compareTokens(e)
	}
	return nil
}

// compareTokens: a value that is equal holds the same tokens.
func (p pruner) compareTokens(c Compare) [][]string {
	if c.Op != Equal || c.glob != nil || c.Numeric || c.Label || !p.inFilters(c.Field) {
		return nil
	}
	return each(record.Tokens(c.Value))
}

// oneOf joins alternatives: each must say something, or nothing is known.
func (p pruner) oneOf(or Or) [][]string {
	var any []string
	for _, x := range or {
		sure := p.mustHold(x)
		if len(sure) == 0 {
			return nil
		}
		best := sure[0]
		for _, list := range sure[1:] {
			if weight(list) > weight(best) {
				best = list
			}
		}
		any = append(any, best...)
	}
	return [][]string{any}
}

// weight guesses how rare tokens are: few and long ones are.
func weight(list []string) int {
	shortest := 1 << 20
	for _, token := range list {
		shortest = min(shortest, len(token))
	}
	return shortest*4 - len(list)
}

func each(tokens []string) [][]string {
	var all [][]string
	for _, token := range tokens {
		all = append(all, []string{token})
	}
	return all
}

func (p pruner) textTokens(t Text) []string {
	if !p.inFilters(t.Field) {
		return nil
	}
	switch t.Mode {
	case Substring:
		return record.InnerTokens(t.Text)
	case Prefix:
		tokens := record.Tokens(t.Text)
		if n := len(tokens); n > 0 && record.IsTokenByte(t.Text[len(t.Text)-1]) {
			return tokens[:n-1]
		}
		return tokens
	}
	return record.Tokens(t.Text)
}

type verdict uint8

const (
	perhaps verdict = iota
	always
	never
)

// inStreamAt evaluates a condition as far as the labels alone decide it, and
// the level where that is known.
func inStreamAt(e Expr, l record.Labels, level record.Level) verdict {
	switch e := e.(type) {
	case nil:
		return always
	case And:
		all := always
		for _, x := range e {
			switch inStreamAt(x, l, level) {
			case never:
				return never
			case perhaps:
				all = perhaps
			}
		}
		return all
	case Or:
		all := never
		for _, x := range e {
			switch inStreamAt(x, l, level) {
			case always:
				return always
			case perhaps:
				all = perhaps
			}
		}
		return all
	case Not:
		switch inStreamAt(e.X, l, level) {
		case always:
			return never
		case never:
			return always
		}
	case Compare:
		return onLabel(e.Field, e.Label, l, level, e.holds)
	case Regexp:
		if e.Field == "" {
			return perhaps
		}
		return onLabel(e.Field, e.Label, l, level, func(s string) bool { return e.matches(s) })
	}
	return perhaps
}

// onLabel decides by a label. Without the label a field of that name may
// exist, unless labels alone are asked.
func onLabel(name string, labelOnly bool, l record.Labels, level record.Level, holds func(string) bool) verdict {
	value := l.Get(name)
	if name == Level && !labelOnly {
		if level == record.Unknown { // a field or a label may have that name
			return perhaps
		}
		value = level.String()
	} else if value == "" && !labelOnly {
		return perhaps
	}
	if holds(value) {
		return always
	}
	return never
}

// Columns are the fields that the condition asks for, each once; nil when it
// asks for any field there is.
func (p *Plan) Columns() []string {
	if p.all {
		return nil
	}
	return p.columns
}

func (p *Plan) collect(e Expr) {
	switch e := e.(type) {
	case And:
		for _, x := range e {
			p.collect(x)
		}
	case Or:
		for _, x := range e {
			p.collect(x)
		}
	case Not:
		p.collect(e.X)
	case Text:
		p.column(e.Field)
	case Regexp:
		p.column(e.Field)
	case Compare:
		p.column(e.Field)
	case Exists:
		p.column(e.Field)
	case Network:
		p.column(e.Field)
	}
}

func (p *Plan) column(name string) {
	if name == record.NameMessage {
		name = "message"
	}
	if name == "" {
		p.all = true
	} else if !slices.Contains(p.columns, name) {
		p.columns = append(p.columns, name)
	}
}
