package logs

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/databasetest"
)

// setupRows is setup with a database.
func setupRows(t *testing.T) world {
	t.Helper()
	w := setup(t)
	db := databasetest.Open(t)
	for id, name := range []string{"reds", "blues"} {
		if err := db.Writer(t.Context()).Exec("INSERT INTO accounts_teams (id, name, created_at) VALUES (?, ?, 0)", id+1, name).Error; err != nil {
			t.Fatal(err)
		}
	}
	w.DB, w.rows = db, rows{db}
	w.Retention = func(int64) store.Retention { return store.Retention{Age: 30 * 24 * time.Hour, Bytes: 1 << 30} }
	return w
}

func TestSources(t *testing.T) {
	t.Parallel()
	w := setupRows(t)
	w.push()
	for range 2 {
		w.call("POST", "/insert/jsonline", "{\"a\":1}\n\xff\n", red)
		w.call("POST", "/insert/jsonline", "{\"msg\":\"x\"}\n", blue)
		if status, text := w.call("POST", "/loki/api/v1/push", "{", red, isJSON); status != http.StatusBadRequest {
			t.Fatal(status, text)
		}
		// Counts add up over several rounds of writing them down.
		if err := w.flushSources(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	status, text := w.call("GET", "/api/v1/logs/sources?team=reds", "", reader)
	var out sourcesOut
	if err := json.Unmarshal([]byte(text), &out); err != nil || status != http.StatusOK || len(out.Sources) != 2 {
		t.Fatal(status, text, err)
	}
	lines, lokis := out.Sources[0], out.Sources[1]
	if lines.Source != "jsonline" || lines.Lines != 2 || lines.Bytes == 0 || !lines.Last.Equal(noon) || fmt.Sprint(lines.Rejected) != fmt.Sprint([]Rejection{{"a line is neither JSON nor text", 2, noon}}) {
		t.Errorf("%+v", lines)
	}
	if lokis.Source != "loki" || lokis.Lines != 3 || len(lokis.Rejected) != 1 || !strings.HasPrefix(lokis.Rejected[0].Reason, "a request was refused: ") || lokis.Rejected[0].Count != 2 {
		t.Errorf("%+v", lokis)
	}
	if status, _ := w.call("GET", "/api/v1/logs/sources?team=reds", "", blue); status != http.StatusNotFound {
		t.Errorf("another team's: %d", status)
	}
}

func TestManyReasons(t *testing.T) {
	t.Parallel()
	w := setupRows(t)
	for round := range 2 {
		for i := range maxReasons + 20 {
			w.sources.reject(1, "elastic", map[string]int{fmt.Sprintf("reason %d of %d%s", i, round, strings.Repeat("é", 200)): 1}, noon)
		}
		if err := w.flushSources(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.sources.reject(99, "elastic", map[string]int{"of a team that is gone": 1}, noon)
	list, err := w.Sources(t.Context(), 1)
	if err != nil || len(list) != 1 || len(list[0].Rejected) > maxReasons+1 {
		t.Fatalf("%d sources: %v", len(list), err)
	}
	sum := int64(0)
	for _, r := range list[0].Rejected {
		sum += r.Count
	}
	if sum != 2*(maxReasons+20) {
		t.Errorf("%d lines were counted", sum)
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	w := setupRows(t)
	w.push()
	status, text := w.call("GET", "/api/v1/logs/sizes?team=reds", "", reader)
	var out sizesOut
	if err := json.Unmarshal([]byte(text), &out); err != nil || status != http.StatusOK {
		t.Fatal(status, text, err)
	}
	if len(out.Days) != 1 || out.Days[0].Day != "2026-11-20" || out.Days[0].Lines != 3 || len(out.Streams) != 2 || out.Streams[0].Lines != 2 || out.Retention != (retentionOut{30, 1 << 30}) || out.Forecast != nil {
		t.Errorf("%s", text)
	}
	if status, _ := w.call("GET", "/api/v1/logs/sizes?team=reds", "", blue); status != http.StatusNotFound {
		t.Errorf("another team's: %d", status)
	}
}

func TestForecast(t *testing.T) {
	t.Parallel()
	days := func(disk ...int64) (list []store.DaySize) { // the last is today
		for i, n := range disk {
			list = append(list, store.DaySize{Day: noon.Truncate(24*time.Hour).AddDate(0, 0, i+1-len(disk)), Disk: n})
		}
		return list
	}
	month := store.Retention{Age: 30 * 24 * time.Hour, Bytes: 1000}
	tests := []struct {
		name string
		days []store.DaySize
		kept store.Retention
		want int // -1 is never
	}{
		{"nothing yet", nil, month, -1},
		{"little", days(10, 10, 10), month, -1},
		{"much", days(100, 100, 50), month, 7},
		{"today alone", days(100), month, 9},
		{"full", days(500, 500, 500), month, 0},
		{"no limit", days(500, 500), store.Retention{}, -1},
		{"kept for ever", days(10, 10), store.Retention{Bytes: 1000}, 98},
		{"a day without lines counts", append(days(100, 0, 0, 100, 0)[:1], days(100, 0)...), month, 16},
	}
	for _, test := range tests {
		got := -1
		if left := forecast(test.days, test.kept, noon); left != nil {
			got = *left
		}
		if got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}
