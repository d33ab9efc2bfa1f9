package build

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/edge/build/debian"
)

// KeysFile is the index file with the public keys that apt's and dnf's own check may believe.
const KeysFile = "keys.asc"

// Options are what a build needs from outside.
type Options struct {
	// Within confines the description to one folder: every file that it names must lie below, but
	// for the public keys that come with a system. Empty confines nothing. For descriptions
	// by people who may not read this machine's files.
	Within string
	// Cache keeps fetched files between builds, those that none has used for CacheFor excepted; 0 keeps
	// all.
	Cache    string
	CacheFor time.Duration
	Fetch    Fetch
	Now      func() time.Time
	// Builder is who built, for the provenance.
	Builder string
	// Log hears what happens, one line at a time, from several goroutines in turn; nil hears nothing.
	Log func(line string)
}

// Report tells what was built.
type Report struct {
	Manifest *bundle.Manifest
	Variants []VariantReport
	// Fixes counts vulnerabilities closed.
	Fixes int
	// Bytes is the size of the file.
	Bytes int64
}

// VariantReport is one variant's part.
type VariantReport struct {
	Name  string
	Nodes int
	// Kept are updates that were wanted and are not in, with their reasons, once per node.
	Kept []KeptBack
	// NoRollback names earlier versions that no source has.
	NoRollback []string
	// Whole is what the packages weigh as they are, Least what a node fetches that has every
	// earlier version, WithBase the part of Whole for which there is an earlier version at all.
	Whole, Least, WithBase int64
	Packages, Deltas       int
}

// KeptBack is an update that one node does not get.
type KeptBack struct{ Node, Package, Installed, Candidate, Reason string }

type builder struct {
	store   *store
	repoKey *debian.RepoKey
	now     func() time.Time
	log     func(string, ...any)
	tracker *tracker
	// confined: whoever describes the bundle may not have programs run over what he brings.
	confined bool
}

// Build makes the bundle that spec describes and writes it, unsigned. The same sources, nodes
// and description make the same bytes.
func Build(ctx context.Context, spec Spec, o Options, w io.Writer) (Report, error) {
	spec, err := spec.prepared()
	if err == nil && o.Within != "" {
		spec, err = spec.within(o.Within)
	}
	if err != nil {
		return Report{}, err
	}
	b, err := newBuilder(spec, o)
	if err != nil {
		return Report{}, err
	}
	var report Report
	m := &bundle.Manifest{Schema: bundle.Schema, BundleID: spec.Bundle, Version: spec.Version, Channel: spec.Channel, MinAgent: spec.MinAgent}
	var newest time.Time
	var made []*variantBuild
	for _, v := range spec.Variants {
		vb, err := b.variant(ctx, v)
		if err != nil {
			return report, err
		}
		made = append(made, vb)
		if vb.newest.After(newest) {
			newest = vb.newest
		}
	}
	if m.Created, m.Expires, err = spec.dates(newest); err != nil {
		return report, err
	}
	if !m.Expires.After(b.now()) {
		return report, fmt.Errorf("the bundle would have expired at %s already: give created, or a later expires", m.Expires.Format(time.RFC3339))
	}
	var fixes []bundle.Fix
	for _, vb := range made {
		v, err := vb.finish(ctx, m)
		if err != nil {
			return report, err
		}
		m.Variants = append(m.Variants, v)
		fixes = append(fixes, vb.fixes...)
		m.Provenance.Sources = append(m.Provenance.Sources, vb.origins...)
		report.Variants = append(report.Variants, vb.report)
	}
	slices.SortFunc(m.Variants, func(a, b bundle.Variant) int { return strings.Compare(a.Name(), b.Name()) })
	m.Fixes = uniqueFixes(fixes)
	if err := b.rest(m, spec, o); err != nil {
		return report, err
	}
	sbom, err := componentList(m)
	if err != nil {
		return report, err
	}
	m.SBOMSHA256 = hexSum(sbom)
	count := &counting{w: w}
	err = bundle.Write(count, bundle.Content{Manifest: m, SBOM: sbom, Blob: b.store.open})
	report.Manifest, report.Fixes, report.Bytes = m, len(m.Fixes), count.n
	return report, err
}

