package store

import (
	"context"
	"sync"

	"github.com/signalbox/signalbox/server/logs/record"
)

// How much a tail may be behind: chunks to look at, and lines found that its reader has
// not fetched. Beyond either it drops the oldest and counts them.
const (
	tailChunks = 256
	tailLines  = 2000
	tailBytes  = 8 << 20
)

// Tail hears of lines as they are committed. Its reader calls Next until it is done, and Close.
type Tail struct {
	store   *Store
	team    int64
	match   Matcher
	tokens  [][]uint32
	chunks  chan *chunk
	missed  int64 // lines nobody looked at, as looking was too slow; guarded by mu
	mu      sync.Mutex
	ring    []Row // guarded by mu, with start and count
	start   int
	count   int
	bytes   int // of the lines in the ring
	dropped int64
	wake    chan struct{}
	done    chan struct{}
	once    sync.Once
}

// Caught is what a tail has for its reader.
type Caught struct {
	Rows    []Row
	Dropped int64 // matching lines that the reader was too slow for, since the last call
	Missed  int64 // lines that could not even be looked at, as intake was too fast for the query
}

// Tail begins to listen. Lines from here on that match come out of Next, in the order of
// their commit. The tail ends with Close, or with the store.
func (s *Store) Tail(team int64, match Matcher) *Tail {
	t := &Tail{store: s, team: team, match: match, tokens: hashTokens(match), chunks: make(chan *chunk, tailChunks),
		wake: make(chan struct{}, 1), done: make(chan struct{})}
	s.tails.add(t)
	go t.look()
	return t
}

// Close ends the tail; Next then returns ErrClosed.
func (t *Tail) Close() {
	t.once.Do(func() {
		t.store.tails.remove(t)
		close(t.done)
	})
}

// Next waits for lines and returns all there are.
func (t *Tail) Next(ctx context.Context) (Caught, error) {
	for {
		if c := t.take(); len(c.Rows) > 0 || c.Dropped > 0 || c.Missed > 0 {
			return c, nil
		}
		select {
		case <-t.wake:
		case <-t.done:
			return Caught{}, ErrClosed
		case <-ctx.Done():
			return Caught{}, ctx.Err()
		}
	}
}

func (t *Tail) take() Caught {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := Caught{Dropped: t.dropped, Missed: t.missed}
	for i := range t.count {
		c.Rows = append(c.Rows, t.ring[(t.start+i)%len(t.ring)])
	}
	clear(t.ring)
	t.start, t.count, t.bytes, t.dropped, t.missed = 0, 0, 0, 0, 0
	return c
}

// offer gives a committed chunk to the tail without ever waiting for it: the committer calls this.
func (t *Tail) offer(c *chunk) {
	select {
	case t.chunks <- c:
	default:
		t.mu.Lock()
		t.missed += int64(len(c.rows))
		t.mu.Unlock()
		t.signal()
	}
}

func (t *Tail) signal() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// look matches chunks on a goroutine of the tail's own, so that a slow query slows nobody else.
func (t *Tail) look() {
	var r record.Record
	for {
		select {
		case <-t.done:
			return
		case c := <-t.chunks:
			for i := range c.rows {
				if !hasTokens(c.lineTokens(i), t.tokens) {
					continue
				}
				if c.read(i, &r, true); t.match != nil && (!t.match.Streams(r.Stream) || !t.match.Match(&r)) {
					continue
				}
				t.keep(Row{ID{c.rows[i].time, c.first + uint64(i)}, own(&r)})
			}
		}
	}
}

// keep puts a line into the ring. The ring grows to tailLines; the oldest lines make room.
func (t *Tail) keep(row Row) {
	t.mu.Lock()
	size := row.Size()
	for t.count > 0 && (t.count == tailLines || t.bytes+size > tailBytes) {
		t.bytes -= t.ring[t.start].Size()
		t.ring[t.start] = Row{}
		t.start = (t.start + 1) % len(t.ring)
		t.count--
		t.dropped++
	}
	if t.count == len(t.ring) {
		grown := make([]Row, min(max(2*len(t.ring), 64), tailLines))
		for i := range t.count {
			grown[i] = t.ring[(t.start+i)%len(t.ring)]
		}
		t.ring, t.start = grown, 0
	}
	t.ring[(t.start+t.count)%len(t.ring)] = row
	t.count++
	t.bytes += size
	t.mu.Unlock()
	t.signal()
}

// tails is everybody who listens.
type tails struct {
	mu   sync.Mutex
	list map[*Tail]struct{}
}

func (ts *tails) add(t *Tail) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.list == nil {
		ts.list = map[*Tail]struct{}{}
	}
	ts.list[t] = struct{}{}
}

func (ts *tails) remove(t *Tail) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.list, t)
}

func (ts *tails) offer(chunks []*chunk) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for t := range ts.list {
		for _, c := range chunks {
			if c.team == t.team {
				t.offer(c)
			}
		}
	}
}

func (ts *tails) close() {
	ts.mu.Lock()
	list := make([]*Tail, 0, len(ts.list))
	for t := range ts.list {
		list = append(list, t)
	}
	ts.mu.Unlock()
	for _, t := range list {
		t.Close()
	}
}
