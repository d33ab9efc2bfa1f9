package worker

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// terminal is the size of a container's terminal, in columns and rows.
const terminal = 500

// streams are both ends of a container's input and output.
type streams struct {
	stdout, stderr io.Reader // stderr is nil with a terminal
	child          [3]*os.File
	ours           []io.Closer
}

// openStreams makes the pipes, or for a terminal only the empty input of the program
// that makes the container.
func openStreams(l launch) (*streams, error) {
	s := &streams{}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	s.child = [3]*os.File{null, null, null}
	if l.TTY {
		return s, nil
	}
	out, outEnd, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	errs, errEnd, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s.stdout, s.stderr = out, errs
	s.child[1], s.child[2] = outEnd, errEnd
	s.ours = []io.Closer{out, errs}
	if len(l.Stdin) > 0 {
		in, feed, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		s.child[0] = in
		s.ours = append(s.ours, feed)
		go func() {
			_, _ = feed.Write(l.Stdin) // a process need not read its input
			_ = feed.Close()
		}()
	}
	for _, f := range s.child {
		if f == null || l.Rootless {
			continue
		}
		// So that /dev/stdout can be opened again inside.
		if err := f.Chown(l.owner()+int(l.User.UID), l.owner()+int(l.User.GID)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// started closes the ends that only the container should hold.
func (s *streams) started() {
	for _, f := range s.child {
		_ = f.Close() // the same file twice is harmless
	}
}

func (s *streams) close() {
	s.started()
	for _, c := range s.ours {
		_ = c.Close() // read to the end already
	}
}

// attach makes a terminal's master the only output.
func (s *streams) attach(master *os.File) error {
	s.stdout, s.stderr = master, nil
	s.ours = append(s.ours, master)
	return unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: terminal, Col: terminal})
}

// console is the socket on which runc hands over the terminal it made.
type console struct {
	path     string
	listener *net.UnixListener
}

func openConsole(base string) (*console, error) {
	c := &console{path: filepath.Join(base, "console")}
	var err error
	c.listener, err = net.ListenUnix("unix", &net.UnixAddr{Name: c.path, Net: "unix"})
	return c, err
}

// receive waits for the terminal. Closing the console ends the wait.
func (c *console) receive() (*os.File, error) {
	conn, err := c.listener.AcceptUnix()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	data, oob := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(data, oob)
	if err != nil {
		return nil, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		return nil, errors.Join(errors.New("runc sent no terminal"), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, fmt.Errorf("runc sent %d terminals: %w", len(fds), err)
	}
	unix.CloseOnExec(fds[0])
	return os.NewFile(uintptr(fds[0]), "terminal"), nil
}
