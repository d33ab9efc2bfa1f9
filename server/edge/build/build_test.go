package build_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/edge/build"
	"github.com/signalbox/signalbox/server/edge/build/debian"
)

var (
	// lamp has a security update that changes little of much.
	lampOld = made{name: "lamp", version: "1.0-1", content: noise(1, 40_000), control: "Depends: bulb\n"}
	lampNew = made{name: "lamp", version: "1.0-1+deb12u1", content: noise(1, 40_000) + "patched", control: "Depends: bulb (>= 2)\n",
		changelog: "lamp (1.0-1+deb12u1) bookworm-security; urgency=high\n\n  * CVE-2026-1001\n\n -- A <a@b>  Mon, 16 Nov 2026 10:00:00 +0000\n\nlamp (1.0-1) unstable; urgency=low\n\n  * CVE-2020-1111\n"}
	bulbOld = made{name: "bulb", version: "1", content: noise(2, 5_000)}
	bulbNew = made{name: "bulb", version: "2", content: noise(3, 5_000), changelog: "bulb (2) bookworm; urgency=low\n\n  * brighter\n"}
	shade   = made{name: "shade", version: "2:1.1", content: noise(4, 3_000), control: "Source: cover\n",
		changelog: "cover (2:1.1) bookworm-security; urgency=high\n\n  * CVE-2026-2002 and CVE-2026-2003\n"}
	shadeOld = made{name: "shade", version: "2:1.0", content: noise(5, 3_000), control: "Source: cover\n"}
)

func usual(t *testing.T) *world {
	w := newWorld(t)
	w.suite("bookworm", "", lampOld, bulbOld, bulbNew)
	w.suite("bookworm-security", "", lampNew, shade)
	return w
}

func names(list []bundle.Package) string {
	var words []string
	for _, p := range list {
		words = append(words, p.Name+" "+p.Version)
	}
	return strings.Join(words, ", ")
}

func TestBuild(t *testing.T) {
	t.Parallel()
	w := usual(t)
	spec := w.spec(status(lampOld, bulbOld, shadeOld), build.Include{Security: true}, "bookworm", "bookworm-security")
	spec.RepoKey = filepath.Join(w.dir, "repo.key")
	report, f := w.build(spec)
	m := f.Manifest
	v := m.Variants[0]
	if got := names(v.Packages); got != "bulb 2, lamp 1.0-1+deb12u1, shade 2:1.1" {
		t.Error("packages:", got)
	}
	if got := names(v.Rollback); got != "bulb 1, lamp 1.0-1" {
		t.Error("rollback:", got)
	}
	if got := fmt.Sprint(report.Variants[0].NoRollback); got != "[shade 2:1.0]" {
		t.Error("what cannot be rolled back:", got)
	}
	if m.Created.Format("2006-01-02 15:04") != "2026-11-20 08:00" || m.Expires.Sub(m.Created).Hours() != 90*24 {
		t.Error("dates:", m.Created, m.Expires)
	}
	if got := fmt.Sprint(m.Fixes); got != "[{CVE-2026-1001 lamp 1.0-1+deb12u1  } {CVE-2026-2002 cover 2:1.1  } {CVE-2026-2003 cover 2:1.1  }]" {
		t.Error("fixes:", got)
	}
	if len(m.Provenance.Sources) != 2 || m.Provenance.Sources[0].SHA256 != sum(w.files["/dists/bookworm-security/InRelease"]) {
		t.Errorf("provenance: %+v", m.Provenance)
	}
	if m.Requires.DiskBytes < 80_000 || m.Requires.Reboot != bundle.RebootIfNeeded {
		t.Errorf("requires: %+v", m.Requires)
	}
	lamp := v.Packages[1]
	if len(lamp.Deltas) != 1 || lamp.Deltas[0].Size > 2_000 || fmt.Sprint(lamp.FromVersions) != "[1.0-1]" {
		t.Fatalf("lamp: %+v", lamp)
	}
	if bulb := v.Packages[0]; len(bulb.Deltas) != 0 || bulb.NormSHA256 != "" {
		t.Errorf("nothing is in common, yet there is a delta: %+v", bulb)
	}
	applied(t, f, lamp, v.Rollback[1])
	indexed(t, f, v, w.keys)
}

