package work

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
)

// Loop is a background task that may run at any time and finds its work by looking.
type Loop struct {
	Name string
	// Every is the longest pause between two runs.
	Every time.Duration
	// Wake makes it run at once; nil when only time does.
	Wake <-chan struct{}
	// Local loops run on every server, because they tend what only that server has: its
	// memory, its disk. All others run on the server that leads.
	Local bool
	Run   func(ctx context.Context) error
}

// LoopStatus is what the status page shows of a loop.
type LoopStatus struct {
	Name    string    `json:"name"`
	Every   string    `json:"every"`
	LastRun time.Time `json:"last_run"`
	TookMS  int64     `json:"took_ms"`
	Runs    int64     `json:"runs"`
	// Error is that of the last run, "" when it succeeded.
	Error string `json:"error"`
	// Elsewhere is true while another server runs it, which leads.
	Elsewhere bool `json:"elsewhere"`
}

// Leader says whether this server leads among those that share the database;
// *database.Leadership is one.
type Leader interface {
	// Leading gives a context that ends when it leads no more, nil while it does not
	// lead, and a channel that is closed when that changes.
	Leading() (led context.Context, changed <-chan struct{})
}

// Loops runs a set of loops until stopped.
type Loops struct {
	now    func() time.Time
	log    *slog.Logger
	leader Leader
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu     sync.Mutex
	status map[string]*LoopStatus
}

// NewLoops makes an empty set.
func NewLoops(now func() time.Time, log *slog.Logger) *Loops {
	return &Loops{now: now, log: log, status: map[string]*LoopStatus{}}
}

// LedBy has the loops that are not local run only while this server leads; before Start.
// Without it, it always does.
func (l *Loops) LedBy(leader Leader) { l.leader = leader }

// Start runs the loops, each on a goroutine of its own, each at once for the first time.
func (l *Loops) Start(ctx context.Context, loops ...Loop) {
	ctx, l.cancel = context.WithCancel(ctx)
	for _, loop := range loops {
		l.mu.Lock()
		l.status[loop.Name] = &LoopStatus{Name: loop.Name, Every: loop.Every.String()}
		l.mu.Unlock()
		l.done.Go(func() { l.keep(ctx, loop) })
	}
}

// Stop ends the loops and waits for the runs under way.
func (l *Loops) Stop() {
	if l.cancel != nil {
		l.cancel()
	}
	l.done.Wait()
}

// Status lists the loops by name.
func (l *Loops) Status() []LoopStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]LoopStatus, 0, len(l.status))
	for _, s := range l.status {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b LoopStatus) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (l *Loops) keep(ctx context.Context, loop Loop) {
	timer := time.NewTimer(loop.Every)
	defer timer.Stop()
	for ctx.Err() == nil {
		if !l.run(ctx, loop) {
			continue
		}
		timer.Reset(loop.Every)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-loop.Wake:
		}
	}
}

// run runs the loop once if that is this server's to do; otherwise it waits until
// somebody else leads, and reports false.
func (l *Loops) run(ctx context.Context, loop Loop) bool {
	if loop.Local || l.leader == nil {
		l.runOnce(ctx, loop)
		return true
	}
	led, changed := l.leader.Leading()
	l.note(loop.Name, func(s *LoopStatus) { s.Elsewhere = led == nil })
	if led == nil {
		select {
		case <-ctx.Done():
		case <-changed:
		}
		return false
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(led, cancel)()
	l.runOnce(ctx, loop)
	return true
}

func (l *Loops) note(name string, change func(*LoopStatus)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l.status[name])
}

func (l *Loops) runOnce(ctx context.Context, loop Loop) {
	start := l.now()
	err := protect(func() error { return loop.Run(ctx) })
	if err != nil && ctx.Err() == nil {
		l.log.Error("loop failed", "loop", loop.Name, "error", err)
	}
	l.note(loop.Name, func(s *LoopStatus) {
		s.LastRun, s.TookMS, s.Runs, s.Error = start, l.now().Sub(start).Milliseconds(), s.Runs+1, ""
		if err != nil {
			s.Error = err.Error()
		}
	})
}

// protect turns a panic into an error, so that one bad row cannot end the server.
func protect(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}
