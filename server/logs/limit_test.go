package logs

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
)

const limitsPath = "/api/v1/logs/limits"

func TestLimitsOfTeams(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	tests := []struct {
		name, method, body, token string
		status                    int
		want                      string
	}{
		{"from the start", "GET", "", reader, 200, `{"retention_days":0,"retention_bytes":0,"lines_per_second":0,"bytes_per_day":0,"ceiling":{"retention_days":30,"retention_bytes":1073741824},"today_lines":0,"today_bytes":0,"updated_by":""}`},
		{"another team's", "GET", "", blue, 404, ""},
		{"a change by who may only read", "PUT", `{"team":"reds"}`, reader, 403, ""},
		{"a change of another team's", "PUT", `{"team":"reds"}`, blue, 404, ""},
		{"more days than the installation keeps", "PUT", `{"team":"reds","retention_days":31}`, red, 400, `"field":"retention_days"`},
		{"more bytes", "PUT", `{"team":"reds","retention_bytes":1073741825}`, red, 400, `"field":"retention_bytes"`},
		{"less than nothing", "PUT", `{"team":"reds","lines_per_second":-1}`, red, 400, `"field":"lines_per_second"`},
		{"hardly anything", "PUT", `{"team":"reds","bytes_per_day":17}`, red, 400, `"field":"bytes_per_day"`},
		{"a change", "PUT", `{"team":"reds","retention_days":7,"retention_bytes":67108864,"lines_per_second":5}`, red, 200, `"updated_at":"2026-11-20T12:00:00Z","updated_by":"red"`},
	}
	for _, test := range tests {
		path := limitsPath
		if test.method == "GET" {
			path += "?team=reds"
		}
		if status, text := w.call(test.method, path, test.body, test.token, isJSON); status != test.status || !strings.Contains(text, test.want) {
			t.Errorf("%s: %d %s", test.name, status, text)
		}
	}
	if kept := w.RetentionOf(1); kept.Age != 7*24*time.Hour || kept.Bytes != 64<<20 {
		t.Errorf("%+v", kept)
	}
	if kept := w.RetentionOf(2); kept.Age != 30*24*time.Hour || kept.Bytes != 1<<30 {
		t.Errorf("another team's: %+v", kept)
	}
	// The installation has become stricter since.
	w.Retention = func(int64) store.Retention { return store.Retention{Age: 24 * time.Hour} }
	if kept := w.RetentionOf(1); kept.Age != 24*time.Hour || kept.Bytes != 64<<20 {
		t.Errorf("%+v", kept)
	}
}

func TestTooManyLines(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	if status, text := w.call("PUT", limitsPath, `{"team":"reds","lines_per_second":5}`, red, isJSON); status != http.StatusOK {
		t.Fatal(status, text)
	}
	send := func(path, body, token string) (int, string) {
		t.Helper()
		res, err := http.NewRequestWithContext(t.Context(), "POST", w.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		name, value, _ := strings.Cut(token, ": ")
		res.Header.Set(name, value)
		answer, err := http.DefaultClient.Do(res)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode, answer.Header.Get("Retry-After")
	}
	batch := strings.Repeat(`{"msg":"tick"}`+"\n", 60) // more than may come at once gets in all the same
	bulk := strings.Repeat("{\"create\":{}}\n{\"message\":\"tick\"}\n", 3)
	for i, step := range []struct {
		path, body, token string
		status            int
		after             string
	}{
		{"/insert/jsonline", batch, red, 200, ""}, {"/insert/jsonline", batch, red, 429, "3"}, {"/elasticsearch/_bulk", bulk, red, 429, "3"}, {"/insert/jsonline", batch, blue, 200, ""},
	} {
		if status, after := send(step.path, step.body, step.token); status != step.status || after != step.after {
			t.Errorf("step %d: %d, again after %q", i, status, after)
		}
	}
	w.pass(3 * time.Second)
	if status, _ := send("/insert/jsonline", `{"msg":"tick"}`, red); status != 200 {
		t.Error("after the time named:", status)
	}
	// Who cannot be told to wait loses what is too much, and that is counted.
	w.pass(-3 * time.Second)
	if err := w.Accept(t.Context(), Batch{Team: 1, Source: "syslog", Records: make([]record.Record, 60), Drop: true}); err != nil {
		t.Fatal(err)
	}
	if err := w.Accept(t.Context(), Batch{Team: 1, Source: "syslog", Records: make([]record.Record, 4), Drop: true}); err != nil {
		t.Fatal(err)
	}
	_, text := w.call("GET", "/api/v1/logs/sources?team=reds", "", red)
	for _, want := range []string{`{"reason":"a request was refused: The team's limit of 5 lines a second is reached.","count":1,`, `{"reason":"The team's limit of 5 lines a second is reached.","count":4,`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s lacks %s", text, want)
		}
	}
}

