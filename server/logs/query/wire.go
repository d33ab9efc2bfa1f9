package query

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
)

// wired is a condition as one server sends it to another: exactly one part is set.
type wired struct {
	And     []wired  `json:"and,omitempty"`
	Or      []wired  `json:"or,omitempty"`
	Not     *wired   `json:"not,omitempty"`
	Text    *Text    `json:"text,omitempty"`
	Regexp  *wiredRe `json:"regexp,omitempty"`
	Compare *Compare `json:"compare,omitempty"`
	Exists  *Exists  `json:"exists,omitempty"`
	Network *Network `json:"network,omitempty"`
	// All holds for everything, as an empty And does.
	All bool `json:"all,omitempty"`
	// None holds for nothing, as an empty Or does.
	None bool `json:"none,omitempty"`
}

type wiredRe struct {
	Field        string
	Re           string
	Whole, Label bool
}

// MarshalExpr writes a condition for another server; nil is a condition, too.
func MarshalExpr(e Expr) ([]byte, error) {
	if e == nil {
		return []byte("null"), nil
	}
	w, err := wire(e)
	if err != nil {
		return nil, err
	}
	return json.Marshal(w)
}

func wire(e Expr) (w wired, err error) {
	switch e := e.(type) {
	case And:
		w.And, err = wireAll(e)
		w.All = len(e) == 0
	case Or:
		w.Or, err = wireAll(e)
		w.None = len(e) == 0
	case Not:
		var x wired
		x, err = wire(e.X)
		w.Not = &x
	case Text:
		w.Text = &e
	case Regexp:
		w.Regexp = &wiredRe{e.Field, e.Re.String(), e.Whole, e.Label}
	case Compare:
		w.Compare = &e
	case Exists:
		w.Exists = &e
	case Network:
		w.Network = &e
	default:
		err = fmt.Errorf("a condition of type %T cannot be sent", e)
	}
	return w, err
}

func wireAll(list []Expr) ([]wired, error) {
	out := make([]wired, len(list))
	for i, e := range list {
		var err error
		if out[i], err = wire(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// UnmarshalExpr reads what MarshalExpr wrote.
func UnmarshalExpr(raw []byte) (Expr, error) {
	var w *wired
	if err := json.Unmarshal(raw, &w); err != nil || w == nil {
		return nil, err
	}
	return w.expr(0)
}

// maxWired is deeper than any query that people may write.
const maxWired = 1000

func (w *wired) expr(depth int) (Expr, error) {
	switch {
	case depth > maxWired:
		return nil, errors.New("a condition is too deep")
	case w.And != nil || w.All:
		list, err := unwireAll(w.And, depth)
		return And(list), err
	case w.Or != nil || w.None:
		list, err := unwireAll(w.Or, depth)
		return Or(list), err
	case w.Not != nil:
		x, err := w.Not.expr(depth + 1)
		return Not{x}, err
	case w.Text != nil:
		return *w.Text, nil
	case w.Regexp != nil:
		re, err := regexp.Compile(w.Regexp.Re)
		return Regexp{Field: w.Regexp.Field, Re: re, Whole: w.Regexp.Whole, Label: w.Regexp.Label}, err
	case w.Compare != nil:
		c, why := NewCompare(w.Compare.Field, w.Compare.Op, w.Compare.Value, w.Compare.Exact)
		if why != "" {
			return nil, errors.New(why)
		}
		c.Label, c.Numeric = w.Compare.Label, w.Compare.Numeric
		return c, nil
	case w.Exists != nil:
		return *w.Exists, nil
	case w.Network != nil:
		return *w.Network, nil
	}
	return nil, errors.New("a condition of an unknown kind")
}

func unwireAll(list []wired, depth int) ([]Expr, error) {
	out := make([]Expr, len(list))
	for i := range list {
		var err error
		if out[i], err = list[i].expr(depth + 1); err != nil {
			return nil, err
		}
	}
	return out, nil
}
