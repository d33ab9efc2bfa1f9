package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// ReadSet reads a trust folder: root/N.root.json without a gap, and what there is of the rest.
func ReadSet(dir string) (Set, error) {
	var set Set
	entries, err := os.ReadDir(filepath.Join(dir, "root"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return set, err
	}
	first := int64(0)
	for _, e := range entries {
		var version int64
		if n, _ := fmt.Sscanf(e.Name(), "%d.root.json", &version); n == 1 && (first == 0 || version < first) {
			first = version
		}
	}
	for version := first; first > 0 && len(set.Roots) < MaxRoots; version++ {
		data, err := readFile(filepath.Join(dir, nameRoot(version)), MaxRoot)
		if err != nil {
			return set, err
		}
		if data == nil {
			break
		}
		set.Roots = append(set.Roots, data)
	}
	if pending, err := readPending(dir); err != nil || pending != nil {
		if pending != nil {
			set.Timestamp, set.Snapshot, set.Targets = pending.Timestamp, pending.Snapshot, pending.Targets
		}
		return set, err
	}
	for _, m := range []struct {
		name  string
		limit int64
		into  *[]byte
	}{{nameTimestamp, MaxTimestamp, &set.Timestamp}, {nameSnapshot, MaxSnapshot, &set.Snapshot}, {nameTargets, MaxTargets, &set.Targets}} {
		if *m.into, err = readFile(filepath.Join(dir, m.name), m.limit); err != nil {
			return set, err
		}
	}
	return set, nil
}

// readFile reads a file of at most limit bytes; nil when there is none.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = refuse(Malformed, "%s is longer than %d bytes.", path, limit)
	}
	return data, errors.Join(err, f.Close())
}

// namePending is there while WriteSet is at work. It holds what is being written,
// so that after a power cut nobody reads pieces of two releases.
const namePending = "pending.json"

type pendingSet struct {
	Timestamp []byte `json:"timestamp"`
	Snapshot  []byte `json:"snapshot"`
	Targets   []byte `json:"targets"`
}

func readPending(dir string) (*pendingSet, error) {
	data, err := readFile(filepath.Join(dir, namePending), 2*(MaxTimestamp+MaxSnapshot+MaxTargets))
	if err != nil || data == nil {
		return nil, err
	}
	var p pendingSet
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("read %s: %w", namePending, err)
	}
	return &p, nil
}

// WriteSet writes a trust folder. The roots come first: what comes later is
// verified by them. After a power cut at any moment ReadSet gives the old set or
// the new one, the old perhaps with new roots.
func WriteSet(dir string, set Set) error {
	if err := os.MkdirAll(filepath.Join(dir, "root"), 0o755); err != nil {
		return err
	}
	for _, data := range set.Roots {
		root, err := parseRoot(data)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, nameRoot(root.Signed.Version))
		if _, err := os.Stat(path); err == nil {
			continue // a root never changes
		}
		if err := writeFile(path, data); err != nil {
			return err
		}
	}
	data, err := json.Marshal(pendingSet{set.Timestamp, set.Snapshot, set.Targets})
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, namePending), data); err != nil {
		return err
	}
	for _, m := range []struct {
		name string
		data []byte
	}{{nameTargets, set.Targets}, {nameSnapshot, set.Snapshot}, {nameTimestamp, set.Timestamp}} {
		path := filepath.Join(dir, m.name)
		if len(m.data) == 0 {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			continue
		}
		if err := writeFile(path, m.data); err != nil {
			return err
		}
	}
	return errors.Join(os.Remove(filepath.Join(dir, namePending)), syncFolder(dir))
}

// writeFile replaces a file so that after a power cut it holds the old or the new bytes.
func writeFile(path string, data []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(dir)
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (t *Trust) keep(set Set) error {
	if sameSet(set, t.set) {
		return nil
	}
	if err := WriteSet(t.dir, set); err != nil {
		return fmt.Errorf("keep the metadata in %s: %w", t.dir, err)
	}
	t.set = set
	return nil
}

// AcceptRoots takes over offered roots alone, as far as their chain holds; the
// rest of the trusted set stays, and counts as far as the new root covers it. With
// nothing offered it says whether the last trusted root is signed by its own keys.
func AcceptRoots(trusted, offered Set) (Set, error) {
	library, err := trustedmetadata.New(trusted.Roots[len(trusted.Roots)-1])
	if err != nil {
		return trusted, fromLibrary(err, metadata.ROOT)
	}
	a := &acceptance{library: library, trusted: trusted, offered: offered, result: trusted}
	err = a.roots()
	return a.result, err
}
