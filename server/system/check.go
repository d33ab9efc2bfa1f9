package system

import (
	"context"
	"fmt"
	"sync"
)

// Status is how a check came out; the words are on the wire.
type Status string

// The statuses, from good to bad.
const (
	OK   Status = "ok"
	Warn Status = "warn" // works, but somebody should look
	Fail Status = "fail" // does not work, or will not for long
)

// Result is what a check found. Fix says what to do, empty when all is well.
type Result struct {
	Status Status
	Detail string
	Fix    string
}

// Good is an OK result.
func Good(format string, args ...any) Result { return Result{OK, fmt.Sprintf(format, args...), ""} }

// Check is one question about the installation.
type Check struct {
	Name string
	Run  func(ctx context.Context) Result
}

// Finding is a check's result under its name.
type Finding struct {
	Name string
	Result
}

// Health runs every check at once and gives the findings in the checks' order.
func (s *Service) Health(ctx context.Context) []Finding { return Diagnose(ctx, s.deps.Checks) }

// Diagnose runs checks at once and gives the findings in their order.
func Diagnose(ctx context.Context, checks []Check) []Finding {
	out := make([]Finding, len(checks))
	var wg sync.WaitGroup
	for i, c := range checks {
		wg.Go(func() { out[i] = Finding{c.Name, run(ctx, c)} })
	}
	wg.Wait()
	return out
}

// run bounds a check in time, also one that does not heed its context: the page
// of what is broken must not hang with what is broken.
func run(ctx context.Context, c Check) Result {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	done := make(chan Result, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- Result{Fail, fmt.Sprintf("The check itself failed: %v.", p), "Report this with the server's log."}
			}
		}()
		done <- c.Run(ctx)
	}()
	select {
	case r := <-done:
		return r
	case <-ctx.Done():
		return Result{Fail, fmt.Sprintf("No answer within %s.", patience), "See whether the machine, its disk or the database is overloaded or gone."}
	}
}
