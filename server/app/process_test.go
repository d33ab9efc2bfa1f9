package app_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/signalbox/signalbox/server/platform/databasetest"
)

// process is the real program in a process of its own, which tests may kill.
type process struct {
	*client
	t        testing.TB
	dir      string
	database string
	wrap     []string // what runs the program
	cmd      *exec.Cmd
	stderr   *bytes.Buffer
	once     *sync.Once
	ended    chan struct{}
}

// launch starts the program on fresh data and signs in.
func launch(t testing.TB) *process {
	t.Helper()
	return launchOn(t, t.TempDir(), databasetest.URL(t))
}

func launchOn(t testing.TB, dir, database string, wrap ...string) *process {
	t.Helper()
	p := &process{client: &client{}, t: t, dir: dir, database: database, wrap: wrap}
	p.start()
	p.token = p.grant(t, "admin", adminPassword)
	t.Cleanup(func() {
		if t.Failed() {
			p.end(syscall.SIGQUIT) // it says what it was doing
		}
		p.end(syscall.SIGTERM)
	})
	return p
}

func (p *process) start() {
	p.t.Helper()
	args := append(append([]string{}, p.wrap...), binary(p.t), "serve", "--data-dir", filepath.Join(p.dir, "data"), "--listen", "127.0.0.1:0")
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Env = append(os.Environ(), "SIGNALBOX_ADMIN_PASSWORD="+adminPassword, "SIGNALBOX_OUTBOUND_ALLOW=127.0.0.1",
		"SIGNALBOX_DATABASE_URL="+p.database, "SIGNALBOX_CI_LOCAL_REPOSITORIES="+filepath.Join(p.dir, "repositories"))
	p.stderr, p.once, p.ended = &bytes.Buffer{}, &sync.Once{}, make(chan struct{})
	p.cmd.Stderr = p.stderr
	said := p.stderr
	p.t.Cleanup(func() {
		if p.t.Failed() {
			p.t.Logf("the program said at last:\n%s", said.Bytes()[max(0, said.Len()-40_000):])
		}
	})
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if _, url, found := strings.Cut(lines.Text(), " on http"); found {
			p.client = &client{url: "http" + url, token: p.token, spec: loadSpec(p.t)}
			break
		}
	}
	go func() {
		for lines.Scan() { // keep the pipe from filling
		}
		p.cmd.Wait()
		close(p.ended)
	}()
	eventually(p.t, "the program to be ready", func() bool {
		select {
		case <-p.ended:
			p.t.Fatalf("the program ended: %s", p.stderr)
		default:
		}
		return p.as("").status(p.t, "GET", "/readyz") == 200
	})
}

// end signals the program and waits until it is gone.
func (p *process) end(signal syscall.Signal) {
	p.once.Do(func() {
		p.cmd.Process.Signal(signal) // an error says that it is gone already
		<-p.ended
	})
}

// memory is a figure of /proc/PID/status, in MB.
func (p *process) memory(t testing.TB, what string) int {
	t.Helper()
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(raw), "\n") {
		if value, found := strings.CutPrefix(line, what+":"); found {
			kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			if err != nil {
				t.Fatal(err)
			}
			return kb / 1024
		}
	}
	t.Fatalf("no %s", what)
	return 0
}
