package store

import (
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// each calls fn for every matching line of a unit within (lo, hi], lines in their order
// there. The record is filled with what Match and more need, and valid during the call.
func (q *query) each(sc *scratch, u *unit, lo, hi int64, fn func(row int, r *record.Record)) (err error) {
	defer sc.reset()
	if u.chunk != nil {
		q.eachOfChunk(sc, u, lo, hi, fn)
		return nil
	}
	r, err := q.s.readers.get(q.s, u.seg)
	if err != nil {
		q.s.quarantine(u.seg, err)
		q.partial(PartialDamage)
		return nil
	}
	defer q.s.readers.put(q.s, r)
	// The Parquet library panics on some malformed pages; to us they are damage like any other.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errDamaged, p)
		}
	}()
	return q.eachOfGroup(sc, r, u, lo, hi, fn)
}

func (q *query) eachOfChunk(sc *scratch, u *unit, lo, hi int64, fn func(int, *record.Record)) {
	c := u.chunk
	ok := make([]bool, len(c.streams))
	some := false
	for i, st := range c.streams {
		ok[i] = q.stream(st)
		some = some || ok[i]
	}
	if !some {
		return
	}
	fields := q.need.all || q.more.all || len(q.need.fields) > 0 || len(q.more.fields) > 0
	r := record.Record{Fields: sc.fields}
	bytes := int64(0)
	for i := range c.rows {
		row := &c.rows[i]
		if row.time < lo || row.time > hi || !ok[row.stream] || !hasTokens(c.lineTokens(i), q.tokens) {
			continue
		}
		c.read(i, &r, fields)
		bytes += int64(len(r.Message))
		if q.req.Match == nil || q.req.Match.Match(&r) {
			fn(i, &r)
		}
	}
	sc.fields = r.Fields
	q.cost(len(c.rows), bytes)
}

