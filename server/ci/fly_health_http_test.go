package ci

import (
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/work"
)

func TestFlyHealthAndComponents(t *testing.T) {
	t.Parallel()
	w := sourced(t)
	for _, c := range []struct {
		name, method, path, who string
		status                  int
		contains                string
	}{
		{"health for anybody", "GET", "/api/v1/health", "", 200, `{"status":"ok"`},
		{"names its parts", "GET", "/api/v1/health", "", 200, `"name":"ci.collect","status":"healthy"`},
		{"the database", "GET", "/api/v1/health", "", 200, `"database":{"status":"healthy"}`},
		{"components", "GET", "/api/v1/components", "viewer", 200, `"name":"ci.schedule","interval":10000000000`},
		{"components for nobody", "GET", "/api/v1/components", "", 401, ""},
		{"pause by an owner", "PUT", "/api/v1/components/ci.collect/pause", "owner", 403, ""},
	} {
		if got := w.call(c.method, c.path, "", as(c.who)); got.status != c.status || !strings.Contains(got.body, c.contains) {
			t.Errorf("%s: %d %s", c.name, got.status, got.body)
		}
	}
	err := fly{w.ci}.refusePause(nil)
	if err == nil || !strings.Contains(err.Error(), "cannot be paused") {
		t.Error(err)
	}
	w.ci.deps.LoopStatus = func() []work.LoopStatus {
		return []work.LoopStatus{{Name: "a", Every: "1m0s", LastRun: time.Unix(1, 0).UTC(), Error: "disk full at /secret"}}
	}
	got := w.call("GET", "/api/v1/health", "", as("")).body
	if !strings.Contains(got, `"status":"degraded"`) || !strings.Contains(got, `"status":"unhealthy","paused":false,"last_ran":"1970-01-01T00:00:01Z"`) || strings.Contains(got, "secret") {
		t.Error(got)
	}
}
