package app_test

import (
	"compress/gzip"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/signalbox/signalbox/server/platform/config"
)

// traceSpan is as much of a span as the tests look at.
type traceSpan struct {
	TraceID, SpanID, ParentSpanID, Name string
	Links                               []struct{ TraceID string }
	Status                              struct{ Code int }
}

// traces is a collector of OpenTelemetry's.
type traces struct {
	*httptest.Server
	mu    sync.Mutex
	spans []traceSpan
}

func newTraces(t *testing.T) *traces {
	t.Helper()
	c := &traces{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var message struct {
			ResourceSpans []struct{ ScopeSpans []struct{ Spans []traceSpan } }
		}
		zip, err := gzip.NewReader(r.Body)
		if err == nil {
			err = json.NewDecoder(zip).Decode(&message)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, of := range message.ResourceSpans {
			for _, by := range of.ScopeSpans {
				c.spans = append(c.spans, by.Spans...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// await waits for a span of that name.
func (c *traces) await(t *testing.T, name string) (found traceSpan) {
	t.Helper()
	eventually(t, "a span "+name, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, s := range c.spans {
			if s.Name == name {
				found = s
				return true
			}
		}
		return false
	})
	return found
}

// TestTraces: a request, the job of the build that it starts, the build and its steps
// are one trace.
func TestTraces(t *testing.T) {
	t.Parallel()
	collector := newTraces(t)
	r := start(t, func(c *config.Config) { c.Telemetry.Endpoint = collector.URL })
	r.pipeline(t, "main", "shop", "jobs:\n- name: unit\n  plan:\n  - "+shell("good", "true")+"}\n  - "+shell("bad", "exit 3")+"}\n")
	r.finish(t, r.trigger(t, "main", "shop", "unit").ID)
	bad := collector.await(t, "task bad")
	good, build, job := collector.await(t, "task good"), collector.await(t, "build shop/unit"), collector.await(t, "job ci.build")
	request := collector.await(t, "POST /api/v1/teams/:team/pipelines/:pipeline/jobs/:job/builds")
	if job.ParentSpanID != request.SpanID || build.ParentSpanID != job.SpanID || good.ParentSpanID != build.SpanID || bad.ParentSpanID != build.SpanID || bad.TraceID != job.TraceID {
		t.Errorf("job %+v\nbuild %+v\ngood %+v\nbad %+v", job, build, good, bad)
	}
	if bad.Status.Code != 2 || good.Status.Code != 0 || build.Status.Code != 2 || request.TraceID != job.TraceID {
		t.Errorf("build %+v\ngood %+v\nbad %+v\nrequest %+v", build, good, bad, request)
	}
}
