package issues

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/issues/scrub"
	"github.com/signalbox/signalbox/server/platform/identity"
)

const privateEvent = `{"message":"paid with IBAN DE02","platform":"python","user":{"id":"7","email":"ann@x.test","ip_address":"203.0.113.9"},
	"extra":{"iban":"DE02","password":"hush","note":"ticket T-1234","deep":{"owner":"Ann"}},"tags":{"nickname":"annie"}}`

func TestScrubbing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	p, key := w.newProject(t, "shop")
	path := fmt.Sprintf("/api/v1/issues/projects/%d/scrubbing", p.ID)
	var rules Scrubbing
	if w.call(t, "GET", path, nil, 200, &rules); !rules.Defaults || rules.IP != scrub.KeepIP || rules.Rules == nil || rules.Safe == nil {
		t.Errorf("at first: %+v", rules)
	}
	send := func() (string, string) {
		id := newID()
		if a := w.send(key, fmt.Sprintf("{\"event_id\":%q}\n{\"type\":\"event\"}\n%s\n", id, strings.ReplaceAll(privateEvent, "\n", " "))); a.Code != 200 {
			t.Fatal(status(a))
		}
		found := "/api/v1/issues/events/" + id + "?team=main"
		until(t, "the event", func() bool { return w.do("GET", found, nil).Code == 200 })
		return id, w.call(t, "GET", found, nil, 200, nil)
	}
	first, text := send()
	for _, want := range []string{"DE02", "203.0.113.9", "T-1234", "annie", "ann@x.test"} {
		if !strings.Contains(text, want) || strings.Contains(text, "hush") {
			t.Errorf("%s, or no hush, in %s", want, text)
		}
	}
	wish := Scrubbing{Defaults: true, IP: scrub.TruncateIP, Safe: []string{}, Rules: []scrub.Rule{
		{Kind: scrub.Key, Value: "iban", Action: scrub.Remove}, {Kind: scrub.Pattern, Value: `T-\d+`, Action: scrub.Mask},
		{Kind: scrub.Place, Value: "user.email", Action: scrub.Hash}, {Kind: scrub.Place, Value: "extra.deep.owner", Action: scrub.Mask}, {Kind: scrub.Key, Value: "nickname", Action: scrub.Remove}}}

	var preview ScrubbingPreview
	w.call(t, "POST", path+"/preview", wish, 200, &preview)
	var at []string
	for _, c := range preview.Changed {
		at = append(at, c.At)
	}
	if want := []string{"extra.deep.owner", "extra.iban", "extra.note", "tags[0].nickname", "user.email", "user.ip_address"}; !slices.Equal(at, want) || preview.EventID != first {
		t.Errorf("preview of %s: %v, want %v", preview.EventID, at, want)
	}
	before, _ := json.Marshal(preview.Before)
	after, _ := json.Marshal(preview.After)
	if !strings.Contains(string(before), "T-1234") || strings.Contains(string(after), "T-1234") {
		t.Errorf("%s\n%s", before, after)
	}
	w.call(t, "POST", path+"/preview", map[string]any{"defaults": true, "event_id": first}, 200, &preview)
	if len(preview.Changed) != 0 {
		t.Errorf("what is clean changes again: %+v", preview.Changed)
	}

	w.call(t, "PUT", path, wish, 200, &rules)
	if fmt.Sprint(rules) != fmt.Sprint(wish) {
		t.Errorf("%+v", rules)
	}
	_, text = send()
	for _, gone := range []string{`"DE02"`, "203.0.113.9", "T-1234", "annie", "ann@x.test", `"Ann"`} {
		if strings.Contains(text, gone) {
			t.Errorf("%s is stored: %s", gone, text)
		}
	}
	for _, there := range []string{"203.0.113.0", "ticket [Filtered]", "hash-", `"id":"7"`} {
		if !strings.Contains(text, there) {
			t.Errorf("%s is not stored: %s", there, text)
		}
	}
	_, again := send()
	if hash := between(text, "hash-", `"`); hash == "" || !strings.Contains(again, hash) {
		t.Errorf("the same address has two hashes: %s %s", text, again)
	}
	for body, says := range map[string]string{
		`{"defaults":true,"rules":[{"kind":"pattern","value":"(","action":"mask"}]}`: "cannot be read",
		`{"defaults":true,"rules":[{"kind":"key","value":"*","action":"mask"}]}`:     "everything",
		`{"defaults":true,"rules":[{"kind":"key","value":"a","action":"burn"}]}`:     "no action",
		`{"defaults":true,"ip":"drop"}`:                                              "IP mode",
		`{"default":true}`:                                                           "default",
	} {
		for _, target := range []struct{ method, path string }{{"PUT", path}, {"POST", path + "/preview"}} {
			if a := w.do(target.method, target.path, strings.NewReader(body), "Content-Type", "application/json"); a.Code != 400 || !strings.Contains(a.Body.String(), says) {
				t.Errorf("%s %s: %s", target.method, body, status(a))
			}
		}
	}
	w.call(t, "POST", path+"/preview", map[string]any{"event_id": newID()}, 404, nil)
	if !slices.Contains(w.audits, "issues.project.change shop") {
		t.Errorf("%v", w.audits)
	}
	w.role = identity.Viewer
	for _, target := range []string{"PUT " + path, "POST " + path + "/preview", fmt.Sprintf("POST /api/v1/issues/projects/%d/erase", p.ID), "POST /api/v1/issues/views"} {
		method, path, _ := strings.Cut(target, " ")
		if a := w.do(method, path, strings.NewReader(`{}`), "Content-Type", "application/json"); a.Code != 403 && a.Code != 404 {
			t.Errorf("a viewer may %s: %s", target, status(a))
		}
	}
}

