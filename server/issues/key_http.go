package issues

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) keyRoutes(r api.Router) {
	read, write := api.Scoped("issues", identity.Read), api.Scoped("issues", identity.Write)
	r.GET("/projects/:id/keys", read, api.Handle(s.listKeys))
	r.POST("/projects/:id/keys", write, api.Handle(s.postKey))
	r.PATCH("/keys/:id", write, api.Handle(s.patchKey))
	r.DELETE("/keys/:id", write, api.Handle(s.deleteKey))
}

type keysOut struct {
	Items []Key `json:"items"`
}

func (s *Service) listKeys(ctx context.Context, in projectIn) (keysOut, error) {
	list, err := s.Keys(ctx, in.ID)
	return keysOut{list}, err
}

type postKeyIn struct {
	ID     int64   `uri:"id" json:"-" form:"-"`
	Label  string  `json:"label" form:"-"`
	Limits []Limit `json:"limits" form:"-"`
}

func (s *Service) postKey(ctx context.Context, in postKeyIn) (api.Created[Key], error) {
	k, err := s.CreateKey(ctx, in.ID, in.Label, in.Limits)
	return api.Created[Key]{Value: k}, err
}

type keyIn struct {
	ID string `uri:"id" json:"-" form:"-"`
}

type patchKeyIn struct {
	ID     string   `uri:"id" json:"-" form:"-"`
	Label  *string  `json:"label" form:"-"`
	Active *bool    `json:"active" form:"-"`
	Limits *[]Limit `json:"limits" form:"-"`
}

func (s *Service) patchKey(ctx context.Context, in patchKeyIn) (Key, error) {
	return s.ChangeKey(ctx, in.ID, func(k *Key) {
		set(&k.Label, in.Label)
		set(&k.Active, in.Active)
		set(&k.Limits, in.Limits)
	})
}

func (s *Service) deleteKey(ctx context.Context, in keyIn) (api.Nothing, error) {
	return api.Nothing{}, s.DeleteKey(ctx, in.ID)
}
