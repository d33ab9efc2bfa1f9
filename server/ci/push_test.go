package ci

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/platform/github/payload"
)

const sha = "%040d"

func pushOf(n int, files ...string) payload.Push {
	id := fmt.Sprintf(sha, n)
	c := payload.Commit{ID: id, Message: fmt.Sprintf("change %d", n), Author: "Ada", Time: time.Unix(int64(n), 0), Modified: files}
	return payload.Push{Owner: "Acme", Repo: "Web", CloneURLs: []string{"https://GitHub.com/Acme/Web.git", "git@github.com:Acme/Web.git"}, Ref: "refs/heads/main",
		Branch: "main", After: id, Commits: []payload.Commit{c}, DefaultBranch: "main"}
}

const pushed = `
resources:
- {name: repo, type: git, check_every: never, source: {uri: "git@github.com:acme/web.git", branch: main}}
- {name: docs, type: git, check_every: never, source: {uri: "https://github.com/acme/web", branch: main, paths: [docs/]}}
- {name: next, type: git, check_every: never, source: {uri: "https://github.com/acme/web", branch: next}}
jobs:
- name: unit
  plan: [{get: repo, trigger: true}]
- name: docs
  plan: [{get: docs, trigger: true}]
- name: next
  plan: [{get: next, trigger: true}]
`

func TestAPushStartsTheJobsThatWatch(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", pushed)
	started := make(chan time.Time, 8)
	w.engine.mu.Lock()
	w.engine.first = func(b engine.Build) {
		if b.JobName == "unit" {
			started <- time.Now()
		}
	}
	w.engine.mu.Unlock()
	began := time.Now()
	got, err := w.ci.ReceivePush(t.Context(), teamMain, pushOf(1, "main.go"))
	if err != nil || got.Resources != 2 || got.Versions != 1 || len(got.Effects) != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	b := w.waitBuild("web", "unit", "1", Succeeded)
	t.Logf("push to engine: %s", (<-started).Sub(began))
	shown := must[buildShape](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", b.ID), "")
	if shown.Cause != "New version of repo 0000000" || shown.Inputs[0].Version["ref"] != fmt.Sprintf(sha, 1) {
		t.Fatalf("%+v", shown)
	}
	w.eventually("both statuses are sent", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.statuses) == 2 })
	w.mu.Lock()
	first, last := w.statuses[0], w.statuses[1]
	w.mu.Unlock()
	if first.State != "pending" || last.State != "success" || last.Repository != "github.com/acme/web" || last.SHA != fmt.Sprintf(sha, 1) ||
		last.URL != "http://127.0.0.1:18080/teams/main/pipelines/web/jobs/unit/builds/1" || last.Context != "signalbox/web/unit" {
		t.Fatalf("%+v\n%+v", first, last)
	}
	if n := len(w.builds("web", "docs")) + len(w.builds("web", "next")); n != 0 {
		t.Fatalf("%d builds that nobody asked for", n)
	}
	if got, err = w.ci.ReceivePush(t.Context(), teamMain, pushOf(2, "docs/a.md")); err != nil || got.Versions != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	w.waitBuild("web", "docs", "1", Succeeded)
	w.waitBuild("web", "unit", "2", Succeeded)
	w.eventually("the checks that verify ran", func() bool { return w.remote.checked("git@github.com:acme/web.git") > 0 })
}

