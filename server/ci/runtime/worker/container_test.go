package worker

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

func TestRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tests := []struct {
		name   string
		change func(*runtime.Spec)
		script string
		out    string
		status int
	}{
		{name: "output and status", script: "echo hello; exit 3", out: "hello\n", status: 3},
		{name: "killed by a signal", script: "sh -c 'kill -9 $$'", status: 137},
		{name: "environment", script: "echo $A $B $HOME", change: func(s *runtime.Spec) { s.Env = []string{"A=1", "B=2", "A=3"} }, out: "3 2 /root\n"},
		{name: "standard input", script: "cat", change: func(s *runtime.Spec) { s.Stdin = []byte("from outside\n") }, out: "from outside\n"},
		{name: "no standard input", script: "cat; echo end", out: "end\n"},
		{name: "missing working directory", script: "pwd", change: func(s *runtime.Spec) { s.Dir = "/tmp/build/new" }, out: "/tmp/build/new\n"},
		{name: "user by name", script: "id -u; id -g", change: func(s *runtime.Spec) { s.User = "build" }, out: "1000\n1000\n"},
		{name: "user by number", script: "id -u; id -g", change: func(s *runtime.Spec) { s.User = "12:13" }, out: "12\n13\n"},
		{name: "files", script: "cat /root/.ssh/key; stat -c '%a %u' /root/.ssh/key",
			change: func(s *runtime.Spec) {
				s.Files = []runtime.File{{Path: "/root/.ssh/key", Mode: 0o600, Data: []byte("secret\n")}}
			}, out: "secret\n600 0\n"},
		{name: "terminal", script: "stty size; test -t 0 && test -t 1 && test -t 2 && echo tty >&2",
			change: func(s *runtime.Spec) { s.TTY = true }, out: "500 500\r\ntty\r\n"},
		{name: "output opened by name", script: "echo one > /dev/stdout; echo two > /dev/stderr", out: "one\n"},
		{name: "own temporary folder", script: "touch /tmp/x && ls /tmp", out: "x\n"},
		{name: "ping socket and low port", script: "cat /proc/sys/net/ipv4/ip_unprivileged_port_start", out: "0\n"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := b.with(t)
			s := shell(tc.script)
			if tc.change != nil {
				tc.change(&s)
			}
			got := b.run(s)
			if got.out != tc.out || got.Status != tc.status || got.Reason != "" {
				t.Errorf("got %+v, want output %q and status %d", got, tc.out, tc.status)
			}
		})
	}
}

