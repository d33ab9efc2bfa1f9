package issues

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/identity"
)

// TestGroupingRules: two kinds of errors become one issue by a rule, first in the
// preview and then in fact.
func TestGroupingRules(t *testing.T) {
	t.Parallel()
	w := setup(t)
	p, key := w.newProject(t, "shop")
	path := fmt.Sprintf("/api/v1/issues/projects/%d/grouping", p.ID)
	var kept groupingRulesShape
	if w.call(t, "GET", path, nil, 200, &kept); kept.Rules != "" {
		t.Errorf("at first: %q", kept.Rules)
	}
	send := func(kind string) string {
		id := newID()
		event := fmt.Sprintf(`{"platform":"python","exception":{"values":[{"type":%q,"value":"no answer"}]},"tags":{"region":"eu"}}`, kind)
		if a := w.send(key, fmt.Sprintf("{\"event_id\":%q}\n{\"type\":\"event\"}\n%s\n", id, event)); a.Code != 200 {
			t.Fatal(status(a))
		}
		until(t, "the event", func() bool { return w.do("GET", "/api/v1/issues/events/"+id+"?team=main", nil).Code == 200 })
		return id
	}
	first := send("TimeoutError")
	rules := "# the database\ntype:TimeoutError -> database-{{ tags.region }}\ntype:PoolError tags.region:eu -> database-eu title=\"Database of {{ tags.region }}\""
	rules = strings.ReplaceAll(rules, "database-{{ tags.region }}", "database, {{ tags.region }}")
	rules = strings.ReplaceAll(rules, "database-eu", "database, eu")

	var seen GroupingPreview
	w.call(t, "POST", path+"/preview", map[string]any{"rules": rules}, 200, &seen)
	if !seen.Changed || seen.EventID != first || seen.Now.Issue == nil || seen.Now.Issue.ShortID != "SHOP-1" || seen.Then.Issue != nil || len(seen.Then.Why) == 0 || !strings.Contains(seen.Then.Why[0].Text, "type:TimeoutError") {
		t.Errorf("%+v", seen)
	}
	w.call(t, "POST", path+"/preview", map[string]any{"rules": "type:Other -> x", "event_id": first}, 200, &seen)
	if seen.Changed || seen.Then.Issue == nil || seen.Then.Issue.ShortID != "SHOP-1" {
		t.Errorf("what no rule matches changes: %+v", seen)
	}
	w.call(t, "PUT", path, groupingRulesShape{rules}, 200, &kept)
	if kept.Rules != rules {
		t.Errorf("kept: %q", kept.Rules)
	}
	send("TimeoutError")
	last := send("PoolError")
	w.call(t, "POST", path+"/preview", map[string]any{"rules": "", "event_id": last}, 200, &seen)
	if seen.Now.Issue == nil || seen.Now.Issue.ShortID != "SHOP-2" || seen.Now.Title != "Database of eu" || seen.Then.Title != "PoolError: no answer" || seen.Then.Issue != nil {
		t.Errorf("without rules: %+v", seen)
	}
	var list issueList
	w.call(t, "GET", "/api/v1/issues/issues?team=main&sort=first_seen", nil, 200, &list)
	if len(list.Issues) != 2 || list.Issues[0].ShortID != "SHOP-2" || list.Issues[0].Events != 2 || list.Issues[1].Events != 1 {
		t.Errorf("%+v", list.Issues)
	}
	for at, want := range []string{"type:PoolError", "no answer"} { // the older issue was made without rules, and says so
		why := w.call(t, "GET", fmt.Sprintf("/api/v1/issues/issues/%d/grouping", list.Issues[at].ID), nil, 200, nil)
		if !strings.Contains(why, want) || strings.Contains(why, "type:TimeoutError") {
			t.Errorf("why %d: %s", at, why)
		}
	}
	if !slices.Contains(w.audits, "issues.project.change shop") {
		t.Errorf("%v", w.audits)
	}
	w.refusesRules(t, path)
}

func (w *world) refusesRules(t *testing.T, path string) {
	t.Helper()
	for body, says := range map[string]string{
		`{"rules":"type:A -> a\n\nfrobnicate:B -> b"}`:             `"field":"rules:3"`,
		`{"rules":"type:A"}`:                                       "Line 1: An arrow",
		`{"rules":"` + strings.Repeat("#", maxRulesText+1) + `"}`:  "64 KiB",
		`{"rules":"` + strings.Repeat(`type:A -> a\n`, 501) + `"}`: "rules:501",
		`{"rule":""}`: "rule",
	} {
		for _, target := range []struct{ method, path string }{{"PUT", path}, {"POST", path + "/preview"}} {
			if a := w.do(target.method, target.path, strings.NewReader(body), "Content-Type", "application/json"); a.Code != 400 || !strings.Contains(a.Body.String(), says) {
				t.Errorf("%s %.60s: %s", target.method, body, status(a))
			}
		}
	}
	w.call(t, "POST", path+"/preview", map[string]any{"rules": "", "event_id": newID()}, 404, nil)
	w.role = identity.Viewer
	w.call(t, "GET", path, nil, 200, nil)
	w.call(t, "PUT", path, groupingRulesShape{}, 403, nil)
	w.call(t, "POST", path+"/preview", groupingRulesShape{}, 403, nil)
}
