package telemetry

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"
)

// collector is as much of an OpenTelemetry collector as takes traces.
type collector struct {
	*httptest.Server
	mu      sync.Mutex
	spans   map[string]span
	text    string
	headers http.Header
	path    string
	// refuse are the statuses of the first requests.
	refuse []int
}

func newCollector(t testing.TB, refuse ...int) *collector {
	t.Helper()
	c := &collector{spans: map[string]span{}, refuse: refuse}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		zip, err := gzip.NewReader(r.Body)
		var raw []byte
		if err == nil {
			raw, err = io.ReadAll(zip)
		}
		var m message
		if err == nil {
			err = json.Unmarshal(raw, &m)
		}
		if err != nil {
			t.Errorf("no message: %v", err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.path, c.headers = r.URL.Path, r.Header
		if len(c.refuse) > 0 {
			w.WriteHeader(c.refuse[0])
			c.refuse = c.refuse[1:]
			return
		}
		c.text += string(raw)
		for _, s := range m.ResourceSpans[0].ScopeSpans[0].Spans {
			c.spans[s.Name] = s
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (s span) text(name string) string {
	for _, a := range s.Attributes {
		if a.Key == name && a.Value.String != nil {
			return *a.Value.String
		}
		if a.Key == name && a.Value.Int != nil {
			return *a.Value.Int
		}
	}
	return ""
}

func setup(t testing.TB, c *collector, sample float64) *Tracing {
	t.Helper()
	tracing, err := New(Deps{Endpoint: c.URL, Headers: []string{"Authorization=Bearer abc"}, Sample: sample, Version: "v1", Node: "n1", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return tracing
}

// sent closes the tracing and gives what the collector has.
func (c *collector) sent(t testing.TB, tracing *Tracing) map[string]span {
	t.Helper()
	if err := tracing.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c.spans
}

func server(tracing *Tracing, handler gin.HandlerFunc) *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.Use(tracing.Requests(func(*gin.Context) string { return "req-1" }))
	e.GET("/hooks/:secret", handler)
	return e
}

const (
	callersTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	callersSpan  = "00f067aa0ba902b7"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	tracing := setup(t, c, 1)
	var logged bytes.Buffer
	log := slog.New(WithTrace(slog.NewJSONHandler(&logged, nil))).With("a", 1)
	e := server(tracing, func(g *gin.Context) {
		log.InfoContext(g.Request.Context(), "within")
		Note(g.Request.Context(), Attribute{Name: "delivery", Text: "d-1"})
		_, done := Child(g.Request.Context(), "look", "up", Attribute{Name: "n", Number: 7})
		done("was not there")
		g.Status(http.StatusBadGateway)
	})
	r := httptest.NewRequest(http.MethodGet, "/hooks/very-secret?token=hidden", nil)
	r.Header.Set("traceparent", "00-"+callersTrace+"-"+callersSpan+"-01")
	e.ServeHTTP(httptest.NewRecorder(), r)
	e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/nowhere", nil))
	log.Info("outside")
	spans := c.sent(t, tracing)
	hook, child, other := spans["GET /hooks/:secret"], spans["look up"], spans["GET unmatched"]
	if hook.TraceID != callersTrace || hook.ParentSpanID != callersSpan || hook.Kind != 2 || hook.Status == nil || hook.Status.Code != statusError ||
		hook.text("http.response.status_code") != "502" || hook.text("signalbox.request_id") != "req-1" || hook.text("delivery") != "d-1" {
		t.Errorf("%+v", hook)
	}
	if child.TraceID != callersTrace || child.ParentSpanID != hook.SpanID || child.Status.Message != "was not there" || child.text("n") != "7" {
		t.Errorf("%+v", child)
	}
	if other.TraceID == callersTrace || other.TraceID == "" || other.ParentSpanID != "" || other.Status != nil {
		t.Errorf("%+v", other)
	}
	if strings.Contains(c.text, "very-secret") || strings.Contains(c.text, "hidden") {
		t.Errorf("an address as it was asked left the server: %s", c.text)
	}
	if c.path != "/v1/traces" || c.headers.Get("Authorization") != "Bearer abc" || c.headers.Get("Content-Type") != "application/json" || !strings.Contains(c.text, `"signalbox"`) {
		t.Errorf("%s %v", c.path, c.headers)
	}
	lines := strings.Split(logged.String(), "\n")
	if !strings.Contains(lines[0], `"a":1,"trace_id":"`+callersTrace+`","span_id":"`+hook.SpanID+`"`) || strings.Contains(lines[1], "trace_id") {
		t.Errorf("%q", lines)
	}
}

func TestSample(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	tracing := setup(t, c, 0)
	e := server(tracing, func(g *gin.Context) { g.Status(http.StatusOK) })
	for range 20 {
		e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/hooks/x", nil))
	}
	if spans := c.sent(t, tracing); len(spans) != 0 {
		t.Errorf("%+v", spans)
	}
}

func TestJobs(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	tracing := setup(t, c, 1)
	job := Job{Kind: "ci.build", ID: 4, Team: 2, Attempt: 1, Payload: []byte(`{"build":7}`)}
	ctx, done := tracing.tracer.Start(t.Context(), "request")
	tracing.Enqueued(ctx, job)
	done.End()
	made := done.SpanContext()
	inside, over := tracing.Job(t.Context(), job)
	_, stepDone := Child(inside, "task", "unit")
	stepDone("")
	over(nil)
	job.Attempt, job.Kind = 2, "ci.check"
	_, over = tracing.Job(t.Context(), job)
	over(errors.New("no luck"))
	spans := c.sent(t, tracing)
	first, second := spans["job ci.build"], spans["job ci.check"]
	if len(first.Links) != 1 || first.Links[0].SpanID != made.SpanID().String() || first.Links[0].TraceID != made.TraceID().String() || first.TraceID == first.Links[0].TraceID ||
		first.Kind != 5 || first.text("signalbox.job.id") != "4" || first.Status != nil {
		t.Errorf("%+v", first)
	}
	if len(second.Links) != 0 || second.Status == nil || second.Status.Message != "no luck" || second.text("signalbox.job.attempt") != "2" {
		t.Errorf("%+v", second)
	}
	if step := spans["task unit"]; step.ParentSpanID != first.SpanID || step.TraceID != first.TraceID {
		t.Errorf("%+v", step)
	}
	if strings.Contains(c.text, "build\\\"") {
		t.Errorf("a payload left the server: %s", c.text)
	}
}

// TestCauses: a build runs in the trace of the delivery that it comes of, each attempt of it.
func TestCauses(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	tracing := setup(t, c, 1)
	e := server(tracing, func(g *gin.Context) { Keep(g.Request.Context(), "delivery", "d-1") })
	r := httptest.NewRequest(http.MethodGet, "/hooks/x", nil)
	r.Header.Set("traceparent", "00-"+callersTrace+"-"+callersSpan+"-01")
	e.ServeHTTP(httptest.NewRecorder(), r)
	tracing.Caused("delivery d-1", "build 7")
	tracing.Caused("delivery unknown", "build 8")
	for _, kind := range []string{"first", "second"} {
		_, over := tracing.Job(t.Context(), Job{Kind: kind, Cause: "build 7"})
		over(nil)
	}
	_, over := tracing.Job(t.Context(), Job{Kind: "other", Cause: "build 8"})
	over(nil)
	Keep(t.Context(), "outside of", "a request")
	spans := c.sent(t, tracing)
	hook, first, second := spans["GET /hooks/:secret"], spans["job first"], spans["job second"]
	if first.ParentSpanID != hook.SpanID || first.TraceID != callersTrace || second.ParentSpanID != hook.SpanID || spans["job other"].TraceID == callersTrace {
		t.Errorf("%+v", spans)
	}
}

func TestParentsAreBounded(t *testing.T) {
	t.Parallel()
	tracing := setup(t, newCollector(t), 1)
	ctx, done := tracing.tracer.Start(t.Context(), "request")
	defer done.End()
	for i := range 3 * remembered {
		job := Job{Kind: "k", Payload: []byte{byte(i), byte(i >> 8)}}
		tracing.Enqueued(ctx, job)
		if i%3 == 0 {
			_, over := tracing.Job(ctx, job)
			over(nil)
		}
	}
	if p := &tracing.parents; len(p.made) > remembered || len(p.order) > remembered {
		t.Errorf("%d %d", len(p.made), len(p.order))
	}
}

func TestCollectorIsBusy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		refuse []int
		sent   bool
		lost   string
	}{
		{"at once", nil, true, ""},
		{"on the third try", []int{503, 429}, true, ""},
		{"never", []int{503, 503, 503, 503}, false, "503"},
		{"does not like them", []int{400}, false, "400"},
		{"is elsewhere", []int{307}, false, "307"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			to := newCollector(t, c.refuse...)
			tracing := setup(t, to, 1)
			e, err := newExporter(to.URL+"/v1/traces", nil)
			if err != nil {
				t.Fatal(err)
			}
			_, s := tracing.tracer.Start(t.Context(), "x")
			s.End()
			e.pause = time.Millisecond
			var why string
			e.failed = func(err error, spans int) { why = err.Error() }
			if err := e.ExportSpans(t.Context(), readable(s)); err != nil {
				t.Error(err)
			}
			if (len(to.spans) == 1) != c.sent || !strings.Contains(why, c.lost) || c.sent && why != "" {
				t.Errorf("%v %q", to.spans, why)
			}
			if err := errors.Join(e.Shutdown(t.Context()), e.ExportSpans(t.Context(), readable(s))); err != nil || why == "" && len(to.refuse) > 0 {
				t.Error(err)
			}
		})
	}
}

func TestCollectorIsGone(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	c.Close()
	var said bytes.Buffer
	tracing, err := New(Deps{Endpoint: c.URL, Sample: 1, Log: slog.New(slog.NewTextHandler(&said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	_, s := tracing.tracer.Start(t.Context(), "x")
	s.End()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // a server that stops does not wait for it
	_ = tracing.Close(ctx)
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]string{
		"http://127.0.0.1:4318":           "http://127.0.0.1:4318/v1/traces",
		"https://collector.example/otlp/": "https://collector.example/otlp/v1/traces",
		"http://c:4318/v1/traces":         "http://c:4318/v1/traces",
		"127.0.0.1:4318":                  "",
		"grpc://127.0.0.1:4317":           "",
		"http://":                         "",
		"":                                "",
	} {
		e, err := newExporter(endpoint, nil)
		if (err == nil) != (want != "") || err == nil && e.url != want {
			t.Errorf("%q: %v %v", endpoint, e, err)
		}
	}
	if _, err := newExporter("http://c", []string{"no value"}); err == nil {
		t.Error("a header without a value was taken")
	}
}

// TestNothingWhenOff: where nobody traces, a step costs no allocation.
func TestNothingWhenOff(t *testing.T) {
	ctx, id := t.Context(), t.Name()
	if n := testing.AllocsPerRun(100, func() {
		_, done := Child(ctx, "task", "unit", Attribute{Name: "signalbox.build.id", Number: 7}, Attribute{Name: "signalbox.plan.id", Text: "p"})
		done("")
		Note(ctx, Attribute{Name: "a", Number: 1})
		Keep(ctx, "delivery", id)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkRequest is what a span costs a request.
func BenchmarkRequest(b *testing.B) {
	tracing := setup(b, newCollector(b), 1)
	e := server(tracing, func(g *gin.Context) { g.Status(http.StatusOK) })
	r := httptest.NewRequest(http.MethodGet, "/hooks/x", nil)
	b.ReportAllocs()
	for b.Loop() {
		e.ServeHTTP(httptest.NewRecorder(), r)
	}
}

func readable(s api.Span) []trace.ReadOnlySpan { return []trace.ReadOnlySpan{s.(trace.ReadOnlySpan)} }
