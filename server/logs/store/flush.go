package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// flushRetry is how long a flush that failed waits before the next try; intake says that the disk is full meanwhile.
const flushRetry = 2 * time.Second

// flushLoop writes frozen memtables as segments, and asks for a freeze when lines grow old.
func (s *Store) flushLoop(ctx context.Context) {
	age := time.NewTicker(min(s.opt.FlushAge, time.Minute))
	defer age.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wakeFlush:
			s.flushFrozen(ctx)
		case <-age.C:
			if s.aged() {
				s.askFreeze(ctx)
			}
		}
	}
}

// askFreeze asks the committer to hand over the memtable, without waiting for an answer: the
// flusher must not wait for one who waits for it.
func (s *Store) askFreeze(ctx context.Context) {
	select {
	case s.queue.freeze <- make(chan error, 1):
	case <-ctx.Done():
	}
}

func (s *Store) aged() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.active.rows > 0 && s.frozen == nil && s.opt.Now().Sub(s.active.born) >= s.opt.FlushAge
}

// flushFrozen writes the frozen memtable, however often it takes.
func (s *Store) flushFrozen(ctx context.Context) {
	for ctx.Err() == nil {
		s.mu.RLock()
		m := s.frozen
		s.mu.RUnlock()
		if m == nil {
			return
		}
		err := s.writeMemtable(ctx, m)
		s.mu.Lock()
		s.flushFail = err
		s.flushed.Broadcast()
		s.mu.Unlock()
		if err == nil {
			s.wakeMerger()
			continue
		}
		s.opt.Log.Error("write segments", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(flushRetry):
		}
	}
}

func (s *Store) wakeMerger() {
	select {
	case s.wakeMerge <- struct{}{}:
	default:
	}
}

// place is a line of the memtable in the order of segments.
type place struct {
	time   int64
	seq    uint64
	chunk  int32
	row    int32
	day    int32
	stream int32 // rank among all streams
}

// writeMemtable makes segments of a memtable, one a team and day, and publishes them in
// one step: in the manifest, with the write-ahead files they cover, then to searches.
func (s *Store) writeMemtable(ctx context.Context, m *memtable) error {
	var infos []segmentInfo
	step := edit{WAL: m.walFiles}
	for _, team := range teamsOf(m) {
		made, err := s.writeTeam(ctx, m, team)
		infos = append(infos, made...)
		if err != nil {
			return errors.Join(err, s.discard(infos))
		}
	}
	last := uint64(0)
	for _, info := range infos {
		last = max(last, info.LastSeq)
	}
	step.Add, step.Next = infos, last+1
	s.publish.Lock()
	defer s.publish.Unlock()
	if err := s.manifest.write(step); err != nil {
		return errors.Join(err, s.discard(infos))
	}
	s.mu.Lock()
	s.segments.add(infos...)
	if s.frozen == m {
		s.frozen = nil
	}
	s.mu.Unlock()
	for _, n := range m.walFiles {
		if err := os.Remove(filepath.Join(s.opt.Dir, "wal", walName(n))); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.opt.Log.Warn("remove a covered write-ahead file", "error", err) // the next Open does
		}
	}
	return nil
}

// discard removes segments that were written and will not be published.
func (s *Store) discard(infos []segmentInfo) error {
	for _, info := range infos {
		for _, suffix := range []string{".parquet", ".idx"} {
			if err := os.Remove(segmentPath(s.opt.Dir, info) + suffix); err != nil {
				return fmt.Errorf("remove an unpublished segment: %w", err)
			}
		}
	}
	return nil
}

func teamsOf(m *memtable) []int64 {
	seen := map[int64]bool{}
	var teams []int64
	for _, c := range m.chunks {
		if !seen[c.team] {
			seen[c.team] = true
			teams = append(teams, c.team)
		}
	}
	slices.Sort(teams)
	return teams
}

func (s *Store) writeTeam(ctx context.Context, m *memtable, team int64) ([]segmentInfo, error) {
	places := sortPlaces(m, team)
	var infos []segmentInfo
	for start := 0; start < len(places); {
		end := start
		for end < len(places) && places[end].day == places[start].day {
			end++
		}
		info, err := s.writePlaces(ctx, m, team, places[start:end])
		if err != nil {
			return infos, err
		}
		infos = append(infos, info)
		start = end
	}
	return infos, nil
}

