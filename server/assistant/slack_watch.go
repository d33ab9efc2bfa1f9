package assistant

import "context"

// watch is what somebody who waits for a run wants: to hear of its calls while
// it lasts, and to be able to end it. It travels in the context, because the
// other askers need neither.
type watch struct {
	// told hears of each call of a tool, before it (done false) and after it; calls come side by side.
	told func(tool string, done, failed bool)
	// stop is over when the run is no longer wanted.
	stop context.Context
	// plans lets no model answer: a digest costs nothing and says the same things each day.
	plans bool
}

type watchKey struct{}

func watching(ctx context.Context, w watch) context.Context {
	return context.WithValue(ctx, watchKey{}, w)
}

// tellCall tells whoever watches the run of a call.
func tellCall(ctx context.Context, tool string, done, failed bool) {
	if w, ok := ctx.Value(watchKey{}).(watch); ok && w.told != nil {
		w.told(tool, done, failed)
	}
}

// unwanted is a context that ends when whoever watches wants the run no more.
func unwanted(ctx context.Context) context.Context {
	if w, ok := ctx.Value(watchKey{}).(watch); ok && w.stop != nil {
		return w.stop
	}
	return context.WithoutCancel(ctx)
}

// plansAlone reports whether only plans may answer.
func plansAlone(ctx context.Context) bool {
	w, ok := ctx.Value(watchKey{}).(watch)
	return ok && w.plans
}
