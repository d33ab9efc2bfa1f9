package store

import (
	"runtime"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/logs/record"
)

// materialise reads lines in full. They own their memory.
func (s *Store) materialise(q *query, list []found) []Row {
	rows := make([]Row, len(list))
	byUnit := map[*unit][]int{}
	var units []*unit
	for i, x := range list {
		if byUnit[x.unit] == nil {
			units = append(units, x.unit)
		}
		byUnit[x.unit] = append(byUnit[x.unit], i)
	}
	parallel(runtime.GOMAXPROCS(0), len(units), func(sc *scratch, k int) {
		u := units[k]
		if err := s.readLines(sc, u, list, byUnit[u], rows); err != nil {
			q.failed(u, err)
		}
	})
	return rows
}

// readLines reads the lines of one unit into their places in rows.
func (s *Store) readLines(sc *scratch, u *unit, list []found, at []int, rows []Row) error {
	var r record.Record
	if c := u.chunk; c != nil {
		for _, i := range at {
			c.read(int(list[i].row), &r, true)
			rows[i] = Row{list[i].id, own(&r)}
		}
		return nil
	}
	rd, err := s.readers.get(s, u.seg)
	if err != nil {
		return err
	}
	defer s.readers.put(s, rd)
	defer sc.reset()
	slices.SortFunc(at, func(a, b int) int { return int(list[a].row - list[b].row) })
	g := &groupLines{r: rd, sc: sc, u: &unit{seg: u.seg, group: u.group, rest: true}, info: &rd.desc.Groups[u.group]}
	g.u.rest = g.info.Rest > 0
	wanted := make([]runSpan, len(at))
	for k, i := range at {
		wanted[k].span = span{int(list[i].row), int(list[i].row) + 1}
	}
	spans := joined(wanted)
	if g.times, err = rd.readTimes(sc, u.group, spans); err != nil {
		return err
	}
	if err := g.load(columnSet{all: true}, spans); err != nil {
		return err
	}
	run, end := -1, 0
	for _, i := range at {
		for row := int(list[i].row); row >= end; {
			run++
			end += g.info.Runs[run].Rows
		}
		g.fill(&r, int(list[i].row), columnSet{all: true})
		r.Stream = rd.desc.Streams[g.info.Runs[run].Stream].labels
		rows[i] = Row{list[i].id, own(&r)}
	}
	return nil
}

// own copies a record's texts out of memory that will be used again, into one piece.
func own(r *record.Record) record.Record {
	n := len(r.Message)
	for i := range r.Fields {
		n += len(r.Fields[i].Name) + len(r.Fields[i].Value)
	}
	var b strings.Builder
	b.Grow(n)
	take := func(s string) string {
		start := b.Len()
		b.WriteString(s)
		return b.String()[start:]
	}
	out := record.Record{Time: r.Time, Stream: r.Stream, Level: r.Level, Message: take(r.Message)}
	if len(r.Fields) > 0 {
		out.Fields = make([]record.Field, len(r.Fields))
		for i, f := range r.Fields {
			out.Fields[i] = record.Field{Name: take(f.Name), Value: take(f.Value), Kind: f.Kind}
		}
	}
	return out
}
