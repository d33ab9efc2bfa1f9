package store

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/logs/record"
)

// Count is a value with how many lines have it.
type Count struct {
	Value string `json:"value"`
	Lines int64  `json:"lines"`
}

// Facet is the commonest values of one name among matching lines.
type Facet struct {
	Name     string  `json:"name"`
	Lines    int64   `json:"lines"`  // that have the name at all
	Values   []Count `json:"values"` // commonest first
	Distinct int     `json:"distinct"`
	More     bool    `json:"more"` // there are more distinct values than were counted
}

// facetValues is how many distinct values of one name a goroutine counts; what first
// appears later is not listed, which More says.
const facetValues = 10_000

// facetBytes is how much of a value is looked at: values that begin alike count as one.
const facetBytes = 512

// Facets counts the values of labels, fields and level among matching lines and returns
// the top of each name.
func (s *Store) Facets(ctx context.Context, req Request, names []string, top int) ([]Facet, Stats, error) {
	var sinks []*facetSink
	columns := make([]string, 0, len(names))
	for _, name := range names {
		if name == record.NameMessage {
			name = ColumnMessage
		}
		columns = append(columns, name)
	}
	stats, err := s.Each(ctx, req, columns, func() Sink {
		f := &facetSink{names: names, counts: make([]map[string]int64, len(names)), more: make([]bool, len(names))}
		for i := range f.counts {
			f.counts[i] = map[string]int64{}
		}
		sinks = append(sinks, f)
		return f
	})
	facets := make([]Facet, len(names))
	for i, name := range names {
		facets[i] = mergeFacet(name, sinks, i, top)
	}
	return facets, stats, err
}

func mergeFacet(name string, sinks []*facetSink, i, top int) Facet {
	facet := Facet{Name: name}
	sum := map[string]int64{}
	for _, sink := range sinks {
		facet.More = facet.More || sink.more[i]
		for v, n := range sink.counts[i] {
			sum[v] += n
		}
	}
	facet.Distinct = len(sum)
	for v, n := range sum {
		facet.Lines += n
		facet.Values = append(facet.Values, Count{v, n})
	}
	slices.SortFunc(facet.Values, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Lines, a.Lines), strings.Compare(a.Value, b.Value))
	})
	facet.Values = facet.Values[:min(top, len(facet.Values))]
	return facet
}

type facetSink struct {
	names  []string
	counts []map[string]int64
	more   []bool
}

func (f *facetSink) Add(r *record.Record) {
	for i, name := range f.names {
		v, ok := r.Value(name)
		if !ok {
			continue
		}
		if len(v) > facetBytes {
			v = cutText(v, facetBytes)
		}
		m := f.counts[i]
		if _, known := m[v]; !known {
			if len(m) >= facetValues {
				f.more[i] = true
				continue
			}
			v = strings.Clone(v)
		}
		m[v]++
	}
}

// FieldInfo is a name that lines have, with about how many have it.
type FieldInfo struct {
	Name  string      `json:"name"`
	Kind  record.Kind `json:"kind"`
	Lines int64       `json:"lines"`
	Label bool        `json:"label"` // it belongs to the stream, not to the line
}

const maxFields = 2000

// Fields lists the names there are in a range of time, commonest first, from the
// descriptions of segments alone: it reads no lines of theirs, and counts the whole of a
// segment that the range cuts.
func (s *Store) Fields(ctx context.Context, req Request) ([]FieldInfo, Stats, error) {
	req.Match = nil
	q := s.begin(ctx, req, columnSet{})
	counter := &nameCounter{counts: map[string]*FieldInfo{}}
	for _, c := range q.snap.chunks {
		counter.chunk(c)
	}
	for _, g := range q.snap.segments {
		if q.over() {
			break
		}
		ix, err := s.indexes.get(s, g)
		if err != nil {
			s.quarantine(g, err)
			q.partial(PartialDamage)
			continue
		}
		if full, err := ix.fullDescription(&s.streams); err == nil {
			counter.segment(full)
		} else {
			q.partial(PartialDamage)
		}
		s.indexes.put(s, ix)
	}
	list := counter.list()
	if counter.more {
		q.partial(PartialValues)
	}
	return list, q.end(), q.err()
}

type nameCounter struct {
	counts map[string]*FieldInfo
	more   bool
}

func (c *nameCounter) add(name string, kind record.Kind, label bool, lines int64) {
	f := c.counts[name]
	if f == nil {
		if len(c.counts) >= maxFields {
			c.more = true
			return
		}
		f = &FieldInfo{Name: strings.Clone(name), Kind: kind, Label: label}
		c.counts[name] = f
	}
	f.Lines += lines
}

func (c *nameCounter) segment(d *description) {
	for _, col := range d.Columns {
		c.add(col.Name, col.Kind, false, int64(col.Lines))
	}
	for _, rest := range d.Rest {
		c.add(rest.Name, rest.Kind, false, int64(rest.Lines))
	}
	lines := make([]int64, len(d.Streams))
	for g := range d.Groups {
		for _, r := range d.Groups[g].Runs {
			lines[r.Stream] += int64(r.Rows)
		}
	}
	for i, st := range d.Streams {
		for _, l := range st.labels {
			c.add(l.Name, record.String, true, lines[i])
		}
	}
}

func (c *nameCounter) chunk(ch *chunk) {
	var r record.Record
	for i := range ch.rows {
		ch.read(i, &r, true)
		for _, f := range r.Fields {
			c.add(f.Name, f.Kind, false, 1)
		}
		for _, l := range r.Stream {
			c.add(l.Name, record.String, true, 1)
		}
	}
}

