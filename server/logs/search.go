package logs

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

var (
	reading = identity.Scope{Capability: "logs", Level: identity.Read}
	writing = identity.Scope{Capability: "logs", Level: identity.Write}
)

// Search is a question of our own API.
type Search struct {
	Team  string    `json:"team" form:"team"`
	Query string    `json:"query" form:"query"`
	From  time.Time `json:"from" form:"from"`
	To    time.Time `json:"to" form:"to"`
	// Limit is how many lines are wanted, 200 if 0.
	Limit int `json:"limit,omitempty" form:"limit"`
	// Oldest asks for the oldest lines first.
	Oldest bool `json:"oldest,omitempty" form:"oldest"`
	// After is the id of a line; only what follows it in the order is answered.
	After string `json:"after,omitempty" form:"after"`
}

const (
	defaultLines = 200
	maxLines     = 5000
	maxColumns   = 200
)

// question is a search made ready.
type question struct {
	store.Request
	query *query.Query
}

// ask checks who asks for what. An error in the query's text becomes a problem
// that points at its characters.
func (s *Service) ask(ctx context.Context, in Search) (question, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return question{}, err
	}
	q, err := query.Parse(in.Query)
	if err != nil {
		return question{}, misread(err)
	}
	if in.To.IsZero() {
		in.To = s.Now().Add(time.Second)
	}
	if in.From.IsZero() {
		in.From = in.To.Add(-time.Hour)
	}
	if !in.From.Before(in.To) {
		return question{}, problem.FieldError("from", "must lie before to")
	}
	req := store.Request{Team: team.ID, From: in.From, To: in.To, Newest: !in.Oldest, Limit: in.Limit}
	if req.Match, err = s.plan(ctx, req, q); err != nil {
		return question{}, err
	}
	if req.Limit <= 0 {
		req.Limit = defaultLines
	}
	req.Limit = min(req.Limit, maxLines)
	if in.After != "" {
		if req.After, err = store.ParseID(in.After); err != nil {
			return question{}, problem.FieldError("after", "is no id of a line; take the id from an answer")
		}
	}
	return question{req, q}, nil
}

// plan makes a query ready for the streams that a request asks for.
func (s *Service) plan(ctx context.Context, req store.Request, q *query.Query) (*query.Plan, error) {
	if q.Filter == nil {
		return query.NewPlan(q, nil), nil
	}
	req.Match = nil
	// Of this server alone: each server that is asked makes a plan of its own.
	names, err := s.Store.Store.Labels(ctx, req)
	return planOver(q, names), err
}

// planOver is the plan of a query over lines that have those labels.
func planOver(q *query.Query, labels []string) *query.Plan {
	return query.NewPlan(q, func(name string) bool { return slices.Contains(labels, name) })
}

// misread words an error of a query; where it is stands in the field's reason
// as from-to in characters.
func misread(err error) error {
	var e *query.Error
	if !errors.As(err, &e) {
		return err
	}
	return &problem.Error{Kind: problem.Invalid, Detail: e.Message, Fields: []problem.Field{{Field: "query", Message: strconv.Itoa(e.Pos) + "-" + strconv.Itoa(e.End)}}}
}

// Line is a record as our own API shows it.
type Line struct {
	ID      string            `json:"id"`
	Time    time.Time         `json:"time"`
	Level   string            `json:"level"`
	Message string            `json:"message"`
	Labels  map[string]string `json:"labels"`
	Fields  []LineField       `json:"fields"`
}

// LineField is a named value of a line.
type LineField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	// Kind is string, number, bool or json.
	Kind string `json:"kind"`
}

var kindNames = map[record.Kind]string{record.String: "string", record.Number: "number", record.Bool: "bool", record.JSON: "json"}

// Found is the answer to a Search: lines, or a table if the query's pipes make
// one.
type Found struct {
	Lines   []Line     `json:"lines"`
	Columns []string   `json:"columns,omitempty"`
	Rows    [][]string `json:"rows,omitempty"`
	Stats   Cost       `json:"stats"`
	// Cut says in a sentence why this is not the whole; "" if it is.
	Cut string `json:"cut,omitempty"`
}

// Cost is what a search has looked at.
type Cost struct {
	Lines    int64  `json:"lines"`
	Matched  int64  `json:"matched"`
	Bytes    int64  `json:"bytes"`
	Segments int    `json:"segments"`
	TookMS   int64  `json:"took_ms"`
	Partial  string `json:"partial,omitempty"`
}