func TestTooManyBytes(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	line := strings.Repeat(`{"msg":"`+strings.Repeat("tick ", 5_000)+`"}`+"\n", 8)
	send := func(want int) {
		t.Helper()
		if status, text := w.call("POST", "/insert/jsonline", line, red); status != want {
			t.Fatal(status, text)
		}
	}
	for range 3 {
		send(200) // counted before there is a limit
	}
	if status, text := w.call("PUT", limitsPath, `{"team":"reds","bytes_per_day":1048576}`, red, isJSON); status != http.StatusOK || !strings.Contains(text, `"today_lines":24,"today_bytes":600`) {
		t.Fatal(status, text)
	}
	for range 3 {
		send(200)
	}
	send(429)
	// Another start of the server knows what came today.
	w.Stop(t.Context())
	w.limits.teams = nil
	send(429)
	w.pass(11*time.Hour + 59*time.Minute)
	send(429)
	w.pass(2 * time.Minute)
	send(200)
	var l TeamLimits
	w.read(limitsPath+"?team=reds", &l)
	if l.TodayLines != 8 || l.TodayBytes < 200_000 {
		t.Errorf("%+v", l)
	}
	if err := w.rows.addUsage(t.Context(), 99, 1, usage{1, 1}); err != nil {
		t.Error("a team that is gone:", err)
	}
}

// TestRetentionOfTeams: what is let go of follows the team's own limit, and nothing
// goes while that cannot be read.
func TestRetentionOfTeams(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	lines, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Memory: 32 << 20, Now: w.Now, Retention: func(team int64) store.Retention { return w.RetentionOf(team) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lines.Close(); err != nil {
			t.Error(err)
		}
	})
	w.Store.Store = lines
	for _, token := range []string{red, blue} {
		if status, text := w.call("POST", "/insert/jsonline", `{"time":"2026-11-15T12:00:00Z","msg":"old"}`+"\n"+`{"time":"2026-11-20T11:59:50Z","msg":"young"}`, token); status != http.StatusOK {
			t.Fatal(status, text)
		}
	}
	if status, text := w.call("PUT", limitsPath, `{"team":"blues","retention_days":2}`, blue, isJSON); status != http.StatusOK {
		t.Fatal(status, text)
	}
	if err := lines.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	days := func() string { return fmt.Sprint(len(lines.Sizes(1)), len(lines.Sizes(2))) }
	w.limits.known = nil // as after a start
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.retain(gone); err == nil || days() != "2 2" {
		t.Error("before the limits are known:", err, days())
	}
	if err := w.retain(t.Context()); err != nil || days() != "2 1" {
		t.Error(err, days())
	}
	_, text := w.call("GET", "/api/v1/logs/sizes?team=blues", "", blue)
	if !strings.Contains(text, `"retention":{"days":2,`) {
		t.Error(text)
	}
}

// TestNotKept: what is counted and then not kept is given back.
func TestNotKept(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	if status, text := w.call("PUT", limitsPath, `{"team":"reds","lines_per_second":1}`, red, isJSON); status != http.StatusOK {
		t.Fatal(status, text)
	}
	for range 3 {
		if err := w.admit(t.Context(), 1, 10, 100); err != nil {
			t.Fatal(err)
		}
		w.giveBack(1, 10, 100)
	}
	w.giveBack(99, 1, 1) // a team that never sent
	if l, err := w.LimitsOf(t.Context(), 1); err != nil || l.TodayLines != 0 || l.TodayBytes != 0 {
		t.Errorf("%+v %v", l, err)
	}
	if err := w.admit(t.Context(), 1, 10, 100); err != nil {
		t.Fatal(err)
	}
	// What cannot be written down is written down later.
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.flushUsage(gone); err == nil {
		t.Error("a failure was kept secret")
	}
	if l, err := w.LimitsOf(t.Context(), 1); err != nil || l.TodayLines != 10 || l.TodayBytes != 100 {
		t.Errorf("%+v %v", l, err)
	}
}
