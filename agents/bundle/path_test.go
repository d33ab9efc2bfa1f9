package bundle

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// foreignTar is a tar as the standard library makes it, with one odd header.
func foreignTar(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range headers {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(w, strings.NewReader(strings.Repeat("x", int(h.Size))), h.Size); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAttackPathTricks(t *testing.T) {
	t.Parallel()
	p := pack(1)
	set := firstRelease(p).set(t, firstRoot().bytes(t))
	whole := p.file(t, set)
	end := len(whole) - 2*block
	pkg := p.manifest.Variants[0].Packages[0]
	blob := rawMember(t, prefixBlobs+pkg.SHA256, p.blobs[pkg.SHA256])
	insert := func(at int, extra []byte) []byte {
		return append(append(bytes.Clone(whole[:at]), extra...), whole[at:]...)
	}
	manifest := rawMember(t, nameManifest, p.manifestBytes(t))
	head := func(name string, kind byte, link string) []byte {
		return foreignTar(t, tar.Header{Typeflag: kind, Name: name, Linkname: link, Mode: 0o644, Format: tar.FormatUSTAR})[:block]
	}
	patched := func(at int, b byte) []byte { data := bytes.Clone(whole); data[at] ^= b; return data }
	for name, data := range map[string][]byte{
		"parent folder":           insert(end, rawMember(t, "blobs/sha256/../../../etc/cron.d/x", []byte("x"))),
		"absolute path":           insert(end, rawMember(t, "/etc/cron.d/x", []byte("x"))),
		"absolute first":          insert(0, rawMember(t, "/etc/passwd", []byte("x"))),
		"unknown member":          insert(end, rawMember(t, "notes.txt", []byte("x"))),
		"unlisted blob":           insert(end, rawMember(t, prefixBlobs+strings.Repeat("f", 64), []byte("x"))),
		"symbolic link":           insert(end, head(prefixBlobs+strings.Repeat("f", 64), tar.TypeSymlink, "/etc/passwd")),
		"hard link":               insert(end, head(prefixBlobs+strings.Repeat("f", 64), tar.TypeLink, "/etc/passwd")),
		"device":                  insert(end, head("blobs/sda", tar.TypeBlock, "")),
		"pipe":                    insert(end, head("blobs/pipe", tar.TypeFifo, "")),
		"folder":                  insert(end, head("blobs/", tar.TypeDir, "")),
		"blob twice":              insert(bytes.Index(whole, blob), blob),
		"manifest twice":          insert(bytes.Index(whole, manifest), manifest),
		"manifest after blobs":    insert(end, manifest),
		"root after the targets":  insert(end, rawMember(t, "root/2.root.json", firstRoot().bytes(t))),
		"root under a wrong name": insert(0, rawMember(t, "root/7.root.json", firstRoot().bytes(t))),
		"long name by PAX":        foreignTar(t, tar.Header{Typeflag: tar.TypeReg, Name: strings.Repeat("a", 200), Mode: 0o644, Format: tar.FormatPAX}),
		"long name by GNU":        foreignTar(t, tar.Header{Typeflag: tar.TypeReg, Name: strings.Repeat("a", 200), Mode: 0o644, Format: tar.FormatGNU}),
		"executable":              foreignTar(t, tar.Header{Typeflag: tar.TypeReg, Name: nameManifest, Mode: 0o4755, Format: tar.FormatUSTAR}),
		"bytes after the end":     append(bytes.Clone(whole), make([]byte, block)...),
		"hidden in the padding":   patched(bytes.Index(whole, blob)+block+int(pkg.Size)+1, 1),
		"hidden in a header":      patched(bytes.Index(whole, blob)+400, 1),
		"hidden in the end mark":  patched(len(whole)-3, 1),
		"no bundle at all":        bytes.Repeat([]byte("not a tar "), 200),
		"an empty tar":            make([]byte, 2*block),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := open(data)
			wantExit(t, err, 2)
		})
	}
}