// partialWords say why a store's answer is not the whole.
var partialWords = map[store.Partial]string{
	store.PartialTime:   "The search took too long and was ended; choose a shorter time or more precise words.",
	store.PartialBytes:  "The search would have read too much and was ended; choose a shorter time or more precise words.",
	store.PartialMemory: "The search would have needed too much memory and was ended.",
	store.PartialDamage: "A damaged part of the store was left out; the Ingest page names it.",
	store.PartialCancel: "The search was given up.",
	store.PartialValues: "There are more distinct values than are counted.",
	store.PartialServer: "Lines that lie on a server which is not there are missing.",
	store.PartialStream: "There are more streams than are listed.",
}

func cost(st store.Stats) Cost {
	c := Cost{Lines: st.Lines, Matched: st.Matched, Bytes: st.Bytes, Segments: st.Segments, TookMS: st.Took.Milliseconds(), Partial: partialWords[st.Partial]}
	if len(st.Missing) > 0 {
		c.Partial = strings.Join(st.Missing, " ")
	}
	return c
}

// Find answers a search.
func (s *Service) Find(ctx context.Context, in Search) (Found, error) {
	q, err := s.ask(ctx, in)
	if err != nil {
		return Found{}, err
	}
	if len(q.query.Pipes) == 0 {
		rows, stats, err := s.Store.Search(ctx, q.Request).List()
		found := Found{Lines: make([]Line, 0, len(rows)), Stats: cost(stats)}
		for i := range rows {
			found.Lines = append(found.Lines, lineOf(&rows[i]))
		}
		return found, err
	}
	if q.query.Aggregates() {
		return s.aggregate(ctx, q)
	}
	return s.piped(ctx, q)
}

// aggregate runs pipes that need all lines in no order, on all cores.
func (s *Service) aggregate(ctx context.Context, q question) (Found, error) {
	run := query.NewRun(q.query, query.DefaultLimits())
	q.Limit = 0
	lines := &oneByOne{fn: func(r *record.Record) bool { run.Add(r); return true }}
	stats, err := s.Store.Each(ctx, q.Request, q.query.Needs(), func() store.Sink { return lines })
	if err != nil {
		return Found{}, err
	}
	return tableOf(run.Result(), stats), nil
}

// piped runs pipes that take lines in their order.
func (s *Service) piped(ctx context.Context, q question) (Found, error) {
	limits := query.DefaultLimits()
	limits.Rows = q.Limit
	run := query.NewRun(q.query, limits)
	q.Limit = 0
	rows := s.Store.Search(ctx, q.Request)
	ids := map[*record.Record]store.ID{}
	for row := range rows.All() {
		r := &row.Record
		ids[r] = row.ID
		if !run.Add(r) {
			break
		}
	}
	if err := rows.Err(); err != nil {
		return Found{}, err
	}
	result := run.Result()
	if result.Columns != nil {
		return tableOf(result, rows.Stats()), nil
	}
	found := Found{Lines: []Line{}, Stats: cost(rows.Stats()), Cut: result.Cut}
	for _, v := range result.Rows {
		found.Lines = append(found.Lines, lineOf(&store.Row{ID: ids[v.Record], Record: *v.Record}))
	}
	return found, nil
}

func tableOf(result query.Result, stats store.Stats) Found {
	found := Found{Lines: []Line{}, Columns: result.Columns[:min(len(result.Columns), maxColumns)], Rows: [][]string{}, Stats: cost(stats), Cut: result.Cut}
	for _, v := range result.Rows {
		row := make([]string, len(found.Columns))
		for i, name := range found.Columns {
			row[i], _ = v.Value(name)
		}
		found.Rows = append(found.Rows, row)
	}
	return found
}

func lineOf(r *store.Row) Line {
	line := Line{ID: r.ID.String(), Time: r.Time.UTC(), Level: r.Level.String(), Message: r.Message, Labels: r.Stream.Map(), Fields: make([]LineField, 0, len(r.Fields))}
	for _, f := range r.Fields {
		line.Fields = append(line.Fields, LineField{f.Name, f.Value, kindNames[f.Kind]})
	}
	return line
}

// Bar is one step of a histogram: lines by level.
type Bar struct {
	Start  time.Time        `json:"start"`
	Counts map[string]int64 `json:"counts"`
}

// Histogram is how many lines there are over time.
type Histogram struct {
	StepMS int64 `json:"step_ms"`
	Bars   []Bar `json:"bars"`
	Total  int64 `json:"total"`
	Stats  Cost  `json:"stats"`
}

// steps of histograms, so that bars begin at round times.
var steps = []time.Duration{
	time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
}

func stepFor(span time.Duration, bars int) time.Duration {
	for _, step := range steps {
		if span/step <= time.Duration(bars) {
			return step
		}
	}
	return span.Truncate(24*time.Hour)/time.Duration(bars) + 24*time.Hour
}

