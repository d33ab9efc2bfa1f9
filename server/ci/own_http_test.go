package ci

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// TestOwnAPIScenarios walks our own API with the shapes that openapi.yaml promises.
func TestOwnAPIScenarios(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.remote.publish("repo", "a1")
	yaml, err := json.Marshal("resources:\n- {name: repo, type: mock, source: {name: repo}}\n- {name: gone, type: mock, source: {name: gone}}\njobs:\n- name: j # why\n  plan:\n  - {get: repo, trigger: true}\n  - {get: gone}\n")
	if err != nil {
		t.Fatal(err)
	}
	bad, err := json.Marshal("jobs:\n- name: a\n  plan:\n  - bogus: 1\n    get: nope\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, method, path, body string
		options                  []option
		status                   int
		contains                 []string
	}{
		{name: "nobody", method: "GET", path: "/api/v1/ci/pipelines?team=main", options: []option{as("")}, status: 401, contains: []string{"urn:signalbox:problem:unauthorized"}},
		{name: "a stranger", method: "GET", path: "/api/v1/ci/pipelines?team=main", options: []option{as("stranger")}, status: 404},
		{name: "no team", method: "GET", path: "/api/v1/ci/pipelines", status: 400, contains: []string{"?team=main"}},
		{name: "none yet", method: "GET", path: "/api/v1/ci/pipelines?team=main", status: 200, contains: []string{`{"items":[]}`}},
		{name: "mistakes have places", method: "PUT", path: "/api/v1/ci/pipelines/config", body: `{"team":"main","name":"p","yaml":` + string(bad) + `}`, status: 400,
			contains: []string{"The configuration has 2 mistakes; nothing was saved.", `"field":"4:`, "unknown resource 'nope'", `unknown fields [\"bogus\"]`}},
		{name: "mistakes while typing", method: "POST", path: "/api/v1/ci/validate", body: `{"yaml":` + string(bad) + `}`, status: 200, contains: []string{`"severity":"error"`, `"line":5`}},
		{name: "nothing wrong", method: "POST", path: "/api/v1/ci/validate", body: `{"yaml":` + string(yaml) + `}`, status: 200, contains: []string{`{"diagnostics":[]}`}},
		{name: "a bad name", method: "PUT", path: "/api/v1/ci/pipelines/config", body: `{"team":"main","name":"","yaml":` + string(yaml) + `}`, status: 400, contains: []string{`"field":"name"`}},
		{name: "by a viewer", method: "PUT", path: "/api/v1/ci/pipelines/config", body: `{"team":"main","name":"p","yaml":` + string(yaml) + `}`, options: []option{as("viewer")}, status: 403},
		{name: "set", method: "PUT", path: "/api/v1/ci/pipelines/config", body: `{"team":"main","name":"p","yaml":` + string(yaml) + `}`, status: 200, contains: []string{`"created":true`, `"paused":true`, `"version":1`}},
		{name: "set again", method: "PUT", path: "/api/v1/ci/pipelines/config", body: `{"team":"main","name":"p","version":1,"yaml":` + string(yaml) + `}`, status: 200, contains: []string{`"created":false`, `"version":2`}},
		{name: "set over a stale one", method: "PUT", path: "/api/v1/ci/pipelines/config", body: `{"team":"main","name":"p","version":1,"yaml":` + string(yaml) + `}`, status: 409, contains: []string{"meanwhile"}},
		{name: "comments stay", method: "GET", path: "/api/v1/ci/pipelines/1/config", status: 200, contains: []string{"name: j # why"}},
		{name: "one", method: "GET", path: "/api/v1/ci/pipelines/1", status: 200, contains: []string{`"status":"pending","running":0,"last_builds":[]`}},
		{name: "one of strangers", method: "GET", path: "/api/v1/ci/pipelines/1", options: []option{as("stranger")}, status: 404},
		{name: "no such action", method: "POST", path: "/api/v1/ci/pipelines/1/explode", status: 404},
		{name: "a viewer does not unpause", method: "POST", path: "/api/v1/ci/pipelines/1/unpause", options: []option{as("viewer")}, status: 403},
		{name: "an operator does not expose", method: "POST", path: "/api/v1/ci/pipelines/1/expose", options: []option{as("operator")}, status: 403},
		{name: "an operator unpauses", method: "POST", path: "/api/v1/ci/pipelines/1/unpause", options: []option{as("operator")}, status: 200, contains: []string{`"paused":false`}},
		{name: "the graph", method: "GET", path: "/api/v1/ci/pipelines/1/graph", status: 200, contains: []string{`"inputs":[{"name":"repo","resource":"repo","passed":[],"trigger":true}`, `"resources":[{"id":2,"name":"gone"`}},
		{name: "the job", method: "GET", path: "/api/v1/ci/jobs/1", status: 200, contains: []string{`"pipeline":{"id":1,"name":"p"}`}},
		{name: "trigger", method: "POST", path: "/api/v1/ci/jobs/1/builds", options: []option{as("operator")}, status: 201, contains: []string{`"cause":"Started by operator"`}},
		{name: "builds of the job", method: "GET", path: "/api/v1/ci/jobs/1/builds?limit=1", status: 200, contains: []string{`"more":`}},
		{name: "a bad limit", method: "GET", path: "/api/v1/ci/jobs/1/builds?limit=1000", status: 400},
		{name: "builds of the team", method: "GET", path: "/api/v1/ci/builds?team=main", status: 200, contains: []string{`"job":{"id":1,"name":"j"}`}},
		{name: "pause the job", method: "POST", path: "/api/v1/ci/jobs/1/pause", status: 200, contains: []string{`"paused":true,"paused_by":"owner"`}},
		{name: "unpause the job", method: "POST", path: "/api/v1/ci/jobs/1/unpause", status: 200, contains: []string{`"paused":false`}},
		{name: "a resource", method: "GET", path: "/api/v1/ci/resources/1", status: 200, contains: []string{`"name":"repo"`, `"used_by":["j"]`}},
		{name: "pin nothing", method: "POST", path: "/api/v1/ci/resources/1/pin", body: `{}`, status: 400, contains: []string{"version_id"}},
		{name: "pin what is not its", method: "POST", path: "/api/v1/ci/resources/1/pin", body: `{"version_id":99}`, status: 404},
		{name: "check", method: "POST", path: "/api/v1/ci/resources/1/check", status: 201, contains: []string{`"resource":{"id":1,"name":"repo"}`}},
		{name: "workers", method: "GET", path: "/api/v1/ci/workers", status: 200, contains: []string{`{"items":[]}`}},
		{name: "no such build", method: "GET", path: "/api/v1/ci/builds/999", status: 404, contains: []string{"There is no build 999."}},
		{name: "a log before it began", method: "GET", path: "/api/v1/ci/builds/1/log", status: 200, contains: []string{`"lines":[`}},
		{name: "a search for nothing", method: "GET", path: "/api/v1/ci/builds/1/log/search", status: 400},
		{name: "archive", method: "POST", path: "/api/v1/ci/pipelines/1/archive", status: 200, contains: []string{`"archived":true`}},
		{name: "delete", method: "DELETE", path: "/api/v1/ci/pipelines/1", status: 204},
	} {
		got := w.call(c.method, c.path, c.body, c.options...)
		if got.status != c.status {
			t.Errorf("%s: %s %s: %d %s, want %d", c.name, c.method, c.path, got.status, got.body, c.status)
		}
		for _, want := range c.contains {
			if !strings.Contains(got.body, want) {
				t.Errorf("%s: %s lacks %s", c.name, got.body, want)
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, want := range []string{"ci.pipeline.create p", "ci.pipeline.change p", "ci.pipeline.unpause p", "ci.build.start p/j #1", "ci.job.pause p/j", "ci.resource.check p/repo", "ci.pipeline.archive p", "ci.pipeline.delete p"} {
		if !containsText(w.audited, want) && !strings.Contains(strings.Join(w.audited, "\n"), want[:len(want)-1]) {
			t.Errorf("the audit log lacks %q: %q", want, w.audited)
		}
	}
}

func TestBuildPageShowsStepsAndLog(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.remote.publish("repo", "a1")
	w.set("web", chain)
	b := w.waitBuild("web", "build", "1", Succeeded)
	shown := must[buildShape](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", b.ID), "")
	var kinds []string
	var walk func([]*step)
	walk = func(list []*step) {
		for _, s := range list {
			kinds = append(kinds, s.Kind+" "+s.Name+" "+s.Status)
			walk(s.Children)
		}
	}
	walk(shown.Steps)
	if got := strings.Join(kinds, ", "); got != "get repo succeeded, on_success  succeeded, put image succeeded, get image succeeded" {
		t.Error(got)
	}
	if shown.Inputs[0].Metadata[0].Name != "got" || len(shown.Outputs) != 1 || shown.Cause != "repo a1 passed unit" || len(shown.Recent) != 1 {
		t.Errorf("%+v", shown)
	}
	unit := w.builds("web", "unit")[0]
	page := must[logPage](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/log", unit.ID), "")
	if page.Total != 1 || !page.Ended || page.Lines[0].Text != "hello from unit" || page.Lines[0].N != 1 || len(page.Sections) != 1 {
		t.Errorf("%+v", page)
	}
	if tail := must[logPage](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/log?from=-1", unit.ID), ""); len(tail.Lines) != 1 {
		t.Errorf("%+v", tail)
	}
	found := must[logMatches](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/log/search?q=HELLO", unit.ID), "")
	if found.Total != 1 || found.Matches[0].Spans[0] != [2]int{0, 5} || found.Matches[0].Text != "hello from unit" {
		t.Errorf("%+v", found)
	}
	if got := w.call("GET", fmt.Sprintf("/api/v1/ci/builds/%d/log/search?q=(&regex=true", unit.ID), ""); got.status != 400 {
		t.Errorf("a broken expression: %d", got.status)
	}
	if got := w.call("GET", fmt.Sprintf("/api/v1/ci/builds/%d/log/raw", unit.ID), ""); got.body != "hello from unit\n" {
		t.Errorf("%q", got.body)
	}
}

func TestLogIsFollowedLive(t *testing.T) {
	t.Parallel()
	w := setup(t)
	open := w.engine.gate("hello")
	w.set("p", hello)
	b := must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/p/jobs/hello/builds", "")
	w.waitBuild("p", "hello", "1", Started)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", fmt.Sprintf("%s/api/v1/ci/builds/%d/log?follow=1", w.server.URL, b.ID), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Test-User", "viewer")
	go func() {
		<-time.After(20 * time.Millisecond)
		open()
	}()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var all strings.Builder
	for s := bufio.NewScanner(res.Body); s.Scan(); {
		all.WriteString(s.Text() + "\n")
	}
	if got := all.String(); !strings.Contains(got, "id: 1\nevent: lines\n") || !strings.Contains(got, "hello from hello") || !strings.HasSuffix(got, "event: end\ndata: {}\n\n") {
		t.Fatal(got)
	}
}

func TestToolsDoWhatTheAPIDoes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	r := tools.NewRegistry()
	if err := w.ci.RegisterTools(r); err != nil {
		t.Fatal(err)
	}
	w.remote.publish("repo", "a1")
	w.set("p", job("", getRepo+"  - {task: fail, config: {platform: linux, run: {path: x}}}\n"))
	b := w.waitBuild("p", "j", "1", Failed)
	call := func(user, name, input string) string {
		t.Helper()
		out, err := r.Call(identity.With(t.Context(), callers[user]), name, json.RawMessage(input))
		if err != nil {
			return err.Error()
		}
		return string(out)
	}
	for _, c := range []struct{ user, tool, input, want string }{
		{"viewer", "ci_pipelines_list", `{"team":"main"}`, `"status":"failed"`},
		{"viewer", "ci_builds_list", `{"team":"main","pipeline":"p","job":"j"}`, `"name":"1"`},
		{"viewer", "ci_build_get", fmt.Sprintf(`{"build":%d}`, b.ID), `"last_lines":["hello from j"]`},
		{"viewer", "ci_build_log", fmt.Sprintf(`{"build":%d}`, b.ID), `"text":"hello from j"`},
		{"viewer", "ci_build_log", fmt.Sprintf(`{"build":%d,"query":"from"}`, b.ID), `"total":1`},
		{"viewer", "ci_job_trigger", `{"team":"main","pipeline":"p","job":"j"}`, `There is no tool`},
		{"operator", "ci_job_trigger", `{"team":"main","pipeline":"p","job":"j"}`, `"name":"2"`},
		{"operator", "ci_build_rerun", fmt.Sprintf(`{"build":%d}`, b.ID), `"name":"1.1"`},
		{"operator", "ci_build_abort", fmt.Sprintf(`{"build":%d}`, b.ID), `has ended already`},
		{"operator", "ci_resource_check", `{"team":"main","pipeline":"p","resource":"repo"}`, `"name":"check"`},
		{"operator", "ci_resource_check", `{"team":"main","pipeline":"p","resource":"nope"}`, `has no resource nope`},
		{"viewer", "ci_approval_list", `{"team":"main"}`, `"items":[]`},
		{"viewer", "ci_approval_approve", `{"approval":"none"}`, `There is no tool`},
		{"operator", "ci_approval_approve", `{"approval":"none"}`, `There is no such approval`},
		{"operator", "ci_approval_reject", `{"approval":"none"}`, `There is no such approval`},
		{"viewer", "ci_waiting_explain", fmt.Sprintf(`{"build":%d}`, b.ID), `"waiting":[]`},
		{"viewer", "ci_artifact_list", fmt.Sprintf(`{"build":%d}`, b.ID), `"items":[]`},
		{"stranger", "ci_artifact_list", fmt.Sprintf(`{"build":%d}`, b.ID), `There is no such thing`},
		{"viewer", "ci_job_get", `{"team":"main","pipeline":"p","job":"j"}`, `"run_inputs":[]`},
		{"stranger", "ci_build_get", fmt.Sprintf(`{"build":%d}`, b.ID), `There is no such thing`},
	} {
		if got := call(c.user, c.tool, c.input); !strings.Contains(got, c.want) {
			t.Errorf("%s as %s: %s, want %s", c.tool, c.user, got, c.want)
		}
	}
}
