package secrets

import (
	"context"
	"encoding/json"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

var (
	reading = identity.Scope{Capability: "ci", Level: identity.Read}
	writing = identity.Scope{Capability: "ci", Level: identity.Write}
)

// Routes registers /ci/secrets below /api/v1.
func (s *Store) Routes(r api.Router) {
	r.GET("/ci/secrets", api.Scoped("ci", identity.Read), api.Handle(s.list))
	r.PUT("/ci/secrets", api.Scoped("ci", identity.Write), api.Handle(s.put))
	r.DELETE("/ci/secrets", api.Scoped("ci", identity.Write), api.Handle(s.delete))
}

type listIn struct {
	Team     string `form:"team" json:"-"`
	Pipeline string `form:"pipeline" json:"-"`
}

type listOut struct {
	Items []Secret `json:"items"`
}

func (s *Store) list(ctx context.Context, in listIn) (listOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return listOut{}, err
	}
	items, err := s.List(ctx, team.ID, in.Pipeline)
	return listOut{Items: items}, err
}

type putIn struct {
	Team     string          `json:"team" form:"-"`
	Pipeline string          `json:"pipeline" form:"-"`
	Name     string          `json:"name" form:"-"`
	Value    json.RawMessage `json:"value" form:"-"`
}

func (s *Store) put(ctx context.Context, in putIn) (api.Nothing, error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return api.Nothing{}, err
	}
	var value any
	if len(in.Value) > 0 {
		if err := json.Unmarshal(in.Value, &value); err != nil {
			return api.Nothing{}, problem.FieldError("value", "is not JSON")
		}
	}
	return api.Nothing{}, s.Set(ctx, team.ID, in.Pipeline, in.Name, value)
}

type deleteIn struct {
	Team     string `form:"team" json:"-"`
	Pipeline string `form:"pipeline" json:"-"`
	Name     string `form:"name" json:"-"`
}

func (s *Store) delete(ctx context.Context, in deleteIn) (api.Nothing, error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return api.Nothing{}, err
	}
	return api.Nothing{}, s.Delete(ctx, team.ID, in.Pipeline, in.Name)
}
