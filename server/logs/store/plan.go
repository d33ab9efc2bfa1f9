package store

import (
	"container/heap"
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// query is a request under way: what it wants, what it has cost, what is left to look at.
type query struct {
	s       *Store
	ctx     context.Context
	req     Request
	from    int64
	to      int64
	tokens  [][]uint32
	need    columnSet // what Match looks at
	more    columnSet // what is wanted of matching lines besides
	budget  Budget
	started time.Time
	snap    *snapshot
	ahead   int // how many segments are looked up at once

	mu       sync.Mutex // guards what follows: workers report here
	stats    Stats
	streamOK map[*stream]bool
	listOK   map[**stream][]bool
	items    itemHeap
}

// columnSet is which parts of a line are wanted.
type columnSet struct {
	all     bool
	message bool
	level   bool
	fields  []string
}

func columnsOf(names []string, all bool) columnSet {
	set := columnSet{all: all}
	for _, name := range names {
		switch name {
		case ColumnMessage, record.NameMessage:
			set.message = true
		case ColumnLevel: // a line without a level of its own may have a field of that name
			set.level = true
			set.fields = append(set.fields, name)
		case record.NameTime, record.NameStream:
		default:
			set.fields = append(set.fields, name)
		}
	}
	slices.Sort(set.fields)
	set.fields = slices.Compact(set.fields)
	return set
}

// unit is what is read at once: a chunk, or a row group of a segment.
type unit struct {
	chunk *chunk
	seg   *segment
	group int
	runs  []int  // runs of the group whose stream and time may match
	zones []bool // of the group, that may match; nil is all
	rest  bool   // some wanted field may be in the rest
	minT  int64
	maxT  int64
	lines int
	raw   int64 // bytes of these lines, about
}

// lineBytes is about what one of the unit's lines takes in full.
func (u *unit) lineBytes() int64 { return u.raw/int64(max(u.lines, 1)) + 256 }

// item is a unit, or a segment whose units are not known yet.
type item struct {
	unit *unit
	seg  *segment
	key  int64 // the best time it may hold, in the order of the search
}

// itemHeap gives the item with the best key first: highest, as oldest-first keys are negated.
type itemHeap []item

func (h itemHeap) Len() int           { return len(h) }
func (h itemHeap) Less(i, j int) bool { return h[i].key > h[j].key }
func (h itemHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *itemHeap) Push(x any)        { *h = append(*h, x.(item)) }
func (h *itemHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

func bound(t time.Time, zero int64) int64 {
	if t.IsZero() {
		return zero
	}
	if year := t.Year(); year < 1678 {
		return math.MinInt64
	} else if year > 2261 {
		return math.MaxInt64
	}
	return t.UnixNano()
}

// leastMemory is what a search may always hold: with less it would read one line at a time.
const leastMemory = 256 << 10

// begin takes a snapshot and lines up what may hold matching lines. end gives it back.
func (s *Store) begin(ctx context.Context, req Request, more columnSet) *query {
	q := &query{s: s, ctx: ctx, req: req, from: bound(req.From, math.MinInt64), to: bound(req.To, math.MaxInt64), more: more,
		tokens: hashTokens(req.Match), budget: req.Budget, started: time.Now(), streamOK: map[*stream]bool{}, listOK: map[**stream][]bool{}}
	if req.Match != nil {
		columns := req.Match.Columns()
		q.need = columnsOf(columns, columns == nil)
	}
	if !req.After.IsZero() {
		if req.Newest {
			q.to = min(q.to, req.After.Time+1)
		} else {
			q.from = max(q.from, req.After.Time)
		}
	}
	def := s.opt.Search
	if q.budget.Time <= 0 {
		q.budget.Time = def.Time
	}
	if q.budget.Bytes <= 0 {
		q.budget.Bytes = def.Bytes
	}
	if q.budget.Memory <= 0 {
		q.budget.Memory = def.Memory
	}
	q.budget.Memory = max(q.budget.Memory, leastMemory)
	q.snap = s.snapshot(req.Team, q.from, q.to)
	for _, c := range q.snap.chunks {
		q.push(item{unit: &unit{chunk: c, minT: c.minT, maxT: c.maxT, lines: len(c.rows), raw: int64(len(c.data))}}, c.minT, c.maxT)
	}
	for _, g := range q.snap.segments {
		q.push(item{seg: g}, g.info.MinT, g.info.MaxT)
	}
	q.stats.Segments = len(q.snap.segments)
	q.stats.Units = len(q.snap.chunks)
	return q
}

func (q *query) push(it item, minT, maxT int64) {
	if it.key = maxT; !q.req.Newest {
		it.key = -minT
	}
	heap.Push(&q.items, it)
}

func (q *query) end() Stats {
	q.s.releaseSnapshot(q.snap)
	q.stats.Took = time.Since(q.started)
	return q.stats
}

// next takes the most promising unit; nil when nothing is left.
func (q *query) next() *unit {
	for len(q.items) > 0 {
		if q.items[0].unit != nil {
			return heap.Pop(&q.items).(item).unit
		}
		q.expandSome()
	}
	return nil
}

// Segments are looked up several at once: first one, since the newest lines are mostly in
// the newest, then more. Looking up is waiting for the disk as often as computing.
const (
	mostAhead     = 64
	lookupWorkers = 8
)

// expand lines up a segment's row groups that may hold matching lines of the streams given.
func (q *query) expand(g *segment, ok []bool) {
	if f := q.lookUp(g); f.ix != nil {
		q.expandStreams(g, f.ix, f.may, ok)
		q.s.indexes.put(q.s, f.ix)
	}
}

// expandSome lines up the row groups, of the most promising segments, that may hold matching lines.
func (q *query) expandSome() {
	var list []*segment
	q.ahead = min(max(q.ahead*2, 1), mostAhead)
	for len(q.items) > 0 && q.items[0].seg != nil && len(list) < q.ahead {
		list = append(list, heap.Pop(&q.items).(item).seg)
	}
	found := make([]lookup, len(list))
	parallel(lookupWorkers, len(list), func(_ *scratch, i int) {
		if !q.over() { // which says that the answer is partial
			found[i] = q.lookUp(list[i])
		}
	})
	for i, g := range list {
		if f := found[i]; f.ix != nil {
			q.expandStreams(g, f.ix, f.may, nil)
			q.s.indexes.put(q.s, f.ix)
		}
	}
}

// lookup is a segment with the zones that may hold all tokens.
type lookup struct {
	ix  *index
	may []bool
}

func (q *query) lookUp(g *segment) lookup {
	ix, err := q.s.indexes.get(q.s, g)
	if err != nil {
		q.s.quarantine(g, err)
		q.partial(PartialDamage)
		return lookup{}
	}
	return lookup{ix, q.zones(g, ix)}
}

// zones tells which zones of a segment may hold all tokens.
func (q *query) zones(g *segment, ix *index) []bool {
	may := slices.Repeat([]bool{true}, ix.tokens.zones())
	if len(q.tokens) > 0 {
		if err := prune(ix.tokens, q.tokens, may); err != nil {
			q.s.damagedFilter(g, err) // may stays as it was, or narrower by what is certain
		}
	}
	return may
}

// expandStreams lines up the row groups of a segment that have such zones and streams; nil is all that may match.
func (q *query) expandStreams(g *segment, ix *index, may, ok []bool) {
	groups := len(ix.desc.Groups)
	q.stats.Units += groups
	if !slices.Contains(may, true) {
		q.stats.Pruned += groups
		return
	}
	if ok == nil {
		ok = q.streams(ix.desc.Streams)
	}
	rest, looked := []bool(nil), false
	zone := 0
	for i := range ix.desc.Groups {
		info := &ix.desc.Groups[i]
		end := zone + zonesOf(info.Rows)
		u := q.unitOf(g, info, may[zone:end], ok)
		if u == nil {
			q.stats.Pruned++
		} else {
			if !looked {
				rest, looked = q.restOf(g, ix), true
			}
			u.group, u.rest = i, info.Rest > 0 && (rest == nil || slices.Contains(rest[zone:end], true))
			q.push(item{unit: u}, u.minT, u.maxT)
		}
		zone = end
	}
}

func (q *query) unitOf(g *segment, info *groupInfo, zones, ok []bool) *unit {
	if info.MinT >= q.to || info.MaxT < q.from || !slices.Contains(zones, true) {
		return nil
	}
	u := &unit{seg: g, zones: zones, minT: math.MaxInt64, maxT: math.MinInt64}
	for i := range info.Runs {
		r := &info.Runs[i]
		if ok[r.Stream] && r.MinT < q.to && r.MaxT >= q.from {
			u.runs = append(u.runs, i)
			u.lines += r.Rows
			u.raw += r.Raw
			u.minT, u.maxT = min(u.minT, r.MinT), max(u.maxT, r.MaxT)
		}
	}
	if len(u.runs) == 0 {
		return nil
	}
	return u
}

// stream asks the matcher about a stream, once.
func (q *query) stream(st *stream) bool {
	if q.req.Match == nil {
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	ok, known := q.streamOK[st]
	if !known {
		ok = q.req.Match.Streams(st.labels)
		q.streamOK[st] = ok
	}
	return ok
}

// streams asks about a segment's. The answer belongs to all segments that have the same list.
func (q *query) streams(list []*stream) []bool {
	if len(list) == 0 {
		return nil
	}
	q.mu.Lock()
	ok, known := q.listOK[&list[0]]
	q.mu.Unlock()
	if known && len(ok) == len(list) {
		return ok
	}
	ok = make([]bool, len(list))
	for i, st := range list {
		ok[i] = q.stream(st)
	}
	q.mu.Lock()
	q.listOK[&list[0]] = ok
	q.mu.Unlock()
	return ok
}

// restOf tells for which zones the rest must be read: where the tokens have a wanted name; nil is all.
func (q *query) restOf(g *segment, ix *index) []bool {
	if q.need.all || q.more.all {
		return nil
	}
	rest := make([]bool, ix.tokens.zones())
	var buf []byte
	var err error
	for _, list := range [][]string{q.need.fields, q.more.fields} {
		for _, name := range list {
			if buf, err = ix.tokens.having(nameHash(name), rest, buf); err != nil {
				q.s.damagedFilter(g, err)
				return nil
			}
		}
	}
	return rest
}

func (q *query) partial(why Partial) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stats.Partial == Whole || q.stats.Partial == PartialDamage {
		q.stats.Partial = why
	}
}

// over tells that the search must end here, and notes why.
func (q *query) over() bool {
	if q.ctx.Err() != nil {
		q.partial(PartialCancel)
		return true
	}
	if time.Since(q.started) > q.budget.Time {
		q.partial(PartialTime)
		return true
	}
	q.mu.Lock()
	bytes := q.stats.Bytes
	q.mu.Unlock()
	if bytes > q.budget.Bytes {
		q.partial(PartialBytes)
		return true
	}
	return false
}

// err is what the caller gets when it gave up itself.
func (q *query) err() error {
	if err := q.ctx.Err(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

func (q *query) cost(lines int, bytes int64) {
	q.mu.Lock()
	q.stats.Lines += int64(lines)
	q.stats.Bytes += bytes
	q.mu.Unlock()
}
