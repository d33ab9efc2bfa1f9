package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"unsafe"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"

	"github.com/signalbox/signalbox/server/logs/record"
)

// reader is a segment whose lines can be read.
type reader struct {
	lease
	*index
	data   *os.File
	pq     *parquet.File
	groups []parquet.RowGroup
	fixed  fixedColumns
	fields []int
	at     map[string]int // place of a field in desc.Columns
}

func openReader(s *Store, g *segment) (*reader, error) {
	ix, err := s.indexes.get(s, g)
	if err != nil {
		return nil, err
	}
	r := &reader{lease: lease{id: g.info.ID}, index: ix}
	if err := r.openData(segmentPath(s.opt.Dir, g.info)); err != nil {
		r.close(s)
		return nil, err
	}
	return r, nil
}

func (r *reader) openData(base string) (err error) {
	if r.data, err = os.Open(base + ".parquet"); err != nil {
		return fmt.Errorf("open a segment: %w", err)
	}
	size, err := r.data.Seek(0, io.SeekEnd)
	if err != nil || size < r.desc.Footer {
		return fmt.Errorf("a segment's length: %w", errDamaged)
	}
	if sum, err := sumFrom(r.data, r.desc.Footer, size); err != nil || sum != r.desc.FootSum {
		return fmt.Errorf("a segment's footer: %w", errDamaged)
	}
	r.pq, err = parquet.OpenFile(r.data, size, &parquet.FileConfig{SkipBloomFilters: true, ReadBufferSize: 16 << 10, SkipPageIndex: true})
	if err != nil {
		return fmt.Errorf("open a segment: %w", errors.Join(errDamaged, err))
	}
	r.groups = r.pq.RowGroups()
	if len(r.groups) != len(r.desc.Groups) {
		return fmt.Errorf("a segment's row groups: %w", errDamaged)
	}
	r.fixed, r.fields = placeColumns(r.pq.Schema(), r.desc.Columns)
	r.at = make(map[string]int, len(r.desc.Columns))
	for i, c := range r.desc.Columns {
		r.at[c.Name] = i
	}
	r.lease.cost = int64(64<<10 + len(r.groups)*len(r.pq.Schema().Columns())*1200)
	return nil
}

func (r *reader) held() *lease { return &r.lease }

func (r *reader) close(s *Store) {
	if r.data != nil {
		r.data.Close() // read only: nothing can be lost
	}
	s.indexes.put(s, r.index)
}

// span is a range of lines of a row group, [from, to).
type span struct{ from, to int }

// scratch holds what reading a row group needs; one belongs to one goroutine.
type scratch struct {
	pages  []parquet.Page
	ints   [2][]int64
	texts  map[int][]string
	bytes  int64 // uncompressed, read since the last reset
	levels []record.Level
	fields []record.Field
}

// reset gives the pages back: texts read from them are invalid from here on.
func (sc *scratch) reset() {
	for _, p := range sc.pages {
		parquet.Release(p)
	}
	clear(sc.pages)
	sc.pages, sc.bytes = sc.pages[:0], 0
}

// eachPage reads the pages of a column that hold the spans and calls fn with each piece:
// lines [from, to) of the group, in a page that begins with line start.
func (r *reader) eachPage(sc *scratch, group, column int, spans []span, fn func(p parquet.Page, start, from, to int) error) (err error) {
	chunk := r.groups[group].ColumnChunks()[column]
	if _, err := chunk.OffsetIndex(); err != nil { // kept from now on: reading those of all columns while opening took half of it
		return fmt.Errorf("find the pages: %w", errors.Join(errDamaged, err))
	}
	pages := chunk.Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	var page parquet.Page // the one read last: lines [start, end) of the group
	start, end := 0, 0
	for _, sp := range spans {
		for at := sp.from; at < sp.to; {
			if at >= end || page == nil {
				if at != end || page == nil {
					if err := pages.SeekToRow(int64(at)); err != nil {
						return fmt.Errorf("find a page: %w", errors.Join(errDamaged, err))
					}
				}
				if page, err = pages.ReadPage(); err != nil {
					return fmt.Errorf("read a page: %w", errors.Join(errDamaged, err))
				}
				sc.pages = append(sc.pages, page)
				sc.bytes += page.Size()
				if start, end = at, at+int(page.NumRows()); start == end {
					return fmt.Errorf("a page without lines: %w", errDamaged)
				}
			}
			stop := min(end, sp.to)
			if err := fn(page, start, at, stop); err != nil {
				return err
			}
			at = stop
		}
	}
	return nil
}

