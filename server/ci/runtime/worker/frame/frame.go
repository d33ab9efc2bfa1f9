package frame

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"time"
)

// MaxData bounds the bytes of one record; a longer length on disk is damage.
const MaxData = 64 << 10

// headerSize is: length (4), stream (1), magic (3), unix nanoseconds (8), CRC-32C (4).
const headerSize = 20

// ErrDamaged says that the file holds something that is not a record.
var ErrDamaged = errors.New("the output file is damaged")

var (
	magic = [3]byte{'s', 'b', 'x'}
	table = crc32.MakeTable(crc32.Castagnoli)
)

// The streams as they are written to disk.
const (
	Stdout byte = 1
	Stderr byte = 2
)

// Record is one piece of output. Data is only valid until the next call of the
// reader that returned it.
type Record struct {
	Time   time.Time
	Stream byte
	Data   []byte
}

// Append adds the encoded record to dst. Data beyond MaxData is the caller's mistake
// and is cut.
func Append(dst []byte, r Record) []byte {
	data := r.Data[:min(len(r.Data), MaxData)]
	start := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(data)))
	dst = append(dst, r.Stream, magic[0], magic[1], magic[2])
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.Time.UnixNano()))
	sum := crc32.Update(crc32.Checksum(dst[start:], table), table, data)
	dst = binary.LittleEndian.AppendUint32(dst, sum)
	return append(dst, data...)
}

// Reader reads records from a file that may still grow.
type Reader struct {
	src  io.ReaderAt
	off  int64 // of the first byte not yet in buf
	buf  []byte
	have []byte // the unread part of buf
}

// NewReader reads from the start of src.
func NewReader(src io.ReaderAt) *Reader {
	return &Reader{src: src, buf: make([]byte, 4*(MaxData+headerSize))}
}

// Next returns the next record; ok is false when no whole record is there yet.
func (r *Reader) Next() (rec Record, ok bool, err error) {
	for {
		rec, size, err := parse(r.have)
		if err != nil {
			return Record{}, false, err
		}
		if size > 0 {
			r.have = r.have[size:]
			return rec, true, nil
		}
		more, err := r.fill()
		if err != nil || !more {
			return Record{}, false, err
		}
	}
}

// fill moves the unread rest to the front and reads behind it.
func (r *Reader) fill() (bool, error) {
	n := copy(r.buf, r.have)
	r.have = r.buf[:n]
	m, err := r.src.ReadAt(r.buf[n:], r.off)
	r.off += int64(m)
	r.have = r.buf[:n+m]
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return m > 0, nil
}

// parse takes one record off the front of b; size 0 means b holds only part of one.
func parse(b []byte) (rec Record, size int, err error) {
	if len(b) < headerSize {
		return Record{}, 0, nil
	}
	n := int(binary.LittleEndian.Uint32(b))
	stream := b[4]
	if n > MaxData || [3]byte(b[5:8]) != magic || (stream != Stdout && stream != Stderr) {
		return Record{}, 0, ErrDamaged
	}
	if len(b) < headerSize+n {
		return Record{}, 0, nil
	}
	data := b[headerSize : headerSize+n]
	sum := crc32.Update(crc32.Checksum(b[:16], table), table, data)
	if sum != binary.LittleEndian.Uint32(b[16:]) {
		return Record{}, 0, ErrDamaged
	}
	at := time.Unix(0, int64(binary.LittleEndian.Uint64(b[8:]))).UTC()
	return Record{Time: at, Stream: stream, Data: data}, headerSize + n, nil
}
