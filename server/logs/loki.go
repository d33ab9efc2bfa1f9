package logs

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/logs/query/logql"
	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
)

// The shapes of Loki's query API, from its HTTP documentation and recorded
// answers (grafana.com/docs/loki/latest/reference/loki-http-api).

type lokiAnswer struct {
	Status string   `json:"status"`
	Data   lokiData `json:"data"`
}

type lokiData struct {
	ResultType    string    `json:"resultType"`
	EncodingFlags []string  `json:"encodingFlags,omitempty"`
	Result        any       `json:"result"`
	Stats         lokiStats `json:"stats"`
}

type lokiStats struct {
	Summary lokiSummary `json:"summary"`
}

type lokiSummary struct {
	BytesPerSecond  int64   `json:"bytesProcessedPerSecond"`
	LinesPerSecond  int64   `json:"linesProcessedPerSecond"`
	TotalBytes      int64   `json:"totalBytesProcessed"`
	TotalLines      int64   `json:"totalLinesProcessed"`
	ExecTime        float64 `json:"execTime"`
	TotalEntries    int64   `json:"totalEntriesReturned"`
	QueueTime       float64 `json:"queueTime"`
	Subqueries      int64   `json:"subqueries"`
	TotalPostFilter int64   `json:"totalPostFilterLines"`
}

type lokiStream struct {
	Stream map[string]string `json:"stream"`
	Values []lokiEntry       `json:"values"`
}

// lokiEntry is ["ns","line"], and with meta ["ns","line",{…}].
type lokiEntry struct {
	at   time.Time
	line string
	meta *lokiMeta
}

type lokiMeta struct {
	Structured map[string]string `json:"structuredMetadata,omitempty"`
	Parsed     map[string]string `json:"parsed,omitempty"`
}

// MarshalJSON writes the array.
func (e lokiEntry) MarshalJSON() ([]byte, error) {
	parts := []any{strconv.FormatInt(e.at.UnixNano(), 10), e.line}
	if e.meta != nil {
		parts = append(parts, e.meta)
	}
	return json.Marshal(parts)
}

type lokiSample struct {
	Metric map[string]string `json:"metric"`
	Value  *lokiPoint        `json:"value,omitempty"`
	Values []lokiPoint       `json:"values,omitempty"`
}

// lokiPoint is [seconds,"value"].
type lokiPoint struct {
	at time.Time
	v  float64
}

// MarshalJSON writes the array.
func (p lokiPoint) MarshalJSON() ([]byte, error) {
	value := strconv.FormatFloat(p.v, 'f', -1, 64)
	if math.IsInf(p.v, 0) {
		value = map[bool]string{true: "+Inf", false: "-Inf"}[p.v > 0]
	}
	seconds := strconv.FormatFloat(float64(p.at.UnixMilli())/1000, 'f', -1, 64)
	return []byte("[" + seconds + "," + strconv.Quote(value) + "]"), nil
}

// lokiQuery is one call of query or query_range.
type lokiQuery struct {
	team       int64
	text       string
	start, end time.Time
	step       time.Duration
	limit      int
	forward    bool
	instant    bool
	categorize bool
}

func (s *Service) lokiAsk(ctx context.Context, in lokiQuery) (lokiAnswer, error) {
	e, err := logql.Parse(in.text)
	if err != nil {
		return lokiAnswer{}, err
	}
	if e.Metric != nil {
		return s.lokiMetric(ctx, in, e.Metric)
	}
	began := s.Now()
	req := store.Request{Team: in.team, From: in.start, To: in.end, Newest: !in.forward, Limit: in.limit}
	if req.Match, err = s.plan(ctx, req, e.Log); err != nil {
		return lokiAnswer{}, err
	}
	late := len(e.Log.Pipes) > 0
	if late {
		req.Limit = 0 // pipes may leave lines out
	}
	pipes := query.NewStream(e.Log)
	streams := lokiStreams{categorize: in.categorize}
	rows := s.Store.Search(ctx, req)
	n := 0
	for row := range rows.All() {
		if v := pipes.Apply(&row.Record); v != nil {
			streams.add(v)
			if n++; n >= in.limit {
				break
			}
		}
	}
	if err := rows.Err(); err != nil {
		return lokiAnswer{}, err
	}
	data := lokiData{ResultType: "streams", Result: streams.list(), Stats: lokiCost(rows.Stats(), s.Now().Sub(began), n)}
	if in.categorize {
		data.EncodingFlags = []string{"categorize-labels"}
	}
	return lokiAnswer{"success", data}, nil
}

func lokiCost(st store.Stats, took time.Duration, entries int) lokiStats {
	seconds := max(took.Seconds(), 1e-6)
	return lokiStats{lokiSummary{BytesPerSecond: int64(float64(st.Bytes) / seconds), LinesPerSecond: int64(float64(st.Lines) / seconds),
		TotalBytes: st.Bytes, TotalLines: st.Lines, ExecTime: seconds, TotalEntries: int64(entries), Subqueries: 1, TotalPostFilter: st.Matched}}
}

// lokiStreams gathers lines by their labels, in the order of the first line.
type lokiStreams struct {
	categorize bool
	byKey      map[string]*lokiStream
	order      []*lokiStream
}

