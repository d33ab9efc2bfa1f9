package issues

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// benchEvent is 5.6 KB, as a Python client sends it: a stack of 12 frames with context and variables.
func benchEvent(id string) string {
	frame := `{"filename":"shop/cart.py","abs_path":"/srv/shop/cart.py","function":"checkout","module":"shop.cart","lineno":42,"pre_context":["def checkout(cart):","    total = 0"],"context_line":"    return total / len(cart)","post_context":["",""],"in_app":true,"vars":{"cart":"[]","total":"0","customer":"'ada@example.com'","currency":"'EUR'"}},`
	frames := strings.TrimSuffix(strings.Repeat(frame, 12), ",")
	payload := `{"event_id":"` + id + `","timestamp":"2026-11-21T05:00:00Z","platform":"python","level":"error","release":"shop@1.2.3","environment":"production","server_name":"web-1","exception":{"values":[{"type":"ZeroDivisionError","value":"division by zero","stacktrace":{"frames":[` + frames + `]}}]},"extra":{"pad":"`
	payload += strings.Repeat("x", max(0, 5600-len(payload)-4)) + `"}}`
	return fmt.Sprintf("{\"event_id\":%q,\"sent_at\":\"2026-11-21T05:00:00Z\",\"sdk\":{\"name\":\"sentry.python\",\"version\":\"2.64.0\"}}\n{\"type\":\"event\",\"length\":%d}\n%s\n", id, len(payload), payload)
}

// resident is this process's memory, in MB.
func resident(b *testing.B) float64 {
	b.Helper()
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Fatal(err)
	}
	pages, err := strconv.ParseFloat(strings.Fields(string(raw))[1], 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * float64(os.Getpagesize()) / (1 << 20)
}

// cpu is the time that this process has used so far.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkIntake sends 5.6 KB events over real connections from 32 clients in
// this process, each waiting for its answer, with digestion standing still: what
// is measured is HTTP, parsing and the durable write. Memory includes the clients.
func BenchmarkIntake(b *testing.B) {
	w := prepare(b)
	w.consume = func(ctx context.Context, batch []Accepted) error { // keeps the position only
		return w.DB.Tx(ctx, func(ctx context.Context) error { return w.spoolDone(ctx, batch[len(batch)-1].Offset) })
	}
	w.run(b)
	_, k := w.newProject(b, "shop")
	server := httptest.NewServer(w.engine)
	b.Cleanup(server.Close)
	const clients = 32
	url := fmt.Sprintf("%s/api/%d/envelope/", server.URL, k.Project)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	var group sync.WaitGroup
	before := cpu(b)
	b.ResetTimer()
	for range clients {
		group.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= int64(b.N) {
					return
				}
				r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, strings.NewReader(benchEvent(fmt.Sprintf("%032x", i+1))))
				if err != nil {
					b.Error(err)
					return
				}
				r.Header.Set("X-Sentry-Auth", "Sentry sentry_key="+k.Public+", sentry_version=7, sentry_client=sentry.python/2.64.0")
				start := time.Now()
				answer, err := client.Do(r)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				took[i] = time.Since(start)
				if answer.StatusCode != 200 {
					b.Error(answer.StatusCode)
					return
				}
			}
		})
	}
	group.Wait()
	b.StopTimer()
	// On a busy machine this says more than the rate: 2 cores have 2,000,000 µs a second.
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/event")
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(took[b.N/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[min(b.N*99/100, b.N-1)].Microseconds())/1000, "p99-ms")
	b.ReportMetric(resident(b), "rss-MB")
}

// BenchmarkSpool is the durable write alone: how many requests one disk serves.
func BenchmarkSpool(b *testing.B) {
	p := openTest(b, b.TempDir(), 0)
	defer p.finish(b)
	p.max = 1 << 40
	raw := appendRecord(nil, Accepted{Project: 1, Payload: make([]byte, 5600)})
	b.SetBytes(int64(len(raw)))
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := p.keep(raw); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
