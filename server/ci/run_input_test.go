package ci

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/vars"
	"github.com/signalbox/signalbox/server/platform/secrets"
)

const asking = `
resources:
- {name: repo, type: mock, source: {name: repo}}
jobs:
- name: deploy
  plan:
  - {get: repo, trigger: true}
  - {task: go, config: {platform: linux, run: {path: echo, args: [((input:version))]}}}
- name: release
  plan:
  - {get: repo, trigger: true}
  - {task: go, config: {platform: linux, run: {path: "true"}}}
signalbox:
  jobs:
    deploy:
      inputs:
      - {name: version, pattern: '^\d+\.\d+$', required: true, default: "1.0", description: which}
      - {name: env, type: choice, options: [staging, production], default: staging}
      - {name: dry_run, type: bool, default: true}
      - {name: token, type: secret}
    release:
      inputs:
      - {name: tag, required: true}
`

// sealed gives the world a key file.
func (w *world) sealed() *secrets.Box {
	w.t.Helper()
	box, _, err := secrets.OpenBox(filepath.Join(w.t.TempDir(), "key"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.ci.deps.Sealer = box
	return box
}

func (w *world) jobID(pipeline, job string) int64 {
	w.t.Helper()
	return must[flyJob](w, 200, "GET", "/api/v1/teams/main/pipelines/"+pipeline+"/jobs/"+job, "").ID
}

// input is what ((input:name)) is for a build.
func (w *world) input(b engine.Build, name string) (any, bool, *vars.Tracker) {
	w.t.Helper()
	lookup, err := w.ci.Vars(w.t.Context(), b)
	if err != nil {
		w.t.Fatal(err)
	}
	var tracker vars.Tracker
	value, found, err := vars.Resolve(w.t.Context(), vars.Ref{Source: "input", Path: name}, tracker.Watch(lookup))
	if err != nil {
		w.t.Fatal(err)
	}
	return value, found, &tracker
}

func TestRunInputs(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.sealed()
	w.remote.publish("repo", "v1")
	w.set("shop", asking)
	deploy := w.jobID("shop", "deploy")
	path := fmt.Sprintf("/api/v1/ci/jobs/%d", deploy)

	shown := must[jobShape](w, 200, "GET", path, "")
	if got := encode(shown.RunInputs); got != `[{"name":"version","type":"string","description":"which","required":true,"default":"1.0","options":[],"pattern":"^\\d+\\.\\d+$"},`+
		`{"name":"env","type":"choice","description":"","required":false,"default":"staging","options":["staging","production"],"pattern":""},`+
		`{"name":"dry_run","type":"bool","description":"","required":false,"default":true,"options":[],"pattern":""},`+
		`{"name":"token","type":"secret","description":"","required":false,"default":null,"options":[],"pattern":""}]` {
		t.Errorf("form %s", got)
	}

	bad := w.call("POST", path+"/trigger", `{"inputs":{"version":"x","env":"moon","dry_run":"perhaps","token":{"a":1},"more":1}}`)
	var p struct {
		Errors []struct{ Field, Message string }
	}
	if err := json.Unmarshal([]byte(bad.body), &p); err != nil || bad.status != 400 || len(p.Errors) != 5 || p.Errors[1].Field != "inputs.env" ||
		p.Errors[1].Message != "must be one of staging, production" || p.Errors[4].Field != "inputs.more" {
		t.Errorf("%d %s %v", bad.status, bad.body, err)
	}
	if a := w.call("POST", path+"/trigger", `{"input":{}}`); a.status != 400 {
		t.Errorf("a typo: %d %s", a.status, a.body)
	}
	if a := w.call("POST", path+"/trigger", `{}`, as("viewer")); a.status != 403 {
		t.Errorf("a viewer: %d", a.status)
	}

	// YAML in a value stays text.
	b := must[buildShape](w, 201, "POST", path+"/trigger", `{"inputs":{"version":"2.1","dry_run":false,"token":"{a: [((token))]}"}}`)
	if got := encode(b.RunInputs); got != `[{"name":"version","type":"string","value":"2.1"},{"name":"env","type":"choice","value":"staging"},`+
		`{"name":"dry_run","type":"bool","value":false},{"name":"token","type":"secret","value":null}]` {
		t.Errorf("build shows %s", got)
	}
	w.waitBuild("shop", "deploy", b.Name, Succeeded)
	run := w.runOf(b.ID)
	for name, want := range map[string]any{"version": "2.1", "env": "staging", "dry_run": false, "token": "{a: [((token))]}"} {
		value, found, tracker := w.input(run, name)
		if !found || !reflect.DeepEqual(value, want) {
			t.Errorf("%s is %v, %v", name, value, found)
		}
		if hidden := len(tracker.Values()) > 0; hidden != (name == "token") {
			t.Errorf("%s: hidden in logs is %v", name, hidden)
		}
	}
	if _, found, _ := w.input(run, "other"); found {
		t.Error("an input that nobody declared was found")
	}
	var stored []runInputRow
	if err := w.db.Reader(t.Context()).Find(&stored).Error; err != nil {
		t.Fatal(err)
	}
	for _, row := range stored {
		if row.Name == "token" && (row.Value != "" || strings.Contains(string(row.Sealed), "token")) {
			t.Errorf("the secret is kept as %q %q", row.Value, row.Sealed)
		}
	}

	again := must[buildShape](w, 201, "POST", fmt.Sprintf("/api/v1/ci/builds/%d/rerun", b.ID), "")
	w.waitBuild("shop", "deploy", again.Name, Succeeded)
	if value, _, _ := w.input(w.runOf(again.ID), "token"); value != "{a: [((token))]}" || encode(again.RunInputs) != encode(b.RunInputs) {
		t.Errorf("rerun has %v, %s", value, encode(again.RunInputs))
	}
}

// runOf is how the engine got a build.
func (w *world) runOf(id int64) engine.Build {
	w.t.Helper()
	w.engine.mu.Lock()
	defer w.engine.mu.Unlock()
	for _, b := range w.engine.runs {
		if b.ID == id {
			return b
		}
	}
	w.t.Fatalf("build %d never ran", id)
	return engine.Build{}
}

func TestInputsOfTriggeredBuilds(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.sealed()
	w.remote.publish("repo", "v1")
	w.set("shop", asking)
	first := w.waitBuild("shop", "deploy", "1", Succeeded)
	if value, found, _ := w.input(w.runOf(first.ID), "version"); !found || value != "1.0" {
		t.Errorf("the default is %v, %v", value, found)
	}
	// release asks for what nobody says when it starts by itself.
	w.eventually("the version to be new for release", func() bool {
		return must[jobShape](w, 200, "GET", fmt.Sprintf("/api/v1/ci/jobs/%d", w.jobID("shop", "release")), "").HasNewInputs
	})
	shown := must[jobShape](w, 200, "GET", fmt.Sprintf("/api/v1/ci/jobs/%d", w.jobID("shop", "release")), "")
	if len(shown.LastBuilds) != 0 || len(shown.Waiting) != 1 ||
		shown.Waiting[0] != "It does not start by itself: input tag is required and without default. Start it by hand, or give a default." {
		t.Errorf("builds %v, waits because %q", shown.LastBuilds, shown.Waiting)
	}
	fly := "/api/v1/teams/main/pipelines/shop/jobs/"
	if a := w.call("POST", fly+"release/builds", ""); a.status != 409 || a.body != "the job has inputs that fly cannot ask for (tag is required); start it in the web interface" {
		t.Errorf("fly: %d %q", a.status, a.body)
	}
	b := must[flyBuild](w, 200, "POST", fly+"deploy/builds", "")
	w.waitBuild("shop", "deploy", b.Name, Succeeded)
	if value, _, _ := w.input(w.runOf(b.ID), "dry_run"); value != true {
		t.Errorf("fly's build has dry_run %v", value)
	}
	r := must[buildShape](w, 201, "POST", fmt.Sprintf("/api/v1/ci/jobs/%d/builds", w.jobID("shop", "release")), `{"inputs":{"tag":"v9"}}`)
	w.waitBuild("shop", "release", r.Name, Succeeded)
}

// TestInputsOfStrangers: an exposed pipeline does not show what its builds were given.
func TestInputsOfStrangers(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.sealed()
	w.remote.publish("repo", "v1")
	w.set("shop", asking)
	w.call("PUT", "/api/v1/teams/main/pipelines/shop/expose", "")
	b := w.waitBuild("shop", "deploy", "1", Succeeded)
	if got := must[buildShape](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", b.ID), "", as("stranger")); len(got.RunInputs) != 0 {
		t.Errorf("a stranger sees %v", got.RunInputs)
	}
}
