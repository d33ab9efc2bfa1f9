package store

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"github.com/signalbox/signalbox/server/logs/record"
)

// segmentWriter writes one segment: lines come sorted by stream, time and number.
type segmentWriter struct {
	base    string // path without suffix
	file    *os.File
	out     *bufio.Writer
	pq      *parquet.Writer
	columns []*parquet.ColumnWriter
	fixed   fixedColumns
	fieldAt map[string]int // place of a field in desc.Columns
	fieldIn []int          // and from there its place in the file
	desc    *description
	tokens  postingsBuilder
	counts  countsBuilder
	counter *fieldCounter
	group   groupInfo
	values  [][]parquet.Value // by column of the file, of the group under way
	arena   []byte            // texts of the group under way
	hashes  []uint32
	lastKey string
	streams map[string]int
}

func segmentPath(dir string, info segmentInfo) string {
	return filepath.Join(dir, "segments", strconv.FormatInt(info.Team, 10), dayName(info.Day), strconv.FormatUint(info.ID, 36))
}

// newSegmentWriter begins a segment below dir; it is written under a temporary name.
func newSegmentWriter(dir string, desc *description, counter *fieldCounter) (*segmentWriter, error) {
	w := &segmentWriter{base: segmentPath(dir, desc.segmentInfo), desc: desc, counter: counter,
		fieldAt: map[string]int{}, streams: map[string]int{}}
	if err := makeDirs(filepath.Dir(w.base), dir); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(w.base+".parquet.tmp", os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o640)
	if err != nil {
		return nil, fmt.Errorf("make a segment: %w", err)
	}
	w.file, w.out = f, bufio.NewWriterSize(f, 256<<10)
	schema := schemaOf(desc.Columns, desc.Unit)
	w.pq = parquet.NewWriter(w.out, schema, &parquet.WriterConfig{
		CreatedBy: "signalbox", DataPageVersion: 2, PageBufferSize: 4 << 20, WriteBufferSize: 0,
		DictionaryMaxBytes: 1 << 20, SkipPageBounds: schema.Columns(), SkipPageStatistics: schema.Columns(),
		KeyValueMetadata: metadataOf(desc),
	})
	w.columns = w.pq.ColumnWriters()
	w.fixed, w.fieldIn = placeColumns(schema, desc.Columns)
	for i, c := range desc.Columns {
		w.fieldAt[c.Name] = i
	}
	w.values = make([][]parquet.Value, len(w.columns))
	w.beginGroup()
	return w, nil
}

// fixedColumns is where the columns that every segment has are in a file.
type fixedColumns struct{ time, seq, level, stream, message, rest int }

func placeColumns(schema *parquet.Schema, columns []columnInfo) (fixed fixedColumns, fields []int) {
	at := map[string]int{}
	for i, path := range schema.Columns() {
		at[path[0]] = i
	}
	fields = make([]int, len(columns))
	for i, c := range columns {
		fields[i] = at[c.Name]
	}
	return fixedColumns{at[colTime], at[colSeq], at[colLevel], at[colStream], at[colMessage], at[colRest]}, fields
}

// makeDirs makes the folders down to path and syncs those that gained a name.
func makeDirs(path, root string) error {
	if _, err := os.Stat(path); err == nil || path == root {
		return nil
	}
	if err := makeDirs(filepath.Dir(path), root); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o750); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make a folder for segments: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

func (w *segmentWriter) beginGroup() {
	w.group = groupInfo{MinT: math.MaxInt64, MaxT: math.MinInt64, Present: make([]byte, (len(w.desc.Columns)+7)/8), Runs: make([]run, 0, 8)}
	w.arena = nil
	for i := range w.values {
		w.values[i] = w.values[i][:0]
	}
}

// keep copies a text for as long as the group is under way.
func (w *segmentWriter) keep(text string) parquet.Value {
	if len(text) == 0 {
		return parquet.ByteArrayValue(nil)
	}
	if cap(w.arena)-len(w.arena) < len(text) {
		w.arena = make([]byte, 0, max(256<<10, len(text)))
	}
	start := len(w.arena)
	w.arena = append(w.arena, text...)
	return parquet.ByteArrayValue(w.arena[start:len(w.arena):len(w.arena)])
}

