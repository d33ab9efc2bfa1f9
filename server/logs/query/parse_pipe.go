package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/signalbox/signalbox/server/logs/record"
)

// The functions of stats; those in withoutField may stand without one.
var statsFuncs = []string{"count", "count_uniq", "sum", "avg", "min", "max", "median", "quantile", "p50", "p75", "p90", "p95", "p99"}

const pipeNames = "stats, top, sort, limit, fields, dedup, pattern, where"

func (p *parser) pipe() (Pipe, error) {
	p.space()
	start := p.i
	name := strings.ToLower(p.word())
	switch name {
	case "stats":
		return p.stats(start)
	case "top":
		return p.top(start)
	case "sort", "order":
		return p.sort(start)
	case "limit", "head":
		n, err := p.count(start, 1_000_000)
		return Limit{n}, err
	case "fields", "keep":
		names, err := p.names(start, "fields service, message")
		return Fields{names}, err
	case "dedup", "uniq":
		names, err := p.names(start, "dedup message")
		return Dedup{names}, err
	case "pattern", "patterns":
		return Pattern{}, nil
	case "where", "filter":
		e, err := p.or(0)
		if err == nil && e == nil {
			err = p.fail(start, "A condition is missing behind where.")
		}
		return Where{e}, err
	case "":
		return nil, p.fail(start, "A pipe is missing here: "+pipeNames+".")
	}
	return nil, p.fail(start, fmt.Sprintf("There is no pipe %q; there are %s.", name, pipeNames))
}

// word passes letters, digits and the like.
func (p *parser) word() string {
	start := p.i
	for !p.end() && isNameRune(p.s[p.i]) {
		p.i++
	}
	return string(p.s[start:p.i])
}

func (p *parser) name() (string, error) {
	p.space()
	if p.peek('"') {
		return p.quoted('"')
	}
	return fieldName(p.word()), nil
}

// names reads a, b, "c d" with or without brackets around.
func (p *parser) names(start int, example string) ([]string, error) {
	p.space()
	bracket := p.take('(')
	var names []string
	for {
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		if name == "" {
			return nil, p.fail(start, "The name of a field is missing: "+example+".")
		}
		names = append(names, name)
		p.space()
		if !p.take(',') {
			break
		}
	}
	if bracket && !p.take(')') {
		return nil, p.fail(start, "A bracket is not closed.")
	}
	if len(names) > 20 {
		return nil, p.fail(start, "There are more than 20 fields.")
	}
	return names, nil
}

func (p *parser) count(start, most int) (int, error) {
	p.space()
	at := p.i
	n, err := strconv.Atoi(p.word())
	if err != nil || n < 1 || n > most {
		return 0, p.fail(min(start, at), fmt.Sprintf("A number from 1 to %d is needed here.", most))
	}
	return n, nil
}

func (p *parser) top(start int) (Pipe, error) {
	t := Top{N: 10}
	p.space()
	if !p.end() && unicode.IsDigit(p.s[p.i]) {
		n, err := p.count(start, 10_000)
		if err != nil {
			return nil, err
		}
		t.N = n
		p.space()
	}
	p.keyword("by")
	var err error
	t.Fields, err = p.names(start, "top 10 host")
	return t, err
}

func (p *parser) sort(start int) (Pipe, error) {
	p.space()
	p.keyword("by")
	p.space()
	bracket := p.take('(')
	var s Sort
	for {
		p.space()
		minus := p.take('-')
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		if name == "" || len(s.Keys) >= 10 {
			return nil, p.fail(start, "The name of a column is missing: sort count desc.")
		}
		p.space()
		desc := p.keyword("desc")
		if !desc {
			p.keyword("asc")
		}
		s.Keys = append(s.Keys, SortKey{name, desc || minus})
		p.space()
		if !p.take(',') {
			break
		}
	}
	if bracket && !p.take(')') {
		return nil, p.fail(start, "A bracket is not closed.")
	}
	return s, nil
}

// stats reads count() as n, p95(duration) by (service, time(5m)); the grouping
// may also stand in front.
func (p *parser) stats(start int) (Pipe, error) {
	var s Stats
	for {
		p.space()
		if p.keyword("by") {
			if err := p.by(&s, start); err != nil {
				return nil, err
			}
			p.space()
			if len(s.Calls) > 0 || p.end() || p.peek('|') {
				break
			}
			continue
		}
		if p.end() || p.peek('|') || p.peek(')') {
			break
		}
		if len(s.Calls) >= 20 {
			return nil, p.fail(start, "There are more than 20 figures.")
		}
		call, err := p.call()
		if err != nil {
			return nil, err
		}
		s.Calls = append(s.Calls, call)
		p.space()
		p.take(',')
	}
	if len(s.Calls) == 0 {
		s.Calls = []Call{{Func: "count", Name: "count"}}
	}
	return s, nil
}

func (p *parser) call() (Call, error) {
	at := p.i
	c := Call{Func: strings.ToLower(p.word())}
	if !slices.Contains(statsFuncs, c.Func) {
		return c, p.fail(at, fmt.Sprintf("There is no figure %q; there are %s.", c.Func, strings.Join(statsFuncs, ", ")))
	}
	p.space()
	if !p.take('(') {
		return c, p.fail(at, fmt.Sprintf("Brackets are missing: %s(field).", c.Func))
	}
	if c.Func == "quantile" {
		p.space()
		q, err := strconv.ParseFloat(p.word(), 64)
		p.space()
		if err != nil || q < 0 || q > 1 || !p.take(',') {
			return c, p.fail(at, "A quantile is written quantile(0.95, duration).")
		}
		c.Quantile = q
	}
	var err error
	if c.Field, err = p.name(); err != nil {
		return c, err
	}
	p.space()
	p.take('*')
	p.space()
	if !p.take(')') {
		return c, p.fail(at, "This bracket is not closed.")
	}
	if c.Field == "" && c.Func != "count" {
		return c, p.fail(at, fmt.Sprintf("The field is missing: %s(duration).", c.Func))
	}
	c.Name = c.Func
	if c.Field != "" {
		c.Name += "_" + c.Field
	}
	if n, ok := strings.CutPrefix(c.Func, "p"); ok {
		percent, _ := strconv.Atoi(n) // the names are p50 … p99
		c.Func, c.Quantile = "quantile", float64(percent)/100
	}
	if c.Func == "median" {
		c.Func, c.Quantile = "quantile", 0.5
	}
	p.space()
	if p.keyword("as") {
		p.space()
		if c.Name, err = p.name(); err != nil || c.Name == "" {
			return c, p.fail(at, "A name is missing behind as.")
		}
	}
	return c, nil
}

func (p *parser) by(s *Stats, start int) error {
	p.space()
	bracket := p.take('(')
	for {
		name, err := p.name()
		if err != nil {
			return err
		}
		by := By{Field: name}
		if name == record.NameTime && p.take('(') {
			text := p.word()
			n, ok := parseNumber(text)
			if !ok || n.dim != duration || n.v < float64(time.Second) || !p.take(')') {
				return p.fail(start, "Steps of time are written time(5m), of one second at least.")
			}
			by.Step = time.Duration(n.v)
		}
		if name == "" || len(s.By) >= 10 {
			return p.fail(start, "The name of a field is missing: by (service, host).")
		}
		s.By = append(s.By, by)
		p.space()
		if !p.take(',') {
			break
		}
	}
	if bracket && !p.take(')') {
		return p.fail(start, "A bracket is not closed.")
	}
	return nil
}
