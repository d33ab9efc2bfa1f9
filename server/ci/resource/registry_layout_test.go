package resource

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
)

func TestRegistryTags(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	image := imageOf(t, map[string]string{"x": "1"})
	for _, tag := range []string{"1.2.0", "1.9.0", "1.10.0", "2.0.0-rc.1", "2.0.0", "build-7", "build-8"} {
		b.push(tag, image)
	}
	for _, c := range []struct {
		source map[string]any
		known  string
		want   string
	}{
		{b.source("semver_constraint", "1.x"), "", "1.10.0"},
		{b.source("semver_constraint", "~1.2 || ^1.10"), "1.2.0", "1.2.0 1.10.0"},
		{b.source("semver_constraint", ">= 1.10", "pre_releases", true), "1.10.0", "1.10.0 2.0.0-rc.1 2.0.0"},
		{b.source("semver_constraint", ">9"), "", ""},
		{b.source("tag_regex", `^build-\d+$`), "", "build-8"},
		{b.source("tag_regex", `^build-\d+$`), "build-7", "build-7 build-8"},
		{b.source("tag_regex", "none"), "", ""},
		{b.source("tag_regex", "("), "", "source.tag_regex is not a regular expression"},
		{b.source("tag_regex", "a", "tag", "b"), "", "source.tag_regex excludes source.tag"},
		{b.source("semver_constraint", "soon"), "", `source.semver_constraint "soon" is not understood`},
		{b.source("semver_constraint", "1", "tag", "b"), "", "source.semver_constraint and source.tag exclude"},
	} {
		var known Version
		if c.known != "" {
			known = Version{"tag": c.known, "digest": "sha256:" + strings.Repeat("0", 64)}
		}
		var tags []string
		got := b.check(c.source, known)
		for text := range strings.FieldsSeq(got) {
			if _, tag, ok := strings.Cut(text, "tag="); ok {
				tags = append(tags, tag)
			}
		}
		if tags := strings.Join(tags, " "); tags != c.want && (c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%v from %q: %s", c.source, c.known, got)
		}
	}
}

// What is written as a layout is one by the judgement of another reader.
func TestRegistryGetLayout(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	image := imageOf(t, map[string]string{"x": "1"}, map[string]string{"y": "2"}, map[string]string{"x": "1"})
	b.push("v", image)
	shelf := newShelf()
	req := newRequest(shelf, b.source("tag", "v"), map[string]any{"format": "oci-layout"})
	req.Version = Version{"tag": "v", "digest": digestOf(t, image)}
	if _, err := b.typ.Get(t.Context(), req.Request); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range exported(t, shelf, req.Dest) {
		if inner, ok := strings.CutPrefix(name, "oci/"); ok && content != "/" {
			path := filepath.Join(dir, inner)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 || manifest.Manifests[0].Annotations[refAnnotation] != "v" {
		t.Fatalf("%v %v", manifest, err)
	}
	read, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil || digestOf(t, read) != digestOf(t, image) {
		t.Fatal(err)
	}
	if _, err := layoutImage(registrySource{layout: dir}, manifest.Manifests[0].Digest); err != nil { // reads every blob
		t.Error(err)
	}
	b.lie.Store(true)
	if _, err := b.typ.Get(t.Context(), req.Request); err == nil {
		t.Error("a wrong blob was taken")
	}
}
