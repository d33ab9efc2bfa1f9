package store

import (
	"container/list"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// index is the open sidecar of a segment: all that planning a search needs, and a small
// part of what reading lines does. So many more of them are kept open than of segments.
type index struct {
	lease
	file     *os.File
	desc     *description
	tokens   tokenIndex
	countsAt int64
}

func openIndex(path string, id uint64, intern *interner) (*index, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSidecar, err)
	}
	ix, err := readSidecar(file, intern)
	if err != nil {
		file.Close() // read only: nothing can be lost
		return nil, fmt.Errorf("%w: %w", errSidecar, err)
	}
	d := ix.desc
	d.Rest = nil // fullDescription reads it again for the few who ask
	ix.id = id
	ix.cost = 2048 + int64(len(d.Streams))*8 + int64(len(d.Columns))*48 + int64(len(d.Postings.Ends))*4
	for g := range d.Groups {
		ix.cost += int64(unsafe.Sizeof(groupInfo{})) + int64(len(d.Groups[g].Runs))*int64(unsafe.Sizeof(run{}))
	}
	return ix, nil
}

func (ix *index) close(*Store) { ix.file.Close() }

// fullDescription reads again what is not kept.
func (ix *index) fullDescription(intern *interner) (*description, error) {
	again, err := readSidecar(ix.file, intern)
	if err != nil {
		return nil, err
	}
	return again.desc, nil
}

// openOrRebuild opens a segment's index; a sidecar that cannot be read is made anew, once.
func (s *Store) openOrRebuild(g *segment) (*index, error) {
	info := g.info
	base := segmentPath(s.opt.Dir, info)
	ix, err := openIndex(base+".idx", info.ID, &s.streams)
	if err == nil || !errors.Is(err, errDamaged) && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, io.EOF) {
		return ix, err
	}
	if !s.damage.once(filepath.Base(base)+".idx", -3) {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if again := s.rebuildSidecar(base); again != nil {
		return nil, fmt.Errorf("%w: %w; and it could not be made anew: %w", errDamaged, err, again)
	}
	s.opt.Log.Warn("made a sidecar anew", "file", filepath.Base(base), "error", err)
	s.damage.add(Damage{What: DamageFilter, File: filepath.Base(base) + ".idx", Team: info.Team, Detail: "made anew from its segment: " + err.Error(), At: s.opt.Now()})
	return openIndex(base+".idx", info.ID, &s.streams)
}

// lease is what the store knows of an open file.
type lease struct {
	id   uint64
	cost int64 // of memory, about
	refs int   // guarded by the list it is in
	gone bool
}

func (l *lease) held() *lease { return l }

type leased interface {
	held() *lease
	close(*Store)
}

// opened keeps what was recently used open, bounded by memory and number.
type opened[T leased] struct {
	open  func(*Store, *segment) (T, error)
	limit int64
	most  int

	mu    sync.Mutex
	cost  int64
	order *list.List // of T, most recent first
	byID  map[uint64]*list.Element
}

func newOpened[T leased](limit int64, most int, open func(*Store, *segment) (T, error)) *opened[T] {
	return &opened[T]{open: open, limit: limit, most: most, order: list.New(), byID: map[uint64]*list.Element{}}
}

// get returns what is open of a segment; the caller gives it back with put.
func (c *opened[T]) get(s *Store, g *segment) (T, error) {
	if v, ok := c.known(g.info.ID); ok {
		return v, nil
	}
	v, err := c.open(s, g)
	if err != nil {
		return v, err
	}
	var closing []T
	c.mu.Lock()
	if e, ok := c.byID[g.info.ID]; ok { // another was faster
		closing = append(closing, v)
		v = e.Value.(T)
		v.held().refs++
	} else {
		v.held().refs = 1
		c.byID[g.info.ID] = c.order.PushFront(v)
		c.cost += v.held().cost
		for c.order.Len() > 1 && (c.cost > c.limit || c.order.Len() > c.most) {
			closing = c.evict(c.order.Back(), closing)
		}
	}
	c.mu.Unlock()
	closeAll(s, closing)
	return v, nil
}

func (c *opened[T]) known(id uint64) (v T, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byID[id]
	if ok {
		c.order.MoveToFront(e)
		v = e.Value.(T)
		v.held().refs++
	}
	return v, ok
}

// evict takes one out, and adds it to those to close when nobody uses it.
func (c *opened[T]) evict(e *list.Element, closing []T) []T {
	v := c.order.Remove(e).(T)
	l := v.held()
	delete(c.byID, l.id)
	c.cost -= l.cost
	if l.gone = true; l.refs == 0 {
		closing = append(closing, v)
	}
	return closing
}

func (c *opened[T]) put(s *Store, v T) {
	c.mu.Lock()
	l := v.held()
	l.refs--
	last := l.refs == 0 && l.gone
	c.mu.Unlock()
	if last {
		v.close(s)
	}
}

func (c *opened[T]) forget(s *Store, id uint64) {
	var closing []T
	c.mu.Lock()
	if e, ok := c.byID[id]; ok {
		closing = c.evict(e, closing)
	}
	c.mu.Unlock()
	closeAll(s, closing)
}

func (c *opened[T]) close(s *Store) {
	var closing []T
	c.mu.Lock()
	for c.order.Len() > 0 {
		closing = c.evict(c.order.Back(), closing)
	}
	c.mu.Unlock()
	closeAll(s, closing)
}

// closeAll runs without the lock: closing one may give back another list's.
func closeAll[T leased](s *Store, list []T) {
	for _, v := range list {
		v.close(s)
	}
}

// maxReaders is the most segments that are open at once, within their memory.
const maxReaders = 512

// mostIndexes is the most sidecars: a quarter of the files that the process may open.
func mostIndexes() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 256
	}
	return int(min(max(limit.Cur/4, 64), 4096))
}

// name returns the one text for all who use a field's name.
func (in *interner) name(name string) string {
	in.mu.Lock()
	defer in.mu.Unlock()
	if known, ok := in.names[name]; ok {
		return known
	}
	if in.names == nil || len(in.names) >= maxInterned {
		in.names = map[string]string{}
	}
	name = strings.Clone(name)
	in.names[name] = name
	return name
}

// sameStreams returns the list that was seen last if the new one is equal: neighbouring
// segments mostly have the same streams.
func (in *interner) sameStreams(list []*stream) []*stream {
	in.mu.Lock()
	defer in.mu.Unlock()
	if slices.Equal(in.last, list) {
		return in.last
	}
	in.last = list
	return list
}
