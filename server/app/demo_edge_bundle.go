package app

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/ceremony"
)

// demoPackage is one that the sample fleet has: what was there first, and what the
// two bundles bring, empty where a bundle leaves it alone.
type demoPackage struct {
	name, source string
	versions     [3]string
	kb           int
	fixes        [3][]string
}

var demoPackages = []demoPackage{
	{"libssl3", "openssl", [3]string{"3.0.14-1~deb12u1", "3.0.15-1~deb12u1", "3.0.16-1~deb12u1"}, 620, [3][]string{1: {"CVE-2026-4119 medium"}, 2: {"CVE-2026-5535 high", "CVE-2026-9143 low"}}},
	{"openssl", "openssl", [3]string{"3.0.14-1~deb12u1", "3.0.15-1~deb12u1", "3.0.16-1~deb12u1"}, 430, [3][]string{}},
	{"curl", "curl", [3]string{"7.88.1-10+deb12u6", "7.88.1-10+deb12u8", "7.88.1-10+deb12u12"}, 240, [3][]string{1: {"CVE-2026-7264 medium"}, 2: {"CVE-2026-8096 medium"}}},
	{"libcurl4", "curl", [3]string{"7.88.1-10+deb12u6", "7.88.1-10+deb12u8", "7.88.1-10+deb12u12"}, 310, [3][]string{}},
	{"openssh-server", "openssh", [3]string{"1:9.2p1-2+deb12u2", "1:9.2p1-2+deb12u3", "1:9.2p1-2+deb12u5"}, 350, [3][]string{1: {"CVE-2026-6387 critical"}, 2: {"CVE-2026-2646 medium"}}},
	{"tzdata", "tzdata", [3]string{"2026a-0+deb12u1", "", "2026b-0+deb12u1"}, 180, [3][]string{}},
	{"perl-base", "perl", [3]string{"5.36.0-7+deb12u1", "", "5.36.0-7+deb12u2"}, 900, [3][]string{2: {"CVE-2026-5640 high"}}},
	{"libexpat1", "expat", [3]string{"2.5.0-1", "2.5.0-1+deb12u1", ""}, 90, [3][]string{1: {"CVE-2026-4549 high"}}},
	{"nginx", "nginx", [3]string{"1.22.1-9", "", "1.22.1-9+deb12u1"}, 520, [3][]string{2: {"CVE-2026-3419 medium"}}},
	{"systemd", "systemd", [3]string{"252.30-1~deb12u2", "", ""}, 0, [3][]string{}},
	{"bash", "bash", [3]string{"5.2.15-2+b7", "", ""}, 0, [3][]string{}},
}

// demoVariants are the systems that the bundles are for; the sample fleet has one more.
var demoVariants = []protocol.Machine{
	{OSID: "debian", VersionID: "12", Codename: "bookworm", Arch: "amd64", PackageSystem: bundle.APT, Kernel: "6.1.0-32-amd64"},
	{OSID: "debian", VersionID: "12", Codename: "bookworm", Arch: "arm64", PackageSystem: bundle.APT, Kernel: "6.1.0-32-arm64"},
	{OSID: "debian", VersionID: "11", Codename: "bullseye", Arch: "amd64", PackageSystem: bundle.APT, Kernel: "5.10.0-34-amd64"},
}

// at is a package's version once stage bundles were installed.
func (p demoPackage) at(stage int) string {
	for p.versions[stage] == "" {
		stage--
	}
	return p.versions[stage]
}

