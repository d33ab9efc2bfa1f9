package buildlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// Store is the folder of all build logs. Its zero value but for Dir is ready to use.
type Store struct {
	// Dir is made when the first log is written.
	Dir string
	// SyncEvery is the longest that a line may be on this machine but not on its
	// disk; 200 ms when zero.
	SyncEvery time.Duration

	mu   sync.Mutex
	open map[int64]*Log
}

// Open returns the log of a build, which may have no events yet. Everybody in this
// process who has it open shares it. Close it when done.
func (s *Store) Open(build int64) (*Log, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.open[build]; l != nil {
		l.refs++
		return l, nil
	}
	l := &Log{store: s, build: build, path: s.path(build), idx: newIndex(), changed: make(chan struct{}), refs: 1}
	if err := l.load(); err != nil {
		return nil, errors.Join(err, l.release())
	}
	if s.open == nil {
		s.open = map[int64]*Log{}
	}
	s.open[build] = l
	return l, nil
}

// Close gives back what Open returned; the last one of a log closes its file. The
// error is about making it durable.
func (l *Log) Close() error {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	l.refs--
	if l.refs > 0 {
		return nil
	}
	if l.store.open[l.build] == l {
		delete(l.store.open, l.build)
	}
	return l.release()
}

// Remove deletes a build's log. Those who have it open may read on; appends fail.
func (s *Store) Remove(build int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.open[build]; l != nil {
		l.mu.Lock()
		l.removed = true
		l.wake()
		l.mu.Unlock()
		delete(s.open, build)
	}
	for _, path := range []string{s.path(build), indexPath(s.path(build))} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove log of build %d: %w", build, err)
		}
	}
	return nil
}

// path spreads the files over folders of a thousand builds.
func (s *Store) path(build int64) string {
	return filepath.Join(s.Dir, strconv.FormatInt(build/1000, 10), strconv.FormatInt(build, 10)+".log")
}

func (s *Store) syncEvery() time.Duration {
	if s.SyncEvery > 0 {
		return s.SyncEvery
	}
	return 200 * time.Millisecond
}

// indexFrom is how many events make an index on disk worth its file: reading fewer
// takes less than a few milliseconds.
func (s *Store) indexFrom() int64 { return 10_000 }

func indexPath(log string) string { return log[:len(log)-len(".log")] + ".index" }

func dirOf(path string) string { return filepath.Dir(path) }

func uint32At(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

func joinRemove(err error, path string) error { return errors.Join(err, os.Remove(path)) }

// syncDir makes a new file's name durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
