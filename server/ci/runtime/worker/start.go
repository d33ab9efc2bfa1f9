package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/runtime/worker/image"
)

// validID accepts only the ids of this system: they become file names.
func validID(id string) error {
	if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
		return fmt.Errorf("%q is not an id of 32 hexadecimal digits", id)
	}
	return nil
}

// Start starts a container and returns once it runs.
func (w *Worker) Start(ctx context.Context, spec runtime.Spec) error {
	if w.engine == noEngine {
		return w.noEngine()
	}
	if err := validID(string(spec.ID)); err != nil {
		return err
	}
	free, err := w.claim(ctx, spec.ID)
	if err != nil {
		return err
	}
	defer free()
	dir := w.containerDir(spec.ID)
	switch wasStarted, err := w.leftover(ctx, dir); {
	case err != nil:
		return err
	case wasStarted:
		return nil
	}
	l, err := w.launch(spec, false)
	if err != nil {
		return err
	}
	select {
	case w.places <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := w.spawn(ctx, l); err != nil {
		if ctx.Err() == nil {
			err = errors.Join(err, w.discard(dir))
		}
		return err
	}
	return nil
}

// claim makes calls about one container wait for each other.
func (w *Worker) claim(ctx context.Context, id runtime.ContainerID) (free func(), err error) {
	for {
		w.mu.Lock()
		other, taken := w.busy[id]
		if !taken {
			mine := make(chan struct{})
			w.busy[id] = mine
			w.mu.Unlock()
			return func() {
				w.mu.Lock()
				delete(w.busy, id)
				w.mu.Unlock()
				close(mine)
			}, nil
		}
		w.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// leftover looks at what an earlier Start of the id left: a container that was
// started stays, the remains of one that was not are thrown away.
func (w *Worker) leftover(ctx context.Context, dir string) (wasStarted bool, err error) {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	// A supervisor that an interrupted server left in the middle of its start ends
	// that by itself, one way or the other.
	for supervised(dir) && !exists(filepath.Join(dir, fileStarted)) {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	if exists(filepath.Join(dir, fileStarted)) {
		return true, nil
	}
	return false, w.discard(dir)
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// spawn hands the launch to a new supervisor and waits for its word. The place
// is given back when the supervisor ends.
func (w *Worker) spawn(ctx context.Context, l launch) error {
	giveBack := func() { <-w.places }
	if err := os.MkdirAll(l.path(folderMount), 0o700); err != nil {
		giveBack()
		return err
	}
	task, err := json.Marshal(l)
	if err != nil {
		giveBack()
		return err
	}
	said, tells, err := os.Pipe()
	if err != nil {
		giveBack()
		return err
	}
	cmd := w.supervisor()
	cmd.Stdin = bytes.NewReader(task)
	cmd.ExtraFiles = []*os.File{tells}
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.Dir = "/"
	cmd.SysProcAttr = w.separate()
	err = cmd.Start()
	tells.Close()
	if err != nil {
		said.Close()
		giveBack()
		return fmt.Errorf("start the container's supervisor: %w", err)
	}
	go func() {
		_ = cmd.Wait() // its word and its files say all there is
		giveBack()
	}()
	word := make(chan string, 1)
	go func() {
		defer said.Close()
		text, err := io.ReadAll(io.LimitReader(said, 1<<16))
		if err != nil {
			text = []byte(err.Error())
		}
		word <- string(text)
	}()
	select {
	case text := <-word:
		if text == "" && !exists(l.path(fileStarted)) {
			text = "The container's supervisor ended before the container started."
		}
		if text != "" {
			return errors.New(text)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// separate gives the supervisor its own session and mount namespace; without root
// also a user namespace, in which it may mount.
func (w *Worker) separate() *syscall.SysProcAttr {
	if !w.rootless {
		return &syscall.SysProcAttr{Setsid: true, Unshareflags: syscall.CLONE_NEWNS}
	}
	return &syscall.SysProcAttr{
		Setsid:      true,
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
}

// launch resolves a spec against the image; own is the worker itself asking, which
// may always use the host image.
func (w *Worker) launch(spec runtime.Spec, own bool) (launch, error) {
	l := launch{
		ID: string(spec.ID), Dir: w.containerDir(spec.ID), Engine: w.engine, Program: w.program, Rootless: w.rootless,
		TTY: spec.TTY, Stdin: spec.Stdin, Privileged: spec.Privileged, CgroupV2: w.cgroup2, MaxOutput: w.opts.MaxOutput,
		Limits: w.limits(spec.Limits),
	}
	if w.engine == engineRunc {
		l.CgroupPath = path.Join(cgroupParent, l.ID)
	}
	meta, err := w.imageOf(spec, own, &l)
	if err != nil {
		return launch{}, err
	}
	if err := w.mountsOf(spec, &l); err != nil {
		return launch{}, err
	}
	if l.Args = meta.Command(spec.Args); len(l.Args) == 0 {
		return launch{}, errors.New("Neither the step nor its image says what to run.") //nolint:staticcheck // a sentence for the user
	}
	who := spec.User
	if who == "" {
		who = meta.User
	}
	user, err := image.FindUser(l.Lower, who)
	if err != nil {
		return launch{}, err
	}
	l.User = identity{UID: user.UID, GID: user.GID, Groups: user.Groups}
	l.Cwd = path.Join("/", spec.Dir)
	if spec.Dir == "" && meta.WorkDir != "" {
		l.Cwd = path.Join("/", meta.WorkDir)
	}
	l.Env = mergeEnv(append([]string{image.DefaultPath, "HOME=" + user.Home}, meta.Env...), spec.Env)
	if spec.TTY {
		l.Env = mergeEnv([]string{"TERM=xterm"}, l.Env)
	}
	if l.Network, err = w.setup().Plan(spec.Hermetic); err != nil {
		return launch{}, err
	}
	l.Files = append(w.ownFiles(l.ID, spec.Hermetic), spec.Files...)
	return l, nil
}

func (w *Worker) limits(asked runtime.Limits) runtime.Limits {
	if asked.CPUShares == 0 {
		asked.CPUShares = w.opts.Limits.CPUShares
	}
	if asked.MemoryBytes == 0 {
		asked.MemoryBytes = w.opts.Limits.MemoryBytes
	}
	if asked.PIDs == 0 {
		asked.PIDs = w.opts.Limits.PIDs
	}
	if asked.PIDs == 0 {
		asked.PIDs = 4096 // a fork bomb must end in the container, not on the machine
	}
	return asked
}

// imageOf fills in where the container's root comes from.
func (w *Worker) imageOf(spec runtime.Spec, own bool, l *launch) (image.Metadata, error) {
	switch {
	case spec.Image.Host && !w.opts.HostImage && !own:
		return image.Metadata{}, errors.New("The image host is not allowed on this server (ci.host_image is false); name an image_resource.") //nolint:staticcheck // a sentence for the user
	case spec.Image.Host:
		l.Lower = w.host.Root
		for _, p := range w.host.Shown {
			l.Mounts = append(l.Mounts, mount{Source: p, Path: p, ReadOnly: true})
		}
		return w.host.Metadata, nil
	case spec.Image.Volume == "":
		return image.Metadata{}, errors.New("The container has no image.") //nolint:staticcheck // a sentence for the user
	}
	dir, err := w.volumeDir(spec.Image.Volume)
	if err != nil {
		return image.Metadata{}, err
	}
	l.Lower = filepath.Join(dir, "rootfs")
	return image.Load(dir)
}

func (w *Worker) mountsOf(spec runtime.Spec, l *launch) error {
	for _, m := range spec.Mounts {
		if !path.IsAbs(m.Path) || path.Clean(m.Path) == "/" {
			return fmt.Errorf("the mount path %q is not an absolute path below /", m.Path)
		}
		out := mount{Source: m.HostPath, Path: path.Clean(m.Path), Copy: m.Copy, ReadOnly: m.ReadOnly}
		if m.Volume == "" {
			out.ReadOnly, out.Copy = true, false
			if !filepath.IsAbs(m.HostPath) {
				return fmt.Errorf("the mounted folder %q is not an absolute path", m.HostPath)
			}
		} else {
			dir, err := w.volumeDir(m.Volume)
			if err != nil {
				return err
			}
			out.Source = dir
		}
		if slices.ContainsFunc(l.Mounts, func(o mount) bool { return o.Path == out.Path }) {
			return fmt.Errorf("two mounts have the path %s", out.Path)
		}
		l.Mounts = append(l.Mounts, out)
	}
	return nil
}

// ownFiles are what every container finds in /etc.
func (w *Worker) ownFiles(id string, hermetic bool) []runtime.File {
	net := w.setup()
	name := id[:12]
	resolv := net.Resolv
	if hermetic || net.Reason != "" {
		resolv = ""
	}
	return []runtime.File{
		{Path: "/etc/hostname", Mode: 0o644, Data: []byte(name + "\n")},
		{Path: "/etc/hosts", Mode: 0o644, Data: []byte(net.Hosts + "127.0.0.1\t" + name + "\n")},
		{Path: "/etc/resolv.conf", Mode: 0o644, Data: []byte(resolv)},
	}
}

// mergeEnv lays over on top of base; the last value of a name holds.
func mergeEnv(base, over []string) []string {
	var out []string
	at := map[string]int{}
	for _, kv := range append(slices.Clone(base), over...) {
		name, _, _ := strings.Cut(kv, "=")
		if i, ok := at[name]; ok {
			out[i] = kv
			continue
		}
		at[name] = len(out)
		out = append(out, kv)
	}
	return out
}
