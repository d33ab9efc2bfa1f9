package issues

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// serve answers the capability's routes; the header X-User chooses who calls.
func (d *desk) serve() string {
	viewer := ownerOf(deskTeam, "main")
	viewer.UserID, viewer.Name, viewer.Roles = 7, "viewer", map[int64]identity.Role{deskTeam: identity.Viewer}
	callers := map[string]identity.Caller{"": ownerOf(deskTeam, "main"), "viewer": viewer, "stranger": ownerOf(otherTeam, "other"), "nobody": {}}
	gin.SetMode(gin.TestMode)
	e := gin.New()
	e.Use(api.WithRequestID(), func(c *gin.Context) {
		c.Request = c.Request.WithContext(identity.With(c.Request.Context(), callers[c.GetHeader("X-User")]))
	})
	d.issueRoutes(api.NewRouter(e, &api.Table{}).Group("/api/v1/issues"))
	server := httptest.NewServer(e)
	d.t.Cleanup(server.Close)
	return server.URL + "/api/v1/issues"
}

func (d *desk) ask(base, user, method, path, body string) (int, string, http.Header) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("X-User", user)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return res.StatusCode, string(raw), res.Header
}

func TestIssuesThroughHTTP(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	base := d.serve()
	trace := strings.Repeat("ab", 16)
	d.take(
		d.event(sample{id: id(1), kind: "ValueError", value: "order 17 is empty", user: "ann@x.test", release: "web@1.0.0", env: "prod", trace: trace}),
		d.event(sample{id: id(2), kind: "ValueError", value: "order 18 is empty", user: "bob@x.test", release: "web@1.1.0", env: "dev", tags: map[string]string{"region": "eu"}}),
		d.event(sample{id: id(3), kind: "KeyError", value: "'id'", function: "parse", release: "web@1.1.0"}),
		d.item("attachment", id(1), "the log"),
	)
	for _, c := range []struct {
		name, user, method, path, body string
		status                         int
		contains                       string
	}{
		{"nobody", "nobody", "GET", "/issues?team=main", "", 401, "unauthorized"},
		{"a stranger", "stranger", "GET", "/issues?team=main", "", 404, ""},
		{"no team", "", "GET", "/issues", "", 400, "?team=main"},
		{"a bad order", "", "GET", "/issues?team=main&sort=colour", "", 400, "colour"},
		{"a bad cursor", "", "GET", "/issues?team=main&cursor=x", "", 400, "cursor"},
		{"a mistake has its place", "", "GET", "/issues?team=main&query=is:nonsense", "", 400, `"field":"query:`},
		{"an unknown project", "", "GET", "/issues?team=main&project=nope", "", 404, "nope"},
		{"by project", "viewer", "GET", "/issues?team=main&project=web", "", 200, `"slug":"web"`},
		{"one page", "", "GET", "/issues?team=main&limit=1&sort=events", "", 200, `"short_id":"WEB-1"`},
		{"by words", "", "GET", "/issues?team=main&query=empty", "", 200, `"short_id":"WEB-1"`},
		{"by a function of the stack", "", "GET", "/issues?team=main&query=checkout", "", 200, `"short_id":"WEB-1"`},
		{"by no such words", "", "GET", "/issues?team=main&query=banana", "", 200, `{"issues":[],"next":""}`},
		{"by user", "", "GET", "/issues?team=main&query=user.email:bob@x.test", "", 200, `"short_id":"WEB-1"`},
		{"by any user", "", "GET", "/issues?team=main&query=user:*@x.test", "", 200, `"short_id":"WEB-1"`},
		{"by tag", "", "GET", "/issues?team=main&query=region:eu+env:dev+level:error", "", 200, `"short_id":"WEB-1"`},
		{"without tag", "", "GET", "/issues?team=main&query=!region:eu", "", 200, `"short_id":"WEB-2"`},
		{"having a tag", "", "GET", "/issues?team=main&query=has:region", "", 200, `"short_id":"WEB-1"`},
		{"by trace", "", "GET", "/issues?team=main&query=trace:" + trace, "", 200, `"short_id":"WEB-1"`},
		{"by event", "", "GET", "/issues?team=main&query=event:" + id(3), "", 200, `"short_id":"WEB-2"`},
		{"by name", "", "GET", "/issues?team=main&query=issue:WEB-2", "", 200, `"short_id":"WEB-2"`},
		{"by numbers", "", "GET", "/issues?team=main&query=events:>1+users:2", "", 200, `"short_id":"WEB-1"`},
		{"by time", "", "GET", "/issues?team=main&query=first_seen:-1h+last_seen:<2030-01-01", "", 200, `"short_id":"WEB-1"`},
		{"by what contradicts itself", "", "GET", "/issues?team=main&query=is:resolved+is:archived", "", 200, `"issues":[]`},
		{"by message", "", "GET", `/issues?team=main&query=message:"18+is"`, "", 200, `"short_id":"WEB-1"`},
		{"one", "viewer", "GET", "/issues/1", "", 200, `"histogram":[{"hour":`},
		{"one of strangers", "stranger", "GET", "/issues/1", "", 404, ""},
		{"one that is not", "", "GET", "/issues/99", "", 404, "There is no issue 99."},
		{"its events", "", "GET", "/issues/1/events?limit=1", "", 200, `"next":"`},
		{"the latest", "", "GET", "/issues/1/events/latest", "", 200, `"previous":"` + id(1) + `","next":""`},
		{"the first", "", "GET", "/issues/1/events/first", "", 200, `"next":"` + id(2) + `"`},
		{"the recommended", "", "GET", "/issues/1/events/recommended", "", 200, `"event_id":"` + id(2) + `"`},
		{"one by its id", "", "GET", "/issues/1/events/" + id(1), "", 200, `"name":"attachment"`},
		{"one of another issue", "", "GET", "/issues/1/events/" + id(3), "", 404, "another issue"},
		{"from the event to the issue", "", "GET", "/events/" + strings.ToUpper(id(3)) + "?team=main", "", 200, `"issue":2`},
		{"an event of strangers", "stranger", "GET", "/events/" + id(3) + "?team=other", "", 404, ""},
		{"tags", "", "GET", "/issues/1/tags", "", 200, `"key":"region","total":1`},
		{"activity", "", "GET", "/issues/1/activity", "", 200, `"kind":"new"`},
		{"why", "", "GET", "/issues/1/grouping", "", 200, `"kind":"app"`},
		{"an attachment", "", "GET", "/attachments/1", "", 200, "the log"},
		{"an attachment of strangers", "stranger", "GET", "/attachments/1", "", 404, ""},
		{"a viewer resolves nothing", "viewer", "PATCH", "/issues/1", `{"status":"resolved"}`, 403, ""},
		{"a stranger neither", "stranger", "PATCH", "/issues/1", `{"status":"resolved"}`, 404, ""},
		{"nothing to change", "", "PATCH", "/issues/1", `{}`, 400, "Say what"},
		{"no such status", "", "PATCH", "/issues/1", `{"status":"gone"}`, 400, "gone"},
		{"terms that do not fit", "", "PATCH", "/issues/1", `{"status":"resolved","terms":{"kind":"forever"}}`, 400, "forever"},
		{"archived into the past", "", "PATCH", "/issues/1", `{"status":"archived","terms":{"kind":"until_time","until":"2020-01-01T00:00:00Z"}}`, 400, "future"},
		{"resolved in the next release", "", "PATCH", "/issues/1", `{"status":"resolved","terms":{"kind":"in_next_release"}}`, 200, `"terms":{"kind":"in_next_release","release":"web@1.1.0"}`},
		{"assigned", "", "PATCH", "/issues/1", `{"assignee":"main"}`, 200, `"assignee":"main"`},
		{"mine", "", "GET", "/issues?team=main&query=assigned:me+is:resolved", "", 200, `"short_id":"WEB-1"`},
		{"nobody's", "", "GET", "/issues?team=main&query=is:unassigned", "", 200, `"short_id":"WEB-2"`},
		{"a comment", "", "POST", "/issues/1/comments", `{"text":"look here"}`, 201, `"mine":true`},
		{"an empty one", "", "POST", "/issues/1/comments", `{"text":" "}`, 400, "text"},
		{"a viewer does not comment", "viewer", "POST", "/issues/1/comments", `{"text":"x"}`, 403, ""},
		{"comments", "viewer", "GET", "/issues/1/comments", "", 200, `"text":"look here","mine":false`},
		{"edited", "", "PATCH", "/issues/1/comments/1", `{"text":"look there"}`, 200, "look there"},
		{"removed", "", "DELETE", "/issues/1/comments/1", "", 204, ""},
		{"bulk of neither", "", "POST", "/issues/bulk", `{"status":"resolved"}`, 400, "either"},
		{"count for bulk", "", "GET", "/issues/count?team=main&query=is:unresolved", "", 200, `{"count":1,"more":false}`},
		{"count of a mistake", "", "GET", "/issues/count?team=main&query=is:nonsense", "", 400, "query:3-11"},
		{"count by a stranger", "stranger", "GET", "/issues/count?team=main", "", 404, ""},
		{"bulk by query", "", "POST", "/issues/bulk", `{"team":"main","query":"is:unresolved","status":"archived"}`, 200, `{"changed":1,"more":false}`},
		{"bulk by ids", "", "POST", "/issues/bulk", `{"ids":[1,2],"status":"unresolved"}`, 200, `"changed":2`},
		{"bulk with one of nobody", "", "POST", "/issues/bulk", `{"ids":[1,77],"status":"resolved"}`, 404, "77"},
		{"bulk of strangers", "stranger", "POST", "/issues/bulk", `{"ids":[1],"status":"resolved"}`, 404, ""},
		{"merge of one", "", "POST", "/issues/merge", `{"ids":[1]}`, 400, ""},
		{"merge", "", "POST", "/issues/merge", `{"ids":[2,1]}`, 200, `"events":3`},
		{"the loser is gone", "", "GET", "/issues/2", "", 404, ""},
		{"all events are the winner's", "", "GET", "/issues/1/events/" + id(3), "", 200, ""},
		{"unmerge of what is not there", "", "POST", "/issues/1/unmerge", `{"hash":"x"}`, 400, "hash"},
		{"delete", "", "DELETE", "/issues/1", "", 204, ""},
		{"nothing is left", "", "GET", "/issues?team=main", "", 200, `"issues":[]`},
	} {
		status, body, _ := d.ask(base, c.user, c.method, strings.ReplaceAll(c.path, `"`, "%22"), c.body)
		if status != c.status || !strings.Contains(body, c.contains) {
			t.Errorf("%s: %s %s: %d %s, want %d with %s", c.name, c.method, c.path, status, body, c.status, c.contains)
		}
	}
}

