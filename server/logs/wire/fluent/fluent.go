// Package fluent reads the Fluent Forward protocol in all its modes, as Fluentd,
// Fluent Bit, Docker and loggers speak it, and answers its handshake. Facts from
// the Forward Protocol Specification v1.5 and from recorded clients.
package fluent

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/platform/content"
)

// Limits bound one message.
type Limits struct {
	// Message is how many bytes one may have as it travels, Decoded how many when
	// its events are decompressed.
	Message, Decoded int64
	// Line is how many bytes of a line are kept.
	Line int
}

// Message is what a client sent at once.
type Message struct {
	Records []record.Record
	// Rejected counts events that could not be read, by reason.
	Rejected map[string]int
	// Chunk is not empty when the client waits for Ack.
	Chunk string
}

func (m *Message) reject(reason string) {
	if m.Rejected == nil {
		m.Rejected = map[string]int{}
	}
	m.Rejected[reason]++
}

// Reader takes messages out of a connection.
type Reader struct {
	b      *bufio.Reader
	limits Limits
}

// NewReader reads from a connection.
func NewReader(r io.Reader, l Limits) *Reader { return &Reader{bufio.NewReaderSize(r, 64<<10), l} }

// Buffered says whether more is at hand already.
func (r *Reader) Buffered() bool { return r.b.Buffered() > 0 }

func (r *Reader) value() (value, error) {
	d := decoder{r: r.b, room: r.limits.Message}
	return d.next(0)
}

// Next is the next message; io.EOF at the end of the stream.
func (r *Reader) Next() (Message, error) {
	for {
		v, err := r.value()
		if err != nil {
			return Message{}, err
		}
		if v == nil {
			continue // a sign of life
		}
		list, ok := v.([]value)
		if !ok || len(list) < 2 {
			return Message{}, fmt.Errorf("%w: a message is a list of tag and events", ErrMalformed)
		}
		return r.message(list)
	}
}

func (r *Reader) message(list []value) (Message, error) {
	tag, _ := plain(list[0])
	rest := list[2:]
	var m Message
	_, forward := list[1].([]value)
	single := !forward && !isBytes(list[1])
	if single {
		if len(rest) == 0 {
			return m, fmt.Errorf("%w: an event has no record", ErrMalformed)
		}
		rest = rest[1:]
	}
	var o options
	if len(rest) > 0 {
		o = readOptions(rest[0])
	}
	m.Chunk = o.chunk
	if o.signal != 0 {
		m.reject("metrics and traces are no log lines")
		return m, nil
	}
	switch events := list[1].(type) {
	case []value:
		for _, e := range events {
			m.entry(tag, e, r.limits)
		}
	case string:
		return m, m.packed(tag, []byte(events), o, r.limits)
	case []byte:
		return m, m.packed(tag, events, o, r.limits)
	}
	if single {
		m.event(tag, list[1], list[2], r.limits)
	}
	return m, nil
}

func isBytes(v value) bool {
	switch v.(type) {
	case string, []byte:
		return true
	}
	return false
}

type options struct {
	chunk, compressed string
	signal            int64
}

func readOptions(v value) options {
	var o options
	list, _ := v.(pairs)
	for _, p := range list {
		text, _ := plain(p.value)
		switch p.name {
		case "chunk":
			o.chunk = text
		case "compressed":
			o.compressed = text
		case "fluent_signal":
			switch n := p.value.(type) {
			case int64:
				o.signal = n
			case uint64:
				o.signal = int64(n)
			}
		}
	}
	return o
}

// packed reads events that stand one behind the other, perhaps compressed.
func (m *Message) packed(tag string, raw []byte, o options, l Limits) error {
	if o.compressed == "text" {
		o.compressed = ""
	}
	in, err := content.Decode(bytes.NewReader(raw), o.compressed, l.Decoded)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	d := decoder{r: bufio.NewReader(in), room: 2 * l.Decoded}
	for {
		v, err := d.next(0)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: packed events: %w", ErrMalformed, err)
		}
		m.entry(tag, v, l)
	}
}

// entry reads [time, record], or [[time, metadata], record] as newer Fluent Bit
// writes it.
func (m *Message) entry(tag string, v value, l Limits) {
	list, ok := v.([]value)
	if !ok || len(list) != 2 {
		m.reject("an event is no pair of time and record")
		return
	}
	at := list[0]
	if head, ok := at.([]value); ok && len(head) > 0 {
		at = head[0]
	}
	m.event(tag, at, list[1], l)
}

