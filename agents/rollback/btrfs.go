package rollback

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/signalbox/signalbox/agents/host"
)

// Btrfs snapshots the subvolume that the machine's root is.
type Btrfs struct {
	Root host.Root
	// State is the agent's own folder; it must not be part of the snapshot.
	State string
	// Mount is where the top of the file system is mounted for the time of one
	// call, when the root is the live one.
	Mount string
	// Info is /proc/self/mountinfo but in tests.
	Info string
	// Boot are the files that may say by number which subvolume is the root;
	// none: /etc/fstab of the root and /proc/cmdline.
	Boot []string
}

const (
	subvolumeInode = 256 // of the top folder of every subvolume
	snapshotFolder = ".signalbox-snapshots"
)

// Name is what reports say.
func (d *Btrfs) Name() string { return MethodBtrfs }

// Probe wants the root to be a subvolume with a name, which is found by that name
// at a start, and the agent's memory and all else that is to stay outside of it.
func (d *Btrfs) Probe(ctx context.Context, _ Point) error {
	var fs unix.Statfs_t
	var root, state unix.Stat_t
	if err := errors.Join(unix.Statfs(d.Root.Path("/"), &fs), unix.Stat(d.Root.Path("/"), &root), unix.Stat(d.State, &state)); err != nil {
		return fmt.Errorf("look at the file system: %w", err)
	}
	switch {
	case fs.Type != unix.BTRFS_SUPER_MAGIC:
		return errors.New("the root is not on btrfs")
	case root.Ino != subvolumeInode:
		return errors.New("the root is not a subvolume")
	case state.Dev == root.Dev:
		return fmt.Errorf("%s would go back with the root; it needs a subvolume of its own", d.State)
	}
	if err := d.nested(ctx); err != nil || !d.Root.Live() {
		return err
	}
	_, inside, err := d.device()
	if err == nil && inside == "/" {
		err = errors.New("the root is the file system's top subvolume, which cannot be swapped")
	}
	return errors.Join(err, d.named())
}

// nested refuses subvolumes below the root that hold something: no snapshot has
// them, and they would stay behind with the root that failed. Empty ones are
// made by systemd wherever the root is on btrfs.
func (d *Btrfs) nested(ctx context.Context) error {
	below, err := below(ctx, d.Root.Path("/"))
	if err != nil {
		return err
	}
	for _, path := range below {
		entries, err := os.ReadDir(d.Root.Path(path))
		if err != nil {
			return fmt.Errorf("look into a subvolume: %w", err)
		}
		if len(entries) > 0 {
			return fmt.Errorf("/%s is a subvolume inside the root's and would not go back with it; mount it from beside the root", path)
		}
	}
	return nil
}

// below lists the subvolumes inside of one, by their path from there.
func below(ctx context.Context, root string) ([]string, error) {
	list, err := ask(ctx, "btrfs", "subvolume", "list", "-o", root)
	if err != nil || list == "" {
		return nil, err
	}
	own, err := ask(ctx, "btrfs", "subvolume", "show", root)
	if err != nil {
		return nil, err
	}
	own, _, _ = strings.Cut(own, "\n") // its path from the file system's top
	var paths []string
	for line := range strings.Lines(list) {
		if _, path, ok := strings.Cut(strings.TrimSpace(line), " path "); ok {
			paths = append(paths, strings.TrimPrefix(path, strings.TrimSpace(own)+"/"))
		}
	}
	return paths, nil
}

// named refuses a root that is mounted by its number: another would have another.
func (d *Btrfs) named() error {
	files := d.Boot
	if files == nil {
		files = []string{d.Root.Path("/etc/fstab"), "/proc/cmdline"}
	}
	for _, path := range files {
		raw, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("look how the root is mounted: %w", err)
		}
		for line := range strings.Lines(string(raw)) {
			f := strings.Fields(line)
			root := filepath.Base(path) != "fstab" || len(f) > 1 && f[1] == "/" && f[0][0] != '#'
			if root && strings.Contains(line, "subvolid=") {
				return fmt.Errorf("%s mounts the root by subvolid=; subvol= is needed for a rollback by snapshot", path)
			}
		}
	}
	return nil
}

// device finds the disk that / is mounted from, and the subvolume's path on it.
func (d *Btrfs) device() (device, inside string, err error) {
	f, err := os.Open(d.Info)
	if err != nil {
		return "", "", fmt.Errorf("read the mounts: %w", err)
	}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		left, right, ok := strings.Cut(lines.Text(), " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if ok && len(l) > 4 && len(r) > 1 && l[4] == "/" && r[0] == "btrfs" {
			device, inside = r[1], l[3] // the last one mounted is on top
		}
	}
	if err := errors.Join(lines.Err(), f.Close()); err != nil {
		return "", "", fmt.Errorf("read the mounts: %w", err)
	}
	if device == "" {
		return "", "", errors.New("/ is not mounted from btrfs")
	}
	return device, inside, nil
}

