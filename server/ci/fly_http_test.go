package ci

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

const hello = `jobs:
- name: hello
  plan:
  - config:
      image_resource:
        source:
          mirror_self: true
        type: mock
      platform: linux
      run:
        args:
        - hello there
        path: echo
    task: Say
`

// exchange is one request of a recording and what the real server answered.
type exchange struct {
	method, path, contentType, version, body string
	status                                   int
	header                                   http.Header
	answer                                   string
}

var (
	requestLine = regexp.MustCompile(`^\d{4}/\d\d/\d\d \S+ (GET|PUT) (\S+) HTTP/1.1`)
	statusLine  = regexp.MustCompile(`^\d{4}/\d\d/\d\d \S+ HTTP/1.1 (\d{3})`)
)

// recording reads fly's verbose output: headers to a blank line, body to the next blank line.
func recording(t *testing.T, file string) []exchange {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []exchange
	var lines []string
	for s := bufio.NewScanner(f); s.Scan(); {
		lines = append(lines, s.Text())
	}
	section := func(i int) (http.Header, string) {
		h := http.Header{}
		for ; i < len(lines) && lines[i] != ""; i++ {
			key, value, _ := strings.Cut(lines[i], ": ")
			h.Set(strings.TrimSuffix(key, ":"), value)
		}
		var body []string
		for i++; i < len(lines) && lines[i] != ""; i++ {
			body = append(body, lines[i])
		}
		return h, strings.Join(body, "\n")
	}
	for i, line := range lines {
		if m := requestLine.FindStringSubmatch(line); m != nil {
			h, body := section(i + 1)
			out = append(out, exchange{method: m[1], path: m[2], contentType: h.Get("Content-Type"), version: h.Get(configHeader), body: body})
		}
		if m := statusLine.FindStringSubmatch(line); m != nil && len(out) > 0 {
			e := &out[len(out)-1]
			e.status = int(m[1][0]-'0')*100 + int(m[1][1]-'0')*10 + int(m[1][2]-'0')
			e.header, e.answer = section(i + 1)
		}
	}
	return out
}

var volatile = regexp.MustCompile(`"(id|last_updated)":\d+`)

// TestReplayOfSetPipeline plays what a real fly sent to a real Concourse and
// compares status, headers and bodies.
func TestReplayOfSetPipeline(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"testdata/wire/sp.txt", "testdata/wire/sp-bad.txt"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			if strings.Contains(file, "bad") {
				must[any](w, 201, "PUT", "/api/v1/teams/main/pipelines/wire/config", hello, asYAMLOver("")...)
				for v := range 4 { // the recording begins at version 5
					must[any](w, 200, "PUT", "/api/v1/teams/main/pipelines/wire/config", hello, asYAMLOver(formatInt(int64(v+1)))...)
				}
			}
			exchanges := recording(t, file)
			if len(exchanges) < 4 {
				t.Fatalf("only %d exchanges were read", len(exchanges))
			}
			for _, e := range exchanges {
				got := w.call(e.method, e.path, e.body, header("Content-Type", e.contentType), header(configHeader, e.version))
				if got.status != e.status || got.header.Get(versionHeader) != e.header.Get(versionHeader) ||
					got.header.Get("Content-Type") != e.header.Get("Content-Type") || got.header.Get(configHeader) != e.header.Get(configHeader) {
					t.Errorf("%s %s: %d %v, want %d %v", e.method, e.path, got.status, got.header, e.status, e.header)
				}
				want := volatile.ReplaceAllString(e.answer, `"$1":0`)
				// Versions belong to one resource here, and are not shared between pipelines.
				want = strings.Replace(want, `"global_resources":true`, `"global_resources":false`, 1)
				if have := strings.TrimSpace(volatile.ReplaceAllString(got.body, `"$1":0`)); have != want {
					t.Errorf("%s %s:\n got %s\nwant %s", e.method, e.path, have, want)
				}
			}
		})
	}
}

