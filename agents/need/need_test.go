package need

import (
	"slices"
	"testing"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/bundle/version"
)

func names(list []bundle.Package) []string {
	var n []string
	for _, p := range list {
		n = append(n, p.Name+"="+p.Version)
	}
	return n
}

func variant() *bundle.Variant {
	pkg := func(name, version, arch string) bundle.Package {
		return bundle.Package{Name: name, Version: version, Arch: arch, SHA256: name + version, Size: 100}
	}
	v := &bundle.Variant{Arch: "amd64", Repo: bundle.Repo{Files: []bundle.RepoFile{{Path: "Packages", SHA256: "index", Size: 5}}},
		Packages: []bundle.Package{pkg("old", "2", "amd64"), pkg("same", "2", "all"), pkg("newer", "2", "amd64"), pkg("absent", "2", "amd64"), pkg("wanted", "2", "all"), pkg("down", "1", "amd64"), pkg("old", "2", "i386")},
		Rollback: []bundle.Package{pkg("old", "1", "amd64"), pkg("old", "0", "amd64"), pkg("newer", "3", "amd64"), pkg("gone", "1", "amd64"), pkg("down", "2", "amd64")},
		Allow:    bundle.Allow{New: []string{"wanted"}, Downgrade: []string{"down"}, Remove: []string{"gone"}}}
	return v
}

var installed = map[string]string{"old": "1", "same": "2", "newer": "3", "down": "2", "gone": "1", "other": "1"}

func TestPackages(t *testing.T) {
	t.Parallel()
	picked := Packages(variant(), installed, version.Deb)
	if got := names(picked); !slices.Equal(got, []string{"old=2", "wanted=2", "down=1"}) {
		t.Errorf("picked %v", got)
	}
	if got := names(Rollback(variant(), picked, installed)); !slices.Equal(got, []string{"old=1", "gone=1", "down=2"}) {
		t.Errorf("rollback %v", got)
	}
}

func TestBlobs(t *testing.T) {
	t.Parallel()
	v := variant()
	v.Packages[0].NormSHA256, v.Packages[0].NormSize = "norm-old2", 400
	v.Packages[0].Deltas = []bundle.Delta{
		{BaseSHA256: "norm-old0", SHA256: "d0", Size: 3, Algo: bundle.ZstdDict}, {BaseSHA256: "norm-old1", SHA256: "d1", Size: 9, Algo: bundle.ZstdDict},
		{BaseSHA256: "norm-old1", SHA256: "odd", Size: 1, Algo: "unknown"},
	}
	for name, c := range map[string]struct {
		stash  []string
		deltas bool
		want   []string
	}{
		"nothing kept":         {nil, true, []string{"index", "old2", "wanted2", "down1", "old1", "gone1", "down2"}},
		"a base is kept":       {[]string{"norm-old1"}, true, []string{"index", "d1", "wanted2", "down1", "old1", "gone1", "down2"}},
		"deltas not wished":    {[]string{"norm-old1"}, false, []string{"index", "old2", "wanted2", "down1", "old1", "gone1", "down2"}},
		"the whole is kept":    {[]string{"norm-old2", "old1", "gone1", "down2"}, true, []string{"index", "wanted2", "down1"}},
		"another base smaller": {[]string{"norm-old0", "norm-old1"}, true, []string{"index", "d0", "wanted2", "down1", "old1", "gone1", "down2"}},
	} {
		var got []string
		for _, b := range Blobs(v, installed, version.Deb, func(sha string) bool { return slices.Contains(c.stash, sha) }, c.deltas) {
			got = append(got, b.SHA256)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestAnOriginalIsABase: what an earlier bundle brought whole is kept as it was, and a
// delta against its normalised form still saves fetching the new one.
func TestAnOriginalIsABase(t *testing.T) {
	t.Parallel()
	v := variant()
	v.Packages[0].NormSHA256, v.Packages[0].NormSize = "norm-old2", 400
	v.Packages[0].Deltas = []bundle.Delta{{BaseSHA256: "norm-old1", SHA256: "d1", Size: 9, Algo: bundle.ZstdSegments}}
	for i, p := range v.Rollback {
		if p.SHA256 == "old1" {
			v.Rollback[i].NormSHA256, v.Rollback[i].NormSize = "norm-old1", 300
		}
	}
	for kept, want := range map[string][]string{"old1": {"index", "d1", "wanted2", "down1", "gone1", "down2"}, "": {"index", "old2", "wanted2", "down1", "old1", "gone1", "down2"}} {
		var got []string
		for _, b := range Blobs(v, installed, version.Deb, func(sha string) bool { return sha == kept }, true) {
			got = append(got, b.SHA256)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q is kept: %v", kept, got)
		}
	}
}
