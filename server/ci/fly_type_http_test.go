package ci

import (
	"fmt"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/ci/resource"
)

const typed = "resource_types:\n- {name: shiny, type: mock, source: {repository: acme/shiny}}\n" +
	"resources:\n- {name: r, type: shiny, check_every: never, source: {}}\njobs:\n- name: j\n  plan: [{get: r}]\n"

// TestFlyChecksAndClearsResourceTypes is what `fly check-resource-type` and `fly
// clear-versions --resource-type` call.
func TestFlyChecksAndClearsResourceTypes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", typed)
	w.set("api", typed)
	const site = "/api/v1/teams/main/pipelines/"
	for _, c := range []struct {
		method, path, user, contains string
		status                       int
	}{
		{"POST", "web/resource-types/odd/check", "operator", "", 404},
		{"POST", "odd/resource-types/shiny/check", "operator", "", 404},
		{"POST", "web/resource-types/shiny/check", "viewer", "", 403},
		{"POST", "web/resource-types/shiny/check", "stranger", "", 403},
		{"GET", "web/resource-types/shiny/shared", "viewer", `"resource_types":[{"name":"shiny","pipeline_name":"web","team_name":"main"}],"resources":[]`, 200},
		{"GET", "web/resource-types/odd/shared", "viewer", "", 404},
		{"DELETE", "web/resource-types/odd/versions", "operator", "", 404},
		{"DELETE", "web/resource-types/shiny/versions", "viewer", "", 403},
		{"DELETE", "web/resource-types/shiny/versions", "operator", `"versions_removed":0`, 200},
	} {
		got := w.call(c.method, site+c.path, "", as(c.user))
		if got.status != c.status || !strings.Contains(strings.ReplaceAll(got.body, "\n", ""), c.contains) {
			t.Errorf("%s %s as %s: %d %s", c.method, c.path, c.user, got.status, got.body)
		}
	}
	for _, name := range []string{"web", "api"} {
		b := must[flyBuild](w, 201, "POST", site+name+"/resource-types/shiny/check", `{"from":{"v":"1"}}`, as("operator"))
		w.eventually("the check of the type", func() bool { return w.build(b.ID).Status == Succeeded })
		if plan := w.build(b.ID).Plan; !strings.Contains(plan, `"resource_type":"shiny"`) || !strings.Contains(plan, `"from_version":{"v":"1"}`) {
			t.Errorf("planned: %s", plan)
		}
	}
	if got := w.call("GET", site+"web/resource-types/shiny/shared", "").body; strings.Count(got, `"shiny"`) != 2 || !strings.Contains(got, `"api"`) {
		t.Errorf("shared: %s", got)
	}
	if _, err := w.ci.imageCheck(t.Context(), teamMain, "c"); err != nil {
		t.Fatal(err)
	}
	w.exec(t, "UPDATE ci_image_checks SET latest = ?", encode(resource.Version{"v": "7"}))
	if got := w.call("DELETE", site+"web/resource-types/shiny/versions", "", as("operator")); !strings.Contains(got.body, `"versions_removed":1`) {
		t.Error(fmt.Sprint(got.status), got.body)
	}
	if row, err := w.ci.imageCheck(t.Context(), teamMain, "c"); err != nil || row.Latest != "" || row.EndedAt != 0 {
		t.Errorf("%+v %v", row, err)
	}
}

func (w *world) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	if err := w.db.Writer(t.Context()).Exec(query, args...).Error; err != nil {
		t.Fatal(err)
	}
}
