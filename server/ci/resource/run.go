package resource

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

const (
	// maxStdout bounds a script's answer.
	maxStdout = 10 << 20
	// keepStderr is how much of the end of a script's log goes into an ExitError.
	keepStderr = 16 << 10
)

var errStdout = fmt.Errorf("the script wrote more than %d MiB to standard output, where only its answer in JSON belongs", maxStdout>>20)

// run starts the container, or attaches to it if it was started before the server was
// restarted, and returns what it wrote to standard output. It never removes the
// container: the caller chose the id and does that once the result is recorded.
func run(ctx context.Context, req Request, script string, spec runtime.Spec) ([]byte, error) {
	spec.ID = req.Container
	process, err := req.Executor.Attach(ctx, spec.ID)
	if errors.Is(err, runtime.ErrGone) {
		if err := req.Executor.Start(ctx, spec); err != nil {
			return nil, err
		}
		process, err = req.Executor.Attach(ctx, spec.ID)
	}
	if err != nil {
		return nil, err
	}
	var stdout bytes.Buffer
	var stderr tail
	exit, err := process.Follow(ctx, 0, func(frame runtime.Frame) error {
		if frame.Stream == runtime.Stderr {
			stderr.add(frame.Data)
			_, err := req.Log.Write(frame.Data)
			return err
		}
		if stdout.Len()+len(frame.Data) > maxStdout {
			return errStdout
		}
		stdout.Write(frame.Data)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if exit.Reason != "" {
		return nil, fmt.Errorf("resource script '/opt/resource/%s': %s", script, exit.Reason)
	}
	if exit.Status != 0 {
		return nil, &ExitError{Script: script, Status: exit.Status, Stderr: stderr.String()}
	}
	return stdout.Bytes(), nil
}

// tail keeps the end of what is written to it.
type tail struct{ kept []byte }

func (t *tail) add(p []byte) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - keepStderr; over > keepStderr {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
}

func (t *tail) String() string {
	return string(t.kept[max(0, len(t.kept)-keepStderr):])
}

// failed reports what a remote said, in its own words, as a script would: in the log
// and as the step's failure. A cancelled context stays what it is.
func failed(ctx context.Context, req Request, script string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, logErr := fmt.Fprintln(req.Log, err.Error()); logErr != nil {
		return errors.Join(err, logErr)
	}
	return &ExitError{Script: script, Status: 1, Stderr: err.Error()}
}
