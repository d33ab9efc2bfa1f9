package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/signalbox/signalbox/server/logs/record"
)

// metadataKey is the key of the Parquet file under which a segment says of itself what no
// column can: with it a lost sidecar is made anew.
const metadataKey = "signalbox"

type metadata struct {
	Team     int64        `json:"team"`
	Day      int32        `json:"day"`
	ID       uint64       `json:"id"`
	Unit     int64        `json:"unit"`
	Columns  []columnInfo `json:"columns"`
	Walls    []uint64     `json:"walls,omitempty"`
	Replaces []uint64     `json:"replaces,omitempty"`
}

func metadataOf(d *description) map[string]string {
	body, err := json.Marshal(metadata{d.Team, d.Day, d.ID, d.Unit, d.Columns, d.Walls, d.Replaces})
	if err != nil {
		return nil // numbers and texts always marshal
	}
	return map[string]string{metadataKey: string(body)}
}

// errSidecar marks a sidecar that cannot be read; its segment's data may be sound.
var errSidecar = errors.New("the sidecar cannot be read")

// rebuildSidecar makes the sidecar of a segment anew by reading all of it.
func (s *Store) rebuildSidecar(base string) (err error) {
	f, err := os.Open(base + ".parquet")
	if err != nil {
		return fmt.Errorf("open a segment: %w", err)
	}
	defer f.Close()
	defer func() {
		if p := recover(); p != nil { // see query.each
			err = fmt.Errorf("%w: %v", errDamaged, p)
		}
	}()
	r, err := readerWithout(f)
	if err != nil {
		return fmt.Errorf("read a segment without its sidecar: %w", errors.Join(errDamaged, err))
	}
	w := &segmentWriter{base: base, file: f, counter: newFieldCounter(), streams: map[string]int{}, fieldAt: r.at, fixed: r.fixed, fieldIn: r.fields,
		desc: &description{segmentInfo: r.desc.segmentInfo, Unit: r.desc.Unit, Walls: r.desc.Walls, Replaces: r.desc.Replaces, Columns: r.desc.Columns}}
	w.values = make([][]parquet.Value, len(r.pq.Schema().Columns()))
	w.beginGroup()
	sc := new(scratch)
	for g := range r.groups {
		if err := s.indexGroup(sc, r, w, g); err != nil {
			return err
		}
	}
	if err := w.complete(); err != nil {
		return err
	}
	if _, err := w.sidecar(); err != nil {
		return err
	}
	return errors.Join(os.Rename(base+".idx.tmp", base+".idx"), syncDir(filepath.Dir(base)))
}

// readerWithout opens a segment by its Parquet file alone: everything in it is taken to be everywhere.
func readerWithout(f *os.File) (*reader, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	r := &reader{data: f, index: &index{desc: &description{}}, at: map[string]int{}}
	if r.pq, err = parquet.OpenFile(f, size, &parquet.FileConfig{SkipBloomFilters: true, ReadBufferSize: 64 << 10}); err != nil {
		return nil, err
	}
	text, _ := r.pq.Lookup(metadataKey)
	var m metadata
	if err := json.Unmarshal([]byte(text), &m); err != nil || timeUnits[m.Unit] == nil {
		return nil, fmt.Errorf("what the file says of itself: %w", errors.Join(errDamaged, err))
	}
	r.desc.ID, r.desc.Team, r.desc.Day, r.desc.Unit = m.ID, m.Team, m.Day, m.Unit
	r.desc.Columns, r.desc.Walls, r.desc.Replaces = m.Columns, m.Walls, m.Replaces
	r.groups = r.pq.RowGroups()
	r.fixed, r.fields = placeColumns(r.pq.Schema(), m.Columns)
	for i := range m.Columns {
		r.at[m.Columns[i].Name] = i
		r.desc.Columns[i].Lines = 0
	}
	present := make([]byte, (len(m.Columns)+7)/8)
	for i := range present {
		present[i] = 0xff
	}
	for _, g := range r.groups {
		r.desc.Groups = append(r.desc.Groups, groupInfo{Rows: int(g.NumRows()), Rest: 1, Present: present})
	}
	return r, nil
}

// indexGroup goes through a row group as if it were being written.
func (s *Store) indexGroup(sc *scratch, r *reader, w *segmentWriter, group int) error {
	defer sc.reset()
	rows := r.desc.Groups[group].Rows
	if rows > maxGroupRows || rows == 0 {
		return fmt.Errorf("a row group of %d lines: %w", rows, errDamaged)
	}
	all := []span{{0, rows}}
	g := &groupLines{r: r, sc: sc, u: &unit{group: group, rest: true}, info: &r.desc.Groups[group]}
	var err error
	if g.times, err = r.readTimes(sc, group, all); err != nil {
		return err
	}
	seqs, err := r.readInts(sc, 1, group, r.fixed.seq, all)
	if err != nil {
		return err
	}
	streams, err := r.readTexts(sc, group, r.fixed.stream, all)
	if err != nil {
		return err
	}
	if err := g.load(columnSet{all: true}, all); err != nil {
		return err
	}
	var rec record.Record
	var st *stream
	for row := range rows {
		if st == nil || st.key != streams[row] {
			labels, ok := parseKey(streams[row])
			if !ok {
				return fmt.Errorf("a stream %.80q: %w", streams[row], errDamaged)
			}
			st = s.streams.get(strings.Clone(streams[row]), labels)
		}
		g.fill(&rec, row, columnSet{all: true})
		rec.Stream = st.labels
		if err := w.add(st.key, uint64(seqs[row]), &rec, nil); err != nil {
			return err
		}
	}
	return w.endGroup()
}

// parseKey reads what record.Labels.Key wrote.
func parseKey(key string) (record.Labels, bool) {
	body, ok := strings.CutPrefix(key, "{")
	if body, ok = strings.CutSuffix(body, "}"); !ok || !strings.HasPrefix(key, "{") {
		return nil, false
	}
	labels := record.Labels{}
	for body != "" {
		name, rest, ok := strings.Cut(body, "=")
		quoted, err := strconv.QuotedPrefix(rest)
		if !ok || err != nil {
			return nil, false
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, false
		}
		labels = append(labels, record.Label{Name: strings.Clone(name), Value: value})
		body = strings.TrimPrefix(rest[len(quoted):], ", ")
	}
	return labels, true
}
