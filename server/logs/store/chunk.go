package store

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/signalbox/signalbox/server/logs/record"
)

// A chunk is encoded once. The same bytes go to the write-ahead log and stay in the
// memtable, and lines are decoded from them in place:
//
//	team, streams: count, each count of labels, name, value…
//	names: count, each
//	rows: count, base time, each: stream, time-base, level, message, count of fields, each name<<2|kind, value
//
// Numbers are varints, texts have their length before them.
const chunkVersion = 1

// chunk is a batch in memory: its bytes and where each line is in them.
type chunk struct {
	team    int64
	first   uint64 // sequence number of the first line
	data    []byte
	streams []*stream
	names   []string
	rows    []rowRef
	tokens  []uint32 // hashes of each line's tokens, one line after the other, each once per line
	minT    int64
	maxT    int64
	bytes   int64 // of memory, about
}

type rowRef struct {
	time   int64
	offset uint32 // of the message, in data
	token  uint32 // end of this line's tokens
	stream uint32
	level  record.Level
}

var errChunk = errors.New("the bytes are no chunk")

// chunkWriter encodes batches; it is reused.
type chunkWriter struct {
	head, body []byte
	streamOf   map[string]uint32
	streamAt   map[*record.Label]uint32 // the same by where the labels are: sparing most keys
	streams    []*stream
	names      map[string]uint32
	nameList   []string
	hashes     []uint32
}

// frameHead is room for the frame's header before the payload, so that both are one write.
const frameHead = 24

// encode makes a chunk of records that have been cleaned; intern gives streams their one value.
func (w *chunkWriter) encode(team int64, recs []record.Record, intern *interner) *chunk {
	w.reset()
	c := &chunk{team: team, rows: make([]rowRef, len(recs)), minT: math.MaxInt64, maxT: math.MinInt64}
	tokens := make([]uint32, 0, len(recs)*24)
	var last record.Labels
	var lastStream uint32
	base := recs[0].Time.UnixNano()
	for i := range recs {
		r := &recs[i]
		if i == 0 || !sameLabels(last, r.Stream) {
			last, lastStream = r.Stream, w.stream(r.Stream, intern)
		}
		t := r.Time.UnixNano()
		c.minT, c.maxT = min(c.minT, t), max(c.maxT, t)
		w.body = binary.AppendUvarint(w.body, uint64(lastStream))
		w.body = binary.AppendVarint(w.body, t-base)
		w.body = append(w.body, byte(r.Level))
		c.rows[i] = rowRef{time: t, offset: uint32(len(w.body)), stream: lastStream, level: r.Level}
		w.body = appendText(w.body, r.Message)
		w.body = binary.AppendUvarint(w.body, uint64(len(r.Fields)))
		w.hashes = record.AppendHashes(w.hashes[:0], r.Message)
		for k := range r.Fields {
			f := &r.Fields[k]
			w.body = binary.AppendUvarint(w.body, uint64(w.name(f.Name))<<2|uint64(f.Kind&3))
			w.body = appendText(w.body, f.Value)
			w.hashes = record.AppendHashes(w.hashes, f.Value)
		}
		tokens = appendDistinct(tokens, w.hashes)
		c.rows[i].token = uint32(len(tokens))
	}
	c.tokens = tokens
	w.finish(c, base, len(recs))
	return c
}

func (w *chunkWriter) reset() {
	w.body, w.head = w.body[:0], w.head[:0]
	if w.names == nil || len(w.names) > 4096 {
		w.names, w.streamOf, w.streamAt = map[string]uint32{}, map[string]uint32{}, map[*record.Label]uint32{}
	}
	clear(w.streamAt)
	clear(w.names)
	clear(w.streamOf)
	w.streams, w.nameList = nil, nil
}

// finish puts the tables before the rows, now that they are known.
func (w *chunkWriter) finish(c *chunk, base int64, rows int) {
	h := append(w.head, chunkVersion)
	h = binary.AppendVarint(h, c.team)
	h = binary.AppendUvarint(h, uint64(len(w.streams)))
	for _, st := range w.streams {
		h = binary.AppendUvarint(h, uint64(len(st.labels)))
		for _, l := range st.labels {
			h = appendText(appendText(h, l.Name), l.Value)
		}
	}
	h = binary.AppendUvarint(h, uint64(len(w.nameList)))
	for _, name := range w.nameList {
		h = appendText(h, name)
	}
	h = binary.AppendUvarint(h, uint64(rows))
	h = binary.AppendVarint(h, base)
	w.head = h
	c.data = make([]byte, frameHead+len(h)+len(w.body))
	copy(c.data[frameHead:], h)
	copy(c.data[frameHead+len(h):], w.body)
	for i := range c.rows {
		c.rows[i].offset += uint32(frameHead + len(h))
	}
	c.streams = w.streams
	c.names = make([]string, len(w.nameList))
	for i, name := range w.nameList {
		c.names[i] = strings.Clone(name)
	}
	c.measure()
}

func (c *chunk) measure() {
	c.bytes = int64(len(c.data) + len(c.rows)*int(unsafe.Sizeof(rowRef{})) + len(c.tokens)*4 + len(c.names)*40 + 256)
}

func (w *chunkWriter) stream(labels record.Labels, intern *interner) uint32 {
	var place *record.Label // two sets that begin at one place may differ in length: those are looked up by key
	if len(labels) > 0 && cap(labels) == len(labels) {
		place = &labels[0]
		if at, ok := w.streamAt[place]; ok && len(w.streams[at].labels) == len(labels) {
			return at
		}
	}
	key := labels.Key()
	at, ok := w.streamOf[key]
	if !ok {
		at = uint32(len(w.streams))
		w.streams = append(w.streams, intern.get(key, labels))
		w.streamOf[key] = at
	}
	if place != nil {
		w.streamAt[place] = at
	}
	return at
}

