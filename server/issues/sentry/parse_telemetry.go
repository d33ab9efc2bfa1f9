package sentry

import (
	"math"
	"strings"
	"time"
)

// maxEntries bounds the entries of one log, span or trace_metric item; clients
// send 100 at most.
const maxEntries = 1000

// items calls each for every entry of {"items": […]} (with or without a
// version), of a bare array, or for the object itself when it has no items.
func (r *reader) items(each func()) {
	if r.peek() != '{' {
		r.values(each)
		return
	}
	ahead := *r
	found := false
	ahead.open('{')
	for ahead.key() && !found {
		found = ahead.k == "items"
		ahead.skip()
	}
	if !found {
		each()
		return
	}
	r.open('{')
	for r.key() {
		if r.k == "items" {
			r.values(each)
		} else {
			r.skip()
		}
	}
}

// attributes reads {name: {value, type}}; plain values are taken as well.
func (r *reader) attributes() map[string]any {
	if !r.open('{') {
		return nil
	}
	b := &budget{maxExtraItem}
	m := make(map[string]any)
	for r.key() {
		k := cut(r.k, maxShort)
		if len(m) >= 2*maxPairs || b.left <= 0 {
			r.skip()
			continue
		}
		b.take(len(k))
		if r.peek() != '{' {
			m[k] = r.free(b, maxDepth)
			continue
		}
		r.open('{')
		for r.key() {
			if r.k == "value" {
				m[k] = r.free(b, maxDepth)
			} else {
				r.skip()
			}
		}
	}
	if len(m) == 0 {
		return nil
	}
	return m
}

// ParseLogs reads a log item in both of its versions.
func ParseLogs(raw []byte, received time.Time) ([]LogItem, error) {
	r := &reader{s: string(raw)}
	var out []LogItem
	r.items(func() {
		l := r.logItem()
		if l.Timestamp.IsZero() {
			l.Timestamp = received.UTC()
		}
		if len(out) < maxEntries {
			out = append(out, l)
		}
	})
	return out, r.end()
}

func (r *reader) logItem() LogItem {
	var l LogItem
	r.open('{')
	for r.key() {
		switch r.k {
		case "timestamp":
			l.Timestamp = r.when()
		case "level", "severity_text":
			l.Level = strings.ToLower(r.text(32))
		case "severity_number":
			l.Severity = r.count()
		case "body":
			l.Body = r.text(maxMessage)
		case "trace_id":
			l.TraceID = r.text(64)
		case "span_id":
			l.SpanID = r.text(64)
		case "attributes":
			l.Attributes = r.attributes()
		default:
			r.skip()
		}
	}
	return l
}

// ParseMetrics reads a trace_metric item.
func ParseMetrics(raw []byte, received time.Time) ([]Metric, error) {
	r := &reader{s: string(raw)}
	var out []Metric
	r.items(func() {
		m := r.metric()
		if m.Timestamp.IsZero() {
			m.Timestamp = received.UTC()
		}
		if m.Name != "" && len(out) < maxEntries {
			out = append(out, m)
		}
	})
	return out, r.end()
}

func (r *reader) metric() Metric {
	var m Metric
	r.open('{')
	for r.key() {
		switch r.k {
		case "timestamp":
			m.Timestamp = r.when()
		case "name":
			m.Name = r.short()
		case "type":
			m.Type = r.text(32)
		case "unit":
			m.Unit = r.text(32)
		case "value":
			if v := r.number(); !math.IsNaN(v) && !math.IsInf(v, 0) {
				m.Value = v
			}
		case "trace_id":
			m.TraceID = r.text(64)
		case "span_id":
			m.SpanID = r.text(64)
		case "attributes":
			m.Attributes = r.attributes()
		default:
			r.skip()
		}
	}
	return m
}

// ParseSpans reads a span item: version 2 ({"items":[…]}) or a single span of
// the first version.
func ParseSpans(raw []byte, received time.Time) ([]Span, error) {
	r := &reader{s: string(raw)}
	var out []Span
	r.items(func() {
		s := r.span()
		if s.Start.IsZero() {
			s.Start = received.UTC()
		}
		if s.End.Before(s.Start) {
			s.End = s.Start
		}
		if len(out) < maxEntries {
			out = append(out, s)
		}
	})
	return out, r.end()
}

func (r *reader) spans() []Span {
	var out []Span
	r.values(func() {
		s := r.span()
		if len(out) < maxSpans {
			out = append(out, s)
		} else {
			r.trimmed = true
		}
	})
	return out
}

func (r *reader) span() Span {
	var s Span
	r.open('{')
	for r.key() {
		switch r.k {
		case "trace_id":
			s.TraceID = r.text(64)
		case "span_id":
			s.SpanID = r.text(64)
		case "parent_span_id":
			s.ParentID = r.text(64)
		case "op":
			s.Op = r.short()
		case "name", "description":
			if text := r.text(2048); text != "" {
				s.Name = text
			}
		case "status":
			s.Status = r.text(32)
		case "origin":
			s.Origin = r.short()
		case "start_timestamp":
			s.Start = r.when()
		case "timestamp", "end_timestamp":
			s.End = r.when()
		case "is_segment":
			s.Segment = r.truth()
		case "attributes":
			s.Attributes = r.attributes()
		case "data":
			s.Attributes = r.object(maxContext)
		default:
			r.skip()
		}
	}
	if op, ok := s.Attributes["sentry.op"].(string); ok && s.Op == "" {
		s.Op = op
	}
	if origin, ok := s.Attributes["sentry.origin"].(string); ok && s.Origin == "" {
		s.Origin = origin
	}
	return s
}
