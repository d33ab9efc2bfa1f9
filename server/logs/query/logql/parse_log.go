package logql

import (
	"net/netip"
	"regexp"
	"strings"

	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/logs/record"
)

// fieldName knows Loki's other name for the level that intake found.
func fieldName(name string) string {
	if name == "detected_level" {
		return record.NameLevel
	}
	return name
}

// ParseSelector reads {name="value", …}, as /series?match[] has it.
func ParseSelector(text string) (query.Expr, error) {
	s, err := newScanner(text)
	if err != nil {
		return nil, err
	}
	e, err := s.selector()
	if err == nil && !s.end() {
		err = s.unexpected("the end")
	}
	return e, err
}

func (s *scanner) selector() (query.Expr, error) {
	if err := s.expect("{"); err != nil {
		return nil, err
	}
	var all query.And
	for !s.take("}") {
		if len(all) > 0 {
			if err := s.expect(","); err != nil {
				return nil, err
			}
			if s.take("}") {
				break
			}
		}
		if len(all) > maxTerms {
			return nil, s.fail(s.i, "too many matchers")
		}
		m, err := s.matcher()
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

func (s *scanner) matcher() (query.Expr, error) {
	name := s.identifier()
	if name == "" {
		return nil, s.unexpected("a label name or }")
	}
	op, err := s.operator("=~", "!~", "!=", "=")
	if err != nil {
		return nil, err
	}
	at := s.i
	value, err := s.text()
	if err != nil {
		return nil, err
	}
	// The level is a part of each line here, whether or not the shipper made it a label.
	label := fieldName(name) != record.NameLevel
	return s.compareText(fieldName(name), op, value, label, at)
}

func (s *scanner) operator(ops ...string) (string, error) {
	for _, op := range ops {
		if s.take(op) {
			return op, nil
		}
	}
	return "", s.unexpected(strings.Join(ops, ", "))
}

func (s *scanner) compareText(name, op, value string, label bool, at int) (query.Expr, error) {
	switch op {
	case "=~", "!~":
		// Labels are matched as a whole; the text is tied to both ends by Whole.
		re, problem := query.CompileRegexp("(?s:" + value + ")")
		if problem != "" {
			return nil, s.fail(at, "%s", problem)
		}
		re.Longest()
		var e query.Expr = query.Regexp{Field: name, Re: re, Whole: true, Label: label}
		if op == "!~" {
			e = query.Not{X: e}
		}
		return e, nil
	}
	relation := query.Equal
	if op == "!=" {
		relation = query.NotEqual
	}
	c, _ := query.NewCompare(name, relation, value, true)
	c.Label = label
	return c, nil
}

// pipeline reads line filters and stages, up to an unwrap or a bracket.
func (s *scanner) pipeline() (*query.Query, *Unwrap, error) {
	q := &query.Query{}
	e, err := s.selector()
	if err != nil {
		return nil, nil, err
	}
	q.Filter = e
	for {
		if s.terms++; s.terms > maxTerms {
			return nil, nil, s.fail(s.i, "too many stages")
		}
		if f, ok, err := s.lineFilter(); err != nil {
			return nil, nil, err
		} else if ok {
			s.add(q, f)
			continue
		}
		if !s.take("|") {
			return q, nil, nil
		}
		if s.word("unwrap") {
			u, err := s.unwrap()
			if err != nil {
				return nil, nil, err
			}
			return q, u, s.behindUnwrap(q)
		}
		if err := s.stage(q); err != nil {
			return nil, nil, err
		}
	}
}

// behindUnwrap reads the label filters that may follow an unwrap.
func (s *scanner) behindUnwrap(q *query.Query) error {
	for s.take("|") {
		if err := s.stage(q); err != nil {
			return err
		}
	}
	return nil
}

// add puts a condition into the filter while nothing has changed the rows, so
// that the store can skip by it.
func (s *scanner) add(q *query.Query, e query.Expr) {
	if len(q.Pipes) > 0 {
		q.Pipes = append(q.Pipes, query.Where{Filter: e})
		return
	}
	q.Filter = append(q.Filter.(query.And), e)
}

func (s *scanner) lineFilter() (query.Expr, bool, error) {
	op := ""
	for _, o := range []string{"|=", "|~", "|>", "!=", "!~", "!>"} {
		if s.take(o) {
			op = o
			break
		}
	}
	if op == "" {
		return nil, false, nil
	}
	var or query.Or
	for {
		e, err := s.lineTest(op)
		if err != nil {
			return nil, false, err
		}
		or = append(or, e)
		if !s.word("or") {
			break
		}
	}
	var e query.Expr = or
	if len(or) == 1 {
		e = or[0]
	}
	if op[0] == '!' {
		e = query.Not{X: e}
	}
	return e, true, nil
}

func (s *scanner) lineTest(op string) (query.Expr, error) {
	if s.word("ip") {
		return nil, s.fail(s.i, "ip() is supported for labels, not for lines")
	}
	at := s.i
	text, err := s.text()
	if err != nil {
		return nil, err
	}
	switch op[1] {
	case '~':
		re, problem := query.CompileRegexp(text)
		if problem != "" {
			return nil, s.fail(at, "%s", problem)
		}
		return query.Regexp{Re: re}, nil
	case '>':
		re, problem := patternRegexp(text, false)
		if problem != "" {
			return nil, s.fail(at, "%s", problem)
		}
		return query.Regexp{Re: re}, nil
	}
	if text == "" {
		return query.And{}, nil
	}
	return query.Text{Text: text, Mode: query.Substring, Exact: true}, nil
}

// patternRegexp turns <name> into captures; <_> captures nothing.
func patternRegexp(pattern string, tied bool) (*regexp.Regexp, string) {
	var b strings.Builder
	if tied {
		b.WriteString("^")
	}
	captures := captureAt.FindAllStringSubmatchIndex(pattern, -1)
	last := 0
	for i, c := range captures {
		b.WriteString(regexp.QuoteMeta(pattern[last:c[0]]))
		last = c[1]
		lazy := ".*?"
		if i == len(captures)-1 && last == len(pattern) {
			lazy = ".*"
		}
		if name := pattern[c[2]:c[3]]; name == "_" {
			b.WriteString("(?:" + lazy + ")")
		} else {
			b.WriteString("(?P<" + name + ">" + lazy + ")")
		}
	}
	b.WriteString(regexp.QuoteMeta(pattern[last:]))
	return query.CompileRegexp("(?s)" + b.String())
}

var captureAt = regexp.MustCompile(`<([a-zA-Z_][a-zA-Z0-9_]*)>`)

// ipRange reads an address, a network in CIDR form, or from-to.
func ipRange(text string) (query.Prefixed, bool) {
	if from, to, ok := strings.Cut(text, "-"); ok {
		a, err1 := netip.ParseAddr(from)
		b, err2 := netip.ParseAddr(to)
		return query.Prefixed{From: a, To: b}, err1 == nil && err2 == nil
	}
	if p, err := netip.ParsePrefix(text); err == nil {
		p = p.Masked()
		last := p.Addr().AsSlice()
		for bit := p.Bits(); bit < len(last)*8; bit++ {
			last[bit/8] |= 1 << (7 - bit%8)
		}
		to, _ := netip.AddrFromSlice(last) // a slice of an address is one
		return query.Prefixed{From: p.Addr(), To: to}, true
	}
	a, err := netip.ParseAddr(text)
	return query.Prefixed{From: a, To: a}, err == nil
}
