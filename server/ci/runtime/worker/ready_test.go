package worker

import (
	"bytes"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

func TestReady(t *testing.T) {
	t.Parallel()
	now := time.Now()
	b := setup(t, func(o *Options) { o.Now = func() time.Time { return now } })
	if err := b.Ready(b.ctx); err != nil {
		t.Fatal(err)
	}
	if b.Engine() != "runc" || b.Network() != "" {
		return
	}
	// A firewall that is restarted throws our rules away.
	if err := b.setup().Unload(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(probeEvery)
	if err := b.Ready(b.ctx); err != nil || !b.setup().Loaded() {
		t.Errorf("the rules are not back: %v", err)
	}
}

func TestNothingToIsolateWith(t *testing.T) {
	t.Parallel()
	w, err := New(Options{Root: t.TempDir(), Self: "/proc/self/exe", Prefer: "nothing", Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for what, err := range map[string]error{"ready": w.Ready(t.Context()), "start": w.Start(t.Context(), shell("echo on the host"))} {
		if err == nil || !strings.Contains(err.Error(), "apt install") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestBrokenMachine(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *Options) { o.Self = "/bin/false" })
	if err := b.Ready(b.ctx); err == nil || !strings.Contains(err.Error(), "cannot be started on this machine") {
		t.Errorf("ready: %v", err)
	}
	if left, err := os.ReadDir(b.path("containers")); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("mounting a small disk needs root")
		return
	}
	root := t.TempDir()
	if err := unix.Mount("tmpfs", root, "tmpfs", 0, "size=2m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(root, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	b := setup(t, func(o *Options) { o.Root = root })
	if got := b.run(shell("echo first; exec yes")); !strings.Contains(got.Reason, "disk is full") || got.Status == 0 || !strings.HasPrefix(got.out, "first\n") {
		t.Errorf("got %d %q", got.Status, got.Reason)
	}
}

func TestSecretsStayOffTheDisk(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := shell("read x; exec sleep 600")
	s.Env, s.Stdin = []string{"TOKEN=very-secret-value"}, []byte("very-secret-value")
	b.start(s)
	err := filepath.WalkDir(b.opts.Root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // gone meanwhile, or nothing that holds text
		}
		if data, err := os.ReadFile(p); err == nil && bytes.Contains(data, []byte("very-secret-value")) {
			t.Errorf("a secret is in %s", p)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	list, err := exec.Command("ps", "axww").Output()
	if err != nil || bytes.Contains(list, []byte("very-secret-value")) {
		t.Errorf("a secret is in the list of processes: %v", err)
	}
}

func TestPrivileged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if b.Engine() != "runc" {
		t.Log("bubblewrap gives no privileges")
		return
	}
	s := shell(`mount -t tmpfs x /mnt && echo mounted; mount -o remount,bind,rw /usr 2>/dev/null; touch /usr/x 2>/dev/null || echo refused
		mount -o remount,bind,rw /in 2>/dev/null; touch /in/x 2>/dev/null || echo refused; tr -s ' ' </proc/self/uid_map`)
	s.Privileged = true
	s.Files = []runtime.File{{Path: "/mnt/.keep"}}
	s.Mounts = []runtime.Mount{{Volume: b.volume(), Path: "/in", ReadOnly: true}}
	if got := b.run(s); got.out != "mounted\nrefused\nrefused\n 0 100000 65536\n" {
		t.Errorf("got %+v", got)
	}
}
