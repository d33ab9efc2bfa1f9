package issues

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/stream"
)

func TestProjects(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	collect(w.Service)
	w.run(t)
	var p Project
	w.call(t, "POST", "/api/v1/issues/projects", map[string]any{"team": "main", "name": " Web Shop! ", "platform": "python-django"}, 201, &p)
	if p.Slug != "web-shop" || p.Name != "Web Shop!" || p.TeamName != "main" || p.ID == 0 || p.Origins == nil || p.Limits == nil {
		t.Errorf("%+v", p)
	}
	var second Project
	w.call(t, "POST", "/api/v1/issues/projects", map[string]any{"team": "main", "name": "Web shop"}, 201, &second)
	if second.Slug != "web-shop-2" || second.ID == p.ID {
		t.Errorf("%+v", second)
	}
	for _, c := range []struct {
		method, path string
		body         map[string]any
		status       int
		contains     string
	}{
		{"POST", "/projects", map[string]any{"team": "main", "name": "x", "slug": "web-shop"}, 409, "already"},
		{"POST", "/projects", map[string]any{"team": "main", "name": "x", "slug": "Web Shop"}, 400, "slug"},
		{"POST", "/projects", map[string]any{"team": "main", "name": "x", "slug": "42"}, 400, "slug"},
		{"POST", "/projects", map[string]any{"team": "main", "name": ""}, 400, ""},
		{"POST", "/projects", map[string]any{"team": "main", "name": "a\nb"}, 400, "name"},
		{"POST", "/projects", map[string]any{"team": "other", "name": "x"}, 404, ""},
		{"PATCH", "/projects/1", map[string]any{"slug": "web-shop-2"}, 409, "already"},
		{"PATCH", "/projects/1", map[string]any{"origins": []string{"http://a b"}}, 400, "origin"},
		{"PATCH", "/projects/1", map[string]any{"limits": []Limit{{"error", 5, "day"}}}, 400, "minute"},
		{"PATCH", "/projects/1", map[string]any{"limits": []Limit{{"errors", 5, PerHour}}}, 400, "category"},
		{"PATCH", "/projects/1", map[string]any{"limits": []Limit{{"error", 5, PerHour}, {"error", 6, PerHour}}}, 400, "two"},
		{"PATCH", "/projects/1", map[string]any{"limits": []Limit{{"error", -5, PerHour}}}, 400, "negative"},
		{"PATCH", "/projects/1", map[string]any{"filters": Filters{Addresses: []string{"example.com"}}}, 400, "CIDR"},
		{"PATCH", "/projects/1", map[string]any{"filters": Filters{Errors: []string{"**********************"}}}, 400, "10"},
		{"PATCH", "/projects/1", map[string]any{"retention": Retention{Days: -1}}, 400, "retention"},
		{"PATCH", "/projects/1", map[string]any{"team": "other"}, 400, "team"},
		{"PATCH", "/projects/1", map[string]any{"name": "Shop", "slug": "shop", "platform": "go", "origins": []string{"*"}, "retention": Retention{Days: 30}}, 200, `"slug":"shop"`},
		{"GET", "/projects/1", nil, 200, `"days":30`},
		{"GET", "/projects/99", nil, 404, ""},
		{"GET", "/projects/x", nil, 404, ""},
		{"GET", "/projects?team=main", nil, 200, "web-shop-2"},
		{"GET", "/projects?team=other", nil, 404, ""},
		{"GET", "/projects", nil, 200, "shop"},
		{"GET", "/projects/1/setup", nil, 200, `"platform":"go"`},
		{"DELETE", "/projects/2", nil, 204, ""},
		{"DELETE", "/projects/2", nil, 404, ""},
	} {
		raw := []byte(nil)
		if c.body != nil {
			raw, _ = json.Marshal(c.body)
		}
		a := w.do(c.method, "/api/v1/issues"+c.path, strings.NewReader(string(raw)), "Content-Type", "application/json")
		if a.Code != c.status || !strings.Contains(a.Body.String(), c.contains) {
			t.Errorf("%s %s %s: %s", c.method, c.path, raw, status(a))
		}
	}
	if !slices.Contains(w.audits, "issues.project.create web-shop") || !slices.Contains(w.audits, "issues.project.delete web-shop-2") {
		t.Errorf("%v", w.audits)
	}
	w.role = identity.Viewer
	for _, path := range []string{"POST /projects/1/test-event", "DELETE /projects/1", "POST /projects/1/keys"} {
		method, path, _ := strings.Cut(path, " ")
		if a := w.do(method, "/api/v1/issues"+path, strings.NewReader("{}"), "Content-Type", "application/json"); a.Code != 403 {
			t.Errorf("a viewer may %s %s: %s", method, path, status(a))
		}
	}
}

