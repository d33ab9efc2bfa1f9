package record

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Limits bound what one line may become. A zero is no limit of that sort.
type Limits struct {
	Depth  int // objects nested deeper stay JSON text
	Fields int // names beyond this many go together into one field, MoreField
	Name   int // bytes of a name; the rest is cut off
	Value  int // bytes of a value; the rest is cut off
}

// DefaultLimits suit intake: generous to people, deaf to accidents.
var DefaultLimits = Limits{Depth: 8, Fields: 256, Name: 256, Value: 32 << 10}

// MoreField holds, as name=value text, what came after the last field a line may have.
const MoreField = "_more"

// ErrNotObject is returned for text that is not one JSON object.
var ErrNotObject = errors.New("not a JSON object")

// Flatten turns a JSON object into fields: nested names are joined with dots, arrays
// stay JSON text, null is left out. The fields are sorted, each name once.
func Flatten(raw []byte, limits Limits) ([]Field, error) {
	return AppendFlat(nil, "", string(raw), limits)
}

// AppendFlat is Flatten for a text already in memory, which the fields then share;
// it appends to dst, putting prefix and a dot before each name, and sorts the whole.
func AppendFlat(dst []Field, prefix, text string, limits Limits) ([]Field, error) {
	f := flattener{text: text, limits: limits, fields: dst}
	f.space()
	if f.peek() != '{' {
		return dst, ErrNotObject
	}
	if !f.object(prefix, 1) {
		return dst, ErrNotObject
	}
	f.space()
	if f.pos != len(f.text) {
		return dst, ErrNotObject
	}
	if f.more.Len() > 0 {
		f.fields = append(f.fields, Field{MoreField, f.more.String(), String})
	}
	return SortFields(f.fields), nil
}

// maxDepth ends the recursion on hostile input whatever the limits say.
const maxDepth = 512

// flattener is a JSON scanner that makes fields as it goes: decoding into maps first
// would cost several times the whole of intake.
type flattener struct {
	text   string
	pos    int
	limits Limits
	fields []Field
	more   strings.Builder
}

func (f *flattener) peek() byte {
	if f.pos < len(f.text) {
		return f.text[f.pos]
	}
	return 0
}

func (f *flattener) space() {
	for f.pos < len(f.text) {
		switch f.text[f.pos] {
		case ' ', '\t', '\n', '\r':
			f.pos++
		default:
			return
		}
	}
}

// object reads an object that begins here and keeps its values under prefix.
func (f *flattener) object(prefix string, depth int) bool {
	f.pos++
	f.space()
	if f.peek() == '}' {
		f.pos++
		return true
	}
	for {
		f.space()
		name, ok := f.str()
		if !ok {
			return false
		}
		f.space()
		if f.peek() != ':' {
			return false
		}
		f.pos++
		f.space()
		if prefix != "" {
			name = prefix + "." + name
		}
		if !f.value(name, depth) {
			return false
		}
		f.space()
		switch f.peek() {
		case ',':
			f.pos++
		case '}':
			f.pos++
			return true
		default:
			return false
		}
	}
}

func (f *flattener) value(name string, depth int) bool {
	start := f.pos
	switch c := f.peek(); c {
	case '"':
		s, ok := f.str()
		if ok {
			f.keep(name, s, String)
		}
		return ok
	case '{':
		if (f.limits.Depth == 0 || depth < f.limits.Depth) && depth < maxDepth {
			return f.object(name, depth+1)
		}
		fallthrough
	case '[':
		if !f.skip(depth) {
			return false
		}
		f.keep(name, f.text[start:f.pos], JSON)
		return true
	case 't':
		return f.word("true", name, Bool)
	case 'f':
		return f.word("false", name, Bool)
	case 'n':
		return f.word("null", "", 0)
	default:
		if !f.number() {
			return false
		}
		f.keep(name, f.text[start:f.pos], Number)
		return true
	}
}

func (f *flattener) word(word, name string, kind Kind) bool {
	if !strings.HasPrefix(f.text[f.pos:], word) {
		return false
	}
	f.pos += len(word)
	if name != "" {
		f.keep(name, word, kind)
	}
	return true
}

func (f *flattener) keep(name, value string, kind Kind) {
	if f.limits.Name > 0 && len(name) > f.limits.Name {
		name = cut(name, f.limits.Name)
	}
	if f.limits.Value > 0 && len(value) > f.limits.Value {
		value = cut(value, f.limits.Value)
		if kind == JSON {
			kind = String
		}
	}
	if f.limits.Fields > 0 && len(f.fields) >= f.limits.Fields-1 {
		if f.limits.Value == 0 || f.more.Len()+len(name)+len(value) < f.limits.Value {
			f.more.WriteString(name + "=" + value + " ")
		}
		return
	}
	f.fields = append(f.fields, Field{name, value, kind})
}

// cut shortens a text without leaving half a character.
func cut(s string, n int) string {
	for n > 0 && n < len(s) && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func (f *flattener) number() bool {
	start := f.pos
	for f.pos < len(f.text) {
		switch c := f.text[f.pos]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
			f.pos++
			continue
		}
		break
	}
	s := f.text[start:f.pos]
	return s != "" && (s[0] == '-' || s[0] >= '0' && s[0] <= '9') && s[len(s)-1] >= '0' && s[len(s)-1] <= '9'
}

// skip steps over any value, checking no more than brackets and strings.
func (f *flattener) skip(depth int) bool {
	if depth > maxDepth {
		return false
	}
	open := 0
	for f.pos < len(f.text) {
		switch f.text[f.pos] {
		case '"':
			if _, ok := f.rawString(); !ok {
				return false
			}
			continue
		case '{', '[':
			open++
		case '}', ']':
			open--
		}
		f.pos++
		if open == 0 {
			return true
		}
	}
	return false
}

// rawString steps over a string and tells whether it holds escapes.
func (f *flattener) rawString() (escaped, ok bool) {
	if f.peek() != '"' {
		return false, false
	}
	for f.pos++; f.pos < len(f.text); f.pos++ {
		switch f.text[f.pos] {
		case '"':
			f.pos++
			return escaped, true
		case '\\':
			escaped = true
			f.pos++
		}
	}
	return false, false
}

func (f *flattener) str() (string, bool) {
	start := f.pos + 1
	escaped, ok := f.rawString()
	if !ok {
		return "", false
	}
	s := f.text[start : f.pos-1]
	if !escaped {
		return s, true
	}
	return unescape(s)
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func unescape(s string) (string, bool) {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b = append(b, s[i])
			continue
		}
		if i++; i >= len(s) {
			return "", false
		}
		if s[i] != 'u' {
			if escapes[s[i]] == 0 {
				return "", false
			}
			b = append(b, escapes[s[i]])
			continue
		}
		r, ok := hex4(s, i+1)
		if !ok {
			return "", false
		}
		i += 4
		if utf16.IsSurrogate(r) {
			low, paired := rune(0), false
			if i+2 < len(s) && s[i+1] == '\\' && s[i+2] == 'u' {
				low, paired = hex4(s, i+3)
			}
			if r = utf16.DecodeRune(r, low); paired && r != utf8.RuneError {
				i += 6
			}
		}
		b = utf8.AppendRune(b, r)
	}
	return unsafe.String(unsafe.SliceData(b), len(b)), true
}

func hex4(s string, at int) (rune, bool) {
	if at+4 > len(s) {
		return 0, false
	}
	n, err := strconv.ParseUint(s[at:at+4], 16, 32)
	return rune(n), err == nil
}
