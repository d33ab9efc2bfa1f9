package issues

import (
	"context"
	"io"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// bodyMemory bounds the bodies in memory at once, as they are after
	// decompression; who finds no room is told to come back.
	bodyMemory = 128 << 20
	// bodyStep is in which steps room is taken.
	bodyStep = 64 << 10
	// memoryPatience is how long a body waits for room. Two large bodies that wait
	// for each other end by it.
	memoryPatience = 3 * time.Second
)

// memoryError goes through the readers of foreign formats unharmed.
type memoryError struct{ cause error }

func (e *memoryError) Error() string { return e.cause.Error() }
func (e *memoryError) Unwrap() error { return e.cause }

// metered takes room for what is read through it, before it is read.
type metered struct {
	ctx  context.Context
	from io.Reader
	room *semaphore.Weighted
	held int64
	used int64
}

func (m *metered) Read(p []byte) (int, error) {
	if m.used >= m.held {
		ctx, cancel := context.WithTimeout(m.ctx, memoryPatience)
		defer cancel()
		if err := m.room.Acquire(ctx, bodyStep); err != nil {
			return 0, &memoryError{busy("Too much is arriving at once. Send it again.", 5)}
		}
		m.held += bodyStep
	}
	n, err := m.from.Read(p[:min(int64(len(p)), m.held-m.used)])
	m.used += int64(n)
	return n, err
}

func (m *metered) release() { m.room.Release(m.held) }
