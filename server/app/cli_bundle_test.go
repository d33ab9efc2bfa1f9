package app_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/app"
)

// desk is a release person's: a folder with keys, trust and bundles.
type desk struct {
	dir        string
	passphrase []string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{dir: t.TempDir()}
	d.passphrase = []string{"--passphrase-file", d.path("passphrase")}
	if err := os.WriteFile(d.path("passphrase"), []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) path(name string) string { return filepath.Join(d.dir, name) }

// run runs `signalbox bundle …` and wants the exit code.
func (d *desk) run(t *testing.T, code int, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if got := app.Main(t.Context(), append([]string{"bundle"}, args...), &out, &out); got != code {
		t.Fatalf("bundle %v: exit %d, want %d\n%s", args, got, code, out.String())
	}
	return out.String()
}

// unsigned writes a bundle with one package.
func (d *desk) unsigned(t *testing.T, version int64) string {
	t.Helper()
	hash := func(data []byte) string { sum := sha256.Sum256(data); return hex.EncodeToString(sum[:]) }
	sbom, pkg := []byte(`{"bomFormat":"CycloneDX"}`), []byte("a package of version "+string(rune('0'+version)))
	m := &bundle.Manifest{Schema: bundle.Schema, BundleID: "build-" + string(rune('0'+version)), Version: version, Channel: "stable", Created: time.Now(), Expires: time.Now().Add(time.Hour),
		SBOMSHA256: hash(sbom), Requires: bundle.Requires{Reboot: bundle.RebootNever}, Provenance: bundle.Provenance{Builder: "test"},
		Fixes: []bundle.Fix{{CVE: "CVE-2026-1234", Source: "openssl", FixedVersion: "3.0.17-1", Severity: "high"}},
		Variants: []bundle.Variant{{OSID: "debian", VersionID: "12", Codename: "bookworm", Arch: "amd64", PackageSystem: bundle.APT, Allow: bundle.Allow{New: []string{"libnew1"}},
			Packages: []bundle.Package{{Name: "libssl3", Version: "3.0.17-1", Arch: "amd64", SHA256: hash(pkg), Size: int64(len(pkg))}}}}}
	var out bytes.Buffer
	err := bundle.Write(&out, bundle.Content{Manifest: m, SBOM: sbom, Blob: func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(pkg)), nil }})
	if err != nil {
		t.Fatal(err)
	}
	path := d.path(m.BundleID + ".epb")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// unplugged is the real program in a network namespace of its own: no link, not even a loopback that is up.
func (d *desk) unplugged(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary(t), append([]string{"bundle"}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("unplugged %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in\n%s", part, text)
		}
	}
}

func TestBundleKeysAndSigning(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	trust := []string{"--trust", d.path("trust")}
	with := func(args ...string) []string { return append(append(args, trust...), d.passphrase...) }
	const portal = "ed25519 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" // of RFC 8032
	d.run(t, 2, with("keys", "init")...)
	said := d.run(t, 0, with("keys", "init", "--keys", d.path("keys"), "--timestamp-key", portal)...)
	contains(t, d.run(t, 1, with("keys", "init", "--keys", d.path("more"), "--timestamp-key", portal)...), "has a root already")
	contains(t, said, "three places", "Root 1, valid until", "2 of 3 must sign")
	if info, err := os.Stat(d.path("keys/root-1.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file: %v %v", info.Mode(), err)
	}
	release := d.path("keys/release-1.key")
	file := d.unsigned(t, 1)
	d.run(t, 1, "verify", "--trust", d.path("trust"), file)
	contains(t, d.unplugged(t, "correct horse\n", "sign", "--trust", d.path("trust"), "--key", release, file),
		"Passphrase of release-1.key", "Signed bundle build-1 (version 1, channel stable): 1 of 1 signatures")
	contains(t, d.unplugged(t, "", "verify", "--root", d.path("trust/root/1.root.json"), file), "Good: bundle build-1", "1 release key")
	contains(t, d.run(t, 0, "inspect", file), "debian/12/amd64 (bookworm, apt): 1 package", "libssl3", "may add: libnew1", "CVE-2026-1234", "Signed    yes")
	contains(t, d.run(t, 0, "inspect", "--json", file), `"bundle_id": "build-1"`)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	forged := d.path("forged.epb")
	if err := os.WriteFile(forged, bytes.Replace(data, []byte("a package of"), []byte("b package of"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	contains(t, d.run(t, 1, "verify", "--trust", d.path("trust"), forged), "has the hash")
	contains(t, d.run(t, 1, with("sign", "--key", d.path("keys/root-1.key"), file)...), "is no release key")
	contains(t, d.run(t, 1, with("sign", "--key", d.path("passphrase"), file)...), "is no key file")

	// The release key is lost: another takes its place, and the list is signed anew.
	before := d.path("before")
	if err := os.CopyFS(before, os.DirFS(d.path("trust"))); err != nil {
		t.Fatal(err)
	}
	d.run(t, 0, append([]string{"keys", "new", d.path("carol")}, d.passphrase...)...)
	contains(t, d.run(t, 1, append([]string{"keys", "new", d.path("carol")}, d.passphrase...)...), "is there already")
	shown := d.run(t, 0, append([]string{"keys", "show"}, trust...)...)
	_, after, _ := strings.Cut(shown, "release ")
	id := strings.Fields(after)[5]
	d.run(t, 2, append([]string{"keys", "rotate", "--role", "release", id, "nonsense"}, trust...)...)
	contains(t, d.run(t, 0, append([]string{"keys", "rotate", "--role", "release", id[:10], d.path("carol.pub")}, trust...)...), "Draft of root 2: 0 of 2", "- "+id)
	contains(t, d.run(t, 0, with("keys", "sign", "--key", d.path("keys/root-1.key"))...), "1 of 2 signatures")
	contains(t, d.run(t, 0, with("keys", "sign", "--key", d.path("keys/root-3.key"))...), "The new root counts")
	contains(t, d.run(t, 1, with("sign", "--key", release)...), "is no release key of root 2")
	contains(t, d.run(t, 0, with("sign", "--key", d.path("carol.key"))...), "Signed the list of 1 bundles anew")
	contains(t, d.run(t, 0, "keys", "import", "--trust", before, d.path("trust")), "Root 2", "List 2 of 1 bundles")
	contains(t, d.run(t, 1, with("sign", "--key", d.path("carol.key"), d.path("nothing.epb"))...), "no such file")
	d.run(t, 2, with("sign", file)...)
	d.run(t, 2, "verify", "--trust", d.path("nowhere"), file)
	d.run(t, 0, append([]string{"keys", "renew"}, trust...)...)
	d.run(t, 1, append([]string{"keys", "revoke", "--role", "release", "0"}, trust...)...)
	d.run(t, 1, append([]string{"keys", "add", "--role", "boss", d.path("carol.pub")}, trust...)...)
}
