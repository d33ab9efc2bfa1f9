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
}
