package edge

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/ceremony"
)

// signers are the people of a key ceremony, with their trust folder.
type signers struct {
	dir           string
	roots         []ceremony.Key
	release, next ceremony.Key
	expires       time.Time
	version       int64
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// ceremony founds a trust whose timestamp key is the portal's.
func (w *world) ceremony(t testing.TB) *signers {
	t.Helper()
	var portal portalKeyOut
	w.want(t, "ada", "POST", "/api/v1/edge/trust/keys", `{"team":"main"}`, 201, &portal)
	timestamp := must[ed25519.PublicKey](t)(ceremony.ParsePublic(portal.PublicKey))
	p := &signers{dir: filepath.Join(t.TempDir(), "trust"), expires: noon.AddDate(1, 0, 0)}
	for i := range 5 {
		seed := sha256.Sum256([]byte{byte(i)})
		key := must[ceremony.Key](t)(ceremony.NewKey(bytes.NewReader(bytes.Repeat(seed[:], 4))))
		switch {
		case i < 3:
			p.roots = append(p.roots, key)
		case i == 3:
			p.release = key
		default:
			p.next = key
		}
	}
	f := must[*ceremony.Folder](t)(ceremony.Open(p.dir))
	err := f.Found(ceremony.Founding{Root: []ed25519.PublicKey{p.roots[0].Public(), p.roots[1].Public(), p.roots[2].Public()}, RootThreshold: 2,
		Release: []ed25519.PublicKey{p.release.Public()}, ReleaseThreshold: 1, Timestamp: []ed25519.PublicKey{timestamp}, Expires: p.expires})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range p.roots[:2] {
		must[ceremony.Progress](t)(f.SignDraft(key))
	}
	return p
}

func (p *signers) set(t testing.TB) bundle.Set {
	return must[*ceremony.Folder](t)(ceremony.Open(p.dir)).Set()
}

// offer brings the folder's metadata to the portal.
func (w *world) offer(t testing.TB, who string, set bundle.Set, status int) string {
	t.Helper()
	body := map[string]any{"team": "main", "roots": set.Roots}
	if len(set.Targets) > 0 {
		body["targets"], body["snapshot"] = set.Targets, set.Snapshot
	}
	raw := must[[]byte](t)(json.Marshal(body))
	return w.want(t, who, "PUT", "/api/v1/edge/trust", string(raw), status, nil)
}

// patch is a small bundle for bookworm that brings openssl 3.0.15-1.
type patch struct {
	manifest *bundle.Manifest
	blobs    map[string][]byte
	sbom     []byte
}

func newPatch(id string, version int64) *patch {
	p := &patch{blobs: map[string][]byte{}, sbom: []byte(`{"bomFormat":"CycloneDX"}`)}
	put := func(text string) (string, int64) {
		raw := []byte(text)
		p.blobs[hashOf(raw)] = raw
		return hashOf(raw), int64(len(raw))
	}
	deb, debSize := put("deb " + id + strings.Repeat("x", 100_000))
	old, oldSize := put("old deb")
	norm, normSize := hashOf([]byte("norm "+id)), int64(200_000)
	delta, deltaSize := put("delta " + id)
	index, indexSize := put("Package: libssl3 of " + id)
	release, releaseSize := put("Suite: local of " + id)
	p.manifest = &bundle.Manifest{Schema: bundle.Schema, BundleID: id, Version: version, Channel: "stable", Created: noon, Expires: noon.AddDate(0, 1, 0), SBOMSHA256: hashOf(p.sbom),
		Variants: []bundle.Variant{{OSID: "debian", VersionID: "12", Codename: "bookworm", Arch: "amd64", PackageSystem: bundle.APT,
			Packages: []bundle.Package{{Name: "libssl3", Source: "openssl", Version: "3.0.15-1~deb12u1", Arch: "amd64", SHA256: deb, Size: debSize, NormSHA256: norm, NormSize: normSize,
				Deltas: []bundle.Delta{{BaseSHA256: hashOf([]byte("base")), SHA256: delta, Size: deltaSize, Algo: bundle.ZstdDict}}}},
			Rollback: []bundle.Package{{Name: "libssl3", Source: "openssl", Version: "3.0.14-1~deb12u1", Arch: "amd64", SHA256: old, Size: oldSize}},
			Repo:     bundle.Repo{Files: []bundle.RepoFile{{Path: "Packages", SHA256: index, Size: indexSize}, {Path: "Release", SHA256: release, Size: releaseSize}}}}},
		Fixes:    []bundle.Fix{{CVE: "CVE-2026-1111", Source: "openssl", FixedVersion: "3.0.15-1~deb12u1", Severity: "high"}, {CVE: "CVE-2026-2222", Source: "curl", FixedVersion: "8"}},
		Requires: bundle.Requires{Reboot: bundle.RebootNever}, Provenance: bundle.Provenance{Builder: "test"}}
	return p
}

// file writes the bundle with a set of metadata, empty for an unsigned one.
func (p *patch) file(t testing.TB, set bundle.Set) []byte {
	t.Helper()
	var out bytes.Buffer
	err := bundle.Write(&out, bundle.Content{Manifest: p.manifest, SBOM: p.sbom, Set: set, Blob: func(sha string) (io.ReadCloser, error) {
		raw, there := p.blobs[sha]
		if !there {
			return nil, fs.ErrNotExist
		}
		return io.NopCloser(bytes.NewReader(raw)), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sign gives the signed bundle.
func (p *signers) sign(t testing.TB, b *patch) []byte {
	t.Helper()
	raw := b.file(t, bundle.Set{})
	f := must[*bundle.File](t)(bundle.NewFile(bytes.NewReader(raw), int64(len(raw))))
	folder := must[*ceremony.Folder](t)(ceremony.Open(p.dir))
	set, progress, err := folder.Sign(t.Context(), ceremony.Release{Keys: []ceremony.Key{p.release}, File: f, Now: noon, Expires: noon.AddDate(0, 6, 0)})
	if err != nil || !progress.Done {
		t.Fatal(progress, err)
	}
	return b.file(t, set)
}

func (w *world) publishFileOf(t testing.TB, who string, raw []byte, status int) (b Bundle, answer string) {
	t.Helper()
	answer = w.want(t, who, "POST", "/api/v1/edge/bundles?team=main", string(raw), status, nil)
	if status == 201 {
		if err := json.Unmarshal([]byte(answer), &b); err != nil {
			t.Fatal(err)
		}
	}
	return b, answer
}

func TestFromCeremonyToNode(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.node(t, "edge-1")
	p := w.ceremony(t)
	b := newPatch("b-1", 1)
	signed := p.sign(t, b)
	if _, answer := w.publishFileOf(t, "ada", signed, 409); !strings.Contains(answer, "no root yet") {
		t.Error(answer)
	}
	rootOnly := bundle.Set{Roots: p.set(t).Roots}
	w.offer(t, "mia", rootOnly, 403) // the first is an owner's matter
	if answer := w.offer(t, "ada", bundle.Set{Roots: foreignRoot(t)}, 409); !strings.Contains(answer, "does not name this server's timestamp key") {
		t.Error(answer)
	}
	w.offer(t, "ada", rootOnly, 200)
	published, _ := w.publishFileOf(t, "mia", signed, 201)
	if published.ID != "b-1" || published.Version != 1 || published.PublishedBy != "mia" || published.Variants[0].Name != "debian/12/amd64" || published.Variants[0].Best != int64(len("delta b-1")) ||
		published.DeltaSize != int64(len("delta b-1")) || len(published.Signers) != 1 || published.Signers[0].KeyID != p.release.ID() || published.Fixes != 2 {
		t.Errorf("%+v", published)
	}
	w.publishFileOf(t, "mia", signed, 201) // again
	var status BundleStatus
	w.want(t, "vic", "GET", "/api/v1/edge/bundles/b-1?team=main", "", 200, &status)
	if !status.Vouched || status.Expired || !bytes.Contains(status.Manifest, []byte(`"libssl3"`)) {
		t.Errorf("%+v", status)
	}

	// The node enrols anew (it asks again) and gets the root; then everything, by the real client's rules.
	answer, code := a.enrol(t, "")
	if code != 403 {
		t.Error(code) // the token is asked for even then
	}
	answer, code = a.enrol(t, w.token(t, ""))
	if code != 201 || len(answer.Root) != 1 {
		t.Fatal(code, answer)
	}
	trust := must[*bundle.Trust](t)(bundle.InitTrust(filepath.Join(t.TempDir(), "t"), [][]byte{answer.Root[0]}))
	view, err := trust.Update(t.Context(), a.fetch(t), w.clock.now())
	if err != nil {
		t.Fatal(err)
	}
	manifest := a.do("GET", protocol.ManifestPath("b-1"), nil)
	m, err := view.Manifest("b-1", manifest.Body.Bytes())
	if err != nil || hashOf(must[[]byte](t)(m.Encode())) != published.ManifestSHA256 {
		t.Fatal(err)
	}
	for sha := range m.Blobs() {
		if out := a.do("GET", protocol.BlobPath(sha), nil); out.Code != 200 || hashOf(out.Body.Bytes()) != sha {
			t.Errorf("blob %s: %d", sha, out.Code)
		}
	}
	// An order is believed by that root.
	e, err := w.Seal(t.Context(), 1, protocol.Assignment{Node: a.id, Bundle: "b-1"})
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]ed25519.PublicKey{}
	for _, r := range view.Roles() {
		if r.Name == "timestamp" {
			for _, k := range r.Keys {
				keys[k.ID] = k.Public
			}
		}
	}
	if order, err := e.Open(keys); err != nil || order.Node != a.id {
		t.Error(order, err)
	}
	// The timestamp is renewed before it expires.
	before := view.Timestamp
	w.clock.advance(4 * 24 * time.Hour)
	if err := w.restamp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if view, err = trust.Update(t.Context(), a.fetch(t), w.clock.now()); err != nil || view.Timestamp.Version != before.Version+1 || !view.Timestamp.Expires.After(before.Expires) {
		t.Errorf("%+v, %v", view, err)
	}
	// What was exported is a bundle that a node believes without a network.
	code, exported := w.call("vic", "GET", "/api/v1/edge/bundles/b-1/file?team=main", "")
	if code != 200 {
		t.Fatal(code, exported)
	}
	path := filepath.Join(t.TempDir(), "x.epb")
	if err := os.WriteFile(path, []byte(exported), 0o600); err != nil {
		t.Fatal(err)
	}
	f := must[*bundle.File](t)(bundle.Open(path))
	defer f.Close()
	other := must[*bundle.Trust](t)(bundle.InitTrust(filepath.Join(t.TempDir(), "t"), [][]byte{answer.Root[0]}))
	if _, _, err := other.VerifyFile(t.Context(), f, bundle.Node{ID: a.id, OSID: "debian", VersionID: "12", Codename: "bookworm", Arch: "amd64", PackageSystem: "apt"}, w.clock.now()); err != nil {
		t.Error(err)
	}
	if code, sbom := w.call("vic", "GET", "/api/v1/edge/bundles/b-1/sbom?team=main", ""); code != 200 || sbom != string(b.sbom) {
		t.Error(code, sbom)
	}
}

// foreignRoot is a root that knows nothing of this portal.
func foreignRoot(t testing.TB) [][]byte {
	t.Helper()
	var keys [3]ceremony.Key
	for i := range keys {
		keys[i] = must[ceremony.Key](t)(ceremony.NewKey(bytes.NewReader(bytes.Repeat([]byte{byte(100 + i)}, 200))))
	}
	f := must[*ceremony.Folder](t)(ceremony.Open(filepath.Join(t.TempDir(), "f")))
	if err := f.Found(ceremony.Founding{Root: []ed25519.PublicKey{keys[0].Public()}, RootThreshold: 1, Release: []ed25519.PublicKey{keys[1].Public()}, ReleaseThreshold: 1,
		Timestamp: []ed25519.PublicKey{keys[2].Public()}, Expires: noon.AddDate(1, 0, 0)}); err != nil {
		t.Fatal(err)
	}
	must[ceremony.Progress](t)(f.SignDraft(keys[0]))
	return f.Set().Roots
}

// fetch is the agent's way to metadata.
func (a *agent) fetch(t testing.TB) bundle.Fetcher {
	return func(_ context.Context, name string, limit int64) ([]byte, error) {
		out := a.do("GET", protocol.PathMetadata+name, nil)
		switch {
		case out.Code == 404:
			return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		case out.Code != 200:
			t.Errorf("%s: %d %s", name, out.Code, out.Body)
		}
		return io.ReadAll(io.LimitReader(out.Body, limit+1))
	}
}

func TestWhatIsNotPublished(t *testing.T) {
	t.Parallel()
	w := setup(t, func(d *Deps) { d.MaxBundle = 1 << 20 })
	p := w.ceremony(t)
	w.offer(t, "ada", bundle.Set{Roots: p.set(t).Roots}, 200)
	first, second, third := newPatch("b-1", 5), newPatch("b-2", 4), newPatch("b-3", 6)
	behind := p.sign(t, second)
	good := p.sign(t, first)
	foreign := &signers{dir: filepath.Join(t.TempDir(), "f"), release: p.next}
	{
		f := must[*ceremony.Folder](t)(ceremony.Open(foreign.dir))
		if err := f.Found(ceremony.Founding{Root: []ed25519.PublicKey{p.roots[0].Public()}, RootThreshold: 1, Release: []ed25519.PublicKey{p.next.Public()}, ReleaseThreshold: 1,
			Timestamp: []ed25519.PublicKey{p.roots[1].Public()}, Expires: noon.AddDate(1, 0, 0)}); err != nil {
			t.Fatal(err)
		}
		must[ceremony.Progress](t)(f.SignDraft(p.roots[0]))
	}
	flipped := bytes.Clone(good)
	flipped[bytes.Index(flipped, []byte("xxxxxxxx"))] = 'y'
	otherManifest := newPatch("b-1", 5)
	otherManifest.manifest.Channel = "stabla"
	stolen := otherManifest.file(t, p.set(t))
	expired := newPatch("b-4", 7)
	expired.manifest.Created, expired.manifest.Expires = noon.AddDate(0, -2, 0), noon.AddDate(0, 0, 1)
	expiredFile := p.sign(t, expired)
	for _, c := range []struct {
		name   string
		raw    []byte
		status int
		want   string
	}{
		{"nothing", nil, 400, "Something is missing"},
		{"no tar", []byte("hello"), 400, "Something is missing"},
		{"no bundle", make([]byte, 2048), 400, "This is no bundle"},
		{"not signed", first.file(t, bundle.Set{}), 400, "is not signed"},
		{"signed by foreign keys", foreign.sign(t, third), 400, "The signatures do not hold"},
		{"a byte is other", flipped, 400, "Content and signatures do not fit"},
		{"another manifest under the same signatures", stolen, 400, "do not fit"},
		{"half of it", good[:len(good)/2/512*512], 400, "Something is missing"},
		{"too large", append(bytes.Clone(good), make([]byte, 1<<20)...), 413, "larger than 1 MB"},
	} {
		if _, answer := w.publishFileOf(t, "ada", c.raw, c.status); !strings.Contains(answer, c.want) {
			t.Errorf("%s: %s", c.name, answer)
		}
	}
	if list := must[[]Bundle](t)(w.Bundles(as(t.Context(), "ada"), 1)); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	w.publishFileOf(t, "ada", good, 201)
	if _, answer := w.publishFileOf(t, "ada", behind, 409); !strings.Contains(answer, "Versions only grow") {
		t.Error(answer)
	}
	w.clock.advance(25 * time.Hour)
	if _, answer := w.publishFileOf(t, "ada", expiredFile, 400); !strings.Contains(answer, "Too old or expired") {
		t.Error(answer)
	}
	w.publishFileOf(t, "vic", good, 403)
	w.want(t, "eve", "POST", "/api/v1/edge/bundles?team=main", string(good), 404, nil)
	left, err := os.ReadDir(w.Dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestAKeyIsRotatedAndABundleWithdrawn(t *testing.T) {
	t.Parallel()
	w := setup(t)
	p := w.ceremony(t)
	w.offer(t, "ada", bundle.Set{Roots: p.set(t).Roots}, 200)
	w.publishFileOf(t, "ada", p.sign(t, newPatch("b-1", 1)), 201)
	byOldKey := p.sign(t, newPatch("b-2", 2))
	if _, err := w.Assignable(t.Context(), 1, "b-1"); err != nil {
		t.Error(err)
	}
	// The release key is stolen: a new root names another one.
	f := must[*ceremony.Folder](t)(ceremony.Open(p.dir))
	if err := f.Draft(p.expires, ceremony.Change{Role: ceremony.RoleRelease, Add: p.next.Public()}, ceremony.Change{Role: ceremony.RoleRelease, Remove: p.release.ID()}); err != nil {
		t.Fatal(err)
	}
	for _, key := range p.roots[1:] {
		must[ceremony.Progress](t)(f.SignDraft(key))
	}
	w.offer(t, "mia", bundle.Set{Roots: p.set(t).Roots}, 200)
	if _, answer := w.publishFileOf(t, "ada", byOldKey, 400); !strings.Contains(answer, "The signatures do not hold") {
		t.Error(answer)
	}
	if _, err := w.Assignable(t.Context(), 1, "b-1"); err == nil {
		t.Error("a bundle of the revoked key is assigned")
	}
	p.release = p.next
	if _, answer := w.publishFileOf(t, "ada", p.sign(t, newPatch("b-3", 3)), 201); answer == "" {
		t.Error()
	}
	var trust trustOut
	w.want(t, "vic", "GET", "/api/v1/edge/trust?team=main", "", 200, &trust)
	roots, signed := 0, 0
	for _, d := range trust.Documents {
		if d.Role == "root" {
			roots++
		}
	}
	for _, r := range trust.Roles {
		for _, k := range r.Keys {
			if k.Signed {
				signed++
			}
			if k.Portal != (r.Role == "timestamp") {
				t.Errorf("%s %+v", r.Role, k)
			}
		}
	}
	if roots != 2 || signed != 1 || len(trust.PortalKeys) != 1 || !trust.PortalKeys[0].Active || len(trust.Documents) != 5 {
		t.Errorf("%+v", trust)
	}
	w.want(t, "mia", "DELETE", "/api/v1/edge/bundles/b-1?team=main", "", 403, nil)
	w.want(t, "ada", "DELETE", "/api/v1/edge/bundles/b-1?team=main", "", 204, nil)
	w.want(t, "ada", "GET", "/api/v1/edge/bundles/b-1?team=main", "", 404, nil)
	// A foreign first root does not replace ours.
	forged := &signers{dir: filepath.Join(t.TempDir(), "f")}
	g := must[*ceremony.Folder](t)(ceremony.Open(forged.dir))
	if err := g.Found(ceremony.Founding{Root: []ed25519.PublicKey{p.next.Public()}, RootThreshold: 1, Release: []ed25519.PublicKey{p.next.Public()}, ReleaseThreshold: 1,
		Timestamp: []ed25519.PublicKey{p.roots[1].Public()}, Expires: noon.AddDate(1, 0, 0)}); err != nil {
		t.Fatal(err)
	}
	must[ceremony.Progress](t)(g.SignDraft(p.next))
	w.offer(t, "ada", bundle.Set{Roots: forged.set(t).Roots}, 200) // older than ours: it changes nothing
	w.want(t, "vic", "GET", "/api/v1/edge/trust?team=main", "", 200, &trust)
	if len(trust.Documents) != 5 {
		t.Errorf("%+v", trust.Documents)
	}
	w.want(t, "ada", "PUT", "/api/v1/edge/trust", `{"team":"main","roots":["`+base64.StdEncoding.EncodeToString([]byte("{}"))+`"]}`, 400, nil)
	w.want(t, "ada", "PUT", "/api/v1/edge/trust", `{"team":"main"}`, 400, nil)
}

func TestPartsOfABlob(t *testing.T) {
	t.Parallel()
	w := setup(t)
	p := w.ceremony(t)
	w.offer(t, "ada", bundle.Set{Roots: p.set(t).Roots}, 200)
	b := newPatch("b-1", 1)
	w.publishFileOf(t, "ada", p.sign(t, b), 201)
	a := w.node(t, "edge-1")
	sha := b.manifest.Variants[0].Packages[0].SHA256
	whole := string(b.blobs[sha])
	get := func(header ...string) *httptest.ResponseRecorder {
		return a.do("GET", protocol.BlobPath(sha), nil, header...)
	}
	for _, c := range []struct {
		header []string
		status int
		body   string
		part   string
	}{
		{nil, 200, whole, ""},
		{[]string{"Range", "bytes=0-0"}, 206, whole[:1], "bytes 0-0/%d"},
		{[]string{"Range", "bytes=10-"}, 206, whole[10:], ""},
		{[]string{"Range", "bytes=-5"}, 206, whole[len(whole)-5:], ""},
		{[]string{"Range", "bytes=10-99999999"}, 206, whole[10:], ""},
		{[]string{"Range", "bytes=10-", "If-Range", `"` + sha + `"`}, 206, whole[10:], ""},
		{[]string{"Range", "bytes=10-", "If-Range", `"old"`}, 200, whole, ""},
		{[]string{"Range", "bytes=5-2"}, 200, whole, ""},
		{[]string{"Range", "lines=5-9"}, 200, whole, ""},
		{[]string{"Range", "bytes=1-2,5-6"}, 200, whole, ""},
		{[]string{"Range", "bytes=99999999-"}, 416, "", "bytes */%d"},
	} {
		out := get(c.header...)
		if out.Code != c.status || out.Body.String() != c.body || out.Code < 300 && out.Header().Get("ETag") != `"`+sha+`"` {
			t.Errorf("%v: %d, %d bytes", c.header, out.Code, out.Body.Len())
		}
		if c.part != "" && out.Header().Get("Content-Range") != fmt.Sprintf(c.part, len(whole)) {
			t.Errorf("%v: %s", c.header, out.Header().Get("Content-Range"))
		}
	}
	// What is no bundle's is not for nodes, and a node of another team gets nothing.
	ref, err := w.Blobs.Put(t.Context(), 1, strings.NewReader("a build's artifact"), 100)
	if err != nil || w.Blobs.Own(t.Context(), 1, ref.SHA256, "ci_artifact", "1") != nil {
		t.Fatal(err)
	}
	for _, sha := range []string{ref.SHA256, "zz", strings.Repeat("0", 64)} {
		if out := a.do("GET", protocol.BlobPath(url.PathEscape(sha)), nil); out.Code != 404 {
			t.Errorf("%s: %d", sha, out.Code)
		}
	}
	var made Token
	w.want(t, "eve", "POST", "/api/v1/edge/tokens", `{"team":"other","name":"x","accepts":true}`, 201, &made)
	foreign := w.agent("foreign")
	if _, status := foreign.enrol(t, made.Secret); status != 201 {
		t.Fatal(status)
	}
	for _, path := range []string{protocol.BlobPath(sha), protocol.ManifestPath("b-1"), protocol.PathMetadata + "1.root.json"} {
		if out := foreign.do("GET", path, nil); out.Code != 404 {
			t.Errorf("%s: %d", path, out.Code)
		}
	}
}
