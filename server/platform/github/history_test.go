package github

import (
	"fmt"
	"testing"

	"github.com/signalbox/signalbox/server/platform/github/githubtest"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func TestHistory(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	var past []githubtest.Past
	for n := range 60 {
		past = append(past, githubtest.Past{SHA: fmt.Sprintf("%040d", n), Author: "Ann", Email: "ann@example.org", Message: fmt.Sprint("change ", n), At: "2026-05-04T10:30:00Z",
			Files: map[string]string{"src/cart.py": "modified"}})
	}
	c.hub.Look("octo", "web", func(r *githubtest.Repo) { r.History(past...) })
	place := cloneHost(c.hub.URL) + "/octo/web"
	for _, k := range []struct {
		repository, base, head string
		n                      int
		first                  string
		files                  int
	}{
		{place, past[3].SHA, past[5].SHA, 2, "change 5", 2},
		{"octo/web", past[3].SHA, past[5].SHA, 2, "change 5", 2},
		{"octo/web", "", past[5].SHA, 6, "change 5", 6},
		{"octo/web", past[0].SHA, past[59].SHA, 59, "change 59", detailedCommits},
	} {
		list, ok, err := c.History(t.Context(), 1, k.repository, k.base, k.head)
		files := 0
		for _, one := range list {
			files += len(one.Files)
		}
		if err != nil || !ok || len(list) != k.n || list[0].Message != k.first || list[0].Author != "Ann" || list[0].At.IsZero() || files != k.files {
			t.Errorf("%+v: %d commits, %d files, %v %v", k, len(list), files, ok, err)
		}
	}
	if _, ok, err := c.History(t.Context(), 1, "octo/web", "", "gone"); !ok || !problem.Is(err, problem.NotFound) {
		t.Error("a commit that is not there:", ok, err)
	}
	c.hub.Misbehave(githubtest.Fault{Path: "/repos/octo/web/commits", Status: 502, Times: 10})
	if _, _, err := c.History(t.Context(), 1, "octo/web", "", past[5].SHA); !problem.Is(err, problem.Upstream) {
		t.Error("GitHub's trouble:", err)
	}
	if _, ok, err := c.History(t.Context(), 2, "octo/web", "", past[5].SHA); ok || err != nil {
		t.Error("a team without connections:", ok, err)
	}
}

func TestRepositoriesOf(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	c.hub.AddRepo("Octo", "API")
	list, err := c.RepositoriesOf(t.Context(), 1)
	if err != nil || len(list) != 2 || list[1].Name != "Octo/API" || list[1].Place != cloneHost(c.hub.URL)+"/octo/api" || list[1].URL == "" {
		t.Errorf("%+v %v", list, err)
	}
	if list, err := c.RepositoriesOf(t.Context(), 2); len(list) != 0 || err != nil {
		t.Errorf("%+v %v", list, err)
	}
	c.hub.Misbehave(githubtest.Fault{Path: "/user/repos", Status: 500, Times: 10})
	if list, err := c.RepositoriesOf(t.Context(), 1); len(list) != 0 || !problem.Is(err, problem.Upstream) {
		t.Errorf("%+v %v", list, err)
	}
}
