package mcpservers

import (
	"context"
	"encoding/json"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

// Routes registers what the page about outside servers asks, below /api/v1/assistant.
func (m *Manager) Routes(r api.Router) {
	r.GET("/servers", api.Admin(), api.Handle(m.httpList))
	r.POST("/servers", api.Admin(), api.Handle(m.httpCreate))
	r.GET("/servers/:id", api.Admin(), api.Handle(m.httpGet))
	r.PUT("/servers/:id", api.Admin(), api.Handle(m.httpChange))
	r.DELETE("/servers/:id", api.Admin(), api.Handle(m.httpDelete))
	r.PUT("/servers/:id/permission", api.Admin(), api.Handle(m.httpPermit))
	r.POST("/servers/:id/try", api.Admin(), api.Handle(m.httpTry))
}

var managing = identity.Scope{Capability: "assistant", Level: identity.Admin}

type listIn struct {
	Team string `form:"team" json:"-"`
}

type listOut struct {
	Items []Shown `json:"items"`
}

func (m *Manager) httpList(ctx context.Context, in listIn) (listOut, error) {
	var team identity.Team
	if in.Team != "" {
		var err error
		if team, err = identity.RequireTeam(ctx, in.Team, managing); err != nil {
			return listOut{}, err
		}
	}
	list, err := m.List(ctx, team)
	return listOut{list}, err
}

type createIn struct {
	Team string `json:"team"`
	Change
}

// Validate is the change's own.
func (in *createIn) Validate() error { return in.Change.Validate() }

func (m *Manager) httpCreate(ctx context.Context, in createIn) (api.Created[Shown], error) {
	team, err := identity.RequireTeam(ctx, in.Team, managing)
	if err != nil {
		return api.Created[Shown]{}, err
	}
	s, err := m.Save(ctx, team, "", in.Change)
	return api.Created[Shown]{Value: s, Location: "/api/v1/assistant/servers/" + s.ID}, err
}

type idIn struct {
	ID string `uri:"id" json:"-"`
}

func (m *Manager) httpGet(ctx context.Context, in idIn) (Shown, error) { return m.Get(ctx, in.ID) }

type changeIn struct {
	ID string `uri:"id" json:"-"`
	Change
}

// Validate is the change's own.
func (in *changeIn) Validate() error { return in.Change.Validate() }

func (m *Manager) httpChange(ctx context.Context, in changeIn) (Shown, error) {
	return m.Save(ctx, identity.Team{}, in.ID, in.Change)
}

func (m *Manager) httpDelete(ctx context.Context, in idIn) (api.Nothing, error) {
	return api.Nothing{}, m.Delete(ctx, in.ID)
}

type permitIn struct {
	ID         string     `uri:"id" json:"-"`
	Tool       string     `json:"tool"`
	Permission Permission `json:"permission"`
}

func (m *Manager) httpPermit(ctx context.Context, in permitIn) (Shown, error) {
	return m.Permit(ctx, in.ID, in.Tool, in.Permission)
}

type tryIn struct {
	ID   string          `uri:"id" json:"-"`
	Tool string          `json:"tool"`
	Args json.RawMessage `json:"args"`
}

type tryOut struct {
	Result json.RawMessage `json:"result"`
}

func (m *Manager) httpTry(ctx context.Context, in tryIn) (tryOut, error) {
	out, err := m.Try(ctx, in.ID, in.Tool, in.Args)
	return tryOut{out}, err
}
