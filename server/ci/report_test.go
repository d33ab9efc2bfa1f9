package ci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/ci/junit"
)

// written is a file as the collector hands it over.
func written(path, content string) collectedFile {
	return collectedFile{Path: path, Size: int64(len(content)), Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }}
}

// keep plays the collector: the files are read, then the row comes first and what they
// say after it.
func (w *world) keep(build int64, read readFiles, files ...collectedFile) []string {
	w.t.Helper()
	keep, problems, err := read(w.t.Context(), w.build(build), files)
	if err != nil {
		w.t.Fatal(err)
	}
	w.store(build, keep)
	return problems
}

func (w *world) store(build int64, keep keepRead) {
	w.t.Helper()
	b := w.build(build)
	err := w.db.Tx(w.t.Context(), func(ctx context.Context) (err error) {
		err = w.db.Writer(ctx).Exec("INSERT INTO ci_build_outputs (build_id, team_id, job_id, collected_at) VALUES (?, ?, ?, 1) ON CONFLICT (build_id) DO NOTHING",
			b.ID, b.TeamID, b.JobID).Error
		if err != nil {
			return err
		}
		if keep == nil {
			return nil
		}
		return keep(ctx)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func reportOf(cases ...string) string {
	var b strings.Builder
	b.WriteString(`<testsuites><testsuite name="all">`)
	for _, c := range cases {
		name, how, _ := strings.Cut(c, ":")
		fmt.Fprintf(&b, `<testcase classname="pkg" name="%s" time="0.5" file="x_test.go" line="7">`, name)
		switch how {
		case "failed":
			b.WriteString(`<failure message="3 is not 4">trace</failure>`)
		case "errored":
			b.WriteString(`<error message="panic">trace</error>`)
		case "skipped":
			b.WriteString(`<skipped message="not today"/>`)
		}
		b.WriteString("</testcase>")
	}
	return b.String() + "</testsuite></testsuites>"
}

func (w *world) tests(build int64, query string) testPage {
	w.t.Helper()
	return must[testPage](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/tests%s", build, query), "")
}

// told is one word per case, as "name:state".
func (p testPage) told() string {
	var out []string
	for _, c := range p.Cases {
		text := c.Name + ":" + string(c.State)
		if c.FailingSince != nil {
			text += " since " + c.FailingSince.Name
		}
		if c.Flaky {
			text += " flaky"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// unitBuilds runs a job by hand n times with the same version.
func (w *world) unitBuilds(n int) []int64 {
	w.t.Helper()
	var out []int64
	for range n {
		w.call("POST", "/api/v1/teams/main/pipelines/web/jobs/unit/builds", "")
		name := fmt.Sprint(len(w.builds("web", "unit")))
		out = append(out, w.waitBuild("web", "unit", name, Succeeded).ID)
	}
	return out
}

const unit = `
jobs:
- name: unit
  public: true
  plan: [{task: t, config: {platform: linux, run: {path: x}}}]
`

func TestReportsAreFollowedThroughBuilds(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", unit)
	b := w.unitBuilds(5)
	for i, cases := range [][]string{
		{"a", "b:failed", "c:errored", "d:skipped"},
		{"a", "b:failed", "c", "d"},
		{"a", "b:skipped", "c:failed"},
		{"a", "b:failed", "c:failed"},
		{"a", "b", "c:failed"},
	} {
		if got := w.keep(b[i], w.ci.readReports, written("out/x.xml", reportOf(cases...))); len(got) != 0 {
			t.Errorf("build %d: %q", i+1, got)
		}
	}
	for i, want := range []string{
		"b:failed, c:errored, a:passed, d:skipped",
		"b:failed since 1, a:passed, c:passed, d:passed",
		"c:failed, a:passed, b:skipped",
		"b:failed since 1, c:failed since 3, a:passed",
		"c:failed since 3, a:passed, b:passed",
	} {
		if got := w.tests(b[i], "").told(); got != want {
			t.Errorf("build %d: %s, want %s", i+1, got, want)
		}
	}
	first := w.tests(b[0], "?state=failed")
	want := testCase{Suite: "all", Class: "pkg", Name: "b", State: junit.Failed, DurationMS: 500, Message: "3 is not 4", Output: "trace", File: "x_test.go", Line: 7}
	if len(first.Cases) != 1 || first.Cases[0] != want || first.reportSums != (reportSums{4, 1, 1, 1, 1, 2000}) {
		t.Errorf("%+v", first)
	}
	// Builds without a report, a build that is gone, and a late end of an older build.
	if got := w.tests(w.unitBuilds(1)[0], ""); got.Total != 0 || got.Cases == nil {
		t.Errorf("%+v", got)
	}
	if err := w.ci.deleteBuild(t.Context(), b[0]); err != nil {
		t.Fatal(err)
	}
	if got := w.tests(b[1], "?state=failed").told(); got != "b:failed" {
		t.Error(got)
	}
	cases, err := w.ci.failingCases(t.Context(), b[3], 1)
	if err != nil || len(cases) != 1 || cases[0] != (failingCase{Name: "pkg.b", Message: "3 is not 4", File: "x_test.go", Line: 7}) {
		t.Errorf("%+v %v", cases, err)
	}
}

func TestFlakyCases(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", unit)
	first := w.unitBuilds(1)[0]
	w.keep(first, w.ci.readReports, written("out/x.xml", reportOf("a:failed", "b", "twice:failed", "twice", "c:failed")))
	if got := w.tests(first, "?state=failed").told(); got != "a:failed, twice:failed flaky, c:failed" {
		t.Error(got)
	}
	must[buildShape](w, 201, "POST", fmt.Sprintf("/api/v1/ci/builds/%d/rerun", first), "")
	again := w.waitBuild("web", "unit", "1.1", Succeeded).ID
	w.keep(again, w.ci.readReports, written("out/x.xml", reportOf("a", "b:failed", "c:failed")))
	if got := w.tests(again, "?state=failed").told(); got != "b:failed flaky, c:failed since 1" {
		t.Error(got)
	}
	if got := w.tests(first, "?state=failed").told(); got != "a:failed flaky, twice:failed flaky, c:failed" {
		t.Errorf("the original learns of it: %s", got)
	}
}

// TestFlakyCasesOfBuildsThatEndTogether: both reports are read before either is stored.
func TestFlakyCasesOfBuildsThatEndTogether(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", unit)
	first := w.unitBuilds(1)[0]
	must[buildShape](w, 201, "POST", fmt.Sprintf("/api/v1/ci/builds/%d/rerun", first), "")
	again := w.waitBuild("web", "unit", "1.1", Succeeded).ID
	read := func(build int64, cases ...string) keepRead {
		keep, problems, err := w.ci.readReports(t.Context(), w.build(build), []collectedFile{written("out/x.xml", reportOf(cases...))})
		if err != nil || len(problems) != 0 {
			t.Fatal(problems, err)
		}
		return keep
	}
	one, other := read(first, "a:failed", "b"), read(again, "a", "b:failed")
	w.store(first, one)
	w.store(again, other)
	if got := w.tests(first, "?state=failed").told() + "; " + w.tests(again, "?state=failed").told(); got != "a:failed flaky; b:failed flaky" {
		t.Error(got)
	}
}

func TestPagesOfCases(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", unit)
	b := w.unitBuilds(1)[0]
	var cases []string
	for i := range 2*chunkCases + 50 {
		how := ""
		if i < 150 {
			how = ":failed"
		} else if i%1000 == 0 {
			how = ":skipped"
		}
		cases = append(cases, fmt.Sprintf("case%05d%s", i, how))
	}
	half := len(cases) / 2
	w.keep(b, w.ci.readReports, written("out/1.xml", reportOf(cases[:half]...)), written("out/2.xml", reportOf(cases[half:]...)))
	for _, c := range []struct {
		query, first, last string
		n, next            int
	}{
		{"", "case00000", "case00099", 100, 2},
		{"?page=2", "case00100", "case00199", 100, 3},
		{"?page=3", "case00200", "case00299", 100, 4},
		{"?page=100", "case09900", "case09999", 100, 101},
		{"?page=101", "case10000", "case10049", 50, 0},
		{"?page=102", "", "", 0, 0},
		{"?state=failed&page=2", "case00100", "case00149", 50, 0},
		{"?state=skipped", "case01000", "case10000", 10, 0},
		{"?state=passed&page=2", "case00250", "case00349", 100, 3},
		{"?state=errored", "", "", 0, 0},
		{"?q=CASE0012", "case00120", "case00129", 10, 0},
		{"?q=case1", "case10000", "case10049", 50, 0},
		{"?q=pkg&state=failed", "case00000", "case00099", 100, 2},
		{"?q=nothing", "", "", 0, 0},
	} {
		page := w.tests(b, c.query)
		first, last := "", ""
		if n := len(page.Cases); n > 0 {
			first, last = page.Cases[0].Name, page.Cases[n-1].Name
		}
		if len(page.Cases) != c.n || first != c.first || last != c.last || page.Next != c.next || page.Total != int64(len(cases)) {
			t.Errorf("%s: %d from %s to %s, next %d, of %d", c.query, len(page.Cases), first, last, page.Next, page.Total)
		}
	}
	for query, status := range map[string]int{"?state=odd": 400, "?page=-1": 400, "?page=99999": 400, "?q=" + strings.Repeat("x", 1001): 400, "?page=x": 400} {
		if a := w.call("GET", fmt.Sprintf("/api/v1/ci/builds/%d/tests%s", b, query), ""); a.status != status {
			t.Errorf("%.20s: %d %s", query, a.status, a.body)
		}
	}
	for user, status := range map[string]int{"viewer": 200, "stranger": 404, "": 401} {
		if a := w.call("GET", fmt.Sprintf("/api/v1/ci/builds/%d/tests", b), "", as(user)); a.status != status {
			t.Errorf("%q: %d %s", user, a.status, a.body)
		}
	}
	shown := w.shown(b)
	if !shown.Reports || shown.SBOM {
		t.Errorf("%+v", shown)
	}
}

func TestReportsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", unit)
	b := w.unitBuilds(2)
	gone := collectedFile{Path: "out/gone.xml", Open: func() (io.ReadCloser, error) { return nil, errors.New("it is gone") }}
	got := w.keep(b[0], w.ci.readReports, written("out/log.txt", "ok 1"), gone, written("out/half.xml", `<testsuite><testcase name="a"><failure/></testcase><testcase`))
	if len(got) != 3 || !strings.Contains(got[0], "out/log.txt is not a JUnit report") || got[1] != "out/gone.xml could not be read: it is gone." || !strings.Contains(got[2], "out/half.xml breaks off") {
		t.Errorf("%q", got)
	}
	if got := w.tests(b[0], "").told(); got != "a:failed" {
		t.Errorf("what was read before counts: %s", got)
	}
	w.keep(b[1], w.ci.readReports, written("out/log.txt", "ok 1"))
	if w.shown(b[1]).Reports {
		t.Error("there is no report")
	}
}

func TestReportBounds(t *testing.T) {
	t.Parallel()
	r := newTestReport(1)
	long := strings.Repeat("x", 60<<10)
	for i := range maxReportCases {
		c := junit.Case{Name: fmt.Sprint(i), State: junit.Passed}
		if i <= maxReportedBad+1 {
			c.State, c.Output = junit.Failed, long
		}
		if err := r.add(c); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := r.add(junit.Case{}); !errors.Is(err, errFull) {
		t.Errorf("one more: %v", err)
	}
	if err := r.flush(); err != nil {
		t.Fatal(err)
	}
	output := 0
	for _, row := range r.bad {
		output += len(row.Output)
	}
	if len(r.bad) != maxReportedBad || r.unlisted != 2 || output > maxReportOutput || output < maxReportOutput/2 || r.sums.Failed != maxReportedBad+2 {
		t.Errorf("%d listed, %d not, %d bytes, %+v", len(r.bad), r.unlisted, output, r.sums)
	}
	n := 0
	for _, c := range r.chunks {
		if err := unpack(c.Data, func(quietCase) bool { n++; return true }); err != nil {
			t.Fatal(err)
		}
	}
	if n != maxReportCases-maxReportedBad-2 {
		t.Errorf("%d quiet cases", n)
	}
	if err := unpack([]byte("no gzip"), nil); err == nil {
		t.Error("broken data is read")
	}
	if err := unpack(bytes.Clone(r.chunks[0].Data)[:100], func(quietCase) bool { return true }); err == nil {
		t.Error("half a chunk is read")
	}
	if a, b := keyOf("a", "b", ""), keyOf("a", "", "b"); a == b || slices.Equal(a[:], make([]byte, 16)) {
		t.Error("keys are not told apart")
	}
}
