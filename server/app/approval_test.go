package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
)

const gatedPipeline = `
resources:
- {name: production, type: approval, source: {approvers: [owner, cat]}}
jobs:
- name: deploy
  plan:
  - task: before
    config: {platform: linux, run: {path: echo, args: [once]}}
  - put: production
    params: {reason_required: true}
  - task: after
    config: {platform: linux, run: {path: sh, args: [-c, "ls production* 2>/dev/null; echo gone on"]}}
- name: impatient
  plan:
  - put: production
    params: {timeout: 1s}
- name: stopped
  plan:
  - put: production
`

type approval struct {
	ID, Name, State, Refusal, Reason string
	Build                            struct{ ID int64 }
	DecidedBy                        string `json:"decided_by"`
}

func (c *client) approvals(t testing.TB, state string) []approval {
	t.Helper()
	var list struct{ Items []approval }
	c.call(t, "GET", "/api/v1/ci/approvals?team=main&state="+state, nil, &list)
	return list.Items
}

// waitingFor is the question of a build, once it has come to it.
func (c *client) waitingFor(t testing.TB, build int64) (found approval) {
	t.Helper()
	eventually(t, "the build to wait for approval", func() bool {
		for _, a := range c.approvals(t, "waiting") {
			if a.Build.ID == build {
				found = a
				return true
			}
		}
		return false
	})
	return found
}

// refused expects a status and a word of the answer.
func (c *client) refused(t testing.TB, path, body string, status int, word string) {
	t.Helper()
	var decoded any
	if err := json.Unmarshal([]byte(body), &decoded); err != nil {
		t.Fatal(err)
	}
	if got, answer := c.send(t, "POST", path, decoded); got != status || !strings.Contains(answer, word) {
		t.Errorf("%s %s: %d %s, want %d and %q", path, body, got, answer, status, word)
	}
}

// people puts users into team main and signs them in.
func (c *client) people(t testing.TB, roles map[string]string) map[string]string {
	t.Helper()
	tokens := map[string]string{}
	for name, role := range roles {
		c.call(t, "POST", "/api/v1/accounts/users", map[string]any{"name": name, "password": adminPassword, "team": "main", "role": role}, nil)
		tokens[name] = c.grant(t, name, adminPassword)
	}
	return tokens
}

// TestApprovalSurvivesKills waits at a gate, is killed twice, and goes on when the right person says so.
func TestApprovalSurvivesKills(t *testing.T) {
	t.Parallel()
	p := launch(t)
	tokens := p.people(t, map[string]string{"ann": "member", "bob": "member", "cat": "pipeline-operator", "dan": "viewer", "eve": "owner"})
	p.as(tokens["eve"]).pipeline(t, "main", "shop", gatedPipeline)
	b := p.as(tokens["cat"]).trigger(t, "main", "shop", "deploy")
	other := p.as(tokens["ann"]).trigger(t, "main", "shop", "deploy")
	asked, mine := p.waitingFor(t, b.ID), p.waitingFor(t, other.ID)
	for range 2 {
		p.end(syscall.SIGKILL)
		p.start()
	}
	if again := p.waitingFor(t, b.ID); again.ID != asked.ID || again.Name != "production" {
		t.Errorf("asked %+v, and after the kills %+v", asked, again)
	}
	path := "/api/v1/ci/approvals/" + asked.ID
	for _, c := range []struct {
		who, body string
		status    int
		word      string
	}{
		{"cat", `{"reason":"mine"}`, 403, "You started this build"},
		{"eve", `{"reason":"mine"}`, 403, "You last set this pipeline"},
		{"ann", `{"reason":"nice"}`, 403, "owner and cat"},
		{"dan", `{"reason":"nice"}`, 403, "ci:operate"},
		{"cat", `{}`, 400, "reason"},
		{"cat", `{"reason":"x","reviewer":"admin"}`, 400, "reviewer"},
	} {
		p.as(tokens[c.who]).refused(t, path+"/approve", c.body, c.status, c.word)
	}
	for _, shown := range p.as(tokens["cat"]).approvals(t, "waiting") {
		if (shown.Build.ID == b.ID) != (shown.Refusal != "") {
			t.Errorf("cat sees %+v", shown)
		}
	}
	p.as(tokens["cat"]).call(t, "POST", "/api/v1/ci/approvals/"+mine.ID+"/approve", map[string]any{"reason": "tested", "reviewer": "cat"}, nil)
	p.call(t, "POST", path+"/reject", map[string]any{"reason": "not on a Friday"}, nil)
	p.refused(t, path+"/approve", `{"reason":"late"}`, 409, "decided already")

	done, rejected := p.finish(t, other.ID), p.finish(t, b.ID)
	log := p.log(t, other.ID)
	if done.Status != "succeeded" || strings.Count(log, "once") != 1 || strings.Count(log, "waiting for approval by owner, cat") != 1 ||
		!strings.Contains(log, "approved by cat: tested") || !strings.Contains(log, "gone on") {
		t.Errorf("%s\n%s", done.Status, log)
	}
	log = p.log(t, b.ID)
	if rejected.Status != "failed" || !strings.Contains(log, "rejected by admin: not on a Friday") || strings.Contains(log, "gone on") || strings.Count(log, "once") != 1 {
		t.Errorf("%s\n%s", rejected.Status, log)
	}
	if _, shown := p.send(t, "GET", "/api/v1/teams/main/pipelines/shop/resources/production/versions", nil); !strings.Contains(shown, `"approval":"`+mine.ID+`"`) ||
		!strings.Contains(shown, `{"name":"approver","value":"cat"}`) {
		t.Error(shown)
	}
	if decided := p.approvals(t, "decided"); len(decided) != 2 {
		t.Errorf("%+v", decided)
	}
	if _, audit := p.send(t, "GET", "/api/v1/accounts/audit?team=main", nil); !strings.Contains(audit, "ci.approval.approve") || !strings.Contains(audit, "ci.approval.reject") {
		t.Error(audit)
	}
}

