package app_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"
)

// fakeRegistry holds one image, and may be slow or lie about what it holds.
type fakeRegistry struct {
	host     string
	manifest []byte
	blobs    map[string][]byte

	mu   sync.Mutex
	mood string // "", "silent" or "lying"
	over chan struct{}
}

func digest(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

func newFakeRegistry(t testing.TB) *fakeRegistry {
	t.Helper()
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	if err := w.WriteHeader(&tar.Header{Name: "greeting", Mode: 0o644, Size: 2, Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("hi")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	config := fmt.Appendf(nil, `{"architecture":%q,"os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[%q]}}`, goruntime.GOARCH, digest(layer.Bytes()))
	const kind = "application/vnd.oci.image."
	r := &fakeRegistry{blobs: map[string][]byte{digest(config): config, digest(layer.Bytes()): layer.Bytes()}, over: make(chan struct{})}
	r.manifest = fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"%smanifest.v1+json","config":{"mediaType":"%sconfig.v1+json","size":%d,"digest":%q},
		"layers":[{"mediaType":"%slayer.v1.tar","size":%d,"digest":%q}]}`, kind, kind, len(config), digest(config), kind, layer.Len(), digest(layer.Bytes()))
	s := httptest.NewServer(r)
	r.host = strings.TrimPrefix(s.URL, "http://")
	t.Cleanup(func() { close(r.over); s.CloseClientConnections(); s.Close() })
	return r
}

func (r *fakeRegistry) be(mood string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mood = mood
}

func (r *fakeRegistry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	mood := r.mood
	r.mu.Unlock()
	_, blob, isBlob := strings.Cut(req.URL.Path, "/blobs/")
	data := r.manifest
	if isBlob {
		data = r.blobs[blob]
	}
	switch {
	case req.URL.Path == "/v2/":
		return
	case data == nil || !isBlob && !strings.Contains(req.URL.Path, "/manifests/"):
		http.NotFound(w, req)
		return
	case isBlob && mood == "silent":
		select {
		case <-req.Context().Done():
		case <-r.over:
		}
		return
	case isBlob && mood == "lying":
		data = bytes.Repeat([]byte("x"), len(data))
	}
	if !isBlob {
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		w.Header().Set("Docker-Content-Digest", digest(r.manifest))
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	if req.Method != http.MethodHead {
		_, _ = w.Write(data) // who asked may have gone
	}
}

// TestBadRegistry: an image whose bytes are not those of its digest is refused, one that
// never comes is given up at the step's timeout, and neither is taken for fetched when
// the registry has come to its senses.
func TestBadRegistry(t *testing.T) {
	t.Parallel()
	r := start(t)
	registry := newFakeRegistry(t)
	id := r.pipeline(t, "main", "p", "resources:\n- {name: image, type: registry-image, check_every: never, source: {repository: '"+registry.host+"/app', insecure: true}}\n"+
		"jobs:\n- name: j\n  plan: [{get: image, timeout: 3s}]\n")
	var check build
	resource := r.resourceID(t, id, "image")
	r.call(t, "POST", fmt.Sprintf("/api/v1/ci/resources/%d/check", resource), nil, &check)
	if ended := r.finish(t, check.ID); ended.Status != "succeeded" {
		t.Fatalf("the check: %+v\n%s", ended, r.log(t, check.ID))
	}
	r.awaitVersion(t, resource)
	for _, c := range []struct{ mood, status, says string }{
		{"lying", "failed", "sha256"},
		{"silent", "failed", "timeout exceeded"},
		{"", "succeeded", ""},
	} {
		registry.be(c.mood)
		ended := r.finish(t, r.trigger(t, "main", "p", "j").ID)
		_, raw := r.send(t, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", ended.ID), nil)
		if text := raw + r.log(t, ended.ID); ended.Status != c.status || !strings.Contains(text, c.says) {
			t.Errorf("%q: %s, and no %q in %s", c.mood, ended.Status, c.says, text)
		}
	}
}
