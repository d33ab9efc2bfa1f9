package ci

import (
	"context"
	"strings"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// httpComponents is for the team alone, also where the pipeline is exposed: a list of
// old versions is a list of ways in.
func (s *Service) httpComponents(ctx context.Context, in byID) (componentsShape, error) {
	b, err := s.buildFor(ctx, in.ID, identity.Read)
	if err != nil {
		return componentsShape{}, err
	}
	return s.componentsOf(ctx, b.ID)
}

type packagesIn struct {
	Team    string `form:"team" json:"-"`
	Name    string `form:"name" json:"-"`
	Below   string `form:"below" json:"-"`
	Version string `form:"version" json:"-"`
}

// Validate asks for a team and a name.
func (in *packagesIn) Validate() error {
	switch {
	case in.Team == "":
		return problem.FieldError("team", "say which team, as ?team=main")
	case strings.TrimSpace(in.Name) == "":
		return problem.FieldError("name", "say which package, as ?name=log4j-core")
	}
	for field, value := range map[string]string{"name": in.Name, "below": in.Below, "version": in.Version} {
		if len(value) > 1000 {
			return problem.FieldError(field, "is too long")
		}
	}
	return nil
}

type packageList struct {
	Items []packageShape `json:"items"`
}

func (s *Service) httpPackages(ctx context.Context, in packagesIn) (packageList, error) {
	team, err := identity.RequireTeam(ctx, in.Team, scope(identity.Read))
	if err != nil {
		return packageList{}, err
	}
	items, err := s.packages(ctx, team.ID, packageQuestion{Name: in.Name, Below: strings.TrimSpace(in.Below), Version: strings.TrimSpace(in.Version)})
	return packageList{items}, err
}
