package issues

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"slices"
	"time"
)

// A record is: length of the body (4 bytes), CRC-32C of length and body (4
// bytes), body. All numbers are little-endian; a length of 0 is no record, so
// that a hole of zeros is none.
const (
	recordHead = 8
	// maxRecord is above what an item can be: anything larger is no length but damage.
	maxRecord = 1 << 30
	// recordVersion is the body's first byte.
	recordVersion = 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errTorn says that bytes are no whole record: the tail that a crash left, or damage.
var errTorn = errors.New("issues: no whole record")

func checksum(length, body []byte) uint32 {
	return crc32.Update(crc32.Checksum(length, castagnoli), castagnoli, body)
}

// appendRecord encodes a behind buf.
func appendRecord(buf []byte, a Accepted) []byte {
	head := len(buf)
	buf = slices.Grow(buf, recordHead+len(a.Payload)+256)
	buf = append(buf, make([]byte, recordHead)...)
	buf = append(buf, recordVersion)
	for _, n := range []int64{a.Project, a.Team, a.Key, a.Received.UnixMicro(), sentMicros(a.Sent)} {
		buf = binary.AppendVarint(buf, n)
	}
	for _, text := range []string{a.Address, a.EventID, a.ItemType, a.Client} {
		buf = appendText(buf, text)
	}
	buf = binary.AppendUvarint(buf, uint64(len(a.Header)))
	for name, value := range a.Header {
		buf = appendText(appendText(buf, name), value)
	}
	buf = append(buf, a.Payload...)
	body := buf[head+recordHead:]
	binary.LittleEndian.PutUint32(buf[head:], uint32(len(body)))
	binary.LittleEndian.PutUint32(buf[head+4:], checksum(buf[head:head+4], body))
	return buf
}

func appendText(buf []byte, text string) []byte {
	return append(binary.AppendUvarint(buf, uint64(len(text))), text...)
}

// sentMicros keeps "not said" apart from any time.
func sentMicros(t time.Time) int64 {
	if t.IsZero() {
		return math.MinInt64
	}
	return t.UnixMicro()
}

// recordLength is how long the record is that begins with head.
func recordLength(head []byte) (int64, error) {
	if len(head) < recordHead {
		return 0, errTorn
	}
	n := binary.LittleEndian.Uint32(head)
	if n == 0 || n > maxRecord {
		return 0, errTorn
	}
	return recordHead + int64(n), nil
}

// readRecord decodes a whole record. Its payload is part of raw.
func readRecord(raw []byte) (Accepted, error) {
	body := raw[recordHead:]
	if binary.LittleEndian.Uint32(raw[4:]) != checksum(raw[:4], body) || body[0] != recordVersion {
		return Accepted{}, errTorn
	}
	r := &fields{rest: body[1:]}
	a := Accepted{Project: r.number(), Team: r.number(), Key: r.number(), Received: time.UnixMicro(r.number()).UTC()}
	if sent := r.number(); sent != math.MinInt64 {
		a.Sent = time.UnixMicro(sent).UTC()
	}
	a.Address, a.EventID, a.ItemType, a.Client = r.text(), r.text(), r.text(), r.text()
	if n := r.count(); n > 0 {
		a.Header = map[string]string{}
		for range n {
			name := r.text()
			a.Header[name] = r.text()
			if r.bad {
				break
			}
		}
	}
	if r.bad {
		return Accepted{}, errTorn
	}
	a.Payload = r.rest
	return a, nil
}

// fields reads a body from its beginning; bad once something did not fit.
type fields struct {
	rest []byte
	bad  bool
}

func (f *fields) number() int64 {
	n, size := binary.Varint(f.rest)
	if size <= 0 {
		f.bad = true
		return 0
	}
	f.rest = f.rest[size:]
	return n
}

func (f *fields) count() uint64 {
	n, size := binary.Uvarint(f.rest)
	if size <= 0 || n > uint64(len(f.rest)) {
		f.bad = true
		return 0
	}
	f.rest = f.rest[size:]
	return n
}

func (f *fields) text() string {
	n := f.count()
	if f.bad || n > uint64(len(f.rest)) {
		f.bad = true
		return ""
	}
	text := string(f.rest[:n])
	f.rest = f.rest[n:]
	return text
}
