package edge

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) siteRoutes(r api.Router) {
	read, write := api.Scoped("edge", identity.Read), api.Scoped("edge", identity.Write)
	r.GET("/sites", read, api.Handle(s.httpSites))
	r.PUT("/sites/:name", write, api.Handle(s.httpSetSite))
	r.DELETE("/sites/:name", write, api.Handle(s.httpDeleteSite))
}

type sitesOut struct {
	Items []Site `json:"items"`
}

func (s *Service) httpSites(ctx context.Context, in teamIn) (sitesOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return sitesOut{}, err
	}
	list, err := s.rows().sites(ctx, team.ID, s.Now().Add(-missedCheckIns*s.Interval).Truncate(time.Millisecond).UnixMilli())
	if list == nil {
		list = []Site{}
	}
	return sitesOut{list}, err
}

type setSiteIn struct {
	Team        string `json:"team" form:"-"`
	Name        string `uri:"name" json:"-" form:"-"`
	Description string `json:"description" form:"-"`
	KBps        int64  `json:"kbps" form:"-"`
	Hours       string `json:"hours" form:"-"`
	Timezone    string `json:"timezone" form:"-"`
}

func (s *Service) httpSetSite(ctx context.Context, in setSiteIn) (api.Nothing, error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return api.Nothing{}, err
	}
	return api.Nothing{}, s.SetSite(ctx, team.ID, Site{Name: in.Name, Description: in.Description, KBps: in.KBps, Hours: in.Hours, Timezone: in.Timezone})
}

type deleteSiteIn struct {
	Team string `form:"team" json:"-"`
	Name string `uri:"name" json:"-" form:"-"`
}

func (s *Service) httpDeleteSite(ctx context.Context, in deleteSiteIn) (api.Nothing, error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return api.Nothing{}, err
	}
	return api.Nothing{}, s.DeleteSite(ctx, team.ID, in.Name)
}
