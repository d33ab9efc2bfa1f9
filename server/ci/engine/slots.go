package engine

import (
	"context"
	"sync"
)

// slots bounds how many containers run at once, first come first served.
type slots struct {
	mu    sync.Mutex
	free  int
	bound bool
	queue []chan struct{}
}

func newSlots(limit int) *slots { return &slots{free: limit, bound: limit > 0} }

// take waits for room and returns how to give it back. waiting is called once if there
// is none at first.
func (s *slots) take(ctx context.Context, waiting func()) (func(), error) {
	if !s.bound {
		return func() {}, nil
	}
	s.mu.Lock()
	if s.free > 0 {
		s.free--
		s.mu.Unlock()
		return sync.OnceFunc(s.give), nil
	}
	turn := make(chan struct{})
	s.queue = append(s.queue, turn)
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
func (s *slots) force() func() {
	if !s.bound {
		return func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free--
	return sync.OnceFunc(s.give)
}

func (s *slots) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free++
	s.next()
}

func (s *slots) next() {
	for s.free > 0 && len(s.queue) > 0 {
		s.free--
		close(s.queue[0])
		s.queue = s.queue[1:]
	}
}

// leave gives up waiting; a turn that came meanwhile goes to the next.
func (s *slots) leave(turn chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, other := range s.queue {
		if other == turn {
			s.queue = append(s.queue[:i:i], s.queue[i+1:]...)
			return
		}
	}
	s.free++
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
