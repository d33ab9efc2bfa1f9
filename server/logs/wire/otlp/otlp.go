package otlp

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// Limits bound one request.
type Limits struct {
	// Lines is how many a request may hold, Line how many bytes a body may have.
	Lines, Line int
}

// Batch is what a request brought.
type Batch struct {
	Records []record.Record
	// Rejected counts records that could not be read, by reason.
	Rejected map[string]int
}

// Lost is how many records could not be read.
func (b *Batch) Lost() (n int) {
	for _, count := range b.Rejected {
		n += count
	}
	return n
}

// Why says what was wrong with them.
func (b *Batch) Why() string {
	var why []string
	for _, reason := range slices.Sorted(maps.Keys(b.Rejected)) {
		why = append(why, fmt.Sprintf("%s (%d)", reason, b.Rejected[reason]))
	}
	return strings.Join(why, "; ")
}

// ErrTooMany says that a request holds more records than allowed.
var ErrTooMany = errors.New("the request holds more log records than allowed")

func (b *Batch) reject(reason string) {
	if b.Rejected == nil {
		b.Rejected = map[string]int{}
	}
	b.Rejected[reason]++
}

// unreadable is the reason for a record whose bytes are no record.
const unreadable = "a log record cannot be read"

// labelNames are resource attributes that become labels, with their names there.
// Names of pods are fields: each restart makes a new one, and so a new stream.
var labelNames = map[string]string{
	"service.name": "service", "service.namespace": "namespace", "host.name": "host", "deployment.environment.name": "env", "deployment.environment": "env",
	"k8s.cluster.name": "k8s_cluster", "k8s.namespace.name": "k8s_namespace", "k8s.deployment.name": "k8s_deployment", "k8s.statefulset.name": "k8s_statefulset",
	"k8s.daemonset.name": "k8s_daemonset", "k8s.cronjob.name": "k8s_cronjob", "k8s.container.name": "k8s_container", "cloud.region": "region",
}

const maxLabel = 255

// origin is what all records of a resource, then of a scope, have together.
type origin struct {
	labels record.Labels
	fields []record.Field
}

// resource sorts attributes into labels and fields.
func resource(attributes []attribute) origin {
	labels := map[string]string{"service": "unknown_service"}
	var o origin
	for _, a := range attributes {
		name, ok := labelNames[a.name]
		text := a.value.string()
		if !ok || text == "" || len(text) > maxLabel {
			o.fields = a.value.flatten(o.fields, a.name, 1)
			continue
		}
		labels[name] = text
	}
	o.labels = record.MakeLabels(labels)
	return o
}

// scope is the origin of the records of an instrumentation scope.
func (o origin) scope(name string, attributes []attribute) origin {
	o.fields = o.fields[:len(o.fields):len(o.fields)]
	if name != "" {
		o.fields = append(o.fields, record.Field{Name: "scope", Value: name})
	}
	for _, a := range attributes {
		o.fields = a.value.flatten(o.fields, "scope."+a.name, 1)
	}
	return o
}

// line is a log record of either encoding.
type line struct {
	time, observed uint64
	severity       int
	severityText   string
	body           value
	attributes     []attribute
	trace, span    string // hexadecimal
	event          string
}

// add makes a line a record, or counts why not.
func (b *Batch) add(o origin, in line, l Limits) {
	r := record.Record{Stream: o.labels, Level: record.OTelLevel(in.severity)}
	for _, nanos := range []uint64{in.time, in.observed} {
		if r.Time.IsZero() && nanos != 0 && nanos < 1<<63 {
			r.Time = time.Unix(0, int64(nanos)).UTC()
		}
	}
	if r.Message = in.body.string(); len(r.Message) > l.Line {
		b.reject("the body of a log record is longer than allowed")
		return
	}
	r.Fields = append(make([]record.Field, 0, len(o.fields)+len(in.attributes)+3), o.fields...)
	for _, a := range in.attributes {
		r.Fields = a.value.flatten(r.Fields, a.name, 1)
	}
	said, known := record.ParseLevel(in.severityText)
	if r.Level == record.Unknown && known {
		r.Level = said
	}
	// The program's own word is kept where the level does not say the same.
	text := in.severityText
	if said == r.Level && known {
		text = ""
	}
	for _, f := range []record.Field{{Name: "severity_text", Value: text}, {Name: "event_name", Value: in.event}, {Name: record.TraceID, Value: in.trace}, {Name: record.SpanID, Value: in.span}} {
		if f.Value != "" {
			r.Fields = append(r.Fields, f)
		}
	}
	r.Fields = record.SortFields(r.Fields)
	b.Records = append(b.Records, r)
}

// identity is an id in lower case, or nothing when it is none: the wrong
// length, other letters, or only zeros, which stands for "no trace".
func identity(hex string, bytes int) string {
	hex = strings.ToLower(hex)
	if len(hex) != 2*bytes || strings.Trim(hex, "0") == "" || strings.Trim(hex, "0123456789abcdef") != "" {
		return ""
	}
	return hex
}
