package logs

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	// previewPoints is how many points a preview's chart has at most.
	previewPoints = 300
	// shownPreview is how many firings are listed; all are counted.
	shownPreview = 50
	// previewGroups is how many groups a preview tells apart.
	previewGroups = 100
	// previewTables bounds the steps times groups of figures that are no counts.
	previewTables = 8000
)

// AlertPreview is what an alert would have done.
type AlertPreview struct {
	Sentence string `json:"sentence"`
	// StepMS is how far the points lie apart.
	StepMS int64 `json:"step_ms"`
	// Points are the value over time, the worst of each step and of all groups; for new
	// patterns how many there were.
	Points []previewPoint `json:"points"`
	// Firings are the newest ones.
	Firings []previewFiring `json:"firings"`
	Count   int64           `json:"count"`
	// LastDay is how many of Count lie within the last 24 hours.
	LastDay int64 `json:"last_day"`
	// Note says in what this is not exact, "" when it is.
	Note string `json:"note"`
}

type previewPoint struct {
	At    api.Millis `json:"at"`
	Value *float64   `json:"value"`
}

type previewFiring struct {
	Subject string     `json:"subject"`
	At      api.Millis `json:"at"`
	// EndedAt is absent for one that lasts.
	EndedAt api.Millis `json:"ended_at,omitzero"`
	Value   *float64   `json:"value"`
	Why     string     `json:"why"`
}

// PreviewAlert says what an alert would have done within the last day or seven, from
// the lines that are there.
func (s *Service) PreviewAlert(ctx context.Context, a Alert, days int) (AlertPreview, error) {
	out := AlertPreview{Points: []previewPoint{}, Firings: []previewFiring{}}
	if days = cmp.Or(days, 1); days != 1 && days != 7 {
		return out, problem.FieldError("days", "must be 1 or 7")
	}
	if err := a.Condition.check(); err != nil {
		return out, err
	}
	names, err := s.channelNames(ctx, a.Team)
	if err != nil {
		return out, err
	}
	out.Sentence = a.sentence(names.of)
	to := s.Now().Truncate(time.Minute)
	if !a.Condition.fewness() { // of a minute that has just begun only the lines that are there say anything
		to = s.Now().Add(time.Minute - 1).Truncate(time.Minute)
	}
	p := &previewer{service: s, alert: a, out: &out, from: to.Add(-time.Duration(days) * 24 * time.Hour), to: to}
	look := p.lookFigures
	switch {
	case a.Condition.Kind == WhenPattern:
		look = p.lookPatterns
	case a.Condition.Kind == WhenRatio:
		look = p.lookRatio
	case a.Condition.Kind == WhenAbsent || a.Condition.Figure == "count()":
		look = p.lookCounts
	}
	if err := look(ctx); err != nil {
		return out, err
	}
	p.finish()
	return out, nil
}

// previewer lets an alert run through the past.
type previewer struct {
	service  *Service
	alert    Alert
	out      *AlertPreview
	from, to time.Time
	states   []stateRow
	all      []previewFiring
	// open is where in all the firing of a subject is.
	open map[string]int
}

// at is a look at an instant of the past.
func (p *previewer) at(now time.Time, seen []observed) {
	if p.open == nil {
		p.open = map[string]int{}
		p.out.StepMS = p.step().Milliseconds()
	}
	t := p.alert.turn(p.states, seen, 0, now)
	for _, b := range t.began {
		p.open[b.Subject] = len(p.all)
		p.all = append(p.all, previewFiring{Subject: b.Subject, At: api.Millis(now.UnixMilli()), Value: b.Value, Why: p.alert.Condition.why(b.observed)})
	}
	for _, st := range t.ended {
		p.all[p.open[st.Subject]].EndedAt = api.Millis(now.UnixMilli())
	}
	p.states = t.apply(p.states)
	p.point(now, p.alert.Condition.worst(seen))
}

// apply gives the states after a turn.
func (t turn) apply(states []stateRow) []stateRow {
	after := map[string]stateRow{}
	for _, list := range [][]stateRow{states, t.save} {
		for _, st := range list {
			after[st.Subject] = st
		}
	}
	for _, b := range t.began {
		after[b.Subject] = b.stateRow
	}
	for _, subject := range t.drop {
		delete(after, subject)
	}
	return slices.SortedFunc(maps.Values(after), func(a, b stateRow) int { return strings.Compare(a.Subject, b.Subject) })
}

// step is how far points lie apart: no nearer than the looks.
func (p *previewer) step() time.Duration {
	return (p.to.Sub(p.from)/previewPoints + time.Minute - 1).Truncate(time.Minute)
}

func (p *previewer) point(now time.Time, value *float64) {
	// The look at the end of a step belongs to it.
	at := api.Millis(p.from.Add(now.Sub(p.from) - 1).Truncate(p.step()).UnixMilli())
	list := p.out.Points
	if n := len(list); n > 0 && list[n-1].At == at {
		if list[n-1].Value != nil && value != nil {
			worse := p.alert.Condition.worse(*list[n-1].Value, *value)
			value = &worse
		}
		list[n-1].Value = cmp.Or(value, list[n-1].Value)
		return
	}
	p.out.Points = append(list, previewPoint{at, value})
}

func (p *previewer) note(text string) {
	if p.out.Note == "" {
		p.out.Note = text
	}
}

func (p *previewer) finish() {
	slices.SortStableFunc(p.all, func(a, b previewFiring) int { return cmp.Compare(b.At, a.At) })
	p.out.Count = int64(len(p.all))
	for _, f := range p.all {
		if int64(f.At) >= p.to.Add(-24*time.Hour).UnixMilli() {
			p.out.LastDay++
		}
	}
	p.out.Firings = append(p.out.Firings, p.all[:min(len(p.all), shownPreview)]...)
}

// first is from where lines are needed: a window before the first look.
func (p *previewer) first() time.Time { return p.from.Add(-p.alert.Condition.window()) }

// minutes counts the lines of a query by minute from first on.
func (p *previewer) minutes(ctx context.Context, text string) ([]int64, error) {
	_, req, err := p.service.lookFor(ctx, p.alert.Team, text, p.first(), p.to)
	if err != nil {
		return nil, err
	}
	slots := make([]int64, p.to.Sub(p.first())/time.Minute)
	// The store bounds how many steps a histogram has: a long one comes in parts.
	for at := 0; at < len(slots); at += previewPart {
		part := req
		part.From = p.first().Add(time.Duration(at) * time.Minute)
		if end := part.From.Add(previewPart * time.Minute); end.Before(p.to) {
			part.To = end
		}
		buckets, stats, err := p.service.Store.Histogram(ctx, part, time.Minute)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		p.note(partialWords[stats.Partial])
		for i, b := range buckets[:min(len(buckets), len(slots)-at)] {
			slots[at+i] = b.Total()
		}
	}
	return slots, nil
}

const previewPart = 10_000

// rolling calls look with the index of the last minute of each window.
func (p *previewer) rolling(look func(now time.Time, from, to int)) {
	window, every := int(p.alert.Condition.Minutes), int(p.alert.Condition.every()/time.Minute)
	for end := window; end <= int(p.to.Sub(p.first())/time.Minute); end += every {
		look(p.first().Add(time.Duration(end)*time.Minute), end-window, end)
	}
}

// sums makes the sum of any stretch cheap.
func sums(slots []int64) []int64 {
	out := make([]int64, len(slots)+1)
	for i, n := range slots {
		out[i+1] = out[i] + n
	}
	return out
}
