package ci

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/platform/github/payload"
)

// linked is push n of a branch: from commit n-1 to n, n seconds after the epoch.
func linked(n int) payload.Push {
	p := pushOf(n, "main.go")
	p.Before, p.At = fmt.Sprintf(sha, n-1), time.Unix(int64(n), 0)
	return p
}

func TestWhichPushIsNewer(t *testing.T) {
	t.Parallel()
	row := func(from, to string, at int) pushRow { return pushRow{FromSHA: from, ToSHA: to, PushedAt: millis(at)} }
	for name, c := range map[string]struct {
		tip, next pushRow
		want      bool
	}{
		"the first":                         {row("", "", 0), row("a", "b", 5), true},
		"the same again":                    {row("a", "b", 5), row("a", "b", 5), true},
		"the next, in the same second":      {row("a", "b", 5), row("b", "c", 5), true},
		"the one before, in the second":     {row("b", "c", 5), row("a", "b", 5), false},
		"the next, with an odd clock":       {row("a", "b", 5), row("b", "c", 4), true},
		"later, with one missing":           {row("a", "b", 5), row("c", "d", 7), true},
		"earlier, with one missing":         {row("c", "d", 7), row("a", "b", 5), false},
		"the same second, with one missing": {row("a", "b", 5), row("c", "d", 5), false},
		"no clock and no link":              {row("a", "b", 0), row("c", "d", 0), false},
		"there and back":                    {row("a", "b", 5), row("b", "a", 6), true},
		"there and back, the other way":     {row("b", "a", 6), row("a", "b", 5), false},
		"made again after it was deleted":   {row("b", "0", 6), row("0", "c", 7), true},
	} {
		if got := c.next.follows(c.tip); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestPushesInAnyOrder delivers twenty pushes shuffled and doubled: the last one is
// the newest version in the end, and each commit is one version.
func TestPushesInAnyOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.set("web", pushed)
			const n = 20
			for i := 1; i <= n; i++ {
				w.remote.publish("git@github.com:acme/web.git", fmt.Sprintf(sha, i))
				w.remote.publish("https://github.com/acme/web", fmt.Sprintf(sha, i))
			}
			order := rand.New(rand.NewPCG(seed, 1)).Perm(2 * n)
			best := 0
			for _, i := range order {
				push := linked(i%n + 1)
				if _, err := w.ci.ReceivePush(t.Context(), teamMain, push); err != nil {
					t.Fatal(err)
				}
				best = max(best, i%n+1)
			}
			w.eventually("the newest push to be the newest version", func() bool {
				list := must[versionList](w, 200, "GET", fmt.Sprintf("/api/v1/ci/resources/%d/versions?limit=200", w.resource("web", "repo")), "")
				return len(list.Items) > 0 && list.Items[0].Version["ref"] == fmt.Sprintf(sha, n)
			})
			w.eventually("the newest to be built", func() bool {
				list := w.builds("web", "unit")
				return len(list) > 0 && list[len(list)-1].Status == Succeeded && w.taken(list[len(list)-1].ID) == fmt.Sprintf(sha, n)
			})
			seen := map[string]bool{}
			for _, v := range must[versionList](w, 200, "GET", fmt.Sprintf("/api/v1/ci/resources/%d/versions?limit=200", w.resource("web", "repo")), "").Items {
				if seen[v.Version["ref"]] {
					t.Errorf("%s is there twice", v.Version["ref"])
				}
				seen[v.Version["ref"]] = true
			}
		})
	}
}

// TestALatePushIsNotTheNewest: no check helps here, since the remote is silent.
func TestALatePushIsNotTheNewest(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", pushed)
	for i, n := range []int{3, 1, 2} {
		got, err := w.ci.ReceivePush(t.Context(), teamMain, linked(n))
		if err != nil || got.Resources != 2 || (got.Versions == 1) != (i == 0) {
			t.Fatalf("push %d: %+v %v", n, got, err)
		}
		kind := "check"
		if i == 0 {
			kind = "version"
		}
		if e := got.Effects[0]; e.Kind != kind || e.URL != "http://127.0.0.1:18080/teams/main/pipelines/web/resources/repo" {
			t.Errorf("push %d: %+v", n, e)
		}
	}
	b := w.waitBuild("web", "unit", "1", Succeeded)
	if got := w.taken(b.ID); got != fmt.Sprintf(sha, 3) {
		t.Errorf("it built %s", got)
	}
	if n := len(w.builds("web", "unit")); n != 1 {
		t.Errorf("%d builds", n)
	}
}

