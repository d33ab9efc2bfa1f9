package worker

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// exec runs a process to its end and closes its session.
func (b bench) exec(id runtime.ContainerID, spec runtime.ExecSpec, input string) result {
	b.t.Helper()
	s, err := b.Exec(b.ctx, id, spec)
	if err != nil {
		b.t.Fatalf("exec: %v", err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			b.t.Errorf("close: %v", err)
		}
	}()
	return b.drainSession(s, input)
}

func (b bench) drainSession(s runtime.Session, input string) result {
	b.t.Helper()
	var r result
	var all sync.WaitGroup
	for stream, into := range map[io.Reader]*string{s.Stdout(): &r.out, s.Stderr(): &r.err} {
		all.Go(func() {
			data, err := io.ReadAll(stream)
			// What is printed at once may be printed before runc tells the terminal inside
			// that the one outside adds the carriage returns.
			*into = strings.ReplaceAll(string(data), "\r\r\n", "\r\n")
			if err != nil {
				b.t.Errorf("read: %v", err)
			}
		})
	}
	if input != "" {
		if _, err := io.WriteString(s.Stdin(), input); err != nil {
			b.t.Error(err)
		}
	}
	if err := s.Stdin().Close(); err != nil {
		b.t.Error(err)
	}
	all.Wait()
	r.Status = s.Wait()
	return r
}

func sh(script string) runtime.ExecSpec { return runtime.ExecSpec{Args: []string{"sh", "-c", script}} }

// sleeper is a container that runs until it is removed, and one that has ended;
// both have left /scratch/note, /vol/kept and a secret file behind.
func sleepers(b bench) map[string]runtime.ContainerID {
	out := map[string]runtime.ContainerID{}
	for name, end := range map[string]string{"running": "echo go; exec sleep 600", "ended": "echo go; exit 3"} {
		s := shell("mkdir /scratch; echo mine > /scratch/note; echo kept > /vol/kept; " + end)
		s.Env = []string{"COLOUR=blue"}
		s.Dir = "/scratch"
		s.Mounts = []runtime.Mount{{Volume: b.volume(), Path: "/vol"}}
		s.Files = []runtime.File{{Path: "/root/key", Mode: 0o600, Data: []byte("secret")}}
		p := b.start(s)
		if name == "ended" {
			b.wait(p)
		} else {
			b.line(p, "go")
		}
		out[name] = s.ID
	}
	return out
}

var errEnough = errors.New("enough")

// line waits for a line of output.
func (b bench) line(p runtime.Process, want string) {
	b.t.Helper()
	_, err := p.Follow(b.ctx, 0, func(f runtime.Frame) error {
		if strings.Contains(string(f.Data), want) {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		b.t.Fatalf("follow: %v", err)
	}
}

func TestExec(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if b.Engine() != "runc" {
		_, err := b.Exec(b.ctx, runtime.ContainerID(newID()), sh("true"))
		if err == nil || !strings.Contains(err.Error(), "install runc") {
			t.Errorf("got %v", err)
		}
		return
	}
	at := sleepers(b)
	tests := []struct {
		name, input string
		spec        runtime.ExecSpec
		out, err    string
		status      int
	}{
		{name: "output and status", spec: sh("echo hello; echo oops >&2; exit 4"), out: "hello\n", err: "oops\n", status: 4},
		{name: "what the step left", spec: sh("cat note /vol/kept /root/key"), out: "mine\nkept\nsecret"},
		{name: "its environment", spec: sh("echo $COLOUR $HOME"), out: "blue /root\n"},
		{name: "more environment", spec: runtime.ExecSpec{Args: []string{"sh", "-c", "echo $COLOUR $B"}, Env: []string{"B=2", "COLOUR=red"}}, out: "red 2\n"},
		{name: "its folder", spec: sh("pwd"), out: "/scratch\n"},
		{name: "another folder", spec: runtime.ExecSpec{Args: []string{"pwd"}, Dir: "/tmp"}, out: "/tmp\n"},
		{name: "another user", spec: runtime.ExecSpec{Args: []string{"id", "-u"}, User: "build"}, out: "1000\n"},
		{name: "input", spec: runtime.ExecSpec{Args: []string{"cat"}}, input: "from outside", out: "from outside"},
		{name: "terminal", spec: runtime.ExecSpec{Args: []string{"sh", "-c", "stty size; test -t 0 && echo tty >&2; exit 6"}, TTY: &runtime.WindowSize{Columns: 101, Rows: 37}},
			out: "37 101\r\ntty\r\n", status: 6},
		{name: "as isolated", spec: sh(`grep -q 'Seccomp:.2' /proc/self/status && grep -q 'NoNewPrivs:.1' /proc/self/status && ! unshare -U true 2>/dev/null; echo $?`), out: "0\n"},
		{name: "killed by a signal", spec: sh("kill -9 $$"), status: 137},
	}
	for where, id := range at {
		for _, tc := range tests {
			t.Run(where+"/"+tc.name, func(t *testing.T) {
				t.Parallel()
				b := b.with(t)
				got := b.exec(id, tc.spec, tc.input)
				if got.out != tc.out || got.err != tc.err || got.Status != tc.status {
					t.Errorf("got %+v", got)
				}
			})
		}
	}
}

func TestExecRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if b.Engine() != "runc" {
		return // TestExec
	}
	at := sleepers(b)
	for where, id := range at {
		for _, tty := range []*runtime.WindowSize{nil, {Columns: 80, Rows: 24}} {
			_, err := b.Exec(b.ctx, id, runtime.ExecSpec{Args: []string{"nonsense"}, TTY: tty})
			if !errors.Is(err, runtime.ErrNoProgram) {
				t.Errorf("%s: got %v", where, err)
			}
		}
	}
	for name, tc := range map[string]struct {
		id   runtime.ContainerID
		spec runtime.ExecSpec
		want string
	}{
		"unknown container": {runtime.ContainerID(newID()), sh("true"), runtime.ErrGone.Error()},
		"bad id":            {"../x", sh("true"), "hexadecimal"},
		"nothing to run":    {at["running"], runtime.ExecSpec{}, "nothing to run"},
		"unknown user":      {at["ended"], runtime.ExecSpec{Args: []string{"id"}, User: "alice"}, `no user "alice"`},
		"impossible window": {at["running"], runtime.ExecSpec{Args: []string{"id"}, TTY: &runtime.WindowSize{Columns: 1 << 20}}, "no size of a terminal"},
	} {
		if _, err := b.Exec(b.ctx, tc.id, tc.spec); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A terminal follows its user's window, and Close ends what runs in it.
func TestExecTerminal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if b.Engine() != "runc" {
		return // TestExec
	}
	for where, id := range sleepers(b) {
		s, err := b.Exec(b.ctx, id, runtime.ExecSpec{Args: []string{"sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done"},
			TTY: &runtime.WindowSize{Columns: 80, Rows: 24}})
		if err != nil {
			t.Fatal(err)
		}
		b.until(s, "ready")
		if err := s.Resize(runtime.WindowSize{Columns: 132, Rows: 50}); err != nil {
			t.Fatal(err)
		}
		b.until(s, "50 132")
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", where, err)
		}
		if left, _ := filepath.Glob(filepath.Join(b.containerDir(id), "exec-*")); len(left) != 0 {
			t.Errorf("%s: left %v", where, left)
		}
		if _, err := os.Stat(filepath.Join(b.containerDir(id), folderShell)); where == "ended" && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the shell container stayed: %v", err)
		}
	}
}

