package worker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/runtime/worker/oci"
)

// mountBase is where a root supervisor builds the container's tree, in its own
// mount namespace: a place that the container's unprivileged root can walk to
// even when the data folder is closed to it.
const mountBase = "/run/signalbox"

// tree is what the container sees, mounted in the supervisor's mount namespace
// only. It vanishes with that namespace; nothing needs to be unmounted.
type tree struct {
	base  string // a small tmpfs
	root  string
	binds []oci.Bind
}

// owner is the id on this machine that the container's root has.
func (l launch) owner() int {
	if l.Rootless {
		return 0
	}
	return firstHostUID
}

func (l launch) base() string {
	if l.Rootless {
		return l.path(folderMount)
	}
	return mountBase
}

// prepareTree mounts the root file system with a writable layer, and the volumes.
func prepareTree(l launch) (tree, error) {
	t := tree{base: l.base()}
	t.root = filepath.Join(t.base, "root")
	if err := unix.Mount("tmpfs", t.base, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=711,size=16m"); err != nil {
		return tree{}, fmt.Errorf("mount the container's tree on %s: %w", t.base, err)
	}
	if err := t.overlay(l, "root", l.Lower); err != nil {
		return tree{}, err
	}
	mounts := slices.Clone(l.Mounts)
	slices.SortStableFunc(mounts, func(a, b mount) int { return strings.Compare(path.Clean(a.Path), path.Clean(b.Path)) })
	for i, m := range mounts {
		name := fmt.Sprintf("m%d", i)
		var err error
		if m.Copy {
			err = t.overlay(l, name, m.Source)
		} else {
			err = t.bind(name, m.Source)
		}
		if err == nil && m.ReadOnly {
			// Already here: what is read-only outside, a privileged container cannot undo.
			err = t.readOnly(name)
		}
		if err != nil {
			return tree{}, err
		}
		t.binds = append(t.binds, oci.Bind{Source: filepath.Join(t.base, name), Path: m.Path, ReadOnly: m.ReadOnly})
	}
	return t, writeFiles(l, t.root)
}

// bind makes a folder or file of this machine appear under a short name that
// everybody can reach.
func (t tree) bind(name, source string) error {
	target := filepath.Join(t.base, name)
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	if info.IsDir() {
		err = os.Mkdir(target, 0o755)
	} else {
		err = os.WriteFile(target, nil, 0o644)
	}
	if err != nil {
		return err
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mount %s: %w", source, err)
	}
	return nil
}

// readOnly takes the right to write from a mount, and keeps what else is refused on it.
func (t tree) readOnly(name string) error {
	at := filepath.Join(t.base, name)
	var st unix.Statfs_t
	if err := unix.Statfs(at, &st); err != nil {
		return err
	}
	flags := uintptr(unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY)
	for flag, ms := range map[int64]uintptr{
		unix.ST_NOSUID: unix.MS_NOSUID, unix.ST_NODEV: unix.MS_NODEV, unix.ST_NOEXEC: unix.MS_NOEXEC,
		unix.ST_NOATIME: unix.MS_NOATIME, unix.ST_NODIRATIME: unix.MS_NODIRATIME, unix.ST_RELATIME: unix.MS_RELATIME,
	} {
		if st.Flags&flag != 0 {
			flags |= ms
		}
	}
	if err := unix.Mount("", at, "", flags, ""); err != nil {
		return fmt.Errorf("make %s read-only: %w", at, err)
	}
	return nil
}

// overlay mounts a writable layer over lower. The layers get short names first,
// because overlayfs gives ':' and ',' in paths a meaning.
func (t tree) overlay(l launch, name, lower string) error {
	layers := filepath.Join(l.layers(), name)
	upper, work := filepath.Join(layers, "up"), filepath.Join(layers, "work")
	info, err := os.Stat(lower)
	if err != nil {
		return err
	}
	// The kernel marks a volatile layer's working folder, so that it is not mounted
	// again after a crash of the machine; a container that is brought back has had none.
	if err := errors.Join(os.RemoveAll(work), os.MkdirAll(upper, 0o755), os.MkdirAll(work, 0o700), os.Mkdir(filepath.Join(t.base, name), 0o755)); err != nil {
		return err
	}
	// The top folder of the result is the upper layer's own.
	mode := info.Mode().Perm()
	if name == "root" {
		mode = 0o755
	}
	if err := errors.Join(os.Chown(upper, l.owner(), l.owner()), os.Chmod(upper, mode)); err != nil {
		return err
	}
	if err := errors.Join(t.bind(name+".lower", lower), t.bind(name+".layers", layers)); err != nil {
		return err
	}
	in := filepath.Join(t.base, name)
	data := fmt.Sprintf("lowerdir=%s.lower,upperdir=%s.layers/up,workdir=%s.layers/work", in, in, in)
	if l.Rootless {
		data += ",userxattr"
	}
	// volatile: what a container writes need not survive a crash of the machine, so
	// its fsyncs cost nothing. Older kernels do not know it.
	err = unix.Mount("overlay", in, "overlay", unix.MS_NOSUID|unix.MS_NODEV, data+",volatile")
	if errors.Is(err, unix.EINVAL) {
		err = unix.Mount("overlay", in, "overlay", unix.MS_NOSUID|unix.MS_NODEV, data)
	}
	if err != nil {
		return fmt.Errorf("mount a writable layer over %s (the data folder must lie on a file system such as ext4 or xfs): %w", lower, err)
	}
	return nil
}

// writeFiles puts the small files into the container's own root, following links
// only inside it.
func writeFiles(l launch, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := errors.Join(makeDirs(l, root, "tmp"), root.Chmod("tmp", 0o777|fs.ModeSticky)); err != nil {
		return fmt.Errorf("make /tmp: %w", err)
	}
	for _, f := range l.Files {
		if err := writeFile(l, root, f); err != nil {
			return fmt.Errorf("write %s into the container: %w", f.Path, err)
		}
	}
	return nil
}

func writeFile(l launch, root *os.Root, f runtime.File) error {
	name := strings.TrimPrefix(path.Clean("/"+f.Path), "/")
	if name == "" {
		return errors.New("a file needs a name")
	}
	if err := makeDirs(l, root, path.Dir(name)); err != nil {
		return err
	}
	if info, err := root.Lstat(name); err == nil && !info.Mode().IsRegular() {
		if err := root.Remove(name); err != nil {
			return err
		}
	}
	mode := fs.FileMode(f.Mode).Perm()
	if mode == 0 {
		mode = 0o644
	}
	if err := root.WriteFile(name, f.Data, mode); err != nil {
		return err
	}
	uid, gid := l.owner()+int(l.User.UID), l.owner()+int(l.User.GID)
	if l.Rootless {
		uid, gid = 0, 0
	}
	return errors.Join(root.Lchown(name, uid, gid), root.Chmod(name, mode))
}

// makeDirs creates missing folders, owned by the container's root.
func makeDirs(l launch, root *os.Root, name string) error {
	if name == "." || name == "" {
		return nil
	}
	if info, err := root.Stat(name); err == nil {
		if !info.IsDir() {
			return fmt.Errorf("/%s is not a folder", name)
		}
		return nil
	}
	if err := makeDirs(l, root, path.Dir(name)); err != nil {
		return err
	}
	return errors.Join(root.Mkdir(name, 0o755), root.Lchown(name, l.owner(), l.owner()))
}
