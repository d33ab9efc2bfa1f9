package ci

import (
	"fmt"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/ci/resource"
)

func TestLineOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		versions map[string]map[string]string
		want     string
	}{
		{"nothing", nil, ""},
		{"a commit", map[string]map[string]string{"repo": {"ref": "abc"}}, ""},
		{"a pull request", map[string]map[string]string{"pr": {"pr": "7", "commit": "abc"}}, "pr pr 7"},
		{"a branch", map[string]map[string]string{"repo": {"branch": "main", "ref": "abc"}}, "repo branch main"},
		{"the pull request before its branch", map[string]map[string]string{"pr": {"pr": "7", "branch": "x"}}, "pr pr 7"},
		{"several inputs, in order", map[string]map[string]string{"b": {"branch": "x"}, "a": {"pr": "1"}, "c": {"ref": "z"}}, "a pr 1\nb branch x"},
	} {
		if got := lineOf(c.versions); got != c.want {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

const superseding = `
resources:
- {name: repo, type: mock, source: {name: repo}}
jobs:
- name: test
  serial: true
  plan: [{get: repo, trigger: true, version: every}]
- name: free
  plan: [{get: repo}]
- name: keep
  plan: [{get: repo}]
signalbox: {jobs: {test: {cancel_superseded: true}, free: {cancel_superseded: true}}}
`

// publishAs adds versions with further fields.
func (r *remote) publishAs(name string, versions ...resource.Version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.versions[name] = append(r.versions[name], versions...)
}

func (w *world) shown(id int64) buildShape {
	w.t.Helper()
	return must[buildShape](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", id), "")
}

func TestNewerBuildsAbortOlderOnes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	open := map[string]func(){}
	for _, job := range []string{"free", "keep"} {
		open[job] = w.engine.gate(job)
	}
	w.remote.publish("repo", "v1")
	w.set("shop", superseding)
	start := func(job string) buildShape {
		return must[buildShape](w, 201, "POST", fmt.Sprintf("/api/v1/ci/jobs/%d/builds", w.jobID("shop", job)), "")
	}
	old, kept := start("free"), start("keep")
	w.waitBuild("shop", "free", old.Name, Started)
	w.waitBuild("shop", "keep", kept.Name, Started)
	newer, other := start("free"), start("keep")
	w.waitBuild("shop", "free", old.Name, Aborted)
	w.waitBuild("shop", "free", newer.Name, Started)
	w.waitBuild("shop", "keep", other.Name, Started)
	if got := w.shown(old.ID); got.SupersededBy == nil || *got.SupersededBy != newer.ID {
		t.Errorf("superseded by %v", got.SupersededBy)
	}
	if row, err := w.ci.build(t.Context(), old.ID); err != nil || row.Message != "superseded by build #"+newer.Name {
		t.Errorf("%q, %v", row.Message, err)
	}
	if said := w.ci.lastError(old.ID); said != "superseded by build #2" {
		t.Errorf("the log says %q", said)
	}
	if got := w.shown(kept.ID); got.Status != Started || got.SupersededBy != nil {
		t.Errorf("a job that did not ask: %+v", got)
	}
	open["free"]()
	open["keep"]()
	w.waitBuild("shop", "free", newer.Name, Succeeded)
	w.waitBuild("shop", "keep", kept.Name, Succeeded)
	if audited := strings.Join(w.audited, "|"); !strings.Contains(audited, fmt.Sprintf("ci.build.supersede build %d", old.ID)) {
		t.Error(audited)
	}
}

// TestSerialJobs: the older build gives its place to the newer one.
func TestSerialJobsAreNotHeldUp(t *testing.T) {
	t.Parallel()
	w := setup(t)
	open := w.engine.gate("test")
	w.remote.publishAs("repo", resource.Version{"ref": "a1", "branch": "a"})
	w.set("shop", superseding)
	w.waitBuild("shop", "test", "1", Started)
	check := func() { w.call("POST", "/api/v1/teams/main/pipelines/shop/resources/repo/check", `{}`) }
	// Another branch waits for its place; a newer commit of the first does not.
	w.remote.publishAs("repo", resource.Version{"ref": "b1", "branch": "b"})
	check()
	w.waitBuild("shop", "test", "2", Pending)
	if got := w.waitBuild("shop", "test", "1", Started); got.Status != Started {
		t.Errorf("another branch aborted build 1")
	}
	open()
	w.waitBuild("shop", "test", "1", Succeeded)
	w.waitBuild("shop", "test", "2", Succeeded)
	w.engine.gate("test")
	w.remote.publishAs("repo", resource.Version{"ref": "a2", "branch": "a"})
	check()
	w.waitBuild("shop", "test", "3", Started)
	w.remote.publishAs("repo", resource.Version{"ref": "a3", "branch": "a"})
	check()
	w.waitBuild("shop", "test", "3", Aborted)
	w.waitBuild("shop", "test", "4", Started)
}

// TestApprovedBuildsAreNotSuperseded: somebody has decided about just that build.
func TestApprovedBuildsAreNotSuperseded(t *testing.T) {
	t.Parallel()
	w := setup(t)
	open := w.engine.gate("free")
	w.remote.publish("repo", "v1")
	w.set("shop", superseding)
	start := func() buildShape {
		return must[buildShape](w, 201, "POST", fmt.Sprintf("/api/v1/ci/jobs/%d/builds", w.jobID("shop", "free")), "")
	}
	old := start()
	w.waitBuild("shop", "free", old.Name, Started)
	row := approvalRow{ID: newID(), TeamID: teamMain, BuildID: old.ID, Handle: newID(), Approvers: "[]", Excluded: "[]", State: ApprovalApproved}
	if _, err := w.ci.insertApproval(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	newer := start()
	w.waitBuild("shop", "free", newer.Name, Started)
	if got := w.shown(old.ID); got.Status != Started {
		t.Errorf("the approved build is %s", got.Status)
	}
	open()
	w.waitBuild("shop", "free", old.Name, Succeeded)
}
