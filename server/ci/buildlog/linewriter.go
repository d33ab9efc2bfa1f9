package buildlog

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	// maxLine is where a line without end is cut into partial ones.
	maxLine = 8 << 10
	// partialAfter is how long a line may wait for its end before it is shown.
	partialAfter = 500 * time.Millisecond
)

var errWriterClosed = errors.New("the line writer is closed")

// LineOptions say what a LineWriter writes.
type LineOptions struct {
	Origin string
	// Source is Stdout or Stderr.
	Source string
	// Now stamps what comes through Write.
	Now func() time.Time
	// Resume says that the stream is given again from its very first byte, as after
	// a restart of the server: what the log has of it already is passed over, so
	// that no line is lost or doubled.
	Resume bool
}

// LineWriter turns one stream of output, cut anywhere, into one event per line.
// Errors of the log (a full disk) come back from the call that hits them and the
// bytes stay with the writer: the next call tries them again.
type LineWriter struct {
	log  *Log
	opts LineOptions

	mu      sync.Mutex
	pending []byte
	began   time.Time // when pending's first byte came
	// consumed counts the stream's bytes that are in the log.
	consumed int64
	// skip is how many bytes are still to be passed over.
	skip   int64
	idle   *time.Timer
	armed  bool
	closed bool
	batch  []Record
}

// LineWriter makes a writer for one stream of a step. Close it when the step ends.
func (l *Log) LineWriter(opts LineOptions) *LineWriter {
	w := &LineWriter{log: l, opts: opts}
	if opts.Resume {
		l.mu.RLock()
		if s := l.idx.byOrigin[opts.Origin]; s != nil {
			w.skip = s.Consumed[sourceIndex(opts.Source == Stderr)]
		}
		l.mu.RUnlock()
		w.consumed = w.skip
	}
	return w
}

// Write takes output that came just now.
func (w *LineWriter) Write(p []byte) (int, error) {
	if err := w.WriteAt(w.opts.Now(), p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// WriteAt takes output that came at a known time. After an error the bytes count as
// taken: they are kept and must not be given again; call Flush until it succeeds
// before giving more.
func (w *LineWriter) WriteAt(at time.Time, p []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errWriterClosed
	}
	if w.skip > 0 {
		n := min(w.skip, int64(len(p)))
		w.skip -= n
		p = p[n:]
	}
	if len(p) == 0 {
		return nil
	}
	if len(w.pending) == 0 {
		w.began = at
	}
	held := len(w.pending)
	w.pending = append(w.pending, p...)
	return w.flush(at, held, false)
}

// Flush writes what waits for its line end.
func (w *LineWriter) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush(w.began, len(w.pending), true)
}

// Close flushes and ends the writer.
func (w *LineWriter) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	if w.idle != nil {
		w.idle.Stop()
	}
	if err := w.flush(w.began, len(w.pending), true); err != nil {
		return err
	}
	w.closed = true
	return nil
}

// flush appends the pending lines: whole ones, cut ones, and the rest if all is set.
// Bytes up to held were there before at.
func (w *LineWriter) flush(at time.Time, held int, all bool) error {
	w.batch = w.batch[:0]
	rest, used := w.pending, 0
	for len(rest) > 0 {
		n := lineLength(rest, all)
		if n == 0 {
			break
		}
		began := at
		if used < held {
			began = w.began
		}
		used += n
		w.batch = append(w.batch, Record{Time: began, Origin: w.opts.Origin, Kind: KindLog, Source: w.opts.Source,
			Payload: validText(rest[:n]), consumed: w.consumed + int64(used)})
		rest = rest[n:]
	}
	if len(w.batch) > 0 {
		if _, err := w.log.Append(w.batch...); err != nil {
			w.arm()
			return err
		}
		clear(w.batch)
		w.consumed += int64(used)
		w.pending = w.pending[:copy(w.pending, rest)]
		w.began = at
	}
	if cap(w.pending) > 1<<20 && len(w.pending) < maxLine {
		w.pending = bytes.Clone(w.pending)
	}
	if len(w.pending) > 0 {
		w.arm()
	} else if w.armed {
		w.idle.Stop()
		w.armed = false
	}
	return nil
}

// lineLength is how many bytes make the next event; 0 when it is better to wait.
func lineLength(p []byte, all bool) int {
	end := bytes.IndexByte(p[:min(len(p), maxLine)], '\n')
	if end >= 0 {
		return end + 1
	}
	if len(p) < maxLine {
		if all {
			return len(p)
		}
		return 0
	}
	return maxLine - cutRune(p[:maxLine])
}

func validText(p []byte) string { return strings.ToValidUTF8(string(p), "\uFFFD") }

// arm sees to it that a line without end is shown soon.
func (w *LineWriter) arm() {
	switch {
	case w.armed || w.closed:
	case w.idle == nil:
		w.idle = time.AfterFunc(partialAfter, w.flushIdle)
	default:
		w.idle.Reset(partialAfter)
	}
	w.armed = true
}

func (w *LineWriter) flushIdle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed = false
	if w.closed || len(w.pending) == 0 {
		return
	}
	n := len(w.pending) - cutRune(w.pending)
	if n == 0 {
		w.arm()
		return
	}
	tail := bytes.Clone(w.pending[n:])
	w.pending = w.pending[:n]
	// An error is met again, and reported, by the next call.
	_ = w.flush(w.began, n, true)
	w.pending = append(w.pending, tail...)
}

// cutRune is how many bytes at the end begin a character that is not complete.
func cutRune(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		c := p[len(p)-n]
		if utf8.RuneStart(c) {
			if !utf8.FullRune(p[len(p)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}
