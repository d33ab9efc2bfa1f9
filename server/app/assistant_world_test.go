package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/assistant/evals"
	"github.com/signalbox/signalbox/server/assistant/evals/acme"
)

// fillWorld gives a real portal what acme's holds: builds, errors, log lines and deliveries; GitHub is acme's.
func fillWorld(t *testing.T, r *running) {
	t.Helper()
	hub := httptest.NewServer(acme.NewGitHub())
	t.Cleanup(hub.Close)
	r.call(t, "POST", "/api/v1/ci/connections", map[string]any{"team": "main", "name": "GitHub", "api_url": hub.URL, "token": "t"}, nil)
	r.call(t, "PUT", "/api/v1/assistant/settings", map[string]any{"team": "main", "repositories": acme.Repositories, "default_repository": "acme/shop"}, nil)
	r.call(t, "PUT", "/api/v1/assistant/me", map[string]any{"github": "ann"}, nil)

	const good = "jobs: [{name: test, plan: [{get: shelf}]}]\nresources: [{name: shelf, type: mock, source: {initial_version: one}}]\n"
	const bad = "jobs: [{name: migrate, plan: [{load_var: orders, file: relation/orders_v2.json}]}]\n"
	r.pipeline(t, "main", "api", good)
	r.pipeline(t, "main", "nightly", bad)
	builds := []build{r.trigger(t, "main", "api", "test"), r.trigger(t, "main", "nightly", "migrate")}

	p := r.errorProject(t, "main", "Shop")
	for i := range 5 {
		event := fmt.Sprintf("{\"event_id\":%q}\n{\"type\":\"event\"}\n{\"message\":\"cannot read total of undefined\",\"level\":\"error\",\"platform\":\"javascript\",\"release\":\"v1.4.2\",\"user\":{\"id\":\"u%d\"}}\n", newGUID(), i%3)
		answer := r.as("").request(t, "POST", fmt.Sprintf("/api/%d/envelope/?sentry_key=%s", p.ID, p.Key), strings.NewReader(event))
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatal(answer.Status)
		}
	}
	r.client.sendLevel(t, 49, "payments", "connection to 10.0.4.%d refused")
	r.client.sendLevel(t, 1, "payments", "retry %d given up")

	h := r.hook(t, "main", "")
	body := []byte(`{"zen":"Keep it simple."}`)
	if status := r.deliverSigned(t, h, newGUID(), "sha256=00", body); status == http.StatusOK {
		t.Error("a wrong signature was taken")
	}
	for _, b := range builds {
		r.finish(t, b.ID)
	}
}

// sendLevel sends error lines of a service; %d of the message counts them.
func (c *client) sendLevel(t *testing.T, n int, service, message string) {
	t.Helper()
	var body strings.Builder
	for i := range n {
		fmt.Fprintf(&body, `{"time":%q,"service":%q,"level":"error","msg":%q}`+"\n", time.Now().UTC().Format(time.RFC3339Nano), service, fmt.Sprintf(message, i))
	}
	answer := c.request(t, "POST", "/insert/jsonline?_stream_fields=service", strings.NewReader(body.String()), "X-Scope-OrgID", "main")
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status)
	}
}

// TestAssistantOfARealPortal asks a portal that really holds what it is asked about, with the tools as they are.
func TestAssistantOfARealPortal(t *testing.T) {
	t.Parallel()
	r := start(t)
	fillWorld(t, r)
	ask := func(question string) evals.Trace {
		t.Helper()
		var run evals.Trace
		r.call(t, "POST", "/api/v1/assistant/ask", map[string]any{"team": "main", "question": question, "zone": "Europe/London"}, &run)
		return run
	}
	eventually(t, "errors and lines to be found", func() bool {
		return strings.Contains(ask("What new errors came in since the last release?").Answer.Text, "5 events") && strings.Contains(ask("Any errors in payments in the last hour?").Answer.Text, "**50**")
	})
	for _, c := range []struct {
		ask    string
		expect evals.Expect
	}{
		{"Which builds are failing right now?", evals.Expect{Called: []evals.Invocation{{Tool: "ci_pipelines_list"}, {Tool: "ci_builds_list", Args: map[string]any{"pipeline": "nightly"}}}, Contains: []evals.Fact{{"nightly / migrate #1"}, {"**1 job**"}}, Lacks: []evals.Fact{{"api /"}}}},
		{"Why did the last nightly build fail?", evals.Expect{Called: []evals.Invocation{{Tool: "ci_build_get"}}, Contains: []evals.Fact{{"nightly / migrate #1"}, {`orders`}}}},
		{"What new errors came in since the last release?", evals.Expect{Called: []evals.Invocation{{Tool: "github__get_latest_release"}, {Tool: "issues_issue_list"}}, Contains: []evals.Fact{{"SHOP-1"}, {"5 events"}, {"3 users"}, {"v1.4.2"}}}},
		{"tell me about SHOP-1", evals.Expect{Called: []evals.Invocation{{Tool: "issues_issue_get"}}, Contains: []evals.Fact{{"cannot read total of undefined"}}}},
		{"Any errors in payments in the last hour?", evals.Expect{Called: []evals.Invocation{{Tool: "logs_line_count"}, {Tool: "logs_pattern_list"}}, Contains: []evals.Fact{{"**50** error lines of payments"}, {"98 %"}, {"refused"}, {"the first after today"}}}},
		{"Did any webhook deliveries fail today?", evals.Expect{Called: []evals.Invocation{{Tool: "ci_delivery_list"}}, Contains: []evals.Fact{{"1 refused"}}}},
		{"Which edge agents are not patched?", evals.Expect{Called: []evals.Invocation{{Tool: "edge_patch_status"}}, Contains: []evals.Fact{{"Nothing has been rolled out yet"}}}},
		{"Are any critical bugs related to PRs merged this week?", evals.Expect{Called: []evals.Invocation{{Tool: "github__search_issues"}, {Tool: "github__search_pull_requests"}}, Contains: []evals.Fact{{"acme/shop"}}}},
	} {
		run := ask(c.ask)
		if found := evals.Check(c.expect, run); len(found) > 0 {
			t.Errorf("%s: %+v\n%s\nread as %s", c.ask, found, run.Answer.Text, run.Reading)
		}
	}
	// The same at the browser's hand: a run that is followed ends by itself, and its page has everything.
	var run evals.Trace
	r.call(t, "POST", "/api/v1/assistant/ask", map[string]any{"team": "main", "question": "why did this fail?", "follow": true, "page": map[string]any{"kind": "build", "name": "nightly", "job": "migrate", "id": "1"}}, &run)
	eventually(t, "the followed run to end", func() bool {
		r.call(t, "GET", "/api/v1/assistant/runs/"+run.ID, nil, &run)
		return run.Status != "running"
	})
	if run.Status != "answered" || !strings.Contains(run.Answer.Text, "nightly / migrate #1") || !slices.ContainsFunc(run.Steps, func(s evals.Step) bool { return s.Tool == "ci_build_get" }) {
		t.Errorf("%+v", run)
	}
	var exported struct{ File, YAML string }
	r.call(t, "GET", "/api/v1/assistant/runs/"+run.ID+"/case", nil, &exported)
	var again struct {
		ReplayOf string `json:"replay_of"`
	}
	r.call(t, "POST", "/api/v1/assistant/runs/"+run.ID+"/replay", map[string]any{"planner": "plan"}, &again)
	if again.ReplayOf != run.ID || !strings.Contains(exported.YAML, "ci_build_get") {
		t.Errorf("%+v\n%s", again, exported.YAML)
	}
}
