package edge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// PublishBundle takes a signed bundle: everything in it is verified before any of it
// is kept. Publishing the same again changes nothing.
func (s *Service) PublishBundle(ctx context.Context, team int64, r io.Reader) (Bundle, error) {
	if err := identity.Require(ctx, team, writing); err != nil {
		return Bundle{}, err
	}
	path, err := s.spool(r)
	if path != "" {
		defer os.Remove(path) // the next start removes what this cannot
	}
	if err != nil {
		return Bundle{}, err
	}
	f, err := bundle.Open(path)
	if err != nil {
		return Bundle{}, refusal(err)
	}
	defer f.Close()
	if !f.Signed() {
		return Bundle{}, problem.New(problem.Invalid, "The signatures do not hold: this bundle is not signed.")
	}
	if err := f.Verify(ctx); err != nil {
		return Bundle{}, refusal(err)
	}
	return s.publishFile(ctx, team, f)
}

// spool writes what comes to a file, since a bundle is read from several places.
func (s *Service) spool(r io.Reader) (string, error) {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(s.Dir, "bundle-*")
	if err != nil {
		return "", err
	}
	n, err := io.Copy(f, io.LimitReader(r, s.MaxBundle+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return f.Name(), problem.Wrap(err, problem.Invalid, "The bundle could not be read to its end.")
	}
	if n > s.MaxBundle {
		return f.Name(), problem.New(problem.TooLarge, "The bundle is larger than %d MB; edge.max_bundle_mb raises that.", s.MaxBundle>>20)
	}
	return f.Name(), nil
}

func (s *Service) publishFile(ctx context.Context, team int64, f *bundle.File) (Bundle, error) {
	before, err := s.trusted(ctx, team)
	if err != nil {
		return Bundle{}, err
	}
	if len(before.set.Roots) == 0 {
		return Bundle{}, problem.New(problem.Conflict, "The team has no root yet, so nobody's signature counts. Bring the root on the keys page first.")
	}
	after, err := s.judge(before.set, f.Set)
	if err != nil {
		return Bundle{}, err
	}
	t, err := readTrusted(after)
	if err != nil {
		return Bundle{}, refusal(err)
	}
	if t.view == nil {
		return Bundle{}, problem.New(problem.Invalid, "The signatures do not hold: the newest root does not know who made them.")
	}
	m, err := t.view.Manifest(f.Manifest.BundleID, f.ManifestBytes)
	if err != nil {
		return Bundle{}, refusal(err)
	}
	if _, err := m.Fresh(s.Now(), 0); err != nil {
		return Bundle{}, refusal(err)
	}
	b := s.describeBundle(team, m, t, f)
	if there, err := s.rows().bundle(ctx, team, b.ID); err == nil {
		if there.ManifestSHA256 != b.ManifestSHA256 {
			return Bundle{}, problem.New(problem.Conflict, "There is another bundle %s already. An id is used once.", b.ID)
		}
		return there, s.DB.Tx(ctx, func(ctx context.Context) error { return s.keepTrust(ctx, team, before, after) })
	}
	b.PublishedBy = identity.From(ctx).Name
	blobs, err := s.storeBlobs(ctx, b, m, f)
	if err != nil {
		return Bundle{}, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.keepTrust(ctx, team, before, after); err != nil {
			return err
		}
		return s.keepBundle(ctx, b, m, blobs)
	})
	return b, err
}

func (s *Service) describeBundle(team int64, m *bundle.Manifest, t *trusted, f *bundle.File) Bundle {
	b := Bundle{ID: m.BundleID, Team: team, Version: m.Version, Channel: m.Channel, CreatedAt: api.Millis(m.Created.UnixMilli()), ExpiresAt: api.Millis(m.Expires.UnixMilli()),
		ManifestSHA256: t.view.Bundles()[m.BundleID].SHA256, SBOMSHA256: m.SBOMSHA256, Fixes: int64(len(m.Fixes)), Variants: []BundleVariant{}, Signers: []Signer{}, PublishedAt: api.Millis(s.millis())}
	for _, key := range t.view.Signers() {
		b.Signers = append(b.Signers, Signer{"targets", key})
	}
	required := m.Required()
	for sha, size := range m.Blobs() {
		if _, must := required[sha]; must {
			b.Size += size
		} else if f.Has(sha) {
			b.DeltaSize += size
		}
	}
	for _, v := range m.Variants {
		out := BundleVariant{Name: v.Name(), Codename: v.Codename, Packages: len(v.Packages), Rollback: len(v.Rollback)}
		for _, size := range v.Required() {
			out.Size += size
		}
		for _, p := range v.Packages {
			out.Best += least(p, f)
		}
		b.Packages += int64(len(v.Packages))
		b.Variants = append(b.Variants, out)
	}
	return b
}

