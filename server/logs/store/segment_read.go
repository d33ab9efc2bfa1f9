package store

import (
	"container/list"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"unsafe"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"

	"github.com/signalbox/signalbox/server/logs/record"
)

// reader is an open segment.
type reader struct {
	id     uint64
	desc   *description
	filter *filter
	data   *os.File
	index  *os.File
	pq     *parquet.File
	groups []parquet.RowGroup
	fixed  fixedColumns
	fields []int
	at     map[string]int // place of a field in desc.Columns
	cost   int64
	refs   int // guarded by readers.mu
	gone   bool
}

func openReader(dir string, info segmentInfo, intern *interner) (*reader, error) {
	r := &reader{id: info.ID}
	if err := r.open(segmentPath(dir, info), intern); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *reader) open(base string, intern *interner) (err error) {
	if r.data, err = os.Open(base + ".parquet"); err != nil {
		return fmt.Errorf("open a segment: %w", err)
	}
	if r.index, err = os.Open(base + ".idx"); err != nil {
		return fmt.Errorf("%w: %w", errSidecar, err)
	}
	if r.desc, r.filter, err = readSidecar(r.index, intern); err != nil {
		return fmt.Errorf("%w: %w", errSidecar, err)
	}
	size, err := r.data.Seek(0, io.SeekEnd)
	if err != nil || size < r.desc.Footer {
		return fmt.Errorf("a segment's length: %w", errDamaged)
	}
	if sum, err := sumFrom(r.data, r.desc.Footer, size); err != nil || sum != r.desc.FootSum {
		return fmt.Errorf("a segment's footer: %w", errDamaged)
	}
	r.pq, err = parquet.OpenFile(r.data, size, &parquet.FileConfig{SkipBloomFilters: true, ReadBufferSize: 16 << 10, SkipPageIndex: false})
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
	r.cost = int64(64<<10 + len(r.groups)*len(r.pq.Schema().Columns())*1200)
	for g := range r.desc.Groups {
		r.cost += int64(len(r.desc.Groups[g].Runs)) * int64(unsafe.Sizeof(run{}))
	}
	return nil
}

func (r *reader) close() {
	if r.data != nil {
		r.data.Close() // read only: nothing can be lost
	}
	if r.index != nil {
		r.index.Close()
	}
}

// readers keeps recently used segments open, bounded by memory.
type readers struct {
	mu    sync.Mutex
	limit int64
	cost  int64
	order *list.List // of *reader, most recent first
	byID  map[uint64]*list.Element
}

const maxOpen = 512

func newReaders(limit int64) *readers {
	return &readers{limit: limit, order: list.New(), byID: map[uint64]*list.Element{}}
}

// get returns the open segment; the caller gives it back with put.
func (c *readers) get(s *Store, g *segment) (*reader, error) {
	c.mu.Lock()
	if e, ok := c.byID[g.info.ID]; ok {
		c.order.MoveToFront(e)
		r := e.Value.(*reader)
		r.refs++
		c.mu.Unlock()
		return r, nil
	}
	c.mu.Unlock()
	r, err := s.openOrRebuild(g.info)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byID[g.info.ID]; ok { // another was faster
		r.close()
		r = e.Value.(*reader)
		r.refs++
		return r, nil
	}
	r.refs = 1
	c.byID[r.id] = c.order.PushFront(r)
	c.cost += r.cost
	for c.order.Len() > 1 && (c.cost > c.limit || c.order.Len() > maxOpen) {
		c.evict(c.order.Back())
	}
	return r, nil
}

func (c *readers) evict(e *list.Element) {
	r := c.order.Remove(e).(*reader)
	delete(c.byID, r.id)
	c.cost -= r.cost
	r.gone = true
	if r.refs == 0 {
		r.close()
	}
}

func (c *readers) put(r *reader) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.refs--; r.refs == 0 && r.gone {
		r.close()
	}
}

func (c *readers) forget(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byID[id]; ok {
		c.evict(e)
	}
}

func (c *readers) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.order.Len() > 0 {
		c.evict(c.order.Back())
	}
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
	pages := r.groups[group].ColumnChunks()[column].Pages()
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
