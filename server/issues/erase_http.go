package issues

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) eraseRoutes(r api.Router) {
	read, write := api.Scoped("issues", identity.Read), api.Scoped("issues", identity.Write)
	r.POST("/projects/:id/erase", write, api.Handle(s.httpErase))
	r.GET("/erasures", read, api.Handle(s.httpErasures))
	r.GET("/erasures/:id", read, api.Handle(s.httpErasure))
}

type postEraseIn struct {
	ID   int64     `uri:"id" json:"-" form:"-"`
	User Subject   `json:"user" form:"-"`
	Mode EraseMode `json:"mode" form:"-"`
}

func (s *Service) httpErase(ctx context.Context, in postEraseIn) (api.Created[Erasure], error) {
	e, err := s.Erase(ctx, in.ID, in.User, in.Mode)
	return api.Created[Erasure]{Value: e}, err
}

type erasureList struct {
	Items []Erasure `json:"items"`
}

func (s *Service) httpErasures(ctx context.Context, in byProject) (erasureList, error) {
	team, project, err := in.resolve(ctx, s)
	if err != nil {
		return erasureList{}, err
	}
	list, err := s.rows().erasures(ctx, team.ID, project)
	return erasureList{list}, err
}

type byErasure struct {
	ID string `uri:"id" json:"-" form:"-"`
}

func (s *Service) httpErasure(ctx context.Context, in byErasure) (Erasure, error) {
	e, err := s.rows().erasure(ctx, in.ID)
	if err != nil {
		return e, err
	}
	return e, identity.Require(ctx, e.Team, reading)
}
