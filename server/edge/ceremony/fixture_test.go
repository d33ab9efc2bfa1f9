package ceremony

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
)

var (
	today   = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	inAYear = today.AddDate(1, 0, 0)
	node    = bundle.Node{ID: "n1", OSID: "debian", VersionID: "12", Arch: "amd64", PackageSystem: bundle.APT}
)

// keyOf is the same key for the same name.
func keyOf(name string) Key {
	seed := sha256.Sum256([]byte(name))
	return Key{ed25519.NewKeyFromSeed(seed[:])}
}

func publics(names ...string) (keys []ed25519.PublicKey) {
	for _, name := range names {
		keys = append(keys, keyOf(name).Public())
	}
	return keys
}

func folder(t testing.TB) *Folder {
	t.Helper()
	f, err := Open(filepath.Join(t.TempDir(), "trust"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func founding() Founding {
	return Founding{Root: publics("r1", "r2", "r3"), Release: publics("a"), Timestamp: publics("t"), RootThreshold: 2, ReleaseThreshold: 1, Expires: inAYear}
}

// founded is a trust folder whose root two people have signed.
func founded(t testing.TB, change func(*Founding)) *Folder {
	t.Helper()
	f, with := folder(t), founding()
	if change != nil {
		change(&with)
	}
	if err := f.Found(with); err != nil {
		t.Fatal(err)
	}
	agree(t, f, "r1", "r2")
	return f
}

// agree lets root people sign the draft; the last one's signature must be enough, the others' not.
func agree(t testing.TB, f *Folder, names ...string) {
	t.Helper()
	for i, name := range names {
		p, err := f.SignDraft(keyOf(name))
		if err != nil {
			t.Fatal(err)
		}
		if p.Done != (i == len(names)-1) {
			t.Fatalf("after %s: %+v", name, p)
		}
	}
}

// copyOf is another person's folder with the same content.
func copyOf(t testing.TB, f *Folder) *Folder {
	t.Helper()
	other := folder(t)
	if err := bundle.WriteSet(other.dir, f.set); err != nil {
		t.Fatal(err)
	}
	again, err := Open(other.dir)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// packed is an unsigned bundle and what it is made of.
type packed struct {
	manifest bundle.Manifest
	sbom     []byte
	blobs    map[string][]byte
}

func pack(version int64) *packed {
	p := &packed{sbom: []byte("{}"), blobs: map[string][]byte{}}
	data := fmt.Appendf(nil, "package of version %d", version)
	p.blobs[hashOf(data)] = data
	p.manifest = bundle.Manifest{Schema: bundle.Schema, BundleID: fmt.Sprintf("build-%d", version), Version: version, Channel: "stable",
		Created: today.AddDate(0, 0, -1), Expires: today.AddDate(0, 2, 0), SBOMSHA256: hashOf(p.sbom),
		Requires: bundle.Requires{Reboot: bundle.RebootNever}, Provenance: bundle.Provenance{Builder: "test"},
		Variants: []bundle.Variant{{OSID: "debian", VersionID: "12", Arch: "amd64", PackageSystem: bundle.APT,
			Packages: []bundle.Package{{Name: "tiny", Version: fmt.Sprintf("1.%d", version), Arch: "amd64", SHA256: hashOf(data), Size: int64(len(data))}}}}}
	return p
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func (p *packed) bytes(t testing.TB, set bundle.Set) []byte {
	t.Helper()
	var out bytes.Buffer
	err := bundle.Write(&out, bundle.Content{Manifest: &p.manifest, SBOM: p.sbom, Set: set, Blob: func(sha string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(p.blobs[sha])), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (p *packed) file(t testing.TB, set bundle.Set) *bundle.File {
	t.Helper()
	data := p.bytes(t, set)
	f, err := bundle.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func request(file *bundle.File, names ...string) Release {
	r := Release{File: file, Now: today, Expires: inAYear}
	for _, name := range names {
		r.Keys = append(r.Keys, keyOf(name))
	}
	return r
}

// sign signs and wants it to be enough.
func sign(t testing.TB, f *Folder, p *packed, names ...string) bundle.Set {
	t.Helper()
	set, progress, err := f.Sign(t.Context(), request(p.file(t, bundle.Set{}), names...))
	if err != nil || !progress.Done {
		t.Fatalf("%+v: %v", progress, err)
	}
	return set
}

// apply is what a node says of a carried bundle: the exit code.
func apply(t testing.TB, trust *bundle.Trust, file *bundle.File, now time.Time) int {
	t.Helper()
	_, _, err := trust.VerifyFile(t.Context(), file, node, now)
	return bundle.ExitCode(err)
}

func pinned(t testing.TB, f *Folder) *bundle.Trust {
	t.Helper()
	trust, err := bundle.InitTrust(filepath.Join(t.TempDir(), "trust"), f.set.Roots)
	if err != nil {
		t.Fatal(err)
	}
	return trust
}
