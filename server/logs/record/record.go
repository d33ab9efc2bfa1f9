package record

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Record is one log line as it is kept.
type Record struct {
	Time    time.Time // when it happened; intake fills the time of receipt when absent
	Stream  Labels
	Level   Level
	Message string
	Fields  []Field // sorted by name; trace_id, span_id, build_id, node … are fields
}

// Label is one name of a stream with its value.
type Label struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Labels are the labels of a stream, sorted by name, each name once.
type Labels []Label

// MakeLabels returns sorted labels from a map; empty values are left out, as Loki does.
func MakeLabels(m map[string]string) Labels {
	out := make(Labels, 0, len(m))
	for name, value := range m {
		if value != "" {
			out = append(out, Label{name, value})
		}
	}
	slices.SortFunc(out, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Sort orders labels by name in place and returns them with each name once: the last one given wins.
func (l Labels) Sort() Labels {
	if sortedStrictly(l, func(x Label) string { return x.Name }) {
		return l
	}
	slices.SortStableFunc(l, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	return lastOfEach(l, func(x Label) string { return x.Name })
}

// Get returns the value of a label; "" when the stream has none of that name.
func (l Labels) Get(name string) string {
	for i := range l {
		if l[i].Name == name {
			return l[i].Value
		}
	}
	return ""
}

// Key is the canonical text of the labels, as Loki writes it: {a="1", b="2"}.
// Two streams are the same exactly when their keys are.
func (l Labels) Key() string {
	b := make([]byte, 0, 64)
	b = append(b, '{')
	for i, label := range l {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, label.Name...)
		b = append(b, '=')
		b = strconv.AppendQuote(b, label.Value)
	}
	return string(append(b, '}'))
}

// Map returns the labels as a map, for answers that want one.
func (l Labels) Map() map[string]string {
	m := make(map[string]string, len(l))
	for _, label := range l {
		m[label.Name] = label.Value
	}
	return m
}

// Kind is what a field's value was before it became text. The values reach the disk.
type Kind uint8

// The kinds of a field.
const (
	String Kind = 0
	Number Kind = 1
	Bool   Kind = 2
	JSON   Kind = 3 // an array, or an object beyond the limits, kept as its text
)

// Field is one named value of a line.
type Field struct {
	Name  string
	Value string
	Kind  Kind
}

// Number returns the value as a number, whatever kind it had: text that looks like one counts.
func (f Field) Number() (float64, bool) {
	n, err := strconv.ParseFloat(f.Value, 64)
	return n, err == nil
}

// SortFields orders fields by name in place and returns them with each name once: the last one given wins.
func SortFields(fields []Field) []Field {
	if sortedStrictly(fields, func(f Field) string { return f.Name }) {
		return fields
	}
	slices.SortStableFunc(fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return lastOfEach(fields, func(f Field) string { return f.Name })
}

func sortedStrictly[T any](list []T, name func(T) string) bool {
	for i := 1; i < len(list); i++ {
		if name(list[i-1]) >= name(list[i]) {
			return false
		}
	}
	return true
}

func lastOfEach[T any](list []T, name func(T) string) []T {
	out := list[:0]
	for i, item := range list {
		if i+1 < len(list) && name(list[i+1]) == name(item) {
			continue
		}
		out = append(out, item)
	}
	return out
}

// Field returns the field of that name.
func (r *Record) Field(name string) (Field, bool) {
	// Lines have few fields: looking at each beats a binary search up to about a dozen.
	if len(r.Fields) <= 12 {
		for i := range r.Fields {
			if r.Fields[i].Name == name {
				return r.Fields[i], true
			}
		}
		return Field{}, false
	}
	i, found := slices.BinarySearchFunc(r.Fields, name, func(f Field, n string) int { return strings.Compare(f.Name, n) })
	if !found {
		return Field{}, false
	}
	return r.Fields[i], true
}

// Names under which the parts that are not fields can be asked for.
const (
	NameTime    = "_time"
	NameMessage = "_msg"
	NameLevel   = "level"
	NameStream  = "_stream"
)

// Value returns what a name means in this line: a part (level, _msg, _time, _stream),
// else a field, else a label. Level is the field or label of that name when the line has no level of its own.
func (r *Record) Value(name string) (string, bool) {
	switch name {
	case NameMessage:
		return r.Message, true
	case NameTime:
		return r.Time.UTC().Format(time.RFC3339Nano), true
	case NameStream:
		return r.Stream.Key(), true
	case NameLevel:
		if r.Level != Unknown {
			return r.Level.String(), true
		}
	}
	if f, ok := r.Field(name); ok {
		return f.Value, true
	}
	for i := range r.Stream {
		if r.Stream[i].Name == name {
			return r.Stream[i].Value, true
		}
	}
	return "", false
}

// Set gives a field a value, replacing the one it had; Fields stay sorted.
func (r *Record) Set(f Field) {
	i, found := slices.BinarySearchFunc(r.Fields, f.Name, func(f Field, n string) int { return strings.Compare(f.Name, n) })
	if found {
		r.Fields[i] = f
		return
	}
	r.Fields = slices.Insert(r.Fields, i, f)
}

// Remove takes a field away and returns it.
func (r *Record) Remove(name string) (Field, bool) {
	for i, f := range r.Fields {
		if f.Name == name {
			r.Fields = slices.Delete(r.Fields, i, i+1)
			return f, true
		}
	}
	return Field{}, false
}

// Size is about how many bytes the line holds, for limits and for bytes per day.
func (r *Record) Size() int {
	n := len(r.Message) + 8
	for i := range r.Fields {
		n += len(r.Fields[i].Name) + len(r.Fields[i].Value) + 2
	}
	return n
}
