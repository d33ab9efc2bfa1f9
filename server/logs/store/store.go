package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// Errors of Append that intake turns into 503.
var (
	ErrFull   = errors.New("the disk for logs is full")
	ErrClosed = errors.New("the log store is closed")
)

// Options say where a store is and what it may use. Zero values take the defaults beside them.
type Options struct {
	Dir    string
	Memory int64            // the whole budget in bytes; 256 MiB
	Now    func() time.Time // time.Now
	// Running tells for how long this process runs, whatever the clock does; by the monotonic clock.
	Running   func() time.Duration
	Log       *slog.Logger  // discards
	FlushRows int           // lines the memtable holds before it becomes segments; as Memory allows, 131072 at most
	FlushAge  time.Duration // how long a line may stay in the memtable; an hour
	MinFree   int64         // intake stops when the disk has less; 256 MiB
	FreeShare float64       // of the disk, that Retain keeps free by letting the oldest days go; 0.05
	// DiskFree tells the free and the total bytes of the disk that holds Dir; statfs of it.
	DiskFree func(dir string) (free, total int64, err error)
	// Retention tells what a team keeps; everything, if nil.
	Retention func(team int64) Retention
	// Search is the default budget of one search: 10 s, 4 GiB read, an eighth of Memory held.
	Search Budget
	// MaxLine is the longest message kept, in bytes; the rest is cut off. 1 MiB.
	MaxLine int
	// First is the least sequence number given from now on: servers that share a
	// database have ranges of their own, so that an ID names one line among all of theirs.
	First uint64
	// NoMerge leaves small segments alone: for measurements.
	NoMerge bool
}

