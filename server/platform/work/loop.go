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
	Run  func(ctx context.Context) error
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
}

// Loops runs a set of loops until stopped.
type Loops struct {
	now    func() time.Time
	log    *slog.Logger
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu     sync.Mutex
	status map[string]*LoopStatus
}

// NewLoops makes an empty set.
func NewLoops(now func() time.Time, log *slog.Logger) *Loops {
	return &Loops{now: now, log: log, status: map[string]*LoopStatus{}}
}

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
		l.runOnce(ctx, loop)
		timer.Reset(loop.Every)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-loop.Wake:
		}
	}
}

func (l *Loops) runOnce(ctx context.Context, loop Loop) {
	start := l.now()
	err := protect(func() error { return loop.Run(ctx) })
	if err != nil && ctx.Err() == nil {
		l.log.Error("loop failed", "loop", loop.Name, "error", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.status[loop.Name]
	s.LastRun, s.TookMS, s.Runs, s.Error = start, l.now().Sub(start).Milliseconds(), s.Runs+1, ""
	if err != nil {
		s.Error = err.Error()
	}
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
