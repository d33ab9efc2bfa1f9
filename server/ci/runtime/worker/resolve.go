package worker

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/runtime/worker/image"
)

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
