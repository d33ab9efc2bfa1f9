package junit

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// cleaner makes UTF-8 that XML allows of what runners write.
type cleaner struct {
	in     *bufio.Reader
	latin1 bool
	rest   []byte // of an encoded rune that did not fit
	room   [utf8.UTFMax]byte
}

var declaredEncoding = regexp.MustCompile(`^\s*<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9_.-]+)["']`)

func newCleaner(r io.Reader) *cleaner {
	c := &cleaner{in: bufio.NewReaderSize(r, 32<<10)}
	head, _ := c.in.Peek(256) // an error comes back with the next read
	if bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")) {
		_, _ = c.in.Discard(3) // which were just seen
		head = head[3:]
	}
	if m := declaredEncoding.FindSubmatch(head); m != nil {
		switch strings.ToLower(string(m[1])) {
		case "iso-8859-1", "latin1", "windows-1252", "iso-8859-15":
			c.latin1 = true
		}
	}
	return c
}

// Read gives whole runes only as far as p has room; the rest comes next.
func (c *cleaner) Read(p []byte) (n int, err error) {
	n = copy(p, c.rest)
	c.rest = c.rest[n:]
	for n < len(p) {
		if n > 0 && c.in.Buffered() == 0 {
			return n, nil
		}
		r, err := c.next()
		if err != nil {
			if n > 0 {
				return n, nil // it comes again
			}
			return 0, err
		}
		size := utf8.EncodeRune(c.room[:], r)
		k := copy(p[n:], c.room[:size])
		c.rest = append(c.rest[:0], c.room[k:size]...)
		n += k
	}
	return n, nil
}

func (c *cleaner) next() (rune, error) {
	if c.latin1 {
		b, err := c.in.ReadByte()
		return allowed(rune(b)), err
	}
	r, _, err := c.in.ReadRune() // U+FFFD for what is no UTF-8
	return allowed(r), err
}

// allowed replaces what XML 1.0 forbids.
func allowed(r rune) rune {
	if r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 {
		return r
	}
	return utf8.RuneError
}
