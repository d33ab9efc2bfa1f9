// Package corpus writes log lines that look like real ones, the same for the same seed:
// the measure for the store, the intake and the queries. It is used by tests and
// benchmarks only.
//
// Lines come in order of time from services on hosts; each has a trace id of its own,
// most are plain sentences with numbers in them, a tenth are nested JSON, flattened.
// A few things are hidden in it so that queries know what to find: see the constants.
package corpus

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// What is hidden in the lines.
const (
	RareWord  = "zyzzyva"            // in one line of RareEvery
	RareEvery = 250_000              // lines
	Phrase    = "connection refused" // in errors of the service "billing"
	HostWord  = "overloaded"         // in warnings of two services, on all hosts
	App       = "checkout"           // the service whose histogram is drawn
)

// Options say how much.
type Options struct {
	Lines int
	Hosts int           // each with every service; 20 make 240 streams
	Start time.Time     // of the first line
	Span  time.Duration // between the first line and the last; a day
	Seed  uint64
}

var services = []string{"checkout", "billing", "gateway", "search", "catalog", "auth", "mailer", "worker", "inventory", "shipping", "frontend", "ledger"}

// Corpus is a stream of lines.
type Corpus struct {
	opt     Options
	rng     *rand.Rand
	n       int
	step    time.Duration
	streams []record.Labels
	buf     []byte
}

// New begins a corpus.
func New(opt Options) *Corpus {
	if opt.Hosts == 0 {
		opt.Hosts = 20
	}
	if opt.Span == 0 {
		opt.Span = 24 * time.Hour
	}
	c := &Corpus{opt: opt, rng: rand.New(rand.NewPCG(opt.Seed, 7)), step: opt.Span / time.Duration(max(opt.Lines, 1))}
	for _, service := range services {
		for host := range opt.Hosts {
			c.streams = append(c.streams, record.MakeLabels(map[string]string{
				"service": service, "host": fmt.Sprintf("node-%02d", host+1)}))
		}
	}
	return c
}

// TraceID is the trace id of line n, known without making the lines before it.
func (c *Corpus) TraceID(n int) string {
	r := rand.NewPCG(c.opt.Seed, uint64(n)+0x5bd1e995)
	var b [16]byte
	for i := 0; i < 16; i += 8 {
		v := r.Uint64()
		for k := range 8 {
			b[i+k] = byte(v >> (8 * k))
		}
	}
	return hex.EncodeToString(b[:])
}

// Batch fills recs with the next lines and returns how many there were; 0 at the end.
// The records are made anew each time, except their labels.
func (c *Corpus) Batch(recs []record.Record) int {
	n := min(len(recs), c.opt.Lines-c.n)
	for i := range n {
		c.line(&recs[i])
	}
	return max(n, 0)
}

func (c *Corpus) line(r *record.Record) {
	n := c.n
	c.n++
	stream := c.rng.IntN(len(c.streams))
	service := services[stream/c.opt.Hosts]
	r.Time = c.opt.Start.Add(time.Duration(n)*c.step + time.Duration(c.rng.IntN(10))*time.Millisecond).Truncate(time.Millisecond)
	r.Stream = c.streams[stream]
	r.Level = c.level()
	r.Fields = append(make([]record.Field, 0, 8), record.Field{Name: record.TraceID, Value: c.TraceID(n)})
	c.buf = c.message(c.buf[:0], service, r.Level, n)
	r.Message = string(c.buf)
	if c.rng.IntN(10) == 0 {
		r.Fields = append(r.Fields, c.nested(service)...)
	}
	r.Fields = record.SortFields(r.Fields)
}

func (c *Corpus) level() record.Level {
	switch x := c.rng.IntN(100); {
	case x < 70:
		return record.Info
	case x < 88:
		return record.Debug
	case x < 95:
		return record.Warn
	default:
		return record.Error
	}
}

