package record

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// The common names, in the order they are believed. Compared without case.
var (
	timeNames    = []string{"@timestamp", "timestamp", "_time", "time", "ts", "datetime", "date", "eventtime", "asctime", "t"}
	levelNamesIn = []string{"level", "severity", "log.level", "loglevel", "log_level", "lvl", "severity_text", "severitytext", "levelname", "level_name", "detected_level"}
	messageNames = []string{"message", "msg", "_msg", "log", "body", "text", "short_message", "event.original"}
	traceNames   = []string{"trace_id", "traceid", "trace.id", "trace-id", "x-trace-id", "dd.trace_id", "otel.trace_id", "oteltraceid", "logging.googleapis.com/trace"}
	spanNames    = []string{"span_id", "spanid", "span.id", "span-id", "dd.span_id", "otelspanid"}
)

// The fields other pages link by.
const (
	TraceID = "trace_id"
	SpanID  = "span_id"
)

// Normalise finds level, time, message and trace id among a line's fields by their
// common names and puts them where they belong. A part that is already set stays;
// the field is then kept as it is. What cannot be understood stays a field, so that nothing is lost.
// A line without any time gets received.
func Normalise(r *Record, received time.Time) {
	r.Fields = SortFields(r.Fields)
	if len(r.Fields) > 0 {
		var found known
		found.look(r.Fields)
		found.apply(r)
	}
	if r.Time.IsZero() {
		r.Time = received
	}
	if r.Level == Unknown {
		if level, ok := ParseLevel(r.Stream.Get(NameLevel)); ok {
			r.Level = level
		} else {
			r.Level = DetectLevel(r.Message)
		}
	}
}

// Expand replaces a message that is itself a JSON object by what is in it: its fields join
// the line's, and Normalise then finds the inner message. A level in it counts more than that
// of what carried it: to the journal all that a program prints is one level. Lines of other
// shapes stay as they are.
func Expand(r *Record, limits Limits) bool {
	text := strings.TrimSpace(r.Message)
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return false
	}
	fields, err := AppendFlat(r.Fields[:len(r.Fields):len(r.Fields)], "", text, limits)
	if err != nil {
		return false
	}
	var outer, inner known
	outer.look(r.Fields)
	inner.look(fields)
	r.Message, r.Fields = "", SortFields(fields)
	if outer.level.rank == 0 && inner.level.rank > 0 {
		f, _ := r.Field(inner.level.field)
		if level, ok := ParseLevel(f.Value); ok {
			r.Level = level
			r.Remove(f.Name)
		}
	}
	return true
}

// known says at which field each part was found and how early its name stands in the list.
type known struct{ time, level, message, trace, span place }

type place struct {
	field string
	rank  int // 1 is the best; 0 is not found
}

func (k *known) look(fields []Field) {
	for i := range fields {
		switch name := fields[i].Name; {
		case len(name) > 28:
		default:
			k.see(name, Fold(name))
		}
	}
}

func (k *known) see(name, folded string) {
	// Most names are none of these: one look at a table spares fifty comparisons.
	where, ok := knownNames[folded]
	if !ok {
		return
	}
	var p *place
	switch where.part {
	case partTime:
		p = &k.time
	case partLevel:
		p = &k.level
	case partMessage:
		p = &k.message
	case partTrace:
		p = &k.trace
	default:
		p = &k.span
	}
	if p.rank == 0 || where.rank < p.rank {
		*p = place{name, where.rank}
	}
}

type partKind uint8

const (
	partTime partKind = iota
	partLevel
	partMessage
	partTrace
	partSpan
)

type knownName struct {
	part partKind
	rank int
}

var knownNames = func() map[string]knownName {
	m := map[string]knownName{}
	for part, names := range [][]string{timeNames, levelNamesIn, messageNames, traceNames, spanNames} {
		for i, name := range names {
			m[name] = knownName{partKind(part), i + 1}
		}
	}
	return m
}()

func (k *known) apply(r *Record) {
	if k.message.rank > 0 && r.Message == "" {
		if f, ok := r.Field(k.message.field); ok && f.Kind != JSON {
			r.Message = f.Value
			r.Remove(f.Name)
		}
	}
	if k.level.rank > 0 && r.Level == Unknown {
		f, _ := r.Field(k.level.field)
		if level, ok := ParseLevel(f.Value); ok {
			r.Level = level
			r.Remove(f.Name)
		}
	}
	if k.time.rank > 0 && r.Time.IsZero() {
		f, _ := r.Field(k.time.field)
		if t, ok := ParseTime(f.Value); ok {
			r.Time = t
			r.Remove(f.Name)
		}
	}
	rename(r, k.trace, TraceID)
	rename(r, k.span, SpanID)
}

func rename(r *Record, p place, to string) {
	if p.rank == 0 || p.field == to {
		return
	}
	if f, ok := r.Remove(p.field); ok {
		f.Name = to
		f.Kind = String
		r.Set(f)
	}
}

// layouts are tried in order after RFC 3339; Go accepts a fraction of seconds behind any of them, with dot or comma.
var layouts = []string{
	"2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05",
	"2006/01/02 15:04:05", "02/Jan/2006:15:04:05 -0700", time.RFC1123Z, time.RFC1123, time.ANSIC, time.UnixDate, "20060102T150405Z", "2006-01-02",
}

// ParseTime understands the times that programs write: RFC 3339 and its relatives (a time
// without zone is UTC), and epochs in seconds, milli-, micro- or nanoseconds, told apart by their size.
func ParseTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 64 {
		return time.Time{}, false
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return inRange(t)
	}
	if t, ok := parseEpoch(s); ok {
		return inRange(t)
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return inRange(t.UTC())
		}
	}
	return time.Time{}, false
}

func parseEpoch(s string) (time.Time, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return Epoch(n)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || f < 1e8 || f > 1e19 {
		return time.Time{}, false
	}
	if f < 1e11 { // seconds with a fraction: microseconds are what a float can carry
		return time.UnixMicro(int64(math.Round(f * 1e6))).UTC(), true
	}
	return Epoch(int64(f))
}

// Epoch reads a count since 1970 whose unit its size tells; counts before 1973 are no times.
func Epoch(n int64) (time.Time, bool) {
	switch {
	case n < 1e8:
		return time.Time{}, false
	case n < 1e11:
		return time.Unix(n, 0).UTC(), true
	case n < 1e14:
		return time.UnixMilli(n).UTC(), true
	case n < 1e17:
		return time.UnixMicro(n).UTC(), true
	}
	return time.Unix(0, n).UTC(), true
}

// inRange refuses times that nanoseconds since 1970 cannot hold.
func inRange(t time.Time) (time.Time, bool) {
	if year := t.Year(); year < 1971 || year > 2261 {
		return time.Time{}, false
	}
	return t, true
}

// NearestYear gives a time without a year the one that brings it closest to now.
func NearestYear(t, now time.Time) time.Time {
	best := time.Time{}
	for year := now.Year() - 1; year <= now.Year()+1; year++ {
		candidate := time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, t.Location())
		if best.IsZero() || candidate.Sub(now).Abs() < best.Sub(now).Abs() {
			best = candidate
		}
	}
	return best
}
