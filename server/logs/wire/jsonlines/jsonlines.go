// Package jsonlines reads log lines as JSON: one object a line, or an array of
// objects, as Vector's and Fluent Bit's http outputs, loggers and curl send it.
package jsonlines

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/wire/journald"
)

// Options say under which names a shipper sends the parts of a line; empty
// finds them by their common names.
type Options struct {
	Time, Message string
	// Stream are fields that become labels of the line's stream.
	Stream []string
	// Service is that of lines that name none.
	Service string
	// Now gives the year to times that have none.
	Now time.Time
	// Lines is how many a request may hold, Line how many bytes one may have.
	Lines, Line int
}

// Batch is what a request brought.
type Batch struct {
	Records  []record.Record
	Rejected map[string]int
	// First says what was wrong with the first line that was rejected.
	First string
}

// ErrTooMany says that a request holds more lines than allowed.
var ErrTooMany = errors.New("the request holds more lines than allowed")

// StreamNames are fields that are labels unless a shipper says otherwise.
var StreamNames = []string{"service", "service.name", "app", "host", "hostname", "source", "env", "environment"}

// Read reads a body. Text that is no JSON object is a line by itself, since
// people send what their programs print.
func Read(r io.Reader, o Options) (Batch, error) {
	var b Batch
	raw, err := io.ReadAll(r)
	if err != nil {
		return b, err
	}
	text := bytes.TrimSpace(raw)
	if len(text) > 0 && text[0] == '[' {
		var list []json.RawMessage
		if json.Unmarshal(text, &list) == nil {
			for _, item := range list {
				if err := b.add(item, o); err != nil {
					return b, err
				}
			}
			return b, nil
		}
	}
	for line := range bytes.Lines(raw) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if err := b.add(line, o); err != nil {
			return b, err
		}
	}
	return b, nil
}

func (b *Batch) reject(reason string) {
	if b.Rejected == nil {
		b.Rejected = map[string]int{}
		b.First = reason
	}
	b.Rejected[reason]++
}

func (b *Batch) add(line []byte, o Options) error {
	if len(b.Records) >= o.Lines {
		return ErrTooMany
	}
	if len(line) > o.Line {
		b.reject("a line is longer than allowed")
		return nil
	}
	var r record.Record
	fields, err := record.Flatten(line, record.DefaultLimits)
	switch {
	case err == nil && journald.IsEntry(fields):
		if r, err = journald.FromFields(fields); err != nil {
			b.reject(err.Error())
			return nil
		}
	case err == nil:
		r.Fields = fields
	case !utf8.Valid(line):
		b.reject("a line is neither JSON nor text")
		return nil
	default:
		r.Message = string(line)
		var text string
		if json.Unmarshal(line, &text) == nil {
			r.Message = text
		}
		r.Time, _ = textTime(r.Message, o.Now)
	}
	o.apply(&r)
	b.Records = append(b.Records, r)
	return nil
}

func (o Options) apply(r *record.Record) {
	if f, ok := r.Field(o.Message); ok && o.Message != "" {
		r.Message = f.Value
		r.Remove(o.Message)
	}
	if f, ok := r.Field(o.Time); ok && o.Time != "" {
		if t, ok := record.ParseTime(f.Value); ok {
			r.Time = t
			r.Remove(o.Time)
		}
	}
	names := o.Stream
	if names == nil {
		names = StreamNames
	}
	for _, name := range names {
		if f, ok := r.Field(name); ok && f.Kind != record.JSON && f.Value != "" && len(f.Value) < 200 {
			r.Stream = append(r.Stream, record.Label{Name: labelName(name), Value: f.Value})
			r.Remove(name)
		}
	}
	if o.Service != "" && r.Stream.Get("service") == "" {
		r.Stream = append(r.Stream, record.Label{Name: "service", Value: o.Service})
	}
	r.Stream = r.Stream.Sort()
}

// labelName gives labels of the same meaning one name.
func labelName(name string) string {
	switch name {
	case "service.name", "app":
		return "service"
	case "hostname":
		return "host"
	case "environment":
		return "env"
	}
	return strings.ReplaceAll(name, ".", "_")
}
