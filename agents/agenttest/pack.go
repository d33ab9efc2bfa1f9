package agenttest

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
)

// Packed is a bundle with its blobs.
type Packed struct {
	Manifest *bundle.Manifest
	SBOM     []byte
	Blobs    map[string][]byte
}

// Content is what goes into a bundle.
type Content struct {
	ID       string
	Version  int64
	Created  time.Time
	Expires  time.Time
	Packages []Deb
	Rollback []Deb
	Allow    bundle.Allow
	Requires bundle.Requires
	// Deltas makes one from every rollback package to the package of its name.
	Deltas bool
	// Edit changes the manifest before it is done.
	Edit func(m *bundle.Manifest)
}

// Pack builds the packages, their index and the manifest.
func Pack(t testing.TB, c Content) *Packed {
	t.Helper()
	p := &Packed{SBOM: []byte(`{"bomFormat":"CycloneDX","specVersion":"1.6"}`), Blobs: map[string][]byte{}}
	v := bundle.Variant{OSID: "debian", VersionID: "12", Codename: "bookworm", Arch: Arch(), PackageSystem: bundle.APT, Allow: c.Allow}
	old := map[string][]byte{}
	for _, d := range c.Rollback {
		entry, norm := p.add(t, d, c.Deltas)
		old[d.Name] = norm
		v.Rollback = append(v.Rollback, entry)
	}
	var index strings.Builder
	for _, d := range c.Packages {
		entry, norm := p.add(t, d, c.Deltas)
		if base := old[d.Name]; c.Deltas && base != nil {
			delta, err := bundle.MakeDelta(base, norm)
			if err != nil {
				t.Fatal(err)
			}
			entry.Deltas = []bundle.Delta{{BaseSHA256: Hash(base), SHA256: p.blob(delta), Size: int64(len(delta)), Algo: bundle.ZstdDict}}
		}
		v.Packages = append(v.Packages, entry)
		sha, size := entry.OnDisk()
		fmt.Fprintf(&index, "%sFilename: %s\nSize: %d\nSHA256: %s\n\n", d.control(), entry.Path(bundle.APT), size, sha)
	}
	packages := []byte(index.String())
	release := fmt.Appendf(nil, "Origin: signalbox\nDate: %s\nSHA256:\n %s %d Packages\n", c.Created.UTC().Format("Mon, 02 Jan 2006 15:04:05 UTC"), Hash(packages), len(packages))
	for path, raw := range map[string][]byte{"Packages": packages, "Release": release} {
		v.Repo.Files = append(v.Repo.Files, bundle.RepoFile{Path: path, SHA256: p.blob(raw), Size: int64(len(raw))})
	}
	if v.Repo.Files[0].Path > v.Repo.Files[1].Path {
		v.Repo.Files[0], v.Repo.Files[1] = v.Repo.Files[1], v.Repo.Files[0]
	}
	if c.Requires.Reboot == "" {
		c.Requires.Reboot = bundle.RebootNever
	}
	if c.Expires.IsZero() {
		c.Expires = c.Created.AddDate(0, 1, 0)
	}
	p.Manifest = &bundle.Manifest{Schema: bundle.Schema, BundleID: c.ID, Version: c.Version, Channel: "stable", Created: c.Created.UTC().Truncate(time.Second),
		Expires: c.Expires.UTC().Truncate(time.Second), Variants: []bundle.Variant{v}, SBOMSHA256: Hash(p.SBOM), Requires: c.Requires, Provenance: bundle.Provenance{Builder: "test"}}
	if c.Edit != nil {
		c.Edit(p.Manifest)
	}
	return p
}

func (p *Packed) blob(raw []byte) string {
	p.Blobs[Hash(raw)] = raw
	return Hash(raw)
}

func (p *Packed) add(t testing.TB, d Deb, normalise bool) (entry bundle.Package, norm []byte) {
	t.Helper()
	raw := d.Build(t)
	entry = bundle.Package{Name: d.Name, Version: d.Version, Arch: d.arch(), SHA256: p.blob(raw), Size: int64(len(raw)), InstalledSize: 4096}
	if !normalise {
		return entry, raw
	}
	f, err := os.CreateTemp(t.TempDir(), "norm")
	if err != nil {
		t.Fatal(err)
	}
	entry.NormSHA256, entry.NormSize, err = bundle.Normalise(t.Context(), bytes.NewReader(raw), f, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	norm, err = os.ReadFile(f.Name())
	if err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	return entry, norm
}

// File writes the bundle as a file.
func (p *Packed) File(t testing.TB, set bundle.Set) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), p.Manifest.BundleID+".epb")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	err = bundle.Write(f, bundle.Content{Manifest: p.Manifest, SBOM: p.SBOM, Set: set, Blob: func(sha string) (io.ReadCloser, error) {
		raw, ok := p.Blobs[sha]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return io.NopCloser(bytes.NewReader(raw)), nil
	}})
	if err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	return path
}

// Spool lays the blobs out as the network half does.
func (p *Packed) Spool(t testing.TB, dir string) {
	t.Helper()
	for sha, raw := range p.Blobs {
		Write(t, dir, sha, string(raw), 0o644)
	}
}
