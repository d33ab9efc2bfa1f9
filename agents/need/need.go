// Package need decides which of a bundle's packages concern one machine and
// which blobs bring them there for the fewest bytes. Both halves of the agent
// ask it: the one to fetch, the other to know what must lie there.
package need

import (
	"slices"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/packages"
)

// Blob is one to fetch.
type Blob struct {
	SHA256 string
	Size   int64
	For    string // a word for people: the package or the file of the index
}

// Stock tells whether the machine keeps a package file with this hash: the stash.
type Stock func(sha256 string) bool

// Originals gives, by the hash of its normalised form, the file as the distribution made
// it, for the packages that a bundle names.
func Originals(v *bundle.Variant) map[string]string {
	out := map[string]string{}
	for _, p := range slices.Concat(v.Packages, v.Rollback) {
		if p.NormSHA256 != "" {
			out[p.NormSHA256] = p.SHA256
		}
	}
	return out
}

// Widened counts as kept what can be made of a kept original: an earlier bundle brought
// the package whole, and only a later one has deltas against it.
func (s Stock) Widened(v *bundle.Variant) Stock {
	from := Originals(v)
	return func(sha string) bool { return s(sha) || from[sha] != "" && s(from[sha]) }
}

// Packages picks those that would change on a machine with these versions: what
// is installed and older, what the bundle may make older, and what it may add.
func Packages(v *bundle.Variant, installed map[string]string, compare func(a, b string) int) []bundle.Package {
	var picked []bundle.Package
	for _, p := range v.Packages {
		key := packages.Key(p.Name, p.Arch, v.Arch)
		have, there := installed[key]
		switch {
		case there && compare(have, p.Version) == 0:
		case there && (compare(have, p.Version) < 0 || slices.Contains(v.Allow.Downgrade, p.Name)),
			!there && slices.Contains(v.Allow.New, p.Name):
			picked = append(picked, p)
		}
	}
	return picked
}

// Rollback picks the bundle's files of what the machine has now, of the packages
// that would change or go.
func Rollback(v *bundle.Variant, picked []bundle.Package, installed map[string]string) []bundle.Package {
	changes := map[string]bool{}
	for _, p := range picked {
		changes[packages.Key(p.Name, p.Arch, v.Arch)] = true
	}
	for _, name := range v.Allow.Remove {
		changes[name] = true
	}
	var old []bundle.Package
	for _, p := range v.Rollback {
		key := packages.Key(p.Name, p.Arch, v.Arch)
		if changes[key] && installed[key] == p.Version {
			old = append(old, p)
		}
	}
	return old
}

// Source says where a package's file comes from: the stash, a delta against
// something in the stash, or the whole file.
func Source(p bundle.Package, stock Stock, deltas bool) (stashed bool, delta *bundle.Delta) {
	if sha, _ := p.OnDisk(); stock(sha) {
		return true, nil
	}
	if !deltas {
		return false, nil
	}
	for i, d := range p.Deltas {
		if bundle.KnownDelta(d.Algo) && d.Size < p.Size && stock(d.BaseSHA256) && (delta == nil || d.Size < delta.Size) {
			delta = &p.Deltas[i]
		}
	}
	return false, delta
}

// Blobs lists what must be fetched, each once: the index, then packages, then what rollback needs.
func Blobs(v *bundle.Variant, installed map[string]string, compare func(a, b string) int, stock Stock, deltas bool) []Blob {
	var blobs []Blob
	stock = stock.Widened(v)
	seen := map[string]bool{}
	add := func(b Blob) {
		if !seen[b.SHA256] {
			seen[b.SHA256] = true
			blobs = append(blobs, b)
		}
	}
	for _, f := range v.Repo.Files {
		add(Blob{SHA256: f.SHA256, Size: f.Size, For: f.Path})
	}
	picked := Packages(v, installed, compare)
	for _, p := range slices.Concat(picked, Rollback(v, picked, installed)) {
		switch stashed, delta := Source(p, stock, deltas); {
		case stashed:
		case delta != nil:
			add(Blob{SHA256: delta.SHA256, Size: delta.Size, For: p.Name})
		default:
			add(Blob{SHA256: p.SHA256, Size: p.Size, For: p.Name})
		}
	}
	return blobs
}
