package resource

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// layerOf makes a layer; a content that begins with "=" is a hard link, with "->" a symbolic one.
func layerOf(t testing.TB, files map[string]string) v1.Layer {
	t.Helper()
	var data bytes.Buffer
	out := tar.NewWriter(&data)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Name: name, Mode: 0o755, Typeflag: tar.TypeReg, Size: int64(len(files[name]))}
		body := files[name]
		if target, ok := strings.CutPrefix(body, "="); ok {
			*h, body = tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: target}, ""
		} else if target, ok := strings.CutPrefix(body, "->"); ok {
			*h, body = tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: target}, ""
		}
		if err := out.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(out, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func imageOf(t testing.TB, layers ...map[string]string) v1.Image {
	t.Helper()
	img := v1.Image(empty.Image)
	var err error
	for _, files := range layers {
		if img, err = mutate.AppendLayers(img, layerOf(t, files)); err != nil {
			t.Fatal(err)
		}
	}
	if img, err = mutate.Config(img, v1.Config{Env: []string{"PATH=/bin"}, User: "app", Entrypoint: []string{"/run"}, Labels: map[string]string{"a": "b"}}); err != nil {
		t.Fatal(err)
	}
	return img
}

func digestOf(t testing.TB, img interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// registryBench is a registry with a password on loopback.
type registryBench struct {
	t    *testing.T
	host string
	// lie changes the bytes of blobs as they are sent.
	lie   atomic.Bool
	dials atomic.Int64
	typ   Type
	dir   string
}

func newRegistryBench(t *testing.T) *registryBench {
	t.Helper()
	b := &registryBench{t: t, dir: t.TempDir()}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ann" || password != "pw" {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]}`)
			return
		}
		if b.lie.Load() && r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			w = lyingWriter{w}
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	b.host = strings.TrimPrefix(server.URL, "http://")
	b.typ, _ = NewNatives(Options{LocalRepositories: []string{b.dir}, TempDir: t.TempDir(),
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			b.dials.Add(1)
			return new(net.Dialer).DialContext(ctx, network, addr)
		}}).Native("registry-image")
	return b
}

// lyingWriter turns the last byte of what is sent around: of a layer that is the
// trailer of gzip, so that unpacking alone would not always notice.
type lyingWriter struct{ http.ResponseWriter }

func (w lyingWriter) Write(p []byte) (int, error) {
	p = bytes.Clone(p)
	p[len(p)-1] ^= 0xff
	return w.ResponseWriter.Write(p)
}

func (b *registryBench) source(more ...any) map[string]any {
	s := map[string]any{"repository": b.host + "/app", "username": "ann", "password": "pw"}
	for i := 0; i < len(more); i += 2 {
		s[more[i].(string)] = more[i+1]
	}
	return s
}

