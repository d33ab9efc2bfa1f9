package query

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxLength = 2000
	maxTerms  = 50
	maxValues = 50
)

// Parse reads a query; an empty text is an empty query, which holds for
// everything. The error is always an *Error.
func Parse(text string) (Query, error) {
	if len(text) > maxLength {
		return Query{}, &Error{0, 0, fmt.Sprintf("The search is longer than %d characters.", maxLength)}
	}
	if !utf8.ValidString(text) {
		return Query{}, &Error{0, 0, "The search is not valid text."}
	}
	p := parser{s: []rune(text)}
	var q Query
	for {
		p.space()
		if p.end() {
			return q, nil
		}
		if len(q.Terms) >= maxTerms {
			return Query{}, p.fail(p.i, fmt.Sprintf("There are more than %d conditions.", maxTerms))
		}
		t, err := p.term()
		if err != nil {
			return Query{}, err
		}
		q.Terms = append(q.Terms, t)
	}
}

type parser struct {
	s []rune
	i int
}

func isSpace(r rune) bool { return unicode.IsSpace(r) }

func (p *parser) end() bool { return p.i >= len(p.s) }

func (p *parser) space() {
	for !p.end() && isSpace(p.s[p.i]) {
		p.i++
	}
}

func (p *parser) take(r rune) bool {
	if !p.end() && p.s[p.i] == r {
		p.i++
		return true
	}
	return false
}

func (p *parser) fail(from int, sentence string) *Error {
	return &Error{from, max(p.i, min(from+1, len(p.s))), sentence}
}

// isWordOperator: words that join conditions elsewhere.
func isWordOperator(s string) bool { return s == "OR" || s == "AND" || s == "NOT" }

func (p *parser) term() (Term, error) {
	t := Term{Pos: p.i}
	t.Not = p.take('!')
	if t.Not && (p.end() || isSpace(p.s[p.i])) {
		return t, p.fail(t.Pos, "Behind ! stands what must not be, without a space: !level:info.")
	}
	name, isKey, err := p.name()
	if err != nil {
		return t, err
	}
	if !isKey {
		err = p.free(&t)
	} else {
		err = p.keyed(&t, name)
	}
	t.End = p.i
	return t, err
}

// name looks ahead for key: and passes it; without one nothing is passed.
func (p *parser) name() (string, bool, error) {
	start := p.i
	if !p.end() && p.s[p.i] == '"' {
		v, ok := p.quoted()
		if ok && p.take(':') && v.Text != "" {
			return v.Text, true, nil
		}
		p.i = start
		return "", false, nil
	}
	i := p.i
	for i < len(p.s) && (p.s[i] < utf8.RuneSelf && bareKey(string(p.s[i]))) {
		i++
	}
	if i > start && i < len(p.s) && p.s[i] == ':' {
		p.i = i + 1
		// "https://…" and "std::vector" are words and no keys.
		if strings.HasPrefix(string(p.s[i:min(i+3, len(p.s))]), "://") || i+1 < len(p.s) && p.s[i+1] == ':' {
			p.i = start
			return "", false, nil
		}
		return string(p.s[start:i]), true, nil
	}
	return "", false, nil
}

func (p *parser) free(t *Term) error {
	t.Op, t.Type = FreeWords, Text
	start := p.i
	var v Value
	var err error
	if p.s[p.i] == '"' {
		if v, err = p.quotedOrFail(); err != nil {
			return err
		}
		if strings.TrimSpace(v.Text) == "" {
			return p.fail(start, "There is nothing between the quotation marks.")
		}
	} else {
		v = p.bare(" ")
		switch {
		case isWordOperator(v.Text):
			return p.fail(start, v.Text+" is not needed: all conditions must hold. Alternatives are written level:[error,fatal], exclusion !level:info. To search for the word, quote it.")
		case strings.HasPrefix(v.Text, "(") && strings.Contains(string(p.s[start:]), ")") && strings.Contains(v.Text, ":"):
			return p.fail(start, "Brackets cannot group conditions; alternatives are written level:[error,fatal].")
		}
	}
	t.Values = []Value{v}
	return nil
}

func (p *parser) keyed(t *Term, name string) error {
	if strings.EqualFold(name, "has") {
		return p.has(t)
	}
	k, hint := lookup(name)
	if hint != "" {
		return p.fail(t.Pos, hint)
	}
	t.Key, t.Type = k.name, k.kind
	start := p.i
	if p.end() || isSpace(p.s[p.i]) {
		return p.fail(t.Pos, fmt.Sprintf("A value is missing behind %s: — %s", name, example(*t)))
	}
	var err error
	if p.s[p.i] == '[' {
		t.Op = Equal
		err = p.list(t, name)
	} else {
		t.Op = p.operator()
		var v Value
		if v, err = p.value(" "); err == nil {
			t.Values = []Value{v}
		}
	}
	if err != nil {
		return err
	}
	if sentence := check(t); sentence != "" {
		return p.fail(start, sentence)
	}
	return nil
}

