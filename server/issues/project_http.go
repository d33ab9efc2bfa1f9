package issues

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) projectRoutes(r api.Router) {
	read, write := api.Scoped("issues", identity.Read), api.Scoped("issues", identity.Write)
	r.GET("/projects", read, api.Handle(s.listProjects))
	r.POST("/projects", write, api.Handle(s.postProject))
	r.GET("/projects/:id", read, api.Handle(s.getProject))
	r.PATCH("/projects/:id", write, api.Handle(s.patchProject))
	r.DELETE("/projects/:id", write, api.Handle(s.deleteProject))
	r.GET("/projects/:id/setup", read, api.Handle(s.getSetup))
	r.POST("/projects/:id/test-event", write, api.Handle(s.postTestEvent))
}

type projectsIn struct {
	Team string `form:"team"`
}

type projectsOut struct {
	Items []Project `json:"items"`
}

func (s *Service) listProjects(ctx context.Context, in projectsIn) (projectsOut, error) {
	teams := identity.From(ctx).TeamIDs(reading)
	if in.Team != "" {
		team, err := identity.RequireTeam(ctx, in.Team, reading)
		if err != nil {
			return projectsOut{}, err
		}
		teams = []int64{team.ID}
	}
	list, err := s.Projects(ctx, teams...)
	return projectsOut{list}, err
}

type postProjectIn struct {
	Team     string `json:"team" form:"-"`
	Slug     string `json:"slug" form:"-"`
	Name     string `json:"name" form:"-"`
	Platform string `json:"platform" form:"-"`
}

func (s *Service) postProject(ctx context.Context, in postProjectIn) (api.Created[Project], error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return api.Created[Project]{}, err
	}
	p, err := s.CreateProject(ctx, team.ID, Project{Slug: in.Slug, Name: in.Name, Platform: in.Platform})
	return api.Created[Project]{Value: p}, err
}

type projectIn struct {
	ID int64 `uri:"id" json:"-" form:"-"`
}

func (s *Service) getProject(ctx context.Context, in projectIn) (Project, error) {
	return s.ReadableProject(ctx, in.ID)
}

type patchProjectIn struct {
	ID         int64      `uri:"id" json:"-" form:"-"`
	Slug       *string    `json:"slug" form:"-"`
	Name       *string    `json:"name" form:"-"`
	Platform   *string    `json:"platform" form:"-"`
	Origins    *[]string  `json:"origins" form:"-"`
	Filters    *Filters   `json:"filters" form:"-"`
	Limits     *[]Limit   `json:"limits" form:"-"`
	Retention  *Retention `json:"retention" form:"-"`
	Repository *string    `json:"repository" form:"-"`
}

func set[T any](into *T, value *T) {
	if value != nil {
		*into = *value
	}
}

func (s *Service) patchProject(ctx context.Context, in patchProjectIn) (Project, error) {
	return s.ChangeProject(ctx, in.ID, func(p *Project) {
		set(&p.Slug, in.Slug)
		set(&p.Name, in.Name)
		set(&p.Platform, in.Platform)
		set(&p.Origins, in.Origins)
		set(&p.Filters, in.Filters)
		set(&p.Limits, in.Limits)
		set(&p.Retention, in.Retention)
		set(&p.Repository, in.Repository)
	})
}

func (s *Service) deleteProject(ctx context.Context, in projectIn) (api.Nothing, error) {
	return api.Nothing{}, s.DeleteProject(ctx, in.ID)
}

func (s *Service) getSetup(ctx context.Context, in projectIn) (Setup, error) {
	return s.Setup(ctx, in.ID)
}

type testEventOut struct {
	EventID string `json:"event_id"`
}

func (s *Service) postTestEvent(ctx context.Context, in projectIn) (testEventOut, error) {
	id, err := s.SendTestEvent(ctx, in.ID)
	return testEventOut{id}, err
}
