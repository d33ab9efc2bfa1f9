package apply

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/journal"
	"github.com/signalbox/signalbox/agents/need"
	"github.com/signalbox/signalbox/agents/packages"
	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/agents/rollback"
)

// transaction is one bundle on its way onto the machine.
type transaction struct {
	*session
	plan     protocol.Assignment
	manifest *bundle.Manifest
	variant  *bundle.Variant
	from     source
	raw      []byte // the manifest as it was signed

	picked []bundle.Package  // that would change
	before map[string]string // versions of what changes, by key; empty: not there
	after  map[string]string // what they are to be; empty: gone
	skip   []string          // held, and the policy leaves them
	method string            // of the way back; empty: there is none
}

// cache is where the local repository is built, as the machine sees it. It is
// scratch: after a power cut it is built again or, when a package manager was
// at work, checked byte by byte.
const cache = "/var/cache/signalbox-agent"

// keysFile of the repository is the key that signed its index.
const keysFile = "keys.asc"

func (t *transaction) repository() packages.Repository {
	r := packages.Repository{Dir: cache + "/repo", Work: cache + "/work"}
	signed := func(path string) bool {
		return slices.ContainsFunc(t.variant.Repo.Files, func(f bundle.RepoFile) bool { return f.Path == path })
	}
	if signed(keysFile) && (signed("InRelease") || signed("repodata/repomd.xml.asc")) {
		r.Key = r.Dir + "/" + keysFile
	}
	return r
}

func (t *transaction) rules() packages.Rules {
	rules := packages.Rules{Remove: len(t.variant.Allow.Remove) > 0, Conffiles: t.plan.Install.Conffiles, Skip: t.skip}
	for _, p := range t.picked {
		if slices.Contains(t.variant.Allow.Downgrade, p.Name) {
			rules.Downgrade = append(rules.Downgrade, packages.Want{Name: p.Name, Arch: p.Arch, Version: p.Version})
		}
	}
	return rules
}

func (t *transaction) key(p bundle.Package) string {
	return packages.Key(p.Name, p.Arch, t.variant.Arch)
}

func (t *transaction) clear() error { return os.RemoveAll(t.Root.Path(cache)) }

func (t *transaction) clearAway() {
	if err := t.clear(); err != nil {
		t.Log.Warn("scratch files stay", "error", err)
	}
}

func (t *transaction) extension() string {
	if t.variant.PackageSystem == bundle.RPM {
		return "rpm"
	}
	return "deb"
}

