package sourcemap

import (
	"regexp"
	"sort"
	"strings"
)

// maxScopeSource: the scopes of larger files are not read; they are generated.
const maxScopeSource = 2 << 20

// scope is a named function's extent in a source, in bytes.
type scope struct {
	start, end uint32
	name       string
}

// block is an open brace while scanning.
type block struct {
	at     int
	header int // where the text that introduces the block begins
	name   string
	class  bool
}

// findScopes finds the named functions of JavaScript or TypeScript source: it
// follows braces, passing over strings, templates, comments and regular
// expressions, and looks at what stands before each opening one. It is no
// parser: an anonymous function belongs to the named one around it, and an
// arrow without braces has no scope.
func findScopes(src string) []scope {
	if len(src) > maxScopeSource {
		return nil
	}
	s := scanner{src: src}
	for s.i < len(s.src) {
		s.step()
	}
	for len(s.open) > 0 { // cut-off source
		s.closeBlock(len(src))
	}
	sort.SliceStable(s.scopes, func(i, j int) bool { return s.scopes[i].end < s.scopes[j].end })
	return s.scopes
}

type scanner struct {
	src    string
	i      int
	open   []block
	scopes []scope
	header int // where the current statement begins
	paren  int
	last   byte // the last byte that is no space, to tell division from a regular expression
}

func (s *scanner) step() {
	c := s.src[s.i]
	switch c {
	case '/':
		s.slash()
		return
	case '"', '\'':
		s.quoted(c)
	case '`':
		s.template()
	case '(':
		s.paren++
	case ')':
		s.paren = max(s.paren-1, 0)
	case ';':
		if s.paren == 0 {
			s.header = s.i + 1
		}
	case '{':
		s.openBlock()
	case '}':
		s.closeBlock(s.i + 1)
		if s.paren == 0 {
			s.header = s.i + 1
		}
	}
	if c > ' ' {
		s.last = c
	}
	s.i++
}

func (s *scanner) openBlock() {
	const longest = 400
	head := s.src[max(s.header, s.i-longest):s.i]
	b := block{at: s.i, header: s.header}
	if name := className(head); name != "" {
		b.name, b.class = name, true
	} else if name := functionName(head, s.inClass()); name != "" {
		b.name = name
		if s.inClass() {
			b.name = s.open[len(s.open)-1].name + "." + name
		}
	}
	s.open = append(s.open, b)
	s.header = s.i + 1
}

func (s *scanner) inClass() bool { return len(s.open) > 0 && s.open[len(s.open)-1].class }

func (s *scanner) closeBlock(end int) {
	if len(s.open) == 0 {
		return
	}
	b := s.open[len(s.open)-1]
	s.open = s.open[:len(s.open)-1]
	if b.name != "" && !b.class {
		s.scopes = append(s.scopes, scope{uint32(b.at), uint32(end), b.name})
	}
	if s.paren > 0 {
		s.header = b.header // "f({a}, function g() {": the statement goes on
	}
}

func (s *scanner) slash() {
	rest := s.src[s.i:]
	switch {
	case strings.HasPrefix(rest, "//"):
		n := strings.IndexByte(rest, '\n')
		if n < 0 {
			n = len(rest)
		}
		s.i += n
		return
	case strings.HasPrefix(rest, "/*"):
		n := strings.Index(rest[2:], "*/")
		if n < 0 {
			s.i = len(s.src)
			return
		}
		s.i += n + 4
		return
	case s.last == 0 || strings.IndexByte("(,=:[!&|?{};+-*%<>~^", s.last) >= 0 || s.afterWord():
		s.regexp()
	}
	s.last = '/'
	s.i++
}

// afterWord: "return /x/" begins a regular expression, "a /x/" divides.
func (s *scanner) afterWord() bool {
	head := strings.TrimRight(s.src[max(s.i-12, 0):s.i], " \t")
	for _, word := range [...]string{"return", "typeof", "case", "in", "of", "=>"} {
		if strings.HasSuffix(head, word) {
			return true
		}
	}
	return false
}

