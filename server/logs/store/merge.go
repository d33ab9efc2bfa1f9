package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// When segments are merged. A segment of half the aim is left alone: rewriting it would
// cost as much as writing it did and spare little.
const (
	mergeLeast = 4  // so many of about one size, while a day is still being written
	mergeMost  = 16 // inputs at once
)

// mergeLoop merges small segments when a flush has made some.
func (s *Store) mergeLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wakeMerge:
		}
		for !s.opt.NoMerge {
			merged, err := s.Merge(ctx)
			if err != nil && ctx.Err() == nil {
				s.opt.Log.Error("merge log segments", "error", err)
			}
			if err != nil || !merged {
				break
			}
		}
	}
}

// Merge makes one segment of several small neighbours, if some are due, and tells whether
// it did. The store does so by itself after a flush.
func (s *Store) Merge(ctx context.Context) (bool, error) {
	s.maintain.Lock()
	defer s.maintain.Unlock()
	inputs := s.pickMerge()
	if len(inputs) == 0 {
		return false, nil
	}
	defer func() {
		for _, g := range inputs {
			g.release(s)
		}
	}()
	return true, s.rewrite(ctx, inputs, nil)
}

// pickMerge finds neighbours to merge, and acquires them.
func (s *Store) pickMerge() []*segment {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, p := range s.segments.byDay {
		small := slices.DeleteFunc(slices.Clone(p.segments), func(g *segment) bool {
			return g.info.Rows*2 > segmentRows || g.damaged.Load()
		})
		over := s.opt.Now().UnixNano() > dayStart(p.day+1)+int64(time.Hour)
		if inputs := s.pickAmong(small, over); len(inputs) > 0 {
			for _, g := range inputs {
				g.acquire()
			}
			return inputs
		}
	}
	return nil
}

// pickAmong finds, smallest sizes first, enough neighbours of about one size.
func (s *Store) pickAmong(small []*segment, over bool) []*segment {
	least := mergeLeast
	if over {
		least = 2
	}
	for limit := int64(1 << 10); limit <= segmentRows; limit *= 4 {
		var inputs []*segment
		rows, held := int64(0), int64(0)
		for _, g := range small {
			// A cursor holds a row group; texts and their headers take about twice what the lines do.
			cost := 2 * g.info.Raw / max(g.info.Rows, 1) * min(g.info.Rows, groupRows)
			fits := g.info.Rows <= limit && rows+g.info.Rows <= segmentRows && len(inputs) < mergeMost && (held+cost <= s.opt.Memory/8 || len(inputs) < 2)
			if !fits {
				if len(inputs) >= least {
					return inputs
				}
				inputs, rows, held = nil, 0, 0
				if g.info.Rows > limit {
					continue
				}
			}
			inputs, rows, held = append(inputs, g), rows+g.info.Rows, held+cost
		}
		if len(inputs) >= least {
			return inputs
		}
	}
	return nil
}

// rewrite makes one segment of the inputs' lines, leaving out streams that drop names, and
// puts it in their place in one step. Nothing is left of inputs that drop takes whole.
func (s *Store) rewrite(ctx context.Context, inputs []*segment, drop func(record.Labels) bool) error {
	readers := make([]*reader, 0, len(inputs))
	defer func() {
		for _, r := range readers {
			s.readers.put(s, r)
		}
	}()
	for _, g := range inputs {
		r, err := s.readers.get(s, g)
		if err != nil {
			s.quarantine(g, err)
			return err
		}
		readers = append(readers, r)
	}
	m, err := s.newMerge(inputs, readers, drop)
	if err != nil {
		return err
	}
	s.publish.Lock()
	m.desc.ID = s.nextID()
	s.publish.Unlock()
	step := edit{}
	for _, g := range inputs {
		step.Drop = append(step.Drop, g.info.ID)
		m.desc.Replaces = append(m.desc.Replaces, g.info.ID)
	}
	info, err := m.run(ctx, s.opt.Dir)
	if err != nil {
		var bad *mergeError
		if errors.As(err, &bad) {
			s.damagedGroup(inputs[bad.input], bad.group, bad.lines, err)
		}
		return err
	}
	if info.Rows > 0 {
		step.Add = []segmentInfo{info}
	}
	return s.replace(inputs, step)
}

// replace publishes a step that takes segments out and perhaps puts one in.
func (s *Store) replace(gone []*segment, step edit) error {
	s.publish.Lock()
	defer s.publish.Unlock()
	if err := s.manifest.write(step); err != nil {
		return errors.Join(err, s.discard(step.Add))
	}
	s.mu.Lock()
	s.segments.remove(gone)
	s.segments.add(step.Add...)
	s.mu.Unlock()
	for _, g := range gone {
		g.drop(s)
	}
	return nil
}

// merge is k cursors over sorted segments and one writer; it holds a row group of each.
type merge struct {
	desc    *description
	counter *fieldCounter
	cursors []*mergeCursor
}

// mergeError says which input could not be read.
type mergeError struct {
	input, group, lines int
	cause               error
}

func (e *mergeError) Error() string {
	return fmt.Sprintf("read input %d, row group %d: %v", e.input, e.group, e.cause)
}
func (e *mergeError) Unwrap() error { return e.cause }

