package bundle

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

var (
	today   = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	inAYear = today.AddDate(1, 0, 0)
	day     = 24 * time.Hour
)

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// keyFor makes the same key for the same letter: r1, r2, r3 are root keys, a and b release keys, t the portal's.
func keyFor(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func publicOf(t testing.TB, name string) *metadata.Key {
	t.Helper()
	key, err := metadata.KeyFromPublicKey(keyFor(name).Public())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// finished signs a document with the library, so that reading is tested against foreign hands.
func finished[T metadata.Roles](t testing.TB, m *metadata.Metadata[T], keys ...string) []byte {
	t.Helper()
	for _, name := range keys {
		signer, err := signature.LoadED25519Signer(keyFor(name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Sign(signer); err != nil {
			t.Fatal(err)
		}
	}
	data, err := m.ToBytes(false)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// chain describes a root: who may sign what.
type chain struct {
	version                       int64
	roots, release, timestamp     []string
	rootThreshold, releaseMinimum int
	expires                       time.Time
	signers                       []string
}

func firstRoot() chain {
	return chain{version: 1, roots: []string{"r1", "r2", "r3"}, release: []string{"a"}, timestamp: []string{"t"},
		rootThreshold: 2, releaseMinimum: 1, expires: inAYear, signers: []string{"r1", "r2"}}
}

func (c chain) bytes(t testing.TB) []byte {
	t.Helper()
	m := metadata.Root(c.expires)
	m.Signed.Version, m.Signed.ConsistentSnapshot = c.version, false
	for role, names := range map[string][]string{metadata.ROOT: c.roots, metadata.TARGETS: c.release, metadata.SNAPSHOT: c.release, metadata.TIMESTAMP: c.timestamp} {
		for _, name := range names {
			if err := m.Signed.AddKey(publicOf(t, name), role); err != nil {
				t.Fatal(err)
			}
		}
	}
	m.Signed.Roles[metadata.ROOT].Threshold = c.rootThreshold
	m.Signed.Roles[metadata.TARGETS].Threshold = c.releaseMinimum
	m.Signed.Roles[metadata.SNAPSHOT].Threshold = c.releaseMinimum
	return finished(t, m, c.signers...)
}

// release describes one edition of the metadata below the root.
type release struct {
	version         int64 // of targets, snapshot and timestamp alike
	bundles         []*packed
	targetsKeys     []string
	snapshotKeys    []string
	timestampKeys   []string
	expires         time.Time
	timestampExpiry time.Time
}

func firstRelease(bundles ...*packed) release {
	return release{version: 1, bundles: bundles, targetsKeys: []string{"a"}, snapshotKeys: []string{"a"}, timestampKeys: []string{"t"},
		expires: inAYear, timestampExpiry: today.Add(7 * day)}
}

func (r release) at(version int64) release { r.version = version; return r }

func (r release) signedBy(keys ...string) release {
	r.targetsKeys, r.snapshotKeys = keys, keys
	return r
}

func (r release) set(t testing.TB, roots ...[]byte) Set {
	t.Helper()
	targets := metadata.Targets(r.expires)
	targets.Signed.Version = r.version
	for _, p := range r.bundles {
		target, err := metadata.TargetFile().FromBytes("", p.manifestBytes(t))
		if err != nil {
			t.Fatal(err)
		}
		custom, err := json.Marshal(TargetInfo{Version: p.manifest.Version, Channel: p.manifest.Channel, Variants: []string{"debian/12/amd64"}})
		if err != nil {
			t.Fatal(err)
		}
		target.Custom = (*json.RawMessage)(&custom)
		targets.Signed.Targets[TargetPath(p.manifest.BundleID)] = target
	}
	set := Set{Roots: roots, Targets: finished(t, targets, r.targetsKeys...)}
	snapshot := metadata.Snapshot(r.expires)
	snapshot.Signed.Version = r.version
	snapshot.Signed.Meta[nameTargets] = &metadata.MetaFiles{Version: r.version}
	set.Snapshot = finished(t, snapshot, r.snapshotKeys...)
	if len(r.timestampKeys) > 0 {
		timestamp := metadata.Timestamp(r.timestampExpiry)
		timestamp.Signed.Version = r.version
		sum := sha256.Sum256(set.Snapshot)
		timestamp.Signed.Meta[nameSnapshot] = &metadata.MetaFiles{Version: r.version, Length: int64(len(set.Snapshot)), Hashes: metadata.Hashes{"sha256": sum[:]}}
		set.Timestamp = finished(t, timestamp, r.timestampKeys...)
	}
	return set
}

// packed is a bundle's content in memory.
type packed struct {
	manifest Manifest
	sbom     []byte
	blobs    map[string][]byte
}

// pack makes a bundle with two packages and an index; different versions have different bytes.
func pack(version int64) *packed {
	p := &packed{sbom: []byte(`{"bomFormat":"CycloneDX","specVersion":"1.6"}`), blobs: map[string][]byte{}}
	blob := func(text string) (string, int64) {
		data := []byte(text)
		p.blobs[hashOf(data)] = data
		return hashOf(data), int64(len(data))
	}
	v := Variant{OSID: "debian", VersionID: "12", Codename: "bookworm", Arch: "amd64", PackageSystem: APT}
	for _, name := range []string{"libssl3", "tzdata"} {
		sha, size := blob(name + " package " + time.Unix(version, 0).UTC().String())
		v.Packages = append(v.Packages, Package{Name: name, Version: "3.0." + string(rune('0'+version%10)), Arch: "amd64", SHA256: sha, Size: size})
	}
	delta, size := blob("a delta that saves bytes")
	v.Packages[0].NormSHA256, v.Packages[0].NormSize = hashOf([]byte("normalised")), 10
	v.Packages[0].Deltas = []Delta{{BaseSHA256: hashOf([]byte("old")), SHA256: delta, Size: size, Algo: ZstdDict}}
	sha, size := blob("Package: libssl3\n")
	v.Repo.Files = []RepoFile{{Path: "Packages", SHA256: sha, Size: size}}
	p.manifest = Manifest{Schema: Schema, BundleID: "build-" + string(rune('0'+version%10)), Version: version, Channel: "stable",
		Created: today.Add(-day), Expires: today.Add(60 * day), Variants: []Variant{v}, SBOMSHA256: hashOf(p.sbom),
		Requires: Requires{Reboot: RebootNever}, Provenance: Provenance{Builder: "test"}}
	return p
}

func (p *packed) manifestBytes(t testing.TB) []byte {
	t.Helper()
	data, err := p.manifest.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (p *packed) blob(sha string) (io.ReadCloser, error) {
	data, ok := p.blobs[sha]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (p *packed) file(t testing.TB, set Set) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, Content{Manifest: &p.manifest, SBOM: p.sbom, Set: set, Blob: p.blob}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (p *packed) without(sha string) *packed {
	c := *p
	c.blobs = maps.Clone(p.blobs)
	delete(c.blobs, sha)
	return &c
}

func opened(t testing.TB, data []byte) *File {
	t.Helper()
	f, err := NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func open(data []byte) (*File, error) { return NewFile(bytes.NewReader(data), int64(len(data))) }

var thisNode = Node{ID: "n1", Name: "till-7", OSID: "debian", VersionID: "12", Codename: "bookworm", Arch: "amd64", PackageSystem: APT, Agent: "1.4.0"}

// rawMember is a tar member in a bundle's form, for files that Write would not make.
func rawMember(t testing.TB, name string, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := (tarWriter{&out}).add(name, int64(len(data)), bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func wantExit(t testing.TB, err error, code int) {
	t.Helper()
	if got := ExitCode(err); got != code {
		t.Errorf("exit code %d, want %d: %v", got, code, err)
	}
}

func blobsOf(f *File) func(string) (io.ReadCloser, error) {
	return func(sha string) (io.ReadCloser, error) {
		if !f.Has(sha) {
			return nil, fs.ErrNotExist
		}
		r, err := f.Blob(sha)
		return io.NopCloser(r), err
	}
}
