package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/config"
)

// step writes a task of one shell line as YAML in one line.
func shell(name, line string) string {
	return fmt.Sprintf("{task: %s, config: {platform: linux, run: {path: sh, args: [-c, %q]}}", name, line)
}

func TestHowBuildsEnd(t *testing.T) {
	t.Parallel()
	r := start(t)
	for _, c := range []struct {
		name, plan, status string
		lines, not         []string
	}{
		{"pass", shell("a", "echo out; echo err >&2") + "}", "succeeded", []string{"out", "err"}, nil},
		{"fail", shell("a", "echo before; exit 3") + "}\n  - " + shell("b", "echo af''ter") + "}", "failed", []string{"before"}, []string{"after\n"}},
		{"error", "{task: a, config: {platform: linux, run: {path: /nothing/here}}}", "errored", []string{"/nothing/here"}, nil},
		{"timeout", shell("a", "echo begun; exec sleep 100") + ", timeout: 1s}", "failed", []string{"begun", "timeout exceeded"}, nil},
		{"attempts", shell("a", "echo tried; exit 1") + ", attempts: 3}", "failed", []string{"tried"}, nil},
		{"hooks", shell("a", "exit 1") + ", on_failure: " + shell("f", "echo fai''led") + "}, on_success: " + shell("s", "echo succee''ded") + "}, ensure: " + shell("e", "echo ensu''red") + "}}",
			"failed", []string{"failed", "ensured"}, []string{"succeeded\n"}},
		{"try", "{try: " + shell("a", "exit 1") + "}}\n  - " + shell("b", "echo on''wards") + "}", "succeeded", []string{"onwards"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r.pipeline(t, "main", c.name, "jobs:\n- name: j\n  plan:\n  - "+c.plan+"\n")
			b := r.finish(t, r.trigger(t, "main", c.name, "j").ID)
			log := r.log(t, b.ID)
			if b.Status != c.status {
				t.Errorf("%s instead of %s:\n%s", b.Status, c.status, log)
			}
			for _, line := range c.lines {
				if !strings.Contains(log+fmt.Sprint(b.Steps), line) {
					t.Errorf("the log lacks %q:\n%s\n%+v", line, log, b.Steps)
				}
			}
			for _, line := range c.not {
				if strings.Contains(log, line) {
					t.Errorf("the log has %q:\n%s", line, log)
				}
			}
			if c.name == "attempts" && strings.Count(log, "tried\n")+strings.Count(log, "tried\r\n") != 3 {
				t.Errorf("not three attempts:\n%s", log)
			}
		})
	}
}

func TestAbortWhileRunning(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.pipeline(t, "main", "p", "jobs:\n- name: j\n  plan:\n  - "+shell("a", "echo begun; sleep 300")+", on_abort: "+shell("gone", "echo tidied")+"}}\n")
	b := r.trigger(t, "main", "p", "j")
	eventually(t, "the first line", func() bool { return strings.Contains(r.log(t, b.ID), "begun") })
	r.call(t, "POST", fmt.Sprintf("/api/v1/ci/builds/%d/abort", b.ID), nil, nil)
	b = r.finish(t, b.ID)
	if log := r.log(t, b.ID); b.Status != "aborted" || !strings.Contains(log, "tidied") {
		t.Errorf("%s\n%s", b.Status, log)
	}
	if status, raw := r.send(t, "POST", fmt.Sprintf("/api/v1/ci/builds/%d/abort", b.ID), nil); status != http.StatusConflict {
		t.Errorf("aborted once more: %d %s", status, raw)
	}
}

