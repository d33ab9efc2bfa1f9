package logs

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
)

const (
	searchesPath = "/api/v1/logs/searches"
	linksPath    = "/api/v1/logs/links"
)

func decode(t *testing.T, text string, out any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), out); err != nil {
		t.Fatal(err, text)
	}
}

func TestSavedSearches(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	id := strings.Repeat("0", 31)
	tests := []struct {
		name, method, path, body, token string
		status                          int
		want                            string
	}{
		{"none yet", "GET", searchesPath + "?team=reds", "", reader, 200, `{"items":[]}`},
		{"saved by who may only read", "POST", searchesPath, `{"team":"reds","name":"x","query":""}`, reader, 403, ""},
		{"saved for another team", "POST", searchesPath, `{"team":"reds","name":"x","query":""}`, blue, 404, ""},
		{"without a name", "POST", searchesPath, `{"team":"reds","name":" ","query":""}`, red, 400, `"field":"name"`},
		{"a bad query", "POST", searchesPath, `{"team":"reds","name":"x","query":"(a"}`, red, 400, `"field":"query"`},
		{"a bad time", "POST", searchesPath, `{"team":"reds","name":"x","query":"a","from":"yesterday"}`, red, 400, `"field":"from"`},
		{"a bad column", "POST", searchesPath, `{"team":"reds","name":"x","query":"a","columns":[""]}`, red, 400, `"field":"columns"`},
		{"saved", "POST", searchesPath, `{"team":"reds","name":"slow ones","query":"ms:>9 | sort by (ms)","from":"now-90m","to":"now","columns":["ms","service"]}`, red, 201,
			`"name":"slow ones","query":"ms:>9 | sort by (ms)","from":"now-90m","to":"now","columns":["ms","service"],"shared":false,"mine":true,"created_by":"red"`},
		{"saved for all", "POST", searchesPath, `{"team":"reds","name":"Errors","query":"level:error","from":"2026-11-20T10:00:00Z","to":"2026-11-20T11:00:00+01:00","shared":true}`, red, 201, `"columns":[],"shared":true`},
		{"by name", "GET", searchesPath + "?team=reds", "", red, 200, `"name":"Errors"`},
		{"another team's", "GET", searchesPath + "?team=reds", "", blue, 404, ""},
		{"another team's change", "PATCH", searchesPath + "/" + id + "1", `{"name":"x"}`, blue, 404, ""},
		{"a change by who may only read", "PATCH", searchesPath + "/" + id + "1", `{"name":"x"}`, reader, 403, ""},
		{"a bad change", "PATCH", searchesPath + "/" + id + "1", `{"to":"never"}`, red, 400, `"field":"to"`},
		{"a change", "PATCH", searchesPath + "/" + id + "1", `{"name":"Slow","columns":[]}`, red, 200, `"name":"Slow","query":"ms:>9 | sort by (ms)","from":"now-90m","to":"now","columns":[]`},
		{"a link to it", "GET", linksPath + "/" + id + "1", "", reader, 200, `"name":"Slow"`},
		{"forgotten by another", "DELETE", searchesPath + "/" + id + "1", "", blue, 404, ""},
		{"forgotten", "DELETE", searchesPath + "/" + id + "1", "", red, 204, ""},
		{"gone", "DELETE", searchesPath + "/" + id + "1", "", red, 404, ""},
	}
	for _, test := range tests {
		if status, text := w.call(test.method, test.path, test.body, test.token, isJSON); status != test.status || !strings.Contains(text, test.want) {
			t.Errorf("%s: %d %s", test.name, status, text)
		}
	}
}

// TestWhoseSearch: what is not shared only its maker sees.
func TestWhoseSearch(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	as := func(user int64, name string) identity.Caller {
		return identity.Caller{UserID: user, Name: name, Roles: map[int64]identity.Role{1: identity.Member}, Teams: map[string]identity.Team{"reds": {ID: 1, Name: "reds"}}}
	}
	ada, bob := identity.With(t.Context(), as(7, "ada")), identity.With(t.Context(), as(8, "bob"))
	text, yes, no := "mine", true, false
	v, err := w.SaveSearch(ada, 1, SavedChange{Name: &text})
	if err != nil {
		t.Fatal(err)
	}
	if list, err := w.SavedSearches(bob, 1); err != nil || len(list) != 0 {
		t.Errorf("%+v %v", list, err)
	}
	if _, err := w.ChangeSearch(bob, v.ID, SavedChange{Shared: &yes}); err == nil {
		t.Error("another shared it")
	}
	if _, err := w.ChangeSearch(ada, v.ID, SavedChange{Shared: &yes}); err != nil {
		t.Error(err)
	}
	if list, err := w.SavedSearches(bob, 1); err != nil || len(list) != 1 || list[0].Mine || list[0].CreatedBy != "ada" {
		t.Errorf("%+v %v", list, err)
	}
	if _, err := w.ChangeSearch(bob, v.ID, SavedChange{Shared: &no}); err == nil {
		t.Error("another took it away")
	}
	if v, err := w.ChangeSearch(bob, v.ID, SavedChange{Query: &text}); err != nil || v.Query != "mine" || v.Mine {
		t.Errorf("%+v %v", v, err)
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	body := `{"team":"reds","query":"oops","from":"2026-11-20T10:00:00Z","to":"2026-11-20T11:00:00Z","columns":["ms"]}`
	var first, again, other, found SavedSearch
	for _, made := range []struct {
		body string
		out  *SavedSearch
	}{{body, &first}, {body, &again}, {strings.Replace(body, "oops", "ouch", 1), &other}} {
		status, text := w.call("POST", linksPath, made.body, red, isJSON)
		if decode(t, text, made.out); status != 201 {
			t.Fatal(status, text)
		}
	}
	if len(first.ID) != 20 || first.ID != again.ID || first.ID == other.ID {
		t.Error(first.ID, again.ID, other.ID)
	}
	w.read(linksPath+"/"+first.ID, &found)
	if found.Query != "oops" || found.From != "2026-11-20T10:00:00Z" || len(found.Columns) != 1 {
		t.Errorf("%+v", found)
	}
	for name, test := range map[string]struct {
		method, path, body, token string
		status                    int
	}{
		"times that move":     {"POST", linksPath, strings.Replace(body, "2026-11-20T10:00:00Z", "now-1h", 1), red, 400},
		"another team's":      {"GET", linksPath + "/" + first.ID, "", blue, 404},
		"one that is not":     {"GET", linksPath + "/nothing", "", red, 404},
		"a link is no search": {"DELETE", searchesPath + "/" + first.ID, "", red, 404},
	} {
		if status, text := w.call(test.method, test.path, test.body, test.token, isJSON); status != test.status {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if _, text := w.call("GET", searchesPath+"?team=reds", "", red); strings.TrimSpace(text) != `{"items":[]}` {
		t.Error("links are listed:", text)
	}
	w.pass(linksKept + time.Hour)
	if err := w.sweepAlerts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, _ := w.call("GET", linksPath+"/"+first.ID, "", red); status != 404 {
		t.Error("links stay for ever")
	}
}