func (o *Options) defaults() {
	if o.Memory <= 0 {
		o.Memory = 256 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Running == nil {
		start := time.Now()
		o.Running = func() time.Duration { return time.Since(start) }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.FlushRows <= 0 {
		o.FlushRows = 128 << 10
	}
	if o.FlushAge <= 0 {
		o.FlushAge = time.Hour
	}
	if o.MinFree <= 0 {
		o.MinFree = 256 << 20
	}
	if o.FreeShare <= 0 {
		o.FreeShare = 0.05
	}
	if o.DiskFree == nil {
		o.DiskFree = diskFree
	}
	if o.MaxLine <= 0 {
		o.MaxLine = 1 << 20
	}
	if o.Search.Time <= 0 {
		o.Search.Time = 10 * time.Second
	}
	if o.Search.Bytes <= 0 {
		o.Search.Bytes = 4 << 30
	}
	if o.Search.Memory <= 0 {
		o.Search.Memory = o.Memory / 8
	}
}

// flushBytes is how large a memtable may grow: two of them, one being written, and the
// writer's own buffers must fit the budget.
func (o *Options) flushBytes() int64 { return max(o.Memory/6, 1<<20) }

// Store is the log store of one data folder. One process opens it at a time.
type Store struct {
	opt  Options
	lock *os.File

	mu       sync.RWMutex // what a snapshot consists of: active, frozen, segments
	active   *memtable
	frozen   *memtable // the one being written as segments; nil when none is
	segments *catalog

	wal    *wal // used by the committer alone
	seq    uint64
	queue  commitQueue
	tails  tails
	damage damageList

	manifest *manifest
	streams  interner
	readers  *opened[*reader] // segments being read
	indexes  *opened[*index]  // and their sidecars, of which there are many more

	full      fullness
	clock     *clock
	wakeFlush chan struct{}
	flushed   *sync.Cond // signalled under mu when frozen becomes nil
	flushFail error      // why the last flush failed; guarded by mu
	wakeMerge chan struct{}
	maintain  sync.Mutex // one merge or retention at a time
	publish   sync.Mutex // guards manifest: one step at a time, and the numbers of segments

	stop    context.CancelFunc
	workers sync.WaitGroup
	closed  bool // guarded by mu
	over    chan struct{}
}

// Open opens the store in opt.Dir, making it where there is none, and takes back what
// was acknowledged but not yet in segments. ctx ends its background work.
func Open(ctx context.Context, opt Options) (*Store, error) {
	opt.defaults()
	for _, dir := range []string{"", "wal", "segments", "quarantine"} {
		if err := os.MkdirAll(filepath.Join(opt.Dir, dir), 0o750); err != nil {
			return nil, fmt.Errorf("make the folder of the log store: %w", err)
		}
	}
	s := &Store{opt: opt, wakeFlush: make(chan struct{}, 1), wakeMerge: make(chan struct{}, 1), over: make(chan struct{})}
	s.flushed = sync.NewCond(&s.mu)
	s.streams.byKey = map[string]*stream{}
	s.queue.init(max(opt.Memory/16, 4<<20))
	s.readers = newOpened(opt.Memory*3/32, maxReaders, openReader)
	s.indexes = newOpened(opt.Memory*3/32, mostIndexes(), (*Store).openOrRebuild)
	s.segments = newCatalog()
	if err := s.takeLock(); err != nil {
		return nil, err
	}
	var err error
	if s.clock, err = openClock(opt.Dir, opt.Now, opt.Running); err != nil {
		return nil, errors.Join(err, s.lock.Close())
	}
	if err := s.recover(ctx); err != nil {
		return nil, errors.Join(err, s.release())
	}
	ctx, s.stop = context.WithCancel(ctx)
	s.start(ctx, s.commitLoop)
	s.start(ctx, s.flushLoop)
	s.start(ctx, s.mergeLoop)
	return s, nil
}

func (s *Store) start(ctx context.Context, loop func(context.Context)) {
	s.workers.Add(1)
	go func() { defer s.workers.Done(); loop(ctx) }()
}

// Close stops intake, waits for what is under way, and closes the files. What is in the
// memtable is in the write-ahead log too, and comes back with the next Open.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.over)
	s.mu.Unlock()
	s.queue.close()
	s.stop()
	s.mu.Lock()
	s.flushed.Broadcast()
	s.mu.Unlock()
	s.workers.Wait()
	s.tails.close()
	return s.release()
}

func (s *Store) release() error {
	var errs []error
	if s.wal != nil {
		errs = append(errs, s.wal.close())
	}
	if s.manifest != nil {
		errs = append(errs, s.manifest.close())
	}
	s.readers.close(s)
	s.indexes.close(s)
	return errors.Join(append(errs, s.lock.Close())...)
}

// stream is a label set that the store has seen, one value for all who hold it.
type stream struct {
	labels record.Labels
	key    string
	order  string // where it comes in a segment
}

// Labels by which streams are sorted in a segment first and last. What many streams have
// in common comes first, what tells copies of the same program apart comes last: lines of
// one program then lie together, compress together, and are skipped together.
var (
	orderFirst = []string{"source", "namespace", "project", "app", "application", "service", "service_name", "job", "container", "component"}
	orderLast  = []string{"level", "host", "hostname", "node", "node_name", "instance", "pod", "filename", "container_id"}
)

// orderOf is the text that streams are sorted by.
func orderOf(labels record.Labels) string {
	rank := func(name string) int {
		if i := slices.Index(orderFirst, name); i >= 0 {
			return i - len(orderFirst)
		}
		return slices.Index(orderLast, name) + 1
	}
	sorted := slices.Clone(labels)
	slices.SortStableFunc(sorted, func(a, b record.Label) int { return rank(a.Name) - rank(b.Name) })
	var b strings.Builder
	for _, l := range sorted {
		b.WriteString(l.Name + "\x00" + l.Value + "\x01")
	}
	return b.String()
}

// interner keeps one *stream per key, so that a million lines share their labels. It
// forgets everything when it has grown past its bound: streams in use live on by themselves.
type interner struct {
	mu    sync.Mutex
	byKey map[string]*stream
	names map[string]string
	last  []*stream // of a segment
}

const maxInterned = 100_000

func (in *interner) get(key string, labels record.Labels) *stream {
	in.mu.Lock()
	defer in.mu.Unlock()
	if st, ok := in.byKey[key]; ok {
		return st
	}
	if len(in.byKey) >= maxInterned {
		clear(in.byKey)
	}
	st := &stream{labels: cloneLabels(labels), key: strings.Clone(key)}
	st.order = orderOf(st.labels)
	in.byKey[st.key] = st
	return st
}
