package sentry

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendJSON appends the event's JSON form to buf: what json.Marshal gives, but
// for HTML's characters, which stay as they are. It exists because every event
// is written once: into a buffer that is used again it takes half the time. A
// test fills every field and compares the two.
func (e *Event) AppendJSON(buf []byte) ([]byte, error) {
	w := writer{b: buf}
	w.event(e)
	return w.b, w.err
}

// writer appends JSON. Members are written by name with the comma before them
// where one is needed.
type writer struct {
	b   []byte
	err error
}

func (w *writer) open(c byte) { w.b = append(w.b, c) }

// closing ends an object or a list, taking back the last comma.
func (w *writer) closing(c byte) {
	if last := len(w.b) - 1; w.b[last] == ',' {
		w.b[last] = c
		return
	}
	w.b = append(w.b, c)
}

func (w *writer) name(name string) {
	w.b = append(append(append(w.b, '"'), name...), '"', ':')
}

func (w *writer) comma() { w.b = append(w.b, ',') }

// text writes a member that is left out when empty; always writes it in any case.
func (w *writer) text(name, value string) {
	if value != "" {
		w.always(name, value)
	}
}

func (w *writer) always(name, value string) {
	w.name(name)
	w.str(value)
	w.comma()
}

func (w *writer) integer(name string, value int64) {
	if value != 0 {
		w.name(name)
		w.b = strconv.AppendInt(w.b, value, 10)
		w.comma()
	}
}

func (w *writer) yes(name string, value bool) {
	if value {
		w.truth(name, value)
	}
}

func (w *writer) truth(name string, value bool) {
	w.name(name)
	w.b = strconv.AppendBool(w.b, value)
	w.comma()
}

func (w *writer) number(name string, value *int) {
	if value != nil {
		w.name(name)
		w.b = strconv.AppendInt(w.b, int64(*value), 10)
		w.comma()
	}
}

func (w *writer) time(name string, t time.Time) {
	w.name(name)
	w.open('"')
	var err error
	if w.b, err = t.AppendText(w.b); err != nil && w.err == nil {
		w.err = err
	}
	w.b = append(w.b, '"', ',')
}

// list writes a member that is left out when there is nothing in it.
func list[T any](w *writer, name string, values []T, write func(*writer, *T)) {
	if len(values) > 0 {
		elements(w, name, values, write)
	}
}

func elements[T any](w *writer, name string, values []T, write func(*writer, *T)) {
	w.name(name)
	w.open('[')
	for i := range values {
		write(w, &values[i])
		w.comma()
	}
	w.closing(']')
	w.comma()
}

func (w *writer) texts(name string, values []string) {
	list(w, name, values, func(w *writer, s *string) { w.str(*s) })
}

func (w *writer) pairs(name string, values []Pair) { list(w, name, values, (*writer).pair) }

func (w *writer) pair(p *Pair) {
	w.b = append(w.b, `{"key":`...)
	w.str(p.Key)
	w.b = append(w.b, `,"value":`...)
	w.str(p.Value)
	w.open('}')
}

// object writes a member that is a map, left out when empty.
func (w *writer) object(name string, m map[string]any) {
	if len(m) > 0 {
		w.name(name)
		w.mapping(m)
		w.comma()
	}
}

func (w *writer) mapping(m map[string]any) {
	if m == nil {
		w.b = append(w.b, "null"...)
		return
	}
	sortedMembers(w, m, func(w *writer, v any) { w.value(v) })
}

func sortedMembers[T any](w *writer, m map[string]T, write func(*writer, T)) {
	keys := make([]string, 0, 16) // on the stack: few maps have more
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	w.open('{')
	for _, k := range keys {
		w.str(k)
		w.open(':')
		write(w, m[k])
		w.comma()
	}
	w.closing('}')
}

// value writes what the reader makes of any JSON; other kinds are encoding/json's.
func (w *writer) value(v any) {
	switch v := v.(type) {
	case nil:
		w.b = append(w.b, "null"...)
	case string:
		w.str(v)
	case bool:
		w.b = strconv.AppendBool(w.b, v)
	case float64:
		w.float(v)
	case map[string]any:
		w.mapping(v)
	case []any:
		if v == nil {
			w.b = append(w.b, "null"...)
			return
		}
		w.open('[')
		for _, x := range v {
			w.value(x)
			w.comma()
		}
		w.closing(']')
	default:
		w.other(v)
	}
}

// other leaves rare things to encoding/json.
func (w *writer) other(v any) {
	raw, err := json.Marshal(v)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.b = append(w.b, raw...)
}

func (w *writer) member(name string, v any) {
	w.name(name)
	w.other(v)
	w.comma()
}

// float writes as ECMAScript does: no exponent but for very small and large ones.
func (w *writer) float(f float64) {
	if abs := math.Abs(f); abs == 0 || abs >= 1e-6 && abs < 1e21 {
		w.b = strconv.AppendFloat(w.b, f, 'f', -1, 64)
		return
	}
	w.other(f)
}

const hexDigits = "0123456789abcdef"

// asIs are the bytes that stand in a JSON text as they are.
var asIs = func() (t [256]bool) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// str writes a text in quotes. Most have nothing to escape, and are copied whole.
func (w *writer) str(s string) {
	i := 0
	for i < len(s) && asIs[s[i]] {
		i++
	}
	b := append(w.b, '"')
	if i == len(s) {
		w.b = append(append(b, s...), '"')
		return
	}
	w.b = b
	w.escaped(s, i)
	w.b = append(w.b, '"')
}

// escaped writes a text of which the first i bytes need no look.
func (w *writer) escaped(s string, i int) {
	start := 0
	for i < len(s) {
		c := s[i]
		if asIs[c] {
			i++
			continue
		}
		size := 1
		if c < utf8.RuneSelf {
			w.b = append(w.b, s[start:i]...)
			w.control(c)
		} else {
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && size == 1:
				w.b = append(append(w.b, s[start:i]...), `\ufffd`...)
			case r == '\u2028' || r == '\u2029': // a script would take them for line ends
				w.b = append(append(w.b, s[start:i]...), `\u202`...)
				w.b = append(w.b, hexDigits[r&0xf])
			default:
				i += size
				continue
			}
		}
		i += size
		start = i
	}
	w.b = append(w.b, s[start:]...)
}

func (w *writer) control(c byte) {
	switch c {
	case '"', '\\':
		w.b = append(w.b, '\\', c)
	case '\b':
		w.b = append(w.b, '\\', 'b')
	case '\f':
		w.b = append(w.b, '\\', 'f')
	case '\n':
		w.b = append(w.b, '\\', 'n')
	case '\r':
		w.b = append(w.b, '\\', 'r')
	case '\t':
		w.b = append(w.b, '\\', 't')
	default:
		w.b = append(w.b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
	}
}
