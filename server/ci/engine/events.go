package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/event"
	"github.com/signalbox/signalbox/server/ci/vars"
)

// eventLog is the build's log with the memory of what was said: each plan says each
// thing once, also when the server was restarted between saying it and recording it.
type eventLog struct {
	log *buildlog.Log

	mu   sync.Mutex
	said map[saying]bool
}

type saying struct {
	origin string
	name   event.Name
}

func openLog(logs *buildlog.Store, build int64) (*eventLog, error) {
	log, err := logs.Open(build)
	if err != nil {
		return nil, err
	}
	l := &eventLog{log: log, said: map[saying]bool{}}
	const batch = 1024
	for from := int64(0); ; from += batch {
		events, err := log.Events(from, batch)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("read what was said: %w", err), log.Close())
		}
		for _, e := range events {
			l.said[saying{e.Origin, event.Name(e.Kind)}] = true
		}
		if len(events) < batch {
			return l, nil
		}
	}
}

func (l *eventLog) close() error { return l.log.Close() }

// first notes that the origin says something, and whether for the first time.
func (l *eventLog) first(origin string, name event.Name) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := saying{origin, name}
	if l.said[key] {
		return false
	}
	l.said[key] = true
	return true
}

// hasOutput tells whether the origin had printed something before this run.
func (l *eventLog) hasOutput(origin string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said[saying{origin, event.NameLog}]
}

// emit writes an event about a plan, unless the log has it. A log that cannot be
// written ends the run.
func (r *run) emit(origin string, ev event.Event) {
	if r.suspended() || !r.log.first(origin, ev.Name()) {
		return
	}
	data, err := json.Marshal(ev)
	if err == nil {
		_, err = r.log.log.Append(buildlog.Record{
			Time: r.Now(), Origin: origin, Kind: string(ev.Name()), Version: string(ev.Version()), Data: data,
		})
	}
	if err != nil {
		r.suspend(fmt.Errorf("write %s event of step %s: %w", ev.Name(), origin, err))
	}
}

func (r *run) emitError(origin, message string) {
	r.emit(origin, event.Error{Message: r.tracker.Redact(message), Origin: event.Origin{ID: origin}, Time: r.unix()})
}

func (r *run) unix() int64 { return r.Now().Unix() }

func (l *leaf) origin() event.Origin { return event.Origin{ID: l.row.PlanID} }

func (l *leaf) emit(ev event.Event) { l.run.emit(l.row.PlanID, ev) }

func (l *leaf) selectedWorker() {
	l.emit(event.SelectedWorker{Time: l.unix(), Origin: l.origin(), Worker: l.Executor.Name()})
}

// output is one stream of a step's log. What goes in is what the step prints from its
// very first byte; what the log has of it already is passed over.
type output struct {
	leaf  *leaf
	lines *buildlog.LineWriter

	mu    sync.Mutex
	clean *vars.Redactor
	at    time.Time // of what is being written
}

// stepWriters are made when a step first prints something.
type stepWriters struct {
	mu     sync.Mutex
	byName map[string]*output
	// anew begins the streams from their start: the container is another one.
	anew bool
}

func (l *leaf) output(source string) *output {
	l.writers.mu.Lock()
	defer l.writers.mu.Unlock()
	if out := l.writers.byName[source]; out != nil {
		return out
	}
	out := &output{leaf: l}
	out.lines = l.log.log.LineWriter(buildlog.LineOptions{
		Origin: l.row.PlanID, Source: source, Now: l.Now, Resume: !l.writers.anew,
	})
	out.clean = l.tracker.Redactor(timed{out})
	if l.writers.byName == nil {
		l.writers.byName = map[string]*output{}
	}
	l.writers.byName[source] = out
	return out
}

func (l *leaf) stdout() *output { return l.output(buildlog.Stdout) }
func (l *leaf) stderr() *output { return l.output(buildlog.Stderr) }

// timed gives the log clean text with the time at which the text was printed.
type timed struct{ *output }

func (t timed) Write(p []byte) (int, error) { return len(p), t.lines.WriteAt(t.at, p) }

// Write fails only when the log cannot be written, which ends the run.
func (o *output) Write(p []byte) (int, error) {
	if err := o.write(o.leaf.Now(), p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (o *output) write(at time.Time, p []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.leaf.suspended() {
		return errSuspended
	}
	o.at = at
	if _, err := o.clean.Write(p); err != nil {
		o.leaf.suspend(fmt.Errorf("write log of step %s: %w", o.leaf.row.PlanID, err))
		return errSuspended
	}
	return nil
}

func (o *output) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.clean.Flush(); err != nil {
		return err
	}
	return o.lines.Close()
}

// say prints a line of the engine's own.
func (o *output) say(format string, args ...any) {
	// Write has suspended the run if it could not.
	_, _ = fmt.Fprintf(o, format+"\n", args...)
}

// flush writes what is held back; a finish event comes after all output.
func (l *leaf) flush() {
	l.writers.mu.Lock()
	defer l.writers.mu.Unlock()
	for name, out := range l.writers.byName {
		if err := out.close(); err != nil {
			l.suspend(fmt.Errorf("write log of step %s: %w", l.row.PlanID, err))
		}
		delete(l.writers.byName, name)
	}
}

// restart begins the step's output anew, with a line that says why.
func (l *leaf) restart() {
	l.flush()
	l.row.Restarts++
	l.writers.mu.Lock()
	l.writers.anew = true
	l.writers.mu.Unlock()
}

// sayRestarts must be the first thing in a stream, so that the log knows where the
// stream of this container begins even if that is interrupted again.
func (o *output) sayRestarts() {
	if n := o.leaf.row.Restarts; n > 0 {
		o.say("\x1b[1;33mWARNING: the container was lost with the server; this is run %d of the step\x1b[0m", n+1)
	}
}
