// Package loki reads what shippers push to Loki: JSON, and protobuf in a snappy
// block. Facts from Loki's push API (grafana.com/docs/loki/latest/reference/loki-http-api)
// and from recorded requests of its clients.
package loki

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/signalbox/signalbox/server/logs/record"
)

// Limits bound one request.
type Limits struct {
	// Decoded is how many bytes a snappy block may become.
	Decoded int
	// Streams and Lines are how many a request may hold.
	Streams, Lines int
}

// Batch is what a request brought.
type Batch struct {
	Records []record.Record
	// Rejected counts lines that could not be read, by reason.
	Rejected map[string]int
}

var errTooMany = errors.New("the request has more streams or lines than allowed")

func (b *Batch) reject(reason string) {
	if b.Rejected == nil {
		b.Rejected = map[string]int{}
	}
	b.Rejected[reason]++
}

// ReadJSON reads {"streams":[{"stream":{},"values":[["ns","line",{}]]}]}. A line
// that is odd is counted; an error means that the whole body is no such thing.
func ReadJSON(body []byte, l Limits) (Batch, error) {
	var push struct {
		Streams []struct {
			Stream map[string]string   `json:"stream"`
			Values [][]json.RawMessage `json:"values"`
		} `json:"streams"`
	}
	if err := json.Unmarshal(body, &push); err != nil {
		return Batch{}, fmt.Errorf("the body is no push request: %w", err)
	}
	if len(push.Streams) > l.Streams {
		return Batch{}, errTooMany
	}
	var b Batch
	for _, s := range push.Streams {
		labels := record.MakeLabels(s.Stream)
		for _, v := range s.Values {
			if len(b.Records) >= l.Lines {
				return Batch{}, errTooMany
			}
			r := record.Record{Stream: labels}
			if reason := entry(&r, v); reason != "" {
				b.reject(reason)
				continue
			}
			b.Records = append(b.Records, r)
		}
	}
	return b, nil
}

// entry reads ["ns","line"] or ["ns","line",{meta}].
func entry(r *record.Record, v []json.RawMessage) string {
	if len(v) < 2 {
		return "an entry has no line"
	}
	at, err := strconv.ParseInt(strings.Trim(string(v[0]), `"`), 10, 64)
	if err != nil {
		return "a timestamp is no number of nanoseconds"
	}
	r.Time = time.Unix(0, at).UTC()
	if json.Unmarshal(v[1], &r.Message) != nil {
		return "a line is no text"
	}
	if len(v) > 2 {
		fields, err := record.Flatten(v[2], record.DefaultLimits)
		if err != nil {
			return "the metadata of a line is no object"
		}
		r.Fields = fields
	}
	return ""
}

// ReadProtobuf reads a PushRequest in a snappy block.
func ReadProtobuf(body []byte, l Limits) (Batch, error) {
	n, err := snappy.DecodedLen(body)
	if err != nil || n > l.Decoded {
		return Batch{}, fmt.Errorf("the body is no snappy block of at most %d bytes", l.Decoded)
	}
	raw, err := snappy.Decode(nil, body)
	if err != nil {
		return Batch{}, fmt.Errorf("the body is no snappy block: %w", err)
	}
	var b Batch
	streams := 0
	err = fields(raw, func(n protowire.Number, value []byte, _ uint64) error {
		if n != 1 {
			return nil
		}
		if streams++; streams > l.Streams {
			return errTooMany
		}
		return b.stream(value, l)
	})
	return b, err
}

