package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// Slots bounds how many containers run at once, first come first served, and can hold
// back all new ones. One Slots serves one worker.
type Slots struct {
	mu      sync.Mutex
	limit   int
	running int
	held    string
	queue   []waiter
}

// waiter is a step that may not start its container yet.
type waiter struct {
	build int64
	turn  chan struct{}
}

// NewSlots makes room for so many containers; 0 is no limit.
func NewSlots(limit int) *Slots { return &Slots{limit: limit} }

// Hold keeps new containers from starting, for a reason that says why they wait, such
// as "the worker is landing"; "" lets them go again. What runs is left alone.
func (s *Slots) Hold(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = reason
	s.next()
}

// Running is how many hold a place, and Limit how many may; 0 is no limit.
func (s *Slots) Running() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

// Limit is how many places there are; 0 is no limit.
func (s *Slots) Limit() int { return s.limit }

// Waiting tells whether a step of the build waits for a place, and why.
func (s *Slots) Waiting(build int64) (reason string, waits bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.queue, func(w waiter) bool { return w.build == build }) {
		return "", false
	}
	if s.held != "" {
		return s.held, true
	}
	return fmt.Sprintf("%d of at most %d containers are running", s.running, s.limit), true
}

func (s *Slots) room() bool { return s.held == "" && (s.limit <= 0 || s.running < s.limit) }

// take waits for room and returns how to give it back. waiting is called once if there
// is none at first.
func (s *Slots) take(ctx context.Context, build int64, waiting func()) (func(), error) {
	s.mu.Lock()
	if s.room() {
		s.running++
		s.mu.Unlock()
		return sync.OnceFunc(s.give), nil
	}
	turn := make(chan struct{})
	s.queue = append(s.queue, waiter{build, turn})
	s.mu.Unlock()
	waiting()
	select {
	case <-turn:
		return sync.OnceFunc(s.give), nil
	case <-ctx.Done():
		s.leave(turn)
		return nil, ctx.Err()
	}
}

// force takes room even when there is none: the container runs already.
func (s *Slots) force() func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running++
	return sync.OnceFunc(s.give)
}

func (s *Slots) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	s.next()
}

func (s *Slots) next() {
	for len(s.queue) > 0 && s.room() {
		s.running++
		close(s.queue[0].turn)
		s.queue = s.queue[1:]
	}
}

// leave gives up waiting; a turn that came meanwhile goes to the next.
func (s *Slots) leave(turn chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, other := range s.queue {
		if other.turn == turn {
			s.queue = slices.Delete(s.queue, i, i+1)
			return
		}
	}
	s.running--
	s.next()
}

// keyed makes those who use the same key take turns: two builds that need the same
// version fetch it once.
type keyed struct {
	mu   sync.Mutex
	busy map[string]chan struct{}
}

func newKeyed() *keyed { return &keyed{busy: map[string]chan struct{}{}} }

// lock returns how to unlock. waiting is called once if somebody else has the key.
func (k *keyed) lock(ctx context.Context, key string, waiting func()) (func(), error) {
	for first := true; ; first = false {
		k.mu.Lock()
		done, taken := k.busy[key]
		if !taken {
			mine := make(chan struct{})
			k.busy[key] = mine
			k.mu.Unlock()
			return sync.OnceFunc(func() {
				k.mu.Lock()
				delete(k.busy, key)
				k.mu.Unlock()
				close(mine)
			}), nil
		}
		k.mu.Unlock()
		if first {
			waiting()
		}
		select {
		case <-done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
