package logs

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) savedRoutes(r api.Router) {
	read, write := api.Scoped("logs", identity.Read), api.Scoped("logs", identity.Write)
	r.GET("/searches", read, api.Handle(s.httpSaved))
	r.POST("/searches", write, api.Handle(s.httpSave))
	r.PATCH("/searches/:search", write, api.Handle(s.httpChangeSaved))
	r.DELETE("/searches/:search", write, api.Handle(s.httpDeleteSaved))
	r.POST("/links", write, api.Handle(s.httpLink))
	r.GET("/links/:link", read, api.Handle(s.httpLinked))
}

type savedList struct {
	Items []SavedSearch `json:"items"`
}

func (s *Service) httpSaved(ctx context.Context, in teamIn) (savedList, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return savedList{}, err
	}
	list, err := s.SavedSearches(ctx, team.ID)
	return savedList{list}, err
}

type saveIn struct {
	Team string `json:"team" form:"team"`
	SavedChange
}

func (s *Service) httpSave(ctx context.Context, in saveIn) (api.Created[SavedSearch], error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return api.Created[SavedSearch]{}, err
	}
	v, err := s.SaveSearch(ctx, team.ID, in.SavedChange)
	return api.Created[SavedSearch]{Value: v, Location: "/api/v1/logs/searches/" + v.ID}, err
}

type bySearch struct {
	ID string `uri:"search" json:"-" form:"-"`
}

type patchSavedIn struct {
	bySearch
	SavedChange
}

func (s *Service) httpChangeSaved(ctx context.Context, in patchSavedIn) (SavedSearch, error) {
	return s.ChangeSearch(ctx, in.ID, in.SavedChange)
}

func (s *Service) httpDeleteSaved(ctx context.Context, in bySearch) (api.Nothing, error) {
	return api.Nothing{}, s.DeleteSearch(ctx, in.ID)
}

func (s *Service) httpLink(ctx context.Context, in saveIn) (api.Created[SavedSearch], error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return api.Created[SavedSearch]{}, err
	}
	v, err := s.LinkSearch(ctx, team, in.SavedChange)
	return api.Created[SavedSearch]{Value: v, Location: "/api/v1/logs/links/" + v.ID}, err
}

type byLink struct {
	ID string `uri:"link" json:"-" form:"-"`
}

// httpLinked answers any search that the caller may see, so that one saved under a
// name can be linked too.
func (s *Service) httpLinked(ctx context.Context, in byLink) (SavedSearch, error) {
	return s.savedSearch(ctx, in.ID, reading)
}
