package resource

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakePortal has bundles, and takes those that begin with "signed".
func fakePortal(t *testing.T) *fakeService {
	var s *fakeService
	s = newFakeService(t, func(w http.ResponseWriter, r *http.Request) {
		switch body := s.requests()[len(s.requests())-1].body; {
		case r.Header.Get("Authorization") != "Bearer tokentoken" || r.URL.Query().Get("team") != "ops":
			answerJSON(t, w, 403, map[string]string{"detail": "No."})
		case r.Method == "GET" && r.URL.Path == "/api/v1/edge/bundles":
			answerJSON(t, w, 200, map[string]any{"items": []publishedBundle{{"c", 12, "stable"}, {"a", 9, "stable"}, {"x", 10, "beta"}, {"b", 10, "stable"}}})
		case r.Method == "GET" && r.URL.Path == "/api/v1/edge/bundles/b/file":
			say(t, w, "the file b")
		case r.Method == "POST" && strings.HasPrefix(body, "signed "):
			answerJSON(t, w, 201, publishedBundle{strings.TrimPrefix(body, "signed "), 12, "stable"})
		case r.Method == "POST":
			answerJSON(t, w, 422, map[string]string{"detail": "The signatures do not hold."})
		default:
			w.WriteHeader(404)
		}
	})
	return s
}

func portalSource(s *fakeService, more ...string) map[string]any {
	source := map[string]any{"url": s.URL + "/", "team": "ops", "token": "tokentoken"}
	for i := 0; i+1 < len(more); i += 2 {
		source[more[i]] = more[i+1]
	}
	return source
}

func TestPatchBundleCheck(t *testing.T) {
	t.Parallel()
	s := fakePortal(t)
	for _, c := range []struct {
		channel, known, want string
	}{
		{"stable", "", "bundle=c,version=12"},
		{"stable", "10", "bundle=b,version=10 bundle=c,version=12"},
		{"", "10", "bundle=b,version=10 bundle=x,version=10 bundle=c,version=12"},
		{"none", "", ""},
	} {
		req := newRequest(nil, portalSource(s, "channel", c.channel), nil)
		if c.known != "" {
			req.Version = Version{"bundle": "b", "version": c.known}
		}
		got, err := s.native("patch-bundle").Check(t.Context(), req.Request)
		if err != nil || got == nil || versions(got) != c.want {
			t.Errorf("%s from %s: %s %v", c.channel, c.known, versions(got), err)
		}
	}
	req := newRequest(nil, map[string]any{}, nil)
	req.Version = Version{"bundle": "mine"}
	if got, err := s.native("patch-bundle").Check(t.Context(), req.Request); err != nil || versions(got) != "bundle=mine" {
		t.Error("without a portal only puts make versions:", got, err)
	}
	var exit *ExitError
	if _, err := s.native("patch-bundle").Check(t.Context(), newRequest(nil, portalSource(s, "token", "wrongwrong"), nil).Request); !errors.As(err, &exit) || !strings.Contains(exit.Stderr, "403") {
		t.Error(err)
	}
}

func TestPatchBundlePublish(t *testing.T) {
	t.Parallel()
	s := fakePortal(t)
	shelf := newShelf()
	in := inputFiles(t, shelf, "in", map[string]any{"good.epb": "signed b-7", "bad.epb": "unsigned"})
	req := newRequest(shelf, portalSource(s), map[string]any{"bundle": "in/g*.epb"})
	req.Inputs = []Input{in}
	got, err := s.native("patch-bundle").Put(t.Context(), req.Request)
	if err != nil || versions([]Version{got.Version}) != "bundle=b-7,version=12" || !strings.Contains(req.log.String(), "b-7 is published") {
		t.Errorf("%v %v %s", got, err, req.log)
	}
	req = newRequest(shelf, portalSource(s), map[string]any{"bundle": "in/bad.epb"})
	req.Inputs = []Input{in}
	if _, err := s.native("patch-bundle").Put(t.Context(), req.Request); err == nil || !strings.Contains(err.Error(), "The signatures do not hold.") {
		t.Error(err)
	}
}

func TestPatchBundleGet(t *testing.T) {
	t.Parallel()
	s := fakePortal(t)
	shelf := newShelf()
	req := newRequest(shelf, portalSource(s), nil)
	req.Version = Version{"bundle": "b", "version": "10"}
	if _, err := s.native("patch-bundle").Get(t.Context(), req.Request); err != nil {
		t.Fatal(err)
	}
	if files := exported(t, shelf, req.Dest); files["b.epb"] != "the file b" || files["version"] != "10" || files["bundle"] != "b" {
		t.Error(files)
	}
	for _, bad := range []Version{{"bundle": "../x"}, {}, {"bundle": "gone"}, {"bundle": "b", "sha256": "../../etc/passwd"}, {"bundle": "b", "sha256": strings.Repeat("0", 64)}} {
		req.Version = bad
		if _, err := s.native("patch-bundle").Get(t.Context(), req.Request); err == nil {
			t.Errorf("%v was got", bad)
		}
	}
}

