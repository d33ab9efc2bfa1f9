package sentry

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ellipsis ends a text that was cut.
const ellipsis = "…"

// cut shortens s to max bytes, an ellipsis included, and notes it.
func (r *reader) cut(s string, max int) string {
	if len(s) <= max {
		return s
	}
	r.trimmed = true
	return cut(s, max)
}

func cut(s string, max int) string {
	if len(s) <= max {
		return s
	}
	if max <= len(ellipsis) {
		return cutBytes(s, max)
	}
	return cutBytes(s, max-len(ellipsis)) + ellipsis
}

// cutBytes shortens s to at most n bytes without breaking a character.
func cutBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	n = max(n, 0)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// cleanText makes bytes from outside JSON (headers, forms) fit for storage.
func cleanText(s string, max int) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	return cut(strings.ToValidUTF8(s, "\uFFFD"), max)
}

// text reads any value as text: a number as written, null as nothing, an
// object or a list as its JSON.
func (r *reader) text(max int) string {
	switch r.peek() {
	case '"':
		return r.str(max)
	case '{', '[':
		start := r.i
		r.skip()
		if r.bad != nil {
			return ""
		}
		return r.cut(cleanText(r.s[start:r.i], r.i-start+utf8.UTFMax), max)
	case 0:
		r.fail("the JSON ends too early")
		return ""
	}
	switch word := r.literal(); word {
	case "null", "undefined", "None":
		return ""
	default:
		return r.cut(word, max)
	}
}

// short reads a name or the like.
func (r *reader) short() string { return strings.TrimSpace(r.text(maxShort)) }