// applied makes the new package of the old one, as a node does.
func applied(t *testing.T, f *bundle.File, p, old bundle.Package) {
	t.Helper()
	var base bytes.Buffer
	sha := normalised(t, blob(t, f, old.SHA256), &base)
	if sha != p.Deltas[0].BaseSHA256 || sha != old.NormSHA256 {
		t.Errorf("the base is %s, not %s", p.Deltas[0].BaseSHA256, sha)
	}
	var got bytes.Buffer
	if err := bundle.ApplyDelta(context.Background(), base.Bytes(), bytes.NewReader(blob(t, f, p.Deltas[0].SHA256)), &got, p.NormSHA256, p.NormSize); err != nil {
		t.Error(err)
	}
	var whole bytes.Buffer
	if normalised(t, blob(t, f, p.SHA256), &whole) != p.NormSHA256 || !bytes.Equal(whole.Bytes(), got.Bytes()) {
		t.Error("the delta and the whole package do not make the same file")
	}
}

func normalised(t *testing.T, deb []byte, into *bytes.Buffer) string {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sha, _, err := bundle.Normalise(context.Background(), bytes.NewReader(deb), f, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	into.Write(data)
	return sha
}

func blob(t *testing.T, f *bundle.File, sha string) []byte {
	t.Helper()
	r, err := f.Blob(sha)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// indexed checks the local repository as apt would: signature, hashes, and what lies on disk.
func indexed(t *testing.T, f *bundle.File, v bundle.Variant, keys string) {
	t.Helper()
	files := map[string][]byte{}
	for _, file := range v.Repo.Files {
		files[file.Path] = blob(t, f, file.SHA256)
	}
	public, err := os.ReadFile(keys)
	if err != nil || !bytes.Equal(public, files[build.KeysFile]) {
		t.Error("the keys are not those that sign:", err)
	}
	ring, err := debian.ReadKeys(public)
	if err != nil {
		t.Fatal(err)
	}
	text, err := debian.VerifyInRelease(files["InRelease"], ring, now)
	if err != nil || text != string(files["Release"]) {
		t.Error(err, text)
	}
	release, err := debian.ReadRelease(text)
	if err != nil || release.Files["Packages"].SHA256 != sum(files["Packages"]) {
		t.Errorf("%+v %v", release, err)
	}
	offers, err := debian.ReadPackages(bytes.NewReader(files["Packages"]))
	if err != nil || len(offers) != len(v.Packages) {
		t.Fatal(len(offers), err)
	}
	for i, o := range offers {
		sha, size := v.Packages[i].OnDisk()
		if o.SHA256 != sha || o.Size != size || o.File != v.Packages[i].Path(bundle.APT) {
			t.Errorf("index: %+v", o)
		}
	}
}

func TestComponentList(t *testing.T) {
	t.Parallel()
	w := usual(t)
	_, f := w.build(w.spec(status(shadeOld), build.Include{Security: true}, "bookworm-security"))
	text, err := f.SBOM()
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Format     string `json:"bomFormat"`
		Spec       string `json:"specVersion"`
		Serial     string `json:"serialNumber"`
		Components []struct{ Name, Version, PURL string }
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	if list.Format != "CycloneDX" || list.Spec != "1.6" || len(list.Serial) != len("urn:uuid:")+36 || len(list.Components) != 1 ||
		list.Components[0].PURL != "pkg:deb/debian/shade@2%3A1.1?arch=amd64&distro=debian-12" {
		t.Errorf("%+v", list)
	}
}

// TestNodes takes two nodes, one of which tells its packages as agents do.
func TestNodes(t *testing.T) {
	t.Parallel()
	w := usual(t)
	spec := w.spec(status(lampOld, bulbNew), build.Include{Everything: true}, "bookworm", "bookworm-security")
	spec.Variants[0].OS, spec.Variants[0].Codename = "", ""
	spec.Variants[0].Nodes = append(spec.Variants[0].Nodes, w.write("inventories/n2.json",
		`{"packages":[{"name":"lamp","version":"0.9-1","arch":"amd64"},{"name":"bulb","version":"2","arch":"amd64"},{"name":"shade","version":"2:0.9","arch":"amd64","source":"cover"}],
		"held":["shade"],"os_release":{"ID":"debian","VERSION_ID":"12","VERSION_CODENAME":"bookworm"}}`))
	report, f := w.build(spec)
	v := f.Manifest.Variants[0]
	if v.Name() != "debian/12/amd64" || v.Codename != "bookworm" || names(v.Packages) != "lamp 1.0-1+deb12u1" || fmt.Sprint(v.Packages[0].FromVersions) != "[0.9-1 1.0-1]" {
		t.Errorf("%+v", v)
	}
	kept := report.Variants[0].Kept
	if len(kept) != 1 || kept[0].Node != "n2.json" || kept[0].Package != "shade" || kept[0].Reason != "it is held on the node" {
		t.Errorf("kept: %+v", kept)
	}
	if report.Variants[0].Nodes != 2 {
		t.Errorf("%+v", report)
	}
}

// TestRoot reads a system's folder, and a folder of packages as the source.
func TestRoot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("root/var/lib/dpkg/status", status(lampOld, bulbNew))
	w.write("root/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n")
	w.write("debs/sub/new.deb", string(lampNew.deb(t)))
	w.write("old/old.deb", string(lampOld.deb(t)))
	spec := build.Spec{Bundle: "b", Version: 4, Channel: "edge", Variants: []build.Variant{{Nodes: []string{filepath.Join(w.dir, "root")}, Include: build.Include{Packages: []string{"la*"}},
		Sources: []build.Source{{Folder: filepath.Join(w.dir, "debs")}, {Folder: filepath.Join(w.dir, "old"), Old: true}}}}}
	_, f := w.build(spec)
	v := f.Manifest.Variants[0]
	if v.Name() != "debian/12/amd64" || names(v.Packages) != "lamp 1.0-1+deb12u1" || names(v.Rollback) != "lamp 1.0-1" || f.Manifest.Created.Unix() != 1790000000 {
		t.Errorf("%+v", f.Manifest)
	}
	if len(v.Repo.Files) != 2 {
		t.Errorf("without a key the index is not signed: %+v", v.Repo)
	}
}

func TestSelection(t *testing.T) {
	t.Parallel()
	node := status(lampOld, bulbOld, shadeOld)
	for _, c := range []struct {
		name    string
		include build.Include
		want    string
	}{
		{"by vulnerability", build.Include{CVEs: []string{"CVE-2026-2003"}}, "shade 2:1.1"},
		{"by name", build.Include{Packages: []string{"bu?b"}}, "bulb 2"},
		{"all but one", build.Include{Everything: true, Exclude: []string{"shade"}}, "bulb 2, lamp 1.0-1+deb12u1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := usual(t)
			_, f := w.build(w.spec(node, c.include, "bookworm", "bookworm-security"))
			if got := names(f.Manifest.Variants[0].Packages); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestTracker(t *testing.T) {
	t.Parallel()
	w := usual(t)
	spec := w.spec(status(lampOld, bulbOld, shadeOld), build.Include{CVEs: []string{"CVE-2026-1001"}}, "bookworm", "bookworm-security")
	spec.Tracker = w.write("tracker.json", `{"lamp":{"CVE-2026-1001":{"releases":{"bookworm":{"status":"resolved","fixed_version":"1.0-1+deb12u1","urgency":"high"},"trixie":{"status":"open"}}},
		"CVE-2026-1009":{"releases":{"bookworm":{"status":"resolved","fixed_version":"1.0-1+deb12u1","urgency":"not yet assigned"}}},
		"CVE-2026-1010":{"releases":{"bookworm":{"status":"resolved","fixed_version":"1.0-2","urgency":"low"}}},"TEMP-1":{"releases":{}}}}`)
	_, f := w.build(spec)
	if got := fmt.Sprint(f.Manifest.Fixes); got != "[{CVE-2026-1001 lamp 1.0-1+deb12u1 high } {CVE-2026-1009 lamp 1.0-1+deb12u1  }]" {
		t.Error(got)
	}
	spec.Tracker = w.write("tracker.json", `[1]`)
	w.fails(spec, "security tracker")
}

func TestDowngrade(t *testing.T) {
	t.Parallel()
	w := usual(t)
	spec := w.spec(status(lampNew, bulbNew), build.Include{Pin: map[string]string{"lamp": "1.0-1"}}, "bookworm", "bookworm-security")
	w.fails(spec, "allow.downgrade does not permit")
	spec.Variants[0].Allow.Downgrade = []string{"lamp"}
	_, f := w.build(spec)
	v := f.Manifest.Variants[0]
	if names(v.Packages) != "lamp 1.0-1" || names(v.Rollback) != "lamp 1.0-1+deb12u1" || fmt.Sprint(v.Allow) != "{[] [] [lamp]}" {
		t.Errorf("%+v", v)
	}
}

// TestRefused are sources that lie and descriptions that ask for what cannot be.
func TestRefused(t *testing.T) {
	t.Parallel()
	secure := build.Include{Security: true}
	for _, c := range []struct {
		name, why string
		change    func(w *world, s *build.Spec)
	}{
		{"an index changed on the way", "is not what the index promises", func(w *world, _ *build.Spec) {
			w.files["/dists/bookworm-security/main/binary-amd64/Packages.xz"][20] ^= 1
		}},
		{"a release changed on the way", "no trusted key has signed it", func(w *world, _ *build.Spec) {
			at := "/dists/bookworm-security/InRelease"
			w.files[at] = bytes.Replace(w.files[at], []byte("bookworm"), []byte("bookwarm"), 1)
		}},
		{"a package changed on the way", "is not what the index promises", func(w *world, _ *build.Spec) {
			w.files["/pool/bookworm-security/lamp_1.0-1+deb12u1.deb"][90] ^= 1
		}},
		{"a foreign key", "no trusted key has signed it", func(w *world, s *build.Spec) {
			s.Variants[0].Sources[0].Keys = []string{newWorld(w.t).keys}
		}},
		{"a mirror kept old", "was valid until", func(w *world, _ *build.Spec) {
			w.suite("bookworm", "Valid-Until: Fri, 20 Nov 2026 12:00:00 UTC\n", lampOld, bulbOld)
		}},
		{"no such suite", "404", func(_ *world, s *build.Spec) { s.Variants[0].Sources[0].Suite = "sid" }},
		{"nothing to do", "nothing to update", func(w *world, s *build.Spec) { s.Variants[0].Nodes = []string{w.write("n", status(lampNew, bulbNew))} }},
		{"a vulnerability that nothing fixes", "CVE-2026-9999 is fixed by nothing", func(_ *world, s *build.Spec) { s.Variants[0].Include.CVEs = []string{"CVE-2026-9999"} }},
		{"nodes that need two versions", "two versions of bulb", func(w *world, s *build.Spec) {
			w.suite("bookworm", "", bulbOld, bulbNew)
			w.suite("bookworm-security", "", made{name: "bulb", version: "3", content: "x"})
			pinned := made{name: "lantern", version: "1", content: "x", control: "Depends: bulb (<< 3)\n"}
			s.Variants[0].Include = build.Include{Everything: true}
			s.Variants[0].Nodes = []string{w.write("n1", status(bulbOld)), w.write("n2", status(bulbOld, pinned))}
		}},
		{"a node in the middle of something", "neither installed nor removed", func(w *world, s *build.Spec) {
			s.Variants[0].Nodes = []string{w.write("n", strings.Replace(status(lampOld, bulbOld), "install ok installed", "install ok half-configured", 1))}
		}},
		{"an unknown system", "not an operating system", func(_ *world, s *build.Spec) { s.Variants[0].OS = "plan9/4/amd64" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := usual(t)
			spec := w.spec(status(lampOld, bulbOld), secure, "bookworm", "bookworm-security")
			c.change(w, &spec)
			w.fails(spec, c.why)
		})
	}
}

// TestCache builds a second time without fetching packages again.
func TestCache(t *testing.T) {
	t.Parallel()
	w := usual(t)
	spec := w.spec(status(lampOld, bulbOld), build.Include{Security: true}, "bookworm", "bookworm-security")
	o := w.options()
	var lines []string
	o.Log = func(line string) { lines = append(lines, line) }
	for range 2 {
		if _, err := build.Build(context.Background(), spec, o, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.asked["/pool/bookworm-security/lamp_1.0-1+deb12u1.deb"]; n != 1 {
		t.Errorf("a package was fetched %d times", n)
	}
	o.CacheFor = 30 * 24 * time.Hour
	for _, c := range []struct{ day, want int }{{20, 1}, {40, 1}, {80, 2}} {
		o.Now = func() time.Time { return now.AddDate(0, 0, c.day) }
		if _, err := build.Build(context.Background(), spec, o, io.Discard); err != nil {
			t.Fatal(err)
		}
		if n := w.asked["/pool/bookworm-security/lamp_1.0-1+deb12u1.deb"]; n != c.want {
			t.Errorf("on day %d a package had been fetched %d times, not %d", c.day, n, c.want)
		}
	}
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "lamp 1.0-1+deb12u1") }) {
		t.Error(lines)
	}
}
