package worker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/signalbox/signalbox/server/ci/runtime/worker/frame"
)

// errOutputFull is a sentence for the user.
var errOutputFull = errors.New("The container was stopped because the disk is full: its output could not be written.") //nolint:staticcheck // see above

// outputWriter appends what the container says to its output file.
type outputWriter struct {
	mu   sync.Mutex
	file *os.File
	size int64
	max  int64
	now  func() time.Time
	buf  []byte
	dead bool
	// failed gets the sentence why output can no longer be kept.
	failed chan error
}

func createOutput(l launch, now func() time.Time) (*outputWriter, error) {
	f, err := os.OpenFile(l.path(fileOutput), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	return &outputWriter{file: f, max: l.MaxOutput, now: now, failed: make(chan error, 1)}, nil
}

func (o *outputWriter) close() { o.file.Close() }

// copyAll copies every stream until its end; the channel is closed when all ended.
func (o *outputWriter) copyAll(s *streams) <-chan struct{} {
	done := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() { o.copy(frame.Stdout, s.stdout) })
	if s.stderr != nil {
		all.Go(func() { o.copy(frame.Stderr, s.stderr) })
	}
	go func() { all.Wait(); close(done) }()
	return done
}

// copy never stops reading before the end: a process must not hang on a full pipe
// because its output cannot be kept.
func (o *outputWriter) copy(stream byte, r io.Reader) {
	buf := make([]byte, frame.MaxData)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			o.append(stream, buf[:n])
		}
		if err != nil {
			return // EOF, or EIO of a terminal whose last user left
		}
	}
}

func (o *outputWriter) append(stream byte, data []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dead {
		return
	}
	o.buf = frame.Append(o.buf[:0], frame.Record{Time: o.now(), Stream: stream, Data: data})
	if o.max > 0 && o.size+int64(len(o.buf)) > o.max {
		o.fail(fmt.Errorf("The container was stopped because it wrote more than %d MB of output.", o.max>>20)) //nolint:staticcheck // a sentence for the user
		return
	}
	n, err := o.file.Write(o.buf)
	if err == nil {
		o.size += int64(n)
		return
	}
	// Half a record must not stay: readers would wait for its rest.
	err = errors.Join(err, o.file.Truncate(o.size))
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		err = errOutputFull
	} else {
		err = fmt.Errorf("The container was stopped because its output could not be written: %w.", err) //nolint:staticcheck // a sentence for the user
	}
	o.fail(err)
}

func (o *outputWriter) fail(err error) {
	o.dead = true
	o.failed <- err // has room for the one error there is
}
