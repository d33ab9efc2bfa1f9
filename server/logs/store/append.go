package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sys/unix"

	"github.com/signalbox/signalbox/server/logs/record"
)

// Append keeps lines of a team. They are on the disk and can be found when it returns nil.
// ErrFull means that the disk has no room; the lines were not taken. The records are
// the caller's again afterwards; Append may have put their labels and fields in order.
func (s *Store) Append(ctx context.Context, team int64, recs []record.Record) error {
	for len(recs) > 0 {
		n := s.clean(recs)
		if err := s.appendChunk(ctx, team, recs[:n]); err != nil {
			return err
		}
		recs = recs[n:]
	}
	return nil
}

// chunkLines and chunkBytes bound one chunk, so that a search skips in small steps and a
// huge batch cannot overrun the memtable.
const (
	chunkLines = 8192
	chunkBytes = 4 << 20
)

// clean brings records into the shape that the store relies on and returns how many of
// them make the next chunk.
func (s *Store) clean(recs []record.Record) int {
	size := 0
	for i := range recs {
		r := &recs[i]
		if year := r.Time.Year(); r.Time.IsZero() || year < 1971 || year > 2261 {
			r.Time = s.opt.Now()
		}
		if r.Level > record.Fatal {
			r.Level = record.Unknown
		}
		if len(r.Message) > s.opt.MaxLine {
			r.Message = cutText(r.Message, s.opt.MaxLine)
		}
		r.Stream = r.Stream.Sort()
		r.Fields = record.SortFields(r.Fields)
		room := s.opt.MaxLine // for all fields of a line together
		for k := range r.Fields {
			if f := &r.Fields[k]; len(f.Name)+len(f.Value) > room {
				f.Value, f.Kind = cutText(f.Value, max(room-len(f.Name), 0)), record.String
			}
			room -= len(r.Fields[k].Name) + len(r.Fields[k].Value)
		}
		if size += r.Size() + 64; i > 0 && size > chunkBytes || i == chunkLines {
			return i
		}
	}
	return len(recs)
}

func cutText(text string, n int) string {
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

var chunkWriters = sync.Pool{New: func() any { return new(chunkWriter) }}

func (s *Store) appendChunk(ctx context.Context, team int64, recs []record.Record) error {
	if s.full.now(s) {
		return ErrFull
	}
	w := chunkWriters.Get().(*chunkWriter)
	c := w.encode(team, recs, &s.streams)
	chunkWriters.Put(w)
	if len(c.data) > maxFrame {
		return fmt.Errorf("a batch of %d bytes is too large for the log store", len(c.data))
	}
	return s.queue.commit(ctx, c)
}

// fullness remembers whether the disk is full, looking at it now and then.
type fullness struct {
	full    atomic.Bool
	checked atomic.Int64 // wall clock of the machine, in ns: this is about the disk, not about the lines
}

const diskLook = 2 * time.Second

func (f *fullness) now(s *Store) bool {
	last, now := f.checked.Load(), time.Now().UnixNano()
	if now-last < int64(diskLook) && now >= last {
		return f.full.Load()
	}
	f.checked.Store(now)
	free, _, err := s.opt.DiskFree(s.opt.Dir)
	full := err == nil && free < s.opt.MinFree
	if full != f.full.Swap(full) {
		s.opt.Log.Warn("the disk for logs", "full", full, "free", free)
	}
	return full
}

// pending is a chunk on its way to the disk.
type pending struct {
	chunk *chunk
	done  chan error
}

// commitQueue is what waits for the committer, bounded by bytes: beyond them Append waits.
type commitQueue struct {
	mu     sync.Mutex
	list   []pending
	closed bool
	wake   chan struct{}
	freeze chan chan error // asks the committer to freeze the memtable
	room   *semaphore.Weighted
	limit  int64
}

func (q *commitQueue) init(bytes int64) {
	q.limit = bytes
	q.room = semaphore.NewWeighted(bytes)
	q.wake = make(chan struct{}, 1)
	q.freeze = make(chan chan error)
}

func (q *commitQueue) commit(ctx context.Context, c *chunk) error {
	weight := min(c.bytes, q.limit)
	if err := q.room.Acquire(ctx, weight); err != nil {
		return fmt.Errorf("wait for the log store: %w", err)
	}
	defer q.room.Release(weight)
	p := pending{c, make(chan error, 1)}
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return ErrClosed
	}
	q.list = append(q.list, p)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done(): // it may be kept all the same: nobody was told so
		return fmt.Errorf("wait for the log store: %w", ctx.Err())
	}
}

