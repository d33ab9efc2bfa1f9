package journald

import (
	"encoding/json"

	"github.com/signalbox/signalbox/server/logs/record"
)

// timestamp is the field that every entry of the journal has, and nothing else does.
const timestamp = "__REALTIME_TIMESTAMP"

// IsEntry says whether the fields of a JSON object, sorted, are an entry as
// journalctl -o json prints it.
func IsEntry(fields []record.Field) bool {
	r := record.Record{Fields: fields}
	_, ok := r.Field(timestamp)
	return ok
}

// FromFields makes of them what Next makes of the same entry.
func FromFields(fields []record.Field) (record.Record, error) {
	e := entry{labels: map[string]string{"source": "journald"}}
	for _, f := range fields {
		e.take(f.Name, textOf(f))
	}
	return e.record()
}

// textOf is a value as text. Bytes that are no UTF-8 are printed as an array of numbers, a
// name that an entry has several times as an array of its values.
func textOf(f record.Field) string {
	if f.Kind != record.JSON {
		return f.Value
	}
	var numbers []uint16
	if json.Unmarshal([]byte(f.Value), &numbers) == nil {
		raw := make([]byte, len(numbers))
		for i, n := range numbers {
			raw[i] = byte(n)
		}
		return string(raw)
	}
	var several []string
	if json.Unmarshal([]byte(f.Value), &several) == nil && len(several) > 0 {
		return several[0]
	}
	return f.Value
}
