package resource

import (
	"context"
	"time"
)

type waitingKey struct{}

// OnWaiting lets whoever runs a step know when it waits for people alone, and at the
// latest until when. enter may end the context: the step is then begun again later.
func OnWaiting(ctx context.Context, enter func(until time.Time) (leave func())) context.Context {
	return context.WithValue(ctx, waitingKey{}, enter)
}

// Waiting is called by a step that has nothing to do until people answer, after it has
// seen that they have not yet; leave when it goes on.
func Waiting(ctx context.Context, until time.Time) (leave func()) {
	enter, ok := ctx.Value(waitingKey{}).(func(time.Time) func())
	if !ok {
		return func() {}
	}
	return enter(until)
}
