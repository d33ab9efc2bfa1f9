package worker

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// serverCommand makes the test binary a server that starts one container and waits
// to be killed.
const serverCommand = "test-server"

func serverMain(root, id, preferred string) int {
	w, err := New(Options{Root: root, Name: "test", HostImage: true, Self: "/proc/self/exe", Prefer: preferred, Logger: slog.Default(), Now: time.Now})
	if err != nil {
		slog.Error(err.Error())
		return 1
	}
	s := shell("trap 'exit 9' TERM; i=0; while [ ! -e /gate/open ]; do i=$((i+1)); echo line $i; sleep 0.01; done; echo end")
	s.ID = runtime.ContainerID(id)
	s.Mounts = []runtime.Mount{{Volume: runtime.VolumeID(id), Path: "/gate"}}
	ctx := context.Background()
	if err := errors.Join(w.CreateVolume(ctx, runtime.VolumeID(id)), w.Start(ctx, s)); err != nil {
		slog.Error(err.Error())
		return 1
	}
	os.Stdout.WriteString("started\n")
	select {}
}

// killedServer starts a server with a running container and kills it.
func killedServer(t *testing.T, root string) runtime.ContainerID {
	t.Helper()
	id := newID()
	cmd := exec.Command("/proc/self/exe", serverCommand, root, id, *prefer)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if b := make([]byte, 8); must(out.Read(b)) != 8 {
		t.Fatal("the server did not start")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	return runtime.ContainerID(id)
}

func TestServerKilled(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	id := killedServer(t, root)
	b := setup(t, func(o *Options) { o.Root = root })
	list, err := b.Containers(b.ctx)
	if err != nil || len(list) != 1 || !list[0].Running || list[0].ID != id {
		t.Fatalf("the container does not go on: %v, %v", list, err)
	}
	if err := b.Start(b.ctx, runtime.Spec{ID: id, Image: runtime.Image{Host: true}, Args: []string{"false"}}); err != nil {
		t.Errorf("start again: %v", err)
	}
	if err := b.Recover(b.ctx, map[runtime.ContainerID]bool{id: true}); err != nil {
		t.Errorf("recover: %v", err)
	}
	p, err := b.Attach(b.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	// Let it end only after a line was seen that was written after the server's death.
	var number int
	_, err = p.Follow(b.ctx, 0, func(f runtime.Frame) error {
		if number++; number == 20 {
			return os.WriteFile(b.path("volumes", string(id), "open"), nil, 0o644)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got := b.wait(p)
	if got.Status != 0 || !strings.HasPrefix(got.out, "line 1\nline 2\n") || !strings.HasSuffix(got.out, "end\n") {
		t.Errorf("got %+v", got)
	}
}

func TestRecoverRemovesUnknown(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	id := killedServer(t, root)
	b := setup(t, func(o *Options) { o.Root = root })
	pid := initOf(t, b, id)
	if err := b.Recover(b.ctx, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Attach(b.ctx, id); !errors.Is(err, runtime.ErrGone) {
		t.Errorf("attach: %v", err)
	}
	if err := unix.Kill(pid, 0); !errors.Is(err, unix.ESRCH) {
		t.Errorf("the container's process %d still runs: %v", pid, err)
	}
}

func initOf(t *testing.T, b bench, id runtime.ContainerID) int {
	t.Helper()
	var s started
	data, err := os.ReadFile(filepath.Join(b.containerDir(id), fileStarted))
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s.PID
}

func TestSupervisorKilled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := shell("echo before; exec sleep 600")
	p := b.start(s)
	text, err := os.ReadFile(filepath.Join(b.containerDir(s.ID), fileLock))
	if err != nil {
		t.Fatal(err)
	}
	supervisor, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	init := initOf(t, b, s.ID)
	if _, err := p.Follow(b.ctx, 0, func(runtime.Frame) error { return unix.Kill(supervisor, unix.SIGKILL) }); err != nil {
		t.Fatal(err)
	}
	got := b.wait(p)
	if got.Status != lost || got.Reason == "" || got.out != "before\n" {
		t.Errorf("got %+v", got)
	}
	if birth(init) != "" {
		if state, _ := os.ReadFile("/proc/" + strconv.Itoa(init) + "/stat"); !strings.Contains(string(state), ") Z ") {
			t.Errorf("the container's process still runs: %s", state)
		}
	}
	if again := b.wait(p); again.Exit != got.Exit {
		t.Errorf("asked again: %+v", again)
	}
}

func TestInitKilled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := shell("echo before; exec sleep 600")
	p := b.start(s)
	if err := unix.Kill(initOf(t, b, s.ID), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if got := b.wait(p); got.Status != 137 {
		t.Errorf("got %+v", got)
	}
}

func TestRemoveAndAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := shell("echo once; exec sleep 600")
	p := b.start(s)
	for range 2 {
		if err := b.Remove(b.ctx, s.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Follow(b.ctx, 0, func(runtime.Frame) error { return nil }); !errors.Is(err, runtime.ErrGone) {
		t.Errorf("follow what is removed: %v", err)
	}
	s.Args = []string{"echo", "twice"}
	if got := b.run(s); got.out != "twice\n" {
		t.Errorf("the same id after removal: %+v", got)
	}
}

func TestPlacesAreWaitedFor(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *Options) { o.MaxContainers = 1 })
	first := shell("exec sleep 600")
	p := b.start(first)
	ctx, cancel := context.WithTimeout(b.ctx, 100*time.Millisecond)
	defer cancel()
	if err := b.Start(ctx, shell("true")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second container: %v", err)
	}
	if err := p.Stop(b.ctx, 0); err != nil {
		t.Fatal(err)
	}
	if got := b.run(shell("echo now")); got.out != "now\n" {
		t.Errorf("got %+v", got)
	}
}

func TestMuchOutput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	began := time.Now()
	p := b.start(shell("seq 1 1000000"))
	lines := 0
	exit, err := p.Follow(b.ctx, 0, func(f runtime.Frame) error {
		lines += strings.Count(string(f.Data), "\n")
		return nil
	})
	if err != nil || exit.Status != 0 || lines != 1000000 {
		t.Errorf("got %d lines, %+v, %v", lines, exit, err)
	}
	t.Logf("a million lines in %v", time.Since(began))
	var seen int64
	if _, err := p.Follow(b.ctx, 3, func(runtime.Frame) error { seen++; return nil }); err != nil {
		t.Fatal(err)
	}
	var all int64
	if _, err := p.Follow(b.ctx, 0, func(runtime.Frame) error { all++; return nil }); err != nil || all != seen+3 {
		t.Errorf("all %d frames, %d from the fourth on, %v", all, seen, err)
	}
}

func TestTooMuchOutput(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *Options) { o.MaxOutput = 1 << 20 })
	if got := b.run(shell("exec yes")); !strings.Contains(got.Reason, "more than 1 MB") || got.Status != 137 {
		t.Errorf("got %d %s", got.Status, got.Reason)
	}
}

func ownerOf(info os.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Uid }
