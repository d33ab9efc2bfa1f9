package store

import (
	"encoding/json"
	"strings"
	"unsafe"

	"github.com/signalbox/signalbox/server/logs/record"
)

// appendRest adds a field to the JSON object under way; numbers and JSON that would make it
// invalid go in as texts.
func appendRest(rest []byte, f record.Field) []byte {
	if rest == nil {
		rest = append(make([]byte, 0, 64), '{')
	} else {
		rest = append(rest, ',')
	}
	rest = append(appendJSONText(rest, f.Name), ':')
	switch {
	case f.Kind == record.Number && json.Valid(textBytes(f.Value)) && f.Value[0] != '"',
		f.Kind == record.JSON && json.Valid(textBytes(f.Value)) && (f.Value[0] == '{' || f.Value[0] == '['),
		f.Kind == record.Bool && (f.Value == "true" || f.Value == "false"):
		return append(rest, f.Value...)
	}
	return appendJSONText(rest, f.Value)
}

const hexDigits = "0123456789abcdef"

// appendJSONText quotes a text. Bytes that are no UTF-8 stay what they are: a line is
// given back as it came.
func appendJSONText(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\t':
			b = append(b, '\\', 't')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(b, s[start:]...), '"')
}

// readRest appends the fields of the rest; objects in it were kept as JSON and stay so.
func readRest(fields []record.Field, rest string) []record.Field {
	out, err := record.AppendFlat(fields, "", rest, record.Limits{Depth: 1})
	if err != nil {
		return fields // behind a checksum: only a bug could bring us here
	}
	return out
}

// mentions tells whether the JSON text may have one of the names: cheaper than reading it.
func mentions(rest string, names []string) bool {
	for _, name := range names {
		if strings.Contains(rest, name) || strings.Contains(rest, `\`) {
			return true
		}
	}
	return false
}

func textBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
