package logql

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/query"
)

// Parse reads LogQL; the error is a *query.Error.
func Parse(text string) (*Expr, error) {
	s, err := newScanner(text)
	if err != nil {
		return nil, err
	}
	e := &Expr{}
	if s.space(); s.at("{") {
		var u *Unwrap
		if e.Log, u, err = s.pipeline(); err == nil && u != nil {
			err = s.fail(0, "unwrap is only of use inside a range aggregation")
		}
	} else {
		e.Metric, err = s.binary(0)
	}
	if err != nil {
		return nil, err
	}
	if !s.end() {
		return nil, s.unexpected("the end")
	}
	return e, nil
}

// Operators from the loosest to the tightest.
var precedence = [][]string{{"or"}, {"and", "unless"}, {"==", "!=", ">=", "<=", ">", "<"}, {"+", "-"}, {"*", "/", "%"}, {"^"}}

func (s *scanner) binary(level int) (Metric, error) {
	if level == len(precedence) {
		return s.unary()
	}
	if s.depth++; s.depth > maxDepth*len(precedence) {
		return nil, s.fail(s.i, "the brackets lie too deep")
	}
	defer func() { s.depth-- }()
	left, err := s.binary(level + 1)
	if err != nil {
		return nil, err
	}
	for {
		op := s.binaryOperator(level)
		if op == "" {
			return left, nil
		}
		if s.terms++; s.terms > maxTerms {
			return nil, s.fail(s.i, "too many operators")
		}
		b := &Binary{Op: op, L: left, Bool: s.word("bool")}
		if err := s.matching(b); err != nil {
			return nil, err
		}
		behind := level + 1
		if op == "^" {
			behind = level // to the right
		}
		if b.R, err = s.binary(behind); err != nil {
			return nil, err
		}
		left = b
	}
}

func (s *scanner) binaryOperator(level int) string {
	for _, op := range precedence[level] {
		if op[0] >= 'a' {
			if s.word(op) {
				return op
			}
		} else if s.take(op) {
			return op
		}
	}
	return ""
}

func (s *scanner) matching(b *Binary) error {
	on := s.word("on")
	if !on && !s.word("ignoring") {
		return nil
	}
	names, err := s.labelList()
	b.On, b.Matching = on, names
	if b.Matching == nil {
		b.Matching = []string{}
	}
	if s.word("group_left") || s.word("group_right") {
		return s.fail(s.i, "group_left and group_right are not supported")
	}
	return err
}

func (s *scanner) labelList() ([]string, error) {
	if err := s.expect("("); err != nil {
		return nil, err
	}
	names := []string{}
	for !s.take(")") {
		name := s.identifier()
		if name == "" || len(names) > maxTerms {
			return nil, s.unexpected("a label name")
		}
		names = append(names, name)
		if !s.take(",") {
			return names, s.expect(")")
		}
	}
	return names, nil
}

var (
	rangeFuncs  = []string{"rate", "rate_counter", "count_over_time", "bytes_rate", "bytes_over_time", "absent_over_time", "sum_over_time", "avg_over_time", "min_over_time", "max_over_time", "stdvar_over_time", "stddev_over_time", "quantile_over_time", "first_over_time", "last_over_time"}
	lineFuncs   = []string{"rate", "count_over_time", "bytes_rate", "bytes_over_time", "absent_over_time"}
	valueFuncs  = rangeFuncs[6:]
	vectorFuncs = []string{"sum", "avg", "min", "max", "count", "stddev", "stdvar", "topk", "bottomk", "sort", "sort_desc", "approx_topk"}
)

func (s *scanner) unary() (Metric, error) {
	s.space()
	at := s.i
	if s.take("(") {
		m, err := s.binary(0)
		if err != nil {
			return nil, err
		}
		return m, s.expect(")")
	}
	if s.i < len(s.s) && strings.ContainsRune("+-.0123456789", s.s[s.i]) {
		text := s.quantity()
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, s.fail(at, "syntax error: not a number: %q", text)
		}
		return Number(n), nil
	}
	name := s.identifier()
	switch {
	case slices.Contains(rangeFuncs, name):
		return s.rangeAggregation(name, at)
	case slices.Contains(vectorFuncs, name):
		return s.vectorAggregation(name)
	case name == "vector":
		return s.constant(at)
	case name == "label_replace":
		return s.labelReplace()
	case name != "":
		return nil, s.fail(at, "syntax error: there is no function %q", name)
	}
	return nil, s.unexpected("{ or a function")
}

func (s *scanner) constant(at int) (Metric, error) {
	if err := s.expect("("); err != nil {
		return nil, err
	}
	n, err := strconv.ParseFloat(s.quantity(), 64)
	if err != nil {
		return nil, s.fail(at, "syntax error: vector() takes a number")
	}
	return Constant(n), s.expect(")")
}

