package logql

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/signalbox/signalbox/server/logs/query"
)

// scanner reads a text by runes, so that errors point at characters.
type scanner struct {
	s     []rune
	i     int
	depth int
	terms int
}

const (
	maxLength = 8000
	maxDepth  = 30
	maxTerms  = 500
)

func newScanner(text string) (*scanner, error) {
	if len(text) > maxLength || !utf8.ValidString(text) {
		return nil, &query.Error{Message: fmt.Sprintf("the query is longer than %d characters or no valid text", maxLength)}
	}
	return &scanner{s: []rune(text)}, nil
}

// space passes white space and comments.
func (s *scanner) space() {
	for s.i < len(s.s) {
		if s.s[s.i] == '#' {
			for s.i < len(s.s) && s.s[s.i] != '\n' {
				s.i++
			}
			continue
		}
		if !unicode.IsSpace(s.s[s.i]) {
			return
		}
		s.i++
	}
}

func (s *scanner) end() bool { s.space(); return s.i >= len(s.s) }

// fail points at what stands at from.
func (s *scanner) fail(from int, format string, args ...any) error {
	from = min(from, len(s.s))
	end := max(s.i, min(from+1, len(s.s)))
	return &query.Error{Pos: from, End: end, Message: fmt.Sprintf(format, args...)}
}

func (s *scanner) unexpected(want string) error {
	s.space()
	if s.i >= len(s.s) {
		return s.fail(s.i, "syntax error: unexpected end, expecting %s", want)
	}
	return s.fail(s.i, "syntax error: unexpected %q, expecting %s", string(s.s[s.i]), want)
}

// take passes a symbol if it stands here.
func (s *scanner) take(symbol string) bool {
	s.space()
	if !s.at(symbol) {
		return false
	}
	s.i += len(symbol)
	return true
}

func (s *scanner) at(symbol string) bool {
	for k, r := range symbol {
		if s.i+k >= len(s.s) || s.s[s.i+k] != r {
			return false
		}
	}
	return true
}

func (s *scanner) expect(symbol string) error {
	if !s.take(symbol) {
		return s.unexpected(strconv.Quote(symbol))
	}
	return nil
}

func isIdentifier(r rune, first bool) bool {
	return r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || !first && ('0' <= r && r <= '9' || r == '.' || r == ':')
}

// identifier passes a name; "" if none stands here.
func (s *scanner) identifier() string {
	s.space()
	start := s.i
	for s.i < len(s.s) && isIdentifier(s.s[s.i], s.i == start) {
		s.i++
	}
	return string(s.s[start:s.i])
}

// peekWord is the name that stands here, which is not passed.
func (s *scanner) peekWord() string {
	s.space()
	start := s.i
	word := s.identifier()
	s.i = start
	return word
}

func (s *scanner) word(w string) bool {
	if s.peekWord() != w {
		return false
	}
	s.space()
	s.i += len(w)
	return true
}

func (s *scanner) atString() bool {
	s.space()
	return s.i < len(s.s) && (s.s[s.i] == '"' || s.s[s.i] == '`')
}

// text reads a string as Go writes it.
func (s *scanner) text() (string, error) {
	if !s.atString() {
		return "", s.unexpected("a string")
	}
	start, mark := s.i, s.s[s.i]
	for s.i++; s.i < len(s.s); s.i++ {
		switch {
		case s.s[s.i] == '\\' && mark == '"':
			s.i++
		case s.s[s.i] == mark:
			s.i++
			text, err := strconv.Unquote(string(s.s[start:s.i]))
			if err != nil {
				return "", s.fail(start, "syntax error: invalid string")
			}
			return text, nil
		}
	}
	s.i = len(s.s)
	return "", s.fail(start, "syntax error: literal not terminated")
}

// quantity passes letters and digits: 10, 1.5, 5m, 1h30m, 10KB.
func (s *scanner) quantity() string {
	s.space()
	start := s.i
	if s.i < len(s.s) && (s.s[s.i] == '-' || s.s[s.i] == '+') {
		s.i++
	}
	for s.i < len(s.s) && (unicode.IsLetter(s.s[s.i]) || unicode.IsDigit(s.s[s.i]) || s.s[s.i] == '.' || s.s[s.i] == 'µ') {
		s.i++
	}
	return string(s.s[start:s.i])
}

// duration reads 5m, 1h30m, 1d, 2w, 1y.
func (s *scanner) duration() (time.Duration, error) {
	s.space()
	start := s.i
	text := s.quantity()
	d, ok := parseDuration(text)
	if !ok {
		return 0, s.fail(start, "syntax error: not a valid duration: %q", text)
	}
	return d, nil
}

var dayUnits = map[byte]time.Duration{'d': 24 * time.Hour, 'w': 7 * 24 * time.Hour, 'y': 365 * 24 * time.Hour}

func parseDuration(text string) (time.Duration, bool) {
	negative := strings.HasPrefix(text, "-")
	rest := strings.TrimPrefix(text, "-")
	var days time.Duration
	for {
		at := strings.IndexAny(rest, "dwy")
		if at < 1 {
			break
		}
		n, err := strconv.ParseUint(rest[:at], 10, 16)
		if err != nil {
			return 0, false
		}
		days += time.Duration(n) * dayUnits[rest[at]]
		rest = rest[at+1:]
	}
	if days > 0 && rest == "" {
		rest = "0s"
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || days > 100*365*24*time.Hour {
		return 0, false
	}
	if negative {
		return -(d + days), true
	}
	return d + days, true
}