func (s *Store) newMerge(inputs []*segment, readers []*reader, drop func(record.Labels) bool) (*merge, error) {
	m := &merge{counter: newFieldCounter(), desc: &description{Unit: 1e6}}
	m.desc.Team, m.desc.Day = inputs[0].info.Team, inputs[0].info.Day
	rows := int64(0)
	rank := rankOf(readers)
	for i, r := range readers {
		c := &mergeCursor{input: i, r: r, group: -1, sc: new(scratch)}
		for _, st := range r.desc.Streams {
			c.rank = append(c.rank, rank[st.key])
			c.drop = append(c.drop, drop != nil && drop(st.labels))
		}
		for _, col := range r.desc.Columns {
			m.counter.add(col.Name, col.Kind, col.Lines)
		}
		full, err := r.fullDescription(&s.streams)
		if err != nil {
			s.damagedFilter(inputs[i], err)
			return nil, err
		}
		for _, rest := range full.Rest {
			m.counter.add(rest.Name, rest.Kind, rest.Lines)
		}
		m.desc.Unit = min(m.desc.Unit, r.desc.Unit)
		rows += r.desc.Rows
		m.cursors = append(m.cursors, c)
	}
	m.desc.Columns = m.counter.choose(rows)
	return m, nil
}

// rankOf numbers the streams of all inputs in the order of segments.
func rankOf(readers []*reader) map[string]int {
	seen := map[string]bool{}
	var streams []*stream
	for _, r := range readers {
		for _, st := range r.desc.Streams {
			if !seen[st.key] {
				seen[st.key] = true
				streams = append(streams, &stream{labels: st.labels, key: st.key, order: orderOf(st.labels)})
			}
		}
	}
	slices.SortFunc(streams, compareStreams)
	rank := make(map[string]int, len(streams))
	for i, st := range streams {
		rank[st.key] = i
	}
	return rank
}

func (m *merge) run(ctx context.Context, dir string) (segmentInfo, error) {
	w, err := newSegmentWriter(dir, m.desc, m.counter)
	if err != nil {
		return segmentInfo{}, err
	}
	live := make([]*mergeCursor, 0, len(m.cursors))
	for _, c := range m.cursors {
		defer c.sc.reset()
		if err := c.next(); err != nil {
			return segmentInfo{}, errors.Join(err, w.abort())
		}
		if !c.done {
			live = append(live, c)
		}
	}
	for n := 0; len(live) > 0; n++ {
		if n%groupRows == 0 && ctx.Err() != nil {
			return segmentInfo{}, errors.Join(ctx.Err(), w.abort())
		}
		least := 0
		for i := 1; i < len(live); i++ {
			if live[i].compare(live[least]) < 0 {
				least = i
			}
		}
		c := live[least]
		if err := w.add(c.key, uint64(c.seqs[c.row]), &c.rec, nil); err != nil {
			return segmentInfo{}, errors.Join(err, w.abort())
		}
		if err := c.next(); err != nil {
			return segmentInfo{}, errors.Join(err, w.abort())
		}
		if c.done {
			live = slices.Delete(live, least, least+1)
		}
	}
	if w.desc.Rows+int64(w.group.Rows) == 0 {
		return segmentInfo{}, w.abort()
	}
	return w.finish()
}

// mergeCursor is at one line of an input.
type mergeCursor struct {
	input int
	r     *reader
	rank  []int
	drop  []bool
	sc    *scratch
	group int
	lines *groupLines
	seqs  []int64
	row   int
	run   int // of the group, that row is in
	end   int // of that run
	rec   record.Record
	key   string
	done  bool
}

func (c *mergeCursor) compare(d *mergeCursor) int {
	return cmp.Or(
		cmp.Compare(c.rank[c.stream()], d.rank[d.stream()]),
		cmp.Compare(c.lines.times[c.row], d.lines.times[d.row]),
		cmp.Compare(c.seqs[c.row], d.seqs[d.row]))
}

func (c *mergeCursor) stream() int { return c.lines.info.Runs[c.run].Stream }

// next goes to the next line that is kept.
func (c *mergeCursor) next() error {
	for {
		c.row++
		for c.lines == nil || c.row >= c.lines.info.Rows {
			if c.group++; c.group >= len(c.r.desc.Groups) {
				c.done = true
				return nil
			}
			if err := c.load(); err != nil {
				return &mergeError{c.input, c.group, c.r.desc.Groups[c.group].Rows, err}
			}
		}
		for c.row >= c.end {
			c.run++
			c.end += c.lines.info.Runs[c.run].Rows
		}
		if c.drop[c.stream()] {
			c.row = c.end - 1
			continue
		}
		st := c.r.desc.Streams[c.stream()]
		c.rec.Stream, c.key = st.labels, st.key
		c.lines.fill(&c.rec, c.row, columnSet{all: true})
		return nil
	}
}

// load reads a row group whole.
func (c *mergeCursor) load() (err error) {
	defer func() {
		if p := recover(); p != nil { // see query.each
			err = fmt.Errorf("%w: %v", errDamaged, p)
		}
	}()
	c.sc.reset()
	info := &c.r.desc.Groups[c.group]
	c.lines = &groupLines{r: c.r, sc: c.sc, u: &unit{group: c.group, rest: info.Rest > 0}, info: info}
	all := []span{{0, info.Rows}}
	if c.lines.times, err = c.r.readTimes(c.sc, c.group, all); err != nil {
		return err
	}
	if c.seqs, err = c.r.readInts(c.sc, 1, c.group, c.r.fixed.seq, all); err != nil {
		return err
	}
	c.row, c.run, c.end = 0, -1, 0
	return c.lines.load(columnSet{all: true}, all)
}
