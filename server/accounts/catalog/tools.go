package catalog

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// RegisterTools adds what machines may ask of all capabilities at once.
func (c *Catalog) RegisterTools(r *tools.Registry) error {
	return r.Register(
		tools.New(tools.Spec{Name: "accounts_timeline_list", Title: "What happened", Class: tools.ReadOnly, Level: identity.Read,
			Description: "What happened in a team between two times, newest first: pushes, builds, releases, deploys, new errors, alerts, rollouts, nodes. from and to are RFC 3339, the last 24 hours when left out; service names one service, capability one or several of ci, issues, logs, edge. Example: {\"team\":\"main\",\"from\":\"2026-11-21T14:00:00Z\",\"to\":\"2026-11-21T15:00:00Z\"}."}, c.toolTimeline),
		tools.New(tools.Spec{Name: "accounts_services_list", Title: "List services", Class: tools.ReadOnly, Level: identity.Read,
			Description: "The services of a team: owners, repository, pipeline, error project, log filter and package of each."}, c.toolServices),
		tools.New(tools.Spec{Name: "accounts_things_search", Title: "Find anything by name", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Pipelines, builds, errors, releases, saved searches, alerts, nodes, bundles, rollouts, CVEs, services, people and pages of a team whose name, number or commit holds the text."}, c.toolSearch),
		tools.New(tools.Spec{Name: "accounts_release_get", Title: "How a release does", Class: tools.ReadOnly, Level: identity.Read,
			Description: "A release by its version: its newest commits and their builds, crash-free sessions, new errors, errors per hour and users affected, beside the release before it, the environments and nodes that run it, and its log lines."}, c.toolRelease),
		tools.New(tools.Spec{Name: "accounts_event_trace", Title: "Where an error comes from", Class: tools.ReadOnly, Level: identity.Read,
			Description: "What an error event, by its id of 32 hex digits, leads to: its release, commits and builds, the log lines of its trace 30 seconds to both sides, and the nodes that run the release."}, c.toolEvent),
		tools.New(tools.Spec{Name: "accounts_failure_compare", Title: "The same failure before", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Builds of a team that failed before in the same step with the same words as one build did, when that was first seen, and which build ended it."}, c.toolFailure),
	)
}

type toolTimeline struct {
	Team    string `json:"team"`
	From    string `json:"from,omitempty"`
	To      string `json:"to,omitempty"`
	Service string `json:"service,omitempty"`
	// Capability is ci, issues, logs or edge, or several with commas between them.
	Capability string `json:"capability,omitempty"`
}

func (c *Catalog) toolTimeline(ctx context.Context, in toolTimeline) (Timeline, error) {
	return c.handleTimeline(ctx, timelineIn(in))
}

type toolTeam struct {
	Team string `json:"team"`
}

func (c *Catalog) toolServices(ctx context.Context, in toolTeam) (list[Service], error) {
	return c.handleServices(ctx, byTeam(in))
}

type toolSearch struct {
	Team string `json:"team"`
	Text string `json:"text"`
}

func (c *Catalog) toolSearch(ctx context.Context, in toolSearch) (searchOut, error) {
	return c.handleSearch(ctx, searchIn(in))
}

type toolRelease struct {
	Team    string `json:"team"`
	Version string `json:"version"`
}

func (c *Catalog) toolRelease(ctx context.Context, in toolRelease) (ReleaseThread, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return ReleaseThread{}, err
	}
	return c.Release(ctx, team, 0, in.Version)
}

type toolEvent struct {
	Team  string `json:"team"`
	Event string `json:"event"`
}

func (c *Catalog) toolEvent(ctx context.Context, in toolEvent) (EventThread, error) {
	return c.handleEvent(ctx, ofEvent(in))
}

type toolFailure struct {
	Team  string `json:"team"`
	Build int64  `json:"build"`
}

func (c *Catalog) toolFailure(ctx context.Context, in toolFailure) (BuildThread, error) {
	return c.handleBuild(ctx, ofBuild(in))
}