// example words what could stand behind a key.
func example(t Term) string {
	switch t.Type {
	case Number:
		return "for example " + t.Key + ":>10."
	case Moment:
		return "for example " + t.Key + ":-7d or " + t.Key + ":>2026-01-31."
	case State:
		return "for example is:unresolved."
	case Person:
		return "for example assigned:me."
	}
	return fmt.Sprintf("for example %s:abc*; events without it are !has:%s.", t.Key, quoteWord(t.Key))
}

func (p *parser) has(t *Term) error {
	start := p.i
	if p.end() || isSpace(p.s[p.i]) {
		return p.fail(t.Pos, "The name of a tag or field is missing behind has: — for example has:user.email.")
	}
	v, err := p.value(" ")
	if err != nil {
		return err
	}
	if v.IsPattern() || v.Text == "" {
		return p.fail(start, "Behind has: stands one name, without *.")
	}
	t.Op, t.Type, t.Key = Has, Tag, v.Text
	if k, ok := keys[strings.ToLower(v.Text)]; ok {
		if k.kind == State {
			return p.fail(start, "Every issue has a state; write is:unresolved, for example.")
		}
		t.Key, t.Type = k.name, k.kind
	} else if tag, ok := strings.CutPrefix(v.Text, "tags."); ok && tag != "" {
		t.Key = tag
	}
	return nil
}

func (p *parser) operator() Op {
	for _, op := range [...]Op{AtLeast, AtMost, Greater, Less, Equal} {
		if strings.HasPrefix(string(p.s[p.i:min(p.i+2, len(p.s))]), string(op)) {
			p.i += len(op)
			return op
		}
	}
	return Equal
}

func (p *parser) list(t *Term, name string) error {
	start := p.i
	p.i++
	for {
		p.space()
		if p.take(']') {
			break
		}
		if p.end() {
			return p.fail(start, fmt.Sprintf("The list does not end: %s:[a,b].", name))
		}
		if p.take(',') {
			continue
		}
		if len(t.Values) >= maxValues {
			return p.fail(start, fmt.Sprintf("A list has at most %d values.", maxValues))
		}
		v, err := p.value(",]")
		if err != nil {
			return err
		}
		t.Values = append(t.Values, v)
	}
	if len(t.Values) == 0 {
		return p.fail(start, fmt.Sprintf("The list is empty: %s:[a,b].", name))
	}
	return nil
}

func (p *parser) value(until string) (Value, error) {
	if !p.end() && p.s[p.i] == '"' {
		start := p.i
		v, err := p.quotedOrFail()
		if err != nil {
			return v, err
		}
		if !p.end() && !isSpace(p.s[p.i]) && !strings.ContainsRune(until, p.s[p.i]) {
			return v, p.fail(start, "Behind the closing quotation mark a space is missing.")
		}
		v.Quoted = false // a value is one in any case
		return v, nil
	}
	v := p.bare(until)
	if until != " " {
		v = trimmed(v)
	}
	return v, nil
}

// bare reads up to a space or one of the given characters.
func (p *parser) bare(until string) Value {
	var b builder
	for !p.end() {
		c := p.s[p.i]
		if strings.ContainsRune(until, c) || until == " " && isSpace(c) {
			break
		}
		if c == '\\' && p.i+1 < len(p.s) && (p.s[p.i+1] == '*' || p.s[p.i+1] == '\\' || p.s[p.i+1] == '"') {
			p.i++
			b.literal(p.s[p.i])
		} else {
			b.add(c)
		}
		p.i++
	}
	return b.value()
}

func trimmed(v Value) Value {
	v.Text = strings.TrimSpace(v.Text)
	if n := len(v.Parts); n > 0 {
		v.Parts[0] = strings.TrimLeftFunc(v.Parts[0], isSpace)
		v.Parts[n-1] = strings.TrimRightFunc(v.Parts[n-1], isSpace)
	}
	return v
}

func (p *parser) quotedOrFail() (Value, error) {
	start := p.i
	v, ok := p.quoted()
	if !ok {
		p.i = len(p.s)
		return v, p.fail(start, "The quotation does not end.")
	}
	return v, nil
}

func (p *parser) quoted() (Value, bool) {
	var b builder
	for i := p.i + 1; i < len(p.s); i++ {
		switch c := p.s[i]; {
		case c == '"':
			p.i = i + 1
			v := b.value()
			v.Quoted = true
			return v, true
		case c == '\\' && i+1 < len(p.s):
			i++
			b.literal(p.s[i])
		default:
			b.add(c)
		}
	}
	return Value{}, false
}

// builder collects a value and splits it at its stars.
type builder struct {
	text  strings.Builder
	part  strings.Builder
	parts []string
}

func (b *builder) literal(c rune) {
	b.text.WriteRune(c)
	b.part.WriteRune(c)
}

func (b *builder) add(c rune) {
	if c != '*' {
		b.literal(c)
		return
	}
	b.text.WriteRune(c)
	b.parts = append(b.parts, b.part.String())
	b.part.Reset()
}

func (b *builder) value() Value {
	v := Value{Text: b.text.String()}
	if b.parts != nil {
		v.Parts = append(b.parts, b.part.String())
	}
	return v
}