// add writes a line. hashes are its token hashes if they are known already.
func (w *segmentWriter) add(key string, seq uint64, r *record.Record, hashes []uint32) error {
	t := r.Time.UnixNano()
	raw := int64(r.Size())
	w.run(key, r.Stream, t, raw)
	w.put(w.fixed.time, parquet.Int64Value(t/w.desc.Unit))
	w.put(w.fixed.seq, parquet.Int64Value(int64(seq)))
	w.put(w.fixed.level, levelValues[r.Level])
	w.put(w.fixed.stream, parquet.ByteArrayValue(textBytes(w.lastKey)))
	w.put(w.fixed.message, w.keep(r.Message))
	w.fields(r.Fields)
	if hashes == nil {
		hashes = w.lineHashes(r)
	}
	w.tokens.add(hashes)
	w.counts.add(w.group.Runs[len(w.group.Runs)-1].Stream, t, r.Level)
	w.desc.LastSeq = max(w.desc.LastSeq, seq)
	w.group.Rows++
	w.group.Raw += raw
	w.group.MinT, w.group.MaxT = min(w.group.MinT, t), max(w.group.MaxT, t)
	if w.group.Rows%zoneRows == 0 {
		w.tokens.endZone()
	}
	if w.group.Rows >= groupRows || w.group.Raw >= groupBytes {
		return w.endGroup()
	}
	return nil
}

func (w *segmentWriter) lineHashes(r *record.Record) []uint32 {
	w.hashes = record.AppendHashes(w.hashes[:0], r.Message)
	for i := range r.Fields {
		w.hashes = record.AppendHashes(w.hashes, r.Fields[i].Value)
	}
	return w.hashes
}

var levelValues = func() (v [record.Levels]parquet.Value) {
	for i := range v {
		v[i] = parquet.ByteArrayValue([]byte(record.Level(i).String()))
	}
	return v
}()

func (w *segmentWriter) put(at int, v parquet.Value) {
	w.values[at] = append(w.values[at], v)
}

// run adds a line to the run under way, or begins one.
func (w *segmentWriter) run(key string, labels record.Labels, t, raw int64) {
	runs := w.group.Runs
	if key != w.lastKey || len(runs) == 0 {
		at, ok := w.streams[key]
		if !ok {
			at = len(w.desc.Streams)
			w.desc.Streams = append(w.desc.Streams, &stream{labels: labels, key: key})
			w.streams[key] = at
		}
		w.lastKey = key
		w.group.Runs = append(runs, run{Stream: at, Rows: 1, MinT: t, MaxT: t, Raw: raw})
		return
	}
	last := &runs[len(runs)-1]
	last.Rows++
	last.Raw += raw
	last.MaxT = max(last.MaxT, t)
}

// fields puts each field into its column and the others, as JSON, into the rest.
func (w *segmentWriter) fields(fields []record.Field) {
	var rest []byte
	next := 0 // fields and columns are both sorted: columns in between are empty in this line
	for _, f := range fields {
		at, ok := w.fieldAt[f.Name]
		if !ok || w.desc.Columns[at].Kind != f.Kind || f.Value == "" {
			rest = appendRest(rest, f)
			w.tokens.addName(f.Name)
			continue
		}
		for ; next < at; next++ {
			w.put(w.fieldIn[next], parquet.ByteArrayValue(nil))
		}
		w.desc.Columns[at].Lines++
		w.group.Present[at>>3] |= 1 << (at & 7)
		w.put(w.fieldIn[at], w.keep(f.Value))
		next = at + 1
	}
	for ; next < len(w.desc.Columns); next++ {
		w.put(w.fieldIn[next], parquet.ByteArrayValue(nil))
	}
	if rest == nil {
		w.put(w.fixed.rest, parquet.ByteArrayValue(nil))
		return
	}
	w.group.Rest++
	w.put(w.fixed.rest, parquet.ByteArrayValue(append(rest, '}')))
}

// endGroup writes the lines collected as a row group, column by column, page by page.
func (w *segmentWriter) endGroup() error {
	if w.group.Rows == 0 {
		return nil
	}
	for at, col := range w.columns {
		values := w.values[at]
		for len(values) > 0 {
			n := pageOf(values)
			if _, err := col.WriteRowValues(values[:n]); err != nil {
				return fmt.Errorf("write a column: %w", err)
			}
			if err := col.Flush(); err != nil {
				return fmt.Errorf("write a page: %w", err)
			}
			values = values[n:]
		}
	}
	if w.pq != nil { // else only the sidecar is being made
		if err := w.pq.Flush(); err != nil {
			return fmt.Errorf("write a row group: %w", err)
		}
	}
	if w.group.Rows%zoneRows != 0 {
		w.tokens.endZone()
	}
	w.desc.Groups = append(w.desc.Groups, w.group)
	w.desc.Rows += int64(w.group.Rows)
	w.desc.Raw += w.group.Raw
	w.beginGroup()
	return nil
}

