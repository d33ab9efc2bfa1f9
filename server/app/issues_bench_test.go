package app_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// errorEvent is 5.6 KB, as a Python web application reports; kind decides the issue.
func errorEvent(id string, kind, n int) string {
	var frames strings.Builder
	for f := range 12 {
		fmt.Fprintf(&frames, `{"filename":"shop/layer%d.py","abs_path":"/srv/shop/layer%d.py","function":"handle_%d_%d","module":"shop.layer%d","lineno":%d,`+
			`"pre_context":["def handle(self, order_id):","    # the order may be gone"],"context_line":"    return self.orders.get(order_id).total","post_context":["",""],`+
			`"in_app":%t,"vars":{"order_id":"%d","self":"<shop.Orders object at 0x7f>"}},`, f, f, kind, f, f, 10+f, f > 5, n)
	}
	payload := fmt.Sprintf(`{"event_id":%q,"timestamp":%q,"platform":"python","level":"error","release":"shop@1.%d.0","environment":"production","server_name":"web-%d",`+
		`"transaction":"/orders/%d","user":{"id":"%d","email":"u%d@example.test"},"tags":{"region":%q},"contexts":{"runtime":{"name":"CPython","version":"3.12.1"},"trace":{"trace_id":"%032x","span_id":"aaaaaaaaaaaaaaaa"}},`+
		`"request":{"url":"https://shop.example.test/orders","method":"GET","headers":{"User-Agent":"Mozilla/5.0"}},"sdk":{"name":"sentry.python","version":"2.64.0"},`+
		`"exception":{"values":[{"type":"Error%d","value":"order %d is broken","stacktrace":{"frames":[%s]}}]},"extra":{"pad":"`,
		id, time.Now().UTC().Format(time.RFC3339), n/1000%20, n%8, kind%50, n%5000, n%5000, []string{"eu", "us", "ap"}[n%3], n+1, kind, n, strings.TrimSuffix(frames.String(), ","))
	payload += strings.Repeat("x", max(0, 5600-len(payload)-3)) + `"}}`
	return fmt.Sprintf("{\"event_id\":%q,\"sent_at\":%q}\n{\"type\":\"event\",\"length\":%d}\n%s\n", id, time.Now().UTC().Format(time.RFC3339Nano), len(payload), payload)
}

// reporter sends prepared requests over one connection, and costs the machine
// that it shares with the server as little as can be.
type reporter struct {
	conn net.Conn
	in   *bufio.Reader
	// request is one whole request; an id stands at the places.
	request []byte
	places  []int
}

func newReporter(b *testing.B, url string, p errorProject, kind, n int) *reporter {
	b.Helper()
	mark := strings.Repeat("0", 31) + "f"
	body := errorEvent(mark, kind, n)
	host := strings.TrimPrefix(url, "http://")
	request := fmt.Sprintf("POST /api/%d/envelope/ HTTP/1.1\r\nHost: %s\r\nX-Sentry-Auth: Sentry sentry_key=%s, sentry_version=7, sentry_client=sentry.python/2.64.0\r\n"+
		"Content-Type: application/x-sentry-envelope\r\nContent-Length: %d\r\n\r\n%s", p.ID, host, p.Key, len(body), body)
	r := &reporter{request: []byte(request)}
	for at := 0; ; {
		i := strings.Index(request[at:], mark)
		if i < 0 {
			break
		}
		r.places = append(r.places, at+i)
		at += i + len(mark)
	}
	var err error
	if r.conn, err = net.Dial("tcp", host); err != nil {
		b.Fatal(err)
	}
	r.in = bufio.NewReader(r.conn)
	return r
}

// send reports once more and returns the status.
func (r *reporter) send() (int, error) {
	id := fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64())
	for _, at := range r.places {
		copy(r.request[at:], id)
	}
	if _, err := r.conn.Write(r.request); err != nil {
		return 0, err
	}
	answer, err := http.ReadResponse(r.in, nil)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

// BenchmarkErrors sends 5.6 KB events to the real program as fast as it answers,
// from clients on the same machine, while it digests; then waits until all are digested.
func BenchmarkErrors(b *testing.B) {
	p := launch(b)
	project := p.errorProject(b, "main", "Shop")
	lasts, clients := 5*time.Second, 16
	if soak {
		lasts = time.Minute
	}
	for b.Loop() {
		before, begun := p.processor(b), time.Now()
		took := make([][]time.Duration, clients)
		var group sync.WaitGroup
		for c := range clients {
			var reporters []*reporter
			for k := range 20 { // each client has errors of its own, of which some are everybody's
				n := c*20 + k
				reporters = append(reporters, newReporter(b, p.url, project, min(n, 200), n))
			}
			group.Go(func() {
				for n := 0; time.Since(begun) < lasts; n++ {
					at := time.Now()
					status, err := reporters[n%len(reporters)].send()
					if err != nil || status != http.StatusOK {
						b.Errorf("%d %v", status, err)
						return
					}
					took[c] = append(took[c], time.Since(at))
				}
				for _, r := range reporters {
					r.conn.Close()
				}
			})
		}
		group.Wait()
		accepting, sent := time.Since(begun), p.processor(b)
		var all []time.Duration
		for _, list := range took {
			all = append(all, list...)
		}
		_, waiting := p.acceptedCount(b, project)
		b.ReportMetric(float64(waiting>>20), "MB-waiting")
		eventuallyIn(b, 10*time.Minute, "all to be digested", func() bool { _, left := p.acceptedCount(b, project); return left == 0 })
		n := float64(len(all))
		b.ReportMetric(n/accepting.Seconds(), "accepted/s")
		b.ReportMetric(n/time.Since(begun).Seconds(), "digested/s")
		b.ReportMetric(float64((sent-before).Microseconds())/n, "cpu-us/event-until-accepted")
		b.ReportMetric(float64((p.processor(b)-before).Microseconds())/n, "cpu-us/event-until-digested")
		b.ReportMetric(float64(p.memory(b, "VmHWM")), "MB-peak")
		report(b, "acknowledge", all, 50, 99)
	}
}
