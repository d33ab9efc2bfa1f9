package pipeline

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func mustParse(t *testing.T, source string) Config {
	t.Helper()
	config, err := Parse([]byte(source))
	if err != nil {
		t.Fatalf("parse: %v\n%s", err, source)
	}
	return config
}

// TestEverything pins the JSON of a pipeline that uses every key. The golden
// file was compared byte for byte with what Concourse 8.2.5 makes of the source.
func TestEverything(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("testdata/validate/everything.yml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/everything.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(mustParse(t, string(source)))
	if err != nil || string(got) != string(want) {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
}

func TestParseBounds(t *testing.T) {
	t.Parallel()
	bomb := "x0: &x0 [1,1,1,1,1,1,1,1,1,1]\n"
	for i := 1; i < 12; i++ {
		bomb += fmt.Sprintf("x%d: &x%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d,", i-1), 10), ","))
	}
	chain := "y0: &y0 [1]\n"
	for i := 1; i < 300; i++ {
		chain += fmt.Sprintf("y%d: &y%d [*y%d]\n", i, i, i-1)
	}
	for _, c := range []struct{ name, source, err string }{
		{"too large", strings.Repeat("# comment\n", maxBytes/10+1), "at most 10485760 are accepted"},
		{"not UTF-8", "jobs: []\nx: \xff\n", "line 2: the document is not valid UTF-8"},
		{"nested lists", strings.Repeat("[", 300) + strings.Repeat("]", 300), "nested deeper than 200 levels"},
		{"nested far too deep", strings.Repeat("[", 1<<20), "exceeded max depth"},
		{"nested dashes", strings.Repeat("- ", 300) + "x", "nested deeper than 200 levels"},
		{"nested through aliases", chain, "nested deeper than 200 levels"},
		{"alias bomb", bomb, "the document grows to more than"},
		{"anchor in itself", "x: &x [*x]\n", "contains itself"},
		{"unknown alias", "x: *nope\n", "unknown anchor 'nope'"},
		{"a list", "- a\n- b\n", "line 1: a pipeline is a mapping"},
		{"key twice", "jobs: []\njobs: []\n", `line 2: key "jobs" already set in map`},
		{"key twice far below", "x:\n- y: {a: 1, b: 2, a: 3}\n", `line 2: key "a" already set in map`},
	} {
		start := time.Now()
		_, err := Parse([]byte(c.source))
		if err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: error %.200v, want %s", c.name, err, c.err)
		}
		if list := Diagnose([]byte(c.source)); len(list) == 0 || list[0].Line < 1 {
			t.Errorf("%s: diagnostics %v", c.name, list)
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%s took %s", c.name, took)
		}
	}
}

func TestParseAccepts(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"", "# only a comment\n", "~", "{}", "---\n", `{"jobs": []}`, "\ufeffjobs: []"} {
		if config, err := Parse([]byte(source)); err != nil || len(config.Jobs) != 0 {
			t.Errorf("Parse(%q) = %+v, %v", source, config, err)
		}
	}
}

func TestParseJSON(t *testing.T) {
	t.Parallel()
	config := mustParse(t, `{"jobs":[{"name":"a","plan":[{"get":"r","trigger":true}]}],"resources":[{"name":"r","type":"git","source":{"n":1234567890123}}]}`)
	if len(config.Jobs) != 1 || len(config.Jobs[0].Gets()) != 1 || !config.Jobs[0].Gets()[0].Trigger {
		t.Errorf("got %+v", config)
	}
	payload, err := json.Marshal(config.Resources[0].Source)
	if err != nil || string(payload) != `{"n":1234567890123}` {
		t.Errorf("source is %s, %v", payload, err)
	}
}

func TestCheckEvery(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]CheckEvery{
		`"never"`: {Never: true}, `""`: {}, `"10m"`: {Interval: 10 * time.Minute}, `"1h30m0s"`: {Interval: 90 * time.Minute},
	} {
		var got CheckEvery
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
		back, err := json.Marshal(got)
		var again CheckEvery
		if err != nil || json.Unmarshal(back, &again) != nil || again != want {
			t.Errorf("%s written as %s, %v", text, back, err)
		}
	}
	for _, text := range []string{`3`, `"soon"`, `{}`} {
		if err := json.Unmarshal([]byte(text), new(CheckEvery)); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/validate/*.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		diagnostics := Diagnose(data)
		for _, d := range diagnostics {
			if d.Line < 1 || d.Column < 1 || d.Message == "" {
				t.Fatalf("bad diagnostic %+v", d)
			}
		}
		config, err := Parse(data)
		if err != nil {
			if len(diagnostics) == 0 {
				t.Fatalf("no diagnostic for %v", err)
			}
			return
		}
		errors, _ := Validate(config)
		if (len(errors) > 0) != hasError(diagnostics) {
			t.Fatalf("errors %v, diagnostics %v", errors, diagnostics)
		}
		for _, job := range config.Jobs {
			if err := Walk(job.Step(), func(s StepConfig) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		payload, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(payload); err != nil {
			t.Fatalf("%v: %s", err, payload)
		}
	})
}

func hasError(list []Diagnostic) bool {
	for _, d := range list {
		if d.Severity == SeverityError {
			return true
		}
	}
	return false
}

func BenchmarkParse(b *testing.B) {
	source := bigPipeline(200, 10)
	b.SetBytes(int64(len(source)))
	for b.Loop() {
		config, err := Parse(source)
		if err != nil {
			b.Fatal(err)
		}
		if errors, _ := Validate(config); len(errors) > 0 {
			b.Fatal(errors)
		}
	}
}

// bigPipeline writes a pipeline whose jobs are chained by passed.
func bigPipeline(jobs, resources int) []byte {
	var b strings.Builder
	b.WriteString("resources:\n")
	for r := range resources {
		fmt.Fprintf(&b, "- {name: r%d, type: git, source: {uri: \"https://example.test/%d.git\"}}\n", r, r)
	}
	b.WriteString("jobs:\n")
	for j := range jobs {
		fmt.Fprintf(&b, "- name: j%d\n  plan:\n", j)
		for r := range resources {
			fmt.Fprintf(&b, "  - get: r%d\n", r)
			if j > 0 {
				fmt.Fprintf(&b, "    passed: [j%d]\n", j-1)
			}
		}
		b.WriteString("  - task: t\n    config: {platform: linux, run: {path: sh, args: [-c, make]}}\n")
	}
	return []byte(b.String())
}
