package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	goruntime "runtime"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/runtime/worker/image"
	"github.com/signalbox/signalbox/server/ci/runtime/worker/oci"
)

// Exec starts another process in a container. runc stands between it and the
// session for as long as it runs: neither outlives the server.
func (w *Worker) Exec(ctx context.Context, id runtime.ContainerID, spec runtime.ExecSpec) (runtime.Session, error) {
	if err := validID(string(id)); err != nil {
		return nil, err
	}
	if w.engine != engineRunc {
		return nil, errors.New("This worker isolates with bubblewrap, which cannot open a shell in a container: install runc and run the server as root.") //nolint:staticcheck // a sentence for the user
	}
	if len(spec.Args) == 0 {
		return nil, errors.New("There is nothing to run.") //nolint:staticcheck // a sentence for the user
	}
	if spec.TTY != nil {
		if err := spec.TTY.Validate(); err != nil {
			return nil, err
		}
	}
	free, err := w.claim(ctx, id)
	if err != nil {
		return nil, err
	}
	defer func() { free() }()
	dir := w.containerDir(id)
	if !exists(filepath.Join(dir, fileStarted)) {
		return nil, runtime.ErrGone
	}
	l, err := w.recall(dir)
	if err != nil {
		return nil, err
	}
	held, err := w.enter(ctx, l)
	if err != nil {
		return nil, err
	}
	s := &session{ctx: context.WithoutCancel(ctx), w: w, id: id}
	if held != dir {
		w.mu.Lock()
		s.back = w.shells[id]
		w.mu.Unlock()
	}
	if err := w.runSession(s, l, held, spec); err != nil {
		free() // Close claims the container itself
		free = func() {}
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (w *Worker) runSession(s *session, l launch, held string, spec runtime.ExecSpec) error {
	process, err := execProcess(l, held, spec)
	if err != nil {
		return err
	}
	data, err := json.Marshal(process)
	if err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp(held, "exec-"); err != nil {
		return err
	}
	task := filepath.Join(s.dir, "process.json")
	if err := errors.Join(os.WriteFile(task, data, 0o600), copyState(held, s.dir, l.ID)); err != nil {
		return err
	}
	first, err := noted(held)
	if err != nil {
		return err
	}
	s.cmd = exec.Command(w.program, "--root", s.dir, "--log", filepath.Join(s.dir, "log"), "--log-format", "json",
		"exec", "--pid-file", filepath.Join(s.dir, "pid"), "--process", task, l.ID)
	s.cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	return inNetworkOf(first.PID, func() error { return s.start(spec.TTY) })
}

// copyState gives runc its record of the container without the network namespace:
// that one belongs to this machine's user namespace and not to the container's, which
// runc 1.1 enters first, and then it may not enter the other. So runc begins in it.
func copyState(held, to, id string) error {
	data, err := os.ReadFile(filepath.Join(held, folderState, id, "state.json"))
	if errors.Is(err, os.ErrNotExist) {
		return runtime.ErrGone // ended this moment
	}
	if err != nil {
		return err
	}
	var state map[string]json.RawMessage
	var config map[string]json.RawMessage
	var spaces []struct {
		Type string `json:"type"`
		Path string `json:"path"`
	}
	if err := errors.Join(json.Unmarshal(data, &state), json.Unmarshal(state["config"], &config), json.Unmarshal(config["namespaces"], &spaces)); err != nil {
		return fmt.Errorf("read what runc knows of the container: %w", err)
	}
	kept := spaces[:0]
	for _, s := range spaces {
		if s.Type != "NEWNET" {
			kept = append(kept, s)
		}
	}
	if config["namespaces"], err = json.Marshal(kept); err != nil {
		return err
	}
	if state["config"], err = json.Marshal(config); err != nil {
		return err
	}
	if data, err = json.Marshal(state); err != nil {
		return err
	}
	return errors.Join(os.Mkdir(filepath.Join(to, id), 0o700), os.WriteFile(filepath.Join(to, id, "state.json"), data, 0o600))
}

// inNetworkOf calls fn, which starts a program, in the network namespace of a process.
func inNetworkOf(pid int, fn func() error) error {
	result := make(chan error, 1)
	go func() {
		goruntime.LockOSThread()
		own, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			result <- err
			return
		}
		defer own.Close()
		theirs, err := os.Open("/proc/" + strconv.Itoa(pid) + "/ns/net")
		if err != nil {
			result <- fmt.Errorf("%w: %w", runtime.ErrGone, err)
			return
		}
		defer theirs.Close()
		if err := unix.Setns(int(theirs.Fd()), unix.CLONE_NEWNET); err != nil {
			result <- fmt.Errorf("enter the container's network: %w", err)
			return // a thread that stays locked ends with its goroutine
		}
		result <- fn()
		if unix.Setns(int(own.Fd()), unix.CLONE_NEWNET) == nil {
			goruntime.UnlockOSThread()
		}
	}()
	return <-result
}

// execProcess has the rights of the container's own process.
func execProcess(l launch, held string, spec runtime.ExecSpec) (*specs.Process, error) {
	env := l.Env
	if inside := environment(held); held == l.Dir && inside != nil {
		env = inside
	}
	if spec.User != "" {
		user, err := image.FindUser(l.Lower, spec.User)
		if err != nil {
			return nil, err
		}
		who := identity{UID: user.UID, GID: user.GID, Groups: user.Groups}
		if who.UID != l.User.UID {
			env = mergeEnv(env, []string{"HOME=" + user.Home})
		}
		l.User = who
	}
	if spec.Dir != "" {
		l.Cwd = path.Join("/", spec.Dir)
	}
	c := oci.Container{Args: spec.Args, Env: mergeEnv(env, spec.Env), Cwd: l.Cwd, UID: l.User.UID, GID: l.User.GID, Groups: l.User.Groups,
		TTY: spec.TTY != nil, Privileged: l.Privileged}
	process := oci.Spec(c).Process
	process.ConsoleSize = nil
	if spec.TTY != nil {
		process.ConsoleSize = &specs.Box{Width: uint(spec.TTY.Columns), Height: uint(spec.TTY.Rows)}
	}
	return process, nil
}

// noted is what a supervisor wrote down when its container started.
func noted(dir string) (s started, err error) {
	data, err := os.ReadFile(filepath.Join(dir, fileStarted))
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	return s, err
}

// environment is that with which a container's first process began; nil when it is
// not known (any more).
func environment(dir string) []string {
	s, err := noted(dir)
	if err != nil {
		return nil
	}
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(s.PID) + "/environ")
	if err != nil || s.Birth == "" || birth(s.PID) != s.Birth {
		return nil
	}
	var env []string
	for kv := range bytes.SplitSeq(bytes.TrimRight(raw, "\x00"), []byte{0}) {
		env = append(env, string(kv))
	}
	return env
}

// noProgram finds in runc's log whether the program was not there.
func noProgram(logFile string, err error) error {
	said := runcSaid(logFile, err)
	for _, sign := range []string{"executable file not found", "no such file or directory", "permission denied"} {
		if bytes.Contains([]byte(said), []byte(sign)) && bytes.Contains([]byte(said), []byte("exec")) {
			return fmt.Errorf("%w: %s", runtime.ErrNoProgram, said)
		}
	}
	return errors.New("The process did not start: " + said) //nolint:staticcheck // a sentence for the user
}
