package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// recover brings the store to where it was: segments as the manifest says, then the
// write-ahead files that it does not cover, in their order.
func (s *Store) recover(ctx context.Context) error {
	m, err := openManifest(s.opt.Dir)
	lost := err == nil && m.state.lines == 0 && len(s.sidecars()) > 0
	switch {
	case errors.Is(err, errDamaged), lost:
		if err := s.rebuildManifest(m); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	s.manifest = m
	if err := s.sweep(); err != nil {
		return err
	}
	for _, info := range m.state.segments {
		s.segments.add(info)
	}
	s.seq = max(m.state.next, s.opt.First, 1)
	for _, info := range m.state.segments {
		s.seq = max(s.seq, info.LastSeq+1)
	}
	if err := s.checkFiles(); err != nil {
		return err
	}
	return s.replay(ctx)
}

// sweep removes what a crash left behind: unfinished files and segments that no manifest names.
func (s *Store) sweep() error {
	root := filepath.Join(s.opt.Dir, "segments")
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, suffix, _ := strings.Cut(e.Name(), ".")
		id, err := strconv.ParseUint(name, 36, 64)
		if _, known := s.manifest.state.segments[id]; known && err == nil && (suffix == "parquet" || suffix == "idx") {
			return nil
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove what a crash left behind: %w", err)
		}
		return nil
	})
}

// checkFiles puts aside segments whose files are missing, so that searches need not stumble over them.
func (s *Store) checkFiles() error {
	var gone []*segment
	for _, p := range s.segments.byDay {
		for _, g := range p.segments {
			base := segmentPath(s.opt.Dir, g.info)
			if _, err := os.Stat(base + ".parquet"); errors.Is(err, os.ErrNotExist) {
				gone = append(gone, g)
				s.damage.add(Damage{What: DamageSegment, File: filepath.Base(base) + ".parquet", Team: g.info.Team, Detail: "the file is missing", Lines: g.info.Rows, At: s.opt.Now()})
			}
		}
	}
	if len(gone) == 0 {
		return nil
	}
	var ids []uint64
	for _, g := range gone {
		ids = append(ids, g.info.ID)
	}
	s.segments.remove(gone)
	return s.manifest.write(edit{Drop: ids})
}

// replay reads back every write-ahead file that is not covered. Files become part of the
// memtable; when that is full they are flushed on the way, so that memory stays bounded.
func (s *Store) replay(ctx context.Context) error {
	dir := filepath.Join(s.opt.Dir, "wal")
	numbers, err := walFiles(dir)
	if err != nil {
		return err
	}
	s.active = &memtable{born: s.opt.Now()}
	last := uint64(0)
	for n := range s.manifest.state.wal {
		last = max(last, n)
	}
	for _, n := range numbers {
		last = max(last, n)
		if s.manifest.state.wal[n] {
			if err := os.Remove(filepath.Join(dir, walName(n))); err != nil {
				return fmt.Errorf("remove a covered write-ahead file: %w", err)
			}
			continue
		}
		if err := s.replayFile(dir, n); err != nil {
			return err
		}
		if s.active.rows >= s.opt.FlushRows || s.active.bytes >= s.opt.flushBytes() {
			if err := s.writeMemtable(ctx, s.active); err != nil {
				s.opt.Log.Warn("write segments while opening", "error", err) // the lines stay in memory and in the file
				continue
			}
			s.active = &memtable{born: s.opt.Now()}
		}
	}
	s.wal, err = createWAL(dir, last+1)
	if err == nil {
		s.active.walFiles = append(s.active.walFiles, s.wal.number)
	}
	return err
}