// stream reads {1: labels, 2: entries}; the labels may come last.
func (b *Batch) stream(raw []byte, l Limits) error {
	first := len(b.Records)
	text := ""
	err := fields(raw, func(n protowire.Number, value []byte, _ uint64) error {
		switch n {
		case 1:
			text = string(value)
		case 2:
			if len(b.Records) >= l.Lines {
				return errTooMany
			}
			r, err := protoEntry(value)
			if err != nil {
				return err
			}
			b.Records = append(b.Records, r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	labels, err := ParseLabels(text)
	if err != nil {
		for range b.Records[first:] {
			b.reject("the labels of a stream cannot be read")
		}
		b.Records = b.Records[:first]
		return nil
	}
	for i := first; i < len(b.Records); i++ {
		b.Records[i].Stream = labels
	}
	return nil
}

func protoEntry(raw []byte) (record.Record, error) {
	var r record.Record
	err := fields(raw, func(n protowire.Number, value []byte, _ uint64) error {
		switch n {
		case 1:
			return timestamp(&r.Time, value)
		case 2:
			r.Message = strings.ToValidUTF8(string(value), "�")
		case 3:
			var f record.Field
			err := fields(value, func(n protowire.Number, value []byte, _ uint64) error {
				if n == 1 {
					f.Name = string(value)
				} else if n == 2 {
					f.Value = strings.ToValidUTF8(string(value), "�")
				}
				return nil
			})
			if err == nil && f.Name != "" && len(r.Fields) < record.DefaultLimits.Fields {
				r.Fields = append(r.Fields, f)
			}
			return err
		}
		return nil
	})
	r.Fields = record.SortFields(r.Fields)
	return r, err
}

// timestamp reads a google.protobuf.Timestamp.
func timestamp(t *time.Time, raw []byte) error {
	var seconds, nanos int64
	err := fields(raw, func(n protowire.Number, _ []byte, value uint64) error {
		if n == 1 {
			seconds = int64(value)
		} else if n == 2 {
			nanos = int64(int32(value))
		}
		return nil
	})
	if seconds > -9e9 && seconds < 9e9 {
		*t = time.Unix(seconds, nanos).UTC()
	}
	return err
}

// fields calls fn for each field of a message: bytes for those with a length,
// the number for varints.
func fields(raw []byte, fn func(n protowire.Number, value []byte, number uint64) error) error {
	for len(raw) > 0 {
		n, kind, size := protowire.ConsumeTag(raw)
		if size < 0 {
			return fmt.Errorf("the body is no push request: %w", protowire.ParseError(size))
		}
		raw = raw[size:]
		var value []byte
		var number uint64
		switch kind {
		case protowire.BytesType:
			value, size = protowire.ConsumeBytes(raw)
		case protowire.VarintType:
			number, size = protowire.ConsumeVarint(raw)
		default:
			size = protowire.ConsumeFieldValue(n, kind, raw)
		}
		if size < 0 {
			return fmt.Errorf("the body is no push request: %w", protowire.ParseError(size))
		}
		if err := fn(n, value, number); err != nil {
			return err
		}
		raw = raw[size:]
	}
	return nil
}

// ParseLabels reads {a="b", c="d"} as Prometheus writes it.
func ParseLabels(text string) (record.Labels, error) {
	rest := strings.TrimSpace(text)
	if !strings.HasPrefix(rest, "{") || !strings.HasSuffix(rest, "}") {
		return nil, errors.New("labels stand between { and }")
	}
	rest = strings.TrimSpace(rest[1 : len(rest)-1])
	m := map[string]string{}
	for rest != "" {
		name, behind, ok := strings.Cut(rest, "=")
		quoted, err := strconv.QuotedPrefix(strings.TrimSpace(behind))
		if name = strings.TrimSpace(name); !ok || name == "" || err != nil {
			return nil, errors.New("a label is written name=\"value\"")
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, fmt.Errorf("the value of label %.60q: %w", name, err)
		}
		m[name] = value
		rest = strings.TrimSpace(strings.TrimSpace(behind)[len(quoted):])
		if rest != "" && !strings.HasPrefix(rest, ",") {
			return nil, errors.New("a comma is missing between labels")
		}
		rest = strings.TrimSpace(strings.TrimPrefix(rest, ","))
	}
	return record.MakeLabels(m), nil
}
