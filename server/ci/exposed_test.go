package ci

import (
	"fmt"
	"strings"
	"testing"
)

const exposedConfig = `resources:
- {name: repo, type: git, source: {uri: "https://github.com/acme/web.git"}}
- {name: open, type: mock, public: true, source: {name: open}}
jobs:
- name: secret
  plan:
  - {get: repo, trigger: true}
  - {get: open}
  - {task: fail, config: {platform: linux, run: {path: x}}}
- name: shown
  public: true
  plan:
  - {get: repo, trigger: true}
  - {get: open}
  - {task: say, config: {platform: linux, run: {path: x}}}
`

// exposed makes the same pipeline twice, and exposes one of them.
func exposed(t *testing.T) (*world, map[string]string) {
	t.Helper()
	w := setup(t)
	w.remote.publish("https://github.com/acme/web.git", "a1")
	w.remote.publish("open", "o1")
	values := map[string]string{}
	for _, name := range []string{"site", "vault"} {
		id := w.set(name, exposedConfig)
		values["P:"+name] = formatInt(id)
		for _, job := range []string{"secret", "shown"} {
			want := map[string]Status{"secret": Failed, "shown": Succeeded}[job]
			b := w.waitBuild(name, job, "1", want)
			values["B:"+name+"/"+job] = formatInt(b.ID)
		}
		graph := must[graphShape](w, 200, "GET", fmt.Sprintf("/api/v1/ci/pipelines/%d/graph", id), "")
		for _, j := range graph.Jobs {
			values["J:"+name+"/"+j.Name] = formatInt(j.ID)
		}
		for _, r := range graph.Resources {
			values["R:"+name+"/"+r.Name] = formatInt(r.ID)
			versions := must[versionList](w, 200, "GET", fmt.Sprintf("/api/v1/ci/resources/%d/versions", r.ID), "")
			values["V:"+name+"/"+r.Name] = formatInt(versions.Items[0].ID)
		}
	}
	check := must[flyBuild](w, 201, "POST", "/api/v1/teams/main/pipelines/site/resources/repo/check", "{}")
	values["B:check"] = formatInt(check.ID)
	w.call("PUT", "/api/v1/teams/main/pipelines/site/expose", "")
	return w, values
}

