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
//	magic "SBX1" · length of the description (4) · its checksum (4) · description · rows of the token filter
const sidecarMagic = "SBX1"

const maxDescription = 256 << 20

// description is what a segment holds and where. It repeats what the manifest says of the
// segment, so that a lost manifest can be made anew from the segments themselves.
type description struct {
	segmentInfo
	Walls    []uint64 // the write-ahead files its lines came from
	Replaces []uint64 // the segments it was merged from
	Footer   int64    // where the Parquet footer begins …
	FootSum  uint32   // … and its checksum: pages have their own
	Blocks   int      // of the filter
	Unit     int64    // of the times in the Parquet file, in nanoseconds
	Streams  []streamInfo
	Columns  []columnInfo
	Groups   []groupInfo
	Rest     []restInfo // the commonest names in the rest
}

type streamInfo struct {
	labels record.Labels
	key    string
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
	b := []byte{1}
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
	u(uint64(d.Blocks))
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
	return b
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
	if in.byte() != 1 {
		return nil, fmt.Errorf("the description of a segment: %w", errDamaged)
	}
	d := &description{}
	d.ID, d.Team, d.Day = in.uvarint(), in.varint(), int32(in.varint())
	d.MinT, d.MaxT = in.varint(), in.varint()
	d.Rows, d.Raw = int64(in.uvarint()), int64(in.uvarint())
	d.Footer, d.FootSum, d.Blocks = int64(in.uvarint()), uint32(in.uvarint()), int(in.uvarint())
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
	d.Streams = make([]streamInfo, in.count(1))
	for i := range d.Streams {
		labels := make(record.Labels, in.count(2))
		for k := range labels {
			labels[k] = record.Label{Name: in.text(), Value: in.text()}
		}
		st := intern.get(labels.Key(), labels)
		d.Streams[i] = streamInfo{st.labels, st.key}
	}
	d.Columns = make([]columnInfo, in.count(3))
	for i := range d.Columns {
		d.Columns[i] = columnInfo{strings.Clone(in.text()), record.Kind(in.byte() & 3), int(in.uvarint())}
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
	if in.bad || in.pos != len(data) || rows != d.Rows || len(d.Groups) == 0 || d.Blocks < 1 || d.Blocks > maxBlocks {
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

// writeSidecar writes description and filter.
func writeSidecar(w io.Writer, d *description, filters *filterBuilder) error {
	d.Blocks = filters.blocks()
	body := d.encode()
	head := append([]byte(sidecarMagic), make([]byte, 8)...)
	binary.LittleEndian.PutUint32(head[4:], uint32(len(body)))
	binary.LittleEndian.PutUint32(head[8:], crc32.Checksum(body, castagnoli))
	if _, err := w.Write(append(head, body...)); err != nil {
		return err
	}
	_, err := filters.writeTo(w)
	return err
}

// readSidecar reads the description and finds the filter.
func readSidecar(f *os.File, intern *interner) (*description, *filter, error) {
	head := make([]byte, 12)
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, nil, fmt.Errorf("read a sidecar: %w", err)
	}
	size := binary.LittleEndian.Uint32(head[4:])
	if string(head[:4]) != sidecarMagic || size > maxDescription {
		return nil, nil, fmt.Errorf("a sidecar's head: %w", errDamaged)
	}
	info, err := f.Stat()
	if err != nil || int64(size)+12 > info.Size() {
		return nil, nil, fmt.Errorf("a sidecar's length: %w", errDamaged)
	}
	body := make([]byte, size)
	if _, err := f.ReadAt(body, 12); err != nil {
		return nil, nil, fmt.Errorf("read a sidecar: %w", err)
	}
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(head[8:]) {
		return nil, nil, fmt.Errorf("a sidecar's description: %w", errDamaged)
	}
	d, err := decodeDescription(body, intern)
	if err != nil {
		return nil, nil, err
	}
	zones := 0
	for i := range d.Groups {
		zones += zonesOf(d.Groups[i].Rows)
	}
	return d, &filter{file: f, offset: 12 + int64(size), zones: zones, blocks: d.Blocks}, nil
}
