package app_test

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// busybox is this machine's, which an image can consist of.
func busybox(t testing.TB) []byte {
	t.Helper()
	path, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal("this test needs the package busybox-static: ", err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	program, err := elf.NewFile(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range program.Progs {
		if p.Type == elf.PT_INTERP {
			t.Fatal("busybox wants libraries: this test needs the package busybox-static")
		}
	}
	return raw
}

// loopbackRegistry holds images, each busybox with some scripts.
func loopbackRegistry(t testing.TB, images map[string]map[string]string) (host string) {
	t.Helper()
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(s.Close)
	host = strings.TrimPrefix(s.URL, "http://")
	box := busybox(t)
	for image, files := range images {
		var data bytes.Buffer
		out := tar.NewWriter(&data)
		add := func(h tar.Header, body []byte) {
			h.Size = int64(len(body))
			if err := out.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
			if _, err := out.Write(body); err != nil {
				t.Fatal(err)
			}
		}
		add(tar.Header{Name: "bin/busybox", Mode: 0o755, Typeflag: tar.TypeReg}, box)
		for _, tool := range []string{"sh", "cat", "sed", "mkdir", "cp", "echo", "chmod", "ln", "sleep", "test", "grep"} {
			add(tar.Header{Name: "bin/" + tool, Typeflag: tar.TypeSymlink, Linkname: "busybox"}, nil)
		}
		add(tar.Header{Name: "tmp/", Mode: 0o1777, Typeflag: tar.TypeDir}, nil)
		for path, body := range files {
			add(tar.Header{Name: path, Mode: 0o755, Typeflag: tar.TypeReg}, []byte("#!/bin/sh\nset -e\n"+body))
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data.Bytes())), nil })
		if err != nil {
			t.Fatal(err)
		}
		img, err := mutate.AppendLayers(empty.Image, layer)
		if err != nil {
			t.Fatal(err)
		}
		ref, err := name.ParseReference(host+"/"+image, name.Insecure)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(ref, img); err != nil {
			t.Fatal(err)
		}
	}
	return host
}

// greeterScripts are a resource type as the public ones are: JSON on stdin, JSON on
// stdout, words on stderr.
const (
	greeterCheck = `word=$(sed -n 's/.*"word":"\([^"]*\)".*/\1/p'); echo "looking for $word" >&2; echo "[{\"greeting\":\"$word\"}]"`
	greeterIn    = `request=$(cat); echo "fetching" >&2
echo "$request" > $1/request
echo "$request" | sed -n 's/.*"greeting":"\([^"]*\)".*/\1/p' > $1/greeting
echo "{\"version\":{\"greeting\":\"$(cat $1/greeting)\"},\"metadata\":[{\"name\":\"said\",\"value\":\"to $(echo "$request" | sed -n 's/.*"who":"\([^"]*\)".*/\1/p')\"}]}"`
	greeterOut = `file=$(sed -n 's/.*"file":"\([^"]*\)".*/\1/p'); cat $1/$file >&2; echo "{\"version\":{\"greeting\":\"put-$(cat $1/$file)\"}}"`
)

// packerScripts are a type whose resources are images: it packs the programs it has itself
// with the scripts that its source names.
var packerScripts = map[string]string{
	"opt/resource/check": `grep -q '"flavour":"greeter"' && echo '[{"packed":"1"}]'`,
	"opt/resource/in": `echo "packing" >&2; cat > $1/request; mkdir -p $1/rootfs/bin $1/rootfs/tmp $1/rootfs/opt/resource
cp -a /bin/. $1/rootfs/bin/; cp -a /greeter/. $1/rootfs/opt/resource/
grep -q '"squeeze":"yes"' $1/request
echo '{"env":["PATH=/bin"],"user":"root"}' > $1/metadata.json; echo '{"version":{"packed":"1"}}'`,
	"greeter/check": greeterCheck, "greeter/in": greeterIn, "greeter/out": greeterOut,
}

const chainPipeline = `
resource_types:
- {name: packer, type: registry-image, source: {repository: HOST/packer, insecure: true}}
- {name: greeter, type: packer, source: {flavour: greeter}, params: {squeeze: "yes"}, defaults: {word: hello, who: nobody}}
resources:
- {name: greeting, type: greeter, check_every: never, source: {who: world}}
jobs:
- name: j
  plan:
  - {get: greeting, params: {loud: "yes"}}
  - task: look
    config: {platform: linux, inputs: [{name: greeting}], run: {path: cat, args: [greeting/request, greeting/greeting]}}
  - {put: greeting, params: {file: greeting/greeting}, get_params: {after: put}}
`

