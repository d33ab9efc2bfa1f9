package ceremony

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
)

// Release is what release keys are asked to sign.
type Release struct {
	// Keys are whoever is here; others may sign the bundle later, elsewhere.
	Keys []Key
	// File is the bundle; nil signs the present list anew (after a rotation, or before its date).
	File *bundle.File
	// Drop names bundles that are vouched for no longer.
	Drop    []string
	Now     time.Time
	Expires time.Time // of the list
}

// Sign vouches for a bundle with release keys. The outcome is the metadata to
// put into the bundle; where more keys must sign, the next person signs that
// file. When enough have, the folder takes the metadata over.
func (f *Folder) Sign(ctx context.Context, r Release) (bundle.Set, Progress, error) {
	if err := f.maySign(r); err != nil {
		return bundle.Set{}, Progress{}, err
	}
	if r.File != nil {
		if err := r.File.Verify(ctx); err != nil {
			return bundle.Set{}, Progress{}, err
		}
	}
	targets, snapshot, err := f.lists(r)
	if err != nil {
		return bundle.Set{}, Progress{}, err
	}
	for _, key := range r.Keys {
		if err := errors.Join(targets.sign(key), snapshot.sign(key)); err != nil {
			return bundle.Set{}, Progress{}, err
		}
	}
	set := bundle.Set{Roots: f.set.Roots}
	if set.Targets, err = targets.bytes(); err == nil {
		set.Snapshot, err = snapshot.bytes()
	}
	if err != nil {
		return bundle.Set{}, Progress{}, err
	}
	root := f.root.Signed
	p := Progress{Have: len(targets.signers(root, "targets")), Need: root.Roles["targets"].Threshold}
	if p.Have < p.Need {
		if r.File == nil {
			return set, p, fmt.Errorf("%d of %d release keys have signed; a list without a bundle is signed by all at once", p.Have, p.Need)
		}
		return set, p, nil
	}
	p.Done = true
	kept, err := accept(f.set, set)
	if err != nil {
		return set, p, fmt.Errorf("check the new list: %w", err)
	}
	return set, p, f.keep(kept)
}

// MaySign says whether a key may sign bundles.
func (f *Folder) MaySign(public ed25519.PublicKey) error {
	if f.root == nil {
		return fmt.Errorf("%s has no root yet; begin with keys init", f.dir)
	}
	if id := KeyID(public); !slices.Contains(f.root.Signed.Roles["targets"].KeyIDs, id) {
		return fmt.Errorf("key %s is no release key of root %d", id, f.root.Signed.Version)
	}
	return nil
}

func (f *Folder) maySign(r Release) error {
	for _, key := range r.Keys {
		if err := f.MaySign(key.Public()); err != nil {
			return err
		}
	}
	switch {
	case len(r.Keys) == 0:
		return errors.New("there is no key to sign with")
	case r.Now.After(f.root.Signed.Expires):
		return fmt.Errorf("root %d expired at %s; its holders must sign a new one first (keys renew, keys sign)", f.root.Signed.Version, f.root.Signed.Expires.Format(time.RFC3339))
	case r.File != nil && r.Now.After(r.File.Manifest.Expires):
		return fmt.Errorf("bundle %s expired at %s", r.File.Manifest.BundleID, r.File.Manifest.Expires.Format(time.RFC3339))
	}
	return nil
}

// accept judges a list by what the folder holds; a list that a rotated key had signed counts no more.
func accept(trusted, offered bundle.Set) (bundle.Set, error) {
	set, view, err := bundle.Accept(trusted, offered, bundle.Installed, time.Time{})
	if err == nil && (view.Older || !bytes.Equal(set.Targets, offered.Targets) && targetsVersion(offered.Targets) != view.Targets.Version) {
		err = errors.New("the list in the folder is newer")
	}
	return set, err
}

func targetsVersion(data []byte) int64 {
	d, err := read[targetsBody](data)
	if err != nil {
		return 0
	}
	return d.Signed.Version
}

// lists are the targets and the snapshot to be signed: the ones in the bundle
// where another release key has begun, else new ones on top of the folder's.
func (f *Folder) lists(r Release) (*document[targetsBody], *document[metaBody], error) {
	current, err := f.current()
	if err != nil {
		return nil, nil, err
	}
	next := targetsBody{head: newHead("targets", current.Version+1, r.Expires), Targets: maps.Clone(current.Targets)}
	if next.Targets == nil {
		next.Targets = map[string]targetBody{}
	}
	for _, id := range r.Drop {
		if _, ok := next.Targets[bundle.TargetPath(id)]; !ok {
			return nil, nil, fmt.Errorf("the list has no bundle %s", id)
		}
		delete(next.Targets, bundle.TargetPath(id))
	}
	if r.File != nil {
		if err := next.vouch(r.File); err != nil {
			return nil, nil, err
		}
		if targets, begun := f.begun(r.File, current); begun {
			return f.cosign(r.File, targets, next)
		}
	}
	version := next.Version
	if d, err := read[metaBody](f.set.Snapshot); err == nil {
		version = max(version, d.Signed.Version+1)
	}
	// No hash of targets.json here: every further signature changes its bytes.
	snapshot := metaBody{head: newHead("snapshot", version, r.Expires), Meta: map[string]fileBody{"targets.json": {Version: next.Version}}}
	return &document[targetsBody]{Signed: next}, &document[metaBody]{Signed: snapshot}, nil
}

