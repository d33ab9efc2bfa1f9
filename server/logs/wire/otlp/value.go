package otlp

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/signalbox/signalbox/server/logs/record"
)

// maxDepth is how deep values may be nested; deeper ones are no records.
const maxDepth = 32

// value is an AnyValue. A plain one has text; the kind of one that is absent is
// String and its text empty.
type value struct {
	shape shape
	kind  record.Kind // of a plain value
	text  string
	list  []value
	pairs []attribute
}

type shape uint8

const (
	plain shape = iota
	array
	object
)

type attribute struct {
	name  string
	value value
}

// string is the value as a person reads it: text as it is, lists and objects as
// JSON.
func (v value) string() string {
	if v.shape == plain {
		return v.text
	}
	var b strings.Builder
	v.json(&b)
	return b.String()
}

func (v value) json(b *strings.Builder) {
	switch v.shape {
	case array:
		b.WriteByte('[')
		for i, item := range v.list {
			if i > 0 {
				b.WriteByte(',')
			}
			item.json(b)
		}
		b.WriteByte(']')
	case object:
		b.WriteByte('{')
		for i, p := range v.pairs {
			if i > 0 {
				b.WriteByte(',')
			}
			quote(b, p.name)
			b.WriteByte(':')
			p.value.json(b)
		}
		b.WriteByte('}')
	default:
		// NaN and the infinities are numbers that JSON cannot write.
		if v.kind == record.String || v.kind == record.Number && strings.ContainsAny(v.text, "NI") {
			quote(b, v.text)
			return
		}
		b.WriteString(v.text)
	}
}

// quote writes text as JSON does, but leaves < and & for people to read.
func quote(b *strings.Builder, text string) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if e.Encode(text) != nil { // cannot be: it is a string
		return
	}
	b.Write(bytes.TrimSuffix(out.Bytes(), []byte("\n")))
}

// flatten appends the value's fields: members of objects with dotted names,
// lists as JSON. The number of fields and their sizes are bounded as elsewhere.
func (v value) flatten(dst []record.Field, name string, depth int) []record.Field {
	limits := record.DefaultLimits
	if name == "" || len(name) > limits.Name || len(dst) >= limits.Fields {
		return dst
	}
	if v.shape == object && depth < limits.Depth {
		for _, p := range v.pairs {
			dst = p.value.flatten(dst, name+"."+p.name, depth+1)
		}
		return dst
	}
	f := record.Field{Name: name, Value: v.string(), Kind: v.kind}
	if v.shape != plain {
		f.Kind = record.JSON
	}
	if len(f.Value) > limits.Value {
		f.Value, f.Kind = strings.ToValidUTF8(f.Value[:limits.Value], ""), record.String
	}
	if f.Value == "" {
		return dst
	}
	return append(dst, f)
}

// clean is text of the wire as text that may be kept.
func clean(raw []byte) string { return strings.ToValidUTF8(string(raw), "�") }