func (s *scanner) labelReplace() (Metric, error) {
	if err := s.expect("("); err != nil {
		return nil, err
	}
	x, err := s.binary(0)
	if err != nil {
		return nil, err
	}
	r := &LabelReplace{X: x}
	at := s.i
	for _, target := range []*string{&r.To, &r.With, &r.From, &r.Regex} {
		if err := s.expect(","); err != nil {
			return nil, err
		}
		if *target, err = s.text(); err != nil {
			return nil, err
		}
	}
	if _, problem := query.CompileRegexp("^(?:" + r.Regex + ")$"); problem != "" {
		return nil, s.fail(at, "%s", problem)
	}
	return r, s.expect(")")
}

func (s *scanner) grouping() (*Grouping, error) {
	without := s.word("without")
	if !without && !s.word("by") {
		return nil, nil
	}
	names, err := s.labelList()
	return &Grouping{without, names}, err
}

func (s *scanner) vectorAggregation(op string) (Metric, error) {
	v := &Vector{Op: strings.TrimPrefix(op, "approx_")}
	var err error
	if v.Group, err = s.grouping(); err != nil {
		return nil, err
	}
	if err := s.expect("("); err != nil {
		return nil, err
	}
	if v.Op == "topk" || v.Op == "bottomk" {
		at := s.i
		if v.N, err = strconv.Atoi(s.quantity()); err != nil || v.N < 1 {
			return nil, s.fail(at, "invalid parameter for %s: a number above 0 is expected", op)
		}
		if err := s.expect(","); err != nil {
			return nil, err
		}
	}
	if v.X, err = s.binary(0); err != nil {
		return nil, err
	}
	if err := s.expect(")"); err != nil {
		return nil, err
	}
	if v.Group == nil {
		v.Group, err = s.grouping()
	}
	return v, err
}

func (s *scanner) rangeAggregation(name string, at int) (Metric, error) {
	r := &Range{Func: name}
	if err := s.expect("("); err != nil {
		return nil, err
	}
	if name == "quantile_over_time" {
		q, err := strconv.ParseFloat(s.quantity(), 64)
		if err != nil || q < 0 || q > 1 {
			return nil, s.fail(at, "invalid parameter for quantile_over_time: a number from 0 to 1 is expected")
		}
		r.Quantile = q
		if err := s.expect(","); err != nil {
			return nil, err
		}
	}
	if err := s.window(r); err != nil {
		return nil, err
	}
	if err := s.expect(")"); err != nil {
		return nil, err
	}
	switch {
	case r.Unwrap == nil && !slices.Contains(lineFuncs, name):
		return nil, s.fail(at, "invalid aggregation %s without unwrap", name)
	case r.Unwrap != nil && name != "rate" && !slices.Contains(valueFuncs, name) && name != "rate_counter":
		return nil, s.fail(at, "invalid aggregation %s with unwrap", name)
	}
	var err error
	if r.Group, err = s.grouping(); err == nil && r.Group != nil && r.Unwrap == nil {
		err = s.fail(at, "grouping not allowed for %s aggregation", name)
	}
	return r, err
}

// window reads the lines and [5m]; the range may stand behind the selector or
// behind the pipeline, as in Loki.
func (s *scanner) window(r *Range) error {
	bracket := s.take("(")
	early, at := time.Duration(0), s.i
	var err error
	if early, err = s.earlyWindow(); err != nil {
		return err
	}
	s.i = at
	if r.Log, r.Unwrap, err = s.pipeline(); err != nil {
		return err
	}
	if bracket {
		if err := s.expect(")"); err != nil {
			return err
		}
	}
	r.Window = early
	if early == 0 {
		if r.Window, err = s.brackets(); err != nil {
			return err
		}
	}
	if s.word("offset") {
		r.Offset, err = s.duration()
	}
	if r.Window <= 0 && err == nil {
		err = s.fail(at, "the range must be longer than nothing")
	}
	return err
}

// earlyWindow finds {…}[5m] |= "x" and takes the range out of the text, so
// that the rest is a usual pipeline.
func (s *scanner) earlyWindow() (time.Duration, error) {
	if _, err := s.selector(); err != nil {
		return 0, err
	}
	s.space()
	start := s.i
	if !s.at("[") {
		return 0, nil
	}
	d, err := s.brackets()
	if err != nil {
		return 0, err
	}
	for i := start; i < s.i; i++ {
		s.s[i] = ' '
	}
	return d, nil
}

func (s *scanner) brackets() (time.Duration, error) {
	if err := s.expect("["); err != nil {
		return 0, err
	}
	// Grafana leaves its variables to be filled in; what is left of them is a minute.
	for _, variable := range []string{"$__interval", "$__auto", "$__range"} {
		if s.take(variable) {
			return time.Minute, s.expect("]")
		}
	}
	d, err := s.duration()
	if err != nil {
		return 0, err
	}
	return d, s.expect("]")
}