// sortPlaces orders a team's lines by day, stream, time and number.
func sortPlaces(m *memtable, team int64) []place {
	rank := rankStreams(m, team)
	rows := 0
	for _, c := range m.chunks {
		if c.team == team {
			rows += len(c.rows)
		}
	}
	places := make([]place, 0, rows)
	for i, c := range m.chunks {
		if c.team != team {
			continue
		}
		for k := range c.rows {
			row := &c.rows[k]
			places = append(places, place{row.time, c.first + uint64(k), int32(i), int32(k), dayOf(row.time), rank[c.streams[row.stream].key]})
		}
	}
	slices.SortFunc(places, func(a, b place) int {
		if a.day != b.day {
			return cmp.Compare(a.day, b.day)
		}
		if a.stream != b.stream {
			return cmp.Compare(a.stream, b.stream)
		}
		if a.time != b.time {
			return cmp.Compare(a.time, b.time)
		}
		return cmp.Compare(a.seq, b.seq)
	})
	return places
}

func rankStreams(m *memtable, team int64) map[string]int32 {
	seen := map[string]*stream{}
	var streams []*stream
	for _, c := range m.chunks {
		if c.team != team {
			continue
		}
		for _, st := range c.streams {
			if seen[st.key] == nil {
				seen[st.key] = st
				streams = append(streams, st)
			}
		}
	}
	slices.SortFunc(streams, compareStreams)
	rank := make(map[string]int32, len(streams))
	for i, st := range streams {
		rank[st.key] = int32(i)
	}
	return rank
}

func compareStreams(a, b *stream) int {
	return cmp.Or(strings.Compare(a.order, b.order), strings.Compare(a.key, b.key))
}

func (s *Store) writePlaces(ctx context.Context, m *memtable, team int64, places []place) (segmentInfo, error) {
	counter := newFieldCounter()
	countFields(m, places, counter)
	desc := &description{Walls: m.walFiles, Columns: counter.choose(int64(len(places))), Unit: 1e6}
	for _, p := range places {
		desc.Unit = unitFor(desc.Unit, p.time)
	}
	s.publish.Lock()
	desc.ID, desc.Team, desc.Day = s.nextID(), team, places[0].day
	s.publish.Unlock()
	w, err := newSegmentWriter(s.opt.Dir, desc, counter)
	if err != nil {
		return segmentInfo{}, err
	}
	var r record.Record
	for i, p := range places {
		if i%groupRows == 0 && ctx.Err() != nil {
			return segmentInfo{}, errors.Join(ctx.Err(), w.abort())
		}
		c := m.chunks[p.chunk]
		c.read(int(p.row), &r, true)
		if err := w.add(c.streams[c.rows[p.row].stream].key, p.seq, &r, c.lineTokens(int(p.row))); err != nil {
			return segmentInfo{}, errors.Join(err, w.abort())
		}
	}
	return w.finish()
}

// countFields looks at a share of the lines: enough to know what is frequent.
func countFields(m *memtable, places []place, counter *fieldCounter) {
	const sample = 8192
	step := max(len(places)/sample, 1)
	var r record.Record
	for i := 0; i < len(places); i += step {
		m.chunks[places[i].chunk].read(int(places[i].row), &r, true)
		for _, f := range r.Fields {
			counter.add(f.Name, f.Kind, step)
		}
	}
}

// nextID gives a segment its number. The caller holds publish; a number whose segment was
// never published may be used again.
func (s *Store) nextID() uint64 {
	s.manifest.state.lastID++
	return s.manifest.state.lastID
}

// Flush writes all lines that came before it into segments. Nobody needs to: it is for tests and for measuring.
func (s *Store) Flush(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case s.queue.freeze <- done:
	case <-s.over:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("flush logs: %w", ctx.Err())
	}
	if err := <-done; err != nil { // the committer answers in any case
		return err
	}
	return s.waitFlushed(ctx)
}

// waitFlushed waits until no memtable is being written.
func (s *Store) waitFlushed(ctx context.Context) error {
	wake := context.AfterFunc(ctx, func() { s.mu.Lock(); s.flushed.Broadcast(); s.mu.Unlock() })
	defer wake()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.frozen != nil {
		if s.flushFail != nil {
			return s.flushFail
		}
		if s.closed || ctx.Err() != nil {
			return ErrClosed
		}
		s.flushed.Wait()
	}
	return nil
}
