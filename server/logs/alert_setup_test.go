package logs

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// watched is a world with a clock and channels, whose alerts the test looks at.
type watched struct {
	world
	clock *atomic.Int64
	posts *posts
}

// posts is what channels were told.
type posts struct {
	mu   sync.Mutex
	sent []AlertMessage
	// fail is what the next messages end in.
	fail error
	// gone are channels that are deleted.
	gone map[string]bool
}

func (p *posts) Channels(_ context.Context, team int64) ([]AlertChannel, error) {
	list := []AlertChannel{}
	for _, c := range []AlertChannel{{ID: "hook", Kind: TellWebhook, Name: "ops", Summary: "https://example.com", Enabled: true}, {ID: "off", Kind: TellMail, Name: "night", Enabled: false}} {
		if team == 1 && !p.gone[c.ID] {
			list = append(list, c)
		}
	}
	return list, nil
}

func (p *posts) Tell(_ context.Context, team int64, channel string, m AlertMessage) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return 0, p.fail
	}
	if channel != "hook" || team != 1 {
		return 0, problem.New(problem.Conflict, "The channel night is switched off.")
	}
	p.sent = append(p.sent, m)
	return int64(len(p.sent)), nil
}

func (p *posts) Told(_ context.Context, messages []int64) (map[int64]AlertTold, error) {
	out := map[int64]AlertTold{}
	for _, id := range messages {
		out[id] = AlertTold{State: "sent", EndedAt: noon}
	}
	return out, nil
}

// take gives the titles of what was told since the last time.
func (p *posts) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := []string{}
	for _, m := range p.sent {
		out = append(out, m.Title)
	}
	p.sent = nil
	return out
}

func (p *posts) last(t *testing.T) AlertMessage {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.sent) == 0 {
		t.Fatal("nobody was told")
	}
	return p.sent[len(p.sent)-1]
}

func setupAlerts(t *testing.T) *watched {
	t.Helper()
	w := &watched{world: setupRows(t), clock: &atomic.Int64{}, posts: &posts{gone: map[string]bool{}}}
	ids := atomic.Int64{}
	w.Now = func() time.Time { return noon.Add(time.Duration(w.clock.Load())) }
	w.NewID = func() string { return fmt.Sprintf("%032x", ids.Add(1)) }
	w.PublicURL = func() string { return "https://signalbox.example.com" }
	w.TeamName = func(_ context.Context, id int64) (string, error) {
		return map[int64]string{1: "reds", 2: "blues"}[id], nil
	}
	w.AlertTeller = w.posts
	return w
}

// pass lets time go by.
func (w *watched) pass(d time.Duration) { w.clock.Add(int64(d)) }

// look lets a minute go by and evaluates what is due.
func (w *watched) look(minutes ...int) {
	w.Helper()
	for range append(minutes, 1)[0] {
		w.pass(time.Minute)
		if err := w.watchAlerts(w.Context()); err != nil {
			w.Fatal(err)
		}
	}
}

// lines sends lines of one stream, a second ago.
func (w *watched) lines(n int, service, message string, fields ...string) {
	w.Helper()
	var body strings.Builder
	for i := range n {
		line := map[string]any{"time": w.Now().Add(-time.Second).Add(time.Duration(i) * time.Microsecond), "service": service, "msg": message}
		for _, f := range fields {
			name, value, _ := strings.Cut(f, "=")
			line[name] = value
		}
		body.WriteString(written(line) + "\n")
	}
	if status, text := w.call("POST", "/insert/jsonline?_stream_fields=service", body.String(), red); status != http.StatusOK {
		w.Fatal(status, text)
	}
}

// make makes an alert and gives its id.
func (w *watched) make(name string, condition AlertCondition, more ...string) string {
	w.Helper()
	extra := ""
	if len(more) > 0 {
		extra = "," + more[0]
	}
	body := fmt.Sprintf(`{"team":"reds","name":%q,"condition":%s,"actions":[{"type":"webhook","target":"hook"}]%s}`, name, written(condition), extra)
	status, text := w.call("POST", alertsPath, body, red, isJSON)
	var made alertShape
	if err := json.Unmarshal([]byte(text), &made); err != nil || status != http.StatusCreated {
		w.Fatal(status, text, err)
	}
	return made.ID
}

const alertsPath = "/api/v1/logs/alerts"

func (w *watched) alert(id string) alertShape {
	w.Helper()
	var a alertShape
	w.read(alertsPath+"/"+id, &a)
	return a
}

func (w *watched) history(id string) []pastFiring {
	w.Helper()
	var page firingPage
	w.read(alertsPath+"/"+id+"/history", &page)
	return page.Items
}

func (w *watched) read(path string, out any) {
	w.Helper()
	status, text := w.call("GET", path, "", red)
	if err := json.Unmarshal([]byte(text), out); err != nil || status != http.StatusOK {
		w.Fatal(path, status, text, err)
	}
}

func (w *watched) change(id, body string) {
	w.Helper()
	if status, text := w.call("PATCH", alertsPath+"/"+id, body, red, isJSON); status != http.StatusOK {
		w.Fatal(status, text)
	}
}

// told fails unless exactly these titles were told since the last time.
func (w *watched) told(when string, titles ...string) {
	w.Helper()
	if got := w.posts.take(); strings.Join(got, "|") != strings.Join(titles, "|") {
		w.Errorf("%s: told %q, not %q", when, got, titles)
	}
}
