package oci

import (
	"path"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Container is what the configuration is made from; all paths are those of the
// mount namespace that runc is started in.
type Container struct {
	ID       string
	RootFS   string
	Hostname string
	Args     []string
	Env      []string
	Cwd      string
	UID, GID uint32
	Groups   []uint32
	TTY      bool
	Binds    []Bind
	// HostUID is the first unprivileged host id that the container's root maps to,
	// IDs how many follow.
	HostUID, IDs uint32
	// NetworkNamespace is joined when set; otherwise the container gets an empty one.
	NetworkNamespace string
	CgroupPath       string
	CPUShares        uint64
	MemoryBytes      int64
	PIDs             int64
	Privileged       bool
	// CgroupV2 mounts the container's own cgroup read-only, so that programs can
	// read their limits.
	CgroupV2 bool
}

// Bind puts Source at Path.
type Bind struct {
	Source, Path string
	ReadOnly     bool
}

// Spec is the configuration of one container.
func Spec(c Container) *specs.Spec {
	caps := capabilities(c.Privileged)
	s := &specs.Spec{
		Version:  "1.0.2",
		Hostname: c.Hostname,
		Root:     &specs.Root{Path: c.RootFS},
		Process: &specs.Process{
			Terminal:        c.TTY,
			User:            specs.User{UID: c.UID, GID: c.GID, AdditionalGids: c.Groups},
			Args:            c.Args,
			Env:             c.Env,
			Cwd:             c.Cwd,
			NoNewPrivileges: !c.Privileged,
			Capabilities: &specs.LinuxCapabilities{
				Bounding: caps, Effective: caps, Permitted: caps,
			},
		},
		Mounts: mounts(c),
		Linux:  linux(c),
	}
	if c.TTY {
		s.Process.ConsoleSize = &specs.Box{Width: 500, Height: 500}
	}
	if c.UID != 0 {
		s.Process.Capabilities.Effective, s.Process.Capabilities.Permitted = nil, nil
	}
	return s
}

func linux(c Container) *specs.Linux {
	ids := []specs.LinuxIDMapping{{ContainerID: 0, HostID: c.HostUID, Size: c.IDs}}
	l := &specs.Linux{
		UIDMappings: ids,
		GIDMappings: ids,
		CgroupsPath: c.CgroupPath,
		Resources:   resources(c),
		Namespaces: []specs.LinuxNamespace{
			{Type: specs.UserNamespace}, {Type: specs.PIDNamespace}, {Type: specs.MountNamespace},
			{Type: specs.IPCNamespace}, {Type: specs.UTSNamespace}, {Type: specs.CgroupNamespace},
			{Type: specs.NetworkNamespace, Path: c.NetworkNamespace},
		},
	}
	if !c.Privileged {
		l.Seccomp = seccomp()
		l.MaskedPaths = maskedPaths
		l.ReadonlyPaths = readonlyPaths
	}
	return l
}

func resources(c Container) *specs.LinuxResources {
	deny := specs.LinuxDeviceCgroup{Allow: false, Access: "rwm"}
	r := &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{deny}}
	if c.CPUShares > 0 {
		r.CPU = &specs.LinuxCPU{Shares: &c.CPUShares}
	}
	if c.MemoryBytes > 0 {
		// Swap equal to memory means no swap: a build over its limit is told at once
		// instead of dragging the machine down.
		r.Memory = &specs.LinuxMemory{Limit: &c.MemoryBytes, Swap: &c.MemoryBytes}
	}
	if c.PIDs > 0 {
		r.Pids = &specs.LinuxPids{Limit: &c.PIDs}
	}
	return r
}

// mounts are the container's own file systems, then the binds, parents first.
func mounts(c Container) []specs.Mount {
	ms := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
	}
	if c.CgroupV2 {
		ms = append(ms, specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"nosuid", "noexec", "nodev", "ro"}})
	}
	for _, b := range c.Binds {
		opts := []string{"rbind", "nosuid", "nodev", "rw"}
		if b.ReadOnly {
			opts = []string{"rbind", "nosuid", "nodev", "ro"}
		}
		ms = append(ms, specs.Mount{Destination: path.Clean(b.Path), Type: "bind", Source: b.Source, Options: opts})
	}
	return ms
}

var maskedPaths = []string{
	"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
	"/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/proc/interrupts", "/sys/firmware",
}

var readonlyPaths = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}

// usual is what package managers and compilers need of root, nothing that reaches
// the kernel's own state.
var usual = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
	"CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
}

// beyond comes on top for privileged containers; it counts only inside their
// user namespace.
var beyond = []string{
	"CAP_DAC_READ_SEARCH", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_LEASE", "CAP_LINUX_IMMUTABLE", "CAP_NET_ADMIN",
	"CAP_NET_BROADCAST", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_PACCT", "CAP_SYS_PTRACE",
	"CAP_SYS_RESOURCE", "CAP_SYS_TTY_CONFIG",
}

func capabilities(privileged bool) []string {
	if privileged {
		return append(append([]string{}, usual...), beyond...)
	}
	return usual
}