func (b bench) until(s runtime.Session, want string) {
	b.t.Helper()
	var got strings.Builder
	buf := make([]byte, 1000)
	for !strings.Contains(got.String(), want) {
		n, err := s.Stdout().Read(buf)
		got.Write(buf[:n])
		if err != nil {
			b.t.Fatalf("%v after %q", err, got.String())
		}
	}
}

// Several sessions share one shell container, what they write stays, and the
// container's own output and end are as they were.
func TestExecShares(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if b.Engine() != "runc" {
		return // TestExec
	}
	id := sleepers(b)["ended"]
	first, err := b.Exec(b.ctx, id, sh("echo more > /scratch/more; cat; ls /scratch"))
	if err != nil {
		t.Fatal(err)
	}
	wait := sh("while ! test -e /scratch/more; do sleep 0.01; done; cat /scratch/more")
	if got := b.exec(id, wait, ""); got.out != "more\n" {
		t.Errorf("got %+v", got)
	}
	if got := b.drainSession(first, "hold"); !strings.HasPrefix(got.out, "hold") {
		t.Errorf("got %+v", got)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if got := b.exec(id, sh("cat /scratch/more"), ""); got.out != "more\n" {
		t.Errorf("got %+v", got)
	}
	p, err := b.Attach(b.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.wait(p); got.Status != 3 || got.out != "go\n" {
		t.Errorf("the container's own end is now %+v", got)
	}
}

// Removing a container ends the sessions in it, and a server that comes back ends
// those of its former life.
func TestExecEndsWithItsContainer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if b.Engine() != "runc" {
		return // TestExec
	}
	for where, id := range sleepers(b) {
		s, err := b.Exec(b.ctx, id, sh("echo ready; exec sleep 600"))
		if err != nil {
			t.Fatal(err)
		}
		b.until(s, "ready")
		if err := b.Remove(b.ctx, id); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(s.Stdout()); err != nil || len(rest) != 0 {
			t.Errorf("%s: %q, %v", where, rest, err)
		}
		if status := s.Wait(); status < 128 {
			t.Errorf("%s: status %d", where, status)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", where, err)
		}
		if left := cgroupPIDs("/signalbox/"+string(id), b.cgroup2); len(left) != 0 {
			t.Errorf("%s: processes left: %v", where, left)
		}
	}
	again := sleepers(b)["ended"]
	s, err := b.Exec(b.ctx, again, sh("echo ready; exec sleep 600"))
	if err != nil {
		t.Fatal(err)
	}
	b.until(s, "ready")
	if err := b.Recover(b.ctx, map[runtime.ContainerID]bool{again: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(s.Stdout()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if got := b.exec(again, sh("cat /vol/kept"), ""); got.out != "kept\n" {
		t.Errorf("got %+v", got)
	}
}

func BenchmarkExec(b *testing.B) {
	w := setup(b)
	for where, id := range sleepers(w) {
		b.Run(where, func(b *testing.B) {
			for b.Loop() {
				began := time.Now()
				w.exec(id, runtime.ExecSpec{Args: []string{"true"}}, "")
				b.ReportMetric(float64(time.Since(began).Milliseconds()), "last-ms")
			}
		})
	}
}
