package store

import (
	"context"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/signalbox/signalbox/server/logs/record"
)

// found is a matching line that is not read in full yet.
type found struct {
	id   ID
	unit *unit
	row  int32
}

// round bounds how many units are looked at between two looks at what was found: few
// at first, since the newest lines are mostly in the first units.
const (
	firstRound = 2
	lastRound  = 64
)

// emitLines is how many lines are read in full at once when all are wanted.
const emitLines = 16 << 10

func (s *Store) search(ctx context.Context, req Request, rows *Rows, yield func(Row) bool) {
	q := s.begin(ctx, req, columnSet{})
	f := &finder{query: q, workers: runtime.GOMAXPROCS(0)}
	defer func() {
		rows.stats, rows.err = q.end(), q.err()
	}()
	f.run(yield)
}

// finder runs a search for lines in order.
type finder struct {
	*query
	workers int
	list    []found // sorted when settled is called
	left    int     // of the limit
}

func (f *finder) run(yield func(Row) bool) {
	f.left = f.req.Limit
	if f.left <= 0 {
		f.left = math.MaxInt
	}
	size := firstRound
	for {
		units := f.take(size)
		if len(units) == 0 {
			break
		}
		f.scan(units)
		size = min(size*2, lastRound)
		stop := f.over() || f.tooMuch()
		if !stop && !f.emitSettled(yield) {
			return
		}
		if stop {
			break
		}
	}
	f.emit(len(f.list), yield)
}

// take picks the units of the next round; none when no unit can better what was found.
func (f *finder) take(n int) []*unit {
	var units []*unit
	for len(units) < n {
		if len(f.items) == 0 || f.enough() {
			return units
		}
		u := f.next()
		if u == nil {
			return units
		}
		units = append(units, u)
	}
	return units
}

// enough tells that the limit is reached with lines that no unit left can precede.
func (f *finder) enough() bool {
	if len(f.list) < f.left {
		return false
	}
	worst := f.list[f.left-1].id.Time
	if f.req.Newest {
		return f.items[0].key < worst
	}
	return -f.items[0].key > worst
}

// less is the order of the search.
func (f *finder) compare(a, b found) int {
	if f.req.Newest {
		return b.id.compare(a.id)
	}
	return a.id.compare(b.id)
}

// scan looks at the units in parallel and keeps the best of what matches.
func (f *finder) scan(units []*unit) {
	lo, hi := f.from, f.to-1
	if f.to == math.MaxInt64 {
		hi = f.to
	}
	if len(f.list) >= f.left { // only lines that better the worst found
		if worst := f.list[f.left-1].id.Time; f.req.Newest {
			lo = max(lo, worst)
		} else {
			hi = min(hi, worst)
		}
	}
	parallel(f.workers, len(units), func(sc *scratch, i int) {
		if f.ctx.Err() != nil {
			return
		}
		list, err := f.scanUnit(sc, units[i], lo, hi)
		if err != nil {
			f.failed(units[i], err)
			return
		}
		f.mu.Lock()
		f.list = append(f.list, list...)
		f.mu.Unlock()
	})
	slices.SortFunc(f.list, f.compare)
	if len(f.list) > f.left {
		f.list = f.list[:f.left]
	}
}

// parallel runs fn for 0…n-1 on a few goroutines, each with a scratch of its own.
func parallel(workers, n int, fn func(sc *scratch, i int)) {
	var wg sync.WaitGroup
	next := make(chan int, n)
	for i := range n {
		next <- i
	}
	close(next)
	for range min(workers, n) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			sc := scratches.Get().(*scratch)
			defer scratches.Put(sc)
			for i := range next {
				fn(sc, i)
			}
		}()
	}
	wg.Wait()
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func (f *finder) scanUnit(sc *scratch, u *unit, lo, hi int64) ([]found, error) {
	var list []found
	err := f.each(sc, u, lo, hi, func(row int, r *record.Record) {
		list = append(list, found{id: ID{Time: r.Time.UnixNano()}, unit: u, row: int32(row)})
	})
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.stats.Matched += int64(len(list))
	f.mu.Unlock()
	list = f.cutByTime(list)
	if err := f.numbers(sc, u, list); err != nil {
		return nil, err
	}
	if !f.req.After.IsZero() {
		after := found{id: f.req.After}
		list = slices.DeleteFunc(list, func(x found) bool { return f.compare(x, after) <= 0 })
	}
	return list, nil
}