func between(text, from, to string) string {
	_, rest, _ := strings.Cut(text, from)
	found, _, _ := strings.Cut(rest, to)
	return found
}

func TestViews(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.newProject(t, "shop")
	var v View
	w.call(t, "POST", "/api/v1/issues/views", map[string]any{"team": "main", "name": " Mine ", "query": "is:unresolved assigned:me", "project": "shop"}, 201, &v)
	if v.Name != "Mine" || v.Sort != ByLastSeen || v.Project != "shop" || v.CreatedBy != "ada" || v.ID == 0 {
		t.Errorf("%+v", v)
	}
	w.call(t, "POST", "/api/v1/issues/views", map[string]any{"team": "main", "name": "Busy", "query": "", "sort": "events"}, 201, nil)
	for _, c := range []struct {
		body   string
		status int
		says   string
	}{
		{`{"team":"main","name":"Mine","query":"x"}`, 409, "already"},
		{`{"team":"main","name":"","query":"x"}`, 400, "name"},
		{`{"team":"main","name":"a","query":"is:nonsense"}`, 400, `"field":"query:3-11"`},
		{`{"team":"main","name":"a","query":"x","sort":"colour"}`, 400, "sort"},
		{`{"team":"main","name":"a","query":"x","project":"nope"}`, 404, "nope"},
		{`{"team":"other","name":"a","query":"x"}`, 404, ""},
	} {
		if a := w.do("POST", "/api/v1/issues/views", strings.NewReader(c.body), "Content-Type", "application/json"); a.Code != c.status || !strings.Contains(a.Body.String(), c.says) {
			t.Errorf("%s: %s", c.body, status(a))
		}
	}
	var list viewList
	if w.call(t, "GET", "/api/v1/issues/views?team=main", nil, 200, &list); len(list.Items) != 2 || list.Items[0].Name != "Busy" || list.Items[1] != v {
		t.Errorf("%+v", list)
	}
	w.call(t, "DELETE", fmt.Sprintf("/api/v1/issues/views/%d", v.ID), nil, 204, nil)
	w.call(t, "DELETE", fmt.Sprintf("/api/v1/issues/views/%d", v.ID), nil, 404, nil)
	w.call(t, "GET", "/api/v1/issues/views?team=other", nil, 404, nil)
}

// What old clients and new ones send of what people wrote is cleaned alike.
func TestScrubbingOfFeedback(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	rules := Scrubbing{Defaults: true, Rules: []scrub.Rule{{Kind: scrub.Place, Value: "feedback.email", Action: scrub.Remove}, {Kind: scrub.Pattern, Value: `T-\d+`, Action: scrub.Mask}}}
	if _, err := d.SetScrubbing(d.ctx, d.project.ID, rules); err != nil {
		t.Fatal(err)
	}
	d.projects.forget("") // no listener runs at the desk
	d.take(d.event(sample{id: id(1), kind: "ValueError", value: "x"}),
		d.item("user_report", id(1), `{"event_id":"`+id(1)+`","name":"Ann","email":"ann@x.test","comments":"ticket T-12"}`),
		d.item("feedback", id(2), `{"type":"feedback","contexts":{"feedback":{"name":"Bob","contact_email":"bob@x.test","message":"ticket T-34","associated_event_id":"`+id(1)+`"}}}`))
	list, err := d.httpFeedback(d.ctx, byIssue{d.only("x").ID})
	if err != nil || len(list.Feedback) != 2 {
		t.Fatalf("%+v %v", list, err)
	}
	for _, f := range list.Feedback {
		if f.Email != "" || f.Message != "ticket [Filtered]" || f.Name == "" {
			t.Errorf("%+v", f)
		}
	}
}
