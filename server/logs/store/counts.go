package store

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// Beside its lines a segment keeps how many there are of each stream and level in each step
// of time, so that the histogram of a program over a day reads no line. It does so for the
// finest step at which that is small beside the lines themselves (where a day has few
// lines, reading them is no burden), and for coarser ones while that halves what is to be
// read. Each step is a multiple of the one before, and most that people look at are
// multiples of each.
var countSteps = []time.Duration{5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, time.Hour}

// countShare is how many lines there must be to a count.
const countShare = 6

// countsInfo is the part of a segment's description about its counts at one step.
type countsInfo struct {
	Step int64 // nanoseconds
	Size int64
	Sum  uint32 // their checksum
}

// cell is the lines of a level in a step of time.
type cell struct {
	step  int64 // number since 1970
	level record.Level
	lines uint32
}

// countsBuilder counts the lines of a segment, which come by stream and time.
type countsBuilder struct {
	streams [][]cell
	open    [record.Levels]uint32 // the cells of the last step of the last stream
	stream  int
	step    int64
}

func (b *countsBuilder) add(stream int, t int64, level record.Level) {
	step := floorDiv(t, int64(countSteps[0]))
	if stream != b.stream || step != b.step || len(b.streams) == 0 {
		b.close()
		b.stream, b.step = stream, step
		for len(b.streams) <= stream {
			b.streams = append(b.streams, nil)
		}
	}
	b.open[level]++
}

func (b *countsBuilder) close() {
	for level, n := range b.open {
		if n > 0 {
			b.streams[b.stream] = append(b.streams[b.stream], cell{b.step, record.Level(level), n})
		}
	}
	clear(b.open[:])
}

// encode returns the counts of so many lines, finest first. For each stream there are the
// bytes of its cells and the cells: steps since the one before, lines << 3 | level.
func (b *countsBuilder) encode(lines int64) (infos []countsInfo, out []byte) {
	b.close()
	most := lines / countShare
	for i, step := range countSteps {
		if i > 0 {
			b.coarsen(int64(step / countSteps[i-1]))
		}
		cells := 0
		for _, list := range b.streams {
			cells += len(list)
		}
		if int64(cells) > most {
			continue
		}
		most = int64(cells / 2)
		var body []byte
		start := len(out)
		for _, list := range b.streams {
			body = body[:0]
			last := int64(0)
			for _, c := range list {
				body = binary.AppendVarint(body, c.step-last)
				body = binary.AppendUvarint(body, uint64(c.lines)<<3|uint64(c.level))
				last = c.step
			}
			out = append(binary.AppendUvarint(out, uint64(len(body))), body...)
		}
		infos = append(infos, countsInfo{Step: int64(step), Size: int64(len(out) - start), Sum: crc32.Checksum(out[start:], castagnoli)})
	}
	return infos, out
}

// countsFor finds the coarsest counts that add up to such steps, and where they are.
func (ix *index) countsFor(start, step int64) (info countsInfo, at int64, ok bool) {
	next := ix.countsAt
	for _, c := range ix.desc.Counts {
		if step%c.Step == 0 && start%c.Step == 0 {
			info, at, ok = c, next, true
		}
		next += c.Size
	}
	return info, at, ok
}

