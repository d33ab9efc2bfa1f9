package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const queue = `
resources:
- {name: production, type: approval, source: {}}
jobs:
- name: deploy
  plan:
  - put: production
  - task: after
    config: {platform: linux, run: {path: echo, args: ["gone on"]}}
`

const busy = `
jobs:
- name: hello
  plan:
  - task: greet
    config: {platform: linux, run: {path: echo, args: [hello]}}
`

// TestManyWaitForApproval: two hundred builds wait, far more than run at once, and
// hold up nobody; each is asked about once, and goes on when somebody decides.
func TestManyWaitForApproval(t *testing.T) {
	t.Parallel()
	const waiting = 200
	r := start(t)
	heard := make(chan string, waiting)
	there := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		if body, err := io.ReadAll(req.Body); err == nil {
			heard <- string(body)
		}
	}))
	t.Cleanup(there.Close)
	r.call(t, "POST", "/api/v1/ci/channels", map[string]any{"team": "main", "kind": "webhook", "name": "bus", "url": there.URL, "events": []string{"approval.requested"}}, nil)
	r.pipeline(t, "main", "shop", queue)
	r.pipeline(t, "main", "other", busy)
	for range waiting {
		r.trigger(t, "main", "shop", "deploy")
	}
	var told struct{ Event, Title, URL string }
	if err := json.Unmarshal([]byte(<-heard), &told); err != nil || told.Event != "approval.requested" || !strings.HasPrefix(told.Title, "shop/deploy #") ||
		!strings.HasSuffix(told.Title, " waits for approval") || !strings.Contains(told.URL, "/teams/main/pipelines/shop/jobs/deploy/builds/") {
		t.Errorf("%+v, %v", told, err)
	}
	for range waiting - 1 {
		select {
		case <-heard:
		case <-t.Context().Done():
			t.Fatal("not all were told of")
		}
	}
	if b := r.finish(t, r.trigger(t, "main", "other", "hello").ID); b.Status != "succeeded" {
		t.Errorf("the other pipeline: %+v", b)
	}
	asked := r.approvals(t, "waiting")[0]
	r.call(t, "POST", "/api/v1/ci/approvals/"+asked.ID+"/reject", map[string]any{}, nil)
	if b := r.finish(t, asked.Build.ID); b.Status != "failed" {
		t.Errorf("%+v", b)
	}
	stopped := r.approvals(t, "waiting")[0]
	r.call(t, "POST", fmt.Sprintf("/api/v1/ci/builds/%d/abort", stopped.Build.ID), nil, nil)
	if b := r.finish(t, stopped.Build.ID); b.Status != "aborted" {
		t.Errorf("%+v", b)
	}
	select {
	case extra := <-heard:
		t.Errorf("told twice: %s", extra)
	default:
	}
}
