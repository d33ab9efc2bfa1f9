package buildlog

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Line is one line of output, or a part of one.
type Line struct {
	// N is the line's number in the build, from 1.
	N      int64
	Time   time.Time
	Origin string
	Source string
	// Text is without its line end, with its escape sequences.
	Text string
	// Partial says that the line goes on in the next line of its origin and source.
	Partial bool
	EventID int64
}

// view is a moment of the log: what lies before end does not change any more.
type view struct {
	file  *os.File
	start mark
	end   int64
	stats Stats
}

// look finds where to start reading; pick runs under the lock.
func (l *Log) look(pick func(*index) mark) view {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return view{file: l.file, start: pick(l.idx), end: l.idx.Size,
		stats: Stats{Events: l.idx.Events, Lines: l.idx.Lines, Bytes: l.idx.Size}}
}

// walk calls fn for each record from the view's mark on, with its event id and the
// number of lines up to and including it, until fn returns false.
func (l *Log) walk(v view, fn func(id, line int64, r *rawRecord) bool) error {
	if v.file == nil {
		return nil
	}
	scan := newScanner(v.file, v.start.Offset, v.end)
	line := v.start.Line
	for id := v.start.Event; ; id++ {
		err := scan.advance()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read log of build %d at event %d: %w", l.build, id, err)
		}
		if scan.rec.log {
			line++
		}
		if !fn(id, line, &scan.rec) {
			return nil
		}
	}
}

// Events returns at most limit events from the id on, in order.
func (l *Log) Events(from int64, limit int) ([]Event, error) {
	if limit <= 0 {
		return nil, nil
	}
	from = max(from, 0)
	v := l.look(func(x *index) mark { return x.beforeEvent(from) })
	if from >= v.stats.Events {
		return nil, nil
	}
	var out []Event
	err := l.walk(v, func(id, _ int64, r *rawRecord) bool {
		if id >= from {
			out = append(out, Event{ID: id, Record: r.record()})
		}
		return len(out) < limit
	})
	return out, err
}

// Lines returns at most limit lines from the line number on, in order.
func (l *Log) Lines(from int64, limit int) ([]Line, error) {
	if limit <= 0 {
		return nil, nil
	}
	from = max(from, 1)
	v := l.look(func(x *index) mark { return x.beforeLine(from) })
	if from > v.stats.Lines {
		return nil, nil
	}
	var out []Line
	err := l.walk(v, func(id, n int64, r *rawRecord) bool {
		if r.log && n >= from {
			out = append(out, r.line(id, n))
		}
		return len(out) < limit
	})
	return out, err
}

// Tail returns the last n lines, oldest first.
func (l *Log) Tail(n int) ([]Line, error) {
	return l.Lines(l.Stats().Lines-int64(n)+1, n)
}

// SectionLines returns at most limit of one origin's lines from its own line number
// nth (0 is its first) on: what a list that shows a single step scrolls by.
func (l *Log) SectionLines(origin string, nth int64, limit int) ([]Line, error) {
	if limit <= 0 {
		return nil, nil
	}
	nth = max(nth, 0)
	var at sectionMark
	var found bool
	v := l.look(func(x *index) mark {
		if s := x.byOrigin[origin]; s != nil && nth < s.Lines {
			at, found = s.nth(nth)
		}
		return mark{Event: at.Event, Line: at.Line - 1, Offset: at.Offset}
	})
	if !found {
		return nil, nil
	}
	var out []Line
	own := at.Nth
	err := l.walk(v, func(id, n int64, r *rawRecord) bool {
		if !r.log || string(r.origin) != origin {
			return true
		}
		if own >= nth {
			out = append(out, r.line(id, n))
		}
		own++
		return len(out) < limit
	})
	return out, err
}

// SectionTail returns one origin's last n lines, oldest first: what a notification quotes.
func (l *Log) SectionTail(origin string, n int) ([]Line, error) {
	l.mu.RLock()
	var lines int64
	if s := l.idx.byOrigin[origin]; s != nil {
		lines = s.Lines
	}
	l.mu.RUnlock()
	return l.SectionLines(origin, lines-int64(n), n)
}

// Raw writes all output as it was, or stripped of escape sequences.
func (l *Log) Raw(w io.Writer, strip bool) error {
	v := l.look(func(x *index) mark { return x.markAt(-1) })
	var clean []byte
	var writeErr error
	err := l.walk(v, func(_, _ int64, r *rawRecord) bool {
		if !r.log {
			return true
		}
		text := r.rest
		if strip {
			clean = appendPlain(clean[:0], text)
			text = clean
		}
		_, writeErr = w.Write(text)
		return writeErr == nil
	})
	return errors.Join(err, writeErr)
}

func (r *rawRecord) line(id, n int64) Line {
	text := strings.TrimSuffix(string(r.rest), "\n")
	return Line{N: n, Time: time.Unix(0, r.time).UTC(), Origin: string(r.origin), Source: r.source(),
		Text: strings.TrimSuffix(text, "\r"), Partial: r.partial(), EventID: id}
}