func TestAPushChangesNothingElsewhere(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", pushed)
	for name, change := range map[string]func(*payload.Push){
		"another repository": func(p *payload.Push) { p.CloneURLs = []string{"https://github.com/acme/api.git"} },
		"another host":       func(p *payload.Push) { p.CloneURLs = []string{"https://example.com/acme/web.git"} },
		"another branch":     func(p *payload.Push) { p.Ref, p.Branch = "refs/heads/topic", "topic" },
		"a tag":              func(p *payload.Push) { p.Ref, p.Branch, p.Tag = "refs/tags/v1", "", "v1" },
		"a deleted branch":   func(p *payload.Push) { p.Deleted, p.After = true, strings.Repeat("0", 40) },
	} {
		p := pushOf(1, "main.go")
		change(&p)
		if got, err := w.ci.ReceivePush(t.Context(), teamMain, p); err != nil || got.Versions != 0 {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	if got, err := w.ci.ReceivePush(t.Context(), teamOther, pushOf(1)); err != nil || got.Resources != 0 {
		t.Errorf("another team: %+v %v", got, err)
	}
	if n := w.engine.ran(); n != 0 {
		t.Fatalf("%d builds ran", n)
	}
}

// TestWhatAPushTakes is the table of filters of the git type.
func TestWhatAPushTakes(t *testing.T) {
	t.Parallel()
	two := pushOf(2, "docs/a.md")
	two.Commits = append([]payload.Commit{pushOf(1, "src/a.go").Commits[0]}, two.Commits...)
	skipped := pushOf(3, "src/a.go")
	skipped.Commits[0].Message = "wip [ci skip]"
	truncated := pushOf(4, "src/a.go")
	truncated.Truncated = true
	moved := pushOf(5)
	moved.Commits = nil
	partial := pushOf(6, "src/a.go")
	partial.After = fmt.Sprintf(sha, 7)
	main := pipeline.Source{"branch": "main"}
	with := func(more pipeline.Source) pipeline.Source { return main.Merge(more) }
	for name, c := range map[string]struct {
		source pipeline.Source
		push   payload.Push
		known  bool
		want   []int
	}{
		"every commit":                     {main, two, true, []int{1, 2}},
		"only the newest at first":         {main, two, false, []int{2}},
		"the default branch":               {pipeline.Source{}, two, true, []int{1, 2}},
		"a branch that is a var":           {pipeline.Source{"branch": "((b))"}, two, true, nil},
		"paths":                            {with(pipeline.Source{"paths": []any{"docs"}}), two, true, []int{2}},
		"paths with a pattern":             {with(pipeline.Source{"paths": []any{"*.go"}}), two, true, []int{1}},
		"paths that match nothing":         {with(pipeline.Source{"paths": []any{"web/"}}), two, true, nil},
		"ignored paths":                    {with(pipeline.Source{"ignore_paths": []any{"docs/*"}}), two, true, []int{1}},
		"both":                             {with(pipeline.Source{"paths": []any{"docs"}, "ignore_paths": []any{"docs/a.md"}}), two, true, nil},
		"ci skip":                          {main, skipped, true, nil},
		"ci skip that is disabled":         {with(pipeline.Source{"disable_ci_skip": true}), skipped, true, []int{3}},
		"a truncated list":                 {main, truncated, true, []int{4}},
		"a truncated list with paths":      {with(pipeline.Source{"paths": []any{"src"}}), truncated, true, nil},
		"a moved branch":                   {main, moved, true, []int{5}},
		"a moved branch with paths":        {with(pipeline.Source{"paths": []any{"src"}}), moved, true, nil},
		"a list without its end":           {main, partial, true, nil},
		"what only the repository can say": {with(pipeline.Source{"commit_filter": map[string]any{}}), two, true, nil},
	} {
		var got []int
		for _, v := range pushedVersions(c.source, c.push, c.known) {
			var n int
			if _, err := fmt.Sscanf(v.Version["ref"], "%d", &n); err != nil {
				t.Fatal(err)
			}
			got = append(got, n)
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestRepositoriesAreTheSameHoweverWritten(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://github.com/Acme/Web.git":        "github.com/acme/web",
		"https://user:pw@github.com/acme/web/":   "github.com/acme/web",
		"git@github.com:acme/web.git":            "github.com/acme/web",
		"ssh://git@github.com:22/acme/web":       "github.com/acme/web",
		"git://github.com/acme/web":              "github.com/acme/web",
		"https://ghe.corp:8443/a/b.git":          "ghe.corp/a/b",
		"/srv/git/Web.git":                       "file/srv/git/Web",
		"file:///srv/git/Web.git":                "file/srv/git/Web",
		"((uri))":                                "",
		"":                                       "",
		"https://github.com":                     "",
		"no scheme and no colon":                 "",
		"https://github.com/../../etc/passwd":    "github.com/etc/passwd",
		"http://[::1]:3000/acme/web.git":         "::1/acme/web",
		"git@github.com:/acme/web.git":           "github.com/acme/web",
		" https://github.com/acme/web.git\n":     "github.com/acme/web",
		"https://github.com/acme/web.git?x=1":    "github.com/acme/web",
		"https://dev.azure.com/o/p/_git/r":       "dev.azure.com/o/p/_git/r",
		"https://gitlab.com/group/sub/name.git/": "gitlab.com/group/sub/name",
	} {
		if got := NormalRepository(address); got != want {
			t.Errorf("%q is %q, want %q", address, got, want)
		}
	}
}

// TestPushesStayFastWithManyPipelines holds the look-up to its index.
func TestPushesStayFastWithManyPipelines(t *testing.T) {
	if testing.Short() {
		t.Skip("sets 200 pipelines")
	}
	t.Parallel()
	w := setup(t)
	var b strings.Builder
	b.WriteString("resources:\n")
	for i := range 10 {
		fmt.Fprintf(&b, "- {name: r%d, type: git, check_every: never, source: {uri: \"https://github.com/acme/r%d-PIPE\", branch: main}}\n", i, i)
	}
	b.WriteString("jobs:\n- name: j\n  plan: [{in_parallel: [")
	for i := range 10 {
		fmt.Fprintf(&b, "{get: r%d, trigger: %v}, ", i, i == 0)
	}
	b.WriteString("]}]\n")
	for i := range 200 {
		w.set(fmt.Sprintf("p%d", i), strings.ReplaceAll(b.String(), "PIPE", fmt.Sprint(i)))
	}
	w.set("web", pushed)
	var samples []time.Duration
	at := make(chan time.Time, 64)
	w.engine.mu.Lock()
	w.engine.first = func(b engine.Build) {
		if b.JobName == "unit" {
			at <- time.Now()
		}
	}
	w.engine.mu.Unlock()
	for n := 1; n <= 20; n++ {
		began := time.Now()
		if _, err := w.ci.ReceivePush(t.Context(), teamMain, pushOf(n, "x")); err != nil {
			t.Fatal(err)
		}
		select {
		case end := <-at:
			samples = append(samples, end.Sub(began))
		case <-time.After(time.Minute):
			t.Fatalf("push %d started nothing", n)
		}
		w.waitBuild("web", "unit", fmt.Sprint(n), Succeeded)
	}
	var ms []int64
	for _, s := range samples {
		ms = append(ms, s.Microseconds())
	}
	t.Logf("push to engine with 200 pipelines of 10 resources: median %.1f ms, worst %.1f ms", float64(median(ms))/1000, float64(ms[len(ms)-1])/1000)
	if worst := time.Duration(ms[len(ms)/2]) * time.Microsecond; worst > 500*time.Millisecond {
		t.Fatalf("the median is %s", worst)
	}
}
