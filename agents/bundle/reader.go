package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// File is an opened bundle. Open has checked its form and its limits, and no
// more: who vouches for it is the metadata's matter (Accept, Trust.VerifyFile),
// whether its blobs are what the manifest says is Verify's.
type File struct {
	Manifest      *Manifest
	ManifestBytes []byte
	Set           Set

	r       io.ReaderAt
	close   func() error
	sbom    member
	members map[string]member // by hash
	sizes   map[string]int64  // what the manifest declares
	last    string            // the last blob's hash: blobs are sorted
}

// Open opens a bundle on disk.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if !info.Mode().IsRegular() {
		return nil, errors.Join(refuse(Malformed, "%s is not a file.", path), f.Close())
	}
	file, err := NewFile(f, info.Size())
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	file.close = f.Close
	return file, nil
}

// NewFile reads the headers, the metadata and the manifest of a bundle of size bytes.
func NewFile(r io.ReaderAt, size int64) (*File, error) {
	f := &File{r: r, members: map[string]member{}, close: func() error { return nil }}
	t := &tarReader{r: r, size: size}
	stage := 0
	for {
		m, err := t.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		at, err := f.take(m)
		if err != nil {
			return nil, err
		}
		// Roots and blobs may follow their own kind; everything else comes once and in order.
		if at < stage || at == stage && at != stageRoot && at != stageBlob {
			return nil, refuse(Malformed, "The member %s is in the wrong place or there twice.", m.name)
		}
		stage = at
	}
	if f.Manifest == nil || f.sbom.name == "" {
		return nil, refuse(Malformed, "The file holds no manifest or no component list, so it is no bundle.")
	}
	return f, nil
}

// The stages in the order of members.
const (
	stageRoot = iota
	stageTargets
	stageSnapshot
	stageTimestamp
	stageManifest
	stageSBOM
	stageBlob
)

// take reads or remembers one member and says which stage it belongs to.
func (f *File) take(m member) (stage int, err error) {
	switch {
	case m.name == nameTargets:
		f.Set.Targets, err = f.bytes(m, MaxTargets)
		return stageTargets, err
	case m.name == nameSnapshot:
		f.Set.Snapshot, err = f.bytes(m, MaxSnapshot)
		return stageSnapshot, err
	case m.name == nameTimestamp:
		f.Set.Timestamp, err = f.bytes(m, MaxTimestamp)
		return stageTimestamp, err
	case m.name == nameManifest:
		if f.ManifestBytes, err = f.bytes(m, MaxManifest); err != nil {
			return 0, err
		}
		f.Manifest, err = ParseManifest(f.ManifestBytes)
		return stageManifest, err
	case m.name == nameSBOM:
		f.sbom = m
		if m.size > MaxSBOM {
			return 0, refuse(Malformed, "The component list is %d bytes; the limit is %d.", m.size, MaxSBOM)
		}
		return stageSBOM, nil
	case strings.HasPrefix(m.name, "root/"):
		return stageRoot, f.root(m)
	case strings.HasPrefix(m.name, prefixBlobs):
		return stageBlob, f.blob(m)
	}
	return 0, refuse(Malformed, "A bundle has no member %.120q.", m.name)
}

func (f *File) root(m member) error {
	if len(f.Set.Roots) >= MaxRoots {
		return refuse(Malformed, "The bundle holds more than %d roots.", MaxRoots)
	}
	data, err := f.bytes(m, MaxRoot)
	if err != nil {
		return err
	}
	root, err := parseRoot(data)
	if err != nil {
		return err
	}
	before := int64(0)
	if n := len(f.Set.Roots); n > 0 {
		last, err := parseRoot(f.Set.Roots[n-1])
		if err != nil {
			return err
		}
		before = last.Signed.Version
	}
	if m.name != nameRoot(root.Signed.Version) || before > 0 && root.Signed.Version != before+1 {
		return refuse(Malformed, "The root %s is out of order or holds another version.", m.name)
	}
	f.Set.Roots = append(f.Set.Roots, data)
	return nil
}

func (f *File) blob(m member) error {
	if f.Manifest == nil {
		return refuse(Malformed, "The bundle has a blob before its manifest.")
	}
	if f.sizes == nil {
		f.sizes = f.Manifest.Blobs()
	}
	sha := strings.TrimPrefix(m.name, prefixBlobs)
	size, listed := f.sizes[sha]
	if !listed {
		return refuse(Malformed, "The manifest does not name the blob %.80q.", sha)
	}
	if size != m.size {
		return refuse(Integrity, "Blob %s is %d bytes; the manifest says %d.", sha, m.size, size)
	}
	if sha <= f.last {
		return refuse(Malformed, "Blob %s is in the wrong place or there twice.", sha)
	}
	f.last = sha
	f.members[sha] = m
	return nil
}

func (f *File) bytes(m member, limit int64) ([]byte, error) {
	if m.size > limit {
		return nil, refuse(Malformed, "%s is %d bytes; the limit is %d.", m.name, m.size, limit)
	}
	if m.size == 0 {
		return nil, refuse(Malformed, "%s is empty.", m.name)
	}
	data := make([]byte, m.size)
	if _, err := f.r.ReadAt(data, m.offset); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", m.name, err)
	}
	return data, nil
}

// Close closes the file that Open opened.
func (f *File) Close() error { return f.close() }

// Signed says whether the bundle carries signatures at all; not whether they are good.
func (f *File) Signed() bool { return len(f.Set.Targets) > 0 && len(f.Set.Snapshot) > 0 }

// SBOM returns the CycloneDX component list, checked against the manifest's hash.
func (f *File) SBOM() ([]byte, error) {
	data := make([]byte, f.sbom.size)
	if _, err := f.r.ReadAt(data, f.sbom.offset); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", nameSBOM, err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != f.Manifest.SBOMSHA256 {
		return nil, refuse(Integrity, "The component list is not the one that the manifest names.")
	}
	return data, nil
}

// Has says whether the bundle carries the blob.
func (f *File) Has(sha string) bool { _, ok := f.members[sha]; return ok }

// Blob returns a blob's bytes, not yet hashed; Incomplete when the bundle does not carry it.
func (f *File) Blob(sha string) (*io.SectionReader, error) {
	m, ok := f.members[sha]
	if !ok {
		return nil, refuse(Incomplete, "The bundle does not carry the blob %s.", sha)
	}
	return io.NewSectionReader(f.r, m.offset, m.size), nil
}

// Complete is an Incomplete error when a required blob is missing.
func (f *File) Complete() error {
	missing := 0
	for sha := range f.Manifest.Required() {
		if !f.Has(sha) {
			missing++
		}
	}
	if missing > 0 {
		return refuse(Incomplete, "%d of the bundle's blobs are missing.", missing)
	}
	return nil
}

// Verify hashes the component list and every blob, and wants the required ones all there.
func (f *File) Verify(ctx context.Context) error {
	if err := f.Complete(); err != nil {
		return err
	}
	if _, err := f.SBOM(); err != nil {
		return err
	}
	for _, sha := range slices.Sorted(maps.Keys(f.members)) {
		m := f.members[sha]
		if err := copyVerified(ctx, io.Discard, io.NewSectionReader(f.r, m.offset, m.size), sha, m.size); err != nil {
			return err
		}
	}
	return nil
}
