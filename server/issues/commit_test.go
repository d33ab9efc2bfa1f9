package issues

import (
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

func TestSamePath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		frame, repository string
		want              bool
	}{
		{"src/cart.ts", "src/cart.ts", true},
		{"/app/shop/cart.py", "shop/cart.py", true},
		{"shop/cart.py", "backend/shop/cart.py", true},
		{"cart.py", "backend/shop/cart.py", false},
		{"/app/cart.py", "cart.py", true},
		{"app:///src/cart.ts", "web/src/cart.ts", true},
		{"src/cart.ts", "src/other.ts", false},
		{"", "", false},
	} {
		if got := samePath(c.frame, c.repository); got != c.want {
			t.Errorf("%q and %q: %t", c.frame, c.repository, got)
		}
	}
}

// TestCommitsBlameAndResolve: an event's release has a commit that touched its
// file, and the next one says that it fixes the issue.
func TestCommitsBlameAndResolve(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	w.UseReleases()
	w.run(t)
	p, k := w.newProject(t, "shop")
	w.call(t, "POST", "/api/0/projects/main/shop/releases/", map[string]any{"version": "shop@1.0.0", "commits": []map[string]any{
		{"id": "71d6963b1c1dc6ce7cfbbc04539710f9c43a44ae", "author_name": "ada", "message": "average", "patch_set": []map[string]string{{"path": "web/shop/cart.py", "type": "M"}}},
		{"id": "81d6963b1c1dc6ce7cfbbc04539710f9c43a44ae", "author_name": "bob", "message": "docs", "patch_set": []map[string]string{{"path": "README.md", "type": "M"}}}}}, 201, nil)
	crash := `{"event_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}` + "\n" + `{"type":"event"}` + "\n" +
		`{"platform":"python","release":"shop@1.0.0","exception":{"values":[{"type":"E","value":"v","stacktrace":{"frames":[{"function":"average","filename":"shop/cart.py","lineno":3,"in_app":true}]}}]}}` + "\n"
	if a := w.send(k, crash); a.Code != 200 {
		t.Fatal(a.Code, a.Body)
	}
	var list issueList
	until(t, "the issue", func() bool {
		w.call(t, "GET", "/api/v1/issues/issues?team=main", nil, 200, &list)
		return len(list.Issues) == 1
	})
	one := "/api/v1/issues/issues/" + formatID(list.Issues[0].ID)
	var issue struct {
		State    Status
		Terms    Terms
		Suspects []struct{ Author, File string } `json:"suspect_commits"`
	}
	w.call(t, "GET", one, nil, 200, &issue)
	if len(issue.Suspects) != 1 || issue.Suspects[0].Author != "ada" || issue.Suspects[0].File != "web/shop/cart.py" {
		t.Errorf("%+v", issue.Suspects)
	}
	w.call(t, "POST", "/api/0/projects/main/shop/releases/", map[string]any{"version": "shop@1.0.1", "commits": []map[string]any{
		{"id": "91d6963b1c1dc6ce7cfbbc04539710f9c43a44ae", "message": "Count first\n\nFixes SHOP-1"}}}, 201, nil)
	w.call(t, "GET", one, nil, 200, &issue)
	if issue.State != Resolved || issue.Terms.Kind != InCommit || issue.Terms.Release != "shop@1.0.1" {
		t.Errorf("%+v", issue)
	}
	started := w.Now()
	for _, one := range []sentry.Session{{ID: "a", Init: true, Status: sentry.SessionOK}, {ID: "a", Status: sentry.SessionCrashed, Errors: 1}, {ID: "a", Status: sentry.SessionCrashed, Errors: 1},
		{ID: "b", Init: true, Status: "exited"}} {
		one.Started, one.SessionAttrs = started, sentry.SessionAttrs{Release: "shop@1.0.0"}
		if err := w.onSession(t.Context(), Accepted{Team: 1, Project: p.ID, Received: started}, &one, nil); err != nil {
			t.Fatal(err)
		}
	}
	rate, sessions, err := w.CrashFree(t.Context(), p.ID, "shop@1.0.0", started.Add(-time.Hour))
	if err != nil || rate != 0.5 || sessions != 2 {
		t.Errorf("%v of %d sessions did not crash, %v", rate, sessions, err)
	}
	var releases releaseList
	w.call(t, "GET", "/api/v1/issues/releases?team=main", nil, 200, &releases)
	for _, r := range releases.Items {
		if r.Version == "shop@1.0.0" && (r.NewIssues != 1 || r.Commits != 2 || r.Health.Crashed != 1 || *r.Health.Adoption != 1) {
			t.Errorf("%+v", r)
		}
	}
	w.call(t, "GET", "/api/v1/issues/releases/"+formatID(releases.Items[0].ID), nil, 200, nil)
	for version, n := range map[string]int{"shop@1.0.0": 1, "shop@1.0": 0, "shop%401.0.1&project=shop": 1} {
		w.call(t, "GET", "/api/v1/issues/releases?team=main&version="+version, nil, 200, &releases)
		if len(releases.Items) != n {
			t.Errorf("%d releases are called %s", len(releases.Items), version)
		}
	}
	w.healthByHour(t)
}

// healthByHour: of the two sessions of shop@1.0.0, one crashed in this hour.
func (w *world) healthByHour(t *testing.T) {
	t.Helper()
	var found releaseList
	w.call(t, "GET", "/api/v1/issues/releases?team=main&version=shop@1.0.0", nil, 200, &found)
	path := "/api/v1/issues/releases/" + formatID(found.Items[0].ID) + "/health"
	for query, hours := range map[string]int{"": 14 * 24, "?hours=2": 2, "?hours=100000": maxHealthHours, "?hours=-4": 1} {
		var got releaseHealth
		w.call(t, "GET", path+query, nil, 200, &got)
		if len(got.Hours) != hours || got.CrashFree == nil || *got.CrashFree != 0.5 {
			t.Fatalf("%s: %d hours, %v", query, len(got.Hours), got.CrashFree)
		}
		last := got.Hours[hours-1]
		if last.Sessions != 2 || last.Crashed != 1 || last.Errored != 1 || *last.CrashFree != 0.5 || int64(last.Hour) != hourNumber(w.Now())*3_600_000 {
			t.Errorf("%s: %+v", query, last)
		}
		if hours > 1 && (got.Hours[0].CrashFree != nil || got.Hours[1].Hour-got.Hours[0].Hour != 3_600_000) {
			t.Errorf("%s begins with %+v", query, got.Hours[:2])
		}
	}
	w.call(t, "GET", "/api/v1/issues/releases/999/health", nil, 404, nil)
}
