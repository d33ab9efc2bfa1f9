package worker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

const (
	// reserve is how much of a large disk stays free when nothing else is said.
	reserve = 1 << 30
	// settled is the age from which a volume is taken to have its final size: it is
	// measured again only every so often.
	settled = time.Hour
	// measureFor bounds one round of measuring, so that it never becomes a load.
	measureFor = 5 * time.Second
)

// DiskLimit is how much of its disk a worker may fill; the zero value keeps a tenth of
// it free, but no more than 1 GB.
type DiskLimit struct {
	Bytes   int64
	Percent float64
}

// ParseDiskLimit reads "80%", a number of bytes, or "".
func ParseDiskLimit(text string) (DiskLimit, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return DiskLimit{}, nil
	}
	if number, found := strings.CutSuffix(text, "%"); found {
		percent, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(percent > 0 && percent <= 100) {
			return DiskLimit{}, fmt.Errorf("%q is not a share between 0%% and 100%%", text)
		}
		return DiskLimit{Percent: percent}, nil
	}
	bytes, err := strconv.ParseInt(text, 10, 64)
	if err != nil || bytes <= 0 {
		return DiskLimit{}, fmt.Errorf("%q is neither a number of bytes nor a share such as 80%%", text)
	}
	return DiskLimit{Bytes: bytes}, nil
}

// of is the limit on a disk of that size.
func (l DiskLimit) of(size int64) int64 {
	switch {
	case l.Bytes > 0:
		return min(l.Bytes, size)
	case l.Percent > 0:
		return int64(float64(size) * l.Percent / 100)
	}
	return size - min(size/10, reserve)
}

// Disk tells how full the disk is, as df does: it counts what others keep there too,
// because it is the file system that runs out and not the worker.
func (w *Worker) Disk(context.Context) (runtime.Disk, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(w.opts.Root, &st); err != nil {
		return runtime.Disk{}, fmt.Errorf("look at the worker's disk: %w", err)
	}
	used := int64(st.Blocks-st.Bfree) * st.Bsize
	size := used + int64(st.Bavail)*st.Bsize
	return runtime.Disk{Used: used, Limit: w.opts.DiskLimit.of(size), Size: size}, nil
}

// measured is the size of a volume at some time.
type measured struct {
	bytes int64
	at    time.Time
}

// Measure finds out how large the volumes are: of those that may still change, and of
// some that were measured long ago. Volumes tells what it found.
func (w *Worker) Measure(ctx context.Context) error {
	volumes, err := w.Volumes(ctx)
	if err != nil {
		return err
	}
	there := make(map[runtime.VolumeID]bool, len(volumes))
	end := w.opts.Now().Add(measureFor)
	for _, v := range volumes {
		there[v.ID] = true
		now := w.opts.Now()
		if now.After(end) || !w.stale(v, now) {
			continue
		}
		bytes, err := treeSize(ctx, w.path("volumes", string(v.ID)))
		if err != nil {
			return err
		}
		w.mu.Lock()
		w.sizes[v.ID] = measured{bytes, now}
		w.mu.Unlock()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.sizes {
		if !there[id] {
			delete(w.sizes, id)
		}
	}
	return nil
}

// stale tells whether a volume is to be measured again.
func (w *Worker) stale(v runtime.VolumeInfo, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	last, known := w.sizes[v.ID]
	return !known || now.Sub(last.at) > settled || last.at.Sub(v.Created) < settled
}

// size is -1 for a volume that was not measured yet.
func (w *Worker) size(id runtime.VolumeID) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m, known := w.sizes[id]; known {
		return m.bytes
	}
	return -1
}

// treeSize is what a tree takes on disk. What vanishes meanwhile counts nothing.
func treeSize(ctx context.Context, dir string) (total int64, err error) {
	linked := map[uint64]bool{}
	err = filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var st unix.Stat_t
		if err == nil {
			err = unix.Lstat(name, &st)
		}
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
			return nil
		}
		if err != nil {
			return err
		}
		if st.Nlink > 1 && st.Mode&unix.S_IFMT != unix.S_IFDIR {
			if linked[st.Ino] {
				return nil
			}
			linked[st.Ino] = true
		}
		total += st.Blocks * 512
		return nil
	})
	return total, err
}

// diskFull is the sentence for work that broke off because there was no room left.
const diskFull = "The worker's disk is full."

// sayFull puts the sentence before an error that comes from a full disk.
func sayFull(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fmt.Errorf(diskFull+" %w", err)
	}
	return err
}

// noRoom tells whether the file system of a folder is full for what is not root's.
func noRoom(dir string) bool {
	var st unix.Statfs_t
	return unix.Statfs(dir, &st) == nil && (st.Bavail == 0 || st.Files > 0 && st.Ffree == 0)
}
