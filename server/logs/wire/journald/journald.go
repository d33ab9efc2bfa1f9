// Package journald reads systemd's journal export format as a stream, which is
// what systemd-journal-upload sends. Facts from systemd.io/JOURNAL_EXPORT_FORMATS.
package journald

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

const (
	// maxName is how long the name of a field may be; the journal allows 64.
	maxName = 255
	// maxEntry bounds what is kept of all fields of an entry.
	maxEntry = 2 << 20
)

var (
	// ErrMalformed says that the stream is no journal; what follows is of no use.
	ErrMalformed = errors.New("the body is not in the journal's export format")
	// ErrNoMessage says that an entry has no message; the next one may be read.
	ErrNoMessage = errors.New("an entry has no message")
)

// Reader takes entries out of a stream.
type Reader struct {
	b *bufio.Reader
	// line is how many bytes of a message are kept.
	line int
}

// NewReader reads entries, of whose messages line bytes are kept.
func NewReader(r io.Reader, line int) *Reader { return &Reader{bufio.NewReaderSize(r, 64<<10), line} }

// Next is the next entry; io.EOF at the end of the stream.
func (r *Reader) Next() (record.Record, error) {
	e := entry{labels: map[string]string{"source": "journald"}}
	for {
		name, value, err := r.field(&e)
		switch {
		case err == nil && name == "", err == io.EOF:
			if e.seen == 0 {
				if err == nil {
					continue // several empty lines, or one in front
				}
				return record.Record{}, io.EOF
			}
			return e.record()
		case err != nil:
			return record.Record{}, err
		}
		e.seen++
		e.take(name, value)
	}
}

// field reads NAME=value, or NAME, a length and bytes; an empty line has no name.
func (r *Reader) field(e *entry) (name, value string, err error) {
	room := maxEntry - e.bytes
	var line []byte
	for {
		part, err := r.b.ReadSlice('\n')
		line = append(line, part[:min(len(part), max(0, r.kept(line, room)-len(line)))]...)
		if err == bufio.ErrBufferFull {
			continue
		}
		if err == io.EOF && len(part) == 0 && len(line) == 0 {
			return "", "", io.EOF
		}
		if err != nil && err != io.EOF {
			return "", "", err
		}
		break
	}
	text := strings.TrimSuffix(string(line), "\n")
	if text == "" {
		return "", "", nil
	}
	name, value, ok := strings.Cut(text, "=")
	if !validName(name) {
		return "", "", fmt.Errorf("%w: %.40q is no field", ErrMalformed, text)
	}
	if !ok {
		value, err = r.binary(name, room)
	}
	e.bytes += len(name) + len(value)
	return name, value, err
}

// kept is how many bytes of a line are kept that began so.
func (r *Reader) kept(line []byte, room int) int {
	limit := record.DefaultLimits.Value + maxName
	if len(line) == 0 || strings.HasPrefix(string(line[:min(len(line), 8)]), "MESSAGE=") {
		limit = r.line + len("MESSAGE=")
	}
	return max(maxName, min(limit, room))
}

func (r *Reader) binary(name string, room int) (string, error) {
	var size [8]byte
	if _, err := io.ReadFull(r.b, size[:]); err != nil {
		return "", cutOff(err)
	}
	n := binary.LittleEndian.Uint64(size[:])
	if n > 1<<40 {
		return "", fmt.Errorf("%w: the length of %.64s cannot be", ErrMalformed, name)
	}
	limit := record.DefaultLimits.Value
	if name == "MESSAGE" {
		limit = r.line
	}
	// Only what arrives takes memory, whatever the length claims.
	kept, err := io.ReadAll(io.LimitReader(r.b, int64(min(n, uint64(max(0, min(limit, room)))))))
	if err != nil {
		return "", err
	}
	if _, err := io.CopyN(io.Discard, r.b, int64(n)-int64(len(kept))); err != nil {
		return "", cutOff(err)
	}
	end, err := r.b.ReadByte()
	if err == nil && end != '\n' {
		err = fmt.Errorf("%w: %.64s is longer than it says", ErrMalformed, name)
	}
	return string(kept), cutOff(err)
}

// cutOff is an end in the middle of a field.
func cutOff(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func validName(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// entry is one while it is read.
type entry struct {
	seen, bytes int
	labels      map[string]string
	message     string
	whole       bool // there is a message
	container   string
	unit, ident string
	r           record.Record
}

func (e *entry) take(name, value string) {
	value = strings.ToValidUTF8(value, "�")
	switch name {
	case "MESSAGE":
		e.message, e.whole = value, true
		return
	case "PRIORITY":
		if n, err := strconv.Atoi(value); err == nil && n >= 0 && n <= 7 {
			e.r.Level = record.SyslogLevel(n)
			return
		}
	case timestamp:
		if micros, err := strconv.ParseInt(value, 10, 64); err == nil && micros > 0 {
			e.r.Time = time.UnixMicro(micros).UTC()
		}
	case "_HOSTNAME":
		if e.label("host", value) {
			return
		}
	case "_TRANSPORT":
		if e.label("transport", value) {
			return
		}
	case "CONTAINER_NAME":
		e.container = value
	case "_SYSTEMD_UNIT":
		e.unit = strings.TrimSuffix(value, ".service")
	case "SYSLOG_IDENTIFIER":
		e.ident = value
	}
	// Addresses of the journal itself (__CURSOR and the like) differ in each line,
	// cost as much as the line and help nobody to find it.
	if !strings.HasPrefix(name, "__") && value != "" && len(e.r.Fields) < record.DefaultLimits.Fields {
		e.r.Fields = append(e.r.Fields, record.Field{Name: name, Value: value})
	}
}

func (e *entry) label(name, value string) bool {
	if value == "" || len(value) > 255 {
		return false
	}
	e.labels[name] = value
	return true
}

// record is the finished entry: the service is the container, else the unit,
// else what the program calls itself (which is all that the kernel has).
func (e *entry) record() (record.Record, error) {
	if !e.whole {
		return record.Record{}, ErrNoMessage
	}
	for _, name := range []string{e.container, e.unit, e.ident} {
		if e.label("service", name) {
			break
		}
	}
	e.r.Message = e.message
	e.r.Stream = record.MakeLabels(e.labels)
	e.r.Fields = record.SortFields(e.r.Fields)
	return e.r, nil
}
