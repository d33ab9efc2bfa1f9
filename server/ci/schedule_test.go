package ci

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/ci/resource"
)

const chain = `
resources:
- {name: repo, type: mock, source: {name: repo}}
- {name: image, type: mock, source: {name: image}}
jobs:
- name: unit
  plan:
  - {get: repo, trigger: true}
  - {task: t, config: {platform: linux, run: {path: x}}}
- name: build
  plan:
  - {get: repo, trigger: true, passed: [unit]}
  - {put: image, params: {version: v1}}
- name: deploy
  plan:
  - in_parallel:
    - {get: repo, passed: [build]}
    - {get: image, trigger: true, passed: [build]}
`

func TestAVersionRunsThroughAChain(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.remote.publish("repo", "a1")
	w.set("web", chain)
	w.waitBuild("web", "deploy", "1", Succeeded)
	for _, job := range []string{"unit", "build", "deploy"} {
		if got := w.builds("web", job); len(got) != 1 {
			t.Fatalf("%s has %d builds", job, len(got))
		}
	}
	deploy := w.builds("web", "deploy")[0]
	inputs := w.call("GET", fmt.Sprintf("/api/v1/builds/%d/resources", deploy.ID), "").body
	if !strings.Contains(inputs, `{"name":"image","version":{"ref":"v1"}`) || !strings.Contains(inputs, `{"name":"repo","version":{"ref":"a1"}`) {
		t.Fatal(inputs)
	}
	job := must[flyJob](w, 200, "GET", "/api/v1/teams/main/pipelines/web/jobs/deploy", "")
	if job.FinishedBuild == nil || job.FinishedBuild.ID != deploy.ID || job.NextBuild != nil || job.HasNewInputs {
		t.Fatalf("%+v", job)
	}
}

func TestFailureStopsTheChainAndIsExplained(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.remote.publish("repo", "a1")
	w.set("web", strings.Replace(chain, "task: t", "task: fail", 1))
	b := w.waitBuild("web", "unit", "1", Failed)
	shown := must[buildShape](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", b.ID), "")
	f := shown.Failure
	if f == nil || f.Name != "fail" || f.ExitStatus == nil || *f.ExitStatus != 3 || !slices.Equal(f.LastLines, []string{"hello from unit"}) || f.Line != 1 {
		t.Fatalf("%+v", f)
	}
	if len(w.builds("web", "build")) != 0 {
		t.Fatal("the next job ran all the same")
	}
	// The same again: now the card can tell that it is not the first time.
	must[buildShape](w, 201, "POST", fmt.Sprintf("/api/v1/ci/builds/%d/rerun", b.ID), "")
	again := w.waitBuild("web", "unit", "1.1", Failed)
	if again.RerunOf == nil || again.RerunOf.Name != "1" || again.RerunNumber != 1 {
		t.Fatalf("%+v", again)
	}
	f = must[buildShape](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", again.ID), "").Failure
	if f.SameInLast != 1 || f.Compared != 1 {
		t.Fatalf("%+v", f)
	}
	w.eventually("the hook heard", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.finished) == 2 })
	w.mu.Lock()
	defer w.mu.Unlock()
	if first, again := w.finished[0], w.finished[1]; first.Previous != "" || again.Previous != Failed || first.Step != "fail" {
		t.Fatalf("%+v %+v", first, again)
	}
	if got := w.finished[0]; got.Job != "unit" || got.URL != "http://127.0.0.1:18080/teams/main/pipelines/web/jobs/unit/builds/1" || len(got.LastLines) != 1 {
		t.Fatalf("%+v", got)
	}
}

func job(extra, gets string) string {
	return `
resources:
- {name: repo, type: mock, source: {name: repo}}
jobs:
- name: j
` + extra + `  plan:
` + gets
}

const getRepo = "  - {get: repo, trigger: true}\n"