// regexp moves to the closing slash when there is one in this line.
func (s *scanner) regexp() {
	class := false
	for j := s.i + 1; j < len(s.src); j++ {
		switch s.src[j] {
		case '\n':
			return
		case '\\':
			j++
		case '[':
			class = true
		case ']':
			class = false
		case '/':
			if !class {
				s.i = j
				return
			}
		}
	}
}

// quoted moves to the closing quote when there is one in this line.
func (s *scanner) quoted(quote byte) {
	for j := s.i + 1; j < len(s.src); j++ {
		switch s.src[j] {
		case '\n':
			return
		case '\\':
			j++
		case quote:
			s.i = j
			return
		}
	}
}

// template moves behind a template's end; expressions in it are passed over by
// counting their braces.
func (s *scanner) template() {
	depth := 0
	for j := s.i + 1; j < len(s.src); j++ {
		switch c := s.src[j]; {
		case c == '\\':
			j++
		case c == '$' && j+1 < len(s.src) && s.src[j+1] == '{':
			depth++
			j++
		case c == '{' && depth > 0:
			depth++
		case c == '}' && depth > 0:
			depth--
		case c == '`' && depth == 0:
			s.i = j
			return
		}
	}
}

var (
	classHead    = regexp.MustCompile(`\bclass\s+([A-Za-z_$][\w$]*)[^{};()]*$`)
	functionHead = regexp.MustCompile(`\bfunction\s*\*?\s*([A-Za-z_$][\w$]*)\s*(?:<[^{}]*>)?\s*\([^{}]*\)\s*(?::[^{};=]*)?$`)
	assignedHead = regexp.MustCompile(`([A-Za-z_$][\w$.]*)\s*(?::[^=(]*)?[=:]\s*(?:async\s*)?(?:function\s*\*?\s*\([^{}]*\)\s*(?::[^{};=]*)?|(?:<[^{}]*>)?(?:\([^{}]*\)\s*(?::[^{};=]*)?|[A-Za-z_$][\w$]*)\s*=>\s*)$`)
	methodHead   = regexp.MustCompile(`(?:^|[\s*;},])(#?[A-Za-z_$][\w$]*)\s*(?:<[^{}]*>)?\([^{}]*\)\s*(?::[^{};=]*)?$`)
)

func className(head string) string {
	if !strings.Contains(head, "class") {
		return ""
	}
	if m := classHead.FindStringSubmatch(head); m != nil {
		return m[1]
	}
	return ""
}

// functionName finds the name in what stands before an opening brace.
func functionName(head string, inClass bool) string {
	head = strings.TrimRight(head, " \t\r\n")
	if head == "" || strings.IndexByte("=(,[?&|", head[len(head)-1]) >= 0 {
		return "" // an object
	}
	head = flattenBraces(head)
	if m := functionHead.FindStringSubmatch(head); m != nil {
		return m[1]
	}
	if m := assignedHead.FindStringSubmatch(head); m != nil && !statements[m[1]] {
		return m[1]
	}
	if !strings.HasSuffix(head, ")") && !inClass && !strings.Contains(head, ")") {
		return ""
	}
	if m := methodHead.FindStringSubmatch(head); m != nil && !statements[m[1]] && !strings.Contains(head, "=>") {
		return m[1]
	}
	return ""
}

// flattenBraces makes the braces of destructured parameters round.
func flattenBraces(s string) string {
	if strings.IndexByte(s, '{') < 0 {
		return s
	}
	return strings.NewReplacer("{", "[", "}", "]").Replace(s)
}

// statements look like calls before a brace.
var statements = map[string]bool{"if": true, "for": true, "while": true, "switch": true, "catch": true, "with": true, "function": true,
	"return": true, "await": true, "default": true, "case": true}
