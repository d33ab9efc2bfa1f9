package logql

import (
	"strings"

	"github.com/signalbox/signalbox/server/logs/query"
)

// stage reads what stands behind a |.
func (s *scanner) stage(q *query.Query) error {
	s.space()
	at := s.i
	switch name := s.peekWord(); name {
	case "json", "logfmt":
		s.word(name)
		p := query.Extract{Format: query.ExtractFormat(name)}
		for s.take("--strict") || s.take("--keep-empty") {
			continue // both only change what happens to broken or empty values
		}
		var err error
		p.Names, err = s.extractions()
		q.Pipes = append(q.Pipes, p)
		return err
	case "unpack":
		s.word(name)
		q.Pipes = append(q.Pipes, query.Extract{Format: query.ExtractUnpack})
		return nil
	case "regexp", "pattern":
		s.word(name)
		return s.byExpression(q, name, at)
	case "line_format":
		s.word(name)
		t, err := s.template()
		q.Pipes = append(q.Pipes, query.LineFormat{Template: t})
		return err
	case "label_format":
		s.word(name)
		return s.labelFormat(q)
	case "keep", "drop":
		s.word(name)
		return s.keepOrDrop(q, name)
	case "decolorize":
		s.word(name)
		q.Pipes = append(q.Pipes, query.Decolorize{})
		return nil
	}
	e, err := s.labelFilter()
	if err == nil {
		s.add(q, e)
	}
	return err
}

// extractions reads a, b="path.to", … behind json and logfmt.
func (s *scanner) extractions() ([]query.Rename, error) {
	var names []query.Rename
	for {
		start := s.i
		name := s.identifier()
		if name == "" {
			if len(names) > 0 {
				return nil, s.unexpected("a name")
			}
			s.i = start
			return nil, nil
		}
		r := query.Rename{To: name, From: name}
		if s.take("=") {
			path, err := s.text()
			if err != nil {
				return nil, err
			}
			r.From = strings.NewReplacer(`["`, ".", `"]`, "", "[", ".", "]", "").Replace(path)
		}
		if names = append(names, r); len(names) > maxTerms {
			return nil, s.fail(s.i, "too many names")
		}
		if !s.take(",") {
			return names, nil
		}
	}
}

func (s *scanner) byExpression(q *query.Query, format string, at int) error {
	text, err := s.text()
	if err != nil {
		return err
	}
	re, problem := query.CompileRegexp(text)
	if format == "pattern" {
		re, problem = patternRegexp(text, true)
	}
	if problem == "" && re.NumSubexp() == 0 {
		problem = "at least one named capture must be supplied"
	}
	if problem != "" {
		return s.fail(at, "%s", problem)
	}
	q.Pipes = append(q.Pipes, query.Extract{Format: query.ExtractRegexp, Re: re})
	return nil
}

func (s *scanner) template() (*query.Template, error) {
	s.space()
	at := s.i
	text, err := s.text()
	if err != nil {
		return nil, err
	}
	t, problem := query.NewTemplate(text)
	if problem != "" {
		return nil, s.fail(at, "%s", problem)
	}
	return t, nil
}

func (s *scanner) labelFormat(q *query.Query) error {
	var p query.LabelFormat
	for {
		set := query.LabelSet{Name: s.identifier()}
		if set.Name == "" || len(p.Sets) > maxTerms {
			return s.unexpected("a label name")
		}
		if err := s.expect("="); err != nil {
			return err
		}
		if s.atString() {
			t, err := s.template()
			if err != nil {
				return err
			}
			set.Template = t
		} else if set.From = fieldName(s.identifier()); set.From == "" {
			return s.unexpected("a label name or a template")
		}
		p.Sets = append(p.Sets, set)
		if !s.take(",") {
			q.Pipes = append(q.Pipes, p)
			return nil
		}
	}
}

func (s *scanner) keepOrDrop(q *query.Query, stage string) error {
	var tests []query.LabelTest
	for {
		start := s.i
		name := s.identifier()
		if name == "" || len(tests) > maxTerms {
			return s.unexpected("a label name")
		}
		test := query.LabelTest{Name: name}
		if s.take("=~") || s.take("!~") || s.take("!=") || s.take("=") {
			s.i = start
			m, err := s.matcher()
			if err != nil {
				return err
			}
			test.Only = unlabelled(m)
		}
		tests = append(tests, test)
		if !s.take(",") {
			break
		}
	}
	if stage == "keep" {
		q.Pipes = append(q.Pipes, query.Keep{Names: tests})
	} else {
		q.Pipes = append(q.Pipes, query.Drop{Names: tests})
	}
	return nil
}

