package buildlog

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"unicode/utf8"
)

const blockSize = 256 << 10

// scanner walks the records between two offsets of a file.
type scanner struct {
	from io.ReaderAt
	// next is the offset of the record that advance looks at.
	next int64
	end  int64
	// buf[lo:hi] are bytes read and not walked yet; buf[lo] is at next.
	buf    []byte
	lo, hi int
	rec    rawRecord
	// at is the offset of rec.
	at int64
}

func newScanner(from io.ReaderAt, start, end int64) *scanner {
	size := min(int64(blockSize), max(end-start, 0))
	return &scanner{from: from, next: start, end: end, buf: make([]byte, size)}
}

// advance reads the next record into s.rec, valid until the next call. It returns
// io.EOF at the end, and errDamaged for a record that is cut off or does not verify.
func (s *scanner) advance() error {
	if s.next >= s.end {
		return io.EOF
	}
	if err := s.fill(headerSize); err != nil {
		return err
	}
	size := int(binary.LittleEndian.Uint32(s.buf[s.lo:]))
	if size > maxBody || s.next+headerSize+int64(size) > s.end {
		return errDamaged
	}
	sum := binary.LittleEndian.Uint32(s.buf[s.lo+4:])
	if err := s.fill(headerSize + size); err != nil {
		return err
	}
	body := s.buf[s.lo+headerSize : s.lo+headerSize+size]
	if crc32.Checksum(body, crcTable) != sum {
		return errDamaged
	}
	if err := decodeBody(body, &s.rec); err != nil {
		return err
	}
	s.at = s.next
	s.next += int64(headerSize + size)
	s.lo += headerSize + size
	return nil
}

// fill makes at least n bytes available at buf[lo:].
func (s *scanner) fill(n int) error {
	if s.hi-s.lo >= n {
		return nil
	}
	if n > len(s.buf) {
		grown := make([]byte, max(n, min(blockSize, int(s.end-s.next))))
		s.hi = copy(grown, s.buf[s.lo:s.hi])
		s.lo, s.buf = 0, grown
	} else {
		s.hi = copy(s.buf, s.buf[s.lo:s.hi])
		s.lo = 0
	}
	offset := s.next + int64(s.hi)
	want := min(int64(len(s.buf)-s.hi), s.end-offset)
	if want <= 0 {
		return errDamaged
	}
	got, err := s.from.ReadAt(s.buf[s.hi:s.hi+int(want)], offset)
	s.hi += got
	if s.hi-s.lo >= n {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return errDamaged
	}
	return err
}

// isOneLine reports whether the text is valid, not empty, and has no line end but at its end.
func isOneLine(text string) bool {
	at := strings.IndexByte(text, '\n')
	return text != "" && (at < 0 || at == len(text)-1) && utf8.ValidString(text)
}