// coarsen joins so many steps into one.
func (b *countsBuilder) coarsen(by int64) {
	for i, list := range b.streams {
		kept := list[:0]
		for start := 0; start < len(list); {
			step := floorDiv(list[start].step, by)
			var sum [record.Levels]uint32
			for ; start < len(list) && floorDiv(list[start].step, by) == step; start++ {
				sum[list[start].level] += list[start].lines
			}
			for level, n := range sum {
				if n > 0 {
					kept = append(kept, cell{step, record.Level(level), n})
				}
			}
		}
		b.streams[i] = kept
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// readCounts hands the cells of the wanted streams to fn. What fails the checksum is
// errDamaged, before fn is called.
func readCounts(file io.ReaderAt, offset int64, info countsInfo, wanted []bool, fn func(stream int, cells []cell)) error {
	data := make([]byte, info.Size)
	if _, err := file.ReadAt(data, offset); err != nil {
		return fmt.Errorf("read counts: %w", err)
	}
	if crc32.Checksum(data, castagnoli) != info.Sum {
		return fmt.Errorf("the counts: %w", errDamaged)
	}
	var cells []cell
	in := &cursor{data: data}
	for stream, want := range wanted {
		size := in.count(1)
		end := in.pos + size
		if !want {
			in.pos = end
			continue
		}
		cells = cells[:0]
		for step := int64(0); in.pos < end && !in.bad; {
			step += in.varint()
			v := in.uvarint()
			cells = append(cells, cell{step, record.Level(min(v&7, record.Levels-1)), uint32(v >> 3)})
		}
		if in.bad {
			return fmt.Errorf("the counts: %w", errDamaged)
		}
		fn(stream, cells)
	}
	return nil
}

// Decider is a Matcher that may know, without reading them, whether the lines of a stream
// and level match.
type Decider interface {
	Decide(labels record.Labels, level record.Level) (holds, known bool)
}

// countSegments adds to histograms, one for each goroutine, what counts tell, and leaves in
// the query what they do not.
func (q *query) countSegments(sinks []*histogramSink) {
	decider, ok := q.req.Match.(Decider)
	if q.req.Match != nil && (!ok || len(q.tokens) > 0) {
		return
	}
	var list []*segment
	items := q.items
	q.items = nil
	for _, it := range items {
		if it.seg == nil || it.seg.info.MinT < q.from || it.seg.info.MaxT >= q.to {
			heap.Push(&q.items, it)
			continue
		}
		list = append(list, it.seg)
	}
	free := make(chan *histogramSink, len(sinks))
	for _, h := range sinks {
		free <- h
	}
	left := make([][]bool, len(list))
	counted := make([]bool, len(list))
	parallel(len(sinks), len(list), func(_ *scratch, i int) {
		h := <-free
		if !q.over() {
			left[i], counted[i] = q.countSegment(list[i], decider, h)
		}
		free <- h
	})
	for i, g := range list {
		if !counted[i] {
			q.push(item{seg: g}, g.info.MinT, g.info.MaxT)
		} else if left[i] != nil {
			q.expand(g, left[i])
		}
	}
}

// countSegment adds the counts of a segment, if it has any that fit, and returns the
// streams that they do not decide about; nil if there are none.
func (q *query) countSegment(g *segment, decider Decider, h *histogramSink) (left []bool, counted bool) {
	ix, err := q.s.indexes.get(q.s, g)
	if err != nil {
		return nil, false // expand finds the same, and says so
	}
	defer q.s.indexes.put(q.s, ix)
	info, at, ok := ix.countsFor(h.start, h.step)
	if !ok {
		return nil, false
	}
	wanted := q.streams(ix.desc.Streams)
	left = slices.Clone(wanted)
	some, lines := false, int64(0)
	err = readCounts(ix.file, at, info, wanted, func(stream int, cells []cell) {
		holds, known := decideAll(decider, ix.desc.Streams[stream].labels)
		for _, c := range cells {
			if !known[c.level] {
				some = true
				return
			}
		}
		left[stream] = false
		for _, c := range cells {
			if holds[c.level] {
				h.count(c.step*info.Step, c.level, int64(c.lines))
				lines += int64(c.lines)
			}
		}
	})
	if err != nil {
		q.s.damagedFilter(g, err)
		some = slices.Contains(left, true)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stats.Matched += lines
	if !some {
		q.stats.Units += len(ix.desc.Groups)
		q.stats.Pruned += len(ix.desc.Groups)
		left = nil
	}
	return left, true
}

// decideAll asks about a stream at every level.
func decideAll(decider Decider, labels record.Labels) (holds, known [record.Levels]bool) {
	for level := range holds {
		holds[level], known[level] = true, true
		if decider != nil {
			holds[level], known[level] = decider.Decide(labels, record.Level(level))
		}
	}
	return holds, known
}
