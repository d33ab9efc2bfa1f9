package query

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/signalbox/signalbox/server/logs/record"
)

const (
	maxLength = 4000
	maxDepth  = 20
	maxTerms  = 200
)

// Parse reads a query of our own language. The error is always an *Error; the
// text may be empty, which holds for every record.
func Parse(text string) (*Query, error) {
	p, err := newParser(text)
	if err != nil {
		return nil, err
	}
	q := &Query{}
	if q.Filter, err = p.or(0); err != nil {
		return nil, err
	}
	for p.space(); p.take('|'); p.space() {
		pipe, err := p.pipe()
		if err != nil {
			return nil, err
		}
		if len(q.Pipes) >= maxTerms {
			return nil, p.fail(p.i, "There are too many pipes.")
		}
		q.Pipes = append(q.Pipes, pipe)
	}
	if !p.end() {
		if p.s[p.i] == ')' {
			return nil, p.fail(p.i, "This bracket closes nothing.")
		}
		return nil, p.fail(p.i, fmt.Sprintf("%q is not expected here.", string(p.s[p.i])))
	}
	return q, nil
}

type parser struct {
	s     []rune
	i     int
	terms int
}

func newParser(text string) (*parser, error) {
	if len(text) > maxLength {
		return nil, &Error{0, 0, fmt.Sprintf("The search is longer than %d characters.", maxLength)}
	}
	if !utf8.ValidString(text) {
		return nil, &Error{0, 0, "The search is not valid text."}
	}
	return &parser{s: []rune(text)}, nil
}

func (p *parser) end() bool { return p.i >= len(p.s) }