func TestSecretsReachOnlyTheirTasks(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.call(t, "POST", "/api/v1/accounts/teams", map[string]any{"name": "other"}, nil)
	for _, s := range []map[string]any{
		{"team": "main", "name": "password", "value": "correct-staple-9"},
		{"team": "main", "pipeline": "elsewhere", "name": "narrow", "value": "only-elsewhere"},
		{"team": "other", "name": "foreign", "value": "of-another-team"},
	} {
		r.call(t, "PUT", "/api/v1/ci/secrets", s, nil)
	}
	plan := func(name string) string {
		return "jobs:\n- name: j\n  plan:\n  - task: a\n    config: {platform: linux, params: {SECRET: ((" + name + "))}, run: {path: sh, args: [-c, 'echo length ${#SECRET}; echo value $SECRET end']}}\n"
	}
	r.pipeline(t, "main", "mine", plan("password"))
	b := r.finish(t, r.trigger(t, "main", "mine", "j").ID)
	if log := r.log(t, b.ID); b.Status != "succeeded" || !strings.Contains(log, "length 16") || !strings.Contains(log, "value ((redacted)) end") || strings.Contains(log, "staple") {
		t.Errorf("%s\n%s", b.Status, log)
	}
	for _, name := range []string{"narrow", "foreign", "nothing"} {
		r.pipeline(t, "main", "p-"+name, plan(name))
		b := r.finish(t, r.trigger(t, "main", "p-"+name, "j").ID)
		_, shown := r.send(t, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", b.ID), nil)
		if b.Status != "errored" || !strings.Contains(shown+r.log(t, b.ID), name) {
			t.Errorf("((%s)): %s\n%s", name, b.Status, shown)
		}
	}
	r.pipeline(t, "main", "elsewhere", plan("narrow"))
	if b := r.finish(t, r.trigger(t, "main", "elsewhere", "j").ID); b.Status != "succeeded" {
		t.Errorf("the pipeline's own secret: %s\n%s", b.Status, r.log(t, b.ID))
	}
}

func TestHostImageForbidden(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *config.Config) { c.CI.HostImage = false })
	r.pipeline(t, "main", "p", "jobs:\n- name: j\n  plan:\n  - "+shell("a", "echo hello")+"}\n")
	b := r.finish(t, r.trigger(t, "main", "p", "j").ID)
	if b.Status != "errored" || !strings.Contains(b.step("a").Message+r.log(t, b.ID), "ci.host_image") {
		t.Errorf("%+v\n%s", b, r.log(t, b.ID))
	}
}

func TestChecksSayWhatTheRemoteSaid(t *testing.T) {
	t.Parallel()
	r := start(t)
	outside := newRepository(t, t.TempDir(), "private")
	for name, c := range map[string]struct{ uri, words string }{
		"missing": {"file://" + r.dir + "/repositories/nothing.git", "there is no repository"},
		"outside": {"file://" + outside.bare, "local_repositories"},
		"nobody":  {"http://127.0.0.1:9/x.git", "127.0.0.1"},
	} {
		id := r.pipeline(t, "main", name, fmt.Sprintf("resources:\n- {name: code, type: git, source: {uri: %q, branch: main}}\njobs:\n- {name: j, plan: [{get: code}]}\n", c.uri))
		resource := r.resourceID(t, id, "code")
		var shown struct {
			CheckError string `json:"check_error"`
			NextCheck  string `json:"next_check_at"`
		}
		eventually(t, "the check of "+name, func() bool {
			r.call(t, "GET", fmt.Sprintf("/api/v1/ci/resources/%d", resource), nil, &shown)
			return shown.CheckError != ""
		})
		if !strings.Contains(shown.CheckError, c.words) || shown.NextCheck == "" {
			t.Errorf("%s: %+v", name, shown)
		}
	}
}

func TestInvalidPipelinesAreNotSaved(t *testing.T) {
	t.Parallel()
	r := start(t)
	for yaml, want := range map[string]string{
		"jobs: [{name: x, plan: [{get: nope}]}]": "1:26 jobs.x.plan.do[0].get(nope)\",\"message\":\"unknown resource 'nope'",
		"jobs: [":                                "line",
		"jobs:\n- name: x\n  plan: [{task: a}]\n  paln: []\n": "paln",
	} {
		status, raw := r.send(t, "PUT", "/api/v1/ci/pipelines/config", map[string]any{"team": "main", "name": "bad", "yaml": yaml})
		if status < 400 || status > 499 || !strings.Contains(raw, want) {
			t.Errorf("%q: %d %s", yaml, status, raw)
		}
	}
	if status, _ := r.send(t, "GET", "/api/v1/teams/main/pipelines/bad", nil); status != http.StatusNotFound {
		t.Errorf("saved all the same: %d", status)
	}
}
