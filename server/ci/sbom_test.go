package ci

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/ci/sbom"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// bomOf writes a CycloneDX document of package URLs.
func bomOf(t *testing.T, purls ...string) string {
	t.Helper()
	var list []sbom.Component
	for _, p := range purls {
		kind, rest, _ := strings.Cut(strings.TrimPrefix(p, "pkg:"), "/")
		path, version, _ := strings.Cut(rest, "@")
		c := sbom.Component{Name: path, Version: version, PURL: p, Type: "library"}
		if i := strings.LastIndexByte(path, '/'); i >= 0 {
			c.Group, c.Name = path[:i], path[i+1:]
		}
		if kind == "npm" {
			c.Licenses = []string{"MIT"}
		}
		list = append(list, c)
	}
	var b strings.Builder
	if err := sbom.WriteCycloneDX(&b, list); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func (w *world) count(table string) (n int) {
	w.t.Helper()
	if err := w.db.Reader(w.t.Context()).Raw("SELECT COUNT(*) FROM " + table).Scan(&n).Error; err != nil {
		w.t.Fatal(err)
	}
	return n
}

const (
	oldLog4j = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"
	newLog4j = "pkg:maven/org.apache.logging.log4j/log4j-core@2.17.1"
	react    = "pkg:npm/react@19.1.0"
)

func TestComponentsOfBuilds(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", unit)
	b := w.unitBuilds(4)
	old := bomOf(t, oldLog4j, react)
	for i, files := range [][]collectedFile{
		{written("dist/bom.json", old)},
		{written("dist/bom.json", old), written("src/go.mod", "module x\nrequire example.org/some/thing v1.2.3\n")},
		{written("dist/bom.json", bomOf(t, newLog4j, react))},
	} {
		if got := w.keep(b[i], w.ci.readComponents, files...); len(got) != 0 {
			t.Errorf("build %d: %q", i+1, got)
		}
	}
	if lists, components := w.count("ci_sboms"), w.count("ci_components"); lists != 3 || components != 4 {
		t.Errorf("%d lists of %d components: equal ones share a row", lists, components)
	}
	got := w.call("GET", fmt.Sprintf("/api/v1/ci/builds/%d/sbom", b[1]), "").body
	want := `{"components":[{"name":"org.apache.logging.log4j:log4j-core","version":"2.14.1","purl":"` + oldLog4j + `","type":"library","licenses":[]},` +
		`{"name":"react","version":"19.1.0","purl":"pkg:npm/react@19.1.0","type":"library","licenses":["MIT"]},` +
		`{"name":"example.org/some/thing","version":"v1.2.3","purl":"pkg:golang/example.org/some/thing@v1.2.3","type":"library","licenses":[]}]}`
	if oneLine(t, got) != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := w.call("GET", fmt.Sprintf("/api/v1/ci/builds/%d/sbom", b[3]), "").body; oneLine(t, got) != `{"components":[]}` {
		t.Error(got)
	}
	if !w.shown(b[0]).SBOM || w.shown(b[3]).SBOM || w.shown(b[0]).Reports {
		t.Error("the page of the build does not know")
	}
	// What no build has goes.
	for _, id := range b[:2] {
		if err := w.ci.deleteBuild(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.ci.reapComponents(t.Context()); err != nil {
		t.Fatal(err)
	}
	if lists, components, links := w.count("ci_sboms"), w.count("ci_components"), w.count("ci_sbom_components"); lists != 1 || components != 2 || links != 2 {
		t.Errorf("%d lists, %d components, %d links", lists, components, links)
	}
}

func TestPackagesAreFound(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", unit+"- name: other\n  plan: [{task: t, config: {platform: linux, run: {path: x}}}]\n")
	b := w.unitBuilds(3)
	must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/web/jobs/other/builds", "")
	other := w.waitBuild("web", "other", "1", Succeeded).ID
	w.keep(b[0], w.ci.readComponents, written("bom.json", bomOf(t, oldLog4j, react)))
	w.keep(b[1], w.ci.readComponents, written("bom.json", bomOf(t, oldLog4j)))
	w.keep(b[2], w.ci.readComponents, written("bom.json", bomOf(t, newLog4j)))
	w.keep(other, w.ci.readComponents, written("bom.json", bomOf(t, "pkg:maven/org.apache.logging.log4j/log4j-core@2.9", "pkg:maven/x/log4j-core@")))
	for query, want := range map[string]string{
		"name=log4j-core":                                     "other#1 2.9, other#1 , unit#3 2.17.1, unit#2 2.14.1, unit#1 2.14.1",
		"name=log4j-core&below=2.17.1":                        "other#1 2.9, unit#2 2.14.1, unit#1 2.14.1",
		"name=LOG4J-core&below=2.14.1":                        "other#1 2.9",
		"name=org.apache.logging.log4j:log4j-core&below=2.10": "other#1 2.9",
		"name=log4j-core&version=2.17.1":                      "unit#3 2.17.1",
		"name=log4j-core&version=2.17.1.0":                    "unit#3 2.17.1",
		"name=react":                                          "unit#1 19.1.0",
		"name=log4j":                                          "",
		"name=react&below=1":                                  "",
	} {
		list := must[packageList](w, 200, "GET", "/api/v1/ci/packages?team=main&"+query, "")
		var got []string
		for _, p := range list.Items {
			got = append(got, p.Build.Job+"#"+p.Build.Number+" "+p.Version)
			if p.Build.Pipeline != "web" || p.Build.Status != Succeeded || p.Build.EndedAt == nil || p.PURL == "" {
				t.Errorf("%+v", p)
			}
		}
		if strings.Join(got, ", ") != want || list.Items == nil {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for _, c := range []struct {
		path, user string
		status     int
	}{
		{"/api/v1/ci/packages?team=main", "owner", 400},
		{"/api/v1/ci/packages?name=react", "owner", 400},
		{"/api/v1/ci/packages?team=main&name=react&below=" + strings.Repeat("1", 1001), "owner", 400},
		{"/api/v1/ci/packages?team=main&name=react", "viewer", 200},
		{"/api/v1/ci/packages?team=main&name=react", "stranger", 404},
		{"/api/v1/ci/packages?team=main&name=react", "", 401},
		{fmt.Sprintf("/api/v1/ci/builds/%d/sbom", b[0]), "viewer", 200},
		{fmt.Sprintf("/api/v1/ci/builds/%d/sbom", b[0]), "stranger", 404},
		{"/api/v1/ci/builds/9999/sbom", "owner", 404},
	} {
		if a := w.call("GET", c.path, "", as(c.user)); a.status != c.status {
			t.Errorf("%.60s by %q: %d %s", c.path, c.user, a.status, a.body)
		}
	}
	if list := must[packageList](w, 200, "GET", "/api/v1/ci/packages?team=other&name=react", "", as("stranger")); len(list.Items) != 0 {
		t.Errorf("another team's: %+v", list)
	}
}

func TestDocumentsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", unit)
	b := w.unitBuilds(1)[0]
	gone := collectedFile{Path: "gone.json", Open: func() (io.ReadCloser, error) { return nil, errors.New("it is gone") }}
	got := w.keep(b, w.ci.readComponents, written("a.json", "{}"), gone, written("b.json", bomOf(t, react)))
	if len(got) != 2 || !strings.Contains(got[0], "a.json is not a CycloneDX document") || got[1] != "gone.json could not be read: it is gone." {
		t.Errorf("%q", got)
	}
	if n := w.count("ci_build_sboms"); n != 1 {
		t.Errorf("%d documents", n)
	}
}

func TestToolsOfOutcomes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	r := tools.NewRegistry()
	if err := w.ci.RegisterTools(r); err != nil {
		t.Fatal(err)
	}
	w.set("web", strings.Replace(unit, "task: t", "task: fail", 1))
	must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/web/jobs/unit/builds", "")
	b := w.waitBuild("web", "unit", "1", Failed).ID
	w.keep(b, w.ci.readReports, written("x.xml", reportOf("a:failed", "b")))
	w.keep(b, w.ci.readComponents, written("bom.json", bomOf(t, oldLog4j)))
	for _, c := range []struct{ user, tool, input, want string }{
		{"viewer", "ci_build_failure", fmt.Sprintf(`{"build":%d}`, b), `"reason":"It exited with status 3."`},
		{"viewer", "ci_build_tests", fmt.Sprintf(`{"build":%d,"state":"failed"}`, b), `"name":"a","state":"failed"`},
		{"viewer", "ci_build_tests", fmt.Sprintf(`{"build":%d,"state":"odd"}`, b), `none of passed, failed, errored and skipped`},
		{"viewer", "ci_packages_find", `{"team":"main","name":"log4j-core","below":"2.17.1"}`, `"version":"2.14.1"`},
		{"viewer", "ci_packages_find", `{"team":"main"}`, `name: is missing`},
		{"stranger", "ci_packages_find", `{"team":"main","name":"log4j-core"}`, `no`},
	} {
		out, err := r.Call(identity.With(t.Context(), callers[c.user]), c.tool, json.RawMessage(c.input))
		text := string(out)
		if err != nil {
			text = fmt.Sprintf("%s %+v", err, err)
		}
		if !strings.Contains(text, c.want) {
			t.Errorf("%s by %s: %s, want %s", c.tool, c.user, text, c.want)
		}
	}
}