// current is the folder's list. After a rotation it is still signed by the keys
// of an earlier root of the chain; signed by none of them, it is not carried on.
func (f *Folder) current() (targetsBody, error) {
	if len(f.set.Targets) == 0 {
		return targetsBody{}, nil
	}
	d, err := read[targetsBody](f.set.Targets)
	if err != nil {
		return targetsBody{}, err
	}
	for _, data := range slices.Backward(f.set.Roots) {
		root, err := read[rootBody](data)
		if err != nil {
			return targetsBody{}, err
		}
		if len(d.signers(root.Signed, "targets")) >= root.Signed.Roles["targets"].Threshold {
			return d.Signed, nil
		}
	}
	return targetsBody{}, fmt.Errorf("targets.json in %s is not signed by the release keys of any root here", f.dir)
}

// vouch adds the bundle. An id stands for one content for ever, and within a channel versions only grow.
func (b *targetsBody) vouch(file *bundle.File) error {
	m := file.Manifest
	sum := sha256.Sum256(file.ManifestBytes)
	target := targetBody{Length: int64(len(file.ManifestBytes)), Hashes: map[string]string{"sha256": hex.EncodeToString(sum[:])},
		Custom: bundle.TargetInfo{Version: m.Version, Channel: m.Channel, Variants: []string{}}}
	for _, v := range m.Variants {
		target.Custom.Variants = append(target.Custom.Variants, v.Name())
	}
	path := bundle.TargetPath(m.BundleID)
	if have, ok := b.Targets[path]; ok {
		if have.Hashes["sha256"] != target.Hashes["sha256"] {
			return fmt.Errorf("another bundle %s is signed already; a bundle's id is used once", m.BundleID)
		}
		return nil
	}
	for _, have := range b.Targets {
		if have.Custom.Channel == m.Channel && have.Custom.Version >= m.Version {
			return fmt.Errorf("channel %s is at version %d already; bundle %s has version %d", m.Channel, have.Custom.Version, m.BundleID, m.Version)
		}
	}
	b.Targets[path] = target
	return nil
}

// begun is the list that the bundle carries, if one of today's release keys has
// signed it and it is the folder's own or a newer one. Any other counts as none.
func (f *Folder) begun(file *bundle.File, current targetsBody) (document[targetsBody], bool) {
	d, err := read[targetsBody](file.Set.Targets)
	if err != nil || len(d.signers(f.root.Signed, "targets")) == 0 {
		return d, false
	}
	return d, d.Signed.Version > current.Version || d.Signed.Version == current.Version && d.Signed.Expires.Equal(current.Expires)
}

// cosign takes the lists that the bundle carries, which a release key has begun to
// sign, if they say just what this person would have signed, apart from the date.
func (f *Folder) cosign(file *bundle.File, targets document[targetsBody], next targetsBody) (*document[targetsBody], *document[metaBody], error) {
	snapshot, err := read[metaBody](file.Set.Snapshot)
	if err != nil {
		return nil, nil, err
	}
	t := targets.Signed
	if t.Version > next.Version {
		return nil, nil, fmt.Errorf("the bundle carries list %d, here is list %d: bring the folder up to date with keys import", t.Version, next.Version-1)
	}
	mine, err := bundle.Canonical(next.Targets)
	if err != nil {
		return nil, nil, err
	}
	theirs, err := bundle.Canonical(t.Targets)
	if err != nil {
		return nil, nil, err
	}
	if !bytes.Equal(mine, theirs) {
		return nil, nil, errors.New("the list that the bundle carries vouches for other bundles than the list here: bring the folder up to date with keys import, or have it signed from the start")
	}
	if named := snapshot.Signed.Meta["targets.json"]; len(snapshot.Signed.Meta) != 1 || named.Version != t.Version {
		return nil, nil, errors.New("snapshot and list in the bundle do not belong together")
	}
	return &targets, &snapshot, nil
}

// SignTimestamp says that the snapshot is the newest until it expires: the
// portal's part. The snapshot must have been accepted before.
func SignTimestamp(private ed25519.PrivateKey, snapshot []byte, version int64, expires time.Time) ([]byte, error) {
	d, err := read[metaBody](snapshot)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(snapshot)
	t := document[metaBody]{Signed: metaBody{head: newHead("timestamp", version, expires), Meta: map[string]fileBody{
		"snapshot.json": {Version: d.Signed.Version, Length: int64(len(snapshot)), Hashes: map[string]string{"sha256": hex.EncodeToString(sum[:])}}}}}
	if err := t.sign(Key{private}); err != nil {
		return nil, err
	}
	return t.bytes()
}
