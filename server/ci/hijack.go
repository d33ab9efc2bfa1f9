package ci

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	// maxSessions is how many people may be inside containers at once.
	maxSessions = 64
	// hijackIdle ends a session in which nobody types and nothing is printed.
	hijackIdle = time.Hour
)

// sessions knows who is inside which build's containers: those builds are not given
// back, and all sessions end with the server.
type sessions struct {
	mu      sync.Mutex
	open    map[int64]int
	count   int
	closed  bool
	closing chan struct{}
	all     sync.WaitGroup
}

func newSessions() *sessions {
	return &sessions{open: map[int64]int{}, closing: make(chan struct{})}
}

// begin counts a session; done ends that. The context ends with the server's work.
func (s *sessions) begin(ctx context.Context, build int64) (inside context.Context, done func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, nil, problem.New(problem.Unavailable, "The server is stopping.")
	case s.count >= maxSessions:
		return nil, nil, problem.New(problem.TooMany, "%d sessions are open in containers, which is as many as there may be: leave one and try again.", maxSessions)
	}
	s.count++
	s.open[build]++
	s.all.Add(1)
	inside, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-s.closing:
			cancel(errors.New("The server is stopping.")) //nolint:staticcheck // a sentence for the user
		case <-inside.Done():
		}
	}()
	return inside, func() {
		cancel(nil)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.count--
		if s.open[build]--; s.open[build] == 0 {
			delete(s.open, build)
		}
		s.all.Done()
	}, nil
}

// holds reports whether somebody is in a container of the build.
func (s *sessions) holds(build int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[build] > 0
}

// close ends all sessions and waits for them.
func (s *sessions) close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.closing)
	}
	s.mu.Unlock()
	s.all.Wait()
}

// present are a team's containers that the worker still has.
func (s *Service) present(ctx context.Context, team int64) ([]containerRow, error) {
	rows, err := s.containers(ctx, team)
	if err != nil || s.deps.Executor == nil {
		return nil, err
	}
	there, err := s.deps.Executor.Containers(ctx)
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(there))
	for _, c := range there {
		known[string(c.ID)] = true
	}
	out := rows[:0]
	for _, r := range rows {
		if known[r.Step.Container] {
			out = append(out, r)
		}
	}
	return out, nil
}

// presentOne is the container with that handle.
func (s *Service) presentOne(ctx context.Context, team int64, handle string) (containerRow, error) {
	rows, err := s.present(ctx, team)
	for _, r := range rows {
		if r.Step.Container == handle {
			return r, err
		}
	}
	if err == nil {
		err = problem.New(problem.NotFound, "There is no such container.")
	}
	return containerRow{}, err
}

// hijack opens a process in a container and notes who did. Its caller has checked the
// right to do so, and closes the session.
func (s *Service) hijack(ctx context.Context, r containerRow, spec runtime.ExecSpec) (runtime.Session, error) {
	where := []string{r.PipelineName, r.JobName, "#" + r.BuildName, r.Step.Name}
	if r.PipelineName == "" {
		where = []string{"build " + formatInt(r.Step.BuildID), r.Step.Name}
	}
	// The words that were typed are not noted: they may hold what nobody else should read.
	if err := s.audit(ctx, r.TeamID, "container.hijack", strings.Join(where, "/"), "container "+r.Step.Container+" with "+spec.Args[0]); err != nil {
		return nil, err
	}
	return s.deps.Executor.Exec(ctx, runtime.ContainerID(r.Step.Container), spec)
}
