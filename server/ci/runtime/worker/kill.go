package worker

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// stopFile is how the server tells the grace to the supervisor.
type stopFile struct{ Grace time.Duration }

func (s *supervisor) stopGrace() time.Duration {
	var f stopFile
	data, err := os.ReadFile(s.path(fileStop))
	if err != nil || json.Unmarshal(data, &f) != nil {
		return 10 * time.Second // somebody else's signal, such as the machine shutting down
	}
	return f.Grace
}

// terminate asks every process: a shell that is the container's first process does
// not hand the signal on, and the kernel ignores it for a first process that does
// not handle it.
func (s *supervisor) terminate() {
	for _, pid := range s.pids() {
		_ = unix.Kill(pid, unix.SIGTERM) // gone already is fine
	}
}

// anyoneHandlesTerm tells whether waiting for the grace is of any use.
func (s *supervisor) anyoneHandlesTerm() bool {
	for _, pid := range s.pids() {
		status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
		if err != nil {
			continue
		}
		_, rest, _ := bytes.Cut(status, []byte("SigCgt:"))
		line, _, _ := bytes.Cut(rest, []byte("\n"))
		mask, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 64)
		if err == nil && mask&(1<<(unix.SIGTERM-1)) != 0 {
			return true
		}
	}
	return false
}

// kill ends the container's first process, with which the kernel ends all others
// of its pid namespace.
func (s *supervisor) kill() {
	if s.init > 0 {
		_ = unix.Kill(s.init, unix.SIGKILL) // gone already is fine
	}
	killCgroup(s.CgroupPath, s.CgroupV2)
}

// pids lists the container's processes.
func (s *supervisor) pids() []int {
	if s.CgroupPath == "" {
		return descendants(s.init)[1:] // bubblewrap itself is not one of them
	}
	return cgroupPIDs(s.CgroupPath, s.CgroupV2)
}

// descendants lists a process and all below it.
func descendants(pid int) []int {
	out := []int{pid}
	tasks, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children") // the pattern is right
	for _, t := range tasks {
		list, err := os.ReadFile(t)
		if err != nil {
			continue
		}
		for _, f := range strings.Fields(string(list)) {
			if child, err := strconv.Atoi(f); err == nil {
				out = append(out, descendants(child)...)
			}
		}
	}
	return out
}

// birth tells processes of one number apart, also after a reboot: the start time in
// clock ticks and the boot's own id. It is "" when there is no such process.
func birth(pid int) string {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	// The name may hold anything, so count from its closing bracket.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 {
		return ""
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return fields[19] + "@" + strings.TrimSpace(string(boot))
}
