package rollback

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/packages"
)

// Packages puts old package files back.
type Packages struct {
	Stash  *Stash
	System packages.System
	Root   host.Root
	Native string
	Dir    string // where marks are kept, outside the machine's packages
	Work   string // a scratch folder, as the machine sees it
}

// autoMarks is where apt remembers what was only a dependency. Putting a file
// back by hand would make it a wish of the operator's.
const autoMarks = "/var/lib/apt/extended_states"

// Name is what reports say.
func (d *Packages) Name() string { return MethodPackages }

func split(key string) (name, arch string) {
	name, arch, _ = strings.Cut(key, ":")
	return name, arch
}

func (d *Packages) file(key, version string) (Kept, bool) {
	name, arch := split(key)
	if arch != "" {
		return d.Stash.ByVersion(name, version, arch)
	}
	for _, arch := range []string{d.Native, "all", "noarch"} {
		if k, ok := d.Stash.ByVersion(name, version, arch); ok {
			return k, true
		}
	}
	return Kept{}, false
}

// Probe wants a file for everything that is going to change.
func (d *Packages) Probe(_ context.Context, p Point) error {
	var missing []string
	for key, version := range p.Before {
		if version == "" {
			continue
		}
		if _, ok := d.file(key, version); !ok {
			missing = append(missing, key+" "+version)
		}
	}
	slices.Sort(missing)
	if len(missing) > 0 {
		return errors.New("the old file is not there of " + strings.Join(missing, ", "))
	}
	return nil
}

func (d *Packages) marks(id string) string { return filepath.Join(d.Dir, "marks-"+id) }

// Create needs only to remember apt's marks: the files are in the stash.
func (d *Packages) Create(_ context.Context, p Point) error {
	return copyFile(d.Root.Path(autoMarks), d.marks(p.ID))
}

func copyFile(from, to string) error {
	src, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return ignoreMissing(os.Remove(to))
	}
	if err != nil {
		return err
	}
	_, err = host.CopyTo(to+".new", src, 0o644)
	if err = errors.Join(err, src.Close()); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	return os.Rename(to+".new", to)
}

// Restore puts every file back and takes away what was not there.
func (d *Packages) Restore(ctx context.Context, p Point) (bool, error) {
	installed, err := d.System.Installed(ctx)
	if err != nil {
		return false, err
	}
	now := packages.Versions(installed, d.Native)
	sound := map[string]bool{}
	for _, i := range installed {
		sound[packages.Key(i.Name, i.Arch, d.Native)] = i.Status == ""
	}
	var files []packages.Want
	var remove []string
	for _, key := range sortedKeys(p.Before) {
		version := p.Before[key]
		switch {
		case version == "" && now[key] != "":
			remove = append(remove, key)
		case version != "" && (now[key] != version || !sound[key]):
			w, err := d.lend(key, version)
			if err != nil {
				return false, err
			}
			files = append(files, w)
		}
	}
	if len(files)+len(remove) > 0 {
		out, err := d.System.Restore(ctx, files, remove, d.Work)
		if err != nil {
			return false, err
		}
		if err := d.back(ctx, p, out); err != nil {
			return false, err
		}
	}
	return false, copyFile(d.marks(p.ID), d.Root.Path(autoMarks))
}

// back looks whether everything is as it was; what the package manager said is
// only told when it is not.
func (d *Packages) back(ctx context.Context, p Point, out host.Output) error {
	installed, err := d.System.Installed(ctx)
	if err != nil {
		return err
	}
	now := packages.Versions(installed, d.Native)
	var bad []string
	for _, key := range sortedKeys(p.Before) {
		if now[key] != p.Before[key] {
			bad = append(bad, fmt.Sprintf("%s is %q and was %q", key, now[key], p.Before[key]))
		}
	}
	if len(bad) > 0 {
		said := strings.TrimSpace(out.Text)
		return fmt.Errorf("%s; the package manager said: %s", strings.Join(bad, ", "), said[max(0, len(said)-600):])
	}
	return nil
}

// lend copies a file from the stash to where the machine sees it.
func (d *Packages) lend(key, version string) (packages.Want, error) {
	name, _ := split(key)
	k, ok := d.file(key, version)
	if !ok {
		return packages.Want{}, fmt.Errorf("the file of %s %s is gone from the stash", key, version)
	}
	inside := path.Join(d.Work, "back", k.SHA256[:min(16, len(k.SHA256))]+"_"+name+"."+k.Ext)
	outside := d.Root.Path(inside)
	if err := os.MkdirAll(filepath.Dir(outside), 0o755); err != nil {
		return packages.Want{}, err
	}
	// The stash may be of another disk, and a hard link would let a package's script write into it.
	if err := copyFile(d.Stash.Path(k), outside); err != nil {
		return packages.Want{}, err
	}
	return packages.Want{Name: name, Arch: k.Arch, Version: version, File: inside}, nil
}

// Delete forgets the marks.
func (d *Packages) Delete(_ context.Context, id string) error {
	return ignoreMissing(os.Remove(d.marks(id)))
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
