package query

import (
	"net/netip"
	"strings"
)

// Prefixed is a network or one address.
type Prefixed struct{ From, To netip.Addr }

type condition func(*View) bool

// compile turns a condition into functions once, so that a record costs no
// preparation.
func compile(e Expr) condition {
	switch e := e.(type) {
	case nil:
		return func(*View) bool { return true }
	case And:
		return compileAnd(e)
	case Or:
		return compileOr(e)
	case Not:
		x := compile(e.X)
		return func(v *View) bool { return !x(v) }
	case Text:
		return compileText(e)
	case Regexp:
		return compileRegexp(e)
	case Compare:
		return func(v *View) bool { return e.holds(v.scoped(e.Field, e.Label)) }
	case Exists:
		return func(v *View) bool {
			value, ok := v.Value(e.Field)
			return ok && value != ""
		}
	case Network:
		return func(v *View) bool {
			value, _ := v.Value(e.Field)
			return e.holds(value)
		}
	}
	return func(*View) bool { return false }
}

func compileAnd(e And) condition {
	all := make([]condition, len(e))
	for i, x := range e {
		all[i] = compile(x)
	}
	return func(v *View) bool {
		for _, holds := range all {
			if !holds(v) {
				return false
			}
		}
		return true
	}
}

func compileOr(e Or) condition {
	any := make([]condition, len(e))
	for i, x := range e {
		any[i] = compile(x)
	}
	return func(v *View) bool {
		for _, holds := range any {
			if holds(v) {
				return true
			}
		}
		return false
	}
}

func compileText(e Text) condition {
	n := newNeedle(e)
	if e.Field != "" {
		return func(v *View) bool {
			value, ok := v.Value(e.Field)
			return ok && n.in(value)
		}
	}
	return func(v *View) bool { return anywhere(v, n.in) }
}

func compileRegexp(e Regexp) condition {
	test := e.matches
	if e.Field != "" {
		return func(v *View) bool { return test(v.scoped(e.Field, e.Label)) }
	}
	return func(v *View) bool { return anywhere(v, test) }
}

func (e Regexp) matches(s string) bool {
	if !e.Whole {
		return e.Re.MatchString(s)
	}
	at := e.Re.FindStringIndex(s)
	return at != nil && at[0] == 0 && at[1] == len(s)
}

func anywhere(v *View, test func(string) bool) bool {
	if v.Record == nil {
		return false
	}
	if test(v.Line()) {
		return true
	}
	for i := range v.Fields {
		if test(v.Fields[i].Value) {
			return true
		}
	}
	return false
}

func (n Network) holds(value string) bool {
	addr, err := netip.ParseAddr(strings.TrimSpace(value))
	if err != nil {
		return false
	}
	for _, p := range n.Prefix {
		if p.From.Compare(addr) <= 0 && addr.Compare(p.To) <= 0 {
			return true
		}
	}
	return false
}