// unlabelled lets a matcher ask extracted labels too.
func unlabelled(e query.Expr) query.Expr {
	switch e := e.(type) {
	case query.Compare:
		e.Label = false
		return e
	case query.Regexp:
		e.Label = false
		return e
	case query.Not:
		return query.Not{X: unlabelled(e.X)}
	}
	return e
}

// labelFilter reads conditions joined by and, or, a comma or nothing.
func (s *scanner) labelFilter() (query.Expr, error) {
	return s.labelOr()
}

func (s *scanner) labelOr() (query.Expr, error) {
	if s.depth++; s.depth > maxDepth {
		return nil, s.fail(s.i, "the brackets lie too deep")
	}
	defer func() { s.depth-- }()
	var or query.Or
	for {
		e, err := s.labelAnd()
		if err != nil {
			return nil, err
		}
		or = append(or, e)
		if !s.word("or") {
			break
		}
	}
	if len(or) == 1 {
		return or[0], nil
	}
	return or, nil
}

func (s *scanner) labelAnd() (query.Expr, error) {
	var and query.And
	for {
		if s.terms++; s.terms > maxTerms {
			return nil, s.fail(s.i, "too many conditions")
		}
		e, err := s.labelTest()
		if err != nil {
			return nil, err
		}
		and = append(and, e)
		if s.word("and") || s.take(",") {
			continue
		}
		// A name or a bracket right behind is one more condition.
		if next := s.peekWord(); next == "" || next == "or" || next == "offset" {
			break
		}
	}
	if len(and) == 1 {
		return and[0], nil
	}
	return and, nil
}

func (s *scanner) labelTest() (query.Expr, error) {
	if s.take("(") {
		e, err := s.labelOr()
		if err != nil {
			return nil, err
		}
		return e, s.expect(")")
	}
	s.space()
	at := s.i
	name := fieldName(s.identifier())
	if name == "" {
		return nil, s.unexpected("a stage or a label filter")
	}
	op, err := s.operator("=~", "!~", "!=", "==", ">=", "<=", ">", "<", "=")
	if err != nil {
		return nil, err
	}
	if s.atString() {
		value, err := s.text()
		if err != nil {
			return nil, err
		}
		if op == "==" {
			op = "="
		}
		if strings.ContainsAny(op, "<>") {
			return nil, s.fail(at, "syntax error: a string cannot be compared by %s", op)
		}
		return s.compareText(name, op, value, false, at)
	}
	if s.word("ip") {
		return s.ipTest(name, op, at)
	}
	return s.numberTest(name, op, at)
}

func (s *scanner) numberTest(name, op string, at int) (query.Expr, error) {
	relation := map[string]query.Op{"==": query.Equal, "=": query.Equal, "!=": query.NotEqual, ">": query.More, ">=": query.AtLeast, "<": query.Less, "<=": query.AtMost}[op]
	text := s.quantity()
	c, problem := query.NewCompare(name, relation, text, true)
	if problem == "" && !c.IsNumber() {
		problem = "syntax error: a string, number, duration or size is expected"
	}
	if problem != "" || relation == "" {
		return nil, s.fail(at, "%s", problem)
	}
	c.Numeric = true
	return c, nil
}

func (s *scanner) ipTest(name, op string, at int) (query.Expr, error) {
	if err := s.expect("("); err != nil {
		return nil, err
	}
	text, err := s.text()
	if err != nil {
		return nil, err
	}
	if err := s.expect(")"); err != nil {
		return nil, err
	}
	r, ok := ipRange(text)
	if !ok {
		return nil, s.fail(at, "ip: %q is no address, network or range", text)
	}
	var e query.Expr = query.Network{Field: name, Prefix: []query.Prefixed{r}}
	switch op {
	case "!=":
		e = query.Not{X: e}
	case "=", "==":
	default:
		return nil, s.fail(at, "ip: only = and != can be used")
	}
	return e, nil
}

func (s *scanner) unwrap() (*Unwrap, error) {
	name := s.identifier()
	if name == "" {
		return nil, s.unexpected("a label name")
	}
	if (name == "duration" || name == "duration_seconds" || name == "bytes") && s.take("(") {
		u := &Unwrap{Name: fieldName(s.identifier()), As: strings.TrimSuffix(name, "_seconds")}
		if u.Name == "" {
			return nil, s.unexpected("a label name")
		}
		return u, s.expect(")")
	}
	return &Unwrap{Name: fieldName(name)}, nil
}