// hasTokens tells whether a line's tokens, sorted, hold one of each wanted list.
func hasTokens(line []uint32, wanted [][]uint32) bool {
	for _, list := range wanted {
		found := false
		for _, h := range list {
			for _, have := range line {
				if have >= h {
					found = have == h
					break
				}
			}
			if found {
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// groupLines is a row group being read: the columns that are loaded so far.
type groupLines struct {
	r      *reader
	sc     *scratch
	u      *unit
	info   *groupInfo
	times  []int64
	msg    []string
	level  []string
	rest   []string
	fields []loadedField
}

type loadedField struct {
	columnInfo
	texts []string
}

func (q *query) eachOfGroup(sc *scratch, r *reader, u *unit, lo, hi int64, fn func(int, *record.Record)) error {
	g := &groupLines{r: r, sc: sc, u: u, info: &r.desc.Groups[u.group]}
	runs, err := g.within(lo, hi)
	if err != nil || len(runs) == 0 {
		return err
	}
	spans := joined(runs)
	lines := 0
	for _, sp := range spans {
		lines += sp.to - sp.from
	}
	need := q.need
	if q.req.Match == nil {
		need = q.more
	}
	if err := g.load(need, spans); err != nil {
		return err
	}
	rec := record.Record{Fields: sc.fields}
	var matched []runSpan
	for _, run := range runs {
		rec.Stream = r.desc.Streams[run.stream].labels
		for row := run.from; row < run.to; row++ {
			if q.req.Match != nil {
				g.fill(&rec, row, need)
				if !q.req.Match.Match(&rec) {
					continue
				}
			}
			if k := len(matched) - 1; k >= 0 && matched[k].stream == run.stream && matched[k].to == row {
				matched[k].to++
				continue
			}
			matched = append(matched, runSpan{span{row, row + 1}, run.stream})
		}
	}
	sc.fields = rec.Fields
	err = g.give(q, matched, &rec, fn)
	q.cost(lines, sc.bytes)
	return err
}

// give reads what is wanted of the matching lines besides and hands them out.
func (g *groupLines) give(q *query, matched []runSpan, rec *record.Record, fn func(int, *record.Record)) error {
	if len(matched) == 0 {
		return nil
	}
	if q.req.Match != nil {
		if err := g.load(q.more, joined(matched)); err != nil {
			return err
		}
	}
	for _, run := range matched {
		rec.Stream = g.r.desc.Streams[run.stream].labels
		for row := run.from; row < run.to; row++ {
			g.fill(rec, row, q.more)
			fn(row, rec)
		}
	}
	g.sc.fields = rec.Fields
	return nil
}

// runSpan is lines of one stream.
type runSpan struct {
	span
	stream int
}

// within returns the unit's runs cut to the times wanted; times are loaded for them.
func (g *groupLines) within(lo, hi int64) ([]runSpan, error) {
	var runs []runSpan
	at, next := 0, 0
	for i := range g.info.Runs {
		r := &g.info.Runs[i]
		if next < len(g.u.runs) && g.u.runs[next] == i {
			next++
			if r.MinT <= hi && r.MaxT >= lo {
				runs = appendZones(runs, runSpan{span{at, at + r.Rows}, r.Stream}, g.u.zones)
			}
		}
		at += r.Rows
	}
	if len(runs) == 0 {
		return nil, nil
	}
	var err error
	if g.times, err = g.r.readTimes(g.sc, g.u.group, joined(runs)); err != nil {
		return nil, err
	}
	kept := runs[:0]
	for _, run := range runs {
		times := g.times[run.from:run.to]
		from := sort.Search(len(times), func(i int) bool { return times[i] >= lo })
		to := sort.Search(len(times), func(i int) bool { return times[i] > hi })
		if from < to {
			kept = append(kept, runSpan{span{run.from + from, run.from + to}, run.stream})
		}
	}
	return kept, nil
}

// appendZones appends the parts of a run that lie in zones that may match.
func appendZones(runs []runSpan, run runSpan, zones []bool) []runSpan {
	if zones == nil {
		return append(runs, run)
	}
	for from := run.from; from < run.to; {
		z := from / zoneRows
		to := min((z+1)*zoneRows, run.to)
		if zones[z] {
			if k := len(runs) - 1; k >= 0 && runs[k].to == from && runs[k].stream == run.stream {
				runs[k].to = to
			} else {
				runs = append(runs, runSpan{span{from, to}, run.stream})
			}
		}
		from = to
	}
	return runs
}

// joined turns runs into spans to read, neighbours as one; a small gap is read with them.
func joined(runs []runSpan) []span {
	var spans []span
	for _, r := range runs {
		if k := len(spans) - 1; k >= 0 && r.from-spans[k].to < 64 {
			spans[k].to = r.to
			continue
		}
		spans = append(spans, r.span)
	}
	return spans
}

// load reads the wanted columns at the spans, if they are not there yet. A column read
// for Match is there for all lines that can be wanted later.
func (g *groupLines) load(set columnSet, spans []span) (err error) {
	group := g.u.group
	if (set.message || set.all) && g.msg == nil {
		if g.msg, err = g.r.readTexts(g.sc, group, g.r.fixed.message, spans); err != nil {
			return err
		}
	}
	if (set.level || set.all) && g.level == nil {
		if g.level, err = g.r.readTexts(g.sc, group, g.r.fixed.level, spans); err != nil {
			return err
		}
	}
	for i, c := range g.r.desc.Columns {
		if !g.info.has(i) || !set.all && !contains(set.fields, c.Name) || g.loaded(c.Name) {
			continue
		}
		texts, err := g.r.readTexts(g.sc, group, g.r.fields[i], spans)
		if err != nil {
			return err
		}
		g.fields = append(g.fields, loadedField{c, texts})
	}
	if g.u.rest && (set.all || len(set.fields) > 0) && g.rest == nil {
		g.rest, err = g.r.readTexts(g.sc, group, g.r.fixed.rest, spans)
	}
	return err
}

func (g *groupLines) loaded(name string) bool {
	for i := range g.fields {
		if g.fields[i].Name == name {
			return true
		}
	}
	return false
}

func contains(sorted []string, name string) bool {
	for _, s := range sorted {
		if s == name {
			return true
		}
	}
	return false
}

// fill makes the record of a line from the columns that are loaded.
func (g *groupLines) fill(r *record.Record, row int, set columnSet) {
	r.Time = time.Unix(0, g.times[row]).UTC()
	r.Message, r.Level = "", record.Unknown
	if g.msg != nil {
		r.Message = g.msg[row]
	}
	if g.level != nil {
		r.Level = levelOf(g.level[row])
	}
	r.Fields = r.Fields[:0]
	for i := range g.fields {
		if f := &g.fields[i]; f.texts[row] != "" {
			r.Fields = append(r.Fields, record.Field{Name: f.Name, Value: f.texts[row], Kind: f.Kind})
		}
	}
	if g.rest == nil || g.rest[row] == "" {
		return
	}
	if !set.all && !mentions(g.rest[row], set.fields) {
		return
	}
	r.Fields = readRest(r.Fields, g.rest[row])
}

func levelOf(text string) record.Level {
	if text == "" {
		return record.Unknown
	}
	switch text[0] {
	case 't':
		return record.Trace
	case 'd':
		return record.Debug
	case 'i':
		return record.Info
	case 'w':
		return record.Warn
	case 'e':
		return record.Error
	case 'f':
		return record.Fatal
	}
	return record.Unknown
}

// failed notes that a unit could not be read; what else there is is served.
func (q *query) failed(u *unit, err error) {
	if !errors.Is(err, errDamaged) || u.seg == nil {
		q.s.opt.Log.Error("read logs", "error", err)
	}
	if u.seg != nil {
		q.s.damagedGroup(u.seg, u.group, u.lines, err)
	}
	q.partial(PartialDamage)
}