// number reads a number, also from a string; NaN when it is none.
func (r *reader) number() float64 {
	var word string
	switch r.peek() {
	case '"':
		word = strings.TrimSpace(r.str(64))
	case '{', '[', 0:
		r.skip()
		return math.NaN()
	default:
		word = r.literal()
	}
	switch word {
	case "true":
		return 1
	case "false":
		return 0
	}
	v, err := strconv.ParseFloat(word, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

// integer reads a whole number; 0 when it is none or out of range.
func (r *reader) integer() int64 {
	v := r.number()
	if math.IsNaN(v) || v < -1<<53 || v > 1<<53 {
		return 0
	}
	return int64(v)
}

// count reads a number of things, never negative.
func (r *reader) count() int { return int(min(max(r.integer(), 0), math.MaxInt32)) }

// boolean reads true, false, or nothing.
func (r *reader) boolean() *bool {
	var yes, no = true, false
	switch r.peek() {
	case '"':
		switch strings.ToLower(r.str(16)) {
		case "true", "1", "yes":
			return &yes
		case "false", "0", "no":
			return &no
		}
		return nil
	case '{', '[', 0:
		r.skip()
		return nil
	}
	switch r.literal() {
	case "true", "1":
		return &yes
	case "false", "0":
		return &no
	}
	return nil
}

func (r *reader) truth() bool {
	b := r.boolean()
	return b != nil && *b
}

// when reads a point in time: seconds or milliseconds since 1970 as a number
// or a string, or RFC 3339 with or without a zone. Zero when it is none.
func (r *reader) when() time.Time {
	if r.peek() == '"' {
		s := strings.TrimSpace(r.str(64))
		if t, ok := parseTime(s); ok {
			return t
		}
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return time.Time{}
		}
		return fromSeconds(v)
	}
	return fromSeconds(r.number())
}

func parseTime(s string) (time.Time, bool) {
	if len(s) < len("2006-01-02") || s[4] != '-' {
		return time.Time{}, false
	}
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
		"2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999-0700", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			if y := t.Year(); y < 1970 || y > 9998 {
				return time.Time{}, false
			}
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func fromSeconds(v float64) time.Time {
	if math.IsNaN(v) || v <= 0 {
		return time.Time{}
	}
	if v > 1e11 { // milliseconds: seconds would be the year 5138
		v /= 1000
	}
	if v > 1e11 {
		return time.Time{}
	}
	whole, fraction := math.Modf(v)
	// A float has microseconds left at today's dates; more digits are noise.
	micros := int64(math.Round(fraction * 1e6))
	return time.Unix(int64(whole), micros*1000).UTC()
}

// budget is what is left of the bytes that a free-form value may take.
type budget struct{ left int }

func (b *budget) take(n int) { b.left -= n }

// free reads a value of any shape: nil, bool, int64, float64, string, []any or
// map[string]any. What exceeds the budget, the depth or the number of pairs is
// left out.
func (r *reader) free(b *budget, depth int) any {
	if b.left <= 0 {
		r.trimmed = true
		r.skip()
		return nil
	}
	switch r.peek() {
	case '"':
		s := r.str(max(min(maxValue, b.left), len(ellipsis)+1))
		b.take(len(s) + 2)
		return s
	case '{':
		if depth <= 0 {
			r.trimmed = true
			r.skip()
			return "{" + ellipsis + "}"
		}
		return r.mapping(b, depth-1)
	case '[':
		if depth <= 0 {
			r.trimmed = true
			r.skip()
			return "[" + ellipsis + "]"
		}
		return r.list(b, depth-1)
	case 0:
		r.skip()
		return nil
	}
	b.take(8)
	return scalar(r.literal())
}

// mapping reads an object of free values; an empty one is nil-safe but not nil.
func (r *reader) mapping(b *budget, depth int) map[string]any {
	if !r.open('{') {
		return nil
	}
	m := make(map[string]any)
	for r.key() {
		if len(m) >= maxPairs || b.left <= 0 {
			r.trimmed = true
			r.skip()
			continue
		}
		k := cut(r.k, maxShort)
		b.take(len(k) + 3)
		m[k] = r.free(b, depth)
	}
	return m
}

func (r *reader) list(b *budget, depth int) []any {
	if !r.open('[') {
		return nil
	}
	l := []any{}
	for r.elem() {
		if len(l) >= maxPairs || b.left <= 0 {
			r.trimmed = true
			r.skip()
			continue
		}
		l = append(l, r.free(b, depth))
	}
	return l
}

// object reads an object of free values within size bytes; nil when the value
// is none or empty.
func (r *reader) object(size int) map[string]any {
	m := r.mapping(&budget{size}, maxDepth)
	if len(m) == 0 {
		return nil
	}
	return m
}

// scalar gives a word its value. Numbers that a browser could not hold exactly
// and those that JSON cannot write stay text.
func scalar(word string) any {
	switch word {
	case "true":
		return true
	case "false":
		return false
	case "null", "undefined", "None":
		return nil
	}
	if v, err := strconv.ParseInt(word, 10, 64); err == nil {
		if v > 1<<53 || v < -1<<53 {
			return word
		}
		return v
	}
	v, err := strconv.ParseFloat(word, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || strings.Trim(word, "-0123456789") == "" {
		return cut(word, maxShort)
	}
	return v
}

// pairs reads an object or a list of [key, value] lists or {key, value} objects.
func (r *reader) pairs(most, keyMax, valueMax int) []Pair {
	var out []Pair
	add := func(k, v string) {
		if len(out) >= most {
			r.trimmed = true
			return
		}
		if k != "" {
			out = append(out, Pair{cut(k, keyMax), v})
		}
	}
	switch r.peek() {
	case '{':
		r.open('{')
		for r.key() {
			k := r.k
			add(k, r.firstText(valueMax))
		}
	case '[':
		r.open('[')
		for r.elem() {
			if k, v, ok := r.pair(keyMax, valueMax); ok {
				add(k, v)
			}
		}
	default:
		r.skip()
	}
	return out
}

// firstText reads a value as text, and a list of one (Go's and PHP's headers)
// as its element.
func (r *reader) firstText(max int) string {
	if r.peek() != '[' {
		return r.text(max)
	}
	start := r.i
	r.open('[')
	var parts []string
	for r.elem() {
		if c := r.peek(); c == '{' || c == '[' {
			r.i = start
			r.depth--
			return r.text(max)
		}
		if part := r.text(max); len(parts) < maxPairs {
			parts = append(parts, part)
		}
	}
	return r.cut(strings.Join(parts, ", "), max)
}

func (r *reader) pair(keyMax, valueMax int) (k, v string, ok bool) {
	switch r.peek() {
	case '[':
		r.open('[')
		n := 0
		for r.elem() {
			switch n {
			case 0:
				k = r.text(keyMax)
			case 1:
				v = r.text(valueMax)
			default:
				r.skip()
			}
			n++
		}
		return k, v, n > 0
	case '{':
		r.open('{')
		for r.key() {
			switch r.k {
			case "key", "name":
				k = r.text(keyMax)
			case "value":
				v = r.text(valueMax)
			default:
				r.skip()
			}
		}
		return k, v, true
	}
	r.skip()
	return "", "", false
}