func (p *parser) space() {
	for !p.end() && unicode.IsSpace(p.s[p.i]) {
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

func (p *parser) peek(r rune) bool { return !p.end() && p.s[p.i] == r }

func (p *parser) fail(from int, sentence string) *Error {
	end := max(p.i, min(from+1, len(p.s)))
	return &Error{min(from, end), end, sentence}
}

// keyword takes a word if it stands alone here, whatever its case.
func (p *parser) keyword(word string) bool {
	end := p.i + len(word)
	if end > len(p.s) || !strings.EqualFold(string(p.s[p.i:end]), word) {
		return false
	}
	if end < len(p.s) && !unicode.IsSpace(p.s[end]) && !strings.ContainsRune("()|,", p.s[end]) {
		return false
	}
	p.i = end
	return true
}

func (p *parser) or(depth int) (Expr, error) {
	var alternatives Or
	at := p.i
	for {
		e, err := p.and(depth)
		if err != nil {
			return nil, err
		}
		if e == nil && len(alternatives) > 0 {
			return nil, &Error{at, at + 2, "A condition is missing beside or."}
		}
		at = p.i
		again := p.keyword("or")
		if e == nil && again {
			return nil, p.fail(at, "A condition is missing beside or.")
		}
		if e != nil {
			alternatives = append(alternatives, e)
		}
		if !again {
			break
		}
	}
	switch len(alternatives) {
	case 0:
		return nil, nil
	case 1:
		return alternatives[0], nil
	}
	return alternatives, nil
}

func (p *parser) and(depth int) (Expr, error) {
	var all And
	for {
		p.space()
		if p.end() || p.peek('|') || p.peek(')') {
			break
		}
		start := p.i
		if p.keyword("or") {
			p.i = start
			break
		}
		if p.keyword("and") {
			continue
		}
		e, err := p.unary(depth)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	switch len(all) {
	case 0:
		return nil, nil
	case 1:
		return all[0], nil
	}
	return all, nil
}

func (p *parser) unary(depth int) (Expr, error) {
	start := p.i
	if p.terms++; p.terms > maxTerms {
		return nil, p.fail(start, fmt.Sprintf("There are more than %d conditions.", maxTerms))
	}
	if depth > maxDepth {
		return nil, p.fail(start, "The brackets lie too deep.")
	}
	if p.take('-') || p.take('!') || p.keyword("not") {
		p.space()
		if p.end() || p.peek('|') || p.peek(')') {
			return nil, p.fail(start, "What must not be is missing behind this: -debug or -level:debug.")
		}
		x, err := p.unary(depth + 1)
		if err != nil {
			return nil, err
		}
		return Not{x}, nil
	}
	if p.take('(') {
		e, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if !p.take(')') {
			return nil, &Error{start, start + 1, "This bracket is not closed."}
		}
		if e == nil {
			return nil, p.fail(start, "There is nothing between the brackets.")
		}
		return e, nil
	}
	return p.term()
}

func (p *parser) term() (Expr, error) {
	start := p.i
	if name, ok := p.fieldName(); ok {
		return p.fieldTerm(fieldName(name), start)
	}
	if p.peek('/') {
		if re, ok, err := p.regexp(); ok || err != nil {
			return Regexp{Re: re}, err
		}
	}
	v, err := p.value(" |()")
	if err != nil {
		return nil, err
	}
	if v.text == "" && !v.glob {
		return nil, p.fail(start, "There is nothing to search for here.")
	}
	return p.words("", v, start)
}

// words makes a search for words from a value that may have stars at its ends.
func (p *parser) words(field string, v value, start int) (Expr, error) {
	text := v.text
	if v.quoted {
		return Text{Field: field, Text: text, Mode: WholeWords}, nil
	}
	left, right := strings.HasPrefix(text, "*"), strings.HasSuffix(text, "*")
	inner := strings.Trim(text, "*")
	switch {
	case inner == "":
		return And{}, nil
	case strings.Contains(inner, "*"):
		return Regexp{Field: field, Re: globRegexp(text, false)}, nil
	case left:
		return Text{Field: field, Text: inner, Mode: Substring}, nil
	case right:
		return Text{Field: field, Text: inner, Mode: Prefix}, nil
	}
	return Text{Field: field, Text: inner, Mode: WholeWords}, nil
}

// fieldName looks for name: and passes it; "https://", "std::map" and 12:30
// are words and no fields.
func (p *parser) fieldName() (string, bool) {
	start := p.i
	if p.peek('"') {
		v, err := p.quoted('"')
		if err == nil && p.peek(':') && v != "" {
			p.i++
			return v, true
		}
		p.i = start
		return "", false
	}
	i := p.i
	for i < len(p.s) && isNameRune(p.s[i]) {
		i++
	}
	if i == start || i >= len(p.s) || p.s[i] != ':' || unicode.IsDigit(p.s[start]) {
		return "", false
	}
	rest := p.s[i+1:]
	if len(rest) > 0 && rest[0] == ':' || len(rest) > 1 && rest[0] == '/' && rest[1] == '/' {
		return "", false
	}
	p.i = i + 1
	return string(p.s[start:i]), true
}

func isNameRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_.@-/", r)
}

func (p *parser) fieldTerm(name string, start int) (Expr, error) {
	if p.end() || unicode.IsSpace(p.s[p.i]) || p.peek('|') || p.peek(')') {
		return nil, p.fail(start, fmt.Sprintf("A value is missing behind %s: — %s:value, %s:>10 or %s:* for any.", name, name, name, name))
	}
	switch {
	case p.peek('('):
		return p.alternatives(name)
	case p.peek('['):
		return p.between(name)
	case p.peek('/'):
		if re, ok, err := p.regexp(); ok || err != nil {
			return Regexp{Field: name, Re: re}, err
		}
	case p.take('~'):
		v, err := p.value(" |()")
		if err != nil {
			return nil, err
		}
		return p.words(name, v, start)
	}
	return p.compare(name, " |)")
}

func (p *parser) compare(name, stop string) (Expr, error) {
	start, op := p.i, Equal
	exact := false
	switch {
	case p.take('>'):
		op = More
		if p.take('=') {
			op = AtLeast
		}
	case p.take('<'):
		op = Less
		if p.take('=') {
			op = AtMost
		}
	case p.take('='):
		exact = true
	}
	v, err := p.value(stop)
	if err != nil {
		return nil, err
	}
	if v.text == "" && !v.quoted {
		return nil, p.fail(start, fmt.Sprintf("A value is missing behind %s:%s.", name, string(p.s[start:p.i])))
	}
	if v.text == "*" && op == Equal && !v.quoted && !exact {
		return Exists{name}, nil
	}
	if name == record.NameMessage && op == Equal && !exact {
		return p.words(name, v, start)
	}
	c, problem := NewCompare(name, op, v.text, exact || v.quoted && strings.Contains(v.text, "*"))
	if problem != "" {
		return nil, p.fail(start, problem)
	}
	return c, nil
}

// alternatives reads field:(a or b or >10).
func (p *parser) alternatives(name string) (Expr, error) {
	open := p.i
	p.i++
	var or Or
	for {
		p.space()
		if p.end() {
			return nil, &Error{open, open + 1, "This bracket is not closed."}
		}
		if p.take(')') {
			break
		}
		if p.take(',') || p.keyword("or") {
			continue
		}
		if p.terms++; p.terms > maxTerms {
			return nil, p.fail(p.i, fmt.Sprintf("There are more than %d conditions.", maxTerms))
		}
		e, err := p.compare(name, " |(),")
		if err != nil {
			return nil, err
		}
		or = append(or, e)
	}
	if len(or) == 0 {
		return nil, p.fail(open, fmt.Sprintf("There is nothing between the brackets: %s:(one or other).", name))
	}
	if len(or) == 1 {
		return or[0], nil
	}
	return or, nil
}

// between reads field:[1..5], both ends included.
func (p *parser) between(name string) (Expr, error) {
	open := p.i
	p.i++
	for !p.end() && !p.peek(']') {
		p.i++
	}
	if p.end() {
		return nil, &Error{open, open + 1, "This bracket is not closed."}
	}
	low, high, ok := strings.Cut(string(p.s[open+1:p.i]), "..")
	p.i++
	low, high = strings.TrimSpace(low), strings.TrimSpace(high)
	if !ok || low == "" || high == "" {
		return nil, p.fail(open, fmt.Sprintf("A range is written with two dots: %s:[400..499].", name))
	}
	from, problem := NewCompare(name, AtLeast, low, false)
	if problem == "" {
		var to Compare
		if to, problem = NewCompare(name, AtMost, high, false); problem == "" {
			return And{from, to}, nil
		}
	}
	return nil, p.fail(open, problem)
}

// regexp reads /…/; false if no second slash follows, so that a path is words.
func (p *parser) regexp() (*regexp.Regexp, bool, error) {
	start := p.i
	var text strings.Builder
	for i := start + 1; i < len(p.s); i++ {
		switch {
		case p.s[i] == '\\' && i+1 < len(p.s) && p.s[i+1] == '/':
			i++
			text.WriteRune('/')
		case p.s[i] == '\\' && i+1 < len(p.s):
			text.WriteRune(p.s[i])
			i++
			text.WriteRune(p.s[i])
		case p.s[i] == '/':
			rest := p.s[i+1:]
			if len(rest) > 0 && !unicode.IsSpace(rest[0]) && rest[0] != '|' && rest[0] != ')' && rest[0] != 'i' {
				return nil, false, nil
			}
			p.i = i + 1
			expression := text.String()
			if p.take('i') {
				expression = "(?i)" + expression
			}
			re, problem := CompileRegexp(expression)
			if problem != "" {
				return nil, true, p.fail(start, problem)
			}
			return re, true, nil
		default:
			text.WriteRune(p.s[i])
		}
	}
	return nil, false, nil
}

type value struct {
	text   string
	quoted bool
	glob   bool
}

// value reads a quoted or bare value up to one of the characters in stop or
// white space.
func (p *parser) value(stop string) (value, error) {
	if p.peek('"') || p.peek('\'') || p.peek('`') {
		text, err := p.quoted(p.s[p.i])
		return value{text: text, quoted: true}, err
	}
	start := p.i
	for !p.end() && !unicode.IsSpace(p.s[p.i]) && !strings.ContainsRune(stop, p.s[p.i]) {
		p.i++
	}
	text := string(p.s[start:p.i])
	return value{text: text, glob: strings.Contains(text, "*")}, nil
}

// quoted reads what stands between two marks; a backslash takes the next
// character as it is (n and t for a line's end and a tab), not between `.
func (p *parser) quoted(mark rune) (string, error) {
	start := p.i
	var text strings.Builder
	for p.i++; !p.end(); p.i++ {
		r := p.s[p.i]
		switch {
		case r == mark:
			p.i++
			return text.String(), nil
		case r == '\\' && mark != '`' && p.i+1 < len(p.s):
			p.i++
			switch p.s[p.i] {
			case 'n':
				text.WriteByte('\n')
			case 't':
				text.WriteByte('\t')
			default:
				text.WriteRune(p.s[p.i])
			}
		default:
			text.WriteRune(r)
		}
	}
	return "", p.fail(start, "This quotation mark is not closed.")
}
