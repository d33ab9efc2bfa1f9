package ci

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

func TestToolsOfResources(t *testing.T) {
	t.Parallel()
	w := setup(t)
	r := tools.NewRegistry()
	if err := w.ci.RegisterTools(r); err != nil {
		t.Fatal(err)
	}
	w.remote.publish("repo", "a1")
	w.set("p", job("", getRepo))
	w.waitBuild("p", "j", "1", Succeeded)
	call := func(user, name, input string) string {
		out, err := r.Call(identity.With(t.Context(), callers[user]), name, json.RawMessage(input))
		if err != nil {
			return fmt.Sprintf("%s %+v", err, err)
		}
		return string(out)
	}
	const repo = `{"team":"main","pipeline":"p","resource":"repo"`
	var found struct{ Items []struct{ ID int64 } }
	if got := call("viewer", "ci_resource_versions", repo+"}"); json.Unmarshal([]byte(got), &found) != nil || len(found.Items) != 1 {
		t.Fatal(got)
	}
	version := fmt.Sprintf(`%s,"version":%d,"comment":"safe"}`, repo, found.Items[0].ID)
	for _, c := range []struct{ user, tool, input, want string }{
		{"viewer", "ci_resource_get", repo + "}", `"used_by":["j"]`},
		{"viewer", "ci_resource_versions", repo + `,"limit":500}`, "is not between 1 and 200"},
		{"stranger", "ci_resource_get", repo + "}", "no"},
		{"viewer", "ci_resource_pin", version, "There is no tool"},
		{"operator", "ci_resource_pin", repo + `,"version":0}`, "say which version"},
		{"operator", "ci_resource_pin", repo + `,"version":99}`, "has no version 99"},
		{"operator", "ci_resource_pin", version, `"pin_comment":"safe"`},
		{"viewer", "ci_resource_versions", repo + "}", `"pinned":true`},
		{"operator", "ci_resource_unpin", repo + "}", `"pinned":false`},
		{"operator", "ci_resource_unpin", `{"team":"main","pipeline":"p","resource":"odd"}`, "has no resource odd"},
		{"viewer", "ci_pipeline_pause", `{"team":"main","pipeline":"p"}`, "There is no tool"},
		{"operator", "ci_pipeline_pause", `{"team":"main","pipeline":"p"}`, `"paused":true`},
		{"viewer", "ci_pipelines_list", `{"team":"main"}`, `"paused":true`},
		{"operator", "ci_pipeline_unpause", `{"team":"main","pipeline":"p"}`, `"paused":false`},
		{"viewer", "ci_worker_list", `{}`, `"items":[]`},
	} {
		if got := call(c.user, c.tool, c.input); !strings.Contains(got, c.want) {
			t.Errorf("%s by %s: %s, want %s", c.tool, c.user, got, c.want)
		}
	}
}