func TestPagesHaveNoGapsAndListsHaveETags(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	base := d.serve()
	var batch []Accepted
	for n := range 25 {
		batch = append(batch, d.item("event", id(n), fmt.Sprintf(`{"message":"m","fingerprint":["f%d"]}`, n)))
	}
	d.take(batch...)
	for _, sort := range []Sort{ByLastSeen, ByFirstSeen, ByEvents, ByUsers} {
		seen, cursor := map[int64]bool{}, ""
		for range 10 {
			_, body, _ := d.ask(base, "", "GET", "/issues?team=main&limit=7&sort="+string(sort)+"&cursor="+cursor, "")
			var page issueList
			if err := json.Unmarshal([]byte(body), &page); err != nil {
				t.Fatal(err)
			}
			for _, i := range page.Issues {
				if seen[i.ID] {
					t.Errorf("%s: issue %d twice", sort, i.ID)
				}
				seen[i.ID] = true
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		if len(seen) != 25 {
			t.Errorf("%s: %d of 25 issues", sort, len(seen))
		}
	}
	_, _, h := d.ask(base, "", "GET", "/issues?team=main", "")
	r, err := http.NewRequestWithContext(t.Context(), "GET", base+"/issues?team=main", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("If-None-Match", h.Get("ETag"))
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNotModified {
		t.Errorf("an unchanged list answers %d", res.StatusCode)
	}
}

func TestIssuesComeBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	see := func(release string) { d.take(d.event(sample{kind: "A", release: release})) }
	see("web@1.0.0")
	i := d.only("")
	change := func(status Status, terms *Terms) {
		t.Helper()
		if err := d.ChangeIssues(d.ctx, []int64{i.ID}, Change{Status: &status, Terms: terms}); err != nil {
			t.Fatal(err)
		}
	}
	is := func(query string) {
		t.Helper()
		if len(d.list(query)) != 1 {
			t.Errorf("the issue is not %s but %+v", query, d.only(""))
		}
	}
	change(Resolved, &Terms{Kind: InNextRelease})
	see("web@1.0.0")
	is("is:resolved")
	see("web@1.0.1")
	is("is:regressed")
	if last := d.changes[len(d.changes)-1]; last.Kind != ChangeRegressed || last.Issue != i.ID || last.Event == nil {
		t.Errorf("the hook heard %+v", last)
	}
	until := d.Now().Add(time.Hour)
	change(Archived, &Terms{Kind: UntilTime, Until: &until})
	see("")
	is("is:archived")
	d.pass(2 * time.Hour)
	if err := d.settleStates(t.Context()); err != nil {
		t.Fatal(err)
	}
	is("is:unresolved is:ongoing")
	change(Archived, &Terms{Kind: UntilEscalating})
	for range 12 {
		see("")
	}
	is("is:escalating")
	d.pass(freshFor)
	if err := d.settleStates(t.Context()); err != nil {
		t.Fatal(err)
	}
	is("is:ongoing")
	activity, err := d.httpActivity(d.ctx, byIssue{i.ID})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, a := range activity.Activity {
		kinds = append(kinds, string(a.Kind))
	}
	if got := strings.Join(kinds, " "); got != "escalating archived unresolved archived regressed resolved new" {
		t.Errorf("the activity says %s", got)
	}
}

func TestMergedAndUnmerged(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var batch []Accepted
	for n := range 30 {
		batch = append(batch, d.event(sample{kind: "A", user: fmt.Sprintf("u%d@x", n)}), d.event(sample{kind: "B", function: "other", user: fmt.Sprintf("u%d@x", n/2)}))
	}
	d.take(batch...)
	winner, err := d.MergeIssues(d.ctx, []int64{1, 2}, 2)
	if err != nil || winner != 2 {
		t.Fatal(winner, err)
	}
	i := d.only("")
	if i.Events != 60 || i.Users != 30 || d.count("issues_issues") != 1 || d.count("issues_events WHERE issue_id = 2") != 60 || d.count("issues_moves") != 0 {
		t.Errorf("%+v", i)
	}
	d.take(d.event(sample{kind: "A"}))
	if i = d.only(""); i.Events != 61 {
		t.Errorf("a new event of the loser's kind went elsewhere: %+v", i)
	}
	why, err := d.httpGrouping(d.ctx, byIssue{2})
	if err != nil {
		t.Fatal(err)
	}
	var hash string
	if err := d.DB.Reader(t.Context()).Raw("SELECT hash FROM issues_events ORDER BY id LIMIT 1").Scan(&hash).Error; err != nil || len(why.Hashes) < 2 {
		t.Fatal(why, err)
	}
	made, err := d.UnmergeIssue(d.ctx, 2, hash)
	if err != nil {
		t.Fatal(err)
	}
	a, b := d.only("issue:"+formatID(made)), d.only("issue:2")
	if a.Events != 31 || b.Events != 30 || a.Users != 30 || a.Title != "A" || b.Title != "B" {
		t.Errorf("after unmerging: %+v and %+v", a, b)
	}
	d.take(d.event(sample{kind: "A"}), d.event(sample{kind: "B", function: "other"}))
	if a, b = d.only("issue:"+formatID(made)), d.only("issue:2"); a.Events != 32 || b.Events != 31 {
		t.Errorf("new events go to %d and %d", a.Events, b.Events)
	}
}

func TestRetentionKeepsWithinBounds(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.take(d.event(sample{id: id(1), kind: "Old"}), d.item("attachment", id(1), "bytes"))
	d.pass(89 * 24 * time.Hour)
	d.take(d.event(sample{kind: "Young"}))
	sweep := func() {
		t.Helper()
		if err := d.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sweep()
	if n := d.count("issues_events"); n != 2 {
		t.Errorf("%d events before anything is too old", n)
	}
	d.pass(2 * 24 * time.Hour)
	sweep()
	if d.count("issues_events") != 1 || d.count("issues_issues") != 1 || d.count("issues_attachments") != 0 || d.count("blobs_owners") != 0 {
		t.Errorf("of the old: %d events, %d issues, %d attachments, %d owners of blobs", d.count("issues_events"), d.count("issues_issues"), d.count("issues_attachments"), d.count("blobs_owners"))
	}
	for range 30 {
		d.take(d.event(sample{kind: "Young"}))
	}
	if _, err := d.ChangeProject(d.ctx, d.project.ID, func(p *Project) { p.Retention.Events = 10 }); err != nil {
		t.Fatal(err)
	}
	sweep()
	if n := d.count("issues_events"); n != 10 {
		t.Errorf("%d events, want 10", n)
	}
	if i := d.only(""); i.Events != 31 {
		t.Errorf("the issue forgot how often it happened: %+v", i)
	}
	if _, err := d.ChangeProject(d.ctx, d.project.ID, func(p *Project) { p.Retention.Bytes = 1 }); err != nil {
		t.Fatal(err)
	}
	sweep()
	if n := d.count("issues_events"); n != 0 {
		t.Errorf("%d events in one byte", n)
	}
}

func TestToolsOfIssues(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if err := d.RegisterTools(tools.NewRegistry()); err != nil {
		t.Fatal(err)
	}
	d.take(d.event(sample{kind: "ValueError", value: "empty", release: "web@1.0.0"}))
	list, err := d.toolIssues(d.ctx, toolListIn{Team: "main", Query: "empty"})
	if err != nil || len(list.Issues) != 1 {
		t.Fatal(list, err)
	}
	one, err := d.toolIssue(d.ctx, toolIssueIn{"main", "WEB-1"})
	if err != nil || one.Event == nil || !strings.Contains(one.Event.Exceptions[0], "* checkout (app/orders.py:12)\n      raise it") {
		t.Errorf("%+v %v", one, err)
	}
	for _, step := range []struct {
		want Status
		run  func() (issueItem, error)
	}{
		{Resolved, func() (issueItem, error) {
			return d.toolResolve(d.ctx, toolResolveIn{Team: "main", Issue: "WEB-1", Kind: "in_next_release"})
		}},
		{Archived, func() (issueItem, error) {
			return d.toolArchive(d.ctx, toolArchiveIn{Team: "main", Issue: "1", Minutes: 30})
		}},
		{Unresolved, func() (issueItem, error) { return d.toolReopen(d.ctx, toolIssueIn{"main", "1"}) }},
		{Unresolved, func() (issueItem, error) { return d.toolAssign(d.ctx, toolAssignIn{"main", "1", "ann"}) }},
	} {
		if got, err := step.run(); err != nil || got.State != step.want {
			t.Errorf("%+v %v, want %s", got, err, step.want)
		}
	}
	stranger := identity.With(t.Context(), ownerOf(otherTeam, "other"))
	if _, err := d.toolIssue(stranger, toolIssueIn{"other", "1"}); err == nil {
		t.Error("a stranger reads the issue")
	}
}
