package store

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"

	"github.com/signalbox/signalbox/server/logs/record"
)

// The sidecar of a segment, <id>.idx:
//
//	magic "SBX2" · length of the description (4) · its checksum (4) · description · tokens · counts
//
// One that begins with "SBX1" has the rows of a token filter behind the description, and no
// counts. It is read like any other, and merging makes the new form of it.
const (
	sidecarMagic    = "SBX2"
	oldSidecarMagic = "SBX1"
)

const maxDescription = 256 << 20

// description is what a segment holds and where. It repeats what the manifest says of the
// segment, so that a lost manifest can be made anew from the segments themselves.
type description struct {
	segmentInfo
	Walls    []uint64 // the write-ahead files its lines came from
	Replaces []uint64 // the segments it was merged from
	Footer   int64    // where the Parquet file's pages end …
	FootSum  uint32   // … and the checksum of what follows: pages have their own
	Blocks   int      // of the filter, in the old form; else 0
	Postings postingsInfo
	Counts   []countsInfo
	Unit     int64 // of the times in the Parquet file, in nanoseconds
	Streams  []*stream
	Columns  []columnInfo
	Groups   []groupInfo
	Rest     []restInfo // the commonest names in the rest; not kept in memory
}

type columnInfo struct {
	Name  string      `json:"name"`
	Kind  record.Kind `json:"kind"`
	Lines int         `json:"-"`
}

type restInfo struct {
	Name  string
	Kind  record.Kind
	Lines int
}

// groupInfo is a row group: its runs follow each other in the order of their lines.
type groupInfo struct {
	Rows    int
	MinT    int64
	MaxT    int64
	Raw     int64
	Rest    int    // lines with fields that have no column
	Present []byte // a bit for each column that any line here uses
	Runs    []run
}

// run is consecutive lines of one stream, in order of time.
type run struct {
	Stream int
	Rows   int
	MinT   int64
	MaxT   int64
	Raw    int64
}

func (g *groupInfo) has(column int) bool {
	return g.Present[column>>3]&(1<<(column&7)) != 0
}

func (d *description) encode() []byte {
	b := []byte{2}
	u := func(v uint64) { b = binary.AppendUvarint(b, v) }
	i := func(v int64) { b = binary.AppendVarint(b, v) }
	u(d.ID)
	i(d.Team)
	i(int64(d.Day))
	i(d.MinT)
	i(d.MaxT)
	u(uint64(d.Rows))
	u(uint64(d.Raw))
	u(uint64(d.Footer))
	u(uint64(d.FootSum))
	u(d.LastSeq)
	u(uint64(d.Unit))
	for _, list := range [][]uint64{d.Walls, d.Replaces} {
		u(uint64(len(list)))
		for _, v := range list {
			u(v)
		}
	}
	u(uint64(len(d.Streams)))
	for _, st := range d.Streams {
		u(uint64(len(st.labels)))
		for _, l := range st.labels {
			b = appendText(appendText(b, l.Name), l.Value)
		}
	}
	u(uint64(len(d.Columns)))
	for _, c := range d.Columns {
		b = append(appendText(b, c.Name), byte(c.Kind))
		u(uint64(c.Lines))
	}
	u(uint64(len(d.Rest)))
	for _, r := range d.Rest {
		b = append(appendText(b, r.Name), byte(r.Kind))
		u(uint64(r.Lines))
	}
	u(uint64(len(d.Groups)))
	for g := range d.Groups {
		b = d.Groups[g].encode(b)
	}
	u(uint64(len(d.Counts)))
	for _, c := range d.Counts {
		u(uint64(c.Step))
		u(uint64(c.Size))
		u(uint64(c.Sum))
	}
	return d.Postings.encode(b)
}

func (g *groupInfo) encode(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(g.Rows))
	b = binary.AppendVarint(b, g.MinT)
	b = binary.AppendUvarint(b, uint64(g.MaxT-g.MinT))
	b = binary.AppendUvarint(b, uint64(g.Raw))
	b = binary.AppendUvarint(b, uint64(g.Rest))
	b = append(b, g.Present...)
	b = binary.AppendUvarint(b, uint64(len(g.Runs)))
	for _, r := range g.Runs {
		b = binary.AppendUvarint(b, uint64(r.Stream))
		b = binary.AppendUvarint(b, uint64(r.Rows))
		b = binary.AppendUvarint(b, uint64(r.MinT-g.MinT))
		b = binary.AppendUvarint(b, uint64(r.MaxT-r.MinT))
		b = binary.AppendUvarint(b, uint64(r.Raw))
	}
	return b
}

