package system

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
)

const (
	lowDisk  = 2 << 30   // bytes free below which builds may fail
	fullDisk = 256 << 20 // bytes free below which intake may fail
	lowShare = 20        // 1/20 of the disk free
	// mostFiles bounds the walk that sums up the data folder.
	mostFiles = 50_000
)

// DiskCheck asks how much room the data folder has and takes.
func DiskCheck(dir string) Check {
	return Check{"disk", func(ctx context.Context) Result {
		var st syscall.Statfs_t
		if err := syscall.Statfs(dir, &st); err != nil {
			return Result{Fail, fmt.Sprintf("The data folder %s cannot be examined: %s.", dir, err), "See that it exists and belongs to the server's user."}
		}
		unit := uint64(st.Bsize)
		used, whole := folderSize(ctx, dir)
		return judgeDisk(dir, st.Bavail*unit, st.Blocks*unit, used, whole)
	}}
}

func judgeDisk(dir string, free, total, used uint64, whole bool) Result {
	about := ""
	if !whole {
		about = "at least "
	}
	r := Good("%s free of %s; the data folder takes %s%s.", bytes(free), bytes(total), about, bytes(used))
	switch {
	case free < fullDisk:
		r.Status = Fail
	case free < lowDisk || free < total/lowShare:
		r.Status = Warn
	}
	if r.Status != OK {
		r.Fix = fmt.Sprintf("Free space on the disk of %s, or move the data folder to a larger one. When the disk is full the server refuses intake with 503 and loses nothing.", dir)
	}
	return r
}

// folderSize sums up files; whole is false when there were too many or the time
// ran out. What vanishes or may not be read meanwhile does not count.
func folderSize(ctx context.Context, dir string) (size uint64, whole bool) {
	n := 0
	whole = true
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if n++; n > mostFiles || ctx.Err() != nil {
			whole = false
			return fs.SkipAll
		}
		if err != nil {
			return nil // vanished, or a container's own file
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			size += uint64(info.Size())
		}
		return nil
	})
	return size, whole && err == nil
}

func bytes(n uint64) string {
	units := []string{"B", "kB", "MB", "GB", "TB", "PB"}
	value, unit := float64(n), 0
	for value >= 1000 && unit < len(units)-1 {
		value, unit = value/1000, unit+1
	}
	if unit == 0 || value >= 100 {
		return fmt.Sprintf("%.0f %s", value, units[unit])
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}