func (l *lokiStreams) add(v *query.View) {
	labels, structured, parsed := lokiLabels(v)
	entry := lokiEntry{at: v.Time, line: lokiLine(v)}
	if l.categorize {
		entry.meta = &lokiMeta{structured, parsed}
	} else {
		for _, more := range []map[string]string{structured, parsed} {
			for name, value := range more {
				labels[name] = value
			}
		}
	}
	key := record.MakeLabels(labels).Key()
	if l.byKey == nil {
		l.byKey = map[string]*lokiStream{}
	}
	st := l.byKey[key]
	if st == nil {
		st = &lokiStream{Stream: labels}
		l.byKey[key] = st
		l.order = append(l.order, st)
	}
	st.Values = append(st.Values, entry)
}

func (l *lokiStreams) list() []*lokiStream {
	if l.order == nil {
		return []*lokiStream{}
	}
	return l.order
}

// lokiLabels sorts a line's values as Loki does: the stream's labels, what came
// with the line, and what the query's pipes have made.
func lokiLabels(v *query.View) (labels, structured, parsed map[string]string) {
	labels, structured, parsed = map[string]string{}, map[string]string{}, map[string]string{}
	extra := map[string]bool{}
	for _, f := range v.Extra {
		if f.Name != record.NameMessage {
			parsed[f.Name] = f.Value
			extra[f.Name] = true
		}
	}
	for _, l := range v.Stream {
		if value, ok := v.Value(l.Name); ok && !extra[l.Name] {
			labels[l.Name] = value
		}
	}
	for _, f := range v.Fields {
		if value, ok := v.Value(f.Name); ok && !extra[f.Name] {
			structured[lokiName(f.Name)] = value
		}
	}
	if v.Level != record.Unknown {
		structured["detected_level"] = v.Level.String()
	}
	return labels, structured, parsed
}

// lokiName makes a name that LogQL can write.
func lokiName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
			return r
		}
		return '_'
	}, name)
}

// lokiLine is the line as text. A line that came as JSON is kept as its parts;
// what shows it as text is its message.
func lokiLine(v *query.View) string { return v.Line() }

func (s *Service) lokiMetric(ctx context.Context, in lokiQuery, m logql.Metric) (lokiAnswer, error) {
	began := s.Now()
	source := &scanner{service: s, team: in.team}
	span := logql.Span{Start: in.start, End: in.end, Step: in.step}
	if in.instant {
		span = logql.Span{Start: in.end, End: in.end}
	}
	list, err := logql.Eval(ctx, source, m, span)
	if err != nil {
		return lokiAnswer{}, err
	}
	data := lokiData{ResultType: "matrix", Stats: lokiCost(source.stats, s.Now().Sub(began), len(list))}
	samples := make([]lokiSample, 0, len(list))
	for _, series := range list {
		sample := lokiSample{Metric: series.Labels.Map()}
		for i, v := range series.Values {
			if !math.IsNaN(v) {
				sample.Values = append(sample.Values, lokiPoint{span.At(i), v})
			}
		}
		if in.instant {
			sample.Value, sample.Values = &sample.Values[0], nil
		}
		samples = append(samples, sample)
	}
	data.Result = samples
	if in.instant {
		data.ResultType = "vector"
		if number, ok := m.(logql.Number); ok {
			data.ResultType, data.Result = "scalar", lokiPoint{in.end, float64(number)}
		}
	}
	return lokiAnswer{"success", data}, nil
}

// scanner gives a team's lines to the evaluation of metrics.
type scanner struct {
	service *Service
	team    int64
	stats   store.Stats
}

// Scan implements logql.Source.
func (sc *scanner) Scan(ctx context.Context, q *query.Query, columns []string, from, to time.Time, fn func(*record.Record) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	locked := &oneByOne{fn: fn, stop: cancel}
	req := store.Request{Team: sc.team, From: from, To: to}
	plan, err := sc.service.plan(ctx, req, q)
	if err != nil {
		return err
	}
	req.Match = plan
	stats, err := sc.service.Store.Each(ctx, req, columns, func() store.Sink { return locked })
	sc.stats.Lines += stats.Lines
	sc.stats.Bytes += stats.Bytes
	sc.stats.Matched += stats.Matched
	if locked.done {
		return nil
	}
	return err
}

// oneByOne lets one goroutine at a time have a line.
type oneByOne struct {
	mu   sync.Mutex
	fn   func(*record.Record) bool
	stop func()
	done bool
}

// Add implements store.Sink.
func (o *oneByOne) Add(r *record.Record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.done && !o.fn(r) {
		o.done = true
		o.stop()
	}
}

// lokiStreamList is the answer to /series: each label set once.
func lokiStreamList(list []store.Series) []map[string]string {
	out := make([]map[string]string, 0, len(list))
	for _, s := range list {
		out = append(out, s.Labels.Map())
	}
	return out
}

// lokiTime reads a time as Loki's clients write it: nanoseconds, seconds with
// or without a fraction, or RFC 3339.
func lokiTime(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, false
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if len(strings.TrimPrefix(text, "-")) <= 10 {
			return time.Unix(n, 0), true
		}
		return time.Unix(0, n), true
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(f) && math.Abs(f) < 1e11 {
		whole, part := math.Modf(f)
		return time.Unix(int64(whole), int64(part*1e9)), true
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	return t, err == nil
}

// lokiStep reads a step: seconds or a duration.
func lokiStep(text string) (time.Duration, bool) {
	if f, err := strconv.ParseFloat(text, 64); err == nil && f > 0 && f < 1e9 {
		return time.Duration(f * float64(time.Second)), true
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d > 0
}

// defaultStep is Loki's: a 250th of the range, a second at least.
func defaultStep(start, end time.Time) time.Duration {
	return max(end.Sub(start)/250, time.Second).Truncate(time.Second)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
