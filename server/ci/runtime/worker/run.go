package worker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/creack/pty"

	"github.com/signalbox/signalbox/server/ci/runtime/worker/oci"
)

// run starts the container and returns its first process as seen from here.
func (s *supervisor) run(t tree, st *streams) (int, error) {
	if s.Engine == engineBwrap {
		return s.runBwrap(t, st)
	}
	return s.runRunc(t, st)
}

func (s *supervisor) runRunc(t tree, st *streams) (int, error) {
	bundle := filepath.Join(t.base, "bundle")
	config, err := json.Marshal(oci.Spec(s.container(t)))
	if err != nil {
		return 0, err
	}
	if err := errors.Join(os.Mkdir(bundle, 0o700), os.WriteFile(filepath.Join(bundle, "config.json"), config, 0o600)); err != nil {
		return 0, err
	}
	logFile, pidFile := filepath.Join(t.base, "log"), filepath.Join(t.base, "pid")
	verb := []string{"run", "--detach"}
	if s.Hold {
		verb = []string{"create"} // runc's own first process then waits for a start that never comes
	}
	args := slices.Concat([]string{"--root", s.path(folderState), "--log", logFile, "--log-format", "json"}, verb,
		[]string{"--pid-file", pidFile, "--bundle", bundle})
	var master chan *os.File
	if s.TTY {
		c, err := openConsole(t.base)
		if err != nil {
			return 0, err
		}
		defer c.listener.Close()
		args = append(args, "--console-socket", c.path)
		master = make(chan *os.File, 1)
		go func() {
			defer close(master)
			if f, err := c.receive(); err == nil {
				master <- f
			}
		}()
	}
	cmd := exec.Command(s.Program, append(args, s.ID)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = st.child[0], st.child[1], st.child[2]
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("The container did not start: %s", runcSaid(logFile, err)) //nolint:staticcheck // a sentence for the user
	}
	st.started()
	if s.TTY {
		f, ok := <-master
		if !ok {
			return 0, errors.New("the container did not start: runc gave no terminal")
		}
		if err := st.attach(f); err != nil {
			return 0, err
		}
	}
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// runcSaid finds the last error in runc's log.
func runcSaid(logFile string, err error) string {
	said := err.Error()
	data, readErr := os.ReadFile(logFile)
	if readErr != nil {
		return said
	}
	for line := range bytes.Lines(data) {
		var entry struct{ Level, Msg string }
		if json.Unmarshal(line, &entry) == nil && (entry.Level == "error" || entry.Level == "fatal") {
			said = entry.Msg
		}
	}
	// Only the innermost cause means something to the reader.
	said = strings.TrimPrefix(said, "runc run failed: ")
	said = strings.TrimPrefix(said, "unable to start container process: ")
	return strings.TrimSuffix(said, ".") + "."
}

func (s *supervisor) container(t tree) oci.Container {
	return oci.Container{
		ID: s.ID, RootFS: t.root, Hostname: s.ID[:12], Args: s.Args, Env: s.Env, Cwd: s.Cwd,
		UID: s.User.UID, GID: s.User.GID, Groups: s.User.Groups, TTY: s.TTY, Binds: t.binds,
		HostUID: firstHostUID, IDs: hostUIDs, NetworkNamespace: s.net.Path,
		CgroupPath: s.CgroupPath, CgroupV2: s.CgroupV2, Privileged: s.Privileged,
		CPUShares: s.Limits.CPUShares, MemoryBytes: s.Limits.MemoryBytes, PIDs: s.Limits.PIDs,
	}
}

// clean removes what runc keeps about the ended container. Doing it here saves
// another run of runc.
func (s *supervisor) clean() {
	removeCgroup(s.CgroupPath, s.CgroupV2)
	_ = os.RemoveAll(s.path(folderState)) // Remove does it again
}

// runBwrap starts the container through bubblewrap: the same tree, with one user id.
func (s *supervisor) runBwrap(t tree, st *streams) (int, error) {
	args := []string{
		"--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent",
		"--uid", strconv.Itoa(int(s.User.UID)), "--gid", strconv.Itoa(int(s.User.GID)), "--hostname", s.ID[:12],
		"--bind", t.root, "/", "--proc", "/proc", "--dev", "/dev",
	}
	for _, b := range t.binds {
		kind := "--bind"
		if b.ReadOnly {
			kind = "--ro-bind"
		}
		args = append(args, kind, b.Source, b.Path)
	}
	args = append(args, "--dir", s.Cwd, "--chdir", s.Cwd, "--cap-drop", "ALL", "--")
	cmd := exec.Command(s.Program, append(args, s.Args...)...)
	cmd.Env = s.Env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if !s.Rootless {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: firstHostUID, Gid: firstHostUID}
	}
	if s.TTY {
		master, slave, err := pty.Open()
		if err != nil {
			return 0, err
		}
		if err := errors.Join(slave.Chown(s.owner(), s.owner()), st.attach(master)); err != nil {
			return 0, err
		}
		st.child = [3]*os.File{slave, slave, slave}
		cmd.SysProcAttr.Setctty = true
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = st.child[0], st.child[1], st.child[2]
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("The container did not start: %w.", err) //nolint:staticcheck // a sentence for the user
	}
	st.started()
	return cmd.Process.Pid, nil
}
