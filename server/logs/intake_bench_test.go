package logs

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/logs/store/corpus"
)

// shipped is what one request of a shipper holds, in lines.
const shipped = 2000

// lokiBody writes lines as a Loki client's protobuf: one entry a stream block, fields as structured metadata.
func lokiBody(recs []record.Record) []byte {
	text := func(b []byte, n protowire.Number, s string) []byte {
		return protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), s)
	}
	nested := func(b []byte, n protowire.Number, inner []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), inner)
	}
	streams := map[string][]byte{}
	var order []string
	for i := range recs {
		r := &recs[i]
		labels := "{"
		for k, l := range r.Stream {
			if k > 0 {
				labels += ","
			}
			labels += fmt.Sprintf("%s=%q", l.Name, l.Value)
		}
		labels += "}"
		stamp := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(r.Time.Unix()))
		stamp = protowire.AppendVarint(protowire.AppendTag(stamp, 2, protowire.VarintType), uint64(r.Time.Nanosecond()))
		entry := text(nested(nil, 1, stamp), 2, "level="+r.Level.String()+" "+r.Message)
		for _, f := range r.Fields {
			entry = nested(entry, 3, text(text(nil, 1, f.Name), 2, f.Value))
		}
		if _, known := streams[labels]; !known {
			order = append(order, labels)
		}
		streams[labels] = nested(streams[labels], 2, entry)
	}
	var push []byte
	for _, labels := range order {
		push = nested(push, 1, append(text(nil, 1, labels), streams[labels]...))
	}
	return snappy.Encode(nil, push)
}

func bulkBody(recs []record.Record) []byte {
	var b []byte
	for i := range recs {
		b = append(b, `{"create":{"_index":"logs"}}`+"\n"...)
		b = append(corpus.AppendJSON(b, &recs[i]), '\n')
	}
	return b
}

// BenchmarkIntake sends the corpus over HTTP, decoded, masked and durable: lines per CPU second of the whole process,
// the sending side with it.
func BenchmarkIntake(b *testing.B) {
	lines := 200_000
	if os.Getenv("SIGNALBOX_SOAK") != "" {
		lines = 1_000_000
	}
	for _, c := range []struct {
		name, path, kind string
		body             func([]record.Record) []byte
	}{
		{"loki", "/loki/api/v1/push", "application/x-protobuf", lokiBody},
		{"bulk", "/elasticsearch/_bulk", "application/x-ndjson", bulkBody},
	} {
		b.Run(c.name, func(b *testing.B) {
			kept, err := store.Open(b.Context(), store.Options{Dir: b.TempDir(), Now: time.Now})
			if err != nil {
				b.Fatal(err)
			}
			s := New(Deps{Store: kept, Now: time.Now, Log: slog.New(slog.DiscardHandler), Identify: identify, MaxBody: 16 << 20, MaxDecoded: 64 << 20})
			server := httptest.NewServer(handler(s))
			b.Cleanup(func() {
				server.Close()
				kept.Close()
			})
			from := corpus.New(corpus.Options{Lines: lines, Start: time.Now().Add(-time.Hour), Span: time.Hour, Seed: 1})
			bodies := make(chan []byte, lines/shipped+1)
			recs := make([]record.Record, shipped)
			for n := from.Batch(recs); n > 0; n = from.Batch(recs) {
				bodies <- c.body(recs[:n])
			}
			close(bodies)
			began, used := time.Now(), processTime(b)
			var wait sync.WaitGroup
			for range 4 {
				wait.Go(func() {
					for body := range bodies {
						ship(b, server.URL+c.path, c.kind, body)
					}
				})
			}
			wait.Wait()
			wall, spent := time.Since(began), processTime(b)-used
			for b.Loop() { // it forgets what was reported before
			}
			b.ReportMetric(float64(lines)/spent.Seconds(), "lines/CPU-s")
			b.ReportMetric(float64(lines)/wall.Seconds(), "lines/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func ship(b *testing.B, url, kind string, body []byte) {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		b.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer red")
	req.Header.Set("Content-Type", kind)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Error(err)
		return
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode/100 != 2 || bytes.Contains(said, []byte(`"errors":true`)) {
		b.Errorf("%s: %s %.200s %v", url, answer.Status, said, err)
	}
}

// processTime is what the whole process has used, user and system.
func processTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