func (s *Store) replayFile(dir string, number uint64) error {
	path := filepath.Join(dir, walName(number))
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read a write-ahead file: %w", err)
	}
	lines, broken := 0, 0
	torn, damaged := readFrames(data, func(frame []byte, first uint64) {
		// A copy: the chunk outlives the file's bytes, which would be held as a whole.
		c, err := decodeChunk(append([]byte(nil), frame...), first, &s.streams)
		if err != nil {
			broken++
			return
		}
		s.active.add(c)
		lines += len(c.rows)
		s.seq = max(s.seq, first+uint64(len(c.rows)))
	})
	s.opt.Log.Info("read a write-ahead file", "file", walName(number), "lines", lines, "torn", len(data)-torn, "damaged", damaged+broken)
	if damaged+broken > 0 {
		kept, err := s.quarantineCopy(walName(number), data)
		if err != nil {
			return err
		}
		s.damage.add(Damage{What: DamageWAL, File: kept, Detail: fmt.Sprintf("%d places could not be read; %d lines around them could", damaged+broken, lines), At: s.opt.Now()})
	}
	if lines == 0 {
		return os.Remove(path)
	}
	s.active.walFiles = append(s.active.walFiles, number)
	return nil
}

// rebuildManifest makes a damaged manifest anew from what the segments say of themselves.
func (s *Store) rebuildManifest(m *manifest) error {
	data, err := os.ReadFile(filepath.Join(s.opt.Dir, manifestName))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read the damaged manifest: %w", err)
	}
	kept, err := s.quarantineCopy(manifestName, data)
	if err != nil {
		return err
	}
	found, replaced := s.describeAll()
	state := &manifestState{segments: map[uint64]segmentInfo{}, wal: map[uint64]bool{}, next: m.state.next, lastID: m.state.lastID}
	for id, info := range found {
		state.lastID = max(state.lastID, id)
		if !replaced[id] {
			state.segments[id] = info
		}
	}
	m.state = state
	if err := m.compact(); err != nil {
		return err
	}
	s.damage.add(Damage{What: DamageManifest, File: kept, Detail: fmt.Sprintf("made anew from %d segments", len(state.segments)), At: s.opt.Now()})
	return nil
}

// describeAll reads every finished segment's own description.
func (s *Store) describeAll() (found map[uint64]segmentInfo, replaced map[uint64]bool) {
	found, replaced = map[uint64]segmentInfo{}, map[uint64]bool{}
	for _, path := range s.sidecars() {
		info, d, err := s.describe(path)
		if errors.Is(err, errSidecar) {
			if err = s.rebuildSidecar(strings.TrimSuffix(path, ".idx")); err == nil {
				info, d, err = s.describe(path)
			}
		}
		if err != nil {
			s.damage.add(Damage{What: DamageSegment, File: filepath.Base(path), Detail: err.Error(), At: s.opt.Now()})
			continue
		}
		if s.stillInWAL(d.Walls) {
			continue // all its lines come back from there, so that none is found twice
		}
		found[info.ID] = info
		for _, id := range d.Replaces {
			replaced[id] = true
		}
	}
	return found, replaced
}

func (s *Store) sidecars() []string {
	paths, err := filepath.Glob(filepath.Join(s.opt.Dir, "segments", "*", "*", "*.idx"))
	if err != nil {
		return nil // only a bad pattern is an error
	}
	return paths
}

// stillInWAL tells whether a segment's write-ahead files are all there: then the manifest had
// not covered them yet, or a crash came just before they were removed.
func (s *Store) stillInWAL(numbers []uint64) bool {
	for _, n := range numbers {
		if _, err := os.Stat(filepath.Join(s.opt.Dir, "wal", walName(n))); err != nil {
			return false
		}
	}
	return len(numbers) > 0
}

func (s *Store) describe(path string) (segmentInfo, *description, error) {
	f, err := os.Open(path)
	if err != nil {
		return segmentInfo{}, nil, fmt.Errorf("open a sidecar: %w", err)
	}
	defer f.Close()
	ix, err := readSidecar(f, &s.streams)
	if err != nil {
		return segmentInfo{}, nil, fmt.Errorf("%w: %w", errSidecar, err)
	}
	d := ix.desc
	base := strings.TrimSuffix(path, ".idx")
	for _, suffix := range []string{".idx", ".parquet"} {
		st, err := os.Stat(base + suffix)
		if err != nil {
			return segmentInfo{}, nil, fmt.Errorf("look at a segment: %w", err)
		}
		if suffix == ".idx" {
			d.Bytes = 0
		}
		d.Bytes += st.Size()
	}
	return d.segmentInfo, d, nil
}