func (b *registryBench) push(tag string, what remote.Taggable) {
	b.t.Helper()
	s := registrySource{repository: b.host + "/app", username: "ann", password: "pw"}
	opts, done, err := registryType{}.client(b.t.Context(), s)
	if err != nil {
		b.t.Fatal(err)
	}
	defer done()
	repository, err := name.NewRepository(s.repository)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := remote.Push(repository.Tag(tag), what, opts...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *registryBench) check(source map[string]any, known Version) string {
	b.t.Helper()
	req := newRequest(newShelf(), source, nil)
	req.Version = known
	got, err := b.typ.Check(b.t.Context(), req.Request)
	if err != nil {
		return err.Error()
	}
	return versions(got)
}

func TestRegistryCheck(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	one, two := imageOf(t, map[string]string{"x": "1"}), imageOf(t, map[string]string{"x": "2"})
	d1, d2 := digestOf(t, one), digestOf(t, two)
	b.push("latest", one)
	if got := b.check(b.source(), nil); got != "digest="+d1+",tag=latest" {
		t.Errorf("without a tag: %s", got)
	}
	b.push("dev", two)
	if got := b.check(b.source("tag", "dev"), Version{"tag": "dev", "digest": d1}); got != "digest="+d1+",tag=dev digest="+d2+",tag=dev" {
		t.Errorf("moved: %s", got)
	}
	if got := b.check(b.source("tag", "dev"), Version{"digest": d2}); got != "digest="+d2 {
		t.Errorf("unmoved: %s", got)
	}
	if got := b.check(b.source("repository", b.host+"/app:dev"), nil); got != "digest="+d2+",tag=dev" {
		t.Errorf("tag in the name: %s", got)
	}
	for _, tag := range []string{"1.2.0", "1.10.0", "1.9.0", "1.11.0-rc.1", "1.2.0-alpine", "1.3.0-alpine", "nonsense"} {
		b.push(tag, one)
	}
	for _, c := range []struct {
		source map[string]any
		known  string
		want   string
	}{
		{b.source(), "", "1.10.0"},
		{b.source(), "1.2.0", "1.2.0 1.9.0 1.10.0"},
		{b.source("pre_releases", true), "", "1.11.0-rc.1"},
		{b.source("variant", "alpine"), "1.2.0-alpine", "1.2.0-alpine 1.3.0-alpine"},
	} {
		var known Version
		if c.known != "" {
			known = Version{"tag": c.known, "digest": d1}
		}
		got := strings.ReplaceAll(b.check(c.source, known), "digest="+d1+",tag=", "")
		if got != c.want {
			t.Errorf("%v: %s, want %s", c.source, got, c.want)
		}
	}
	if b.dials.Load() == 0 {
		t.Error("connections do not go through the hook")
	}
}

func TestRegistryWords(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	for _, c := range []struct {
		source map[string]any
		words  string
	}{
		{b.source("password", "wrong", "tag", "x"), "401 Unauthorized"},
		{b.source("tag", "none"), "404 Not Found"},
		{b.source("repository", "127.0.0.1:1/x", "tag", "a"), "connection refused"},
		{b.source("repository", "UPPER/case"), "source.repository \"UPPER/case\" is not the name of a repository"},
		{b.source("repository", "a/b@sha256:00"), "source.repository has a digest"},
		{b.source("repository", nil), "source.repository is missing"},
		{b.source("ca_certs", []any{"junk"}), "source.ca_certs holds something"},
		{b.source("layout", "/etc"), "source.layout: the folder /etc is not below one"},
		{b.source("content_trust", map[string]any{}), "source.content_trust is not supported"},
	} {
		if got := b.check(c.source, nil); !strings.Contains(got, c.words) {
			t.Errorf("%v: %s", c.source, got)
		}
	}
}

func TestRegistryGet(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	img := imageOf(t,
		map[string]string{"etc/old": "old", "etc/kept": "kept", "bin/sh": "->/bin/busybox"},
		map[string]string{"etc/.wh.old": "", "etc/new": "new", "etc/same": "=etc/new"})
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: imageOf(t, map[string]string{"wrong": ""}), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "s390x"}}},
		mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: goruntime.GOARCH}}})
	b.push("many", index)
	s := newShelf()
	req := newRequest(s, b.source("tag", "many"), nil)
	req.Version = Version{"tag": "many", "digest": digestOf(t, index)}
	got, err := b.typ.Get(t.Context(), req.Request)
	if err != nil || got.Version["digest"] != req.Version["digest"] || len(got.Metadata) != 3 {
		t.Fatalf("%v %v", got, err)
	}
	files := exported(t, s, req.Dest)
	for name, want := range map[string]string{
		"repository": b.host + "/app", "tag": "many", "digest": req.Version["digest"], "labels.json": `{"a":"b"}`,
		"metadata.json":   `{"env":["PATH=/bin"],"user":"app","cmd":[],"entrypoint":["/run"]}`,
		"rootfs/etc/kept": "kept", "rootfs/etc/new": "new", "rootfs/etc/same": "-> rootfs/etc/new", "rootfs/bin/sh": "-> /bin/busybox",
	} {
		if files[name] != want {
			t.Errorf("%s is %q, want %q", name, files[name], want)
		}
	}
	if _, ok := files["rootfs/etc/old"]; ok {
		t.Error("a removed file is there")
	}
	req.Params = map[string]any{"skip_download": true}
	if _, err := b.typ.Get(t.Context(), req.Request); err != nil || len(exported(t, s, req.Dest)) != 3 {
		t.Errorf("skip_download: %v", err)
	}
}

func TestALyingRegistryIsRefused(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	img := imageOf(t, map[string]string{"x": strings.Repeat("content ", 100)})
	b.push("latest", img)
	b.lie.Store(true)
	for _, params := range []map[string]any{nil, {"format": "oci"}} {
		s := newShelf()
		req := newRequest(s, b.source(), params)
		req.Version = Version{"tag": "latest", "digest": digestOf(t, img)}
		if _, err := b.typ.Get(t.Context(), req.Request); err == nil || !strings.Contains(req.log.String(), "sha256") {
			t.Errorf("%v: %v, log %s", params, err, req.log)
		}
		if len(s.volumes) != 0 {
			t.Error("a volume was made")
		}
	}
}