func TestForcedAndNewBranches(t *testing.T) {
	t.Parallel()
	head := pushOf(5, "docs/a.md").Commits[0]
	for name, c := range map[string]struct {
		change func(*payload.Push)
		source string
		want   int
	}{
		"forced":                 {func(p *payload.Push) { p.Forced = true }, "", 1},
		"new":                    {func(p *payload.Push) { p.Created = true }, "", 1},
		"forced, with paths":     {func(p *payload.Push) { p.Forced = true }, "docs", 0},
		"new, with paths":        {func(p *payload.Push) { p.Created = true }, "docs", 0},
		"plain, with paths":      {func(*payload.Push) {}, "docs", 1},
		"forced, without a list": {func(p *payload.Push) { p.Forced, p.Commits, p.Head = true, nil, &head }, "", 1},
		"forced to a skipped one": {func(p *payload.Push) {
			skipped := head
			skipped.Message = "[skip ci] x"
			p.Forced, p.Commits, p.Head = true, nil, &skipped
		}, "", 0},
	} {
		push := pushOf(5, "docs/a.md")
		c.change(&push)
		source := map[string]any{"branch": "main"}
		if c.source != "" {
			source["paths"] = []any{c.source}
		}
		if got := pushedVersions(source, push, true); len(got) != c.want || len(got) == 1 && got[0].Version["ref"] != push.After {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestTagsAndReleases(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", `
resources:
- {name: glob, type: git, check_every: never, source: {uri: "https://github.com/acme/web", tag_filter: "v*"}}
- {name: regex, type: git, check_every: never, source: {uri: "https://github.com/acme/web", tag_regex: "v[0-9]+"}}
- {name: branch, type: git, check_every: never, source: {uri: "https://github.com/acme/web", branch: main, tag_filter: "v*"}}
- {name: newest, type: github-release, check_every: never, source: {owner: acme, repository: Web, order_by: time, name: a}}
- {name: highest, type: github-release, check_every: never, source: {owner: acme, repository: Web, name: b}}
- {name: other, type: github-release, check_every: never, source: {owner: acme, repository: other, name: c}}
jobs:
- {name: j, plan: [{get: glob, trigger: true}]}
- {name: k, plan: [{get: regex}, {get: branch}, {get: newest}, {get: highest}, {get: other}]}
`)
	tag := func(name string) payload.Push {
		p := pushOf(7)
		p.Ref, p.Branch, p.Tag, p.Created, p.Head = "refs/tags/"+name, "", name, true, &p.Commits[0]
		p.After, p.Commits = strings.Repeat("f", 40), nil // an annotated tag is an object of its own
		return p
	}
	for name, want := range map[string]Told{"v7": {Resources: 3, Versions: 2}, "nightly": {}} {
		got, err := w.ci.ReceivePush(t.Context(), teamMain, tag(name))
		if err != nil || got.Resources != want.Resources || got.Versions != want.Versions {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	w.waitBuild("web", "j", "1", Succeeded)
	list := must[versionList](w, 200, "GET", fmt.Sprintf("/api/v1/ci/resources/%d/versions", w.resource("web", "glob")), "")
	if v := list.Items[0].Version; v["ref"] != "v7" || v["commit"] != fmt.Sprintf(sha, 7) {
		t.Errorf("%v", v)
	}
	release := payload.Release{ID: 9, Tag: "v9", Published: time.Unix(9000, 0)}
	places := []string{"https://github.com/Acme/Web.git"}
	got, err := w.ci.ReceiveRelease(t.Context(), teamMain, places, "published", release)
	if err != nil || got.Resources != 2 || got.Versions != 1 {
		t.Errorf("%+v %v", got, err)
	}
	w.eventually("a check to look at the one that goes by number", func() bool { return w.remote.checked("b") > 0 })
	late := payload.Release{ID: 8, Tag: "v8", Published: time.Unix(8000, 0)}
	if got, err := w.ci.ReceiveRelease(t.Context(), teamMain, places, "published", late); err != nil || got.Versions != 0 {
		t.Errorf("a late one: %+v %v", got, err)
	}
	if got, err := w.ci.ReceiveRef(t.Context(), teamMain, places, payload.Ref{Name: "v7", Tag: true, Deleted: true}); err != nil || got.Resources != 3 {
		t.Errorf("a deleted tag: %+v %v", got, err)
	}
}

// TestMovedRepositories: what a pipeline calls by its former name is still told.
func TestMovedRepositories(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.ci.deps.RepositoryNames = namesOfWeb
	w.set("web", pushed)
	push := pushOf(1, "main.go")
	push.CloneURLs = []string{"https://github.com/acme/site.git"}
	if got, err := w.ci.ReceivePush(t.Context(), teamMain, push); err != nil || got.Resources != 2 || got.Versions != 1 {
		t.Errorf("%+v %v", got, err)
	}
}

// resource finds the id of a pipeline's resource.
func (w *world) resource(pipeline, name string) int64 {
	w.t.Helper()
	p, err := w.ci.pipelineByName(w.t.Context(), teamMain, pipeline, "")
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := w.ci.resourceByName(w.t.Context(), p.ID, name)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.ID
}

// taken is the commit that a build took.
func (w *world) taken(build int64) string {
	w.t.Helper()
	list, err := w.ci.buildVersions(w.t.Context(), build)
	if err != nil || len(list) == 0 {
		return ""
	}
	v, err := decode[resource.Version](list[0].Version)
	if err != nil {
		w.t.Fatal(err)
	}
	return v["ref"] + v["commit"]
}