// readInts fills dst[i] for every line i of the spans; dst has the group's length.
func (r *reader) readInts(sc *scratch, slot, group, column int, spans []span) ([]int64, error) {
	rows := r.desc.Groups[group].Rows
	if cap(sc.ints[slot]) < rows {
		sc.ints[slot] = make([]int64, rows)
	}
	dst := sc.ints[slot][:rows]
	err := r.eachPage(sc, group, column, spans, func(p parquet.Page, start, from, to int) error {
		data := p.Data()
		if data.Kind() != encoding.Int64 {
			return fmt.Errorf("a column of numbers: %w", errDamaged)
		}
		values := data.Int64()
		if len(values) < to-start {
			return fmt.Errorf("a column of numbers: %w", errDamaged)
		}
		copy(dst[from:to], values[from-start:])
		return nil
	})
	return dst, err
}

// readTimes is readInts of the times, in nanoseconds.
func (r *reader) readTimes(sc *scratch, group int, spans []span) ([]int64, error) {
	times, err := r.readInts(sc, 0, group, r.fixed.time, spans)
	if unit := r.desc.Unit; unit > 1 && err == nil {
		for _, sp := range spans {
			for i := sp.from; i < sp.to; i++ {
				times[i] *= unit
			}
		}
	}
	return times, err
}

// readTexts does the same for texts, which share the pages' memory until reset.
func (r *reader) readTexts(sc *scratch, group, column int, spans []span) ([]string, error) {
	rows := r.desc.Groups[group].Rows
	if sc.texts == nil {
		sc.texts = map[int][]string{}
	}
	dst := sc.texts[column]
	if cap(dst) < rows {
		dst = make([]string, rows, groupRows)
		sc.texts[column] = dst
	}
	dst = dst[:rows]
	err := r.eachPage(sc, group, column, spans, func(p parquet.Page, start, from, to int) error {
		return pageTexts(p, from-start, dst[from:to])
	})
	return dst, err
}

// pageTexts fills dst with the texts of a page from its line skip on.
func pageTexts(p parquet.Page, skip int, dst []string) error {
	data := p.Data()
	if dict := p.Dictionary(); dict != nil {
		all := dict.Page().Data()
		if data.Kind() != encoding.Int32 || all.Kind() != encoding.ByteArray {
			return fmt.Errorf("a dictionary: %w", errDamaged)
		}
		indexes := data.Int32()
		bytes, offsets := all.ByteArray()
		if len(indexes) < skip+len(dst) {
			return fmt.Errorf("a column of texts: %w", errDamaged)
		}
		for i := range dst {
			k := int(indexes[skip+i])
			if k < 0 || k+1 >= len(offsets) {
				return fmt.Errorf("a dictionary: %w", errDamaged)
			}
			dst[i] = textOf(bytes[offsets[k]:offsets[k+1]])
		}
		return nil
	}
	if data.Kind() != encoding.ByteArray {
		return fmt.Errorf("a column of texts: %w", errDamaged)
	}
	bytes, offsets := data.ByteArray()
	if len(offsets) < skip+len(dst)+1 {
		return fmt.Errorf("a column of texts: %w", errDamaged)
	}
	for i := range dst {
		dst[i] = textOf(bytes[offsets[skip+i]:offsets[skip+i+1]])
	}
	return nil
}

func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
