package logs

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/cluster"
)

// facetValues is how many values of a name another server sends.
const facetValues = 10_000

// gathered asks the others and collects what they answer; false when there are none, so
// that this server's own answer is the whole.
func (l lines) gathered(ctx context.Context, what string, req store.Request, prepare func(*lineCall), own func() (store.Stats, error)) (parts []lineAnswer, stats store.Stats, err error) {
	a, err := l.ask(ctx, what, req)
	if err != nil {
		return nil, stats, err
	}
	if a == nil {
		stats, err = own()
		return nil, stats, err
	}
	if prepare != nil {
		prepare(&a.call)
	}
	var mu sync.Mutex
	stats, err = l.everybody(ctx, a, own, func(_ cluster.Member, part lineAnswer) {
		mu.Lock()
		defer mu.Unlock()
		parts = append(parts, part)
	})
	return parts, stats, err
}

// Fields lists the names of all servers' lines.
func (l lines) Fields(ctx context.Context, req store.Request) (list []store.FieldInfo, stats store.Stats, err error) {
	parts, stats, err := l.gathered(ctx, askFields, req, nil, func() (s store.Stats, err error) { list, s, err = l.Store.Fields(ctx, req); return s, err })
	at := map[string]int{}
	for i, f := range list {
		at[f.Name] = i
	}
	for _, part := range parts {
		for _, f := range part.Fields {
			if i, known := at[f.Name]; known {
				list[i].Lines += f.Lines
				list[i].Label = list[i].Label || f.Label
				continue
			}
			at[f.Name] = len(list)
			list = append(list, f)
		}
	}
	slices.SortStableFunc(list, func(a, b store.FieldInfo) int {
		return cmp.Or(cmp.Compare(b.Lines, a.Lines), strings.Compare(a.Name, b.Name))
	})
	return list, stats, err
}

// Facets counts the values of names among all servers' lines.
func (l lines) Facets(ctx context.Context, req store.Request, names []string, top int) (facets []store.Facet, stats store.Stats, err error) {
	parts, stats, err := l.gathered(ctx, askFacets, req, func(c *lineCall) { c.Names, c.Top = names, facetValues }, func() (s store.Stats, err error) {
		facets, s, err = l.Store.Facets(ctx, req, names, l.values(top))
		return s, err
	})
	for i := range facets {
		for _, part := range parts {
			if i < len(part.Facets) {
				addFacet(&facets[i], part.Facets[i])
			}
		}
		slices.SortFunc(facets[i].Values, func(a, b store.Count) int {
			return cmp.Or(cmp.Compare(b.Lines, a.Lines), strings.Compare(a.Value, b.Value))
		})
		facets[i].Values = facets[i].Values[:min(top, len(facets[i].Values))]
	}
	return facets, stats, err
}

// values is how many values of a name this server counts: what is rare here may be
// common elsewhere.
func (l lines) values(top int) int {
	if c := l.service.Cluster; c != nil && c.Several() {
		return facetValues
	}
	return top
}

func addFacet(f *store.Facet, other store.Facet) {
	f.Lines += other.Lines
	f.More = f.More || other.More
	at := make(map[string]int, len(f.Values))
	for i, v := range f.Values {
		at[v.Value] = i
	}
	for _, v := range other.Values {
		if i, known := at[v.Value]; known {
			f.Values[i].Lines += v.Lines
		} else {
			f.Values = append(f.Values, v)
		}
	}
	f.Distinct = len(f.Values)
}

// Streams lists the streams of all servers.
func (l lines) Streams(ctx context.Context, req store.Request) (list []store.Series, stats store.Stats, err error) {
	parts, stats, err := l.gathered(ctx, askStreams, req, nil, func() (s store.Stats, err error) { list, s, err = l.Store.Streams(ctx, req); return s, err })
	if len(parts) == 0 {
		return list, stats, err
	}
	at := make(map[string]int, len(list))
	for i := range list {
		at[list[i].Labels.Key()] = i
	}
	for _, part := range parts {
		for _, s := range part.Streams {
			key := s.Labels.Key()
			if i, known := at[key]; known {
				list[i].Lines += s.Lines
				list[i].Bytes += s.Bytes
				continue
			}
			at[key] = len(list)
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b store.Series) int { return strings.Compare(a.Labels.Key(), b.Labels.Key()) })
	return list, stats, err
}

