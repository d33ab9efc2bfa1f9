package logs

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/drain"
	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/api"
)

func (p *previewer) lookCounts(ctx context.Context) error {
	groups := map[string][]int64{}
	if p.alert.Condition.By == "" {
		slots, err := p.minutes(ctx, p.alert.Condition.Query)
		if err != nil {
			return err
		}
		groups[""] = sums(slots)
	} else if err := p.groups(ctx, groups); err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(groups))
	p.rolling(func(now time.Time, from, to int) {
		var seen []observed
		for _, name := range names {
			if n := groups[name][to] - groups[name][from]; n > 0 || p.alert.Condition.By == "" {
				seen = append(seen, observed{subject: name, value: float64(n)})
			}
		}
		p.at(now, seen)
	})
	return nil
}

// groups counts lines by minute and group, and leaves the sums of the largest groups.
func (p *previewer) groups(ctx context.Context, out map[string][]int64) error {
	by := p.alert.Condition.By
	_, req, err := p.service.lookFor(ctx, p.alert.Team, p.alert.Condition.Query, p.first(), p.to)
	if err != nil {
		return err
	}
	n, first := int(p.to.Sub(p.first())/time.Minute), p.first()
	lines := &oneByOne{fn: func(r *record.Record) bool {
		value, ok := (&query.View{Record: r}).Value(by)
		if !ok && by == query.Level {
			value = record.Unknown.String()
		}
		value = value[:min(len(value), maxSubject)]
		slots := out[value] // most values are as they are kept
		if slots == nil {
			value = subjectOf(strings.Clone(value))
			slots = out[value]
		}
		if slots == nil {
			if len(out) >= maxSubjects {
				return true
			}
			slots = make([]int64, n)
			out[value] = slots
		}
		if at := int(r.Time.Sub(first) / time.Minute); at >= 0 && at < n {
			slots[at]++
		}
		return true
	}}
	columns := []string{by}
	if by == record.NameMessage {
		columns = []string{store.ColumnMessage}
	}
	stats, err := p.service.Store.Each(ctx, req, columns, func() store.Sink { return lines })
	if err != nil {
		return cmp.Or(ctx.Err(), err)
	}
	p.note(partialWords[stats.Partial])
	totals := map[string]int64{}
	for name, slots := range out {
		out[name] = sums(slots)
		totals[name] = out[name][n]
	}
	names := slices.SortedFunc(maps.Keys(out), func(a, b string) int { return cmp.Or(cmp.Compare(totals[b], totals[a]), strings.Compare(a, b)) })
	for _, name := range names[min(len(names), previewGroups):] {
		delete(out, name)
		p.note("Only the " + strconv.Itoa(previewGroups) + " largest groups are shown.")
	}
	return nil
}

func (p *previewer) lookRatio(ctx context.Context) error {
	var counts [2][]int64
	for i, text := range []string{p.alert.Condition.Query, p.alert.Condition.Over} {
		slots, err := p.minutes(ctx, text)
		if err != nil {
			return err
		}
		counts[i] = sums(slots)
	}
	p.rolling(func(now time.Time, from, to int) {
		p.at(now, p.alert.Condition.ratio(counts[0][to]-counts[0][from], counts[1][to]-counts[1][from]))
	})
	return nil
}

// lookFigures looks at the ends of whole windows: a quantile of overlapping ones is
// not made of parts.
func (p *previewer) lookFigures(ctx context.Context) error {
	c := p.alert.Condition
	st, err := c.stats()
	if err != nil {
		return err
	}
	step := max(c.window(), (p.to.Sub(p.from) / 2000).Truncate(time.Minute))
	st.By = append([]query.By{{Field: record.NameTime, Step: step}}, st.By...)
	q, req, err := p.service.lookFor(ctx, p.alert.Team, c.Query, p.from, p.to)
	if err != nil {
		return err
	}
	q.Pipes = []query.Pipe{st}
	run := query.NewRun(q, query.Limits{Rows: previewTables, Groups: previewTables})
	lines := &oneByOne{fn: func(r *record.Record) bool { run.Add(r); return true }}
	stats, err := p.service.Store.Each(ctx, req, q.Needs(), func() store.Sink { return lines })
	if err != nil {
		return cmp.Or(ctx.Err(), err)
	}
	result := run.Result()
	p.note(cmp.Or(partialWords[stats.Partial], result.Cut))
	seen := map[string][]observed{}
	for _, v := range result.Rows {
		at, _ := v.Value(record.NameTime)
		o := observed{}
		if c.By != "" {
			o.subject, _ = v.Value(c.By)
			o.subject = subjectOf(o.subject)
		}
		text, _ := v.Value(st.Calls[0].Name)
		var ok bool
		if o.value, ok = figureOf(text); ok {
			seen[at] = append(seen[at], o)
		}
	}
	for at := p.from.Truncate(step); at.Before(p.to); at = at.Add(step) {
		list := seen[at.UTC().Format(time.RFC3339)]
		slices.SortFunc(list, func(a, b observed) int { return strings.Compare(a.subject, b.subject) })
		p.at(at.Add(step), list)
	}
	p.note("Windows are looked at one behind the other here, while the alert looks each minute.")
	return nil
}

// lookPatterns finds kinds of messages that the days before did not have.
func (p *previewer) lookPatterns(ctx context.Context) error {
	c := p.alert.Condition
	type sight struct {
		at     time.Time
		sample string
	}
	tree, first := drain.New(maxKinds), map[*drain.Pattern]sight{}
	stats, err := p.service.eachLine(ctx, p.alert, p.from.Add(-time.Duration(c.Days)*24*time.Hour), p.to, func(r *record.Record) {
		if k := tree.Add(r.Message); k != nil && (first[k].at.IsZero() || r.Time.Before(first[k].at)) {
			first[k] = sight{at: r.Time}
		}
	})
	if err != nil {
		return err
	}
	p.note(partialWords[stats.Partial])
	if tree.Full() {
		p.note("There are more kinds of messages than can be told apart; narrow the search.")
	}
	byMinute := map[int64][]observed{}
	for _, k := range tree.Patterns() {
		if at := first[k].at; !at.Before(p.from) {
			minute := at.Truncate(time.Minute).Add(time.Minute).Unix()
			byMinute[minute] = append(byMinute[minute], observed{subject: subjectOf(k.Text), value: float64(k.Count)})
		}
	}
	for now := p.from.Add(time.Minute); !now.After(p.to); now = now.Add(time.Minute) {
		list := byMinute[now.Unix()]
		p.at(now, list)
		p.out.Points[len(p.out.Points)-1].Value = p.count(now, len(list))
	}
	return nil
}

// count adds new patterns up within a point.
func (p *previewer) count(now time.Time, n int) *float64 {
	total := 0.0
	at := p.out.Points[len(p.out.Points)-1].At
	for _, f := range p.all {
		if int64(f.At) > int64(at) && f.At <= api.Millis(now.UnixMilli()) {
			total++
		}
	}
	return &total
}