// eventTime reads seconds or an EventTime. Fluent Bit marks the begin and end of
// a group with the times -1 and -2; these are no events.
func eventTime(v value) (t time.Time, group bool) {
	var seconds int64
	switch v := v.(type) {
	case time.Time:
		t, seconds = v, int64(int32(v.Unix()))
	case int64:
		t, seconds = time.Unix(v, 0).UTC(), v
	case uint64:
		t, seconds = time.Unix(int64(v), 0).UTC(), int64(v)
	case float64:
		if v > 0 && v < 1e11 {
			t = time.UnixMicro(int64(v * 1e6)).UTC()
		}
		return t, false
	}
	if seconds == -1 || seconds == -2 {
		return time.Time{}, true
	}
	if t.Unix() <= 0 {
		t = time.Time{}
	}
	return t, false
}

// messageNames are where clients put the line itself, the best first.
var messageNames = []string{"message", "msg", "log"}

func (m *Message) event(tag string, at, body value, l Limits) {
	fields, ok := body.(pairs)
	t, group := eventTime(at)
	if group {
		return
	}
	if !ok {
		m.reject("an event's record is no map")
		return
	}
	r := record.Record{Time: t}
	// The line is taken here, since a field may not be as long as a line.
	line := -1
	for _, name := range messageNames {
		for i, p := range fields {
			if p.name == name && isBytes(p.value) && line < 0 {
				line = i
			}
		}
	}
	for i, p := range fields {
		if i == line {
			text, _ := plain(p.value)
			r.Message = clip(strings.TrimRight(text, "\r\n"), l.Line)
			continue
		}
		r.Fields = flatten(r.Fields, p.name, p.value, 1)
	}
	if tag != "" {
		r.Fields = flatten(r.Fields, "tag", tag, 1)
	}
	r.Fields = record.SortFields(r.Fields)
	label(&r, tag)
	m.Records = append(m.Records, r)
}

// streamNames are fields that become labels.
var streamNames = []struct{ field, label string }{
	{"service.name", "service"}, {"service", "service"}, {"app", "service"}, {"container_name", "service"}, {"kubernetes.container_name", "service"},
	{"host", "host"}, {"hostname", "host"}, {"kubernetes.host", "host"}, {"kubernetes.namespace_name", "namespace"}, {"kubernetes.pod_name", "pod"}, {"env", "env"}, {"environment", "env"},
}

// label moves what rarely changes to the stream. A line of nothing that is known
// belongs to its tag.
func label(r *record.Record, tag string) {
	labels := map[string]string{}
	for _, n := range streamNames {
		f, ok := r.Field(n.field)
		if value := strings.TrimPrefix(f.Value, "/"); ok && f.Kind != record.JSON && value != "" && len(value) < 200 && labels[n.label] == "" {
			labels[n.label] = value
			r.Remove(n.field)
		}
	}
	if labels["service"] == "" && tag != "" && len(tag) < 200 {
		labels["service"] = clip(tag, 200)
	}
	r.Stream = record.MakeLabels(labels)
}

func clip(text string, n int) string {
	return strings.ToValidUTF8(text[:min(len(text), n)], "�")
}

// flatten appends a value's fields: members of maps with dotted names, lists as
// JSON, within the limits of a line.
func flatten(dst []record.Field, name string, v value, depth int) []record.Field {
	limits := record.DefaultLimits
	if name == "" || len(name) > limits.Name || len(dst) >= limits.Fields || v == nil {
		return dst
	}
	f := record.Field{Name: strings.ToValidUTF8(name, "�")}
	switch v := v.(type) {
	case pairs:
		if depth < limits.Depth {
			for _, p := range v {
				dst = flatten(dst, name+"."+p.name, p.value, depth+1)
			}
			return dst
		}
		f.Kind, f.Value = record.JSON, string(appendJSON(nil, v))
	case []value:
		f.Kind, f.Value = record.JSON, string(appendJSON(nil, v))
	case bool:
		f.Kind = record.Bool
		f.Value, _ = plain(v)
	case int64, uint64, float64:
		f.Kind = record.Number
		f.Value, _ = plain(v)
	default:
		f.Value, _ = plain(v)
	}
	if len(f.Value) > limits.Value {
		f.Kind = record.String
	}
	if f.Value = clip(f.Value, limits.Value); f.Value == "" {
		return dst
	}
	return append(dst, f)
}
