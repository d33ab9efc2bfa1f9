package mcpservers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"golang.org/x/sys/unix"
)

const (
	// keptStderr is how much of what a program complains about is kept, in bytes.
	keptStderr = 4 << 10
	// maxFrame bounds one message of a server.
	maxFrame = 8 << 20
	// maxData bounds the memory that a program may write to, and maxFiles what it may have open.
	maxData, maxFiles = 2 << 30, 1024
)

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - keptStderr; over > 0 {
		t.kept = append([]byte{}, t.kept[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.ToValidUTF8(string(t.kept), "")
}

// process is a program that speaks MCP over its pipes, in a process group of its own.
type process struct {
	cmd    *exec.Cmd
	folder string
	once   sync.Once
	gone   chan struct{}
}

// start runs a program with nothing of our environment but its own secrets.
func start(command []string, secrets map[string]string, stderr io.Writer) (*process, mcp.Transport, error) {
	folder, err := os.MkdirTemp("", "signalbox-mcp-")
	if err != nil {
		return nil, nil, fmt.Errorf("make a folder for the program: %w", err)
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = folder
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + folder, "TMPDIR=" + folder, "LANG=C.UTF-8"}
	for name, value := range secrets {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Stderr = stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(folder))
	}
	p := &process{cmd: cmd, folder: folder, gone: make(chan struct{})}
	for resource, most := range map[int]uint64{unix.RLIMIT_DATA: maxData, unix.RLIMIT_NOFILE: maxFiles, unix.RLIMIT_CORE: 0} {
		if err := unix.Prlimit(cmd.Process.Pid, resource, &unix.Rlimit{Cur: most, Max: most}, nil); err != nil && !errors.Is(err, unix.ESRCH) {
			p.stop()
			return nil, nil, fmt.Errorf("limit the program: %w", err)
		}
	}
	return p, &mcp.IOTransport{Reader: out, Writer: in, MaxLineLength: maxFrame}, nil
}

// stop ends the program with all that it has started, and waits until it is gone.
func (p *process) stop() {
	p.once.Do(func() {
		// The group, because a program may have started others. An error says that they are gone already.
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		_ = p.cmd.Wait() // it was killed, which is its error
		_ = os.RemoveAll(p.folder)
		close(p.gone)
	})
	<-p.gone
}

// withHeaders sends a server's secrets to that server only, wherever it may redirect to.
type withHeaders struct {
	next    http.RoundTripper
	host    string
	headers map[string]string
}

func (w withHeaders) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == w.host {
		r = r.Clone(r.Context())
		for name, value := range w.headers {
			r.Header.Set(name, value)
		}
	}
	return w.next.RoundTrip(r)
}

// connect opens a session with a server; stop ends it and whatever serves it.
func (m *Manager) connect(ctx context.Context, s Server, secrets map[string]string, stderr io.Writer) (*mcp.ClientSession, func(), error) {
	var transport mcp.Transport
	end := func() {}
	if s.Kind == Stdio {
		p, pipes, err := start(s.Command, secrets, stderr)
		if err != nil {
			return nil, nil, err
		}
		transport, end = pipes, p.stop
	} else {
		base := m.HTTP(s.Inside)
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, nil)
		if err != nil {
			return nil, nil, err
		}
		client := *base
		client.Transport = withHeaders{base.Transport, request.URL.Host, secrets}
		transport = &mcp.StreamableClientTransport{Endpoint: s.URL, HTTPClient: &client, DisableStandaloneSSE: true, MaxRetries: -1, MaxEventSize: maxFrame}
	}
	// It may ask nothing of us: no sampling, no roots, no elicitation.
	session, err := mcp.NewClient(&mcp.Implementation{Name: "signalbox", Version: m.Version}, &mcp.ClientOptions{Capabilities: &mcp.ClientCapabilities{}}).Connect(ctx, transport, nil)
	if err != nil {
		end()
		return nil, nil, err
	}
	return session, func() {
		if s.Kind == HTTP {
			_ = session.Close() // it is being let go of either way
		}
		end()
	}, nil
}
