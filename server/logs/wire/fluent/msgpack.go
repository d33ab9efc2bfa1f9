package fluent

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	// maxDepth is how deep values may be nested.
	maxDepth = 32
	// maxItems is how many members one list or map may have.
	maxItems = 1 << 20
)

// ErrMalformed says that the bytes are no messages; the connection is of no more
// use.
var ErrMalformed = errors.New("the stream is not in the forward protocol")

// ErrTooLarge says that a message is larger than allowed.
var ErrTooLarge = errors.New("the message is larger than allowed")

// value is what MessagePack can say: nil, bool, int64, uint64, float64, string,
// []byte, []value, pairs or time.Time.
type value any

// pairs is a map in the order of the wire; a name may come twice.
type pairs []pair

type pair struct {
	name  string
	value value
}

// decoder reads MessagePack within limits. All that a message may take is room,
// which is counted in bytes and in values, so that a small message of many empty
// lists is no bomb.
type decoder struct {
	r interface {
		io.Reader
		io.ByteReader
	}
	room int64
}

// valueCost is about what a value takes beside its bytes.
const valueCost = 24

func (d *decoder) spend(n int64) error {
	if d.room -= n; d.room < 0 {
		return ErrTooLarge
	}
	return nil
}

func (d *decoder) uint(size int) (uint64, error) {
	var b [8]byte
	if _, err := io.ReadFull(d.r, b[8-size:]); err != nil {
		return 0, cutOff(err)
	}
	return binary.BigEndian.Uint64(b[:]), nil
}

// bytes reads n bytes; what a length only claims takes no memory.
func (d *decoder) bytes(n uint64) ([]byte, error) {
	if n > math.MaxInt32 {
		return nil, ErrTooLarge
	}
	if err := d.spend(int64(n)); err != nil {
		return nil, err
	}
	const step = 64 << 10
	out := make([]byte, 0, min(n, step))
	for uint64(len(out)) < n {
		from := len(out)
		out = append(out, make([]byte, min(n-uint64(from), step))...)
		if _, err := io.ReadFull(d.r, out[from:]); err != nil {
			return nil, cutOff(err)
		}
	}
	return out, nil
}

// cutOff is an end in the middle of a value.
func cutOff(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// next reads one value. io.EOF is an end before it begins.
func (d *decoder) next(depth int) (value, error) {
	head, err := d.r.ReadByte()
	if err != nil {
		return nil, err
	}
	if err := d.spend(valueCost); err != nil {
		return nil, err
	}
	switch {
	case head < 0x80:
		return int64(head), nil
	case head >= 0xe0:
		return int64(int8(head)), nil
	case head < 0x90:
		return d.object(uint64(head&0x0f), depth)
	case head < 0xa0:
		return d.list(uint64(head&0x0f), depth)
	case head < 0xc0:
		return d.text(uint64(head & 0x1f))
	}
	return d.wide(head, depth)
}

// widths are the bytes behind a head that give its length or are its number.
var widths = map[byte]int{0xc4: 1, 0xc5: 2, 0xc6: 4, 0xc7: 1, 0xc8: 2, 0xc9: 4, 0xca: 4, 0xcb: 8, 0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8, 0xd0: 1, 0xd1: 2, 0xd2: 4, 0xd3: 8,
	0xd9: 1, 0xda: 2, 0xdb: 4, 0xdc: 2, 0xdd: 4, 0xde: 2, 0xdf: 4}

// wide reads values whose head does not say everything.
func (d *decoder) wide(head byte, depth int) (value, error) {
	n, err := d.uint(widths[head])
	if err != nil {
		return nil, err
	}
	switch head {
	case 0xc0:
		return nil, nil
	case 0xc2, 0xc3:
		return head == 0xc3, nil
	case 0xc4, 0xc5, 0xc6:
		return d.bytes(n)
	case 0xc7, 0xc8, 0xc9:
		return d.extension(n)
	case 0xca:
		return float64(math.Float32frombits(uint32(n))), nil
	case 0xcb:
		return math.Float64frombits(n), nil
	case 0xcc, 0xcd, 0xce, 0xcf:
		return n, nil
	case 0xd0:
		return int64(int8(n)), nil
	case 0xd1:
		return int64(int16(n)), nil
	case 0xd2:
		return int64(int32(n)), nil
	case 0xd3:
		return int64(n), nil
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8:
		return d.extension(1 << (head - 0xd4))
	case 0xd9, 0xda, 0xdb:
		return d.text(n)
	case 0xdc, 0xdd:
		return d.list(n, depth)
	case 0xde, 0xdf:
		return d.object(n, depth)
	}
	return nil, fmt.Errorf("%w: %#02x begins no value", ErrMalformed, head)
}

func (d *decoder) text(n uint64) (value, error) {
	raw, err := d.bytes(n)
	return string(raw), err
}

func (d *decoder) list(n uint64, depth int) (value, error) {
	if depth >= maxDepth || n > maxItems {
		return nil, ErrTooLarge
	}
	out := make([]value, 0, min(n, 64))
	for range n {
		v, err := d.next(depth + 1)
		if err != nil {
			return nil, cutOff(err)
		}
		out = append(out, v)
	}
	return out, nil
}

func (d *decoder) object(n uint64, depth int) (value, error) {
	if depth >= maxDepth || n > maxItems {
		return nil, ErrTooLarge
	}
	out := make(pairs, 0, min(n, 64))
	for range n {
		name, err := d.next(depth + 1)
		if err != nil {
			return nil, cutOff(err)
		}
		v, err := d.next(depth + 1)
		if err != nil {
			return nil, cutOff(err)
		}
		text, _ := plain(name)
		out = append(out, pair{text, v})
	}
	return out, nil
}

// extension reads a time (type 0 is Fluentd's EventTime); others are bytes.
func (d *decoder) extension(n uint64) (value, error) {
	kind, err := d.uint(1)
	if err != nil {
		return nil, err
	}
	raw, err := d.bytes(n)
	if err == nil && kind == 0 && len(raw) == 8 {
		return time.Unix(int64(binary.BigEndian.Uint32(raw)), int64(binary.BigEndian.Uint32(raw[4:]))).UTC(), nil
	}
	return raw, err
}

// plain is a value that is no list and no map as text, and whether that is text
// of its own rather than a number or a word.
func plain(v value) (text string, quoted bool) {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v), false
	case int64:
		return strconv.FormatInt(v, 10), false
	case uint64:
		return strconv.FormatUint(v, 10), false
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), math.IsNaN(v) || math.IsInf(v, 0)
	case string:
		return v, true
	case []byte:
		return string(v), true
	case time.Time:
		return v.Format(time.RFC3339Nano), true
	}
	return "null", false
}

// appendJSON writes a value as JSON.
func appendJSON(out []byte, v value) []byte {
	switch v := v.(type) {
	case []value:
		out = append(out, '[')
		for i, item := range v {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendJSON(out, item)
		}
		return append(out, ']')
	case pairs:
		out = append(out, '{')
		for i, p := range v {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(appendText(out, p.name), ':')
			out = appendJSON(out, p.value)
		}
		return append(out, '}')
	}
	text, quoted := plain(v)
	if quoted {
		return appendText(out, text)
	}
	return append(out, text...)
}

// appendText writes text as JSON does, but leaves < and & for people to read.
func appendText(out []byte, text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(strings.ToValidUTF8(text, "�")) != nil { // cannot be: it is a string
		return append(out, `""`...)
	}
	return append(out, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