var (
	paths   = []string{"/api/v1/cart", "/api/v1/orders", "/api/v1/users/profile", "/static/app.js", "/healthz", "/api/v2/search", "/login", "/api/v1/payments/confirm", "/api/v1/stock", "/graphql"}
	methods = []string{"GET", "GET", "GET", "POST", "PUT", "DELETE"}
	queues  = []string{"email", "invoices", "thumbnails", "exports", "webhooks"}
	agents  = []string{"Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0", "curl/8.5.0", "okhttp/4.12.0", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Mobile/15E148"}
)

// message writes a sentence as such a service would.
func (c *Corpus) message(b []byte, service string, level record.Level, n int) []byte {
	r := c.rng
	switch {
	case n%RareEvery == RareEvery/2:
		return fmt.Appendf(b, "cache %s evicted key user:%d after %d hits", RareWord, r.IntN(1e6), r.IntN(1000))
	case level == record.Error && service == "billing" && r.IntN(3) == 0:
		return fmt.Appendf(b, "payment provider unreachable: dial tcp 10.4.%d.%d:443: connect: %s (attempt %d)", r.IntN(256), r.IntN(256), Phrase, 1+r.IntN(5))
	case level == record.Warn && (service == "worker" || service == "search"):
		return fmt.Appendf(b, "queue %s %s: %d jobs waiting, oldest %ds, shedding load", queues[r.IntN(len(queues))], HostWord, r.IntN(5000), r.IntN(600))
	case level == record.Error:
		return fmt.Appendf(b, "request failed: %s %s returned %d after %dms: upstream timed out (user=%d)", methods[r.IntN(6)], paths[r.IntN(10)], 500+r.IntN(5), r.IntN(30000), r.IntN(200000))
	case level == record.Debug:
		return fmt.Appendf(b, "sql: SELECT id, total, state FROM %s_items WHERE owner_id = %d ORDER BY id LIMIT %d took %dms", service, r.IntN(500000), 10*(1+r.IntN(10)), r.IntN(400))
	}
	switch r.IntN(4) {
	case 0:
		return fmt.Appendf(b, "job %s#%d finished in %dms with %d items", queues[r.IntN(len(queues))], n, r.IntN(9000), r.IntN(500))
	case 1:
		return fmt.Appendf(b, "user %d signed in from 192.168.%d.%d with method password", r.IntN(200000), r.IntN(256), r.IntN(256))
	default:
		return fmt.Appendf(b, "%s %s HTTP/1.1 status=%d bytes=%d duration=%dms", methods[r.IntN(6)], paths[r.IntN(10)], 200+r.IntN(5), r.IntN(60000), r.IntN(900))
	}
}

// nested is a JSON object as structured loggers send it, already flattened: some names
// are everywhere, some belong to one service, some are rare.
func (c *Corpus) nested(service string) []record.Field {
	r := c.rng
	number := func(name string, n int) record.Field {
		return record.Field{Name: name, Value: strconv.Itoa(n), Kind: record.Number}
	}
	fields := []record.Field{
		{Name: "http.request.method", Value: methods[r.IntN(6)]},
		{Name: "http.request.headers.user_agent", Value: agents[r.IntN(len(agents))]},
		number("http.response.status", 200+r.IntN(300)),
		number("http.response.bytes", r.IntN(100000)),
		{Name: "k8s.pod.name", Value: fmt.Sprintf("%s-%x-%x", service, r.IntN(16), r.IntN(4096))},
		number(service+".attempt", r.IntN(9)),
		{Name: service + ".cached", Value: strconv.FormatBool(r.IntN(2) == 0), Kind: record.Bool},
	}
	if r.IntN(20) == 0 {
		fields = append(fields, record.Field{Name: fmt.Sprintf("feature.flag_%d", r.IntN(400)), Value: "on"})
	}
	return fields
}

// AppendJSON writes the line as a structured logger would, without a line end: for measuring intake of JSON.
func AppendJSON(b []byte, r *record.Record) []byte {
	b = append(b, `{"@timestamp":"`...)
	b = r.Time.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","level":"`...)
	b = append(b, r.Level.String()...)
	for _, l := range r.Stream {
		b = append(append(append(b, `","`...), l.Name...), `":"`...)
		b = append(b, l.Value...)
	}
	b = append(b, `","message":`...)
	b = strconv.AppendQuote(b, r.Message)
	for _, f := range r.Fields {
		b = strconv.AppendQuote(append(b, ','), f.Name)
		if b = append(b, ':'); f.Kind == record.String {
			b = strconv.AppendQuote(b, f.Value)
		} else {
			b = append(b, f.Value...)
		}
	}
	return append(b, '}')
}
