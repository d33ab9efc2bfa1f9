package store

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

func sampleChunk(n int) *chunk {
	recs := make([]record.Record, n)
	for i := range recs {
		recs[i] = record.Record{Time: time.Unix(1763600000, int64(i)), Stream: record.Labels{{Name: "service", Value: "a"}}, Level: record.Warn, Message: "Some Words here",
			Fields: []record.Field{{Name: "n", Value: "1", Kind: record.Number}, {Name: "trace_id", Value: "abcdef"}}}
	}
	c := new(chunkWriter).encode(7, recs, &interner{byKey: map[string]*stream{}})
	sealFrame(c.data, 42)
	return c
}

func TestChunkRoundTrip(t *testing.T) {
	t.Parallel()
	c := sampleChunk(3)
	n := 0
	torn, damaged := readFrames(c.data, func(frame []byte, first uint64) {
		n++
		d, err := decodeChunk(frame, first, &interner{byKey: map[string]*stream{}})
		if err != nil || d.first != 42 || d.team != 7 || len(d.rows) != 3 || !slices.Equal(d.tokens, c.tokens) {
			t.Fatalf("%+v, %v", d, err)
		}
		var r record.Record
		d.read(2, &r, true)
		if r.Message != "Some Words here" || len(r.Fields) != 2 || r.Fields[0].Kind != record.Number || r.Level != record.Warn || r.Stream.Key() != `{service="a"}` {
			t.Fatalf("%+v", r)
		}
	})
	if n != 1 || torn != len(c.data) || damaged != 0 {
		t.Fatal(n, torn, damaged)
	}
}

// Whatever bytes a write-ahead file has, reading it ends, allocates in proportion, and never
// yields a frame whose checksum is wrong.
func FuzzReadFrames(f *testing.F) {
	whole := slices.Concat(sampleChunk(3).data, sampleChunk(1).data)
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add(append([]byte("garbage"), whole...))
	f.Fuzz(func(t *testing.T, data []byte) {
		torn, _ := readFrames(data, func(frame []byte, first uint64) {
			if c, err := decodeChunk(frame, first, &interner{byKey: map[string]*stream{}}); err == nil {
				var r record.Record
				for i := range c.rows {
					c.read(i, &r, true)
				}
			}
		})
		if torn > len(data) {
			t.Fatal(torn)
		}
	})
}

// The payload alone, behind a checksum that is right: what only a bug or an attacker makes.
func FuzzDecodeChunk(f *testing.F) {
	f.Add(sampleChunk(3).data)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := decodeChunk(data, 1, &interner{byKey: map[string]*stream{}})
		if err != nil {
			return
		}
		var r record.Record
		for i := range c.rows {
			c.read(i, &r, true)
		}
	})
}

func FuzzReadManifest(f *testing.F) {
	line, err := formatEdit(edit{Add: []segmentInfo{{ID: 3, Team: 1, Rows: 5}}, WAL: []uint64{1}, Next: 9})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add(append(line, line[:10]...))
	f.Fuzz(func(t *testing.T, data []byte) {
		state, sound, _ := readManifest(data)
		if state == nil || sound > len(data) {
			t.Fatal(sound)
		}
	})
}

func sampleSidecar() []byte {
	d := &description{segmentInfo: segmentInfo{ID: 1, Team: 1, Rows: 10, MinT: 5, MaxT: 9}, Unit: 1, Footer: 100,
		Streams: []*stream{{labels: record.Labels{{Name: "a", Value: "b"}}, key: `{a="b"}`}}, Columns: []columnInfo{{"x", record.Number, 3}},
		Groups: []groupInfo{{Rows: 10, MinT: 5, MaxT: 9, Present: []byte{1}, Runs: []run{{0, 10, 5, 9, 77}}}}, Rest: []restInfo{{"y", record.String, 1}}}
	tokens, counts := &postingsBuilder{}, &countsBuilder{}
	tokens.add([]uint32{1, 2, 3})
	tokens.endZone()
	for range 10 {
		counts.add(0, 5, record.Info)
	}
	var out bytes.Buffer
	if err := writeSidecar(&out, d, tokens, counts); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// A sidecar of any bytes is refused or safe to use: its indexes fit its tables.
func FuzzSidecar(f *testing.F) {
	whole := sampleSidecar()
	f.Add(whole)
	f.Add(whole[:40])
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "x.idx")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if ix, err := readSidecar(file, &interner{byKey: map[string]*stream{}}); err == nil {
			may := make([]bool, ix.tokens.zones())
			for _, h := range []uint32{0, 1, 1 << 31, 1<<32 - 1} {
				prune(ix.tokens, [][]uint32{{h}}, may) // damage is an error, and errors are fine here
			}
			wanted := slices.Repeat([]bool{true}, len(ix.desc.Streams))
			for _, c := range ix.desc.Counts {
				readCounts(file, ix.countsAt, c, wanted, func(int, []cell) {})
			}
		}
	})
}

// FuzzDescription looks behind the checksum.
func FuzzDescription(f *testing.F) {
	whole := sampleSidecar()
	size := binary.LittleEndian.Uint32(whole[4:])
	f.Add(whole[12 : 12+size])
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := decodeDescription(data, &interner{byKey: map[string]*stream{}})
		if err != nil {
			return
		}
		for g := range d.Groups {
			for _, r := range d.Groups[g].Runs {
				_ = d.Streams[r.Stream]
			}
			for c := range d.Columns {
				d.Groups[g].has(c)
			}
		}
	})
}

func TestKeyRoundTrip(t *testing.T) {
	t.Parallel()
	for _, l := range []record.Labels{nil, {{Name: "a", Value: ""}}, {{Name: "a", Value: `x", b="y`}, {Name: "b", Value: "\n\xff日"}}} {
		got, ok := parseKey(l.Key())
		if !ok || got.Key() != l.Key() || len(got) != len(l) {
			t.Errorf("%s: %v", l.Key(), got)
		}
	}
	for _, bad := range []string{"", "{", "}", "{a}", `{a="}`, `{a=1}`} {
		if got, ok := parseKey(bad); ok {
			t.Errorf("%q: %v", bad, got)
		}
	}
}

// Programs come before the machines they run on, whatever their names.
func TestStreamOrder(t *testing.T) {
	t.Parallel()
	order := func(pairs ...string) string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return orderOf(record.MakeLabels(m))
	}
	if order("host", "a", "service", "z") < order("host", "z", "service", "a") {
		t.Error("the host comes before the service")
	}
	if order("host", "a", "zone", "z") < order("host", "z", "zone", "a") {
		t.Error("the host comes before a label of no known rank")
	}
}