func TestSerialJobsRunOneAfterAnother(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]string{
		"serial":        job("  serial: true\n", getRepo),
		"max in flight": job("  max_in_flight: 1\n", getRepo),
		"a group":       job("  serial_groups: [g]\n", getRepo),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			open := w.engine.gate("j")
			defer open()
			w.remote.publish("repo", "a1")
			w.set("p", config)
			w.waitBuild("p", "j", "1", Started)
			must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/p/jobs/j/builds", "")
			second := w.waitBuild("p", "j", "2", Pending)
			w.eventually("it says what it waits for", func() bool {
				return strings.Contains(w.call("GET", fmt.Sprintf("/api/v1/builds/%d/preparation", second.ID), "").body, `"max_running_builds":"blocking"`)
			})
			shown := must[buildShape](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", second.ID), "")
			if len(shown.Waiting) == 0 || !strings.Contains(shown.Waiting[0], "1 of at most 1 builds are running") {
				t.Fatal(shown.Waiting)
			}
			open()
			w.waitBuild("p", "j", "2", Succeeded)
		})
	}
}

func TestSerialGroupsSpanJobs(t *testing.T) {
	t.Parallel()
	w := setup(t)
	openA, openB := w.engine.gate("a"), w.engine.gate("b")
	defer openA()
	defer openB()
	w.set("p", `
jobs:
- {name: a, serial_groups: [db], plan: [{task: t, config: {platform: linux, run: {path: x}}}]}
- {name: b, serial_groups: [db, web], plan: [{task: t, config: {platform: linux, run: {path: x}}}]}
- {name: c, serial_groups: [web], plan: [{task: t, config: {platform: linux, run: {path: x}}}]}
`)
	for _, name := range []string{"a", "b"} {
		must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/p/jobs/"+name+"/builds", "")
	}
	w.waitBuild("p", "a", "1", Started)
	must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/p/jobs/c/builds", "")
	w.waitBuild("p", "c", "1", Succeeded)
	if got := w.builds("p", "b")[0].Status; got != Pending {
		t.Fatalf("b is %s beside a", got)
	}
	openA()
	w.waitBuild("p", "b", "1", Started)
}