// TestFlyScenarios walks Concourse's API as fly and scripts around it see it.
func TestFlyScenarios(t *testing.T) {
	t.Parallel()
	w := setup(t)
	const p = "/api/v1/teams/main/pipelines/web"
	for _, c := range []struct {
		name, method, path, body string
		options                  []option
		status                   int
		contains                 string
	}{
		{name: "info", method: "GET", path: "/api/v1/info", options: []option{as("")}, status: 200, contains: `"version":"8.2.5"`},
		{name: "no pipelines", method: "GET", path: "/api/v1/teams/main/pipelines", status: 200, contains: "[]"},
		{name: "nobody", method: "GET", path: "/api/v1/teams/main/pipelines", options: []option{as("")}, status: 401, contains: "not authorized"},
		{name: "a stranger", method: "GET", path: "/api/v1/teams/main/pipelines", options: []option{as("stranger")}, status: 403, contains: "forbidden"},
		{name: "no such pipeline", method: "GET", path: p, status: 404},
		{name: "a new one", method: "PUT", path: p + "/config", body: hello, options: asYAMLOver(""), status: 201, contains: "invalid_identifier"},
		{name: "again as new", method: "PUT", path: p + "/config", body: hello, options: asYAMLOver(""), status: 500, contains: "failed to save config: comparison with existing config failed during save"},
		{name: "over a stale version", method: "PUT", path: p + "/config", body: hello, options: asYAMLOver("7"), status: 500, contains: "comparison"},
		{name: "with a broken version", method: "PUT", path: p + "/config", body: hello, options: asYAMLOver("x"), status: 400, contains: "config version is malformed"},
		{name: "over its version", method: "PUT", path: p + "/config", body: hello, options: asYAMLOver("1"), status: 200},
		{name: "as plain text", method: "PUT", path: p + "/config", body: hello, options: []option{header("Content-Type", "text/plain")}, status: 415},
		{name: "not YAML", method: "PUT", path: p + "/config", body: "jobs: [", options: asYAMLOver("2"), status: 400, contains: `"errors":["malformed config: `},
		{name: "no jobs", method: "PUT", path: p + "/config", body: "resources: []", options: asYAMLOver("2"), status: 400, contains: "pipeline must contain at least one job"},
		{name: "by a viewer", method: "PUT", path: p + "/config", body: hello, options: append(asYAMLOver("2"), as("viewer")), status: 403},
		{name: "by an operator", method: "PUT", path: p + "/config", body: hello, options: append(asYAMLOver("2"), as("operator")), status: 403},
		{name: "starts paused", method: "GET", path: p, status: 200, contains: `"paused":true`},
		{name: "unpause by an operator", method: "PUT", path: p + "/unpause", options: []option{as("operator")}, status: 200},
		{name: "unpause by a viewer", method: "PUT", path: p + "/unpause", options: []option{as("viewer")}, status: 403},
		{name: "is running", method: "GET", path: p, status: 200, contains: `"paused":false`},
		{name: "pause", method: "PUT", path: p + "/pause", status: 200},
		{name: "by whom", method: "GET", path: p, status: 200, contains: `"paused_by":"owner"`},
		{name: "expose", method: "PUT", path: p + "/expose", status: 200},
		{name: "badge for anybody", method: "GET", path: p + "/badge?title=a%26b", options: []option{as("")}, status: 200, contains: "a&amp;b: unknown"},
		{name: "hide", method: "PUT", path: p + "/hide", status: 200},
		{name: "badge for its team", method: "GET", path: p + "/badge", options: []option{as("")}, status: 401},
		{name: "jobs", method: "GET", path: p + "/jobs", status: 200, contains: `"next_build":null,"finished_build":null`},
		{name: "no such job", method: "PUT", path: p + "/jobs/nope/pause", status: 404},
		{name: "pause a job", method: "PUT", path: p + "/jobs/hello/pause", status: 200},
		{name: "a paused job", method: "GET", path: p + "/jobs/hello", status: 200, contains: `"paused":true,"paused_by":"owner"`},
		{name: "trigger", method: "POST", path: p + "/jobs/hello/builds", options: []option{as("operator")}, status: 200, contains: `"name":"1","status":"pending"`},
		{name: "why it waits", method: "GET", path: "/api/v1/builds/1/preparation", status: 200, contains: `"paused_pipeline":"blocking","paused_job":"blocking"`},
		{name: "no plan yet", method: "GET", path: "/api/v1/builds/1/plan", status: 404},
		{name: "its build for strangers", method: "GET", path: "/api/v1/builds/1", options: []option{as("stranger")}, status: 404},
		{name: "abort what waits", method: "PUT", path: "/api/v1/builds/1/abort", status: 204},
		{name: "aborted", method: "GET", path: "/api/v1/builds/1", status: 200, contains: `"status":"aborted"`},
		{name: "rerun without inputs", method: "POST", path: p + "/jobs/hello/builds/1", status: 500, contains: "never got its inputs"},
		{name: "no such build", method: "GET", path: "/api/v1/builds/99", status: 404},
		{name: "no number", method: "GET", path: "/api/v1/builds/x", status: 404},
		{name: "comment", method: "PUT", path: "/api/v1/builds/1/comment", body: `{"comment":"oops"}`, status: 200},
		{name: "commented", method: "GET", path: "/api/v1/builds/1", status: 200, contains: `"comment":"oops"`},
		{name: "rename", method: "PUT", path: p + "/rename", body: `{"name":"Site"}`, status: 200, contains: "invalid_identifier"},
		{name: "rename back", method: "PUT", path: "/api/v1/teams/main/pipelines/Site/rename", body: `{"name":"web"}`, status: 200},
		{name: "order", method: "PUT", path: "/api/v1/teams/main/pipelines/ordering", body: `["web"]`, status: 200},
		{name: "order a stranger", method: "PUT", path: "/api/v1/teams/main/pipelines/ordering", body: `["nope"]`, status: 400, contains: "pipeline 'nope' not found"},
		{name: "wall", method: "GET", path: "/api/v1/wall", status: 200, contains: "{}"},
		{name: "wall of another", method: "PUT", path: "/api/v1/wall", body: `{"message":"hi"}`, status: 403},
		{name: "cc.xml", method: "GET", path: "/api/v1/teams/main/cc.xml", status: 200, contains: `name="web/hello"`},
		{name: "workers", method: "GET", path: "/api/v1/workers", status: 200, contains: "[]"},
		{name: "containers", method: "GET", path: "/api/v1/teams/main/containers", status: 200, contains: "[]"},
		{name: "volumes", method: "GET", path: "/api/v1/teams/main/volumes", status: 200, contains: "[]"},
		{name: "fly itself", method: "GET", path: "/api/v1/cli?platform=linux&arch=amd64", options: []option{as("")}, status: 404, contains: "is not installed on this server"},
		{name: "archive", method: "PUT", path: p + "/archive", status: 200},
		{name: "archived has no configuration", method: "GET", path: p + "/config", status: 404},
		{name: "archived cannot run", method: "PUT", path: p + "/unpause", status: 409, contains: "action not allowed for an archived pipeline"},
		{name: "destroy", method: "DELETE", path: p, status: 204},
		{name: "destroyed", method: "GET", path: p, status: 404},
		{name: "instanced", method: "PUT", path: p + `/config?vars.branch=%22main%22`, body: hello, options: asYAMLOver(""), status: 201},
		{name: "not without its vars", method: "GET", path: p, status: 404},
		{name: "with its vars", method: "GET", path: p + `?vars=%7B%22branch%22%3A%22main%22%7D`, status: 200, contains: `"instance_vars":{"branch":"main"}`},
		{name: "bad vars", method: "GET", path: p + `?vars.branch=main`, status: 400, contains: "instance vars are malformed"},
	} {
		got := w.call(c.method, c.path, c.body, c.options...)
		if got.status != c.status || !strings.Contains(got.body, c.contains) {
			t.Errorf("%s: %s %s: %d %s, want %d with %s", c.name, c.method, c.path, got.status, got.body, c.status, c.contains)
		}
		if got.header.Get(versionHeader) != ConcourseVersion {
			t.Errorf("%s: no version header", c.name)
		}
	}
}

func TestRecordedBuildsDecodeAsOurs(t *testing.T) {
	t.Parallel()
	// What Concourse answered for two builds is exactly what our shape writes.
	raw, err := os.ReadFile("testdata/wire/jobbuilds.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(strings.ReplaceAll(string(raw), "\r", ""), "\n\n")
	var builds []flyBuild
	if err := json.Unmarshal([]byte(body), &builds); err != nil {
		t.Fatal(err)
	}
	if got := encode(builds); got != oneLine(t, body) {
		t.Fatalf("got  %s\nwant %s", got, oneLine(t, body))
	}
}
