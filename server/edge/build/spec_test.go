package build_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/edge/build"
)

func TestReadSpec(t *testing.T) {
	t.Parallel()
	good := `
bundle: b-7
version: 7
channel: edge
expires: 30d
requires: {reboot: never, restart_units: [nginx.service]}
targets:
  nodes: [n2, n1]
  selector: {matchLabels: {role: edge-node}}
variants:
  - os: debian/12/amd64
    nodes: [x]
    sources: [{url: "http://x/debian", suite: bookworm, keys: [k], snapshot: 20261101T000000Z}]
    include: {security: true, cves: [CVE-2026-1234], exclude: ["linux-*"]}
    allow: {new: ["linux-image-*"]}
`
	s, err := build.ReadSpec([]byte(good))
	if err != nil || s.Version != 7 || s.Variants[0].Include.CVEs[0] != "CVE-2026-1234" || s.Variants[0].Allow.New[0] != "linux-image-*" {
		t.Errorf("%+v %v", s, err)
	}
	if _, err := build.ReadSpec([]byte(strings.Replace(good, "channel:", "chanel:", 1))); err == nil || !strings.Contains(err.Error(), "line 4") || !strings.Contains(err.Error(), "chanel") {
		t.Error("a misspelt key:", err)
	}
}

func TestSpecRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why    string
		change func(s *build.Spec)
	}{
		{"bundle must name", func(s *build.Spec) { s.Bundle = "" }},
		{"version must be", func(s *build.Spec) { s.Version = 0 }},
		{"variants must list", func(s *build.Spec) { s.Variants = nil }},
		{"os must look like", func(s *build.Spec) { s.Variants[0].OS = "debian" }},
		{"nodes must name", func(s *build.Spec) { s.Variants[0].Nodes = nil }},
		{"sources must list", func(s *build.Spec) { s.Variants[0].Sources = nil }},
		{"either url or folder", func(s *build.Spec) { s.Variants[0].Sources[0].Folder = "x" }},
		{"keys must name", func(s *build.Spec) { s.Variants[0].Sources[0].Keys = nil }},
		{"snapshot must look like", func(s *build.Spec) { s.Variants[0].Sources[0].Snapshot = "yesterday" }},
		{"no snapshots are known", func(s *build.Spec) { s.Variants[0].Sources[0].Snapshot = "20261101T000000Z" }},
		{"not an address", func(s *build.Spec) { s.Variants[0].Sources[0].URL = "ftp://x" }},
		{"include must say", func(s *build.Spec) { s.Variants[0].Include = build.Include{} }},
		{"not like CVE", func(s *build.Spec) { s.Variants[0].Include.CVEs = []string{"2026-1"} }},
		{"not a pattern", func(s *build.Spec) { s.Variants[0].Include.Packages = []string{"["} }},
		{"deltas is include or none", func(s *build.Spec) { s.Variants[0].Deltas = "yes" }},
		{"expires must be", func(s *build.Spec) { s.Expires = "soon" }},
		{"would have expired", func(s *build.Spec) { s.Created = "2026-01-01T00:00:00Z" }},
		{"created:", func(s *build.Spec) { s.Created = "now" }},
		{"there is no", func(s *build.Spec) { s.Variants[0].Nodes = []string{"/nowhere/*"} }},
		{"repo_key:", func(s *build.Spec) { s.RepoKey = "/nowhere" }},
		{"The manifest is wrong", func(s *build.Spec) { s.Requires.Reboot = "perhaps" }},
	} {
		t.Run(c.why, func(t *testing.T) {
			t.Parallel()
			w := usual(t)
			spec := w.spec(status(lampOld, bulbOld), build.Include{Security: true}, "bookworm", "bookworm-security")
			c.change(&spec)
			w.fails(spec, c.why)
		})
	}
}

// TestSmaller leaves out what makes the bundle large.
func TestSmaller(t *testing.T) {
	t.Parallel()
	w := usual(t)
	spec := w.spec(status(lampOld, bulbOld), build.Include{Security: true}, "bookworm", "bookworm-security")
	spec.Variants[0].Deltas, spec.Variants[0].Rollback = "none", "none"
	spec.Targets.Nodes = []string{"n2", "n1"}
	must(t, func() error {
		return spec.Targets.Selector.Encode(map[string]any{"matchLabels": map[string]string{"b": "2", "a": "<1>"}})
	})
	_, f := w.build(spec)
	v := f.Manifest.Variants[0]
	if len(v.Rollback) != 0 || len(v.Packages[0].Deltas) != 0 || v.Packages[0].NormSHA256 != "" {
		t.Errorf("%+v", v)
	}
	if got, want := f.Manifest.Targets.SelectorSHA256, sum([]byte(`{"matchLabels":{"a":"<1>","b":"2"}}`)); got != want || fmt.Sprint(f.Manifest.Targets.Nodes) != "[n1 n2]" {
		t.Errorf("%+v", f.Manifest.Targets)
	}
}

func TestParseSource(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for line, want := range map[string]string{
		"deb [signed-by=/k.gpg,/l.asc arch=amd64] http://m/debian bookworm main contrib": "{http://m/debian bookworm [main contrib]   [/k.gpg /l.asc] false false false}",
		"deb [trusted=yes old=yes] http://m ./":                                          "{http://m ./ []   [] true false true}",
		"rpm [signed-by=/k security=yes] https://m/os/":                                  "{https://m/os/  []   [/k] false true false}",
		dir: "{  []  " + dir + " [] false false false}",
	} {
		got, err := build.ParseSource(line)
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v %v", line, got, err)
		}
	}
	for _, bad := range []string{"", "deb http://m", "rpm a b", "deb [signed-by=x http://m s", "deb [nonsense=1] http://m s", "/nowhere"} {
		if got, err := build.ParseSource(bad); err == nil {
			t.Errorf("%q: %v", bad, got)
		}
	}
}

func TestEnsureRepoKey(t *testing.T) {
	t.Parallel()
	at := filepath.Join(t.TempDir(), "key")
	must(t, func() error { return build.EnsureRepoKey(at) })
	first, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	must(t, func() error { return build.EnsureRepoKey(at) })
	again, err := os.ReadFile(at)
	if err != nil || string(first) != string(again) {
		t.Error("the key was replaced:", err)
	}
	if info, err := os.Stat(at); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
}

// TestStopped ends in the middle.
func TestStopped(t *testing.T) {
	t.Parallel()
	w := usual(t)
	ctx, stop := context.WithCancel(context.Background())
	o := w.options()
	o.Log = func(string) { stop() }
	if _, err := build.Build(ctx, w.spec(status(lampOld, bulbOld), build.Include{Security: true}, "bookworm", "bookworm-security"), o, io.Discard); err == nil {
		t.Error("it went on")
	}
}