func TestManualBuildsCheckTheirInputsFirst(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.remote.publish("repo", "a1")
	w.set("p", job("", "  - {get: repo}\n"))
	w.eventually("the first check", func() bool { return w.remote.checked("repo") > 0 })
	hold := make(chan struct{})
	w.remote.mu.Lock()
	w.remote.hold = hold
	w.remote.mu.Unlock()
	w.remote.publish("repo", "a2")
	b := must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/p/jobs/j/builds", "")
	w.eventually("it says that it waits for the check", func() bool {
		return strings.Contains(strings.Join(must[buildShape](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", b.ID), "").Waiting, " "), "Resource repo is being checked first.")
	})
	close(hold)
	w.waitBuild("p", "j", "1", Succeeded)
	inputs := w.call("GET", fmt.Sprintf("/api/v1/builds/%d/resources", b.ID), "").body
	if !strings.Contains(inputs, `"ref":"a2"`) {
		t.Fatalf("the build took what was known before: %s", inputs)
	}
}

func TestUnsatisfiableInputsAreNamed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.remote.breaks("repo", "fatal: could not read from remote with hush-hush")
	w.set("p", strings.Replace(job("", getRepo), "{name: repo}", "{name: repo, password: ((token))}", 1))
	b := must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/p/jobs/j/builds", "")
	want := "Input repo: latest version of resource not found. The last check of repo failed: fatal: could not read from remote with ((redacted))"
	w.eventually("the reason in the remote's words", func() bool {
		return slices.Contains(must[buildShape](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", b.ID), "").Waiting, want)
	})
	if body := w.call("GET", fmt.Sprintf("/api/v1/builds/%d/preparation", b.ID), "").body; !strings.Contains(body, `"missing_input_reasons":{"repo":"latest version of resource not found"}`) {
		t.Fatal(body)
	}
	graph := must[graphShape](w, 200, "GET", fmt.Sprintf("/api/v1/ci/pipelines/%d/graph", w.set("p", job("", getRepo))), "")
	if len(graph.Resources) != 1 {
		t.Fatalf("%+v", graph.Resources)
	}
}

func TestEveryVersionRunsOnceInOrder(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.remote.publish("repo", "a1")
	w.set("p", job("  serial: true\n", "  - {get: repo, trigger: true, version: every}\n"))
	w.waitBuild("p", "j", "1", Succeeded)
	w.remote.publish("repo", "a2", "a3", "a4")
	must[flyBuild](w, 201, "POST", "/api/v1/teams/main/pipelines/p/resources/repo/check", "{}")
	w.waitBuild("p", "j", "4", Succeeded)
	var took []string
	for _, b := range w.builds("p", "j") {
		body := w.call("GET", fmt.Sprintf("/api/v1/builds/%d/resources", b.ID), "").body
		took = append(took, body[strings.Index(body, `"ref":"`)+7:][:2])
	}
	if !slices.Equal(took, []string{"a1", "a2", "a3", "a4"}) {
		t.Fatal(took)
	}
}

func TestPausedPipelinesAndJobsStartNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("p", job("", getRepo))
	w.call("PUT", "/api/v1/teams/main/pipelines/p/jobs/j/pause", "")
	w.remote.publish("repo", "a1")
	check := must[flyBuild](w, 201, "POST", "/api/v1/teams/main/pipelines/p/resources/repo/check", "{}")
	w.eventually("the check ends", func() bool {
		return must[flyBuild](w, 200, "GET", check.APIURL, "").Status == Succeeded
	})
	w.eventually("new inputs are seen", func() bool {
		return must[flyJob](w, 200, "GET", "/api/v1/teams/main/pipelines/p/jobs/j", "").HasNewInputs
	})
	if n := len(w.builds("p", "j")); n != 0 {
		t.Fatalf("a paused job has %d builds", n)
	}
	w.call("PUT", "/api/v1/teams/main/pipelines/p/jobs/j/unpause", "")
	w.waitBuild("p", "j", "1", Succeeded)
}

func TestPinsAndDisabledVersionsSteerJobs(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.remote.publish("repo", "a1")
	w.set("p", job("", "  - {get: repo}\n"))
	w.eventually("the first check", func() bool { return w.remote.checked("repo") > 0 })
	w.remote.publish("repo", "a2", "a3")
	run := func() string {
		t.Helper()
		b := must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/p/jobs/j/builds", "")
		w.waitBuild("p", "j", b.Name, Succeeded)
		body := w.call("GET", fmt.Sprintf("/api/v1/builds/%d/resources", b.ID), "").body
		return body[strings.Index(body, `"ref":"`)+7:][:2]
	}
	if got := run(); got != "a3" {
		t.Fatalf("took %s", got)
	}
	const r = "/api/v1/teams/main/pipelines/p/resources/repo"
	id := func(ref string) int64 {
		t.Helper()
		list := must[[]flyVersion](w, 200, "GET", r+"/versions?filter=ref:"+ref, "")
		if len(list) != 1 {
			t.Fatalf("%s: %+v", ref, list)
		}
		return list[0].ID
	}
	w.call("PUT", fmt.Sprintf("%s/versions/%d/disable", r, id("a3")), "")
	if got := run(); got != "a2" {
		t.Fatalf("with a3 disabled it took %s", got)
	}
	w.call("PUT", fmt.Sprintf("%s/versions/%d/pin", r, id("a1")), "")
	w.call("PUT", r+"/pin_comment", `{"pin_comment":"the good one"}`)
	if got := run(); got != "a1" {
		t.Fatalf("pinned to a1 it took %s", got)
	}
	shown := must[flyResource](w, 200, "GET", r, "")
	if shown.PinnedVersion["ref"] != "a1" || shown.PinComment != "the good one" {
		t.Fatalf("%+v", shown)
	}
	w.call("PUT", r+"/unpin", "")
	w.call("PUT", fmt.Sprintf("%s/versions/%d/enable", r, id("a3")), "")
	if got := run(); got != "a3" {
		t.Fatalf("unpinned it took %s", got)
	}
}

func TestRemovedJobsComeBackWithTheirHistory(t *testing.T) {
	t.Parallel()
	w := setup(t)
	two := hello + "- {name: other, plan: [{task: t, config: {platform: linux, run: {path: x}}}]}\n"
	w.set("p", two)
	must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/p/jobs/other/builds", "")
	w.waitBuild("p", "other", "1", Succeeded)
	w.set("p", hello)
	if a := w.call("GET", "/api/v1/teams/main/pipelines/p/jobs/other", ""); a.status != 404 {
		t.Fatalf("a removed job answers %d", a.status)
	}
	w.set("p", two)
	if n := len(w.builds("p", "other")); n != 1 {
		t.Fatalf("%d builds after it came back", n)
	}
	w.set("p", strings.Replace(two, "name: other,", "name: renamed, old_name: other,", 1))
	if n := len(w.builds("p", "renamed")); n != 1 {
		t.Fatalf("%d builds after it was renamed", n)
	}
}

func TestAnotherSourceIsAnotherHistory(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.remote.publish("repo", "a1")
	w.remote.publish("fork", "f1")
	config := job("", getRepo)
	w.set("p", config)
	w.waitBuild("p", "j", "1", Succeeded)
	w.set("p", strings.Replace(config, "source: {name: repo}", "source: {name: fork}", 1))
	w.waitBuild("p", "j", "2", Succeeded)
	list := must[[]flyVersion](w, 200, "GET", "/api/v1/teams/main/pipelines/p/resources/repo/versions", "")
	if len(list) != 1 || list[0].Version["ref"] != "f1" {
		t.Fatalf("%+v", list)
	}
	w.set("p", config)
	w.eventually("the former history is back", func() bool {
		list := must[[]flyVersion](w, 200, "GET", "/api/v1/teams/main/pipelines/p/resources/repo/versions", "")
		return len(list) == 1 && list[0].Version["ref"] == "a1"
	})
}

func TestVersionsOutOfOrderAreMendedByTheCheck(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.set("p", job("", "  - {get: repo}\n"))
	ctx := t.Context()
	r, err := w.ci.resourceByName(ctx, id, "repo")
	if err != nil {
		t.Fatal(err)
	}
	save := func(verified bool, refs ...string) bool {
		t.Helper()
		var list []resource.Result
		for _, ref := range refs {
			list = append(list, resource.Result{Version: resource.Version{"ref": ref}})
		}
		var out saved
		if err := w.db.Tx(ctx, func(ctx2 context.Context) (err error) {
			out, err = w.ci.saveVersions(ctx2, r, list, verified)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return out.New
	}
	latest := func() string {
		t.Helper()
		v, err := w.ci.latestVersion(ctx, r, true)
		if err != nil {
			t.Fatal(err)
		}
		return v.fields()["ref"]
	}
	save(true, "c1")
	save(false, "c3")
	save(false, "c2") // an older push, delivered late
	if latest() != "c2" {
		t.Fatalf("latest is %s before the check", latest())
	}
	if !save(true, "c1", "c2", "c3") || latest() != "c3" {
		t.Fatalf("latest is %s after the check", latest())
	}
	if save(true, "c3") || latest() != "c3" {
		t.Fatal("a check without news changed something")
	}
	save(true, "made-by-put")
	if save(true, "c3") || latest() != "made-by-put" {
		t.Fatalf("latest is %s: a put's version must stay the newest", latest())
	}
}