func TestRegistryPutAndTarball(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	img := imageOf(t, map[string]string{"x": "1"})
	b.push("latest", img)
	s := newShelf()
	get := newRequest(s, b.source(), map[string]any{"format": "oci"})
	get.Version = Version{"tag": "latest", "digest": digestOf(t, img)}
	if _, err := b.typ.Get(t.Context(), get.Request); err != nil {
		t.Fatal(err)
	}
	put := newRequest(s, b.source("repository", b.host+"/copy"), map[string]any{"image": "img/image.tar", "version": "1.2.3", "bump_aliases": true, "additional_tags": "img/tag"})
	put.Inputs = []Input{{Name: "img", Volume: get.Dest}}
	got, err := b.typ.Put(t.Context(), put.Request)
	if err != nil || got.Version["tag"] != "1.2.3" {
		t.Fatalf("%v %v %s", got, err, put.log)
	}
	for _, tag := range []string{"1.2.3", "1.2", "1", "latest"} {
		if at := b.check(b.source("repository", b.host+"/copy", "tag", tag), nil); at != "digest="+got.Version["digest"]+",tag="+tag {
			t.Errorf("%s is %s", tag, at)
		}
	}
	for _, c := range []struct {
		params map[string]any
		words  string
	}{
		{nil, "params.image is missing"},
		{map[string]any{"image": "img/image.tar"}, "there is no tag to push"},
		{map[string]any{"image": "img/image.tar", "version": "one"}, "is not a version"},
		{map[string]any{"image": "img/digest", "version": "1.0.0"}, "is not an image archive"},
		{map[string]any{"image": "none/x", "version": "1.0.0"}, `there is no input "none"`},
	} {
		put.Params = c.params
		if _, err := b.typ.Put(t.Context(), put.Request); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v: %v", c.params, err)
		}
	}
}

func TestLayoutOnDisk(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	img := imageOf(t, map[string]string{"x": "1"})
	dir := filepath.Join(b.dir, "layout")
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := path.AppendImage(img, layout.WithAnnotations(map[string]string{refAnnotation: "v1"})); err != nil {
		t.Fatal(err)
	}
	source := map[string]any{"layout": dir, "tag": "v1"}
	digest := digestOf(t, img)
	if got := b.check(source, nil); got != "digest="+digest+",tag=v1" {
		t.Errorf("%s", got)
	}
	if got := b.check(map[string]any{"layout": dir}, nil); got != "digest="+digest+",tag=latest" {
		t.Errorf("the only image: %s", got)
	}
	if got := b.check(map[string]any{"layout": dir, "tag": "v2"}, nil); !strings.Contains(got, `has no image "v2", only ["v1"]`) {
		t.Errorf("%s", got)
	}
	s := newShelf()
	req := newRequest(s, source, nil)
	req.Version = Version{"digest": digest}
	if _, err := b.typ.Get(t.Context(), req.Request); err != nil || exported(t, s, req.Dest)["rootfs/x"] != "1" {
		t.Errorf("%v %v", exported(t, s, req.Dest), err)
	}
	// A layer that was changed on disk is refused.
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	hash, err := layers[0].Digest()
	if err != nil {
		t.Fatal(err)
	}
	if err := path.RemoveBlob(hash); err != nil {
		t.Fatal(err)
	}
	other, err := layerOf(t, map[string]string{"x": "2"}).Compressed()
	if err != nil {
		t.Fatal(err)
	}
	writeBlob(t, filepath.Join(dir, "blobs", "sha256", hash.Hex), other)
	if _, err := b.typ.Get(t.Context(), req.Request); err == nil || !strings.Contains(err.Error(), "does not match its digest") {
		t.Errorf("%v", err)
	}
}

// TestRegistryFillsARealVolume pulls an image into a real worker's volume.
func TestRegistryFillsARealVolume(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	img := imageOf(t, map[string]string{"bin/tool": "x", "bin/tool2": "=bin/tool"})
	b.push("latest", img)
	w := realWorker(t)
	req := newRequest(w, b.source(), nil)
	req.Version = Version{"digest": digestOf(t, img)}
	if err := w.CreateVolume(t.Context(), req.Dest); err != nil {
		t.Fatal(err)
	}
	if _, err := b.typ.Get(t.Context(), req.Request); err != nil {
		t.Fatalf("%v %s", err, req.log)
	}
	if files := exported(t, w, req.Dest); files["rootfs/bin/tool"] != "x" || files["rootfs/bin/tool2"] == "" {
		t.Errorf("%v", files)
	}
	b.lie.Store(true)
	req.Dest = "00000000000000000000000000abcdef"
	if _, err := b.typ.Get(t.Context(), req.Request); err == nil {
		t.Error("a lie was believed")
	}
	if volumes, err := w.Volumes(t.Context()); err != nil || len(volumes) != 1 {
		t.Errorf("%v %v", volumes, err)
	}
}
