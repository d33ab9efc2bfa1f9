package store

import (
	"time"
)

// memtable is the chunks that no segment holds yet, with the write-ahead files they are in.
type memtable struct {
	chunks   []*chunk
	rows     int
	bytes    int64
	born     time.Time
	walFiles []uint64
}

func (m *memtable) add(chunks ...*chunk) {
	for _, c := range chunks {
		m.chunks = append(m.chunks, c)
		m.rows += len(c.rows)
		m.bytes += c.bytes
	}
}

// snapshot is what one search sees: chunks and segments that stay as they are until released.
type snapshot struct {
	chunks   []*chunk
	segments []*segment
}

// snapshot takes everything of a team that may hold lines in [from, to).
func (s *Store) snapshot(team, from, to int64) *snapshot {
	s.mu.RLock()
	defer s.mu.RUnlock()
	snap := &snapshot{}
	for _, m := range []*memtable{s.frozen, s.active} {
		if m == nil {
			continue
		}
		for _, c := range m.chunks {
			if c.team == team && c.minT < to && c.maxT >= from {
				snap.chunks = append(snap.chunks, c)
			}
		}
	}
	snap.segments = s.segments.within(team, from, to)
	for _, seg := range snap.segments {
		seg.acquire()
	}
	return snap
}

func (s *Store) releaseSnapshot(snap *snapshot) {
	for _, seg := range snap.segments {
		seg.release(s)
	}
}