// Labels lists the names of labels on all servers that are there.
func (l lines) Labels(ctx context.Context, req store.Request) (list []string, err error) {
	parts, _, err := l.gathered(ctx, askLabels, req, nil, func() (s store.Stats, err error) { list, err = l.Store.Labels(ctx, req); return s, err })
	return union(list, parts), err
}

// Values lists the values of a label on all servers that are there.
func (l lines) Values(ctx context.Context, req store.Request, label string) (list []string, err error) {
	parts, _, err := l.gathered(ctx, askValues, req, func(c *lineCall) { c.Names = []string{label} },
		func() (s store.Stats, err error) { list, err = l.Store.Values(ctx, req, label); return s, err })
	return union(list, parts), err
}

func union(list []string, parts []lineAnswer) []string {
	for _, part := range parts {
		list = append(list, part.Texts...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Around finds a line and its neighbours: the stream of a line is on the server that has
// the line, and on others too if its sender's requests went there.
func (l lines) Around(ctx context.Context, team int64, id store.ID, before, after int) (store.Context, error) {
	if c := l.service.Cluster; c == nil || !c.Several() {
		return l.Store.Around(ctx, team, id, before, after)
	}
	at := time.Unix(0, id.Time)
	out := store.Context{Index: -1}
	var line *store.Row
	here := l.Search(ctx, store.Request{Team: team, From: at, To: at.Add(1)})
	for row := range here.All() {
		if row.ID == id {
			line = &row
			break
		}
	}
	if out.Stats = here.Stats(); here.Err() != nil || line == nil {
		return out, here.Err()
	}
	same := ofStream(line.Stream)
	var err error
	var older, newer []store.Row
	if before > 0 {
		if older, out.Stats, err = l.Search(ctx, store.Request{Team: team, Match: same, Newest: true, After: id, Limit: before}).List(); err != nil {
			return out, err
		}
	}
	if after > 0 {
		if newer, _, err = l.Search(ctx, store.Request{Team: team, Match: same, After: id, Limit: after}).List(); err != nil {
			return out, err
		}
	}
	slices.Reverse(older)
	out.Index = len(older)
	out.Rows = append(append(older, *line), newer...)
	return out, nil
}

// Sizes adds up what the servers have of each day.
func (l lines) Sizes(ctx context.Context, team int64, day time.Time) (days []store.DaySize, streams []store.StreamSize, damage []store.Damage, missing []string, err error) {
	parts, stats, err := l.gathered(ctx, askSizes, store.Request{Team: team, From: day, To: day.Add(24 * time.Hour)}, nil, func() (s store.Stats, err error) {
		days, damage = l.Store.Sizes(team), l.Store.Damaged()
		streams, err = l.StreamSizes(ctx, team, day)
		return s, err
	})
	at, stream := map[int64]int{}, map[string]int{}
	for i, d := range days {
		at[d.Day.Unix()] = i
	}
	for i := range streams {
		stream[streams[i].Labels.Key()] = i
	}
	for _, part := range parts {
		damage = append(damage, part.Damage...)
		for _, d := range part.Days {
			if i, known := at[d.Day.Unix()]; known {
				days[i].Lines, days[i].Raw, days[i].Disk, days[i].Segments = days[i].Lines+d.Lines, days[i].Raw+d.Raw, days[i].Disk+d.Disk, days[i].Segments+d.Segments
			} else {
				at[d.Day.Unix()], days = len(days), append(days, d)
			}
		}
		for _, s := range part.Sizes {
			if i, known := stream[s.Labels.Key()]; known {
				streams[i].Lines, streams[i].Raw, streams[i].Disk = streams[i].Lines+s.Lines, streams[i].Raw+s.Raw, streams[i].Disk+s.Disk
			} else {
				stream[s.Labels.Key()], streams = len(streams), append(streams, s)
			}
		}
	}
	slices.SortFunc(days, func(a, b store.DaySize) int { return a.Day.Compare(b.Day) })
	slices.SortFunc(streams, func(a, b store.StreamSize) int { return cmp.Compare(b.Raw, a.Raw) })
	return days, streams, damage, stats.Missing, err
}
