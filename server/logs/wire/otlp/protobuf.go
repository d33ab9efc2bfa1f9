package otlp

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/signalbox/signalbox/server/logs/record"
)

// ReadProtobuf reads an ExportLogsServiceRequest. A record that is odd is
// counted; an error means that the whole body is no such thing.
func ReadProtobuf(body []byte, l Limits) (Batch, error) {
	var b Batch
	err := fields(body, func(n protowire.Number, value []byte, _ uint64) error {
		if n != 1 {
			return nil
		}
		return b.resource(value, l)
	})
	if err != nil && !errors.Is(err, ErrTooMany) {
		err = fmt.Errorf("the body is no export request: %w", err)
	}
	return b, err
}

// resource reads ResourceLogs; the resource may come behind its records.
func (b *Batch) resource(raw []byte, l Limits) error {
	var attributes []attribute
	var scopes [][]byte
	err := fields(raw, func(n protowire.Number, value []byte, _ uint64) error {
		switch n {
		case 1:
			return fields(value, func(n protowire.Number, value []byte, _ uint64) error {
				if n != 1 {
					return nil
				}
				return pair(&attributes, value, 1)
			})
		case 2:
			scopes = append(scopes, value)
		}
		return nil
	})
	if err != nil {
		return err
	}
	o := resource(attributes)
	for _, raw := range scopes {
		if err := b.scope(raw, o, l); err != nil {
			return err
		}
	}
	return nil
}

// scope reads ScopeLogs.
func (b *Batch) scope(raw []byte, o origin, l Limits) error {
	var name string
	var attributes []attribute
	var lines [][]byte
	err := fields(raw, func(n protowire.Number, value []byte, _ uint64) error {
		switch n {
		case 1:
			return fields(value, func(n protowire.Number, value []byte, _ uint64) error {
				switch n {
				case 1:
					name = clean(value)
				case 3:
					return pair(&attributes, value, 1)
				}
				return nil
			})
		case 2:
			lines = append(lines, value)
		}
		return nil
	})
	if err != nil {
		return err
	}
	o = o.scope(name, attributes)
	for _, raw := range lines {
		if len(b.Records) >= l.Lines {
			return ErrTooMany
		}
		in, err := protoLine(raw)
		if err != nil {
			b.reject(unreadable)
			continue
		}
		b.add(o, in, l)
	}
	return nil
}

func protoLine(raw []byte) (line, error) {
	var in line
	err := fields(raw, func(n protowire.Number, value []byte, number uint64) (err error) {
		switch n {
		case 1:
			in.time = number
		case 2:
			in.severity = int(int32(number))
		case 3:
			in.severityText = clean(value)
		case 5:
			in.body, err = protoValue(value, 1)
		case 6:
			err = pair(&in.attributes, value, 1)
		case 9:
			in.trace = identity(hex.EncodeToString(value), 16)
		case 10:
			in.span = identity(hex.EncodeToString(value), 8)
		case 11:
			in.observed = number
		case 12:
			in.event = clean(value)
		}
		return err
	})
	return in, err
}

// pair reads a KeyValue.
func pair(dst *[]attribute, raw []byte, depth int) error {
	var a attribute
	err := fields(raw, func(n protowire.Number, value []byte, _ uint64) (err error) {
		switch n {
		case 1:
			a.name = clean(value)
		case 2:
			a.value, err = protoValue(value, depth)
		}
		return err
	})
	*dst = append(*dst, a)
	return err
}

var errDeep = errors.New("values are nested too deep")

// protoValue reads an AnyValue.
func protoValue(raw []byte, depth int) (value, error) {
	var v value
	if depth > maxDepth {
		return v, errDeep
	}
	err := fields(raw, func(n protowire.Number, raw []byte, number uint64) error {
		switch n {
		case 1:
			v = value{text: clean(raw)}
		case 2:
			v = value{kind: record.Bool, text: strconv.FormatBool(number != 0)}
		case 3:
			v = value{kind: record.Number, text: strconv.FormatInt(int64(number), 10)}
		case 4:
			v = value{kind: record.Number, text: strconv.FormatFloat(math.Float64frombits(number), 'g', -1, 64)}
		case 5, 6:
			return v.nested(n, raw, depth)
		case 7:
			v = value{text: base64.StdEncoding.EncodeToString(raw)}
		}
		return nil
	})
	return v, err
}

// nested reads an ArrayValue (5) or a KeyValueList (6).
func (v *value) nested(kind protowire.Number, raw []byte, depth int) error {
	*v = value{shape: array}
	if kind == 6 {
		v.shape = object
	}
	return fields(raw, func(n protowire.Number, raw []byte, _ uint64) error {
		switch {
		case n != 1:
			return nil
		case kind == 6:
			return pair(&v.pairs, raw, depth+1)
		}
		item, err := protoValue(raw, depth+1)
		v.list = append(v.list, item)
		return err
	})
}

// fields calls fn for each field of a message: bytes for those with a length,
// the number for the others.
func fields(raw []byte, fn func(n protowire.Number, value []byte, number uint64) error) error {
	for len(raw) > 0 {
		n, kind, size := protowire.ConsumeTag(raw)
		if size < 0 {
			return protowire.ParseError(size)
		}
		raw = raw[size:]
		var value []byte
		var number uint64
		switch kind {
		case protowire.BytesType:
			value, size = protowire.ConsumeBytes(raw)
		case protowire.VarintType:
			number, size = protowire.ConsumeVarint(raw)
		case protowire.Fixed64Type:
			number, size = protowire.ConsumeFixed64(raw)
		default:
			size = protowire.ConsumeFieldValue(n, kind, raw)
		}
		if size < 0 {
			return protowire.ParseError(size)
		}
		if err := fn(n, value, number); err != nil {
			return err
		}
		raw = raw[size:]
	}
	return nil
}