func TestSlugs(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"Web Shop": "web-shop", "  --a--  b ": "a-b", "Ünïcode": "n-code", "日本": "", "12": "12", strings.Repeat("ab-", 30): strings.Trim(strings.Repeat("ab-", 30)[:50], "-")} {
		if got := slugOf(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	taken := []string{strings.Repeat("a", 50)}
	if got := freeSlug(taken[0], taken); len(got) > 50 || got == taken[0] {
		t.Error(got)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	collect(w.Service)
	w.run(t)
	p, first := w.newProject(t, "shop")
	var k Key
	path := fmt.Sprintf("/api/v1/issues/projects/%d/keys", p.ID)
	w.call(t, "POST", path, map[string]any{"label": "mobile", "limits": []Limit{{"", 100, PerMinute}}}, 201, &k)
	if len(k.Public) != 32 || k.DSN != fmt.Sprintf("https://%s@signalbox.example.com/%d", k.Public, p.ID) || !k.Active {
		t.Errorf("%+v", k)
	}
	if strings.Contains(w.call(t, "GET", path, nil, 200, nil), "secret") {
		t.Error("the list shows secrets")
	}
	w.call(t, "PATCH", "/api/v1/issues/keys/"+first.Public, map[string]any{"label": "web", "active": false}, 200, nil)
	var setup Setup
	w.call(t, "GET", fmt.Sprintf("/api/v1/issues/projects/%d/setup", p.ID), nil, 200, &setup)
	if setup.DSN != k.DSN || !strings.Contains(setup.DSNWithSecret, k.Public+":") || len(setup.Guides) < 8 {
		t.Errorf("%+v", setup)
	}
	for _, g := range setup.Guides {
		if !strings.Contains(g.Code, k.DSN) {
			t.Errorf("%s: no DSN in %s", g.ID, g.Code)
		}
	}
	w.call(t, "DELETE", "/api/v1/issues/keys/"+k.Public, nil, 204, nil)
	w.call(t, "GET", fmt.Sprintf("/api/v1/issues/projects/%d/setup", p.ID), nil, 409, nil)
	w.call(t, "DELETE", "/api/v1/issues/keys/"+k.Public, nil, 404, nil)
	w.call(t, "PATCH", "/api/v1/issues/keys/"+first.Public, map[string]any{"limits": []Limit{{"x", 1, PerHour}}}, 400, nil)
}

func TestTestEventGoesThroughTheIntake(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	c := collect(w.Service)
	w.run(t)
	p, _ := w.newProject(t, "shop")
	var out testEventOut
	path := fmt.Sprintf("/api/v1/issues/projects/%d", p.ID)
	w.call(t, "POST", path+"/test-event", nil, 200, &out)
	got := c.await(t, 1)[0]
	if got.EventID != out.EventID || got.ItemType != "event" || !json.Valid(got.Payload) {
		t.Errorf("%+v", got)
	}
	var after Project
	w.call(t, "GET", path, nil, 200, &after)
	if after.FirstEventAt == 0 || after.LastEventAt == 0 {
		t.Errorf("%+v", after)
	}
	w.mu.Lock()
	told := slices.Contains(w.told, stream.Event{Team: 1, Topic: ingestTopic, ID: fmt.Sprint(p.ID)})
	w.mu.Unlock()
	if !told {
		t.Error("nobody was told")
	}
	w.call(t, "PATCH", path, map[string]any{"limits": []Limit{{"error", 0, PerHour}}}, 200, nil)
	until(t, "the limit holds", func() bool {
		return w.do("POST", "/api/v1/issues/projects/1/test-event", nil).Code == http.StatusTooManyRequests
	})
}

func TestSentrysProjectAPI(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	collect(w.Service)
	w.run(t)
	var p struct {
		ID, Slug, Name string
		Organization   struct{ Slug string }
	}
	w.call(t, "POST", "/api/0/teams/main/main/projects/", map[string]any{"name": "Shop", "platform": "node", "default_rules": true}, 201, &p)
	if p.ID != "1" || p.Slug != "shop" || p.Organization.Slug != "main" {
		t.Errorf("%+v", p)
	}
	for i := range 3 {
		w.call(t, "POST", "/api/0/teams/main/main/projects/", map[string]any{"name": fmt.Sprint("p", i)}, 201, nil)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		contains           string
	}{
		{"POST", "/api/0/teams/main/main/projects/", `{"name":"Shop","slug":"shop"}`, 409, `{"detail":"`},
		{"POST", "/api/0/teams/main/main/projects/", `{"name":""}`, 400, `"name":[`},
		{"POST", "/api/0/teams/main/main/projects/", `{`, 400, `{"detail":"JSON`},
		{"POST", "/api/0/teams/main/second/projects/", `{"name":"x"}`, 404, `{"detail":"`},
		{"POST", "/api/0/teams/other/other/projects/", `{"name":"x"}`, 404, `{"detail":"`},
		{"GET", "/api/0/organizations/main/projects/", "", 200, `"slug":"p2"`},
		{"GET", "/api/0/teams/main/main/projects/", "", 200, `"slug":"p2"`},
		{"GET", "/api/0/projects/main/shop/", "", 200, `"platform":"node"`},
		{"GET", "/api/0/projects/main/1/", "", 200, `"slug":"shop"`},
		{"GET", "/api/0/projects/main/nope/", "", 404, `{"detail":"`},
		{"GET", "/api/0/projects/main/shop/keys/", "", 200, `"public":"https://`},
		{"POST", "/api/0/projects/main/shop/keys/", `{"name":"ci","rateLimit":{"window":3600,"count":10}}`, 201, `"rateLimit":{"window":3600,"count":10}`},
		{"POST", "/api/0/projects/main/shop/keys/", `{"name":"ci","rateLimit":{"window":7,"count":10}}`, 400, `"rateLimit":[`},
		{"DELETE", "/api/0/projects/main/shop/keys/" + strings.Repeat("0", 32) + "/", "", 404, `{"detail":"`},
		{"GET", "/api/0/organizations/main/projects/?cursor=x", "", 400, `{"`},
	} {
		a := w.do(c.method, c.path, strings.NewReader(c.body), "Content-Type", "application/json")
		if a.Code != c.status || !strings.Contains(a.Body.String(), c.contains) {
			t.Errorf("%s %s: %s", c.method, c.path, status(a))
		}
	}
	// Pages are found by the Link header.
	seen := 0
	for path := "/api/0/organizations/main/projects/?per_page=3&cursor="; path != ""; {
		a := w.do("GET", path, nil)
		var list []json.RawMessage
		if err := json.Unmarshal(a.Body.Bytes(), &list); err != nil || a.Code != 200 {
			t.Fatal(status(a), err)
		}
		seen += len(list)
		link := a.Header().Get("Link")
		_, next, _ := strings.Cut(link, ", ")
		path = ""
		if strings.Contains(next, `results="true"`) {
			_, after, _ := strings.Cut(next, "http://example.com")
			path, _, _ = strings.Cut(after, ">")
		}
	}
	if seen != 4 {
		t.Errorf("%d projects on all pages", seen)
	}
	nobody := w.do("GET", "/api/0/projects/main/shop/", nil, "X-Nobody", "yes")
	if nobody.Code != 401 || !strings.HasPrefix(nobody.Body.String(), `{"detail":`) {
		t.Error(status(nobody))
	}
}

func TestIngestHealth(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	collect(w.Service)
	w.run(t)
	p, k := w.newProject(t, "shop")
	report := `{"type":"client_report"}` + "\n" + `{"timestamp":1700000000,"discarded_events":[{"reason":"queue_overflow","category":"error","quantity":7},{"reason":"sample_rate","category":"transaction","quantity":3}]}` + "\n"
	for _, body := range []string{event(newID(), "a"), event(newID(), "b"), "{}\n" + report, "broken", "{}\n{\"type\":\"profile\"}\n{}\n"} {
		w.send(k, body)
	}
	w.clock.advance(time.Hour)
	w.send(k, event(newID(), "c"))
	w.outcome(t, p.ID)
	var h Ingest
	w.call(t, "GET", fmt.Sprintf("/api/v1/issues/projects/%d/ingest?hours=3", p.ID), nil, 200, &h)
	if len(h.Hours) != 3 || h.Hours[1].Accepted != 2 || h.Hours[1].Discarded != 10 || h.Hours[1].Invalid != 1 || h.Hours[1].Dropped != 1 || h.Hours[2].Accepted != 1 || h.Room == 0 {
		t.Errorf("%+v", h)
	}
	if !slices.Contains(h.Reasons, IngestReason{OutcomeDiscarded, "queue_overflow", "error", 7}) || !slices.Contains(h.Reasons, IngestReason{OutcomeDropped, "not_kept", "profile", 1}) {
		t.Errorf("%+v", h.Reasons)
	}
	w.call(t, "GET", fmt.Sprintf("/api/v1/issues/projects/%d/ingest?hours=9999", p.ID), nil, 400, nil)
	w.clock.advance(outcomesKept + time.Hour)
	if err := w.pruneOutcomes(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out := w.outcome(t, p.ID); len(out) != 0 {
		t.Errorf("%v", out)
	}
}
