package logs

import (
	"context"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/cluster"
)

// retailEvery is how often servers are looked for that a tail does not hear.
const retailEvery = 3 * time.Second

// ofStream matches the lines of one stream; further labels make another stream, which is
// rare enough to be told by the store's own key.
func ofStream(labels record.Labels) *query.Plan {
	all := query.And{}
	for _, l := range labels {
		all = append(all, query.Compare{Field: l.Name, Op: query.Equal, Value: l.Value, Exact: true, Label: true})
	}
	return query.NewPlan(&query.Query{Filter: all}, nil)
}

// tail hears the lines that come in on all servers.
type tail struct {
	own    *store.Tail
	caught chan store.Caught
	failed chan error
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// Tail begins to listen everywhere. A server that comes later is heard from then on.
func (l lines) Tail(ctx context.Context, team int64, match *query.Plan) *tail {
	ctx, cancel := context.WithCancel(ctx)
	t := &tail{own: l.Store.Tail(team, match), caught: make(chan store.Caught), failed: make(chan error, 1), cancel: cancel}
	t.done.Go(func() {
		for {
			c, err := t.own.Next(ctx)
			if err != nil {
				t.failed <- err
				return
			}
			if !t.hand(ctx, c) {
				return
			}
		}
	})
	if c := l.service.Cluster; c != nil && c.Several() {
		t.done.Go(func() { t.follow(ctx, l, store.Request{Team: team, Match: match}) })
	}
	return t
}

func (t *tail) hand(ctx context.Context, c store.Caught) bool {
	select {
	case t.caught <- c:
		return true
	case <-ctx.Done():
		return false
	}
}

// follow listens to each other server that is there, and again to one that was away.
func (t *tail) follow(ctx context.Context, l lines, req store.Request) {
	var mu sync.Mutex
	heard := map[string]bool{}
	for ctx.Err() == nil {
		a, err := l.ask(ctx, askTail, req)
		if err == nil && a != nil {
			for _, m := range a.there {
				mu.Lock()
				busy := heard[m.Node]
				heard[m.Node] = true
				mu.Unlock()
				if busy {
					continue
				}
				t.done.Go(func() {
					t.hear(ctx, l, m, a.call)
					mu.Lock()
					delete(heard, m.Node)
					mu.Unlock()
				})
			}
		}
		pause(ctx, retailEvery)
	}
}

func (t *tail) hear(ctx context.Context, l lines, m cluster.Member, call lineCall) {
	err := l.service.askLines(ctx, m, call, func(part lineAnswer) bool { return part.Caught == nil || t.hand(ctx, *part.Caught) })
	if err != nil && ctx.Err() == nil {
		l.service.Log.DebugContext(ctx, "a tail does not hear another server", "server", m.Title(), "error", err)
	}
}

// Close ends the tail.
func (t *tail) Close() {
	t.cancel()
	t.own.Close()
	t.done.Wait()
}

// Next waits for lines of any server.
func (t *tail) Next(ctx context.Context) (store.Caught, error) {
	select {
	case c := <-t.caught:
		return c, nil
	case err := <-t.failed:
		return store.Caught{}, err
	case <-ctx.Done():
		return store.Caught{}, ctx.Err()
	}
}
