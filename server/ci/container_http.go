package ci

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) containerRoutes(r api.Router) {
	r.GET("/containers", reading(), api.Handle(s.httpContainers))
	r.GET("/volumes", reading(), api.Handle(s.httpVolumes))
}

// containerShape is a container as our own API shows it.
type containerShape struct {
	Handle    string          `json:"handle"`
	Kind      string          `json:"kind"`
	Build     *containerBuild `json:"build,omitempty"`
	Step      string          `json:"step"`
	Image     string          `json:"image"`
	Worker    string          `json:"worker"`
	State     string          `json:"state"`
	StartedAt time.Time       `json:"started_at"`
}

// containerBuild is the build that a container belongs to.
type containerBuild struct {
	ID       int64  `json:"id"`
	Number   string `json:"number"`
	Job      string `json:"job,omitempty"`
	Pipeline string `json:"pipeline,omitempty"`
}

// volumeShape is a volume as our own API shows it.
type volumeShape struct {
	Handle    string    `json:"handle"`
	Kind      string    `json:"kind"`
	Path      string    `json:"path,omitempty"`
	Bytes     int64     `json:"bytes"`
	UsedBy    []string  `json:"used_by"`
	CreatedAt time.Time `json:"created_at"`
}

type ofTeam struct {
	Team string `form:"team" json:"-"`
}

func (in ofTeam) read(ctx context.Context) (identity.Team, error) {
	if in.Team == "" {
		return identity.Team{}, problem.FieldError("team", "say which team, as ?team=main")
	}
	return identity.RequireTeam(ctx, in.Team, scope(identity.Read))
}

type containerList struct {
	Items []containerShape `json:"items"`
}

func (s *Service) httpContainers(ctx context.Context, in ofTeam) (containerList, error) {
	team, err := in.read(ctx)
	if err != nil {
		return containerList{}, err
	}
	items, err := s.shownContainers(ctx, team.ID)
	return containerList{items}, err
}

type volumeList struct {
	Items []volumeShape `json:"items"`
}

func (s *Service) httpVolumes(ctx context.Context, in ofTeam) (volumeList, error) {
	team, err := in.read(ctx)
	if err != nil {
		return volumeList{}, err
	}
	items, err := s.shownVolumes(ctx, team.ID)
	return volumeList{items}, err
}
