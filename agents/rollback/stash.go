package rollback

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/signalbox/signalbox/agents/journal"
)

// Kept is one package file in the stash.
type Kept struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Arch    string `json:"arch"`
	SHA256  string `json:"sha256"`
	Size    int64  `json:"size"`
	Ext     string `json:"ext"` // deb or rpm: package managers go by it
}

// Stash is a folder of package files and an index of them.
type Stash struct {
	dir  string
	kept []Kept
}

// OpenStash opens the folder and makes it where it is missing.
func OpenStash(dir string) (*Stash, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open the stash: %w", err)
	}
	s := &Stash{dir: dir}
	raw, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err == nil {
		err = json.Unmarshal(raw, &s.kept)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open the stash: %w", err)
	}
	s.kept = slices.DeleteFunc(s.kept, func(k Kept) bool {
		info, err := os.Stat(s.Path(k))
		return err != nil || info.Size() != k.Size // lost: as if it had never been kept
	})
	return s, nil
}

// Path is where a kept file is.
func (s *Stash) Path(k Kept) string { return filepath.Join(s.dir, k.SHA256+"."+k.Ext) }

// BySHA256 finds a file by its hash.
func (s *Stash) BySHA256(sha string) (Kept, bool) {
	return s.find(func(k Kept) bool { return k.SHA256 == sha })
}

// ByVersion finds a package's file. An architecture of "" is any.
func (s *Stash) ByVersion(name, version, arch string) (Kept, bool) {
	return s.find(func(k Kept) bool { return k.Name == name && k.Version == version && (arch == "" || k.Arch == arch) })
}

func (s *Stash) find(match func(Kept) bool) (Kept, bool) {
	i := slices.IndexFunc(s.kept, match)
	if i < 0 {
		return Kept{}, false
	}
	return s.kept[i], true
}

// Hashes lists what there is.
func (s *Stash) Hashes() []string {
	hashes := make([]string, 0, len(s.kept))
	for _, k := range s.kept {
		hashes = append(hashes, k.SHA256)
	}
	return hashes
}

// Put keeps a file: fill writes it to a path and has checked it when it returns nil.
func (s *Stash) Put(k Kept, fill func(path string) error) error {
	if _, there := s.BySHA256(k.SHA256); there {
		return nil
	}
	temp := s.Path(k) + ".new"
	err := fill(temp)
	if err == nil {
		err = os.Rename(temp, s.Path(k))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keep %s %s: %w", k.Name, k.Version, err), ignoreMissing(os.Remove(temp)))
	}
	s.kept = append(s.kept, k)
	return s.save()
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (s *Stash) save() error {
	raw, err := json.Marshal(s.kept)
	if err == nil {
		err = journal.Replace(filepath.Join(s.dir, "index.json"), raw, 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the stash's index: %w", err)
	}
	return nil
}

// Keep drops every file that is not wanted, and what no index names.
func (s *Stash) Keep(wanted func(Kept) bool) error {
	s.kept = slices.DeleteFunc(s.kept, func(k Kept) bool { return !wanted(k) })
	if err := s.save(); err != nil {
		return err
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("clear the stash: %w", err)
	}
	for _, e := range entries {
		named := e.Name() == "index.json" || e.IsDir() || slices.ContainsFunc(s.kept, func(k Kept) bool { return filepath.Base(s.Path(k)) == e.Name() })
		if !named {
			if err := ignoreMissing(os.Remove(filepath.Join(s.dir, e.Name()))); err != nil {
				return fmt.Errorf("clear the stash: %w", err)
			}
		}
	}
	return nil
}
