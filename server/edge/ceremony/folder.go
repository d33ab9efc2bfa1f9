package ceremony

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/signalbox/signalbox/agents/bundle"
)

// Folder is a trust folder that has been read.
type Folder struct {
	dir   string
	set   bundle.Set
	root  *document[rootBody] // the newest that is signed; nil before the first
	draft *document[rootBody] // the next; nil when none waits
}

const nameDraft = "draft.root.json"

// Open reads a trust folder, which may be empty or not there yet.
func Open(dir string) (*Folder, error) {
	set, err := bundle.ReadSet(dir)
	if err != nil {
		return nil, fmt.Errorf("read the trust folder %s: %w", dir, err)
	}
	f := &Folder{dir: dir, set: set}
	if n := len(set.Roots); n > 0 {
		if _, err := bundle.AcceptRoots(bundle.Set{Roots: set.Roots[:1]}, set); err != nil {
			return nil, fmt.Errorf("the roots in %s: %w", dir, err)
		}
		root, err := read[rootBody](set.Roots[n-1])
		if err != nil {
			return nil, err
		}
		f.root = &root
	}
	data, err := os.ReadFile(filepath.Join(dir, nameDraft))
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	draft, err := read[rootBody](data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", nameDraft, err)
	}
	f.draft = &draft
	return f, nil
}

// Set is the signed metadata in the folder, as it may be published: lists that
// the newest root no longer covers are left out, so that a revocation need not
// wait for the release people.
func (f *Folder) Set() bundle.Set {
	targets, err := read[targetsBody](f.set.Targets)
	if f.root != nil && (err != nil || len(targets.signers(f.root.Signed, "targets")) < f.root.Signed.Roles["targets"].Threshold) {
		return bundle.Set{Roots: f.set.Roots}
	}
	return f.set
}

// Import takes over metadata from elsewhere (another person's folder, a signed
// bundle, the portal), if it follows from what is here.
func (f *Folder) Import(offered bundle.Set) error {
	if f.root == nil {
		return errors.New("the folder has no root yet to judge by; begin with keys init, or with a copy of somebody's folder")
	}
	set, err := bundle.AcceptRoots(f.set, offered)
	if err != nil {
		return err
	}
	if len(offered.Targets) > 0 {
		if set, err = accept(f.set, offered); err != nil {
			return err
		}
	}
	return f.keep(set)
}

// keep writes the set and reads it back as the folder's state.
func (f *Folder) keep(set bundle.Set) error {
	if err := bundle.WriteSet(f.dir, set); err != nil {
		return fmt.Errorf("write the trust folder %s: %w", f.dir, err)
	}
	again, err := Open(f.dir)
	if err != nil {
		return err
	}
	*f = *again
	return nil
}

func (f *Folder) keepDraft(d *document[rootBody]) error {
	data, err := d.bytes()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(f.dir, nameDraft), data, 0o644); err != nil {
		return err
	}
	f.draft = d
	return nil
}