// TestPatchBundleBuild puts what edge builds, and gets it.
func TestPatchBundleBuild(t *testing.T) {
	t.Parallel()
	opts := Options{BundleDir: t.TempDir(), BuildBundle: func(_ context.Context, req BundleRequest) (BuiltBundle, error) {
		node, err := os.ReadFile(filepath.Join(req.Dir, "code", "nodes", "n1"))
		if err != nil {
			return BuiltBundle{}, err
		}
		if _, err := os.Lstat(filepath.Join(req.Dir, "code", "nodes", "link")); err == nil {
			t.Error("a link was laid out")
		}
		if info, err := os.Stat(req.Cache); err != nil || !info.IsDir() {
			t.Error("no cache:", err)
		}
		text := fmt.Sprintf("%s of %s: %s", req.Name, req.Description, node)
		return BuiltBundle{Name: req.Name, Version: req.Version, Fields: []Field{{"packages", "3"}}}, os.WriteFile(req.Output, []byte(text), 0o600)
	}}
	typ, _ := NewNatives(opts).Native("patch-bundle")
	shelf := newShelf()
	in := inputFiles(t, shelf, "code", map[string]any{"bundle.yaml": "words", "nodes/n1": "packages"})
	put := func(params map[string]any) (Result, error) {
		req := newRequest(shelf, nil, params)
		req.Inputs, req.Env = []Input{in}, []string{"BUILD_ID=42", "BUILD_PIPELINE_NAME=patches"}
		return typ.Put(t.Context(), req.Request)
	}
	got, err := put(map[string]any{"description": "code/bundle.yaml"})
	if err != nil || got.Version["bundle"] != "patches-42" || got.Version["version"] != "42" || len(got.Metadata) != 1 {
		t.Fatal(got, err)
	}
	req := newRequest(shelf, nil, nil)
	req.Version = got.Version
	if _, err := typ.Get(t.Context(), req.Request); err != nil {
		t.Fatal(err)
	}
	if files := exported(t, shelf, req.Dest); files["patches-42.epb"] != "patches-42 of words: packages" {
		t.Error(files)
	}
	if got, err := put(map[string]any{"description": "code/bundle.yaml", "name": "nightly-$BUILD_ID", "version": "7"}); err != nil || got.Version["bundle"] != "nightly-42" || got.Version["version"] != "7" {
		t.Error(got, err)
	}
	for i := range keptBundles {
		if _, err := put(map[string]any{"description": "code/bundle.yaml", "version": fmt.Sprint(i + 1), "name": fmt.Sprint("n", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if kept, err := os.ReadDir(filepath.Join(opts.BundleDir, "built")); err != nil || len(kept) != keptBundles {
		t.Error("the oldest are to go:", len(kept), err)
	}
	for why, params := range map[string]map[string]any{
		"must be there":            {},
		"and not both":             {"description": "code/bundle.yaml", "bundle": "code/x"},
		"must be a positive":       {"description": "code/bundle.yaml", "version": "x"},
		"params.description":       {"description": "code/none.yaml"},
		"source.url is missing":    {"bundle": "code/x"},
		"params.signed is unknown": {"description": "code/bundle.yaml", "signed": true},
		"nothing":                  {"description": "nothing/bundle.yaml"},
	} {
		if _, err := put(params); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", why, err)
		}
	}
	none, _ := NewNatives(Options{}).Native("patch-bundle")
	req = newRequest(shelf, nil, map[string]any{"description": "code/bundle.yaml"})
	if _, err := none.Put(t.Context(), req.Request); err == nil || !strings.Contains(err.Error(), "builds no bundles") {
		t.Error(err)
	}
}

// TestLayTar keeps to its folder whatever an archive says.
func TestLayTar(t *testing.T) {
	t.Parallel()
	shelf := newShelf()
	var data bytes.Buffer
	out := tar.NewWriter(&data)
	for _, h := range []tar.Header{{Name: "../../up", Size: 1}, {Name: "/abs", Size: 1}, {Name: "a/b", Size: 1}, {Name: "l", Typeflag: tar.TypeSymlink, Linkname: "/etc"}, {Name: "l/passwd", Size: 1}} {
		h.Mode = 0o644
		if err := out.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			say(t, out, "x")
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	shelf.volumes["v"] = data.Bytes()
	s := &scratch{dir: t.TempDir()}
	top := filepath.Join(s.dir, "in")
	if err := s.lay(t.Context(), newRequest(shelf, nil, nil).Request, Input{Name: "x", Volume: "v"}, filepath.Join(top, "x")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x/up", "x/abs", "x/a/b", "x/l/passwd"} {
		if info, err := os.Lstat(filepath.Join(top, name)); err != nil || !info.Mode().IsRegular() {
			t.Error(name, err)
		}
	}
	if list, err := os.ReadDir(s.dir); err != nil || len(list) != 1 {
		t.Error(list, err)
	}
}
