package catalog

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/thread"
)

// weaveRoutes answer what leads on from one thing. Each shows of other capabilities only what the
// caller may read there; the thing itself needs the right to read it.
func (c *Catalog) weaveRoutes(team api.Router, read api.Access) {
	team.GET("/services/:service/nodes", read, api.Handle(c.handleServiceNodes))
	team.GET("/threads/releases/:release", read, api.Handle(c.handleRelease))
	team.GET("/threads/events/:event", read, api.Handle(c.handleEvent))
	team.GET("/threads/builds/:build", read, api.Handle(c.handleBuild))
	team.GET("/threads/nodes/:node", read, api.Handle(c.handleNode))
}

func (c *Catalog) handleServiceNodes(ctx context.Context, in byService) (thread.Nodes, error) {
	team, err := identity.RequireTeam(ctx, in.Team, identity.Scope{Capability: "edge", Level: identity.Read})
	if err != nil {
		return thread.Nodes{}, err
	}
	return c.ServiceNodes(ctx, team, in.Service)
}

type ofRelease struct {
	Team    string `uri:"team"`
	Release int64  `uri:"release"`
}

func (c *Catalog) handleRelease(ctx context.Context, in ofRelease) (ReleaseThread, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return ReleaseThread{}, err
	}
	return c.Release(ctx, team, in.Release, "")
}

type ofEvent struct {
	Team  string `uri:"team"`
	Event string `uri:"event"`
}

func (c *Catalog) handleEvent(ctx context.Context, in ofEvent) (EventThread, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return EventThread{}, err
	}
	return c.Event(ctx, team, in.Event)
}

type ofBuild struct {
	Team  string `uri:"team"`
	Build int64  `uri:"build"`
}

func (c *Catalog) handleBuild(ctx context.Context, in ofBuild) (BuildThread, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return BuildThread{}, err
	}
	return c.Failed(ctx, team, in.Build)
}

type ofNode struct {
	Team string `uri:"team"`
	Node string `uri:"node"`
}

func (c *Catalog) handleNode(ctx context.Context, in ofNode) (NodeThread, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return NodeThread{}, err
	}
	return c.Node(ctx, team, in.Node)
}
