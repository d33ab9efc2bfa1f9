package pipeline

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden reads each pipeline of testdata/validate and compares errors,
// warnings and editor diagnostics with the golden file beside it.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/validate/*.yml")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := describe(data)
			golden := strings.TrimSuffix(file, ".yml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func describe(data []byte) string {
	var b strings.Builder
	config, err := Parse(data)
	if err != nil {
		fmt.Fprintf(&b, "error: %s\n", err)
	} else {
		errors, warnings := Validate(config)
		for _, warning := range warnings {
			fmt.Fprintf(&b, "warning %s: %s\n", warning.Type, warning.Message)
		}
		for _, message := range errors {
			b.WriteString(message)
		}
	}
	for _, d := range Diagnose(data) {
		fmt.Fprintf(&b, "%d:%d %s %s [%s]\n", d.Line, d.Column, d.Severity, d.Message, d.Path)
	}
	return b.String()
}

// TestRoundTrip marshals every good pipeline as the server does for fly, reads
// it again and expects the same.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("testdata/validate/*.yml")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, err := Parse(data)
		if err != nil {
			continue
		}
		payload, err := json.Marshal(first)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		second, err := Parse(payload)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		again, err := json.Marshal(second)
		if err != nil || string(again) != string(payload) {
			t.Errorf("%s: %v\n%s\n%s", file, err, payload, again)
		}
	}
}

// TestWireForm compares with what a Concourse 8.2.5 answered for a pipeline.
func TestWireForm(t *testing.T) {
	t.Parallel()
	const source = `
jobs:
- name: hello
  plan:
  - task: Say
    config:
      platform: linux
      image_resource: {type: mock, source: {mirror_self: true}}
      run: {path: echo, args: ["hello there"]}
`
	const wire = `{"jobs":[{"name":"hello","plan":[{"config":{"platform":"linux","image_resource":{"name":"","type":"mock","source":{"mirror_self":true}},"run":{"path":"echo","args":["hello there"]}},"task":"Say"}]}]}`
	config, err := Parse([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(config)
	if err != nil || string(got) != wire {
		t.Errorf("got %s, %v", got, err)
	}
}
