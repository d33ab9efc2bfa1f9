package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// DamageKind says which part of the store was found damaged.
type DamageKind string

// The parts that can be damaged.
const (
	DamageWAL      DamageKind = "wal"      // acknowledged lines may be lost
	DamageSegment  DamageKind = "segment"  // the row groups named are not served
	DamageFilter   DamageKind = "filter"   // searches read more than they need; nothing is lost
	DamageManifest DamageKind = "manifest" // it was made anew; nothing is lost
)

// Damage is one fault found. What was read is kept in the quarantine folder where that can help.
type Damage struct {
	What   DamageKind `json:"what"`
	File   string     `json:"file"`
	Team   int64      `json:"team,omitempty"`
	Detail string     `json:"detail"`
	Lines  int64      `json:"lines,omitempty"` // not served because of it, where known
	At     time.Time  `json:"at"`
}

const maxDamage = 1000

type damageList struct {
	mu   sync.Mutex
	list []Damage
	seen map[damageKey]bool
}

type damageKey struct {
	file  string
	group int
}

func (l *damageList) add(d Damage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) < maxDamage {
		l.list = append(l.list, d)
	}
}

// once tells whether a place is reported for the first time.
func (l *damageList) once(file string, group int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := damageKey{file, group}
	if l.seen[key] || len(l.seen) >= maxDamage {
		return false
	}
	if l.seen == nil {
		l.seen = map[damageKey]bool{}
	}
	l.seen[key] = true
	return true
}

// Damaged lists what was found damaged since the store was opened, oldest first.
func (s *Store) Damaged() []Damage {
	s.damage.mu.Lock()
	defer s.damage.mu.Unlock()
	return slices.Clone(s.damage.list)
}

// quarantineCopy keeps the bytes of a damaged file for whoever wants to look, and returns its name there.
func (s *Store) quarantineCopy(name string, data []byte) (string, error) {
	name = s.opt.Now().UTC().Format("20060102T150405") + "-" + name
	if err := os.WriteFile(filepath.Join(s.opt.Dir, "quarantine", name), data, 0o640); err != nil {
		return "", fmt.Errorf("keep a damaged file: %w", err)
	}
	return name, nil
}

// damagedGroup notes a row group that could not be read. The file stays where it is: its other groups are served.
func (s *Store) damagedGroup(g *segment, group int, lines int, cause error) {
	g.damaged.Store(true)
	file := filepath.Base(segmentPath("", g.info)) + ".parquet"
	if !s.damage.once(file, group) {
		return
	}
	s.opt.Log.Error("a part of a log segment is damaged", "file", file, "group", group, "error", cause)
	s.damage.add(Damage{What: DamageSegment, File: file, Team: g.info.Team, Detail: fmt.Sprintf("row group %d: %v", group, cause), Lines: int64(lines), At: s.opt.Now()})
}

// damagedFilter notes a filter that could not be read; the search reads the lines instead.
func (s *Store) damagedFilter(g *segment, cause error) {
	g.damaged.Store(true)
	file := filepath.Base(segmentPath("", g.info)) + ".idx"
	if s.damage.once(file, -1) {
		s.opt.Log.Error("a token filter is damaged", "file", file, "error", cause)
		s.damage.add(Damage{What: DamageFilter, File: file, Team: g.info.Team, Detail: cause.Error(), At: s.opt.Now()})
	}
}

// quarantine takes a segment that cannot be opened out of service and moves its files away.
func (s *Store) quarantine(g *segment, cause error) {
	file := filepath.Base(segmentPath("", g.info))
	if !errors.Is(cause, errDamaged) && !errors.Is(cause, os.ErrNotExist) || !s.damage.once(file, -2) {
		return
	}
	s.opt.Log.Error("a log segment is damaged", "file", file, "error", cause)
	s.damage.add(Damage{What: DamageSegment, File: file + ".parquet", Team: g.info.Team, Detail: cause.Error(), Lines: g.info.Rows, At: s.opt.Now()})
	g.damaged.Store(true)
}
