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
}

const (
	subvolumeInode = 256 // of the top folder of every subvolume
	snapshotFolder = ".signalbox-snapshots"
)

// Name is what reports say.
func (d *Btrfs) Name() string { return MethodBtrfs }

// Probe wants the root to be a subvolume with a name, and the agent's memory outside of it.
func (d *Btrfs) Probe(context.Context, Point) error {
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
	if d.Root.Live() {
		_, inside, err := d.device()
		if err == nil && inside == "/" {
			err = errors.New("the root is the file system's top subvolume, which cannot be swapped")
		}
		return err
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
		root = filepath.Join(d.Mount, inside)
	}
	snapshots := filepath.Join(filepath.Dir(root), snapshotFolder)
	if err := os.MkdirAll(snapshots, 0o700); err != nil {
		return err
	}
	return do(root, snapshots)
}

func command(ctx context.Context, name string, args ...string) error {
	out, err := host.Run(ctx, name, args...)
	if err == nil && out.Exit != 0 {
		err = fmt.Errorf("%s %s: %s", name, strings.Join(args, " "), strings.TrimSpace(out.Text))
	}
	return err
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
			// The mark goes into the failed root, so that after the exchange it is under "ID.new".
			if err := os.WriteFile(filepath.Join(root, exchanged), []byte(p.ID), 0o600); err != nil {
				return err
			}
			if err := command(ctx, "btrfs", "subvolume", "snapshot", from, fresh); err != nil {
				return err
			}
			if err := unix.Renameat2(unix.AT_FDCWD, fresh, unix.AT_FDCWD, root, unix.RENAME_EXCHANGE); err != nil {
				return fmt.Errorf("exchange the root: %w", err)
			}
		}
		return os.Rename(fresh, bad)
	})
	return d.Root.Live(), err
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