// decodeDescription reads what encode wrote and believes nothing: every count is held
// against what can follow, and every index against its table.
func decodeDescription(data []byte, intern *interner) (*description, error) {
	in := &cursor{data: data}
	form := in.byte()
	if form != 1 && form != 2 {
		return nil, fmt.Errorf("the description of a segment: %w", errDamaged)
	}
	d := &description{}
	d.ID, d.Team, d.Day = in.uvarint(), in.varint(), int32(in.varint())
	d.MinT, d.MaxT = in.varint(), in.varint()
	d.Rows, d.Raw = int64(in.uvarint()), int64(in.uvarint())
	d.Footer, d.FootSum = int64(in.uvarint()), uint32(in.uvarint())
	if form == 1 {
		if d.Blocks = int(in.uvarint()); d.Blocks < 1 || d.Blocks > maxBlocks {
			in.bad = true
		}
	}
	d.LastSeq = in.uvarint()
	if d.Unit = int64(in.uvarint()); timeUnits[d.Unit] == nil {
		in.bad = true
	}
	for _, list := range []*[]uint64{&d.Walls, &d.Replaces} {
		*list = make([]uint64, in.count(1))
		for i := range *list {
			(*list)[i] = in.uvarint()
		}
	}
	d.Streams = make([]*stream, in.count(1))
	for i := range d.Streams {
		labels := make(record.Labels, in.count(2))
		for k := range labels {
			labels[k] = record.Label{Name: in.text(), Value: in.text()}
		}
		d.Streams[i] = intern.get(labels.Key(), labels)
	}
	d.Streams = intern.sameStreams(d.Streams)
	d.Columns = make([]columnInfo, in.count(3))
	for i := range d.Columns {
		d.Columns[i] = columnInfo{intern.name(in.text()), record.Kind(in.byte() & 3), int(in.uvarint())}
	}
	d.Rest = make([]restInfo, in.count(3))
	for i := range d.Rest {
		d.Rest[i] = restInfo{strings.Clone(in.text()), record.Kind(in.byte() & 3), int(in.uvarint())}
	}
	d.Groups = make([]groupInfo, in.count(6))
	rows := int64(0)
	for g := range d.Groups {
		d.Groups[g].decode(in, len(d.Streams), len(d.Columns))
		rows += int64(d.Groups[g].Rows)
	}
	if form == 2 {
		d.Counts = make([]countsInfo, in.count(3))
		for i := range d.Counts {
			c := countsInfo{Step: int64(in.uvarint()), Size: int64(in.uvarint()), Sum: uint32(in.uvarint())}
			if d.Counts[i] = c; c.Step <= 0 || c.Size < 0 || c.Size > maxDescription {
				in.bad = true
			}
		}
		d.Postings.decode(in)
	}
	if in.bad || in.pos != len(data) || rows != d.Rows || len(d.Groups) == 0 {
		return nil, fmt.Errorf("the description of a segment: %w", errDamaged)
	}
	return d, nil
}

func (g *groupInfo) decode(in *cursor, streams, columns int) {
	g.Rows, g.MinT = int(in.uvarint()), in.varint()
	g.MaxT = g.MinT + int64(in.uvarint())
	g.Raw, g.Rest = int64(in.uvarint()), int(in.uvarint())
	g.Present = make([]byte, (columns+7)/8)
	for i := range g.Present {
		g.Present[i] = in.byte()
	}
	g.Runs = make([]run, in.count(5))
	rows := 0
	for i := range g.Runs {
		r := &g.Runs[i]
		r.Stream, r.Rows = int(in.uvarint()), int(in.uvarint())
		r.MinT = g.MinT + int64(in.uvarint())
		r.MaxT = r.MinT + int64(in.uvarint())
		r.Raw = int64(in.uvarint())
		rows += r.Rows
		if r.Stream < 0 || r.Stream >= streams || r.Rows <= 0 || rows > g.Rows {
			in.bad = true
		}
	}
	if rows != g.Rows || g.Rows > maxGroupRows {
		in.bad = true
	}
}

// writeSidecar writes all of it.
func writeSidecar(w io.Writer, d *description, tokens *postingsBuilder, counts *countsBuilder) error {
	var buckets, counted []byte
	d.Postings, buckets = tokens.encode()
	d.Counts, counted = counts.encode(d.Rows)
	body := d.encode()
	head := append([]byte(sidecarMagic), make([]byte, 8)...)
	binary.LittleEndian.PutUint32(head[4:], uint32(len(body)))
	binary.LittleEndian.PutUint32(head[8:], crc32.Checksum(body, castagnoli))
	for _, part := range [][]byte{head, body, buckets, counted} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// readSidecar reads the description and finds what is behind it.
func readSidecar(f *os.File, intern *interner) (*index, error) {
	head := make([]byte, 12)
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, fmt.Errorf("read a sidecar: %w", err)
	}
	size := binary.LittleEndian.Uint32(head[4:])
	magic := string(head[:4])
	if magic != sidecarMagic && magic != oldSidecarMagic || size > maxDescription {
		return nil, fmt.Errorf("a sidecar's head: %w", errDamaged)
	}
	info, err := f.Stat()
	if err != nil || int64(size)+12 > info.Size() {
		return nil, fmt.Errorf("a sidecar's length: %w", errDamaged)
	}
	body := make([]byte, size)
	if _, err := f.ReadAt(body, 12); err != nil {
		return nil, fmt.Errorf("read a sidecar: %w", err)
	}
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(head[8:]) {
		return nil, fmt.Errorf("a sidecar's description: %w", errDamaged)
	}
	d, err := decodeDescription(body, intern)
	if err != nil {
		return nil, err
	}
	zones, behind := 0, 12+int64(size)
	for i := range d.Groups {
		zones += zonesOf(d.Groups[i].Rows)
	}
	ix := &index{file: f, desc: d}
	switch {
	case (d.Blocks > 0) != (magic == oldSidecarMagic):
		return nil, fmt.Errorf("a sidecar's head: %w", errDamaged)
	case d.Blocks > 0:
		ix.tokens = &filter{file: f, offset: behind, count: zones, blocks: d.Blocks}
		return ix, nil
	}
	ix.countsAt = behind + d.Postings.size()
	end := ix.countsAt
	for _, c := range d.Counts {
		end += c.Size
	}
	if end > info.Size() {
		return nil, fmt.Errorf("a sidecar's length: %w", errDamaged)
	}
	ix.tokens = &postings{postingsInfo: d.Postings, file: f, offset: behind, count: zones}
	return ix, nil
}
