package app_test

import (
	"fmt"
	"testing"
)

// TestReportsOfARealTask: what a task writes comes back as cases and packages, also when it fails.
func TestReportsOfARealTask(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.pipeline(t, "main", "shop", fmt.Sprintf(`
signalbox:
  jobs:
    test: {test_reports: ["out/**/*.xml"], sbom: ["out/bom.json"]}
jobs:
- name: test
  plan:
  - task: unit
    config: {platform: linux, outputs: [{name: out}], run: {path: sh, args: [-c, %q]}}
`, `mkdir out/deep && echo '<testsuite name="s"><testcase classname="p" name="good"/><testcase classname="p" name="bad"><failure message="3 is not 4"/></testcase></testsuite>' > out/deep/x.xml &&
echo '{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[{"type":"library","name":"log4j-core","version":"2.14.1","purl":"pkg:maven/o/log4j-core@2.14.1"}]}' > out/bom.json && echo FAIL && exit 3`))
	b := r.finish(t, r.trigger(t, "main", "shop", "test").ID)
	var tests struct {
		Total, Passed, Failed int
		Cases                 []struct{ Name, State, Message string }
	}
	r.call(t, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/tests", b.ID), nil, &tests)
	if b.Status != "failed" || tests.Total != 2 || tests.Failed != 1 || tests.Cases[0].Name != "bad" || tests.Cases[0].Message != "3 is not 4" {
		t.Errorf("%+v %+v\n%s", b, tests, r.log(t, b.ID))
	}
	var found struct {
		Items []struct {
			Version string
			Build   struct{ ID int64 }
		}
	}
	r.call(t, "GET", "/api/v1/ci/packages?team=main&name=log4j-core&below=2.17.1", nil, &found)
	if len(found.Items) != 1 || found.Items[0].Version != "2.14.1" || found.Items[0].Build.ID != b.ID {
		t.Errorf("%+v", found)
	}
	var card struct {
		Step     string
		ExitCode int `json:"exit_code"`
		Lines    []string
	}
	r.call(t, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/failure", b.ID), nil, &card)
	if card.Step != "unit" || card.ExitCode != 3 || len(card.Lines) != 1 || card.Lines[0] != "FAIL" {
		t.Errorf("%+v", card)
	}
}
