package issues

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) viewRoutes(r api.Router) {
	read, write := api.Scoped("issues", identity.Read), api.Scoped("issues", identity.Write)
	r.GET("/views", read, api.Handle(s.httpViews))
	r.POST("/views", write, api.Handle(s.httpSaveView))
	r.DELETE("/views/:id", write, api.Handle(s.httpDeleteView))
}

type viewsIn struct {
	Team string `form:"team" json:"-"`
}

type viewList struct {
	Items []View `json:"items"`
}

func (s *Service) httpViews(ctx context.Context, in viewsIn) (viewList, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return viewList{}, err
	}
	list, err := s.rows().views(ctx, team.ID)
	return viewList{list}, err
}

type saveViewIn struct {
	Team    string `json:"team" form:"-"`
	Name    string `json:"name" form:"-"`
	Query   string `json:"query" form:"-"`
	Sort    Sort   `json:"sort" form:"-"`
	Project string `json:"project" form:"-"`
}

func (s *Service) httpSaveView(ctx context.Context, in saveViewIn) (api.Created[View], error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return api.Created[View]{}, err
	}
	v, err := s.SaveView(ctx, team.ID, View{Name: in.Name, Query: in.Query, Sort: in.Sort, Project: in.Project})
	return api.Created[View]{Value: v}, err
}

func (s *Service) httpDeleteView(ctx context.Context, in byIssue) (api.Nothing, error) {
	return api.Nothing{}, s.DeleteView(ctx, in.ID)
}
