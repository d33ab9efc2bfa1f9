package runtime

import (
	"errors"
	"fmt"
	"io"
)

// ErrNoProgram says that the program which Exec was asked for is not in the container.
var ErrNoProgram = errors.New("executable file not found")

// ExecSpec says what to run in a container beside its main process.
type ExecSpec struct {
	Args []string
	// Env is added to the environment of the container's main process, "K=V". Where that
	// process has ended, an executor may only know its image's.
	Env []string
	// Dir is an existing folder; empty means the main process's.
	Dir string
	// User is a name or uid known in the image; empty means the main process's.
	User string
	// TTY gives the process a pseudo terminal of that size; nil means pipes.
	TTY *WindowSize
}

// WindowSize is that of a terminal.
type WindowSize struct{ Columns, Rows int }

// MaxWindow bounds either side of a terminal.
const MaxWindow = 65535

// Validate refuses sizes that no terminal has.
func (s WindowSize) Validate() error {
	if s.Columns < 0 || s.Rows < 0 || s.Columns > MaxWindow || s.Rows > MaxWindow {
		return fmt.Errorf("%d columns and %d rows are no size of a terminal", s.Columns, s.Rows)
	}
	return nil
}

// Session is a process that Exec started. It belongs to its caller: unlike a
// container it ends with the server.
type Session interface {
	// Stdin is the process's input; closing it is the end of the input, also of a terminal.
	Stdin() io.WriteCloser
	// Stdout and Stderr are to be read to their ends, at once. With a terminal all
	// output is in Stdout, and Stderr is empty.
	Stdout() io.Reader
	Stderr() io.Reader
	// Resize changes the terminal's size; without a terminal it does nothing.
	Resize(WindowSize) error
	// Wait returns the status with which the process ended. The outputs may have more to read.
	Wait() int
	// Close kills the process if it still runs, and gives back what the session held.
	Close() error
}
