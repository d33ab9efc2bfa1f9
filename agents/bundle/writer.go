package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"slices"
)

// Names of the members, in their order in the file; roots come first, blobs last.
const (
	nameTargets   = "targets.json"
	nameSnapshot  = "snapshot.json"
	nameTimestamp = "timestamp.json"
	nameManifest  = "manifest.json"
	nameSBOM      = "sbom.cdx.json"
	prefixBlobs   = "blobs/sha256/"
)

func nameRoot(version int64) string { return fmt.Sprintf("root/%d.root.json", version) }

// Content is what Write puts into a bundle.
type Content struct {
	Manifest *Manifest
	SBOM     []byte
	// Set is the metadata; the zero Set makes an unsigned bundle.
	Set Set
	// Blob opens a blob by its hash. For a delta it may return fs.ErrNotExist: the delta is left out.
	Blob func(sha256 string) (io.ReadCloser, error)
}

// Write writes a bundle: the same content is always the same bytes. Every blob
// is hashed on the way, so that nobody can sign what is not there.
func Write(w io.Writer, content Content) error {
	data, err := content.Manifest.Encode()
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(content.SBOM); hex.EncodeToString(sum[:]) != content.Manifest.SBOMSHA256 {
		return refuse(Integrity, "The component list is not the one that the manifest names.")
	}
	t := tarWriter{w}
	if err := writeSet(t, content.Set); err != nil {
		return err
	}
	if err := t.add(nameManifest, int64(len(data)), bytes.NewReader(data)); err != nil {
		return err
	}
	if err := t.add(nameSBOM, int64(len(content.SBOM)), bytes.NewReader(content.SBOM)); err != nil {
		return err
	}
	required := content.Manifest.Required()
	blobs := content.Manifest.Blobs()
	for _, sha := range slices.Sorted(maps.Keys(blobs)) {
		_, must := required[sha]
		if err := writeBlob(t, sha, blobs[sha], must, content.Blob); err != nil {
			return err
		}
	}
	return t.close()
}

func writeSet(t tarWriter, set Set) error {
	for _, root := range set.Roots {
		parsed, err := parseRoot(root)
		if err != nil {
			return err
		}
		if err := t.add(nameRoot(parsed.Signed.Version), int64(len(root)), bytes.NewReader(root)); err != nil {
			return err
		}
	}
	for _, m := range []struct {
		name string
		data []byte
	}{{nameTargets, set.Targets}, {nameSnapshot, set.Snapshot}, {nameTimestamp, set.Timestamp}} {
		if len(m.data) == 0 {
			continue
		}
		if err := t.add(m.name, int64(len(m.data)), bytes.NewReader(m.data)); err != nil {
			return err
		}
	}
	return nil
}

func writeBlob(t tarWriter, sha string, size int64, must bool, open func(string) (io.ReadCloser, error)) error {
	r, err := open(sha)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open blob %s: %w", sha, err)
	}
	h := &hashing{r: r, hash: sha256.New()}
	if err := errors.Join(t.add(prefixBlobs+sha, size, h), r.Close()); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.hash.Sum(nil)); got != sha {
		return refuse(Integrity, "Blob %s has the hash %s.", sha, got)
	}
	return nil
}

// hashing hashes what is read through it.
type hashing struct {
	r    io.Reader
	hash hash.Hash
}

func (h *hashing) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.hash.Write(p[:n])
	return n, err
}