func (c *nameCounter) list() []FieldInfo {
	list := make([]FieldInfo, 0, len(c.counts))
	for _, f := range c.counts {
		list = append(list, *f)
	}
	slices.SortFunc(list, func(a, b FieldInfo) int {
		return cmp.Or(cmp.Compare(b.Lines, a.Lines), strings.Compare(a.Name, b.Name))
	})
	return list
}

// Series is a stream with how much of it there is in a range of time.
type Series struct {
	Labels record.Labels
	Lines  int64
	Bytes  int64 // as they came, about
}

// maxSeries bounds what Streams returns.
const maxSeries = 50_000

// Streams lists the streams of a team that have lines in [req.From, req.To) and that
// match; match may be nil and is asked about labels only. Lines and bytes of a run that the
// range cuts count as a whole. It reads no lines.
func (s *Store) Streams(ctx context.Context, req Request) ([]Series, Stats, error) {
	q := s.begin(ctx, req, columnSet{})
	sum := &seriesSum{byKey: map[string]*Series{}, known: map[*stream]*Series{}}
	for _, c := range q.snap.chunks {
		for i := range c.rows {
			if row := &c.rows[i]; row.time >= q.from && row.time < q.to {
				if st := c.streams[row.stream]; q.stream(st) {
					sum.add(st, 1, int64(lineBytes(c, i)))
				}
			}
		}
	}
	for _, g := range q.snap.segments {
		if q.over() {
			break
		}
		ix, err := s.indexes.get(s, g)
		if err != nil {
			s.quarantine(g, err)
			q.partial(PartialDamage)
			continue
		}
		ok := q.streams(ix.desc.Streams)
		for i := range ix.desc.Groups {
			for _, run := range ix.desc.Groups[i].Runs {
				if ok[run.Stream] && run.MinT < q.to && run.MaxT >= q.from {
					sum.add(ix.desc.Streams[run.Stream], int64(run.Rows), run.Raw)
				}
			}
		}
		s.indexes.put(s, ix)
	}
	if sum.more {
		q.partial(PartialStream)
	}
	list := make([]Series, 0, len(sum.byKey))
	for _, series := range sum.byKey {
		list = append(list, *series)
	}
	slices.SortFunc(list, func(a, b Series) int { return strings.Compare(a.Labels.Key(), b.Labels.Key()) })
	return list, q.end(), q.err()
}

type seriesSum struct {
	byKey map[string]*Series
	known map[*stream]*Series
	more  bool
}

func (sum *seriesSum) add(st *stream, lines, bytes int64) {
	series := sum.known[st]
	if series == nil {
		series = sum.byKey[st.key]
	}
	if series == nil {
		if len(sum.byKey) >= maxSeries {
			sum.more = true
			return
		}
		series = &Series{Labels: st.labels}
		sum.byKey[st.key] = series
	}
	sum.known[st] = series
	series.Lines += lines
	series.Bytes += bytes
}

// lineBytes is about what line i of a chunk holds, without reading it.
func lineBytes(c *chunk, i int) int {
	end := len(c.data)
	if i+1 < len(c.rows) {
		end = int(c.rows[i+1].offset)
	}
	return end - int(c.rows[i].offset)
}

// Labels lists the names of labels that streams in the range have.
func (s *Store) Labels(ctx context.Context, req Request) ([]string, error) {
	seen := map[string]bool{}
	err := s.eachStream(ctx, req, func(st *stream) {
		for _, l := range st.labels {
			seen[l.Name] = true
		}
	})
	return sorted(seen), err
}

// Values lists the values that a label has in the range.
func (s *Store) Values(ctx context.Context, req Request, label string) ([]string, error) {
	seen := map[string]bool{}
	err := s.eachStream(ctx, req, func(st *stream) {
		if v := st.labels.Get(label); v != "" {
			seen[v] = true
		}
	})
	return sorted(seen), err
}

// eachStream calls fn for every stream that Streams would list, once or a few times.
func (s *Store) eachStream(ctx context.Context, req Request, fn func(*stream)) error {
	q := s.begin(ctx, req, columnSet{})
	seen := map[*stream]bool{}
	take := func(st *stream) {
		if !seen[st] && q.stream(st) {
			seen[st] = true
			fn(st)
		}
	}
	for _, c := range q.snap.chunks {
		for i := range c.rows {
			if row := &c.rows[i]; row.time >= q.from && row.time < q.to {
				take(c.streams[row.stream])
			}
		}
	}
	lists := map[**stream]bool{} // neighbouring segments share theirs
	for _, g := range q.snap.segments {
		if q.over() {
			break
		}
		ix, err := s.indexes.get(s, g)
		if err != nil {
			s.quarantine(g, err)
			continue
		}
		inside := g.info.MinT >= q.from && g.info.MaxT < q.to
		for i := 0; i < len(ix.desc.Groups) && !inside; i++ {
			for _, run := range ix.desc.Groups[i].Runs {
				if run.MinT < q.to && run.MaxT >= q.from {
					take(ix.desc.Streams[run.Stream])
				}
			}
		}
		if list := ix.desc.Streams; inside && len(list) > 0 && !lists[&list[0]] {
			lists[&list[0]] = true
			for _, st := range list {
				take(st)
			}
		}
		s.indexes.put(s, ix)
	}
	q.end()
	return q.err()
}

func sorted(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for v := range set {
		list = append(list, v)
	}
	slices.Sort(list)
	return list
}
