package github

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/github/githubtest"
	"github.com/signalbox/signalbox/server/platform/work"
)

func annotations(n int) []Annotation {
	list := make([]Annotation, n)
	for i := range list {
		list[i] = Annotation{Path: "a_test.go", StartLine: i + 1, Level: LevelFailure, Title: fmt.Sprint("case ", i), Message: "broke"}
	}
	return list
}

func (c *circle) check(t *testing.T, conn string, change func(*CheckRun)) {
	t.Helper()
	run := CheckRun{Team: 1, Connection: conn, Owner: "octo", Repo: "web", SHA: "abc", Name: "signalbox/site/unit", ExternalID: "build-7", Status: CheckInProgress,
		Title: "running", Summary: "so far so good", DetailsURL: "https://s/builds/7", Started: c.clock.now()}
	change(&run)
	if err := c.PostCheck(t.Context(), run); err != nil {
		t.Fatal(err)
	}
}

func failed(n int) func(*CheckRun) {
	return func(r *CheckRun) {
		r.Status, r.Conclusion, r.Title, r.Annotations = CheckCompleted, ConcludedFailure, "3 failed", annotations(n)
	}
}

// Whatever goes wrong at whichever call, GitHub ends with one check run, each
// annotation once.
func TestCheckRunIsWrittenOnce(t *testing.T) {
	t.Parallel()
	lost := githubtest.Fault{Times: 1, Drop: true, Done: true}
	for name, faults := range map[string][]githubtest.Fault{
		"all is well":             nil,
		"down":                    {{Path: "/repos/octo/web", Times: 3, Status: 502, Body: `{}`}},
		"creation's answer lost":  {{Method: "POST", Path: "/repos/octo/web/check-runs", Times: 1, Drop: true, Done: true}},
		"an update's answer lost": {{Method: "PATCH", Path: "/repos/octo/web/check-runs", Times: lost.Times, Drop: true, Done: true}},
		"third batch's lost":      {{Method: "PATCH", Path: "/repos/octo/web/check-runs", After: 1, Times: 1, Drop: true, Done: true}},
		"500 though it was done":  {{Method: "POST", Path: "/repos/octo/web/check-runs", Times: 1, Status: 500, Done: true, Body: `{}`}},
		"token's refused":         {{Path: "/repos/octo/web", Times: 1, Status: 401, Body: `{"message":"Bad credentials"}`}},
		"429":                     {{Path: "/repos/octo/web", Times: 1, Status: 429, Header: map[string]string{"Retry-After": "1"}, Body: `{"message":"wait"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCircle(t)
			conn, _ := c.app(t)
			c.hub.PageSize = 3
			for n := range 5 { // others' checks of the same name
				c.hub.Look("octo", "web", func(r *githubtest.Repo) {
					r.Checks = append(r.Checks, map[string]any{"id": int64(9000 + n), "head_sha": "abc", "name": "signalbox/site/unit", "external_id": fmt.Sprint("build-", n)})
				})
			}
			c.hub.Misbehave(faults...)
			c.check(t, conn.ID, failed(120))
			c.jobs(t)
			c.settled(t)
			runs := []map[string]any{}
			c.hub.Look("octo", "web", func(r *githubtest.Repo) { runs = r.Checks[5:] })
			if len(runs) != 1 || runs[0]["conclusion"] != "failure" || runs[0]["external_id"] != "build-7" || runs[0]["title"] != "3 failed" {
				t.Fatalf("%d runs, %v", len(runs), runs)
			}
			seen := map[any]int{}
			for _, a := range runs[0]["annotations"].([]any) {
				seen[a.(map[string]any)["start_line"]]++
			}
			if len(seen) != 120 || len(runs[0]["annotations"].([]any)) != 120 {
				t.Errorf("%d annotations on %d lines", len(runs[0]["annotations"].([]any)), len(seen))
			}
			var posts struct{ Items []Post }
			if c.call(t, "GET", "/posts?team=main", "", 200, &posts); len(posts.Items) != 1 || posts.Items[0].State != PostDone || posts.Items[0].Kind != PostedCheck || posts.Items[0].Repository != "octo/web" {
				t.Errorf("%+v", posts)
			}
		})
	}
}

func TestOnlyTheNewestWishIsWritten(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	conn, _ := c.app(t)
	for _, status := range []CheckStatus{CheckQueued, CheckInProgress} {
		c.check(t, conn.ID, func(r *CheckRun) { r.Status = status })
	}
	c.check(t, conn.ID, failed(1))
	c.check(t, conn.ID, failed(1))
	c.jobs(t)
	c.settled(t)
	if c.hub.Count("POST /repos/octo/web/check-runs") != 1 || c.hub.Count("PATCH") != 0 {
		t.Errorf("%+v", c.hub.Requests("POST /repos"))
	}
	c.check(t, conn.ID, func(r *CheckRun) { r.ExternalID = "build-8" }) // run again
	c.settled(t)
	c.check(t, conn.ID, func(r *CheckRun) {
		r.ExternalID, r.Status, r.Conclusion = "build-8", CheckCompleted, ConcludedSuccess
	})
	c.settled(t)
	n := 0
	c.hub.Look("octo", "web", func(r *githubtest.Repo) { n = len(r.Checks) })
	if n != 2 || c.hub.Count("PATCH") != 1 {
		t.Errorf("%d runs, %d updates", n, c.hub.Count("PATCH"))
	}
}

func TestCheckThroughATokenIsAStatus(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	c.jobs(t)
	for _, tc := range []struct {
		conclusion Conclusion
		want       string
	}{{"", "pending"}, {ConcludedSuccess, "success"}, {ConcludedFailure, "failure"}, {ConcludedCancelled, "error"}, {ConcludedNeutral, "success"}, {ConcludedTimedOut, "failure"}} {
		c.check(t, c.conn.ID, func(r *CheckRun) {
			if r.Title, r.Conclusion = "now "+tc.want+" "+string(tc.conclusion), tc.conclusion; tc.conclusion != "" {
				r.Status = CheckCompleted
			}
		})
		c.settled(t)
		c.hub.Look("octo", "web", func(r *githubtest.Repo) {
			if got := r.Statuses[0]; got["state"] != tc.want || got["context"] != "signalbox/site/unit" || got["target_url"] != "https://s/builds/7" {
				t.Errorf("%s: %v", tc.conclusion, got)
			}
		})
	}
}

func (c *circle) comment(t *testing.T, key, body string) {
	t.Helper()
	if err := c.PostComment(t.Context(), Comment{Team: 1, Connection: c.conn.ID, Owner: "octo", Repo: "web", Number: 4, Key: key, Body: body}); err != nil {
		t.Fatal(err)
	}
}

func TestStickyComment(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	c.hub.PageSize = 2
	c.hub.Look("octo", "web", func(r *githubtest.Repo) {
		for n := range 5 {
			r.Comments = append(r.Comments, map[string]any{"id": int64(9000 + n), "number": "4", "body": "LGTM <!-- signalbox:guess -->"})
		}
	})
	c.jobs(t)
	ours := func() (list []string) {
		c.hub.Look("octo", "web", func(r *githubtest.Repo) {
			for _, one := range r.Comments {
				if text, _ := one["body"].(string); !strings.HasPrefix(text, "LGTM") {
					list = append(list, strings.SplitN(text, "\n", 2)[0])
				}
			}
		})
		return list
	}
	expect := func(when string, want ...string) {
		t.Helper()
		c.settled(t)
		if got := fmt.Sprint(ours()); got != fmt.Sprint(want) {
			t.Errorf("%s: %s, want %v", when, got, want)
		}
	}
	c.hub.Misbehave(githubtest.Fault{Method: "POST", Path: "/repos/octo/web/issues", Times: 1, Drop: true, Done: true})
	c.comment(t, "site", "one failed")
	expect("after a lost answer", "one failed")
	c.hub.Behave()
	c.comment(t, "site", "all passed")
	expect("after a change", "all passed")
	c.comment(t, "docs", "docs built")
	expect("another key", "all passed", "docs built")
	c.hub.Look("octo", "web", func(r *githubtest.Repo) { r.Comments = r.Comments[:5] })
	c.comment(t, "site", "passed again")
	expect("after somebody deleted them", "passed again")
	posts := c.hub.Count("POST /repos/octo/web/issues")
	c.comment(t, "site", "passed again")
	expect("the same once more", "passed again")
	if n := c.hub.Count("POST /repos/octo/web/issues"); n != posts {
		t.Errorf("%d more comments", n-posts)
	}
}

// A server that dies between the call and its note, and starts again.
func TestWriteOfADeadServerIsFound(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	conn, _ := c.app(t)
	c.comment(t, "site", "one failed")
	c.check(t, conn.ID, failed(70))
	for id := int64(1); id <= 2; id++ {
		job := work.Job{Payload: fmt.Appendf(nil, `{"id":%d}`, id), Attempt: 1}
		if err := c.Service.post(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		if err := c.db.Writer(t.Context()).Exec("UPDATE github_posts SET posted = 0, github_id = 0, annotated = 0, attempts = 0 WHERE id = ?", id).Error; err != nil {
			t.Fatal(err)
		}
		if err := c.Service.post(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	c.hub.Look("octo", "web", func(r *githubtest.Repo) {
		if len(r.Comments) != 1 || len(r.Checks) != 1 || len(r.Checks[0]["annotations"].([]any)) != 70 {
			t.Errorf("%v %v", r.Comments, r.Checks)
		}
	})
}

func TestPostsThatAreGivenUp(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	c.hub.Look("octo", "web", func(r *githubtest.Repo) { r.Commits("known") })
	c.jobs(t)
	if err := c.PostStatus(t.Context(), Status{Connection: c.conn.ID, Owner: "octo", Repo: "web", SHA: "gone", Context: "x", State: Success}); err != nil {
		t.Fatal(err)
	}
	c.hub.Misbehave(githubtest.Fault{Path: "/repos/octo/web/issues", Status: 410, Body: `{"message":"Issues are disabled"}`})
	c.comment(t, "site", "hello")
	c.settled(t)
	var posts struct{ Items []Post }
	if c.call(t, "GET", "/posts?state=failed", "", 200, &posts); len(posts.Items) != 2 {
		t.Fatalf("%+v", posts)
	}
	for _, p := range posts.Items {
		if p.State != PostFailed || p.Attempts != 1 || !strings.HasPrefix(p.Error, "GitHub answered 4") {
			t.Errorf("%+v", p)
		}
	}
	if n := c.left(t, "%", "dead"); n != 2 {
		t.Errorf("%d dead letters", n)
	}
	// What is retried must succeed, or it may have failed again before it is retried once more.
	c.hub.Behave()
	c.hub.Look("octo", "web", func(r *githubtest.Repo) { r.Commits("known", "gone") })
	for _, p := range posts.Items {
		c.call(t, "POST", "/posts/retry", fmt.Sprintf(`{"kind":%q,"id":%d}`, p.Kind, p.ID), 204, nil)
		c.call(t, "POST", "/posts/retry", fmt.Sprintf(`{"kind":%q,"id":%d}`, p.Kind, p.ID), 409, nil)
	}
	c.settled(t)
	if c.call(t, "GET", "/posts?kind=comment", "", 200, &posts); len(posts.Items) != 1 || posts.Items[0].State != PostDone {
		t.Errorf("%+v", posts)
	}
	c.call(t, "GET", "/posts?state=odd", "", 400, nil)
	c.call(t, "POST", "/posts/retry", `{"kind":"comment","id":99}`, 404, nil)
	c.call(t, "POST", "/posts/retry", `{"kind":"letter","id":1}`, 404, nil)
}

func TestPostRefusals(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	_, theirs, _ := foreign(t, c.bundle)
	good := CheckRun{Team: 1, Connection: c.conn.ID, Owner: "octo", Repo: "web", SHA: "a", Name: "n", Status: CheckQueued}
	for name, spoil := range map[string]func(*CheckRun){
		"no name":          func(r *CheckRun) { r.Name = "" },
		"no status":        func(r *CheckRun) { r.Status = "" },
		"no conclusion":    func(r *CheckRun) { r.Status = CheckCompleted },
		"early conclusion": func(r *CheckRun) { r.Conclusion = ConcludedSuccess },
		"odd conclusion":   func(r *CheckRun) { r.Status, r.Conclusion = CheckCompleted, "green" },
		"bad annotation":   func(r *CheckRun) { r.Annotations = []Annotation{{Path: "x", Level: LevelNotice}} },
		"no connection":    func(r *CheckRun) { r.Connection = "none" },
	} {
		bad := good
		spoil(&bad)
		if err := c.PostCheck(t.Context(), bad); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	for _, bad := range []Comment{{}, {Team: 1, Connection: theirs, Owner: "o", Repo: "r", Number: 1, Key: "k", Body: "b"}, {Team: 1, Connection: c.conn.ID, Owner: "o", Repo: "r", Number: 1, Key: "k", Body: " "}} {
		if err := c.PostComment(t.Context(), bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	// What the caller rolls back was never wished.
	_ = c.DB.Tx(t.Context(), func(ctx context.Context) error {
		if err := c.PostComment(ctx, Comment{Team: 1, Connection: c.conn.ID, Owner: "o", Repo: "r", Number: 1, Key: "k", Body: "b"}); err != nil {
			t.Error(err)
		}
		return context.Canceled
	})
	if n := c.left(t, postJob, "%"); n != 0 {
		t.Errorf("%d jobs", n)
	}
}

func TestCheckIsBounded(t *testing.T) {
	t.Parallel()
	c := CheckRun{Title: strings.Repeat("t", 400), Summary: strings.Repeat("ü", 70000), Annotations: annotations(1200)}.bounded()
	if len(c.Title) > 260 || len([]rune(c.Summary)) != maxSummary || len(c.Annotations) != maxAnnotations || c.Annotations[3].EndLine != 4 {
		t.Errorf("%d %d %d", len(c.Title), len(c.Summary), len(c.Annotations))
	}
	if out := (CheckRun{Name: "n"}).output(annotations(1)); *out.Title != "n" || *out.Summary != "n" {
		t.Errorf("%+v", out)
	}
	if (CheckRun{Name: "n"}).output(nil) != nil {
		t.Error("an output of nothing")
	}
}
