package query

import (
	"fmt"
	"strings"
	"time"
)

// Query is a list of terms that must all hold.
type Query struct{ Terms []Term }

// Op is how a term compares.
type Op string

// The comparisons. Has asks whether the key is set at all.
const (
	Equal     Op = "="
	Greater   Op = ">"
	AtLeast   Op = ">="
	Less      Op = "<"
	AtMost    Op = "<="
	Has       Op = "has"
	FreeWords Op = "text"
)

// Type says what the values of a key are.
type Type string

// The types of keys.
const (
	Text   Type = "text"
	Number Type = "number"
	Moment Type = "time"
	State  Type = "state"  // is:
	Person Type = "person" // assigned:
	Tag    Type = "tag"    // any other name
)

// Term is one condition.
type Term struct {
	// Key is the canonical name ("environment" also for env); empty for free
	// text. For Has it is the name that must be set.
	Key  string
	Type Type
	Op   Op
	Not  bool
	// Values are alternatives; one for free text, none for Has.
	Values []Value
	// Pos and End are the place in the text, in characters from 0.
	Pos, End int
}

// Value is what a key is compared with.
type Value struct {
	// Text is the value; for a pattern it holds the stars.
	Text string
	// Parts are what stands between the stars; nil when it is no pattern.
	Parts []string
	// Quoted free text is one phrase.
	Quoted bool
	// Number is set for keys of that type.
	Number float64
	// Time and Day (no clock time was given) are set for absolute times, Ago for
	// relative ones ("-7d" is seven days ago).
	Time time.Time
	Day  bool
	Ago  time.Duration
}

// IsPattern says whether the value has a star.
func (v Value) IsPattern() bool { return v.Parts != nil }

// Like is the value as the pattern of SQL's LIKE … ESCAPE '\'.
func (v Value) Like() string {
	parts := v.Parts
	if parts == nil {
		parts = []string{v.Text}
	}
	quoted := make([]string, len(parts))
	for i, p := range parts {
		quoted[i] = likeEscaper.Replace(p)
	}
	return strings.Join(quoted, "%")
}

// Contains is the LIKE pattern of texts in which the value occurs.
func (v Value) Contains() string { return "%" + v.Like() + "%" }

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Between turns a term of a Moment key into a range: from inclusive, to
// exclusive; the zero time is no bound. Not is not applied.
func (t Term) Between(now time.Time) (from, to time.Time) {
	if len(t.Values) == 0 {
		return
	}
	v := t.Values[0]
	start := v.Time
	end := start.Add(time.Second) // people write seconds
	switch {
	case start.IsZero():
		start = now.Add(-v.Ago)
		end = start
	case v.Day:
		end = start.AddDate(0, 0, 1)
	}
	switch t.Op {
	case Greater:
		return end, to
	case AtLeast:
		return start, to
	case Less:
		return from, start
	case AtMost:
		return from, end
	}
	return start, end
}

// Free gives the free words and phrases of the query that must occur.
func (q Query) Free() []Term {
	var out []Term
	for _, t := range q.Terms {
		if t.Op == FreeWords {
			out = append(out, t)
		}
	}
	return out
}

// Error says what could not be read, where, and what to write instead.
type Error struct {
	// Pos and End are characters from 0.
	Pos, End int
	Sentence string
}

func (e *Error) Error() string { return fmt.Sprintf("at %d: %s", e.Pos+1, e.Sentence) }

// String writes the query in its canonical form.
func (q Query) String() string {
	parts := make([]string, len(q.Terms))
	for i, t := range q.Terms {
		parts[i] = t.String()
	}
	return strings.Join(parts, " ")
}

// String writes one term in its canonical form.
func (t Term) String() string {
	not := ""
	if t.Not {
		not = "!"
	}
	switch {
	case t.Op == Has:
		return not + "has:" + quoteWord(t.Key)
	case t.Op == FreeWords:
		return not + t.Values[0].write(true)
	}
	values := make([]string, len(t.Values))
	for i, v := range t.Values {
		values[i] = v.write(false)
	}
	text := values[0]
	if len(values) > 1 {
		text = "[" + strings.Join(values, ",") + "]"
	}
	op := ""
	if t.Op != Equal && !(t.Values[0].relative() && (t.Op == AtLeast || t.Op == AtMost)) {
		op = string(t.Op)
	} else if t.Values[0].relative() && t.Op == AtMost {
		text = "+" + strings.TrimPrefix(text, "-")
	}
	return not + quoteWord(t.Key) + ":" + op + text
}

func (v Value) relative() bool { return v.Ago != 0 }

// write gives the value as it would be typed.
func (v Value) write(free bool) string {
	parts := v.Parts
	if parts == nil {
		parts = []string{v.Text}
	}
	escaped := make([]string, len(parts))
	for i, p := range parts {
		escaped[i] = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `*`, `\*`).Replace(p)
	}
	s := strings.Join(escaped, "*")
	plain := strings.Join(parts, "*")
	needs := plain == "" || v.Quoted || strings.ContainsAny(plain, " \t\r\n,[]\"()") || strings.ContainsAny(plain[:1], "<>=!:") || strings.HasPrefix(plain, "//") ||
		free && (strings.Contains(plain, ":") || isWordOperator(plain))
	if needs || strings.IndexFunc(plain, isSpace) >= 0 {
		return `"` + s + `"`
	}
	return s
}

// quoteWord quotes a tag's name that could not stand bare.
func quoteWord(key string) string {
	if bareKey(key) {
		return key
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(key) + `"`
}
