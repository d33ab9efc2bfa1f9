package app_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	edgebuild "github.com/signalbox/signalbox/server/edge/build"
)

// TestStoryIsOnlyInTheDemo: what the story's page asks for is not there on a server that serves.
func TestStoryIsOnlyInTheDemo(t *testing.T) {
	t.Parallel()
	r := start(t)
	for method, path := range map[string]string{"GET": "/api/v1/demo/story", "POST": "/api/v1/demo/story/push"} {
		if status := r.status(t, method, path); status != http.StatusNotFound {
			t.Error(method, path, status)
		}
	}
	var me struct{ Demo bool }
	r.call(t, "GET", "/api/v1/accounts/me", nil, &me)
	if me.Demo {
		t.Error("the server says that it plays the demo")
	}
}

// TestStoryPackage: what the story's pipeline packs is a package of Debian's, of which a bundle can be built.
func TestStoryPackage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "checkout"), os.DirFS("demo/checkout")); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{"checkout/.git/ref": strings.Repeat("4f2a91c0", 5)} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, path), text)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "checkout/ci/package.sh")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "release/bundle.yml"))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := edgebuild.ReadSpec(text)
	if err != nil {
		t.Fatal(err)
	}
	spec.Version = 1
	report, err := edgebuild.File(t.Context(), spec, edgebuild.Options{Within: dir, Cache: t.TempDir(), Now: time.Now}, filepath.Join(dir, "b.epb"))
	if err != nil {
		t.Fatal(err)
	}
	if m := report.Manifest; m.BundleID != "checkout-1.0.0" || len(m.Variants) != 1 || len(m.Variants[0].Packages) != 1 || m.Variants[0].Packages[0].Version != "1.0.0+g4f2a91c04f2a" {
		t.Errorf("%+v", m)
	}
}
