package worker

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// session is a process in a container, and the runc that passes its streams on.
type session struct {
	// ctx is that of the start without its end, for what Close still has to do.
	ctx  context.Context
	w    *Worker
	id   runtime.ContainerID
	back *revival // nil when the container runs by itself
	dir  string
	cmd  *exec.Cmd

	terminal *os.File // nil without one
	in       io.WriteCloser
	out, err io.Reader

	waited  sync.Once
	ended   atomic.Bool
	status  int
	failure error
	closed  sync.Once
}

func (s *session) start(size *runtime.WindowSize) (err error) {
	if size != nil {
		return s.startTerminal(*size)
	}
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	if s.out, err = s.cmd.StdoutPipe(); err != nil {
		return err
	}
	if s.err, err = s.cmd.StderrPipe(); err != nil {
		return err
	}
	s.cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	return s.cmd.Start()
}

func (s *session) startTerminal(size runtime.WindowSize) error {
	master, slave, err := pty.Open()
	if err != nil {
		return err
	}
	defer slave.Close()
	s.terminal = master
	s.in, s.out, s.err = &terminalInput{master}, terminalOutput{master}, strings.NewReader("")
	if err := errors.Join(raw(slave), pty.Setsize(master, windowOf(size))); err != nil {
		return err
	}
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = slave, slave, slave
	s.cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	return s.cmd.Start()
}

// raw makes our terminal pass everything on: the one inside, which runc makes, is
// what edits lines and echoes. runc would do it too, but after the first input.
func raw(f *os.File) error {
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, t)
}

func windowOf(s runtime.WindowSize) *pty.Winsize {
	return &pty.Winsize{Cols: uint16(s.Columns), Rows: uint16(s.Rows)}
}

// Stdin is the process's input.
func (s *session) Stdin() io.WriteCloser { return s.in }

// Stdout is its output.
func (s *session) Stdout() io.Reader { return s.out }

// Stderr is its other output.
func (s *session) Stderr() io.Reader { return s.err }

// Resize changes our terminal; runc passes the change on to the one inside.
func (s *session) Resize(size runtime.WindowSize) error {
	if s.terminal == nil {
		return nil
	}
	if err := size.Validate(); err != nil {
		return err
	}
	return pty.Setsize(s.terminal, windowOf(size))
}

// Wait returns how the process ended.
func (s *session) Wait() (int, error) {
	s.waited.Do(func() {
		err := s.cmd.Wait()
		s.ended.Store(true)
		s.status = s.cmd.ProcessState.ExitCode()
		if s.status < 0 {
			s.status = lost
		}
		if s.pid() != 0 || !exists(s.dir) {
			return // it did run, so the status is its own; or its container was removed
		}
		if err == nil {
			err = errors.New("runc told no process id")
		}
		s.failure = noProgram(filepath.Join(s.dir, "log"), err)
	})
	return s.status, s.failure
}

// pid is the process as seen from here; 0 until it runs.
func (s *session) pid() int {
	text, err := os.ReadFile(filepath.Join(s.dir, "pid"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return pid
}

// leaveWithin is how long the end of a shell container may take.
const leaveWithin = 30 * time.Second

// Close kills the process if it still runs.
func (s *session) Close() (err error) {
	s.closed.Do(func() {
		if s.cmd != nil && s.cmd.Process != nil {
			s.kill()
		}
		if s.terminal != nil {
			err = errors.Join(err, s.terminal.Close())
		}
		if s.dir != "" {
			err = errors.Join(err, os.RemoveAll(s.dir))
		}
		if s.back != nil {
			ctx, cancel := context.WithTimeout(s.ctx, leaveWithin)
			defer cancel()
			err = errors.Join(err, s.w.leave(ctx, s.id, s.back))
		}
	})
	return err
}

func (s *session) kill() {
	// Before runc, which is the one to reap it: its number is its own until then.
	if pid := s.pid(); pid != 0 && !s.ended.Load() {
		_ = unix.Kill(pid, unix.SIGHUP) // what a terminal that goes away sends
		_ = unix.Kill(pid, unix.SIGKILL)
	}
	_ = s.cmd.Process.Kill() // has ended by itself already, at best
	_, _ = s.Wait()
}

// terminalInput turns the end of the input into what a terminal's user would press.
type terminalInput struct{ f *os.File }

func (t *terminalInput) Write(p []byte) (int, error) { return t.f.Write(p) }

func (t *terminalInput) Close() error {
	_, err := t.f.Write([]byte{4})
	return err
}

// terminalOutput ends when the terminal's last user has left, which the kernel calls an error.
type terminalOutput struct{ f *os.File }

func (t terminalOutput) Read(p []byte) (int, error) {
	n, err := t.f.Read(p)
	if errors.Is(err, unix.EIO) {
		err = io.EOF
	}
	return n, err
}
