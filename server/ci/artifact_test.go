package ci

import (
	"path"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/runtime"
)

func TestOutputRulesMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule, file string
		want       bool
	}{
		{"dist/*.tgz", "x.tgz", true},
		{"dist/*.tgz", "sub/x.tgz", false},
		{"dist/*.tgz", "x.zip", false},
		{"dist/x.tgz", "x.tgz", true},
		{"dist/./a//x.tgz", "a/x.tgz", true},
		{"dist/**/*.xml", "a.xml", true},
		{"dist/**/*.xml", "a/b/c.xml", true},
		{"dist/**/*.xml", "a/b/c.xml/d", false},
		{"dist/**", "a/b/c", true},
		{"dist/a/**/b/**/c", "a/b/c", true},
		{"dist/a/**/b/**/c", "a/x/b/y/z/c", true},
		{"dist/a/**/b/**/c", "a/x/y/c", false},
		{"dist/**/b/c", "b/b/b/c", true},
		{"dist/**x/c", "ax/c", true},
		{"dist/**x/c", "a/x/c", false},
		{"dist/[ab]?.txt", "a1.txt", true},
		{"dist/[ab]?.txt", "c1.txt", false},
		{`dist/\*.txt`, "*.txt", true},
		{`dist/\*.txt`, "a.txt", false},
		{"dist/*", ".hidden", true},
	} {
		r, err := newOutputRule(useArtifact, c.rule, time.Hour)
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		if got := r.matches(c.file); got != c.want {
			t.Errorf("%s names %s: %t", c.rule, c.file, got)
		}
		if r.Output != "dist" {
			t.Errorf("%s is of output %q", c.rule, r.Output)
		}
	}
}

// TestGlobTime: many stars on a long name that does not match end soon.
func TestGlobTime(t *testing.T) {
	t.Parallel()
	glob := strings.Split(strings.Repeat("**/a/", 50)+"b", "/")
	name := strings.Split(strings.Repeat("a/", 2000)+"c", "/")
	begun := time.Now()
	if matchGlob(glob, name) || time.Since(begun) > 5*time.Second {
		t.Errorf("took %s", time.Since(begun))
	}
}

func TestOutputRulesRefuse(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{"", ".", "dist", "dist/", "/dist/x", "../x", "dist/../../x", "dist/[", "./x"} {
		if r, err := newOutputRule(useReport, rule, 0); err == nil {
			t.Errorf("%q is %+v", rule, r)
		}
	}
	rules, problems := outputRules(pipeline.JobExtension{TestReports: []string{"a/**/*.xml", "a"}, SBOM: []string{"a/bom.json"},
		Artifacts: []pipeline.ArtifactRule{{Path: "b/*", Keep: time.Hour}}})
	if len(rules) != 3 || len(problems) != 1 || !strings.Contains(problems[0], `"a" names no file within an output`) {
		t.Errorf("%+v %q", rules, problems)
	}
	if rules[1].Keep != time.Hour || rules[2].Keep != keepDocuments {
		t.Errorf("%+v", rules)
	}
}

func TestSharedFolder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rules []string
		want  string
	}{
		{[]string{"o/x.tgz"}, "."},
		{[]string{"o/a/b/*.xml"}, "a/b"},
		{[]string{"o/a/b/*.xml", "o/a/c/x"}, "a"},
		{[]string{"o/a/b/*.xml", "o/ab/c/x"}, "."},
		{[]string{"o/a/*/c/*.xml"}, "a"},
		{[]string{"o/a/**/c", "o/a/b/c"}, "a"},
	} {
		var rules []outputRule
		for _, text := range c.rules {
			r, err := newOutputRule(useReport, text, 0)
			if err != nil {
				t.Fatal(err)
			}
			rules = append(rules, r)
		}
		if got := sharedFolder(rules); got != c.want {
			t.Errorf("%v: %q, want %q", c.rules, got, c.want)
		}
	}
}

func TestOutputVolumes(t *testing.T) {
	t.Parallel()
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	volume := func(id string, role engine.Role, name string) []engine.StepVolume {
		return []engine.StepVolume{{ID: runtime.VolumeID(id), Role: role, Name: name}}
	}
	got := outputVolumes([]engine.StepRecord{
		{PlanID: "1", EndedAt: at(1), Volumes: volume("code", engine.RoleResource, "code")},
		{PlanID: "2/image-get", EndedAt: at(1), Volumes: volume("image", engine.RoleResource, "image")},
		{PlanID: "4", EndedAt: at(3), Volumes: volume("new", engine.RoleOutput, "dist")},
		{PlanID: "3", EndedAt: at(2), Volumes: volume("old", engine.RoleOutput, "dist")},
		{PlanID: "5", EndedAt: at(4), Volumes: volume("code", engine.RoleInput, "renamed")},
		{PlanID: "5", EndedAt: at(4), Volumes: volume("cache", engine.RoleTaskCache, "cache")},
	})
	if len(got) != 2 || got["code"] != "code" || got["dist"] != "new" {
		t.Errorf("%v", got)
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"a\nb\x1b[1m": "a b [1m", "a\xffb": "a\uFFFDb", strings.Repeat("é", 100): strings.Repeat("é", 10) + "…", "plain": "plain"} {
		if got := printable(given, 21); got != want || !utf8.ValidString(got) {
			t.Errorf("%q is shown as %q, want %q", given, got, want)
		}
	}
	for name, want := range map[string]bool{"dist/a b.tgz": true, "dist/é": true, "dist/a\nb": false, "dist/\xff": false, "dist/" + strings.Repeat("a", maxPath): false} {
		if showable(name) != want {
			t.Errorf("%.40q can be shown: %t", name, !want)
		}
	}
}

func FuzzOutputRule(f *testing.F) {
	f.Add("dist/**/*.xml", "a/b.xml")
	f.Add("dist/[a-", "a")
	f.Add("../x", "..")
	f.Fuzz(func(t *testing.T, rule, file string) {
		r, err := newOutputRule(useReport, rule, 0)
		if err != nil {
			return
		}
		r.matches(file)
		if folder := r.folder(); folder != "" && (path.Clean(folder) != folder || strings.HasPrefix(folder, "..")) {
			t.Errorf("%q begins at %q", rule, folder)
		}
	})
}
