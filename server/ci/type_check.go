package ci

import (
	"context"
	"fmt"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// resourceType finds a type that a pipeline declares.
func (s *Service) resourceType(p pipelineRow, name string) (pipeline.ResourceType, []pipeline.ResourceType, error) {
	config, err := s.configs.of(p)
	if err != nil {
		return pipeline.ResourceType{}, nil, err
	}
	declared, ok := config.ResourceType(name)
	if !ok {
		return pipeline.ResourceType{}, nil, problem.New(problem.NotFound, "There is no resource type %s in pipeline %s.", name, p.label())
	}
	return declared, config.ResourceTypes, nil
}

// startTypeCheck makes a build of a check of a resource type's image.
func (s *Service) startTypeCheck(ctx context.Context, p pipelineRow, name string, from resource.Version, parents bool) (buildRow, error) {
	declared, types, err := s.resourceType(p, name)
	if err != nil {
		return buildRow{}, err
	}
	if err := refuseArchived(p); err != nil {
		return buildRow{}, err
	}
	return s.startCheckBuild(ctx, p, 0, name, "Check asked for by "+orSomebody(callerName(ctx)), plan.ForResourceType(declared, types,
		plan.CheckOptions{From: pipeline.Version(from), SkipInterval: true, Parents: parents, Interval: s.deps.CheckEvery}))
}

// forgetTypeVersions forgets what checks of a type's image have found, here and for every
// type that is configured alike: the next use finds the newest version anew.
func (s *Service) forgetTypeVersions(ctx context.Context, p pipelineRow, name string) (forgotten int64, err error) {
	if _, _, err := s.resourceType(p, name); err != nil {
		return 0, err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if forgotten, err = s.forgetImageChecks(ctx, p.TeamID, p.ID, name); err != nil {
			return fmt.Errorf("forget the versions of resource type %s: %w", name, err)
		}
		return s.audit(ctx, p.TeamID, "resource_type.clear_versions", p.label()+"/"+name, "")
	})
	return forgotten, err
}
