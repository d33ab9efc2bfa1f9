package catalog

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/thread"
)

// Routes registers what the catalog answers; r is at the root. Reading needs accounts:read, and
// shows of each capability only what the caller may read there.
func (c *Catalog) Routes(r api.Router) {
	team := r.Group("/api/v1/accounts/teams/:team")
	read, write := api.Scoped("accounts", identity.Read), api.Scoped("accounts", identity.Write)
	team.GET("/services", read, api.Handle(c.handleServices))
	team.PUT("/services/:service", write, api.Handle(c.handleSave))
	team.DELETE("/services/:service", write, api.Handle(c.handleDelete))
	team.GET("/service-proposals", read, api.Handle(c.handleProposals))
	team.GET("/timeline", read, api.Handle(c.handleTimeline))
	team.GET("/search", read, api.Handle(c.handleSearch))
	team.GET("/home", read, api.Handle(c.handleHome))
	c.weaveRoutes(team, read)
}

func servicePage(team, name string) string {
	return "/teams/" + url.PathEscape(team) + "/services/" + url.PathEscape(name)
}

var (
	reading = identity.Scope{Capability: "accounts", Level: identity.Read}
	writing = identity.Scope{Capability: "accounts", Level: identity.Write}
)

type byTeam struct {
	Team string `uri:"team"`
}

type list[T any] struct {
	Items []T `json:"items"`
}

func (c *Catalog) handleServices(ctx context.Context, in byTeam) (list[Service], error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return list[Service]{}, err
	}
	items, err := c.Services(ctx, team)
	return list[Service]{items}, err
}

type saveIn struct {
	Team    string `uri:"team" json:"-"`
	Service string `uri:"service" json:"-"`

	Description string   `json:"description"`
	Owners      []string `json:"owners"`
	Repository  string   `json:"repository"`
	Pipeline    string   `json:"pipeline"`
	Job         string   `json:"job"`
	Project     string   `json:"project"`
	LogFilter   string   `json:"log_filter"`
	Package     string   `json:"package"`
}

func (c *Catalog) handleSave(ctx context.Context, in saveIn) (Service, error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return Service{}, err
	}
	return c.Save(ctx, team, Service{Name: in.Service, Description: in.Description, Owners: in.Owners, Repository: in.Repository, Pipeline: in.Pipeline, Job: in.Job,
		Project: in.Project, LogFilter: in.LogFilter, Package: in.Package})
}

type byService struct {
	Team    string `uri:"team"`
	Service string `uri:"service"`
}

func (c *Catalog) handleDelete(ctx context.Context, in byService) (api.Nothing, error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return api.Nothing{}, err
	}
	return api.Nothing{}, c.Delete(ctx, team, in.Service)
}

func (c *Catalog) handleProposals(ctx context.Context, in byTeam) (list[Proposal], error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return list[Proposal]{}, err
	}
	items, err := c.Proposals(ctx, team)
	return list[Proposal]{items}, err
}

type timelineIn struct {
	Team string `uri:"team"`
	// From and To are RFC 3339; the last 24 hours when left out.
	From    string `form:"from"`
	To      string `form:"to"`
	Service string `form:"service"`
	// Capability narrows it: one or several, with commas between them.
	Capability string `form:"capability"`
}

func (c *Catalog) handleTimeline(ctx context.Context, in timelineIn) (Timeline, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return Timeline{}, err
	}
	from, to, err := c.span(in.From, in.To)
	if err != nil {
		return Timeline{}, err
	}
	only := Only{Service: in.Service}
	if in.Capability != "" {
		only.Capabilities = strings.Split(in.Capability, ",")
	}
	return c.Timeline(ctx, team, from, to, only)
}

func (c *Catalog) span(from, to string) (start, end time.Time, err error) {
	end = c.Now()
	if to != "" {
		if end, err = time.Parse(time.RFC3339, to); err != nil {
			return start, end, problem.FieldError("to", "%.60q is no time; write it as 2026-11-21T15:00:00Z", to)
		}
	}
	start = end.Add(-24 * time.Hour)
	if from != "" {
		if start, err = time.Parse(time.RFC3339, from); err != nil {
			return start, end, problem.FieldError("from", "%.60q is no time; write it as 2026-11-21T14:00:00Z", from)
		}
	}
	return start, end, nil
}

type searchIn struct {
	Team string `uri:"team"`
	Text string `form:"q"`
}

type searchOut struct {
	Items   []thread.Hit `json:"items"`
	Missing []string     `json:"missing"`
}

func (c *Catalog) handleSearch(ctx context.Context, in searchIn) (searchOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return searchOut{}, err
	}
	items, missing, err := c.Search(ctx, team, in.Text)
	return searchOut{items, missing}, err
}

func (c *Catalog) handleHome(ctx context.Context, in byTeam) (Home, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return Home{}, err
	}
	return c.Home(ctx, team)
}