// TestApprovalsThatNobodyGives expire, and tell the channel; aborted builds ask no more.
func TestApprovalsThatNobodyGives(t *testing.T) {
	t.Parallel()
	r := start(t)
	heard := make(chan string, 8)
	there := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err == nil {
			heard <- string(body)
		}
	}))
	t.Cleanup(there.Close)
	r.call(t, "POST", "/api/v1/ci/channels", map[string]any{"team": "main", "kind": "webhook", "name": "bus", "url": there.URL, "events": []string{"build.failed"}}, nil)
	r.pipeline(t, "main", "shop", gatedPipeline)
	b := r.finish(t, r.trigger(t, "main", "shop", "impatient").ID)
	if log := r.log(t, b.ID); b.Status != "failed" || !strings.Contains(log, "rejected: nobody decided in time") {
		t.Errorf("%s\n%s", b.Status, log)
	}
	var told struct {
		Event, Title, URL string
		Lines             []string
	}
	if err := json.Unmarshal([]byte(<-heard), &told); err != nil {
		t.Fatal(err)
	}
	if told.Event != "build.failed" || told.Title != "shop/impatient #1 failed at production" || !strings.HasSuffix(told.URL, "/teams/main/pipelines/shop/jobs/impatient/builds/1") ||
		len(told.Lines) == 0 || told.Lines[len(told.Lines)-1] != "rejected: nobody decided in time" {
		t.Errorf("%+v", told)
	}
	stopped := r.trigger(t, "main", "shop", "stopped")
	asked := r.waitingFor(t, stopped.ID)
	r.call(t, "POST", fmt.Sprintf("/api/v1/ci/builds/%d/abort", stopped.ID), nil, nil)
	if b := r.finish(t, stopped.ID); b.Status != "aborted" {
		t.Errorf("%+v", b)
	}
	r.refused(t, "/api/v1/ci/approvals/"+asked.ID+"/reject", `{}`, 409, "waits no more")
	if left := r.approvals(t, "waiting"); len(left) != 0 {
		t.Errorf("%+v", left)
	}
	for _, a := range r.approvals(t, "decided") {
		if a.ID == asked.ID && a.State != "withdrawn" || a.ID != asked.ID && a.State != "expired" {
			t.Errorf("%+v", a)
		}
	}
}
