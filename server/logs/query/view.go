package query

import (
	"iter"
	"strings"

	"github.com/signalbox/signalbox/server/logs/record"
)

// View is a record as the pipes have made it, or a row that Stats has made,
// which has no record.
type View struct {
	*record.Record
	// Extra are values that pipes have set; they hide the record's.
	Extra []record.Field
	// hidden are names that pipes have dropped.
	hidden map[string]bool
	// only are the names that are left, if pipes have chosen; nil is all.
	only map[string]bool
}

// ErrorName is the value that an extracting pipe sets when it fails.
const ErrorName = "__error__"

// Value is what a name means behind the pipes so far.
func (v *View) Value(name string) (string, bool) {
	for i := len(v.Extra) - 1; i >= 0; i-- {
		if v.Extra[i].Name == name {
			return v.Extra[i].Value, true
		}
	}
	if v.Record == nil || v.isHidden(name) {
		return "", false
	}
	// A label hides a field of its name: otherwise no stream could be passed over.
	if name != Level {
		for i := range v.Stream {
			if v.Stream[i].Name == name {
				return v.Stream[i].Value, true
			}
		}
	}
	return v.Record.Value(name)
}

func (v *View) isHidden(name string) bool {
	return v.hidden[name] || v.only != nil && !v.only[name]
}

// Line is the message behind the pipes so far.
func (v *View) Line() string {
	if v.Record != nil && len(v.Extra) == 0 && v.hidden == nil && v.only == nil {
		return v.Message
	}
	line, _ := v.Value(record.NameMessage)
	return line
}

// Values are all names with their values, without the message and the time.
func (v *View) Values() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		seen := map[string]bool{record.NameMessage: true, record.NameTime: true}
		visit := func(name string) bool {
			if seen[name] {
				return true
			}
			seen[name] = true
			value, ok := v.Value(name)
			return !ok || yield(name, value)
		}
		for i := range v.Extra {
			if !visit(v.Extra[i].Name) {
				return
			}
		}
		if v.Record == nil {
			return
		}
		for i := range v.Stream {
			if !visit(v.Stream[i].Name) {
				return
			}
		}
		for i := range v.Fields {
			if !visit(v.Fields[i].Name) {
				return
			}
		}
		if v.Level != record.Unknown {
			visit(Level)
		}
	}
}

func (v *View) set(name, value string) {
	for i := range v.Extra {
		if v.Extra[i].Name == name {
			v.Extra[i].Value = value
			return
		}
	}
	v.Extra = append(v.Extra, record.Field{Name: name, Value: value})
}

func (v *View) hide(name string) {
	kept := v.Extra[:0]
	for _, f := range v.Extra {
		if f.Name != name {
			kept = append(kept, f)
		}
	}
	v.Extra = kept
	if v.hidden == nil {
		v.hidden = map[string]bool{}
	}
	v.hidden[name] = true
}

// scoped is a name's value, from the stream's labels alone if label is set.
func (v *View) scoped(name string, label bool) string {
	if label {
		return v.Stream.Get(name)
	}
	value, _ := v.Value(name)
	return value
}

// key joins values so that different ones never look alike.
func (v *View) key(names []string) string {
	var b strings.Builder
	for _, name := range names {
		value, _ := v.Value(name)
		b.WriteString(strings.ReplaceAll(value, "\x00", "\x00\x01"))
		b.WriteString("\x00\x02")
	}
	return b.String()
}
