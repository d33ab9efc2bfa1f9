package oci

import (
	"runtime"

	"golang.org/x/sys/unix"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// refused system calls reach kernel state outside the container or have been the
// door of most container escapes; no build needs them. A list of what is refused,
// rather than allowed, keeps new C libraries working.
var refused = []string{
	"acct", "add_key", "adjtimex", "bpf", "clock_adjtime", "clock_adjtime64", "clock_settime", "clock_settime64",
	"delete_module", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "get_kernel_syms", "init_module",
	"ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "mount", "mount_setattr",
	"move_mount", "move_pages", "nfsservctl", "open_by_handle_at", "open_tree", "perf_event_open", "pivot_root",
	"query_module", "quotactl", "quotactl_fd", "reboot", "request_key", "set_mempolicy_home_node", "setns",
	"settimeofday", "stime", "swapoff", "swapon", "sysfs", "syslog", "umount", "umount2", "unshare", "uselib",
	"userfaultfd", "ustat", "vm86", "vm86old", "_sysctl",
}

// absent system calls answer "not implemented", for which C libraries and
// run-times have another way: clone3 hides its flags from filters, io_uring goes
// around them.
var absent = []string{"clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"}

// newNamespaces are the clone flags that would open a namespace inside.
const newNamespaces = unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER |
	unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWCGROUP

func seccomp() *specs.LinuxSeccomp {
	eperm, enosys, unsupported := uint(unix.EPERM), uint(unix.ENOSYS), uint(unix.EAFNOSUPPORT)
	s := &specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow,
		Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32},
		Syscalls: []specs.LinuxSyscall{
			{Names: refused, Action: specs.ActErrno, ErrnoRet: &eperm},
			{Names: absent, Action: specs.ActErrno, ErrnoRet: &enosys},
		},
	}
	if runtime.GOARCH != "amd64" {
		s.Architectures = []specs.Arch{specs.ArchAARCH64, specs.ArchARM}
	}
	// One rule per flag: a masked comparison tests "all of these bits are set".
	for bit := uint64(1); bit <= newNamespaces; bit <<= 1 {
		if newNamespaces&bit != 0 {
			s.Syscalls = append(s.Syscalls, onArgument("clone", 0, bit, bit, specs.OpMaskedEqual, &eperm))
		}
	}
	for _, family := range []uint64{unix.AF_VSOCK, unix.AF_ALG, unix.AF_KEY} {
		s.Syscalls = append(s.Syscalls, onArgument("socket", 0, family, 0, specs.OpEqualTo, &unsupported))
	}
	// Pushing characters into a terminal's input, or pasting on the console.
	for _, request := range []uint64{unix.TIOCSTI, unix.TIOCLINUX} {
		s.Syscalls = append(s.Syscalls, onArgument("ioctl", 1, 0xffffffff, request, specs.OpMaskedEqual, &eperm))
	}
	return s
}

func onArgument(call string, index uint, value, second uint64, op specs.LinuxSeccompOperator, errno *uint) specs.LinuxSyscall {
	return specs.LinuxSyscall{
		Names: []string{call}, Action: specs.ActErrno, ErrnoRet: errno,
		Args: []specs.LinuxSeccompArg{{Index: index, Value: value, ValueTwo: second, Op: op}},
	}
}
