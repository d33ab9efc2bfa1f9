package logs

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	// ownQueue is how many of the server's own lines wait to be kept; more are dropped and counted.
	ownQueue = 4096
	// ownBatch and ownLine are how much is kept at once: one write to the disk.
	ownBatch = 200
	ownLine  = 8 << 10
	// ownRetry is after how long a batch is tried again, ownTries how often.
	ownRetry = 2 * time.Second
	ownTries = 3
)

// OwnLog is a slog.Handler that keeps this server's own lines beside handing them to the
// next handler. It never waits: what finds no room is counted, and the count is a line.
// It never hears itself: what happens while own lines are kept is not among them.
type OwnLog struct {
	next slog.Handler
	// groups and attrs are what WithGroup and With have added.
	prefix string
	attrs  []record.Field
	shared *ownLines
}

// ownLines is what all handlers made of one have together.
type ownLines struct {
	wake chan struct{}

	mu      sync.Mutex
	queue   []record.Record
	dropped int
	closed  bool
}

// NewOwnLog makes a handler before there is anything to keep lines in; Keep begins
// with those that have come until then.
func NewOwnLog(next slog.Handler) *OwnLog {
	return &OwnLog{next: next, shared: &ownLines{wake: make(chan struct{}, 1)}}
}

// aboutLogs tells routes whose requests make no lines: each batch of a shipper would
// bring one more, and who looks at lines would look at his own looking.
func aboutLogs(route string) bool {
	for _, start := range []string{"/loki/", "/api/prom/", "/insert/", "/v1/logs", "/otlp/", "/elasticsearch", "/_", "/api/v1/logs/"} {
		if strings.HasPrefix(route, start) {
			return true
		}
	}
	return false
}

type keepingOwn struct{}

// Enabled implements slog.Handler.
func (o *OwnLog) Enabled(ctx context.Context, level slog.Level) bool {
	return o.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (o *OwnLog) Handle(ctx context.Context, r slog.Record) error {
	if ctx.Value(keepingOwn{}) == nil {
		o.take(r)
	}
	return o.next.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (o *OwnLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	more := *o
	more.next = o.next.WithAttrs(attrs)
	more.attrs = slices.Clip(o.attrs)
	for _, a := range attrs {
		more.attrs = appendAttr(more.attrs, o.prefix, a, 0)
	}
	return &more
}

// WithGroup implements slog.Handler.
func (o *OwnLog) WithGroup(name string) slog.Handler {
	more := *o
	more.next = o.next.WithGroup(name)
	if name != "" {
		more.prefix += name + "."
	}
	return &more
}

// take puts a line into the queue, if there is room.
func (o *OwnLog) take(r slog.Record) {
	line := record.Record{Time: r.Time.UTC(), Level: slogLevel(r.Level), Message: clipText(r.Message, ownLine), Fields: slices.Clip(o.attrs)}
	quiet, room := false, ownLine
	r.Attrs(func(a slog.Attr) bool {
		quiet = quiet || a.Key == "route" && r.Level < slog.LevelWarn && aboutLogs(a.Value.String())
		line.Fields = appendAttr(line.Fields, o.prefix, a, 0)
		return true
	})
	if quiet {
		return
	}
	for i := range line.Fields {
		f := &line.Fields[i]
		f.Value = clipText(f.Value, max(room, 0))
		room -= len(f.Value) + len(f.Name)
	}
	line.Fields = record.SortFields(line.Fields)
	s := o.shared
	s.mu.Lock()
	switch {
	case s.closed:
	case len(s.queue) >= ownQueue:
		s.dropped++
	default:
		s.queue = append(s.queue, line)
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func slogLevel(l slog.Level) record.Level {
	switch {
	case l >= slog.LevelError:
		return record.Error
	case l >= slog.LevelWarn:
		return record.Warn
	case l >= slog.LevelInfo:
		return record.Info
	}
	return record.Debug
}

// maxGroups bounds how deep groups are followed.
const maxGroups = 8

func appendAttr(fields []record.Field, prefix string, a slog.Attr, depth int) []record.Field {
	v := a.Value.Resolve()
	if a.Equal(slog.Attr{}) || depth > maxGroups {
		return fields
	}
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, inner := range v.Group() {
			fields = appendAttr(fields, prefix, inner, depth+1)
		}
		return fields
	}
	f := record.Field{Name: prefix + a.Key, Value: v.String()}
	switch v.Kind() {
	case slog.KindInt64, slog.KindUint64, slog.KindFloat64:
		f.Kind = record.Number
	case slog.KindBool:
		f.Kind = record.Bool
	case slog.KindTime:
		f.Value = v.Time().UTC().Format(time.RFC3339Nano)
	}
	return append(fields, f)
}

// KeepOwn keeps the lines of o for a team until stop is called, which keeps what there
// is and waits.
func (s *Service) KeepOwn(ctx context.Context, o *OwnLog, team int64) (stop func()) {
	ctx = context.WithValue(ctx, keepingOwn{}, true)
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			for s.keepOwn(ctx, o.shared, team) {
			}
			select {
			case <-o.shared.wake:
			case <-ctx.Done():
				for s.keepOwn(ctx, o.shared, team) {
				}
				return
			}
		}
	}()
	return func() {
		o.shared.close()
		cancel()
		<-ended
	}
}

// Discard lets go of the queue and takes no more: for a server that is not to keep its lines.
func (o *OwnLog) Discard() {
	o.shared.close()
	o.shared.batch()
}

func (l *ownLines) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

// batch takes the next lines from the queue, with a line about those that were dropped.
func (l *ownLines) batch() []record.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.queue), ownBatch)
	out := slices.Clone(l.queue[:n])
	l.queue = slices.Delete(l.queue, 0, n)
	if n > 0 && len(l.queue) == 0 {
		l.queue = nil
	}
	if l.dropped > 0 && n > 0 {
		out = append(out, record.Record{Time: out[n-1].Time, Level: record.Warn, Message: fmt.Sprintf("%d of the server's own lines were dropped: they came faster than they could be kept", l.dropped),
			Fields: []record.Field{{Name: "dropped", Value: strconv.Itoa(l.dropped), Kind: record.Number}}})
		l.dropped = 0
	}
	return out
}

// keepOwn keeps one batch and says whether there was any. What cannot be kept after
// some tries is counted as dropped: it is on the server's error output in any case.
func (s *Service) keepOwn(ctx context.Context, l *ownLines, team int64) bool {
	lines := l.batch()
	if len(lines) == 0 {
		return false
	}
	labels := record.MakeLabels(map[string]string{"source": SourceOwn, "service": SourceOwn})
	for i := range lines {
		lines[i].Stream = labels
	}
	for range ownTries {
		err := s.Accept(context.WithoutCancel(ctx), Batch{Team: team, Source: SourceOwn, Records: lines})
		if err == nil {
			return true
		}
		pause(ctx, ownRetry) // also at the end: a failure is itself told in a line
		if problem.From(err).RetryAfter == 0 {
			break // the disk may have taken it all the same: not twice
		}
	}
	l.mu.Lock()
	l.dropped += len(lines)
	l.mu.Unlock()
	return ctx.Err() == nil
}