// build makes the local repository and fills the stash with the way back. Every
// byte in both has been hashed on its way in.
func (t *transaction) build(ctx context.Context, installed map[string]string) error {
	if err := t.clear(); err != nil {
		return fmt.Errorf("clear the scratch folder: %w", err)
	}
	root := t.Root.Path(cache + "/repo")
	for _, f := range t.variant.Repo.Files {
		if err := place(filepath.Join(root, filepath.FromSlash(path.Clean("/"+f.Path))), func(w *os.File) error {
			return t.take(ctx, w, f.SHA256, f.Size)
		}); err != nil {
			return err
		}
	}
	for _, p := range t.picked {
		if err := place(filepath.Join(root, filepath.FromSlash(p.Path(t.variant.PackageSystem))), func(w *os.File) error {
			return t.materialise(ctx, p, w)
		}); err != nil {
			return err
		}
	}
	if !t.goesBack() {
		return nil
	}
	for _, p := range need.Rollback(t.variant, t.picked, installed) {
		sha, size := p.OnDisk()
		kept := rollback.Kept{Name: p.Name, Version: p.Version, Arch: p.Arch, SHA256: sha, Size: size, Ext: t.extension()}
		if err := t.stash.Put(kept, func(path string) error {
			return create(path, func(w *os.File) error { return t.materialise(ctx, p, w) })
		}); err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) goesBack() bool {
	return t.plan.Rollback.Enabled && t.plan.Rollback.Method != "none"
}

// place makes one file of the repository.
func place(path string, fill func(*os.File) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return create(path, fill)
}

// take copies a blob; one that is whole and wrong is thrown away and counted.
func (t *transaction) take(ctx context.Context, w io.Writer, sha string, size int64) error {
	err := t.from.copy(ctx, w, sha, size)
	if bundle.KindOf(err) == bundle.Integrity {
		id := t.manifest.BundleID
		err = errors.Join(err, t.from.drop(sha), t.j.Change(func(r *journal.Record) { r.Bad[id]++ }))
	}
	return err
}

// materialise writes a package as the repository's index lists it: from the
// stash, from a delta, or from the whole file.
func (t *transaction) materialise(ctx context.Context, p bundle.Package, w *os.File) error {
	sha, size := p.OnDisk()
	stock := need.Stock(func(sha string) bool { _, ok := t.stash.BySHA256(sha); return ok }).Widened(t.variant)
	if k, ok := t.stash.BySHA256(p.SHA256); ok && p.NormSHA256 != "" {
		if err := t.normaliseKept(ctx, k, p.NormSHA256, w); err == nil {
			return nil
		}
		if err := rewind(w); err != nil {
			return err
		}
	}
	if k, ok := t.stash.BySHA256(sha); ok {
		if err := bundle.CopyVerified(ctx, w, t.stash.Path(k), sha, size); err == nil {
			return nil
		}
		if err := rewind(w); err != nil { // a stash that has rotted is no reason to stop
			return err
		}
	}
	_, delta := need.Source(p, stock, true)
	if delta != nil && !t.from.has(p.SHA256) {
		return t.patch(ctx, p, *delta, w)
	}
	if p.NormSHA256 == "" {
		return t.take(ctx, w, p.SHA256, p.Size)
	}
	return t.normalise(ctx, p, w)
}

func rewind(f *os.File) error {
	_, err := f.Seek(0, io.SeekStart)
	return errors.Join(err, f.Truncate(0))
}

// patch applies a delta to a file of the stash.
func (t *transaction) patch(ctx context.Context, p bundle.Package, d bundle.Delta, w *os.File) error {
	temp, err := os.CreateTemp(t.Dir, "delta-")
	if err != nil {
		return err
	}
	defer t.discard(temp)
	if err := t.take(ctx, temp, d.SHA256, d.Size); err != nil {
		return err
	}
	if _, err := temp.Seek(0, io.SeekStart); err != nil {
		return err
	}
	base, err := t.base(ctx, d.BaseSHA256)
	if err == nil {
		defer t.discard(base)
		err = applyDelta(ctx, d.Algo, base, temp, w, p)
	}
	if bundle.KindOf(err) == bundle.Integrity {
		// The delta is the signed one, so its base has rotted: next time the whole is fetched.
		original := need.Originals(t.variant)[d.BaseSHA256]
		lost := t.stash.Keep(func(kept rollback.Kept) bool { return kept.SHA256 != d.BaseSHA256 && kept.SHA256 != original })
		err = errors.Join(&bundle.Error{Kind: bundle.Incomplete, Message: "The stashed base of " + p.Name + " is damaged; the whole package is needed."}, lost)
	}
	return err
}

// base is a copy of the normalised file that a delta is against: as it is kept, or made
// of the original that an earlier bundle brought whole.
func (t *transaction) base(ctx context.Context, sha string) (*os.File, error) {
	temp, err := os.CreateTemp(t.Dir, "base-")
	if err != nil {
		return nil, err
	}
	if k, ok := t.stash.BySHA256(sha); ok {
		err = bundle.CopyVerified(ctx, temp, t.stash.Path(k), sha, k.Size)
	} else {
		k, _ := t.stash.BySHA256(need.Originals(t.variant)[sha])
		err = t.normaliseKept(ctx, k, sha, temp)
	}
	if err != nil {
		t.discard(temp)
		return nil, err
	}
	return temp, nil
}

// normaliseKept writes the normalised form of a kept original.
func (t *transaction) normaliseKept(ctx context.Context, k rollback.Kept, want string, w *os.File) error {
	in, err := os.Open(t.stash.Path(k))
	if err != nil {
		return err
	}
	defer in.Close()
	sha, _, err := bundle.Normalise(ctx, in, w, bundle.MaxBlob)
	if err == nil && sha != want {
		err = &bundle.Error{Kind: bundle.Integrity, Message: "The stashed file of " + k.Name + " is damaged."}
	}
	return err
}

func (t *transaction) discard(temp *os.File) {
	if err := errors.Join(temp.Close(), os.Remove(temp.Name())); err != nil {
		t.Log.Warn("a scratch file stays", "error", err)
	}
}

func applyDelta(ctx context.Context, algo string, base *os.File, delta io.Reader, w io.Writer, p bundle.Package) error {
	info, err := base.Stat()
	if err != nil {
		return err
	}
	if algo == bundle.ZstdSegments {
		return bundle.ApplySegments(ctx, base, info.Size(), delta, w, p.NormSHA256, p.NormSize)
	}
	if info.Size() > bundle.MaxDeltaBase {
		return &bundle.Error{Kind: bundle.Malformed, Message: "The base of a delta of " + p.Name + " is too large."}
	}
	raw := make([]byte, info.Size())
	if _, err := base.ReadAt(raw, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return bundle.ApplyDelta(ctx, raw, delta, w, p.NormSHA256, p.NormSize)
}

// normalise unpacks a whole file into the form that the index lists.
func (t *transaction) normalise(ctx context.Context, p bundle.Package, w *os.File) error {
	temp, err := os.CreateTemp(t.Dir, "whole-")
	if err != nil {
		return err
	}
	defer t.discard(temp)
	if err := t.take(ctx, temp, p.SHA256, p.Size); err != nil {
		return err
	}
	if _, err := temp.Seek(0, io.SeekStart); err != nil {
		return err
	}
	sha, size, err := bundle.Normalise(ctx, temp, w, p.NormSize)
	if err == nil && (sha != p.NormSHA256 || size != p.NormSize) {
		err = &bundle.Error{Kind: bundle.Malformed, Message: "The normalised form of " + p.Name + " is not what the manifest says."}
	}
	return err
}

// intact hashes the local repository again: a process before this one built it.
func (t *transaction) intact(ctx context.Context) error {
	root := t.Root.Path(cache + "/repo")
	for _, f := range t.variant.Repo.Files {
		if err := bundle.VerifyPath(ctx, filepath.Join(root, filepath.FromSlash(path.Clean("/"+f.Path))), f.SHA256, f.Size); err != nil {
			return err
		}
	}
	for _, p := range t.picked {
		sha, size := p.OnDisk()
		if err := bundle.VerifyPath(ctx, filepath.Join(root, filepath.FromSlash(p.Path(t.variant.PackageSystem))), sha, size); err != nil {
			return err
		}
	}
	return nil
}

// copyHashed copies a section and wants it to be exactly that blob.
func copyHashed(_ context.Context, w io.Writer, r *io.SectionReader, sha string, size int64) error {
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, h), r)
	switch {
	case err != nil:
		return err
	case n < size:
		return &bundle.Error{Kind: bundle.Incomplete, Message: fmt.Sprintf("Blob %s has %d of %d bytes.", sha, n, size)}
	case n > size || hex.EncodeToString(h.Sum(nil)) != sha:
		return &bundle.Error{Kind: bundle.Integrity, Message: "Blob " + sha + " has another hash."}
	}
	return nil
}

// free is how much can be written where the bundle needs it.
func (t *transaction) free() (int64, error) {
	least := int64(-1)
	for _, dir := range []string{t.Dir, t.Root.Path("/"), t.Root.Path("/var"), t.Root.Path("/usr"), t.Root.Path("/boot")} {
		f, err := host.Free(dir)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		if dir == t.Root.Path("/boot") && !t.changesKernel() {
			continue
		}
		if least < 0 || f < least {
			least = f
		}
	}
	return least, nil
}
