package bundle

import (
	"path"
	"slices"
	"strings"
	"time"
)

// Schema is the version of the manifest's form that this package reads and writes.
const Schema = 1

// Limits of what is read. They bound memory and disk whatever a file claims.
const (
	MaxManifest  = 8 << 20
	MaxSBOM      = 64 << 20
	MaxBlob      = 4 << 30
	MaxBlobs     = 100_000
	MaxDepth     = 32
	MaxRoots     = 256
	MaxRoot      = 512_000
	MaxTimestamp = 16 << 10
	MaxSnapshot  = 1 << 20
	MaxTargets   = 5 << 20
)

// Manifest is what a bundle holds and for whom. Its bytes are the TUF target
// that release keys sign; everything else in the bundle hangs on hashes in it.
type Manifest struct {
	Schema int `json:"schema"`
	// BundleID is the name people use, e.g. 20241105-build-42.
	BundleID string `json:"bundle_id"`
	// Version grows with every bundle of a channel; it alone orders bundles.
	Version  int64     `json:"version"`
	Channel  string    `json:"channel"`
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires"`
	MinAgent string    `json:"min_agent,omitempty"`

	Variants   []Variant  `json:"variants"`
	Fixes      []Fix      `json:"fixes,omitempty"`
	Requires   Requires   `json:"requires"`
	SBOMSHA256 string     `json:"sbom_sha256"`
	Provenance Provenance `json:"provenance"`
	Targets    Targets    `json:"targets"`
}

// The package systems.
const (
	APT = "apt"
	RPM = "rpm"
)

// Variant is the part for one operating system on one architecture; a node matches one at most.
type Variant struct {
	OSID          string `json:"os_id"`
	VersionID     string `json:"version_id"`
	Codename      string `json:"codename,omitempty"`
	Arch          string `json:"arch"`
	PackageSystem string `json:"package_system"`

	Packages []Package `json:"packages,omitempty"`
	// Rollback is what the packages replace, for nodes that have no stash of it.
	Rollback []Package `json:"rollback,omitempty"`
	Repo     Repo      `json:"repo"`
	Allow    Allow     `json:"allow"`
}

// Name is the variant as it is shown and stands in targets.json: debian/12/amd64.
func (v Variant) Name() string { return v.OSID + "/" + v.VersionID + "/" + v.Arch }

// Package is one package file. SHA256 and Size are the file as the distribution
// made it. Where it has deltas, NormSHA256 and NormSize are its normalised form
// (Normalise), and that form is what the repository's index lists.
type Package struct {
	Name          string   `json:"name"`
	Version       string   `json:"version"`
	Arch          string   `json:"arch"`
	Source        string   `json:"source,omitempty"`
	SHA256        string   `json:"sha256"`
	Size          int64    `json:"size"`
	NormSHA256    string   `json:"norm_sha256,omitempty"`
	NormSize      int64    `json:"norm_size,omitempty"`
	InstalledSize int64    `json:"installed_size,omitempty"`
	Deltas        []Delta  `json:"deltas,omitempty"`
	FromVersions  []string `json:"from_versions,omitempty"`
}

// The algorithms of deltas. Of both the files are normalised ones.
const (
	// ZstdDict is a zstd frame of the new file whose raw dictionary is the old one.
	ZstdDict = "zstd-dict"
	// ZstdSegments is for files that are too large for that: see segments.go.
	ZstdSegments = "zstd-segments"
)

// KnownDelta tells whether this program can apply deltas of an algorithm.
func KnownDelta(algo string) bool { return algo == ZstdDict || algo == ZstdSegments }

// Delta makes the normalised package from another normalised package.
type Delta struct {
	BaseSHA256 string `json:"base_sha256"`
	SHA256     string `json:"sha256"`
	Size       int64  `json:"size"`
	Algo       string `json:"algo"`
}

// Repo is the local repository's index, built where the bundle was built; each file is a blob.
type Repo struct {
	Files []RepoFile `json:"files,omitempty"`
}

