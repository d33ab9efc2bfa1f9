package logs

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// observed is what a look at the lines found about one subject: a group's value or
// a pattern, "" for an alert without groups.
type observed struct {
	subject string
	value   float64
	// part and whole are the two counts of a ratio.
	part, whole int64
	// sample is a line of a pattern.
	sample string
}

// alertBudget bounds what one look may cost, so that a heavy alert does not hold
// up the others for long.
var alertBudget = store.Budget{Time: 15 * time.Second}

// measure looks at a team's lines from one instant to before another. A subject
// that is not in the answer has nothing to calculate from.
func (s *Service) measure(ctx context.Context, a Alert, from, to time.Time) ([]observed, error) {
	c := a.Condition
	if c.Kind == WhenRatio {
		return s.measureRatio(ctx, a, from, to)
	}
	st, err := c.stats()
	if err != nil {
		return nil, err
	}
	table, err := s.tableFor(ctx, a.Team, c.Query, st, from, to)
	if err != nil {
		return nil, err
	}
	if len(table.Rows) > maxSubjects {
		return nil, problem.New(problem.Invalid, "%s has more than %d values, too many to watch each; narrow the search, or group by something else.", c.By, maxSubjects)
	}
	out := make([]observed, 0, len(table.Rows))
	for _, row := range table.Rows {
		o := observed{}
		if c.By != "" {
			o.subject = subjectOf(row[0])
		}
		var ok bool
		if o.value, ok = figureOf(row[len(row)-1]); ok {
			out = append(out, o)
		}
	}
	// The worst is named first.
	slices.SortFunc(out, func(a, b observed) int {
		if a.value == b.value {
			return strings.Compare(a.subject, b.subject)
		}
		if c.worse(a.value, b.value) == a.value {
			return -1
		}
		return 1
	})
	return out, nil
}

// maxSubject bounds what is kept of a group's value.
const maxSubject = 300

// subjectOf is a group's value or a pattern as it is kept: PostgreSQL takes neither
// zero bytes nor half characters.
func subjectOf(text string) string {
	return clipText(strings.ReplaceAll(text, "\x00", ""), maxSubject)
}

// figureOf reads a figure; false for that of no numbers, and where they went beyond
// all bounds.
func figureOf(text string) (float64, bool) {
	value, err := strconv.ParseFloat(text, 64)
	return value, err == nil && !math.IsInf(value, 0) && !math.IsNaN(value)
}

func (s *Service) measureRatio(ctx context.Context, a Alert, from, to time.Time) ([]observed, error) {
	counts := [2]int64{}
	for i, text := range []string{a.Condition.Query, a.Condition.Over} {
		table, err := s.tableFor(ctx, a.Team, text, countAll, from, to)
		if err != nil {
			return nil, err
		}
		counts[i], _ = strconv.ParseInt(table.Rows[0][0], 10, 64) // a count is a number
	}
	return a.Condition.ratio(counts[0], counts[1]), nil
}

// countAll is stats count().
var countAll = query.Stats{Calls: []query.Call{{Func: "count", Name: "count"}}}

// ratio is what two counts say; nothing when the whole is too small.
func (c AlertCondition) ratio(part, whole int64) []observed {
	if whole < c.Least || whole == 0 {
		return nil
	}
	return []observed{{value: 100 * float64(part) / float64(whole), part: part, whole: whole}}
}

// tableFor runs a filter's query and one stats behind it. An answer that is not the
// whole is an error: an alert must not fire, or keep silent, for half of the lines.
func (s *Service) tableFor(ctx context.Context, team int64, text string, st query.Stats, from, to time.Time) (Found, error) {
	q, req, err := s.lookFor(ctx, team, text, from, to)
	if err != nil {
		return Found{}, err
	}
	q.Pipes = []query.Pipe{st}
	found, err := s.aggregate(ctx, question{req, q})
	if err == nil {
		err = wholeOnly(ctx, found.Stats.Partial, found.Cut)
	}
	return found, err
}

// lookFor makes a request of an alert's query, whose pipes are conditions too.
func (s *Service) lookFor(ctx context.Context, team int64, text string, from, to time.Time) (*query.Query, store.Request, error) {
	q, err := query.Parse(text)
	if err != nil {
		return nil, store.Request{}, misread(err)
	}
	all := query.And{}
	if q.Filter != nil {
		all = append(all, q.Filter)
	}
	for _, pipe := range q.Pipes {
		if w, ok := pipe.(query.Where); ok && w.Filter != nil {
			all = append(all, w.Filter)
		}
	}
	if q = (&query.Query{}); len(all) > 0 {
		q.Filter = all
	}
	req := store.Request{Team: team, From: from, To: to, Budget: alertBudget}
	req.Match, err = s.plan(ctx, req, q)
	return q, req, err
}

// wholeOnly makes an error of an answer that is not the whole.
func wholeOnly(ctx context.Context, why ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, text := range why {
		if text != "" {
			return problem.New(problem.Unavailable, "%s", text)
		}
	}
	return nil
}

// sampleLines are the newest lines of an alert's query, for its message.
func (s *Service) sampleLines(ctx context.Context, a Alert, subject string, from, to time.Time) []string {
	_, req, err := s.lookFor(ctx, a.Team, a.Condition.narrowed(subject), from, to)
	if err != nil {
		return nil
	}
	req.Limit, req.Newest = sampledLines, true
	found, _, err := s.Store.Search(ctx, req).List()
	if err != nil {
		return nil // the message does without
	}
	out := make([]string, 0, len(found))
	for i := range slices.Backward(found) {
		out = append(out, lineText(&found[i].Record))
	}
	return out
}

const sampledLines = 5

// lineText is a line as messages show it.
func lineText(r *record.Record) string {
	parts := []string{r.Time.UTC().Format("15:04:05.000")}
	if r.Level != record.Unknown {
		parts = append(parts, r.Level.String())
	}
	for _, name := range []string{"service", "host"} {
		if v := r.Stream.Get(name); v != "" {
			parts = append(parts, v)
		}
	}
	return strings.Join(append(parts, r.Message), " ")
}

// narrowed is the query of one subject's lines.
func (c AlertCondition) narrowed(subject string) string {
	if c.By == "" || c.Kind == WhenRatio || c.Kind == WhenPattern {
		return c.Query
	}
	only := fieldText(c.By) + ":" + quoted(subject)
	if subject == "" {
		only = "-" + fieldText(c.By) + ":*"
	}
	switch {
	case c.Query == "":
		return only
	case strings.Contains(c.Query, "|"):
		return c.Query + " | where " + only
	case strings.Contains(strings.ToLower(c.Query), " or "):
		return only + " (" + c.Query + ")"
	}
	return only + " " + c.Query
}