// least is the fewest bytes that bring a package.
func least(p bundle.Package, f *bundle.File) int64 {
	size := p.Size
	for _, d := range p.Deltas {
		if f.Has(d.SHA256) {
			size = min(size, d.Size)
		}
	}
	return size
}

// storeBlobs keeps everything that nodes may ask for. What is stored and not owned within
// an hour goes again by itself, so a publication that fails leaves nothing.
func (s *Service) storeBlobs(ctx context.Context, b Bundle, m *bundle.Manifest, f *bundle.File) ([]blobRow, error) {
	var out []blobRow
	put := func(sha string, size int64, r io.Reader) error {
		ref, err := s.Blobs.Put(ctx, b.Team, r, size)
		if err == nil && ref.SHA256 != sha {
			err = fmt.Errorf("blob %s changed while it was stored", sha)
		}
		out = append(out, blobRow{b.Team, sha, b.ID, size})
		return err
	}
	all := m.Blobs()
	for _, sha := range slices.Sorted(maps.Keys(all)) {
		if !f.Has(sha) {
			continue // Verify has said that it is only a delta
		}
		content, err := f.Blob(sha)
		if err != nil {
			return nil, refusal(err)
		}
		if err := put(sha, all[sha], content); err != nil {
			return nil, err
		}
	}
	sbom, err := f.SBOM()
	if err != nil {
		return nil, refusal(err)
	}
	for sha, raw := range map[string]string{b.ManifestSHA256: string(f.ManifestBytes), b.SBOMSHA256: string(sbom)} {
		if _, there := all[sha]; there {
			continue
		}
		if err := put(sha, int64(len(raw)), strings.NewReader(raw)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Service) keepBundle(ctx context.Context, b Bundle, m *bundle.Manifest, blobs []blobRow) error {
	newest, err := s.rows().newest(ctx, b.Team, b.Channel)
	if err != nil {
		return err
	}
	if b.Version <= newest {
		return problem.New(problem.Conflict, "Too old or expired: channel %s has had version %d, and this is %d. Versions only grow.", b.Channel, newest, b.Version)
	}
	if err := s.rows().insertBundle(ctx, b); err != nil {
		return err
	}
	if err := s.rows().insertBlobs(ctx, blobs); err != nil {
		return err
	}
	for _, row := range blobs {
		if err := s.Blobs.Own(ctx, b.Team, row.SHA256, blobOwner, b.ID); err != nil {
			return err
		}
	}
	if err := s.rows().insertFixes(ctx, fixesOf(b, m)); err != nil {
		return err
	}
	if s.OnPublished != nil {
		if err := s.OnPublished(ctx, b.Team, b.ID); err != nil {
			return err
		}
	}
	if err := s.publish(ctx, b.Team, bundlesTopic, b.ID); err != nil {
		return err
	}
	return s.audit(ctx, b.Team, "edge.bundle.publish", b.ID, text(map[string]any{"version": b.Version, "channel": b.Channel, "manifest": b.ManifestSHA256}))
}

// fixesOf says what a bundle mends in each variant that has packages of the
// source. A manifest may name several versions of one source, for systems of
// different age: the one counts that the variant has, or else the first.
func fixesOf(b Bundle, m *bundle.Manifest) []fixRow {
	var out []fixRow
	for _, v := range m.Variants {
		versions := map[string][]string{}
		for _, p := range v.Packages {
			source := cmp.Or(p.Source, p.Name)
			versions[source] = append(versions[source], p.Version)
		}
		at := map[[2]string]int{}
		for _, f := range m.Fixes {
			have, there := versions[f.Source]
			if !there {
				continue
			}
			row := fixRow{b.Team, b.ID, v.Name(), f.CVE, f.Source, f.FixedVersion, f.Severity, f.Advisory}
			key := [2]string{f.CVE, f.Source}
			if i, known := at[key]; !known {
				at[key] = len(out)
				out = append(out, row)
			} else if slices.Contains(have, f.FixedVersion) {
				out[i] = row
			}
		}
	}
	return out
}
