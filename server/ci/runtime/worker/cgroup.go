package worker

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const cgroupRoot = "/sys/fs/cgroup"

// cgroupParent holds the groups of all our containers.
const cgroupParent = "/signalbox"

// unifiedCgroups tells whether the machine has version 2 only.
func unifiedCgroups() bool {
	var st unix.Statfs_t
	return unix.Statfs(cgroupRoot, &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC
}

// cgroupFolders are the folders of a group: one in version 2, one per controller
// in version 1.
func cgroupFolders(path string, v2 bool) []string {
	if path == "" {
		return nil
	}
	if v2 {
		return []string{filepath.Join(cgroupRoot, path)}
	}
	dirs, _ := filepath.Glob(filepath.Join(cgroupRoot, "*", path)) // the pattern is right
	return dirs
}

func cgroupPIDs(path string, v2 bool) []int {
	var out []int
	for _, dir := range cgroupFolders(path, v2) {
		_ = filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return nil // a group that just went away has no processes
			}
			list, _ := os.ReadFile(filepath.Join(p, "cgroup.procs"))
			for _, f := range strings.Fields(string(list)) {
				if pid, err := strconv.Atoi(f); err == nil && pid > 0 {
					out = append(out, pid)
				}
			}
			return nil
		})
		if len(out) > 0 {
			return out
		}
	}
	return out
}

// killCgroup kills whatever is in the group.
func killCgroup(path string, v2 bool) {
	for _, pid := range cgroupPIDs(path, v2) {
		_ = unix.Kill(pid, unix.SIGKILL) // gone already is fine
	}
}

// removeCgroup deletes an empty group, children first.
func removeCgroup(path string, v2 bool) {
	for _, dir := range cgroupFolders(path, v2) {
		var dirs []string
		_ = filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, p)
			}
			return nil
		})
		for i := len(dirs) - 1; i >= 0; i-- {
			_ = unix.Rmdir(dirs[i]) // one still in use goes at the next recovery
		}
	}
}

// outOfMemory tells whether the kernel killed something of the container for its limit.
func (s *supervisor) outOfMemory() bool {
	if s.CgroupPath == "" {
		return false
	}
	name := filepath.Join(cgroupRoot, "memory", s.CgroupPath, "memory.oom_control")
	if s.CgroupV2 {
		name = filepath.Join(cgroupRoot, s.CgroupPath, "memory.events")
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return false
	}
	for line := range bytes.Lines(data) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		if key == "oom_kill" && value != "0" {
			return true
		}
	}
	return false
}