// cutByTime leaves the lines that can be among the first, before their numbers are known: ties stay.
func (f *finder) cutByTime(list []found) []found {
	if len(list) <= f.left || !f.req.After.IsZero() {
		return list
	}
	slices.SortFunc(list, f.compare)
	worst := list[f.left-1].id.Time
	n := f.left
	for n < len(list) && list[n].id.Time == worst {
		n++
	}
	list = list[:n]
	slices.SortFunc(list, func(a, b found) int { return int(a.row) - int(b.row) })
	return list
}

// numbers reads the sequence numbers of lines that are in the order of their rows.
func (f *finder) numbers(sc *scratch, u *unit, list []found) error {
	if len(list) == 0 {
		return nil
	}
	if u.chunk != nil {
		for i := range list {
			list[i].id.Seq = u.chunk.first + uint64(list[i].row)
		}
		return nil
	}
	r, err := f.s.readers.get(f.s, u.seg)
	if err != nil {
		return err
	}
	defer f.s.readers.put(f.s, r)
	defer sc.reset()
	seqs, err := r.readInts(sc, 1, u.group, r.fixed.seq, joined(rowsOf(list)))
	if err != nil {
		return err
	}
	for i := range list {
		list[i].id.Seq = uint64(seqs[list[i].row])
	}
	return nil
}

func rowsOf(list []found) []runSpan {
	spans := make([]runSpan, len(list))
	for i, x := range list {
		spans[i].span = span{int(x.row), int(x.row) + 1}
	}
	return spans
}

const foundBytes = 40

// tooMuch tells that what was found and not given out yet is more than may be held.
func (f *finder) tooMuch() bool {
	if int64(len(f.list))*foundBytes <= f.budget.Memory || len(f.items) == 0 {
		return false
	}
	f.partial(PartialMemory)
	return true
}

// emitSettled gives out the lines that nothing still to come can precede. With a limit all
// wait until the end: reading them at once is cheaper.
func (f *finder) emitSettled(yield func(Row) bool) bool {
	if f.req.Limit > 0 && f.req.Limit <= emitLines {
		return true
	}
	n := len(f.list)
	if len(f.items) > 0 {
		key := f.items[0].key
		n, _ = slices.BinarySearchFunc(f.list, key, func(x found, key int64) int {
			if t := x.id.Time; f.req.Newest && t > key || !f.req.Newest && -t > key {
				return -1
			}
			return 1
		})
	}
	if n == 0 {
		return true
	}
	return f.emit(n, yield)
}

// emit reads the first n lines in full and gives them out.
func (f *finder) emit(n int, yield func(Row) bool) bool {
	for n > 0 {
		k := f.fitting(n)
		rows := f.s.materialise(f.query, f.list[:k])
		for i := range rows {
			if rows[i].ID.IsZero() { // could not be read; said in the stats
				continue
			}
			if !yield(rows[i]) {
				return false
			}
		}
		f.list = slices.Delete(f.list, 0, k)
		f.left -= k
		n -= k
		if f.ctx.Err() != nil {
			f.partial(PartialCancel)
			return false
		}
	}
	return f.left > 0
}

// fitting is how many of the first n lines may be held in full at once.
func (f *finder) fitting(n int) int {
	held := int64(0)
	for i := range min(n, emitLines) {
		if held += f.list[i].unit.lineBytes(); held > f.budget.Memory/2 && i > 0 {
			return i
		}
	}
	return min(n, emitLines)
}