func newBuilder(spec Spec, o Options) (*builder, error) {
	var one sync.Mutex
	b := &builder{now: o.Now, confined: o.Within != "", log: func(format string, args ...any) {
		if o.Log != nil {
			one.Lock()
			defer one.Unlock()
			o.Log(fmt.Sprintf(format, args...))
		}
	}}
	var err error
	if b.store, err = newStore(o.Cache, o.Fetch, o.Now); err == nil && o.CacheFor > 0 {
		err = b.store.forget(o.CacheFor)
	}
	if err != nil {
		return nil, err
	}
	if spec.RepoKey != "" {
		text, err := os.ReadFile(spec.RepoKey)
		if err == nil {
			b.repoKey, err = debian.ReadRepoKey(text)
		}
		if err != nil {
			return nil, fmt.Errorf("repo_key: %w", err)
		}
	}
	if spec.Tracker != "" {
		if b.tracker, err = readTracker(spec.Tracker); err != nil {
			return nil, fmt.Errorf("tracker: %w", err)
		}
	}
	return b, nil
}

// rest fills in what is the bundle's and no variant's.
func (b *builder) rest(m *bundle.Manifest, spec Spec, o Options) error {
	var err error
	if m.Targets, err = spec.targets(); err != nil {
		return err
	}
	policy, err := spec.policy()
	if err != nil {
		return err
	}
	m.Provenance.Builder, m.Provenance.Commit, m.Provenance.Policy = o.Builder, spec.Commit, "sha256:"+hexSum(policy)
	slices.SortFunc(m.Provenance.Sources, func(a, b bundle.Source) int {
		return cmp.Or(strings.Compare(a.URI, b.URI), strings.Compare(a.SHA256, b.SHA256))
	})
	m.Provenance.Sources = slices.Compact(m.Provenance.Sources)
	m.Requires = bundle.Requires{DiskBytes: spec.Requires.DiskBytes, Reboot: spec.Requires.Reboot, RestartUnits: spec.Requires.RestartUnits}
	if m.Requires.DiskBytes == 0 {
		m.Requires.DiskBytes = diskNeed(m)
	}
	return nil
}

// policy is what was asked for, without where it lay on the builder's disk.
func (s Spec) policy() ([]byte, error) {
	type part struct {
		OS      string
		Include Include
		Allow   Allow
	}
	var parts []part
	for _, v := range s.Variants {
		parts = append(parts, part{v.OS, v.Include, v.Allow})
	}
	return canonicalJSON(parts)
}

// diskNeed is what the hungriest variant wants free: its packages as they are fetched and as
// they lie in the repository, as much again for what they replace, and the largest unpacked.
func diskNeed(m *bundle.Manifest) int64 {
	var most int64
	for _, v := range m.Variants {
		var need, largest int64
		for _, p := range v.Packages {
			_, onDisk := p.OnDisk()
			need += p.Size + 2*onDisk
			largest = max(largest, p.InstalledSize)
		}
		most = max(most, need+largest)
	}
	return most + most/10
}

func uniqueFixes(fixes []bundle.Fix) []bundle.Fix {
	slices.SortFunc(fixes, func(a, b bundle.Fix) int {
		return cmp.Or(strings.Compare(a.CVE, b.CVE), strings.Compare(a.Source, b.Source), strings.Compare(a.FixedVersion, b.FixedVersion))
	})
	return slices.CompactFunc(fixes, func(a, b bundle.Fix) bool {
		return a.CVE == b.CVE && a.Source == b.Source && a.FixedVersion == b.FixedVersion
	})
}

type counting struct {
	w io.Writer
	n int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// File builds into a file that appears only when it is whole.
func File(ctx context.Context, spec Spec, o Options, path string) (Report, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".bundle-*")
	if err != nil {
		return Report{}, err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it is there no more when all went well
	report, err := Build(ctx, spec, o, f)
	if err := errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return report, err
	}
	return report, os.Rename(f.Name(), path)
}
