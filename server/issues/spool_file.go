package issues

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// segment is one file of the spool. Its name is the place of its first byte,
// counted from the beginning of the spool's life.
type segment struct {
	start int64
	path  string
}

const segmentSuffix = ".spool"

func segmentAt(dir string, start int64) segment {
	return segment{start, filepath.Join(dir, fmt.Sprintf("%020d%s", start, segmentSuffix))}
}

// segmentsIn lists a folder's segments from the oldest.
func segmentsIn(dir string) ([]segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list the spool: %w", err)
	}
	var list []segment
	for _, e := range entries {
		name, found := strings.CutSuffix(e.Name(), segmentSuffix)
		if start, err := strconv.ParseInt(name, 10, 64); found && err == nil && start >= 0 {
			list = append(list, segment{start, filepath.Join(dir, e.Name())})
		}
	}
	slices.SortFunc(list, func(a, b segment) int { return int(min(max(a.start-b.start, -1), 1)) })
	return list, nil
}

// length is how much of a segment is whole records, at most limit bytes (no
// limit when negative): what follows is the tail that a crash left.
func (g segment) length(limit int64) (int64, error) {
	f, err := os.Open(g.path)
	if err != nil {
		return 0, fmt.Errorf("open the spool: %w", err)
	}
	defer f.Close()
	return wholeRecords(f, limit)
}

// wholeRecords counts the bytes of the whole records that r begins with.
func wholeRecords(r io.Reader, limit int64) (int64, error) {
	in := bufio.NewReaderSize(r, 1<<18)
	var at int64
	var buf []byte
	for {
		raw, err := nextRecord(in, &buf)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, errTorn):
			return at, nil
		case err != nil:
			return at, fmt.Errorf("read the spool: %w", err)
		}
		if limit >= 0 && at+int64(len(raw)) > limit {
			return at, nil
		}
		if _, err := readRecord(raw); err != nil {
			return at, nil
		}
		at += int64(len(raw))
	}
}

// nextRecord reads the bytes of one record into buf, which it grows only as far
// as bytes are there: a damaged length must not cost memory. io.EOF when r ends
// before a record begins.
func nextRecord(in *bufio.Reader, buf *[]byte) ([]byte, error) {
	var head [recordHead]byte
	n, err := io.ReadFull(in, head[:])
	switch {
	case err == io.EOF && n == 0:
		return nil, io.EOF
	case err == io.ErrUnexpectedEOF:
		return nil, errTorn
	case err != nil:
		return nil, err
	}
	size, err := recordLength(head[:])
	if err != nil {
		return nil, err
	}
	*buf = append((*buf)[:0], head[:]...)
	for int64(len(*buf)) < size {
		step := int(min(size-int64(len(*buf)), 1<<20))
		at := len(*buf)
		*buf = slices.Grow(*buf, step)[:at+step]
		if _, err := io.ReadFull(in, (*buf)[at:]); err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				return nil, errTorn
			}
			return nil, err
		}
	}
	return *buf, nil
}

// syncDir makes names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