// RepoFile is a file of the index and where it lies in the repository.
type RepoFile struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// Allow names the packages which the transaction may remove, add or downgrade; it may nothing else of the kind.
type Allow struct {
	Remove    []string `json:"remove,omitempty"`
	New       []string `json:"new,omitempty"`
	Downgrade []string `json:"downgrade,omitempty"`
}

// Fix is a vulnerability that a source package's version no longer has.
type Fix struct {
	CVE          string `json:"cve"`
	Source       string `json:"source"`
	FixedVersion string `json:"fixed_version"`
	Severity     string `json:"severity,omitempty"`
	Advisory     string `json:"advisory,omitempty"`
}

// Whether a node must restart after the bundle.
const (
	RebootNever    = "never"
	RebootIfNeeded = "if-needed"
	RebootAlways   = "always"
)

// Requires is what a node must have or do.
type Requires struct {
	DiskBytes    int64    `json:"disk_bytes,omitempty"`
	Reboot       string   `json:"reboot"`
	RestartUnits []string `json:"restart_units,omitempty"`
}

// Provenance says from what the bundle was made; nothing here is checked on a node.
type Provenance struct {
	Builder string   `json:"builder"`
	Sources []Source `json:"sources,omitempty"`
	// Policy is the hash of the selection's description, Commit the Git commit it came from.
	Policy string `json:"policy,omitempty"`
	Commit string `json:"commit,omitempty"`
}

// Source is an index that packages were taken from, by its hash (apt: InRelease; rpm: repomd.xml).
type Source struct {
	URI    string `json:"uri"`
	SHA256 string `json:"sha256"`
}

// Targets narrows the bundle to nodes. The selector's hash is compared by the portal, the list by the node.
type Targets struct {
	SelectorSHA256 string   `json:"selector_sha256,omitempty"`
	Nodes          []string `json:"nodes,omitempty"`
}

// OnDisk is the hash and size of the file as the repository's index lists it.
func (p Package) OnDisk() (sha256 string, size int64) {
	if p.NormSHA256 != "" {
		return p.NormSHA256, p.NormSize
	}
	return p.SHA256, p.Size
}

// Path is where the package lies in the local repository; builder and agent agree by calling this.
func (p Package) Path(packageSystem string) string {
	if packageSystem == RPM {
		_, version, epoch := strings.Cut(p.Version, ":")
		if !epoch {
			version = p.Version
		}
		return path.Join("Packages", p.Name+"-"+version+"."+p.Arch+".rpm")
	}
	return path.Join("pool", p.Name+"_"+strings.ReplaceAll(p.Version, ":", "%3a")+"_"+p.Arch+".deb")
}

// Blobs is every blob the manifest names, with its size; deltas included.
func (m *Manifest) Blobs() map[string]int64 {
	blobs := m.Required()
	for _, v := range m.Variants {
		for _, p := range slices.Concat(v.Packages, v.Rollback) {
			for _, d := range p.Deltas {
				blobs[d.SHA256] = d.Size
			}
		}
	}
	return blobs
}

// Required is every blob without which the bundle is not complete: packages,
// rollback packages and index files. Deltas only save bytes.
func (m *Manifest) Required() map[string]int64 {
	blobs := map[string]int64{}
	for _, v := range m.Variants {
		for sha, size := range v.Required() {
			blobs[sha] = size
		}
	}
	return blobs
}

// Required is the variant's share of Manifest.Required.
func (v Variant) Required() map[string]int64 {
	blobs := map[string]int64{}
	for _, p := range slices.Concat(v.Packages, v.Rollback) {
		blobs[p.SHA256] = p.Size
	}
	for _, f := range v.Repo.Files {
		blobs[f.SHA256] = f.Size
	}
	return blobs
}

// TargetPath is the manifest's name in targets.json.
func TargetPath(bundleID string) string { return "bundles/" + bundleID + "/manifest.json" }