// TestChainOfResourceTypes: a type that is an image from a registry fetches the image of
// another type, whose scripts then check, get and put.
func TestChainOfResourceTypes(t *testing.T) {
	t.Parallel()
	r := start(t)
	host := loopbackRegistry(t, map[string]map[string]string{"packer": packerScripts})
	id := r.pipeline(t, "main", "p", strings.ReplaceAll(chainPipeline, "HOST", host))
	var check build
	resource := r.resourceID(t, id, "greeting")
	r.call(t, "POST", fmt.Sprintf("/api/v1/ci/resources/%d/check", resource), nil, &check)
	ended := r.finish(t, check.ID)
	if said := r.log(t, check.ID); ended.Status != "succeeded" || !strings.Contains(said, "looking for hello") {
		t.Fatalf("the check: %+v\n%s", ended, said)
	}
	r.awaitVersion(t, resource)
	b := r.finish(t, r.trigger(t, "main", "p", "j").ID)
	said := r.log(t, b.ID)
	if b.Status != "succeeded" {
		t.Fatalf("%+v\n%s", b, said)
	}
	for _, part := range []string{`"who":"world"`, `"word":"hello"`, `"loud":"yes"`, `"version":{"greeting":"hello"}`, "\nhello"} {
		if !strings.Contains(said, part) {
			t.Errorf("no %s in %s", part, said)
		}
	}
	var versions struct {
		Items []struct {
			Version  map[string]string
			Metadata []struct{ Name, Value string }
		}
	}
	r.call(t, "GET", fmt.Sprintf("/api/v1/ci/resources/%d/versions", resource), nil, &versions)
	if len(versions.Items) != 2 || versions.Items[0].Version["greeting"] != "put-hello" || versions.Items[1].Version["greeting"] != "hello" ||
		len(versions.Items[1].Metadata) != 1 || versions.Items[1].Metadata[0].Value != "to world" {
		t.Errorf("%+v", versions)
	}
}

// TestKilledWhileGettingWithAnImage: the server is killed while a type that is an image
// fetches. The script runs on; the next server takes what it says, and nothing runs twice.
func TestKilledWhileGettingWithAnImage(t *testing.T) {
	t.Parallel()
	p := launch(t)
	host := loopbackRegistry(t, map[string]map[string]string{"slow": {
		"opt/resource/check": `cat >/dev/null; echo '[{"n":"1"}]'`,
		"opt/resource/in": `cat >/dev/null; echo begun >&2; echo begun > $1/begun
n=0; while test ! -e $1/go -a $n -lt 200; do n=$((n+1)); sleep 0.1; done
echo ended >&2; echo '{"version":{"n":"1"}}'`,
	}})
	id := p.pipeline(t, "main", "p", "resource_types: [{name: slow, type: registry-image, source: {repository: "+host+"/slow, insecure: true}}]\n"+
		"resources: [{name: thing, type: slow, check_every: never, source: {}}]\n"+
		"jobs:\n- name: j\n  plan:\n  - {get: thing}\n  - {task: look, config: {platform: linux, inputs: [{name: thing}], run: {path: sh, args: [-c, ls thing]}}}\n")
	resource := p.resourceID(t, id, "thing")
	var check build
	p.call(t, "POST", fmt.Sprintf("/api/v1/ci/resources/%d/check", resource), nil, &check)
	p.finish(t, check.ID)
	p.awaitVersion(t, resource)
	b := p.trigger(t, "main", "p", "j")
	got := p.awaitContainer(t, "get", "thing")
	var found []string
	eventually(t, "the script to have begun", func() bool {
		found, _ = filepath.Glob(filepath.Join(p.dir, "data", "ci", "volumes", "*", "begun"))
		return len(found) == 1 && strings.Contains(p.log(t, b.ID), "begun")
	})
	p.end(syscall.SIGKILL)
	p.start()
	if again := p.awaitContainer(t, "get", "thing"); again.Handle != got.Handle {
		t.Errorf("the get ran in %s and runs in %s", got.Handle, again.Handle)
	}
	// Without this right, as a user whose containers have other ids, the script ends by itself.
	_ = os.WriteFile(filepath.Join(filepath.Dir(found[0]), "go"), nil, 0o644)
	ended := p.finish(t, b.ID)
	if said := p.log(t, b.ID); ended.Status != "succeeded" || strings.Count(said, "begun") != 2 || strings.Count(said, "ended") != 1 {
		t.Errorf("%+v\n%s", ended, said) // "begun" by the script and by ls
	}
}