// pageOf is how many of the values make the next page. What little is left joins it.
func pageOf(values []parquet.Value) int {
	size := 0
	for i := range values {
		size += 8
		if v := values[i]; v.Kind() == parquet.ByteArray {
			size += len(v.ByteArray()) - 4
		}
		if size >= pageBytes && len(values)-i > len(values)/4 {
			return i + 1
		}
	}
	return len(values)
}

// finish completes both files under their names, on the disk itself, and returns what the
// manifest should say.
func (w *segmentWriter) finish() (segmentInfo, error) {
	if err := w.endGroup(); err != nil {
		return segmentInfo{}, errors.Join(err, w.abort())
	}
	err := errors.Join(w.pq.Close(), w.out.Flush(), w.file.Sync())
	if err == nil {
		err = w.complete()
	}
	if err = errors.Join(err, w.file.Close()); err != nil {
		return segmentInfo{}, errors.Join(fmt.Errorf("finish a segment: %w", err), w.abort())
	}
	size, err := w.sidecar()
	if err == nil {
		err = errors.Join(os.Rename(w.base+".parquet.tmp", w.base+".parquet"), os.Rename(w.base+".idx.tmp", w.base+".idx"), syncDir(filepath.Dir(w.base)))
	}
	if err != nil {
		return segmentInfo{}, errors.Join(err, w.abort())
	}
	w.desc.Bytes += size
	return w.desc.segmentInfo, nil
}

// complete fills in what is known of a segment at its end, and the checksum of the Parquet
// footer, the one part of the file that has none of its own.
func (w *segmentWriter) complete() error {
	d := w.desc
	d.MinT, d.MaxT = math.MaxInt64, math.MinInt64
	for _, g := range d.Groups {
		d.MinT, d.MaxT = min(d.MinT, g.MinT), max(d.MaxT, g.MaxT)
	}
	d.Rest = w.counter.commonRest(d.Columns)
	offset, sum, size, err := footerSum(w.file)
	w.desc.Footer, w.desc.FootSum, w.desc.Bytes = offset, sum, size
	return err
}

// footerSum sums the file from where its pages end. What is there, the page index and the
// footer, has no checksum of its own, and readers seek by it.
func footerSum(f *os.File) (offset int64, sum uint32, size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, 0, 0, err
	}
	size = info.Size()
	pq, err := parquet.OpenFile(f, size, &parquet.FileConfig{SkipBloomFilters: true, SkipPageIndex: true})
	if err != nil {
		return 0, 0, 0, errors.Join(errDamaged, err)
	}
	offset = size
	for _, group := range pq.Metadata().RowGroups {
		for _, c := range group.Columns {
			for _, at := range []int64{c.ColumnIndexOffset, c.OffsetIndexOffset} {
				if at > 0 {
					offset = min(offset, at)
				}
			}
		}
	}
	if offset < 4 || offset >= size {
		return 0, 0, 0, errDamaged
	}
	sum, err = sumFrom(f, offset, size)
	return offset, sum, size, err
}

func sumFrom(f *os.File, offset, size int64) (uint32, error) {
	h := crc32.New(castagnoli)
	_, err := io.Copy(h, io.NewSectionReader(f, offset, size-offset))
	return h.Sum32(), err
}

func (w *segmentWriter) sidecar() (int64, error) {
	f, err := os.OpenFile(w.base+".idx.tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
	if err != nil {
		return 0, fmt.Errorf("make a sidecar: %w", err)
	}
	if err := errors.Join(writeSidecar(f, w.desc, &w.tokens, &w.counts), f.Sync()); err != nil {
		return 0, errors.Join(fmt.Errorf("write a sidecar: %w", err), f.Close())
	}
	info, err := f.Stat()
	if err != nil {
		return 0, errors.Join(err, f.Close())
	}
	return info.Size(), f.Close()
}

// abort removes what was begun.
func (w *segmentWriter) abort() error {
	w.file.Close() // twice is harmless; what matters is that the name goes
	for _, suffix := range []string{".parquet.tmp", ".idx.tmp", ".parquet", ".idx"} {
		if err := os.Remove(w.base + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove an unfinished segment: %w", err)
		}
	}
	return nil
}
