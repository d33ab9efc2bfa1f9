package store

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"
)

// segment is one immutable file pair. It is removed from the disk when it has been
// dropped and the last search that saw it is over.
type segment struct {
	info    segmentInfo
	refs    atomic.Int64
	dropped atomic.Bool
	damaged atomic.Bool // some part could not be read: not merged, listed
}

func (g *segment) acquire() { g.refs.Add(1) }

func (g *segment) release(s *Store) {
	if g.refs.Add(-1) == 0 && g.dropped.Load() {
		s.removeFiles(g)
	}
}

// drop marks the segment as gone; the catalog's own reference goes with it.
func (g *segment) drop(s *Store) {
	g.dropped.Store(true)
	g.release(s)
}

func (s *Store) removeFiles(g *segment) {
	s.readers.forget(s, g.info.ID)
	s.indexes.forget(s, g.info.ID)
	base := segmentPath(s.opt.Dir, g.info)
	for _, suffix := range []string{".parquet", ".idx"} {
		if err := os.Remove(base + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.opt.Log.Warn("remove a dropped segment", "path", base+suffix, "error", err)
		}
	}
	os.Remove(filepath.Dir(base)) // succeeds for the last segment of a day; a flush into that very day tries again
}

// partition is the segments of a team and day, oldest first.
type partition struct {
	team     int64
	day      int32
	segments []*segment
}

type partitionKey struct {
	team int64
	day  int32
}

// catalog is the segments there are. It is guarded by Store.mu.
type catalog struct {
	byDay map[partitionKey]*partition
	days  map[int64][]int32 // of a team, sorted
}

func newCatalog() *catalog {
	return &catalog{byDay: map[partitionKey]*partition{}, days: map[int64][]int32{}}
}

func (c *catalog) add(infos ...segmentInfo) {
	for _, info := range infos {
		key := partitionKey{info.Team, info.Day}
		p := c.byDay[key]
		if p == nil {
			p = &partition{team: info.Team, day: info.Day}
			c.byDay[key] = p
			days := append(c.days[info.Team], info.Day)
			slices.Sort(days)
			c.days[info.Team] = days
		}
		g := &segment{info: info}
		g.acquire()
		p.segments = append(p.segments, g)
		slices.SortFunc(p.segments, func(a, b *segment) int {
			return cmp.Or(cmp.Compare(a.info.MinT, b.info.MinT), cmp.Compare(a.info.ID, b.info.ID))
		})
	}
}

// remove takes segments out and returns them; the caller drops them after the manifest says so.
func (c *catalog) remove(gone []*segment) {
	for _, g := range gone {
		key := partitionKey{g.info.Team, g.info.Day}
		p := c.byDay[key]
		p.segments = slices.DeleteFunc(slices.Clone(p.segments), func(x *segment) bool { return x == g })
		if len(p.segments) == 0 {
			delete(c.byDay, key)
			c.days[key.team] = slices.DeleteFunc(slices.Clone(c.days[key.team]), func(d int32) bool { return d == key.day })
			if len(c.days[key.team]) == 0 {
				delete(c.days, key.team)
			}
		}
	}
}

// within lists the segments of a team that may hold lines in [from, to).
func (c *catalog) within(team, from, to int64) []*segment {
	var out []*segment
	for _, day := range c.days[team] {
		if dayStart(day) >= to || day < maxDay && dayStart(day+1) <= from {
			continue
		}
		for _, g := range c.byDay[partitionKey{team, day}].segments {
			if g.info.MinT < to && g.info.MaxT >= from {
				out = append(out, g)
			}
		}
	}
	return out
}

const dayNanos = int64(24 * time.Hour)

// maxDay is the last whole day that nanoseconds can name.
const maxDay = int32((1<<63-1)/dayNanos) - 1

func dayOf(t int64) int32 {
	d := t / dayNanos
	if t%dayNanos < 0 {
		d--
	}
	return int32(d)
}

func dayStart(day int32) int64 { return int64(day) * dayNanos }

func dayName(day int32) string {
	return time.Unix(0, dayStart(day)).UTC().Format("20060102")
}