func (w *chunkWriter) name(name string) uint32 {
	at, ok := w.names[name]
	if !ok {
		at = uint32(len(w.nameList))
		w.names[name] = at
		w.nameList = append(w.nameList, name)
	}
	return at
}

// sameLabels sees only what is cheap to see: decoders give lines of one stream one slice.
func sameLabels(a, b record.Labels) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func cloneLabels(l record.Labels) record.Labels {
	out := make(record.Labels, len(l))
	for i := range l {
		out[i] = record.Label{Name: strings.Clone(l[i].Name), Value: strings.Clone(l[i].Value)}
	}
	return out
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendDistinct appends a line's hashes, each once. Lines have few tokens, so a sort is cheap; long ones pay for themselves.
func appendDistinct(dst, hashes []uint32) []uint32 {
	slices.Sort(hashes)
	for i, h := range hashes {
		if i == 0 || h != hashes[i-1] {
			dst = append(dst, h)
		}
	}
	return dst
}

// cursor reads the encoding; after a fault everything it returns is empty and bad is set.
type cursor struct {
	data []byte
	pos  int
	bad  bool
}

func (c *cursor) uvarint() uint64 {
	if !c.bad && c.pos < len(c.data) && c.data[c.pos] < 0x80 {
		c.pos++
		return uint64(c.data[c.pos-1])
	}
	v, n := binary.Uvarint(c.data[min(c.pos, len(c.data)):])
	if n <= 0 || c.bad {
		c.bad = true
		return 0
	}
	c.pos += n
	return v
}

func (c *cursor) varint() int64 {
	u := c.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// count reads how many things follow, each of at least size bytes: more than can follow is a fault.
func (c *cursor) count(size int) int {
	n := c.uvarint()
	if n > uint64(len(c.data)-min(c.pos, len(c.data)))/uint64(size) {
		c.bad = true
		return 0
	}
	return int(n)
}

func (c *cursor) byte() byte {
	if c.bad || c.pos >= len(c.data) {
		c.bad = true
		return 0
	}
	c.pos++
	return c.data[c.pos-1]
}

// text returns a text that shares the bytes.
func (c *cursor) text() string {
	n := c.count(1)
	if c.bad || n == 0 {
		return ""
	}
	c.pos += n
	return unsafe.String(&c.data[c.pos-n], n)
}

// decodeChunk reads a frame (header included, already checked) back; replay does this.
func decodeChunk(frame []byte, first uint64, intern *interner) (*chunk, error) {
	in := &cursor{data: frame, pos: frameHead}
	if len(frame) < frameHead || in.byte() != chunkVersion {
		return nil, errChunk
	}
	c := &chunk{first: first, data: frame, team: in.varint(), minT: math.MaxInt64, maxT: math.MinInt64}
	c.streams = make([]*stream, in.count(1))
	for i := range c.streams {
		labels := make(record.Labels, in.count(2))
		for k := range labels {
			labels[k] = record.Label{Name: in.text(), Value: in.text()}
		}
		c.streams[i] = intern.get(labels.Key(), labels)
	}
	c.names = make([]string, in.count(1))
	for i := range c.names {
		c.names[i] = strings.Clone(in.text())
	}
	c.rows = make([]rowRef, in.count(5))
	base := in.varint()
	var hashes []uint32
	for i := range c.rows {
		row := &c.rows[i]
		row.stream = uint32(in.uvarint())
		row.time = base + in.varint()
		if row.level = record.Level(in.byte()); row.level > record.Fatal {
			in.bad = true
		}
		row.offset = uint32(in.pos)
		hashes = record.AppendHashes(hashes[:0], in.text())
		for n := in.count(2); n > 0; n-- {
			if in.uvarint()>>2 >= uint64(len(c.names)) {
				in.bad = true
			}
			hashes = record.AppendHashes(hashes, in.text())
		}
		if in.bad || int(row.stream) >= len(c.streams) {
			return nil, errChunk
		}
		c.tokens = appendDistinct(c.tokens, hashes)
		row.token = uint32(len(c.tokens))
		c.minT, c.maxT = min(c.minT, row.time), max(c.maxT, row.time)
	}
	if in.bad || in.pos != len(frame) || len(c.rows) == 0 {
		return nil, errChunk
	}
	c.measure()
	return c, nil
}

// lineTokens are the distinct token hashes of line i, sorted.
func (c *chunk) lineTokens(i int) []uint32 {
	start := uint32(0)
	if i > 0 {
		start = c.rows[i-1].token
	}
	return c.tokens[start:c.rows[i].token]
}

// read fills r with line i; its texts share the chunk's bytes. Fields are read only if wanted.
func (c *chunk) read(i int, r *record.Record, fields bool) {
	row := &c.rows[i]
	r.Time = time.Unix(0, row.time).UTC()
	r.Stream = c.streams[row.stream].labels
	r.Level = row.level
	in := cursor{data: c.data, pos: int(row.offset)}
	r.Message = in.text()
	r.Fields = r.Fields[:0]
	if !fields {
		return
	}
	for n := in.count(2); n > 0; n-- {
		head := in.uvarint()
		r.Fields = append(r.Fields, record.Field{Name: c.names[head>>2], Kind: record.Kind(head & 3), Value: in.text()})
	}
}
