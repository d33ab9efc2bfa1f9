package app

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/accounts/catalog"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/thread"
)

// wireCatalog joins the capabilities; after all of them.
func (a *App) wireCatalog(context.Context) error {
	a.catalog = catalog.New(catalog.Deps{DB: a.db, Known: a.known, Audit: a.audit, Publish: a.publish, Now: now, Log: a.log, Builds: a.ci, Errors: a.issues, Lines: a.logs, Fleet: a.edge,
		People: a.people, Manual: a.manualHits,
		Sources: []thread.Source{a.github.Thread(), a.ci.Thread(), a.issues.Thread(), a.logs.Thread(), a.edge.Thread(), a.assistant.Thread()}})
	return a.catalog.RegisterTools(a.tools)
}

// people are a team's members, for its members.
func (a *App) people(ctx context.Context, team identity.Team) ([][2]string, error) {
	list, err := a.accounts.Members(ctx, team.Name)
	out := make([][2]string, len(list))
	for i, m := range list {
		out[i] = [2]string{m.User.Name, string(m.Role)}
	}
	return out, err
}

// manualHits are sections of the manual, as a search names them.
func (a *App) manualHits(_ context.Context, text string) ([]thread.Hit, error) {
	found, err := a.manual.Find(text)
	out := make([]thread.Hit, len(found))
	for i, h := range found {
		out[i] = thread.Hit{Capability: "accounts", Kind: "manual", Title: h.Title, Detail: h.Page, Path: h.Path}
	}
	return out, err
}

// known is what services could be made of, as far as the caller may see it.
func (a *App) known(ctx context.Context, team identity.Team) (catalog.Known, error) {
	caller := identity.From(ctx)
	may := func(capability string) bool {
		return caller.Can(team.ID, identity.Scope{Capability: capability, Level: identity.Read})
	}
	var known catalog.Known
	var err error
	if may("ci") {
		if known.Pipelines, err = a.ci.Watched(ctx, team.ID); err != nil {
			return known, err
		}
		known.Repositories = slices.Sorted(maps.Keys(setOf(known.Pipelines)))
	}
	if may("issues") {
		projects, err := a.issues.Projects(ctx, team.ID)
		if err != nil {
			return known, err
		}
		for _, p := range projects {
			known.Projects = append(known.Projects, p.Slug)
		}
	}
	if may("logs") {
		known.Logging, err = a.logs.Store.Values(ctx, store.Request{Team: team.ID, From: now().Add(-7 * 24 * time.Hour)}, "service")
	}
	return known, err
}

// setOf is every value of the lists.
func setOf(lists map[string][]string) map[string]bool {
	set := map[string]bool{}
	for _, list := range lists {
		for _, v := range list {
			set[v] = true
		}
	}
	return set
}
