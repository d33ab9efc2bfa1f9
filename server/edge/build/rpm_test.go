package build_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/edge/build"
	"github.com/signalbox/signalbox/server/edge/build/debian"
	"github.com/signalbox/signalbox/server/edge/build/redhat"
)

const rocky = "lamp\t1.0-1\tnoarch\tlamp-1.0-1.src.rpm\nbulb\t1.0-1\tnoarch\tbulb-1.0-1.src.rpm\ngpg-pubkey\t1-1\t(none)\t(none)\nkernel\t5.14-1\tx86_64\tkernel-5.14-1.src.rpm\nkernel\t5.14-2\tx86_64\tkernel-5.14-2.src.rpm\n"

func rpmSpec(w *world, sources ...build.Source) build.Spec {
	v := build.Variant{OS: "rocky/9.4/x86_64", Nodes: []string{w.write("rpms", rocky)}, Sources: sources, Include: build.Include{Packages: []string{"lamp"}}}
	return build.Spec{Bundle: "r-1", Version: 1, Created: "2026-11-20T00:00:00Z", Variants: []build.Variant{v}}
}

func rpmFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "rpm", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRPM(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	spec := rpmSpec(w, build.Source{Folder: "testdata/rpm/new", Keys: []string{"testdata/rpm/key.asc"}}, build.Source{Folder: "testdata/rpm/old", Old: true})
	spec.RepoKey = filepath.Join(w.dir, "repo.key")
	_, f := w.build(spec)
	v := f.Manifest.Variants[0]
	if v.Name() != "rocky/9.4/x86_64" || v.PackageSystem != bundle.RPM || names(v.Packages) != "bulb 1.1-1, lamp 1.1-1" || names(v.Rollback) != "bulb 1.0-1, lamp 1.0-1" {
		t.Errorf("%+v", v)
	}
	if got := fmt.Sprint(f.Manifest.Fixes); got != "[{CVE-2024-11111 lamp 1.1-1  }]" {
		t.Error("fixes:", got)
	}
	files := map[string][]byte{}
	for _, file := range v.Repo.Files {
		files[file.Path] = blob(t, f, file.SHA256)
	}
	ring, err := debian.ReadKeys(files[build.KeysFile])
	if err != nil || len(ring) != 2 {
		t.Fatal("the signers of packages and of the repository:", len(ring), err)
	}
	if err := debian.VerifyDetached(files["repodata/repomd.xml"], files["repodata/repomd.xml.asc"], ring, now); err != nil {
		t.Error(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(files["repodata/primary.xml.gz"]))
	if err != nil {
		t.Fatal(err)
	}
	offers, err := redhat.ReadPrimary(z)
	if err != nil || len(offers) != 2 {
		t.Fatal(offers, err)
	}
	for i, o := range offers {
		if o.SHA256 != v.Packages[i].SHA256 || o.Location != v.Packages[i].Path(bundle.RPM) {
			t.Errorf("%+v", o)
		}
	}
}

// TestRPMUnsigned has no keys to give dnf.
func TestRPMUnsigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("rpms-of-mine/lamp.rpm", string(rpmFile(t, "old/lamp-1.0-1.noarch.rpm")))
	spec := rpmSpec(w, build.Source{Folder: filepath.Join(w.dir, "rpms-of-mine")})
	spec.Variants[0].Nodes = []string{w.write("older", "lamp\t0.9-1\tnoarch\tlamp-0.9-1.src.rpm\n")}
	spec.RepoKey = filepath.Join(w.dir, "repo.key")
	_, f := w.build(spec)
	for _, file := range f.Manifest.Variants[0].Repo.Files {
		if file.Path == build.KeysFile {
			t.Error("dnf would refuse the unsigned package")
		}
	}
}

// rpmMirror puts a repository on the mirror.
func rpmMirror(t *testing.T, w *world, signed bool, names ...string) {
	t.Helper()
	var entries []redhat.Entry
	for _, name := range names {
		data := rpmFile(t, name)
		p, err := redhat.ReadRPM(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		at := "Packages/" + filepath.Base(name)
		w.files["/repo/"+at] = data
		entries = append(entries, redhat.Entry{RPM: p, Path: at, Size: int64(len(data)), SHA256: sum(data)})
	}
	files, err := redhat.WriteRepo(entries, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		w.files["/repo/"+f.Path] = f.Data
	}
	if signed {
		if w.files["/repo/repodata/repomd.xml.asc"], err = w.key.Detached(files[0].Data, now); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRPMMirror(t *testing.T) {
	t.Parallel()
	const lampNew, bulbNew, lampOld = "new/lamp-1.1-1.noarch.rpm", "new/bulb-1.1-1.noarch.rpm", "old/lamp-1.0-1.noarch.rpm"
	for _, c := range []struct {
		name   string
		signed bool
		keys   string // of the packages, else of the mirror
		change func(w *world, s *build.Spec)
		why    string
	}{
		{name: "signed metadata", signed: true},
		{name: "signed packages", keys: "testdata/rpm/key.asc"},
		{name: "foreign metadata", signed: true, keys: "testdata/rpm/key.asc", why: "no trusted key has signed it"},
		{name: "foreign packages", why: "no trusted key has signed it"},
		{name: "metadata changed", signed: true, why: "no trusted key", change: func(w *world, _ *build.Spec) {
			at := "/repo/repodata/repomd.xml"
			w.files[at] = bytes.Replace(w.files[at], []byte("primary"), []byte("primarx"), 1)
		}},
		{name: "packages changed", keys: "testdata/rpm/key.asc", why: "is not what the index promises", change: func(w *world, _ *build.Spec) {
			at := w.files["/repo/Packages/lamp-1.1-1.noarch.rpm"]
			at[len(at)-9] ^= 1
		}},
		{name: "trusted by name", change: func(_ *world, s *build.Spec) { s.Variants[0].Sources[0].Trusted = true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			rpmMirror(t, w, c.signed, lampNew, bulbNew, lampOld, "old/bulb-1.0-1.noarch.rpm")
			keys := w.keys
			if c.keys != "" {
				keys = c.keys
			}
			spec := rpmSpec(w, build.Source{URL: w.url + "/repo", Keys: []string{keys}})
			if c.change != nil {
				c.change(w, &spec)
			}
			if c.why != "" {
				w.fails(spec, c.why)
				return
			}
			_, f := w.build(spec)
			if got := names(f.Manifest.Variants[0].Packages); got != "bulb 1.1-1, lamp 1.1-1" {
				t.Error(got)
			}
		})
	}
}

func TestRPMList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	spec := rpmSpec(w, build.Source{Folder: "testdata/rpm/new"})
	for text, why := range map[string]string{"": "nothing is installed", "lamp 1.0\n": "not a line of rpm -qa", strings.Repeat("x", 70_000): "token too long"} {
		spec.Variants[0].Nodes = []string{w.write("bad", text)}
		w.fails(spec, why)
	}
}