// TestTarIsTar checks that the files are ordinary tar files to everybody else.
func TestTarIsTar(t *testing.T) {
	t.Parallel()
	p := pack(1)
	data := p.file(t, firstRelease(p).set(t, firstRoot().bytes(t)))
	var names []string
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg || h.Mode != 0o644 || h.Uid+h.Gid != 0 || h.ModTime.Unix() != 0 {
			t.Errorf("%+v", h)
		}
		names = append(names, h.Name)
	}
	path := filepath.Join(t.TempDir(), "b.epb")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	listed, err := exec.Command("tar", "-tf", path).Output()
	if err != nil || strings.TrimSpace(string(listed)) != strings.Join(names, "\n") {
		t.Errorf("tar lists %s (%v), the library %v", listed, err, names)
	}
	if got := strings.Join(names[:6], " "); got != "root/1.root.json targets.json snapshot.json timestamp.json manifest.json sbom.cdx.json" {
		t.Error(got)
	}
	if again := p.file(t, firstRelease(p).set(t, firstRoot().bytes(t))); !bytes.Equal(again, data) {
		t.Error("the same content made other bytes")
	}
}

func TestReading(t *testing.T) {
	t.Parallel()
	p := pack(1)
	path := filepath.Join(t.TempDir(), "b.epb")
	if err := os.WriteFile(path, p.file(t, Set{}), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if f.Signed() || f.Verify(t.Context()) != nil {
		t.Errorf("signed %v, verify %v", f.Signed(), f.Verify(t.Context()))
	}
	if sbom, err := f.SBOM(); err != nil || !bytes.Equal(sbom, p.sbom) {
		t.Errorf("component list %s: %v", sbom, err)
	}
	for sha, want := range p.blobs {
		r, err := f.Blob(sha)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
			t.Errorf("blob %s: %q %v", sha, got, err)
		}
	}
	_, err = f.Blob(strings.Repeat("0", 64))
	wantExit(t, err, 4)
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	_, err = Open(filepath.Dir(path))
	wantExit(t, err, 2)
	if _, err := Open(path + ".none"); ExitCode(err) != 1 {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestAttackEndlessData(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 5_000_000)
	p := pack(1)
	manifest := string(p.manifestBytes(t))
	for name, data := range map[string]string{
		"nested 5 million deep":      deep,
		"nested within the manifest": strings.Replace(manifest, `"requires":{`, `"requires":{"x":`+deep[:100]+strings.Repeat("]", 100)+`,`, 1),
		"larger than the limit":      strings.Repeat(" ", MaxManifest) + manifest,
		"spaces":                     manifest + " ",
		"another spelling":           strings.Replace(manifest, `"schema":1`, `"schema":1.0`, 1),
		"a field twice":              strings.Replace(manifest, `"schema":1`, `"schema":1,"schema":1`, 1),
		"an unknown field":           strings.Replace(manifest, `"schema":1`, `"scheme":2,"schema":1`, 1),
		"a future schema":            strings.Replace(manifest, `"schema":1`, `"schema":2`, 1),
		"two documents":              manifest + manifest,
		"not UTF-8":                  strings.Replace(manifest, "stable", "st\xffble", 1),
		"nothing":                    "",
	} {
		if _, err := ParseManifest([]byte(data)); KindOf(err) != Malformed {
			t.Errorf("%s: %v", name, err)
		}
	}
	if m, err := ParseManifest([]byte(manifest)); err != nil || m.BundleID != "build-1" {
		t.Errorf("the good one: %v", err)
	}
	// A metadata file without end is cut by whoever fetches; what comes is still not believed.
	for _, data := range [][]byte{[]byte(deep), bytes.Repeat([]byte("a"), MaxTargets+1)} {
		set := firstRelease(p).set(t)
		set.Targets = data
		_, err := pinned(t).Accept(set, Carried, today)
		wantExit(t, err, 2)
	}
	// A header that promises more than there is does not make anybody allocate it.
	header, err := tarHeader(nameManifest, 1<<32)
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewFile(bytes.NewReader(header[:]), 1<<40)
	wantExit(t, err, 2)
}

func TestManifestRules(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 300)
	for name, spoil := range map[string]func(m *Manifest){
		"no id":                  func(m *Manifest) { m.BundleID = "" },
		"id with a slash":        func(m *Manifest) { m.BundleID = "../x" },
		"id that is an option":   func(m *Manifest) { m.BundleID = "-rf" },
		"version 0":              func(m *Manifest) { m.Version = 0 },
		"expires before created": func(m *Manifest) { m.Expires = m.Created },
		"no variant":             func(m *Manifest) { m.Variants = nil },
		"variant twice":          func(m *Manifest) { m.Variants = append(m.Variants, m.Variants[0]) },
		"package system":         func(m *Manifest) { m.Variants[0].PackageSystem = "brew" },
		"package name":           func(m *Manifest) { m.Variants[0].Packages[0].Name = "--force-all" },
		"package version":        func(m *Manifest) { m.Variants[0].Packages[0].Version = "1;reboot" },
		"package hash":           func(m *Manifest) { m.Variants[0].Packages[0].SHA256 = strings.Repeat("A", 64) },
		"package size":           func(m *Manifest) { m.Variants[0].Packages[0].Size = MaxBlob + 1 },
		"negative size":          func(m *Manifest) { m.Variants[0].Packages[0].Size = -1 },
		"package twice":          func(m *Manifest) { m.Variants[0].Rollback = m.Variants[0].Packages[:1] },
		"two sizes for a hash": func(m *Manifest) {
			m.Variants[0].Packages[1].SHA256 = m.Variants[0].Packages[0].SHA256
			m.Variants[0].Packages[1].Size += 7
		},
		"delta without a form": func(m *Manifest) { m.Variants[0].Packages[0].NormSHA256, m.Variants[0].Packages[0].NormSize = "", 0 },
		"delta algorithm":      func(m *Manifest) { m.Variants[0].Packages[0].Deltas[0].Algo = "bsdiff" },
		"rpm with a form":      func(m *Manifest) { m.Variants[0].PackageSystem = RPM },
		"index outside":        func(m *Manifest) { m.Variants[0].Repo.Files[0].Path = "../Packages" },
		"index absolute":       func(m *Manifest) { m.Variants[0].Repo.Files[0].Path = "/Packages" },
		"index hidden":         func(m *Manifest) { m.Variants[0].Repo.Files[0].Path = ".git/config" },
		"index over a package": func(m *Manifest) { m.Variants[0].Repo.Files[0].Path = m.Variants[0].Packages[0].Path(APT) },
		"allow":                func(m *Manifest) { m.Variants[0].Allow.Remove = []string{"*"} },
		"reboot":               func(m *Manifest) { m.Requires.Reboot = "maybe" },
		"unit":                 func(m *Manifest) { m.Requires.RestartUnits = []string{"--force"} },
		"cve":                  func(m *Manifest) { m.Fixes = []Fix{{CVE: "CVE-1", Source: "x", FixedVersion: "1"}} },
		"advisory": func(m *Manifest) {
			m.Fixes = []Fix{{CVE: "CVE-2026-1234", Source: "x", FixedVersion: "1", Advisory: "a\x1b[2J"}}
		},
		"builder":  func(m *Manifest) { m.Provenance.Builder = long },
		"source":   func(m *Manifest) { m.Provenance.Sources = []Source{{URI: "http://x", SHA256: "0"}} },
		"node":     func(m *Manifest) { m.Targets.Nodes = []string{""} },
		"selector": func(m *Manifest) { m.Targets.SelectorSHA256 = "x" },
	} {
		p := pack(1)
		spoil(&p.manifest)
		if _, err := p.manifest.Encode(); KindOf(err) != Malformed {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPackagePaths(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]struct {
		Package
		system string
	}{
		"pool/libssl3_3.0.17-1~deb12u2_amd64.deb":  {Package{Name: "libssl3", Version: "3.0.17-1~deb12u2", Arch: "amd64"}, APT},
		"pool/vim_2%3a9.0.1378-2_amd64.deb":        {Package{Name: "vim", Version: "2:9.0.1378-2", Arch: "amd64"}, APT},
		"Packages/openssl-3.0.7-27.el9.x86_64.rpm": {Package{Name: "openssl", Version: "1:3.0.7-27.el9", Arch: "x86_64"}, RPM},
		"Packages/tzdata-2024a-1.el9.noarch.rpm":   {Package{Name: "tzdata", Version: "2024a-1.el9", Arch: "noarch"}, RPM},
	} {
		if got := p.Path(p.system); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	norm := Package{SHA256: "a", Size: 1, NormSHA256: "b", NormSize: 2}
	if sha, size := norm.OnDisk(); sha != "b" || size != 2 {
		t.Error(sha, size)
	}
	norm.NormSHA256 = ""
	if sha, size := norm.OnDisk(); sha != "a" || size != 1 {
		t.Error(sha, size)
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	wantExit(t, nil, 0)
	wantExit(t, errors.New("disk on fire"), 1)
	err := fmt.Errorf("apply: %w", refuseBecause(Authenticity, errors.New("1 of 2"), "Not enough."))
	wantExit(t, err, 3)
	if err.Error() != "apply: Not enough. (1 of 2)" || errors.Unwrap(errors.Unwrap(err)).Error() != "1 of 2" {
		t.Error(err)
	}
	if _, err := json.Marshal(pack(1).manifest); err != nil {
		t.Error(err)
	}
}
