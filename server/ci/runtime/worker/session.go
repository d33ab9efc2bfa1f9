package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
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
	ours     []io.Closer
	in       io.WriteCloser
	out, err io.Reader

	// ended is closed when runc has ended, which sets status before.
	ended  chan struct{}
	status int
	closed sync.Once
}

// start returns once the process runs.
func (s *session) start(size *runtime.WindowSize) error {
	connect := s.connectPipes
	if size != nil {
		connect = func() ([]*os.File, error) { return s.openTerminal(*size) }
	}
	theirs, err := connect()
	if err == nil {
		err = s.cmd.Start()
	}
	for _, f := range theirs {
		_ = f.Close() // runc has its own by now
	}
	if err != nil {
		return err
	}
	s.ended = make(chan struct{})
	go func() {
		defer close(s.ended)
		_ = s.cmd.Wait() // the status says it all
		if s.status = s.cmd.ProcessState.ExitCode(); s.status < 0 {
			s.status = lost
		}
	}()
	return s.started()
}

// started waits until the process runs, or runc has said why it does not.
func (s *session) started() error {
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for s.pid() == 0 {
		select {
		case <-look.C:
		case <-s.ended:
			if s.pid() == 0 {
				return noProgram(filepath.Join(s.dir, "log"), fmt.Errorf("runc ended with status %d", s.status))
			}
		}
	}
	return nil
}

// connectPipes gives runc one end of each and us the other.
func (s *session) connectPipes() (theirs []*os.File, err error) {
	var ours [3]*os.File
	for i := range ours {
		r, w, err := os.Pipe()
		if err != nil {
			return theirs, err
		}
		if i == 0 {
			r, w = w, r
		}
		ours[i], theirs = r, append(theirs, w)
		s.ours = append(s.ours, r)
	}
	s.in, s.out, s.err = ours[0], ours[1], ours[2]
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = theirs[0], theirs[1], theirs[2]
	s.cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	return theirs, nil
}

func (s *session) openTerminal(size runtime.WindowSize) (theirs []*os.File, err error) {
	master, slave, err := pty.Open()
	if err != nil {
		return nil, err
	}
	s.terminal, s.ours = master, []io.Closer{master}
	s.in, s.out, s.err = &terminalInput{master}, terminalOutput{master}, strings.NewReader("")
	if err := errors.Join(raw(slave), pty.Setsize(master, windowOf(size))); err != nil {
		return []*os.File{slave}, err
	}
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = slave, slave, slave
	s.cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	return []*os.File{slave}, nil
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
func (s *session) Wait() int {
	<-s.ended
	return s.status
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
		if s.ended != nil {
			s.kill()
		}
		for _, c := range s.ours {
			_ = c.Close() // the input may be closed already
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
	select {
	case <-s.ended:
		return
	default:
	}
	// Before runc, which is the one to reap it: its number is its own until then.
	if pid := s.pid(); pid != 0 {
		_ = unix.Kill(pid, unix.SIGHUP) // what a terminal that goes away sends
		_ = unix.Kill(pid, unix.SIGKILL)
	}
	_ = s.cmd.Process.Kill() // has ended by itself already, at best
	<-s.ended
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
