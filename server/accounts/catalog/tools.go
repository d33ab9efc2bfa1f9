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
			Description: "What happened in a team between two times, newest first: pushes, builds, releases, deploys, new errors, alerts, rollouts, nodes. from and to are RFC 3339, the last 24 hours when left out; service names one service. Example: {\"team\":\"main\",\"from\":\"2026-11-21T14:00:00Z\",\"to\":\"2026-11-21T15:00:00Z\"}."}, c.toolTimeline),
		tools.New(tools.Spec{Name: "accounts_services_list", Title: "List services", Class: tools.ReadOnly, Level: identity.Read,
			Description: "The services of a team: owners, repository, pipeline, error project, log filter and package of each."}, c.toolServices),
		tools.New(tools.Spec{Name: "accounts_things_search", Title: "Find anything by name", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Pipelines, builds, errors, releases, saved searches, alerts, nodes, bundles, rollouts and CVEs of a team whose name, number or commit holds the text."}, c.toolSearch),
	)
}

type toolTimeline struct {
	Team    string `json:"team"`
	From    string `json:"from,omitempty"`
	To      string `json:"to,omitempty"`
	Service string `json:"service,omitempty"`
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
