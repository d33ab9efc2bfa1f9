package sentry

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// reader walks over JSON once, without building what is not kept. It exists
// beside encoding/json because clients' JSON is not always JSON (NaN, lone
// surrogates, trailing commas), because every field may have any type, and
// because cutting while reading bounds the memory and is about five times as
// fast. Strings are slices of the input where nothing has to change.
//
// A syntax error moves the reader to the end and is kept in bad; every method
// is then a no-op that ends loops, so that callers check once.
type reader struct {
	s     string
	i     int
	depth int
	k     string // the key that key() read
	bad   *MalformedError
	// trimmed says that something did not fit its limit.
	trimmed bool
}

// maxNesting stops recursion; nothing that deep is kept anyway.
const maxNesting = 100

func (r *reader) fail(reason string) {
	if r.bad == nil {
		r.bad = &MalformedError{Reason: reason}
	}
	r.i = len(r.s)
}

// peek skips white space and gives the next byte, 0 at the end.
func (r *reader) peek() byte {
	for r.i < len(r.s) {
		switch c := r.s[r.i]; c {
		case ' ', '\t', '\n', '\r':
			r.i++
		default:
			return c
		}
	}
	return 0
}

// open enters an object ('{') or an array ('['). Any other value is skipped
// and false given.
func (r *reader) open(c byte) bool {
	if r.peek() != c {
		r.skip()
		return false
	}
	if r.depth++; r.depth > maxNesting {
		r.fail("the JSON is nested too deeply")
		return false
	}
	r.i++
	return true
}

// key moves to the next member of the object that open entered; the name is
// in r.k and the value must be consumed before the next call.
func (r *reader) key() bool {
	for {
		switch r.peek() {
		case ',':
			r.i++
			continue
		case '}':
			r.i++
			r.depth--
			return false
		case '"':
			r.k = r.str(maxValue)
			if r.peek() != ':' {
				r.fail("a JSON object has a name without a value")
				return false
			}
			r.i++
			return r.bad == nil
		case 0:
			r.fail("the JSON ends too early")
			return false
		default:
			r.fail("a JSON object has no name before a value")
			return false
		}
	}
}

// elem moves to the next element of the array that open entered.
func (r *reader) elem() bool {
	for {
		switch r.peek() {
		case ',':
			r.i++
			continue
		case ']':
			r.i++
			r.depth--
			return false
		case 0:
			r.fail("the JSON ends too early")
			return false
		case '}', ':':
			r.fail("a JSON array ends with the wrong bracket")
			return false
		}
		return true
	}
}

// skip passes over one value of any kind, however deeply nested, in constant
// memory.
func (r *reader) skip() {
	switch r.peek() {
	case '"':
		r.skipString()
	case '{', '[':
		r.skipNested()
	case 0:
		r.fail("the JSON ends too early")
	default:
		r.literal()
	}
}

func (r *reader) skipNested() {
	depth := 0
	for r.i < len(r.s) {
		switch r.s[r.i] {
		case '"':
			r.skipString()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		r.i++
		if depth == 0 {
			return
		}
	}
	r.fail("the JSON ends too early")
}

func (r *reader) skipString() {
	for i := r.i + 1; i < len(r.s); i++ {
		switch r.s[i] {
		case '\\':
			i++
		case '"':
			r.i = i + 1
			return
		}
	}
	r.fail("a JSON string does not end")
}

// literal reads a number, true, false, null, and what only looks like one.
func (r *reader) literal() string {
	start := r.i
	for r.i < len(r.s) {
		c := r.s[r.i]
		if c <= ' ' || c == ',' || c == '}' || c == ']' || c == ':' || c == '"' || c == '{' || c == '[' {
			break
		}
		r.i++
	}
	if r.i == start {
		r.fail("a JSON value is missing")
		return ""
	}
	word := r.s[start:r.i]
	if !wordLike(word) {
		r.fail("a JSON value is neither number, string, list nor object")
	}
	return word
}

// wordLike accepts numbers, the three words, and Python's and JavaScript's
// NaN, Infinity and undefined.
func wordLike(word string) bool {
	switch word {
	case "true", "false", "null", "undefined", "NaN", "Infinity", "-Infinity", "None":
		return true
	}
	c := word[0]
	return '0' <= c && c <= '9' || c == '-' && len(word) > 1
}

// str reads the string at the cursor and cuts it to max bytes.
func (r *reader) str(max int) string {
	start := r.i + 1
	ascii := true
	for i := start; i < len(r.s); i++ {
		switch c := r.s[i]; {
		case c == '"':
			r.i = i + 1
			s := r.s[start:i]
			if !ascii && !utf8.ValidString(s) {
				s = strings.ToValidUTF8(s, "\uFFFD")
			}
			return r.cut(s, max)
		case c == '\\' || c == 0:
			return r.strSlow(start, max)
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	r.fail("a JSON string does not end")
	return ""
}

// strSlow reads a string with escapes; it stops building at max bytes.
func (r *reader) strSlow(start, max int) string {
	var b strings.Builder
	full := false
	put := func(s string) {
		if !full && b.Len()+len(s) > max+utf8.UTFMax {
			full = true
		}
		if !full {
			b.WriteString(s)
		}
	}
	i := start
	for i < len(r.s) {
		j := i
		for j < len(r.s) && r.s[j] != '"' && r.s[j] != '\\' && r.s[j] != 0 {
			j++
		}
		if chunk := r.s[i:j]; chunk != "" {
			put(cutBytes(chunk, max+utf8.UTFMax-min(b.Len(), max)))
		}
		if j >= len(r.s) {
			break
		}
		switch r.s[j] {
		case '"':
			r.i = j + 1
			s := strings.ToValidUTF8(b.String(), "\uFFFD")
			if full {
				r.trimmed = true
			}
			return r.cut(s, max)
		case 0:
			i = j + 1
		default:
			text, n := unescape(r.s[j:])
			put(text)
			i = j + n
		}
	}
	r.fail("a JSON string does not end")
	return ""
}

// unescape reads the escape sequence at the start of s: its text and length.
func unescape(s string) (string, int) {
	if len(s) < 2 {
		return "", 1
	}
	switch c := s[1]; c {
	case 'n':
		return "\n", 2
	case 't':
		return "\t", 2
	case 'r':
		return "\r", 2
	case 'b':
		return "\b", 2
	case 'f':
		return "\f", 2
	case 'u':
		return unescapeUnicode(s)
	default:
		return s[1:2], 2
	}
}

func unescapeUnicode(s string) (string, int) {
	r1, ok := hex4(s)
	if !ok {
		return "\uFFFD", 2
	}
	if r1 == 0 {
		return "", 6 // PostgreSQL's text cannot hold it
	}
	if utf16.IsSurrogate(r1) {
		if r2, ok := hex4(s[6:]); ok {
			if both := utf16.DecodeRune(r1, r2); both != utf8.RuneError {
				return string(both), 12
			}
		}
		return "\uFFFD", 6
	}
	return string(r1), 6
}

// hex4 reads "\uXXXX".
func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var v rune
	for _, c := range []byte(s[2:6]) {
		switch {
		case '0' <= c && c <= '9':
			v = v<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			v = v<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			v = v<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return v, true
}
