package ci

import (
	"strings"
	"testing"
)

func TestSharedAndWorkers(t *testing.T) {
	t.Parallel()
	w, _ := withWorker(t)
	w.set("web", "resources:\n- {name: r, type: mock, source: {}}\njobs:\n- name: j\n  plan: [{get: r}]\n")
	for _, c := range []struct {
		method, path, user, contains string
		status                       int
	}{
		{"GET", "/api/v1/teams/main/pipelines/web/resources/r/shared", "owner", `"resources":[{"name":"r","pipeline_name":"web","team_name":"main"}]`, 200},
		{"GET", "/api/v1/teams/main/pipelines/web/resources/x/shared", "owner", "", 404},
		{"GET", "/api/v1/teams/main/pipelines/web/resources/r/shared", "stranger", "", 403},
		{"DELETE", "/api/v1/teams/main/pipelines/web/resources/r/versions", "owner", "versions_removed", 200},
		{"PUT", "/api/v1/workers/test/prune", "root", `"stderr":"The worker test is running`, 400},
		{"PUT", "/api/v1/workers/test/land", "root", "", 200},
		{"GET", "/api/v1/workers", "owner", `"state":"landed"`, 200},
		{"PUT", "/api/v1/workers/test/prune", "root", "", 200},
		{"POST", "/api/v1/ci/workers/test/resume", "root", `"state":"running"`, 200},
		{"POST", "/api/v1/ci/workers/test/land", "owner", "", 403},
		{"GET", "/api/v1/ci/containers?team=main", "stranger", "", 404},
		{"GET", "/api/v1/ci/volumes?team=main", "stranger", "", 404},
		{"PUT", "/api/v1/workers/other/prune", "root", "", 404},
		{"PUT", "/api/v1/workers/test/land", "owner", "", 403},
	} {
		got := w.call(c.method, c.path, "", as(c.user))
		if got.status != c.status || !strings.Contains(got.body, c.contains) {
			t.Errorf("%s %s as %s: %d %s", c.method, c.path, c.user, got.status, got.body)
		}
	}
}