// TestWhoSeesWhatOfExposedPipelines reads everything that has to do with a
// pipeline as the team, as a stranger and as nobody.
func TestWhoSeesWhatOfExposedPipelines(t *testing.T) {
	t.Parallel()
	w, values := exposed(t)
	const site, vault = "/api/v1/teams/main/pipelines/site", "/api/v1/teams/main/pipelines/vault"
	for _, c := range []struct {
		path string
		// what strangers and nobody are told; the team is always told 200.
		stranger, nobody int
		shows, hides     string
	}{
		{site, 200, 200, `"public":true`, ""},
		{vault, 403, 401, "", ""},
		{"/api/v1/teams/main/pipelines/nope", 403, 401, "", ""},
		{"/api/v1/teams/main/pipelines", 200, 200, `"site"`, `"vault"`},
		{"/api/v1/pipelines", 200, 200, `"site"`, `"vault"`},
		{"/api/v1/jobs", 200, 200, `"secret"`, `"vault"`},
		{"/api/v1/resources", 200, 200, `"repo"`, `"vault"`},
		{"/api/v1/builds", 200, 200, `"site"`, `"vault"`},
		{"/api/v1/teams/main/builds", 403, 401, "", ""},
		{"/api/v1/teams/main/cc.xml", 403, 401, "", ""},
		{"/api/v1/teams/main/containers", 403, 401, "", ""},
		{site + "/config", 403, 401, "", ""},
		{site + "/resource-types", 403, 401, "", ""},
		{site + "/jobs", 200, 200, `"secret"`, ""},
		{vault + "/jobs", 403, 401, "", ""},
		{site + "/jobs/secret", 200, 200, `"status":"failed"`, "created_by"},
		{site + "/jobs/secret/builds", 200, 200, `"name":"1"`, "created_by"},
		{site + "/jobs/secret/builds/1", 200, 200, `"name":"1"`, ""},
		{site + "/jobs/secret/inputs", 403, 401, "", ""},
		{site + "/builds", 200, 200, `"secret"`, `"check"`},
		{vault + "/builds", 403, 401, "", ""},
		{site + "/resources", 200, 200, `"repo"`, ""},
		{site + "/resources/repo", 200, 200, `"git"`, "acme"},
		{site + "/resources/repo/versions", 200, 200, `"a1"`, `"got"`},
		{site + "/resources/open/versions", 200, 200, `"got"`, ""},
		{vault + "/resources/open/versions", 403, 401, "", ""},
		{"/api/v1/builds/{B:site/secret}", 200, 200, `"failed"`, ""},
		{"/api/v1/builds/{B:site/secret}/resources", 200, 200, `"a1"`, ""},
		{"/api/v1/builds/{B:site/secret}/plan", 403, 401, "", ""},
		{"/api/v1/builds/{B:site/secret}/preparation", 403, 401, "", ""},
		{"/api/v1/builds/{B:site/shown}/plan", 200, 200, `"exec.v2"`, ""},
		{"/api/v1/builds/{B:site/shown}/preparation", 200, 200, "", ""},
		{"/api/v1/builds/{B:vault/shown}", 404, 401, "", ""},
		{"/api/v1/builds/{B:vault/shown}/plan", 404, 401, "", ""},
		{"/api/v1/builds/{B:check}", 404, 401, "", ""},
		{"/api/v1/ci/pipelines?team=main", 200, 200, `"site"`, `"vault"`},
		{"/api/v1/ci/pipelines/{P:site}", 200, 200, `"site"`, ""},
		{"/api/v1/ci/pipelines/{P:vault}", 404, 401, "", ""},
		{"/api/v1/ci/pipelines/{P:site}/graph", 200, 200, `"secret"`, ""},
		{"/api/v1/ci/pipelines/{P:vault}/graph", 404, 401, "", ""},
		{"/api/v1/ci/pipelines/{P:site}/config", 404, 401, "", ""},
		{"/api/v1/ci/jobs/{J:site/secret}", 200, 200, `"secret"`, ""},
		{"/api/v1/ci/jobs/{J:vault/shown}", 404, 401, "", ""},
		{"/api/v1/ci/jobs/{J:site/secret}/builds", 200, 200, `"failed"`, ""},
		{"/api/v1/ci/builds?team=main", 404, 401, "", ""},
		{"/api/v1/ci/builds/{B:site/secret}", 200, 200, `"steps":[]`, "hello from"},
		{"/api/v1/ci/builds/{B:site/shown}", 200, 200, `"task"`, ""},
		{"/api/v1/ci/builds/{B:vault/shown}", 404, 401, "", ""},
		{"/api/v1/ci/builds/{B:site/secret}/log", 403, 401, "", ""},
		{"/api/v1/ci/builds/{B:site/secret}/log?follow=1", 403, 401, "", ""},
		{"/api/v1/ci/builds/{B:site/secret}/log/raw", 403, 401, "", ""},
		{"/api/v1/ci/builds/{B:site/secret}/log/search?q=hello", 403, 401, "", ""},
		{"/api/v1/ci/builds/{B:site/shown}/log", 200, 200, "hello from shown", ""},
		{"/api/v1/ci/builds/{B:site/shown}/log/raw", 200, 200, "hello from shown", ""},
		{"/api/v1/ci/builds/{B:site/shown}/log/search?q=hello", 200, 200, "hello from shown", ""},
		{"/api/v1/ci/resources/{R:site/repo}", 200, 200, `"repo"`, "acme"},
		{"/api/v1/ci/resources/{R:site/repo}/versions", 200, 200, `"metadata":[]`, `"got"`},
		{"/api/v1/ci/resources/{R:site/open}/versions", 200, 200, `"got"`, ""},
		{"/api/v1/ci/resources/{R:vault/open}", 404, 401, "", ""},
		{"/api/v1/ci/versions/{V:site/repo}/builds", 200, 200, `"job":{`, `"created_by"`},
		{"/api/v1/ci/versions/{V:vault/open}/builds", 404, 401, "", ""},
	} {
		path := c.path
		for key, value := range values {
			path = strings.ReplaceAll(path, "{"+key+"}", value)
		}
		for who, want := range map[string]int{"stranger": c.stranger, "": c.nobody} {
			got := w.call("GET", path, "", as(who))
			if got.status != want {
				t.Errorf("%q at %s: %d %s, want %d", who, c.path, got.status, got.body, want)
			} else if want == 200 && (!strings.Contains(got.body, c.shows) || c.hides != "" && strings.Contains(got.body, c.hides)) {
				t.Errorf("%q at %s is shown %s, want %q and not %q", who, c.path, got.body, c.shows, c.hides)
			}
		}
		if got := w.call("GET", path, "", as("viewer")); strings.Contains(c.path, "/nope") || strings.Contains(path, "follow") || strings.HasSuffix(path, "inputs") {
			continue
		} else if got.status != 200 || c.hides != "" && c.hides != "acme" && strings.Trim(c.hides, `"`) != "created_by" && !strings.Contains(got.body, c.hides) {
			t.Errorf("the team at %s: %d %s", c.path, got.status, got.body)
		}
	}
}

// TestStrangersOnlyLook: exposing opens nothing for change, and hiding closes it again.
func TestStrangersOnlyLook(t *testing.T) {
	t.Parallel()
	w, values := exposed(t)
	const site = "/api/v1/teams/main/pipelines/site"
	for _, c := range []struct{ method, path string }{
		{"PUT", site + "/pause"}, {"PUT", site + "/hide"}, {"DELETE", site}, {"PUT", site + "/jobs/shown/pause"}, {"POST", site + "/jobs/shown/builds"},
		{"POST", site + "/jobs/shown/builds/1"}, {"POST", site + "/resources/repo/check"}, {"PUT", site + "/resources/repo/unpin"},
		{"PUT", "/api/v1/builds/" + values["B:site/shown"] + "/abort"}, {"POST", "/api/v1/ci/builds/" + values["B:site/shown"] + "/rerun"},
		{"POST", "/api/v1/ci/jobs/" + values["J:site/shown"] + "/builds"}, {"POST", "/api/v1/ci/pipelines/" + values["P:site"] + "/pause"},
	} {
		for _, who := range []string{"stranger", ""} {
			if got := w.call(c.method, c.path, "", as(who)); got.status != 401 && got.status != 403 && got.status != 404 {
				t.Errorf("%q may %s %s: %d %s", who, c.method, c.path, got.status, got.body)
			}
		}
	}
	w.call("PUT", site+"/hide", "")
	for _, path := range []string{site, site + "/jobs", "/api/v1/builds/" + values["B:site/shown"], "/api/v1/ci/builds/" + values["B:site/shown"] + "/log"} {
		if got := w.call("GET", path, "", as("")); got.status != 401 {
			t.Errorf("%s after hiding: %d %s", path, got.status, got.body)
		}
	}
}
