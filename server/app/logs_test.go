package app_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/app"
)

// logs runs one of the log commands against a server as a program would.
func (r *running) logs(t *testing.T, code int, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, failed bytes.Buffer
	if got := app.Main(ctx, append([]string{"logs"}, args...), &out, &failed); got != code {
		t.Fatalf("logs %q: exit %d, %s%s", args, got, out.String(), failed.String())
	}
	return out.String() + failed.String()
}

// TestLogCommands imports old files in the forms they lie about in, and searches them. It sets the environment, so it
// runs alone.
func TestLogCommands(t *testing.T) {
	r := start(t)
	t.Setenv("SIGNALBOX_URL", r.URL())
	t.Setenv("SIGNALBOX_TOKEN", "")
	if text := r.logs(t, 2, "search"); !strings.Contains(text, "SIGNALBOX_TOKEN") {
		t.Error(text)
	}
	t.Setenv("SIGNALBOX_TOKEN", r.token)
	stamp := time.Now().UTC().Add(-time.Minute).Format("2006-01-02 15:04:05")
	plain, packed := filepath.Join(t.TempDir(), "shop.log"), filepath.Join(t.TempDir(), "api.log.gz")
	if err := os.WriteFile(plain, []byte(stamp+" ERROR cannot charge\x1b[2Jcard\n\n"+stamp+" INFO charged\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write([]byte(`{"time":"` + stamp + `","level":"warn","msg":"slow","ms":900}` + "\n")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(packed, z.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if text := r.logs(t, 0, "import", plain, packed); !strings.Contains(text, "shop.log: 2 lines taken, 0 refused") || !strings.Contains(text, "api.log.gz: 1 lines taken") {
		t.Error(text)
	}
	// A line from elsewhere cannot steer the terminal.
	if text := r.logs(t, 0, "search", "service:shop", "level:error"); strings.Count(text, "\n") != 1 || !strings.Contains(text, "error shop "+stamp+" ERROR cannot charge·[2Jcard") {
		t.Errorf("%q", text)
	}
	if text := r.logs(t, 0, "search", "ms:>800 | fields service, ms"); text != "service\tms\napi\t900\n" {
		t.Errorf("%q", text)
	}
	if text := r.logs(t, 1, "search", "(x"); !strings.Contains(text, "This bracket is not closed.") {
		t.Error(text)
	}
	if text := r.logs(t, 1, "import", filepath.Join(t.TempDir(), "missing")); !strings.Contains(text, "missing") {
		t.Error(text)
	}
}

// TestDemoLogs: the sample shop's day of lines, with the incident that the pages are to show.
func TestDemoLogs(t *testing.T) {
	t.Parallel()
	a := start(t)
	if err := app.PlayLogs(t.Context(), a.App, a.token); err != nil {
		t.Fatal(err)
	}
	type found struct {
		Rows  [][]string
		Stats struct{ Lines, Matched int64 }
	}
	ask := func(query string) found {
		t.Helper()
		var f found
		a.call(t, "POST", "/api/v1/logs/search", map[string]any{"team": "acme", "query": query, "from": time.Now().Add(-25 * time.Hour)}, &f)
		return f
	}
	if f := ask("| stats count()"); len(f.Rows) != 1 || f.Rows[0][0] != "50000" {
		t.Errorf("%+v", f)
	}
	if f := ask("level:>=error | stats count() by (service)"); len(f.Rows) != 3 {
		t.Errorf("%+v", f.Rows)
	}
	if f := ask(`"too many clients" | stats count() by (host)`); len(f.Rows) != 1 || f.Rows[0][0] != "db-1" {
		t.Errorf("%+v", f.Rows)
	}
	var saved struct{ Items []struct{ Query string } }
	a.call(t, "GET", "/api/v1/logs/searches?team=acme", nil, &saved)
	if len(saved.Items) != 1 || ask(saved.Items[0].Query).Stats.Matched == 0 {
		t.Errorf("%+v", saved)
	}
	// The alert would have told of the incident, and of nothing else.
	var alerts struct {
		Items []struct{ Condition map[string]any }
	}
	a.call(t, "GET", "/api/v1/logs/alerts?team=acme", nil, &alerts)
	var shown struct {
		Count   int64
		Firings []struct{ At time.Time }
	}
	a.call(t, "POST", "/api/v1/logs/alerts/preview", map[string]any{"team": "acme", "condition": alerts.Items[0].Condition}, &shown)
	if shown.Count == 0 || shown.Firings[len(shown.Firings)-1].At.Before(time.Now().Add(-2*time.Hour)) {
		t.Errorf("%+v", shown)
	}
}

// TestLogsOfSentryClients: what an SDK sends as logs is found among the lines, with its trace.
func TestLogsOfSentryClients(t *testing.T) {
	t.Parallel()
	a := start(t)
	var project struct{ ID int64 }
	a.call(t, "POST", "/api/v1/issues/projects", map[string]any{"team": "main", "slug": "shop", "name": "Shop", "platform": "javascript"}, &project)
	var keys struct{ Items []struct{ ID string } }
	a.call(t, "GET", fmt.Sprintf("/api/v1/issues/projects/%d/keys", project.ID), nil, &keys)
	items := fmt.Sprintf(`{"items":[{"timestamp":%d,"level":"warn","body":"card declined","trace_id":"771a43a4192642f0b136d5159a501700","severity_number":13,`+
		`"attributes":{"sentry.environment":{"value":"production","type":"string"},"cents":{"value":1200,"type":"integer"}}}]}`, time.Now().Unix())
	envelope := "{}\n" + fmt.Sprintf(`{"type":"log","item_count":1,"content_type":"application/vnd.sentry.items.log+json","length":%d}`, len(items)) + "\n" + items + "\n"
	req, err := http.NewRequestWithContext(t.Context(), "POST", fmt.Sprintf("%s/api/%d/envelope/?sentry_key=%s", a.URL(), project.ID, keys.Items[0].ID), strings.NewReader(envelope))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.Header.Get("X-Sentry-Rate-Limits") != "" {
		t.Fatal(answer.Status, answer.Header)
	}
	eventually(t, "the line", func() bool {
		var found struct {
			Lines []struct {
				Level, Message string
				Labels         map[string]string
				Fields         []struct{ Name, Value string }
			}
		}
		a.call(t, "POST", "/api/v1/logs/search", map[string]any{"team": "main", "query": "trace_id:771a43a4192642f0b136d5159a501700 cents:>1000"}, &found)
		return len(found.Lines) == 1 && found.Lines[0].Level == "warn" && found.Lines[0].Message == "card declined" && found.Lines[0].Labels["service"] == "shop" && found.Lines[0].Labels["env"] == "production"
	})
}
