package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signalbox/signalbox/server/ci/resource"
)

// ErrParked is what Run returns when nothing is left to do but to wait for people: as
// after ErrDetached nothing was recorded and Run goes on later, but only when there is
// a reason to. errors.As with a *Parked tells until when.
var ErrParked = errors.New("the build waits for people alone")

// Parked is an ErrParked.
type Parked struct {
	Build int64
	// Until is when the build must be run again if nothing else happens.
	Until time.Time
}

func (p *Parked) Error() string { return fmt.Sprintf("run build %d: %v", p.Build, ErrParked) }

// Is makes it an ErrParked.
func (p *Parked) Is(target error) bool { return target == ErrParked }

// crew counts the goroutines that work on a build's plan, and those of them that wait
// for people. When all of them do, the build is parked.
type crew struct {
	working, waiting int
	until            time.Time
}

// hires adds goroutines to those that work on the plan.
func (r *run) hires(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.crew.working += n
}

// dismiss tells that a goroutine has no more to do, or waits for others.
func (r *run) dismiss() {
	r.mu.Lock()
	r.crew.working--
	r.mu.Unlock()
	r.parkIfIdle()
}

// waits is the context inner for a step that may wait for people, but no longer than step.
func (r *run) waits(inner, step context.Context) context.Context {
	return resource.OnWaiting(inner, func(until time.Time) (done func()) {
		if step.Err() != nil {
			return func() {} // it ends by itself
		}
		if deadline, ok := step.Deadline(); ok && deadline.Before(until) {
			until = deadline
		}
		r.mu.Lock()
		r.crew.waiting++
		if r.crew.until.IsZero() || until.Before(r.crew.until) {
			r.crew.until = until // of one that has been answered it is merely early
		}
		r.mu.Unlock()
		r.parkIfIdle()
		return func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.crew.waiting--
		}
	})
}

// parkIfIdle parks the build unless it is being aborted: then it is to end soon.
func (r *run) parkIfIdle() {
	r.mu.Lock()
	idle := r.crew.waiting > 0 && r.crew.waiting == r.crew.working && r.work.Err() == nil
	until := r.crew.until
	r.mu.Unlock()
	if idle {
		r.suspend(&Parked{Build: r.build.ID, Until: until})
	}
}