// at calls do with the path of the root subvolume as an entry of its parent,
// where it can be exchanged, and the folder for snapshots beside it.
func (d *Btrfs) at(ctx context.Context, do func(root, snapshots string) error) (err error) {
	root := filepath.Clean(string(d.Root))
	if d.Root.Live() {
		device, inside, err := d.device()
		if err != nil {
			return err
		}
		if err := os.MkdirAll(d.Mount, 0o700); err != nil {
			return err
		}
		if err := command(ctx, "mount", "-t", "btrfs", "-o", "subvolid=5", device, d.Mount); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, syscall.Unmount(d.Mount, 0)) }()
		// A root that was exchanged and still runs has gone among the snapshots.
		if filepath.Base(filepath.Dir(inside)) == snapshotFolder {
			was, err := os.ReadFile(d.Root.Path(exchanged))
			if err != nil {
				return fmt.Errorf("see where the root was: %w", err)
			}
			inside = string(was)
		}
		root = filepath.Join(d.Mount, inside)
	}
	snapshots := filepath.Join(filepath.Dir(root), snapshotFolder)
	if err := os.MkdirAll(snapshots, 0o700); err != nil {
		return err
	}
	return do(root, snapshots)
}

func command(ctx context.Context, name string, args ...string) error {
	_, err := ask(ctx, name, args...)
	return err
}

func ask(ctx context.Context, name string, args ...string) (string, error) {
	out, err := host.Run(ctx, name, args...)
	if err == nil && out.Exit != 0 {
		err = fmt.Errorf("%s %s: %s", name, strings.Join(args, " "), strings.TrimSpace(out.Text))
	}
	return strings.TrimSpace(out.Text), err
}

// Create takes a read-only snapshot. One of the same name is of a run that was
// killed before it changed anything, and is replaced.
func (d *Btrfs) Create(ctx context.Context, p Point) error {
	return d.at(ctx, func(root, snapshots string) error {
		if err := remove(ctx, filepath.Join(snapshots, p.ID)); err != nil {
			return err
		}
		return command(ctx, "btrfs", "subvolume", "snapshot", "-r", root, filepath.Join(snapshots, p.ID))
	})
}

func remove(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); err != nil {
		return ignoreMissing(err)
	}
	inside, err := below(ctx, path)
	if err != nil {
		return err
	}
	for _, name := range inside { // this succeeds only where it is empty
		if err := os.Remove(filepath.Join(path, name)); err != nil {
			return fmt.Errorf("a subvolume inside of %s has been filled since: %w", path, err)
		}
	}
	return command(ctx, "btrfs", "subvolume", "delete", path)
}

// Restore exchanges the root for a writable copy of the snapshot, in one step of
// the kernel: there is a whole root at every moment. What was there is kept
// beside it as "ID.bad" until Delete: that is how a repeated call sees that the
// exchange is done.
func (d *Btrfs) Restore(ctx context.Context, p Point) (reboot bool, err error) {
	err = d.at(ctx, func(root, snapshots string) error {
		from, fresh, bad := filepath.Join(snapshots, p.ID), filepath.Join(snapshots, p.ID+".new"), filepath.Join(snapshots, p.ID+".bad")
		if _, err := os.Lstat(bad); err == nil {
			return nil
		}
		if _, err := os.Lstat(filepath.Join(fresh, exchanged)); err != nil {
			if err := remove(ctx, fresh); err != nil {
				return err
			}
			// The mark goes into the failed root, so that after the exchange it is under "ID.new". It says where that root was.
			if err := os.WriteFile(filepath.Join(root, exchanged), []byte(strings.TrimPrefix(root, d.Mount)), 0o600); err != nil {
				return err
			}
			if err := command(ctx, "btrfs", "subvolume", "snapshot", from, fresh); err != nil {
				return err
			}
			if err := unix.Renameat2(unix.AT_FDCWD, fresh, unix.AT_FDCWD, root, unix.RENAME_EXCHANGE); err != nil {
				return fmt.Errorf("exchange the root: %w", err)
			}
		}
		if err := byDefault(ctx, fresh, root); err != nil {
			return err
		}
		return os.Rename(fresh, bad)
	})
	return d.Root.Live(), err
}

// byDefault makes the new root the one that is mounted where none is named, if the failed one was.
func byDefault(ctx context.Context, failed, root string) error {
	is, err := ask(ctx, "btrfs", "subvolume", "get-default", root)
	if err != nil {
		return err
	}
	id, err := ask(ctx, "btrfs", "inspect-internal", "rootid", failed)
	if err != nil || !strings.HasPrefix(is, "ID "+id+" ") {
		return err
	}
	return command(ctx, "btrfs", "subvolume", "set-default", root)
}

// exchanged marks the root that failed.
const exchanged = ".signalbox-failed"

// Delete removes the snapshot and the root that failed.
func (d *Btrfs) Delete(ctx context.Context, id string) error {
	return d.at(ctx, func(_, snapshots string) error {
		var all error
		for _, name := range []string{id, id + ".new", id + ".bad"} {
			all = errors.Join(all, remove(ctx, filepath.Join(snapshots, name)))
		}
		return all
	})
}
