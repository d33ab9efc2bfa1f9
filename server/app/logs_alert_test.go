package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/databasetest"
)

// furnishLogs makes an alert about log lines, a saved search and a short link.
func (c *client) furnishLogs(t *testing.T, w team) {
	t.Helper()
	var alert, search, link struct{ ID string }
	c.call(t, "POST", "/api/v1/logs/alerts", map[string]any{"team": w.name, "name": "errors", "condition": map[string]any{"kind": "threshold", "query": "level:error", "minutes": 5, "value": 10},
		"actions": []any{map[string]any{"type": "webhook", "target": w.things["channels/:id"]}}}, &alert)
	c.call(t, "POST", "/api/v1/logs/searches", map[string]any{"team": w.name, "name": "errors", "query": "level:error", "shared": true}, &search)
	c.call(t, "POST", "/api/v1/logs/links", map[string]any{"team": w.name, "query": "level:error", "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}, &link)
	w.things["alerts/:alert"], w.things["searches/:search"], w.things["links/:link"] = alert.ID, search.ID, link.ID
}

// sendLines sends lines of a service as a shipper does.
func (c *client) sendLines(t *testing.T, n int, service, message string) {
	t.Helper()
	var body strings.Builder
	for range n {
		fmt.Fprintf(&body, `{"time":%q,"service":%q,"msg":%q}`+"\n", time.Now().UTC().Format(time.RFC3339Nano), service, message)
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", c.url+"/insert/jsonline?_stream_fields=service", strings.NewReader(body.String()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("X-Scope-OrgID", "main")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status)
	}
}

type logAlert struct {
	ID, State string
	Value     *float64
}

type logAlertHistory struct {
	Items []struct {
		URL        string
		Deliveries []struct{ State string }
	}
}

// TestLogAlertsSurviveAKill kills the server whenever an alert begins to fire: each
// firing is noted and told once.
func TestLogAlertsSurviveAKill(t *testing.T) {
	t.Parallel()
	office := openPostOffice(t)
	p := launchWithMail(t, office, t.TempDir(), databasetest.URL(t))
	channel := p.mailChannel(t)
	var made []logAlert
	for n := range 2 {
		service := fmt.Sprintf("service-%d", n)
		p.sendLines(t, 5, service, "connection refused")
		var a logAlert
		p.call(t, "POST", "/api/v1/logs/alerts", map[string]any{"team": "main", "name": "Alert " + service, "throttle_minutes": 0,
			"condition": map[string]any{"kind": "threshold", "query": "refused service:" + service, "minutes": 60, "value": 4},
			"actions":   []any{map[string]any{"type": "mail", "target": channel}}}, &a)
		made = append(made, a)
		p.end(syscall.SIGKILL) // the loop is looking now, or the letter is on its way
		p.start()
	}
	for _, a := range made {
		eventually(t, "the alert to fire", func() bool {
			var now logAlert
			p.call(t, "GET", "/api/v1/logs/alerts/"+a.ID, nil, &now)
			return now.State == "firing" && *now.Value == 5
		})
		var h logAlertHistory
		eventually(t, "its letter", func() bool {
			p.call(t, "GET", "/api/v1/logs/alerts/"+a.ID+"/history", nil, &h)
			return len(h.Items) > 0 && len(h.Items[0].Deliveries) > 0 && h.Items[0].Deliveries[0].State == "sent"
		})
		if len(h.Items) != 1 || len(h.Items[0].Deliveries) != 1 || !strings.Contains(h.Items[0].URL, "/teams/main/logs?") {
			t.Errorf("%+v", h)
		}
	}
	// A letter whose sending was killed may come again; that it is another one may not.
	got := office.subjects()
	slices.Sort(got)
	if got = slices.Compact(got); len(got) != len(made) {
		t.Errorf("%q", got)
	}
	for n, subject := range got {
		if subject != fmt.Sprintf("Alert service-%d: 5 lines", n) {
			t.Errorf("%q", subject)
		}
	}
}