// Each script prints nothing and succeeds when the container is as isolated as it must be.
func TestIsolation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret := b.path("secret")
	if err := os.WriteFile(secret, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		"no processes of the machine":   `[ "$(ls -d /proc/[0-9]* | wc -l)" -lt 8 ] || ls /proc`,
		"programs are read-only":        `touch /usr/x 2>/dev/null && echo written; true`,
		"no data of this server":        fmt.Sprintf("cat %s 2>/dev/null; true", secret),
		"root's folder is an empty one": `ls -A /root`,
		"no homes":                      `ls -A /home`,
		"no logs or packages":           `ls -A /var/log /var/lib/dpkg 2>/dev/null; true`,
		"no passwords":                  `cat /etc/shadow 2>/dev/null; true`,
		"no other settings":             `ls /etc/ssh /etc/ssl/private 2>/dev/null; true`,
		"no new privileges":             `grep -q 'NoNewPrivs:.1' /proc/self/status || grep NoNew /proc/self/status`,
		"own host name":                 `[ "$(hostname)" != "$OUTSIDE" ] || hostname`,
		"no disks":                      `ls /dev | grep -E '^(vd|sd|nvme|kmsg|mem|kvm)'; true`,
		"no mounting":                   `mount -t tmpfs x /tmp 2>/dev/null && echo mounted; true`,
		"no set-uid":                    `grep ' / ' /proc/self/mountinfo | grep -q nosuid || echo root is mounted with suid`,
		"no kernel settings":            `echo 1 2>/dev/null > /proc/sys/kernel/printk && echo written; true`,
		"no kernel log":                 `dmesg 2>/dev/null | head -1`,
		"only the loopback when asked":  `ls /sys/class/net 2>/dev/null; grep -v -E 'lo:|Inter|face' /proc/net/dev; true`,
		"few capabilities":              `grep CapEff /proc/self/status | grep -E '1ff|3ff'; true`,
		"nothing inherited":             `ls /proc/self/fd | grep -v -E '^[0-3]$'; true`,
		"no environment of the server":  `env | grep -v -E '^(PATH|HOME|OUTSIDE|PWD|SHLVL|_)='; true`,
	}
	if b.Engine() == "runc" {
		tests["system calls are filtered"] = `grep -q 'Seccomp:.2' /proc/self/status || grep Seccomp /proc/self/status`
		tests["no namespaces inside"] = `unshare -U true 2>/dev/null && echo unshared; true`
	}
	outside, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for name, script := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := b.with(t)
			s := shell(script)
			s.Hermetic = true
			s.Env = []string{"OUTSIDE=" + outside}
			if got := b.run(s); got.out != "" || got.Status != 0 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if b.Engine() != "runc" {
		t.Log("bubblewrap keeps no limits")
		return
	}
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		b := b.with(t)
		s := shell("head -c 200000000 /dev/zero | tail")
		s.Limits = runtime.Limits{MemoryBytes: 32 << 20}
		if got := b.run(s); !strings.Contains(got.Reason, "memory") {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("processes", func(t *testing.T) {
		t.Parallel()
		b := b.with(t)
		s := shell("for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 5 & done; echo all")
		s.Limits = runtime.Limits{PIDs: 10}
		if got := b.run(s); strings.Contains(got.out, "all") || !strings.Contains(got.err, "ork") {
			t.Errorf("got %+v", got)
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	noHost := setup(t, func(o *Options) { o.HostImage = false })
	tests := []struct {
		name   string
		on     bench
		change func(*runtime.Spec)
		want   string
	}{
		{"bad id", b, func(s *runtime.Spec) { s.ID = "../../etc" }, "hexadecimal"},
		{"no image", b, func(s *runtime.Spec) { s.Image = runtime.Image{} }, "no image"},
		{"unknown image", b, func(s *runtime.Spec) { s.Image = runtime.Image{Volume: runtime.VolumeID(newID())} }, "no such container or volume"},
		{"nothing to run", b, func(s *runtime.Spec) { s.Args = nil }, "what to run"},
		{"unknown user", b, func(s *runtime.Spec) { s.User = "alice" }, `no user "alice"`},
		{"mount over the root", b, func(s *runtime.Spec) { s.Mounts = []runtime.Mount{{HostPath: "/usr", Path: "/"}} }, "below /"},
		{"forbidden host image", noHost, func(*runtime.Spec) {}, "not allowed on this server"},
	}
	if b.Engine() == "runc" {
		tests = append(tests, struct {
			name   string
			on     bench
			change func(*runtime.Spec)
			want   string
		}{"unknown program", b, func(s *runtime.Spec) { s.Args = []string{"/bin/nonsense"} }, "no such file"})
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := shell("true")
			tc.change(&s)
			err := tc.on.Start(tc.on.ctx, s)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if left, err := tc.on.Containers(tc.on.ctx); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
	if err := noHost.Ready(noHost.ctx); err != nil {
		t.Errorf("ready without the host image: %v", err)
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tests := []struct {
		name, script string
		grace, max   time.Duration
		status       int
		out          string
	}{
		{"a process that tidies up", "trap 'echo bye; exit 7' TERM; echo go; while :; do sleep 0.01; done", 20 * time.Second, 10 * time.Second, 7, "go\nbye\n"},
		{"a process that does not care", "trap 'echo no' TERM; echo go; while :; do sleep 0.01; done", 300 * time.Millisecond, 10 * time.Second, 137, ""},
		{"a process that knows nothing of signals", "echo go; exec sleep 600", time.Minute, 20 * time.Second, 137, "go\n"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := b.with(t)
			s := shell(tc.script)
			p := b.start(s)
			ready := make(chan struct{})
			go func() {
				_, _ = p.Follow(b.ctx, 0, func(runtime.Frame) error { close(ready); return fmt.Errorf("seen") })
			}()
			<-ready
			began := time.Now()
			if err := p.Stop(b.ctx, tc.grace); err != nil {
				t.Fatal(err)
			}
			got := b.wait(p)
			status := got.Status
			if b.Engine() == "bwrap" && status == 143 {
				status = tc.status
			}
			if status != tc.status || tc.out != "" && got.out != tc.out || time.Since(began) > tc.max {
				t.Errorf("got %+v after %v", got, time.Since(began))
			}
			if err := p.Stop(b.ctx, tc.grace); err != nil {
				t.Errorf("stop again: %v", err)
			}
		})
	}
}

func TestNotRootOutside(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := shell("exec sleep 600")
	b.start(s)
	info, err := os.Stat(fmt.Sprintf("/proc/%d", initOf(t, b, s.ID)))
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", initOf(t, b, s.ID)))
	if err != nil {
		t.Fatal(err)
	}
	if ownerOf(info) == 0 && strings.Contains(string(status), "\nUid:\t0") {
		t.Errorf("the container's root is the machine's root: %s", status)
	}
}
