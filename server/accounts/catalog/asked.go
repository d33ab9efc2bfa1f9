package catalog

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/thread"
)

// Builds is what is asked of ci. Like the others it checks the caller's rights itself.
type Builds interface {
	ThreadBuilds(ctx context.Context, team identity.Team, commits []string, limit int) ([]thread.Build, error)
	ThreadFailure(ctx context.Context, team identity.Team, build int64) (thread.Failure, error)
}

// Errors is what is asked of issues.
type Errors interface {
	ThreadEvent(ctx context.Context, team identity.Team, event string) (thread.Reported, error)
	ThreadRelease(ctx context.Context, team identity.Team, id int64, version string) (thread.Shipped, error)
	ThreadErrors(ctx context.Context, team identity.Team, servers []string, limit int) (thread.Problems, error)
}

// Logged is what is asked of logs.
type Logged interface {
	ThreadLines(ctx context.Context, team identity.Team, query string, from, to time.Time, some int, newest bool) (thread.Lines, error)
}

// Fleet is what is asked of edge.
type Fleet interface {
	ThreadNodes(ctx context.Context, team identity.Team, pkg string) (thread.Nodes, error)
	ThreadNode(ctx context.Context, team identity.Team, node string) (thread.Node, error)
}

// part is one capability's share of a page.
type part struct {
	capability string
	ask        func(context.Context) error
}

// gather asks for parts at once, as far as the caller may read them. A part that fails is named
// and does not keep the others back; what a person cannot see is no failure.
func (c *Catalog) gather(ctx context.Context, team identity.Team, parts ...part) (missing []string) {
	caller := identity.From(ctx)
	missing = []string{}
	var (
		wait sync.WaitGroup
		mu   sync.Mutex
	)
	for _, p := range parts {
		if !caller.Can(team.ID, identity.Scope{Capability: p.capability, Level: identity.Read}) {
			continue
		}
		wait.Go(func() {
			err := p.ask(ctx)
			if err == nil || problem.Is(err, problem.NotFound) {
				return
			}
			c.noteFailure(p.capability, team, err)
			mu.Lock()
			defer mu.Unlock()
			missing = append(missing, p.capability)
		})
	}
	wait.Wait()
	slices.Sort(missing)
	return slices.Compact(missing)
}