// Count answers how many lines meet the query's condition, over time.
func (s *Service) Count(ctx context.Context, in Search, bars int) (Histogram, error) {
	q, err := s.ask(ctx, in)
	if err != nil {
		return Histogram{}, err
	}
	if bars <= 0 || bars > 300 {
		bars = 100
	}
	step := stepFor(q.To.Sub(q.From), bars)
	buckets, stats, err := s.Store.Histogram(ctx, q.Request, step)
	h := Histogram{StepMS: step.Milliseconds(), Bars: make([]Bar, 0, len(buckets)), Stats: cost(stats)}
	for _, b := range buckets {
		bar := Bar{Start: b.Start.UTC(), Counts: map[string]int64{}}
		for level, n := range b.Counts {
			if n > 0 {
				bar.Counts[record.Level(level).String()] = n
			}
		}
		h.Total += b.Total()
		h.Bars = append(h.Bars, bar)
	}
	return h, err
}

// Names are the labels and fields that lines of the range have, most frequent
// first.
func (s *Service) Names(ctx context.Context, in Search) ([]store.FieldInfo, Cost, error) {
	q, err := s.ask(ctx, in)
	if err != nil {
		return nil, Cost{}, err
	}
	fields, stats, err := s.Store.Fields(ctx, q.Request)
	slices.SortStableFunc(fields, func(a, b store.FieldInfo) int { return int(min(max(b.Lines-a.Lines, -1), 1)) })
	return fields, cost(stats), err
}

// Facet is a name's most frequent values, with figures if they are numbers.
type Facet struct {
	store.Facet
	Numbers *Numbers `json:"numbers,omitempty"`
}

// Numbers describe the values of a field that holds numbers.
type Numbers struct {
	Min float64 `json:"min"`
	Max float64 `json:"max"`
	Avg float64 `json:"avg"`
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
}

// Values counts the values of names.
func (s *Service) Values(ctx context.Context, in Search, names []string, top int) ([]store.Facet, Cost, error) {
	q, err := s.ask(ctx, in)
	if err != nil {
		return nil, Cost{}, err
	}
	if len(names) == 0 || len(names) > 20 {
		return nil, Cost{}, problem.FieldError("names", "give 1 to 20 names of labels or fields")
	}
	if top <= 0 || top > 100 {
		top = 10
	}
	facets, stats, err := s.Store.Facets(ctx, q.Request, names, top)
	for i := range facets {
		if facets[i].Values == nil {
			facets[i].Values = []store.Count{}
		}
	}
	return facets, cost(stats), err
}

// FieldStats are figures of one name's values in the lines of a search.
func (s *Service) FieldStats(ctx context.Context, in Search, name string) (Facet, Cost, error) {
	facets, c, err := s.Values(ctx, in, []string{name}, 10)
	if err != nil || len(facets) == 0 {
		return Facet{}, c, err
	}
	f := Facet{Facet: facets[0]}
	q, err := s.ask(ctx, in)
	if err != nil {
		return f, c, err
	}
	calls := []query.Call{{Func: "count"}, {Func: "min", Field: name}, {Func: "max", Field: name}, {Func: "avg", Field: name}, {Func: "quantile", Quantile: 0.5, Field: name}, {Func: "quantile", Quantile: 0.95, Field: name}}
	for i := range calls {
		calls[i].Name = strconv.Itoa(i)
	}
	q.query = &query.Query{Filter: q.query.Filter, Pipes: []query.Pipe{query.Stats{Calls: calls}}}
	table, err := s.aggregate(ctx, q)
	if err != nil || len(table.Rows) == 0 || table.Rows[0][1] == "" {
		return f, c, err
	}
	var x [6]float64
	for i := range x {
		if x[i], err = strconv.ParseFloat(table.Rows[0][i], 64); err != nil || math.IsNaN(x[i]) {
			return f, c, nil
		}
	}
	f.Numbers = &Numbers{Min: x[1], Max: x[2], Avg: x[3], P50: x[4], P95: x[5]}
	return f, c, nil
}

// Context are the lines of the same stream around one.
type Context struct {
	Lines []Line `json:"lines"`
	// Index is the line's own place in Lines; -1 if it is gone.
	Index int `json:"index"`
}

// Around gives the lines before and after one, of the same stream.
func (s *Service) Around(ctx context.Context, team, id string, before, after int) (Context, error) {
	t, err := identity.RequireTeam(ctx, team, reading)
	if err != nil {
		return Context{}, err
	}
	line, err := store.ParseID(id)
	if err != nil {
		return Context{}, problem.FieldError("id", "is no id of a line; take the id from an answer")
	}
	found, err := s.Store.Around(ctx, t.ID, line, min(max(before, 0), 500), min(max(after, 0), 500))
	if err != nil {
		return Context{}, err
	}
	out := Context{Lines: make([]Line, 0, len(found.Rows)), Index: found.Index}
	for i := range found.Rows {
		out.Lines = append(out.Lines, lineOf(&found.Rows[i]))
	}
	return out, nil
}
