// Package elastic reads Elasticsearch's bulk requests and writes the answers
// that shippers expect of Elasticsearch. Facts from the documentation of its
// bulk API and from recorded requests of its clients.
package elastic

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/signalbox/signalbox/server/logs/record"
)

// Options say under which names a shipper sends the parts of a line.
type Options struct {
	// Index is the address's, for actions that name none.
	Index         string
	Time, Message string
	// Stream are fields that become labels; nil takes the usual ones.
	Stream []string
	// Actions is how many a request may hold, Line how many bytes a document may have.
	Actions, Line int
}

// Item is the outcome of one action.
type Item struct {
	Action, Index, ID string
	Status            int
	// Type and Reason say what is wrong if Status is not 201.
	Type, Reason string
}

// Batch is what a request brought: an item for each action, in order.
type Batch struct {
	Records []record.Record
	Items   []Item
}

// ErrTooMany says that a request holds more actions than allowed.
var ErrTooMany = errors.New("the request holds more actions than allowed")

type action struct {
	Index string `json:"_index"`
	ID    string `json:"_id"`
}

// Read reads pairs of an action and a document, a line each; blank lines are
// passed over. An action that cannot be done costs its own item alone; an error
// means that the body is no bulk request.
func Read(body []byte, o Options) (Batch, error) {
	var b Batch
	lines := splitter{rest: body}
	var lastHead []byte // shippers write one action over and over: read once, it costs nothing
	var item Item
	for {
		head, ok := lines.next()
		if !ok {
			return b, nil
		}
		if len(b.Items) >= o.Actions {
			return b, ErrTooMany
		}
		if lastHead == nil || !bytes.Equal(head, lastHead) {
			var err error
			if item, err = parseAction(head, o.Index); err != nil {
				return b, fmt.Errorf("malformed action/metadata line [%d]: %w", lines.line, err)
			}
			lastHead = head
		}
		if item.Action == "delete" {
			b.Items = append(b.Items, refused(item, "lines are never deleted or changed"))
			continue
		}
		doc, ok := lines.next()
		if !ok {
			return b, fmt.Errorf("the action in line %d has no document", lines.line)
		}
		if item.Action == "update" {
			b.Items = append(b.Items, refused(item, "lines are never deleted or changed"))
			continue
		}
		b.add(item, doc, o)
	}
}

func (b *Batch) add(item Item, doc []byte, o Options) {
	if len(doc) > o.Line {
		b.Items = append(b.Items, refused(item, fmt.Sprintf("the document is longer than %d bytes", o.Line)))
		return
	}
	fields, err := record.Flatten(doc, record.DefaultLimits)
	if err != nil {
		b.Items = append(b.Items, refused(item, "the document is no JSON object"))
		return
	}
	r := record.Record{Fields: fields}
	o.apply(&r, item.Index)
	item.Status = 201
	b.Items = append(b.Items, item)
	b.Records = append(b.Records, r)
}

func refused(item Item, reason string) Item {
	item.Status, item.Type, item.Reason = 400, "mapper_parsing_exception", reason
	return item
}

// parseAction reads {"create":{"_index":"x","_id":"1"}}.
func parseAction(line []byte, index string) (Item, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(line, &object); err != nil {
		return Item{}, fmt.Errorf("no JSON object: %w", err)
	}
	if len(object) != 1 {
		return Item{}, errors.New("exactly one action is expected")
	}
	for name, raw := range object {
		switch name {
		case "create", "index", "update", "delete":
		default:
			return Item{}, fmt.Errorf("there is no action %.40q", name)
		}
		a := action{Index: index}
		if err := json.Unmarshal(raw, &a); err != nil {
			return Item{}, fmt.Errorf("the action's object cannot be read: %w", err)
		}
		return Item{Action: name, Index: a.Index, ID: a.ID}, nil
	}
	return Item{}, nil
}

// streamNames are fields that shippers of Elasticsearch use for what rarely
// changes, with the label each becomes.
var streamNames = []struct{ field, label string }{
	{"service.name", "service"}, {"service", "service"}, {"app", "service"}, {"kubernetes.container.name", "container"}, {"kubernetes.container_name", "container"},
	{"host.name", "host"}, {"host.hostname", "host"}, {"hostname", "host"}, {"host", "host"}, {"kubernetes.namespace", "namespace"}, {"kubernetes.namespace_name", "namespace"},
	{"kubernetes.pod.name", "pod"}, {"kubernetes.pod_name", "pod"}, {"log.file.path", "file"}, {"source", "source"}, {"service.environment", "env"},
}