// demoInventory is what a node has once stage bundles were installed.
func demoInventory(m protocol.Machine, stage int) protocol.Inventory {
	out := protocol.Inventory{Held: []string{}, Kernel: m.Kernel, OSRelease: map[string]string{"ID": m.OSID, "VERSION_ID": m.VersionID, "VERSION_CODENAME": m.Codename}}
	for _, p := range demoPackages {
		out.Packages = append(out.Packages, protocol.Package{Name: p.name, Version: p.at(stage), Arch: m.Arch, Source: p.source})
	}
	slices.SortFunc(out.Packages, func(a, b protocol.Package) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return out
}

// demoBlobs makes contents that do not compress, the same each time, and keeps them by hash.
type demoBlobs map[string][]byte

func (b demoBlobs) add(seed string, size int) (sha string, length int64) {
	sum := sha256.Sum256([]byte(seed))
	raw := make([]byte, size)
	mathrand.NewChaCha8(sum).Read(raw) // never fails
	return b.keep(raw)
}

func (b demoBlobs) keep(raw []byte) (sha string, length int64) {
	sum := sha256.Sum256(raw)
	sha = hex.EncodeToString(sum[:])
	b[sha] = raw
	return sha, int64(len(raw))
}

func (b demoBlobs) open(sha string) (io.ReadCloser, error) {
	raw, there := b[sha]
	if !there {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(raw)), nil
}

// demoBundle is the one that brings the fleet to a stage. Its packages are no
// software: only simulated nodes take it.
func demoBundle(id string, stage int, created time.Time) (bundle.Content, int64) {
	blobs := demoBlobs{}
	created = created.UTC().Truncate(time.Second)
	m := &bundle.Manifest{Schema: bundle.Schema, BundleID: id, Version: int64(40 + stage), Channel: "stable", Created: created, Expires: created.AddDate(0, 3, 0),
		Requires: bundle.Requires{Reboot: bundle.RebootIfNeeded, DiskBytes: 64 << 20, RestartUnits: []string{"nginx.service", "ssh.service"}},
		Provenance: bundle.Provenance{Builder: "signalbox " + Version, Commit: hash40("policy of the sample fleet"), Policy: "security only",
			Sources: []bundle.Source{{URI: "https://deb.debian.org/debian-security bookworm-security", SHA256: hash64("index")}}}}
	total := int64(0)
	for _, machine := range demoVariants {
		v := bundle.Variant{OSID: machine.OSID, VersionID: machine.VersionID, Codename: machine.Codename, Arch: machine.Arch, PackageSystem: bundle.APT}
		index := ""
		for _, p := range demoPackages {
			if p.versions[stage] == "" {
				continue
			}
			seed := machine.Variant() + p.name + p.versions[stage]
			out := bundle.Package{Name: p.name, Version: p.versions[stage], Arch: machine.Arch, Source: p.source, FromVersions: []string{p.at(stage - 1)}, InstalledSize: int64(p.kb) << 12}
			out.SHA256, out.Size = blobs.add(seed, p.kb<<10)
			out.NormSHA256, out.NormSize = hash64(seed), out.Size*3
			delta := bundle.Delta{BaseSHA256: hash64(machine.Variant() + p.name + p.at(stage-1)), Algo: bundle.ZstdDict}
			delta.SHA256, delta.Size = blobs.add("delta "+seed, p.kb<<10*(20+len(p.name)*3)/100)
			out.Deltas = []bundle.Delta{delta}
			v.Packages = append(v.Packages, out)
			index += fmt.Sprintf("Package: %s\nVersion: %s\nFilename: %s\n\n", out.Name, out.Version, out.Path(bundle.APT))
			if machine.Arch == "amd64" && machine.VersionID == "12" {
				total += delta.Size
			}
			for _, fix := range p.fixes[stage] {
				var f bundle.Fix
				fmt.Sscanf(fix, "%s %s", &f.CVE, &f.Severity) // written above
				f.Source, f.FixedVersion = p.source, p.versions[stage]
				if !slices.Contains(m.Fixes, f) {
					m.Fixes = append(m.Fixes, f)
				}
			}
		}
		sha, size := blobs.keep([]byte(index))
		v.Repo.Files = []bundle.RepoFile{{Path: "Packages", SHA256: sha, Size: size}}
		m.Variants = append(m.Variants, v)
	}
	sbom := demoSBOM(m)
	m.SBOMSHA256 = hash64(string(sbom))
	return bundle.Content{Manifest: m, SBOM: sbom, Blob: blobs.open}, total
}

func demoSBOM(m *bundle.Manifest) []byte {
	var parts []map[string]string
	for _, v := range m.Variants {
		for _, p := range v.Packages {
			parts = append(parts, map[string]string{"type": "library", "name": p.Name, "version": p.Version, "purl": "pkg:deb/debian/" + p.Name + "@" + url.QueryEscape(p.Version) + "?arch=" + p.Arch})
		}
	}
	raw, _ := json.Marshal(map[string]any{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": parts}) // strings: cannot fail
	return raw
}

func hash64(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// demoSigner is the people with the offline keys. In the demo those of the root forget
// theirs afterwards; whoever releases has a key file, as on an unplugged machine.
type demoSigner struct {
	folder  *ceremony.Folder
	release ceremony.Key
}

// demoPassphrase opens the key file of the demo, which guards nothing.
const demoPassphrase = "demo"

func demoKeyFile(folder string) string { return filepath.Join(folder, "release-key-of-the-demo") }

func (s *demoSigner) keep(folder string) error {
	raw, err := s.release.Seal(demoPassphrase, rand.Reader)
	if err != nil {
		return err
	}
	return os.WriteFile(demoKeyFile(folder), raw, 0o600)
}

// signerOf is whoever released in an earlier part of the demo.
func signerOf(folder string) (*demoSigner, error) {
	raw, err := os.ReadFile(demoKeyFile(folder))
	if err != nil {
		return nil, err
	}
	s := &demoSigner{}
	if s.release, err = ceremony.OpenKey(raw, demoPassphrase); err != nil {
		return nil, err
	}
	s.folder, err = ceremony.Open(filepath.Join(folder, "trust-of-the-demo"))
	return s, err
}

// found holds the ceremony: two of three make the root, one signs bundles.
func (e *edgeDemo) found(ctx context.Context) (*demoSigner, error) {
	var portal struct {
		PublicKey string `json:"public_key"`
	}
	if err := e.call(ctx, "POST", "/api/v1/edge/trust/keys", map[string]any{"team": demoTeam}, &portal); err != nil {
		return nil, err
	}
	timestamp, err := ceremony.ParsePublic(portal.PublicKey)
	if err != nil {
		return nil, err
	}
	var keys [4]ceremony.Key
	for i := range keys {
		if keys[i], err = ceremony.NewKey(rand.Reader); err != nil {
			return nil, err
		}
	}
	s := &demoSigner{release: keys[3]}
	if err := s.keep(e.folder); err != nil {
		return nil, err
	}
	if s.folder, err = ceremony.Open(filepath.Join(e.folder, "trust-of-the-demo")); err != nil {
		return nil, err
	}
	founding := ceremony.Founding{Root: []ed25519.PublicKey{keys[0].Public(), keys[1].Public(), keys[2].Public()}, RootThreshold: 2, Release: []ed25519.PublicKey{keys[3].Public()}, ReleaseThreshold: 1,
		Timestamp: []ed25519.PublicKey{timestamp}, Expires: e.now().AddDate(1, 0, 0)}
	if err := s.folder.Found(founding); err != nil {
		return nil, err
	}
	for _, key := range keys[:2] {
		if _, err := s.folder.SignDraft(key); err != nil {
			return nil, err
		}
	}
	return s, e.call(ctx, "PUT", "/api/v1/edge/trust", map[string]any{"team": demoTeam, "roots": s.folder.Set().Roots}, nil)
}

// release signs a bundle and publishes it; the result is what a node fetches of it.
func (e *edgeDemo) release(ctx context.Context, s *demoSigner, id string, stage int) (int64, error) {
	content, fetched := demoBundle(id, stage, e.now())
	var unsigned, signed bytes.Buffer
	if err := bundle.Write(&unsigned, content); err != nil {
		return 0, err
	}
	f, err := bundle.NewFile(bytes.NewReader(unsigned.Bytes()), int64(unsigned.Len()))
	if err != nil {
		return 0, err
	}
	set, _, err := s.folder.Sign(ctx, ceremony.Release{Keys: []ceremony.Key{s.release}, File: f, Now: e.now(), Expires: e.now().AddDate(0, 6, 0)})
	if err != nil {
		return 0, errors.Join(err, f.Close())
	}
	content.Set = set
	if err := errors.Join(bundle.Write(&signed, content), f.Close()); err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.app.URL()+"/api/v1/edge/bundles?team="+demoTeam, &signed)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+e.token)
	req.Header.Set("Content-Type", "application/octet-stream")
	return fetched, send(req, nil)
}