func (q *commitQueue) take() []pending {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.list
	q.list = nil
	return list
}

func (q *commitQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

// commitLoop is the one writer: it takes all that waits, writes it, syncs once, shows it, answers.
func (s *Store) commitLoop(ctx context.Context) {
	for {
		select {
		case <-s.queue.wake:
		case done := <-s.queue.freeze:
			done <- s.freezeFilled(ctx)
		case <-ctx.Done():
			for _, p := range s.queue.take() {
				p.done <- ErrClosed
			}
			return
		}
		if batch := s.queue.take(); len(batch) > 0 {
			err := s.commitBatch(ctx, batch)
			for _, p := range batch {
				p.done <- err
			}
		}
	}
}

func (s *Store) commitBatch(ctx context.Context, batch []pending) error {
	if err := s.makeRoom(ctx); err != nil {
		return err
	}
	frames := make([][]byte, len(batch))
	for i, p := range batch {
		p.chunk.first = s.seq
		s.seq += uint64(len(p.chunk.rows))
		sealFrame(p.chunk.data, p.chunk.first)
		frames[i] = p.chunk.data
	}
	if err := s.wal.commit(frames); err != nil {
		if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
			s.full.full.Store(true)
			s.full.checked.Store(time.Now().UnixNano())
			err = ErrFull
		}
		s.opt.Log.Error("write log lines", "error", err)
		return errors.Join(err, s.rotateBroken())
	}
	chunks := make([]*chunk, len(batch))
	for i, p := range batch {
		chunks[i] = p.chunk
	}
	s.mu.Lock()
	s.active.add(chunks...)
	s.mu.Unlock()
	s.tails.offer(chunks)
	return nil
}

// rotateBroken goes on in a new file after a failed write or sync: what a file holds after
// a failed sync is unknown, and frames behind an unknown one would be doubtful too.
func (s *Store) rotateBroken() error {
	next, err := createWAL(s.wal.dir, s.wal.number+1)
	if err != nil {
		return nil // the disk is still full; the file, cut back to its last good frame, serves on
	}
	s.mu.Lock()
	s.active.walFiles = append(s.active.walFiles, next.number)
	s.mu.Unlock()
	old := s.wal
	s.wal = next
	return old.close()
}

// makeRoom freezes a memtable that has reached its limits and waits while the one
// before it is still being written: intake is as fast as the disk, and no faster.
func (s *Store) makeRoom(ctx context.Context) error {
	s.mu.RLock()
	due := s.active.rows >= s.opt.FlushRows || s.active.bytes >= s.opt.flushBytes()
	s.mu.RUnlock()
	if !due {
		return nil
	}
	return s.freeze(ctx)
}

func (s *Store) freezeFilled(ctx context.Context) error {
	s.mu.RLock()
	rows := s.active.rows
	s.mu.RUnlock()
	if rows == 0 {
		return nil
	}
	return s.freeze(ctx)
}

// freeze hands the memtable to the flusher and begins a new one with a write-ahead file of its own.
func (s *Store) freeze(ctx context.Context) error {
	s.mu.Lock()
	for s.frozen != nil && !s.closed && ctx.Err() == nil {
		if err := s.flushFail; err != nil {
			s.mu.Unlock()
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
		s.flushed.Wait()
	}
	closed := s.closed || ctx.Err() != nil
	s.mu.Unlock()
	if closed {
		return ErrClosed
	}
	next, err := createWAL(s.wal.dir, s.wal.number+1)
	if err != nil {
		if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
			return ErrFull
		}
		return err
	}
	old := s.wal
	s.wal = next
	s.mu.Lock()
	s.frozen = s.active
	s.active = &memtable{walFiles: []uint64{next.number}, born: s.opt.Now()}
	s.mu.Unlock()
	select {
	case s.wakeFlush <- struct{}{}:
	default:
	}
	return old.close()
}

func (s *Store) takeLock() error {
	f, err := os.OpenFile(s.opt.Dir+"/lock", os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return fmt.Errorf("open the lock of the log store: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("the log store in %s is open in another process: %w", strings.TrimSuffix(s.opt.Dir, "/"), err), f.Close())
	}
	s.lock = f
	return nil
}
