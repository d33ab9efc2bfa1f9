package buildlog

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"time"
)

// KindLog is the event type of output; every other type is opaque here except
// KindStatus, which is made durable at once.
const (
	KindLog    = "log"
	KindStatus = "status"
)

// LogVersion is the version of a log event as the event stream names it.
const LogVersion = "5.1"

// The two sources of output.
const (
	Stdout = "stdout"
	Stderr = "stderr"
)

// Record is one event as it is appended.
type Record struct {
	Time time.Time
	// Origin is the id of the plan or step that the event is about; empty for the build.
	Origin string
	// Kind is the event type. It is KindLog for output, which has Source and
	// Payload; all others have Version and Data.
	Kind    string
	Version string
	Data    json.RawMessage
	// Source is Stdout or Stderr.
	Source string
	// Payload is one line with its line end, or a part of one without. Append splits
	// a payload of several lines into several events.
	Payload string

	// consumed is how many bytes of the origin's source a LineWriter had read up to
	// the end of this payload; 0 when nobody counted.
	consumed int64
}

// Event is a record and its place in the build.
type Event struct {
	ID int64
	Record
}

const (
	fileMagic  = "SBLOG\x00\x01\n"
	headerSize = 8
	// maxBody bounds one record, against a length field that is garbage.
	maxBody = 16 << 20

	bodyStdout = 1
	bodyStderr = 2
	bodyEvent  = 3
)

// ErrTooLarge is returned by Append for one event of more than 16 MiB.
var ErrTooLarge = errors.New("an event may have at most 16 MiB")

var (
	errDamaged = errors.New("damaged record")
	crcTable   = crc32.MakeTable(crc32.Castagnoli)
)

// appendRecord adds the record's bytes to b: length, checksum, body.
func appendRecord(b []byte, r *Record) ([]byte, error) {
	start := len(b)
	b = append(b, make([]byte, headerSize)...)
	switch {
	case r.Kind == KindLog && r.Source == Stderr:
		b = append(b, bodyStderr)
	case r.Kind == KindLog:
		b = append(b, bodyStdout)
	default:
		b = append(b, bodyEvent)
	}
	b = binary.AppendVarint(b, r.Time.UnixNano())
	b = appendString(b, r.Origin)
	if r.Kind == KindLog {
		b = binary.AppendUvarint(b, uint64(r.consumed))
		b = append(b, r.Payload...)
	} else {
		b = appendString(b, r.Kind)
		b = appendString(b, r.Version)
		b = append(b, r.Data...)
	}
	body := b[start+headerSize:]
	if len(body) > maxBody {
		return b[:start], fmt.Errorf("append %s event of %d bytes: %w", r.Kind, len(body), ErrTooLarge)
	}
	binary.LittleEndian.PutUint32(b[start:], uint32(len(body)))
	binary.LittleEndian.PutUint32(b[start+4:], crc32.Checksum(body, crcTable))
	return b, nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// rawRecord is a decoded record whose slices point into the read buffer.
type rawRecord struct {
	log      bool
	stderr   bool
	time     int64
	origin   []byte
	kind     []byte
	version  []byte
	rest     []byte // payload or data
	consumed int64
}

// partial says that the line goes on in a later event.
func (r *rawRecord) partial() bool {
	return len(r.rest) == 0 || r.rest[len(r.rest)-1] != '\n'
}

// decodeBody reads one body whose checksum has been verified.
func decodeBody(body []byte, r *rawRecord) error {
	if len(body) == 0 || body[0] < bodyStdout || body[0] > bodyEvent {
		return errDamaged
	}
	*r = rawRecord{log: body[0] != bodyEvent, stderr: body[0] == bodyStderr}
	rest := body[1:]
	nanos, n := binary.Varint(rest)
	if n <= 0 {
		return errDamaged
	}
	r.time, rest = nanos, rest[n:]
	var ok bool
	if r.origin, rest, ok = cutString(rest); !ok {
		return errDamaged
	}
	if r.log {
		consumed, n := binary.Uvarint(rest)
		if n <= 0 || consumed > 1<<62 {
			return errDamaged
		}
		r.consumed, r.rest = int64(consumed), rest[n:]
		return nil
	}
	if r.kind, rest, ok = cutString(rest); !ok {
		return errDamaged
	}
	if r.version, r.rest, ok = cutString(rest); !ok {
		return errDamaged
	}
	return nil
}

func cutString(b []byte) (s, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, nil, false
	}
	return b[n : n+int(size)], b[n+int(size):], true
}

// record copies the slices out of the buffer.
func (r *rawRecord) record() Record {
	out := Record{Time: time.Unix(0, r.time).UTC(), Origin: string(r.origin)}
	if !r.log {
		out.Kind, out.Version = string(r.kind), string(r.version)
		if len(r.rest) > 0 {
			out.Data = append(json.RawMessage{}, r.rest...)
		}
		return out
	}
	out.Kind, out.Version, out.Source, out.Payload = KindLog, LogVersion, r.source(), string(r.rest)
	out.consumed = r.consumed
	return out
}

func (r *rawRecord) source() string {
	if r.stderr {
		return Stderr
	}
	return Stdout
}

// splitLines makes every log record hold one line, and its text valid UTF-8.
func splitLines(records []Record) []Record {
	whole := true
	for i := range records {
		whole = whole && (records[i].Kind != KindLog || isOneLine(records[i].Payload))
	}
	if whole {
		return records
	}
	out := make([]Record, 0, len(records)+8)
	for _, r := range records {
		if r.Kind != KindLog {
			out = append(out, r)
			continue
		}
		for line := range strings.Lines(strings.ToValidUTF8(r.Payload, "\uFFFD")) {
			piece := r
			piece.Payload = line
			out = append(out, piece)
		}
	}
	return out
}
