package oci

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

var update = flag.Bool("update", false, "write the golden files anew")

func sample() Container {
	return Container{
		ID: "0123456789abcdef0123456789abcdef", RootFS: "/run/signalbox/root", Hostname: "0123456789ab",
		Args: []string{"/bin/sh", "-c", "echo"}, Env: []string{"A=1"}, Cwd: "/tmp/build",
		Binds:   []Bind{{Source: "/run/signalbox/m0", Path: "/usr", ReadOnly: true}, {Source: "/run/signalbox/m1", Path: "/tmp/build/in/"}},
		HostUID: 100000, IDs: 65536, NetworkNamespace: "/proc/7/task/7/ns/net", CgroupPath: "/signalbox/x",
		CPUShares: 512, MemoryBytes: 1 << 30, PIDs: 100,
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	privileged := sample()
	privileged.Privileged, privileged.TTY, privileged.CgroupV2, privileged.UID = true, true, true, 1000
	for name, c := range map[string]Container{"plain": sample(), "privileged": privileged} {
		got, err := json.MarshalIndent(Spec(c), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from %s; look at the difference, then run with -update", name, file)
		}
	}
}

// What must hold whatever else changes.
func TestRules(t *testing.T) {
	t.Parallel()
	s := Spec(sample())
	if !s.Process.NoNewPrivileges || s.Linux.Seccomp == nil || len(s.Linux.MaskedPaths) == 0 {
		t.Error("a plain container has new privileges, no filter or no masked paths")
	}
	if slices.Contains(s.Process.Capabilities.Bounding, "CAP_SYS_ADMIN") || len(s.Process.Capabilities.Inheritable)+len(s.Process.Capabilities.Ambient) > 0 {
		t.Error("a plain container has too many capabilities")
	}
	var kinds []string
	for _, n := range s.Linux.Namespaces {
		kinds = append(kinds, string(n.Type))
	}
	slices.Sort(kinds)
	if !slices.Equal(kinds, []string{"cgroup", "ipc", "mount", "network", "pid", "user", "uts"}) {
		t.Errorf("namespaces %v", kinds)
	}
	for _, c := range []bool{false, true} {
		in := sample()
		in.Privileged = c
		s := Spec(in)
		if len(s.Linux.UIDMappings) != 1 || s.Linux.UIDMappings[0].HostID < 65536 {
			t.Errorf("privileged %v: ids are mapped %v", c, s.Linux.UIDMappings)
		}
		if r := s.Linux.Resources.Devices; len(r) == 0 || r[0].Allow {
			t.Errorf("privileged %v: devices are allowed", c)
		}
		for _, m := range s.Mounts {
			if m.Type == "bind" && !slices.Contains(m.Options, "nosuid") {
				t.Errorf("privileged %v: %s is mounted with suid", c, m.Destination)
			}
		}
	}
	if *s.Linux.Resources.Memory.Swap != *s.Linux.Resources.Memory.Limit {
		t.Error("a container may swap beyond its memory")
	}
	var denied []string
	for _, c := range s.Linux.Seccomp.Syscalls {
		if c.Action == specs.ActErrno {
			denied = append(denied, c.Names...)
		}
	}
	for _, call := range []string{"bpf", "mount", "unshare", "setns", "kexec_load", "init_module", "keyctl", "clone", "clone3", "io_uring_setup"} {
		if !slices.Contains(denied, call) {
			t.Errorf("%s is allowed", call)
		}
	}
}