func (o Options) apply(r *record.Record, index string) {
	if f, ok := r.Field(o.Message); ok && o.Message != "" {
		r.Message = f.Value
		r.Remove(o.Message)
	}
	if f, ok := r.Field(o.Time); ok && o.Time != "" {
		if t, ok := record.ParseTime(f.Value); ok {
			r.Time = t
			r.Remove(o.Time)
		}
	}
	add := func(field, label string) {
		if f, ok := r.Field(field); ok && f.Value != "" && len(f.Value) < 200 && f.Kind != record.JSON && r.Stream.Get(label) == "" {
			r.Stream = append(r.Stream, record.Label{Name: label, Value: f.Value})
			r.Remove(field)
		}
	}
	if o.Stream != nil {
		for _, name := range o.Stream {
			add(name, strings.ReplaceAll(name, ".", "_"))
		}
	} else {
		for _, n := range streamNames {
			add(n.field, n.label)
		}
	}
	if index != "" && len(index) < 200 {
		r.Stream = append(r.Stream, record.Label{Name: "index", Value: index})
	}
	r.Stream = r.Stream.Sort()
}

type splitter struct {
	rest []byte
	line int
}

func (s *splitter) next() ([]byte, bool) {
	for len(s.rest) > 0 {
		line, rest, _ := bytes.Cut(s.rest, []byte{'\n'})
		s.rest = rest
		s.line++
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, true
		}
	}
	return nil, false
}

// Write writes the answer to a bulk request. Fluent Bit looks for the literal
// "errors":false,"items":[ and reads no further, so the order of the names counts.
func Write(w io.Writer, items []Item, took int64) error {
	failed := false
	for _, item := range items {
		failed = failed || item.Status != 201
	}
	b := []byte(`{"took":` + strconv.FormatInt(took, 10) + `,"errors":` + strconv.FormatBool(failed) + `,"items":[`)
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"`+item.Action+`":{"_index":`...)
		b = appendJSON(b, item.Index)
		b = append(b, `,"_id":`...)
		b = appendJSON(b, item.ID)
		b = append(b, `,"status":`+strconv.Itoa(item.Status)...)
		if item.Status != 201 {
			b = append(b, `,"error":{"type":`...)
			b = appendJSON(b, item.Type)
			b = append(b, `,"reason":`...)
			b = append(appendJSON(b, item.Reason), '}')
		} else {
			b = append(b, `,"_version":1,"result":"created","_seq_no":0,"_primary_term":1,"_shards":{"total":1,"successful":1,"failed":0}`...)
		}
		b = append(b, "}}"...)
		if len(b) > 32<<10 {
			if _, err := w.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	_, err := w.Write(append(b, "]}\n"...))
	return err
}

func appendJSON(b []byte, s string) []byte {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' && s[i] != '\\' && s[i] != '<' && s[i] != '>' && s[i] != '&'
	}
	if plain {
		return append(append(append(b, '"'), s...), '"')
	}
	raw, err := json.Marshal(s)
	if err != nil { // a string always can be
		return append(b, `""`...)
	}
	return append(b, raw...)
}

// Version is the Elasticsearch that we answer as: Beats refuse one older than
// themselves.
const Version = "8.19.0"

// Fixed are the answers that say who we are, by path without the last slash.
var Fixed = map[string]string{
	"":                         `{"name":"signalbox","cluster_name":"signalbox","cluster_uuid":"c2lnbmFsYm94LWxvZ3MtMDA","version":{"number":"` + Version + `","build_flavor":"default","build_type":"tar","build_hash":"0","build_date":"2026-01-01T00:00:00Z","build_snapshot":false,"lucene_version":"9.12.0","minimum_wire_compatibility_version":"7.17.0","minimum_index_compatibility_version":"7.0.0"},"tagline":"You Know, for Search"}`,
	"/_license":                `{"license":{"uid":"00000000-0000-0000-0000-000000000000","type":"basic","mode":"basic","status":"active"}}`,
	"/_xpack":                  `{"license":{"uid":"00000000-0000-0000-0000-000000000000","type":"basic","mode":"basic","status":"active"},"features":{"ilm":{"available":true,"enabled":true},"security":{"available":true,"enabled":true}}}`,
	"/_cluster/health":         `{"cluster_name":"signalbox","status":"green","timed_out":false,"number_of_nodes":1,"number_of_data_nodes":1,"active_primary_shards":1,"active_shards":1}`,
	"/_nodes/http":             `{"_nodes":{"total":0,"successful":0,"failed":0},"cluster_name":"signalbox","nodes":{}}`,
	"/_nodes/ingest":           `{"_nodes":{"total":0,"successful":0,"failed":0},"cluster_name":"signalbox","nodes":{}}`,
	"/_ilm/policy/filebeat":    `{}`,
	"/_logstash":               `{}`,
	"/_security/_authenticate": `{"username":"signalbox","roles":[],"enabled":true}`,
}

// Health is the text of /_cat/health.
const Health = "0 00:00:00 signalbox green 1 1 1 1 0 0 0 0 - 100.0%\n"
