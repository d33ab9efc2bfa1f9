package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// resourceTools are what machines may do with resources and pipelines as a whole.
func (s *Service) resourceTools() []tools.Tool {
	return []tools.Tool{
		tools.New(tools.Spec{Name: "ci_resource_get", Title: "Read a resource", Class: tools.ReadOnly, Level: identity.Read,
			Description: "One resource: its last version, its last check with the error, what is pinned, the jobs that use it, and whether hooks or polls find its versions."}, s.toolResource),
		tools.New(tools.Spec{Name: "ci_resource_versions", Title: "List a resource's versions", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Versions of a resource, newest first, with their metadata and whether jobs may use them."}, s.toolVersions),
		tools.New(tools.Spec{Name: "ci_resource_pin", Title: "Pin a resource", Class: tools.Write, Level: identity.Operate,
			Description: "Makes jobs use one version of a resource only; ci_resource_versions gives its id."}, s.toolPin),
		tools.New(tools.Spec{Name: "ci_resource_unpin", Title: "Unpin a resource", Class: tools.Write, Level: identity.Operate,
			Description: "Lets jobs use the latest version of a resource again."}, s.toolUnpin),
		tools.New(tools.Spec{Name: "ci_pipeline_pause", Title: "Pause a pipeline", Class: tools.Write, Level: pipelineActions["pause"],
			Description: "Starts no more builds of a pipeline. What runs goes on."}, s.toolAct("pause")),
		tools.New(tools.Spec{Name: "ci_pipeline_unpause", Title: "Unpause a pipeline", Class: tools.Write, Level: pipelineActions["unpause"],
			Description: "Lets a paused pipeline start builds again."}, s.toolAct("unpause")),
		tools.New(tools.Spec{Name: "ci_worker_list", Title: "List workers", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Workers with their state, running containers, places, volumes and disk."}, func(ctx context.Context, _ struct{}) (workerList, error) {
			return s.httpWorkers(ctx, api.Nothing{})
		}),
	}
}

type toolResourceIn struct {
	Team     string `json:"team"`
	Pipeline string `json:"pipeline"`
	Resource string `json:"resource"`
}

// resource finds what the caller may use at that level.
func (in toolResourceIn) resource(ctx context.Context, s *Service, level identity.Level) (resourceRow, error) {
	team, err := identity.RequireTeam(ctx, in.Team, scope(level))
	if err != nil {
		return resourceRow{}, err
	}
	p, err := s.pipelineByName(ctx, team.ID, in.Pipeline, "")
	if err != nil {
		return resourceRow{}, err
	}
	r, err := s.resourceByName(ctx, p.ID, in.Resource)
	if problem.Is(err, problem.NotFound) {
		err = problem.New(problem.NotFound, "Pipeline %s has no resource %s.", in.Pipeline, in.Resource)
	}
	return r, err
}

func (s *Service) toolResource(ctx context.Context, in toolResourceIn) (resourceShape, error) {
	r, err := in.resource(ctx, s, identity.Read)
	if err != nil {
		return resourceShape{}, err
	}
	out, err := s.shapeResource(ctx, r)
	// The address holds the token that starts checks, which machines do not need.
	out.WebhookURL = ""
	return out, err
}

type toolVersionsIn struct {
	toolResourceIn
	Offset int `json:"offset,omitempty"`
	Limit  int `json:"limit,omitempty"`
}

func (s *Service) toolVersions(ctx context.Context, in toolVersionsIn) (versionList, error) {
	r, err := in.resource(ctx, s, identity.Read)
	if err != nil {
		return versionList{}, err
	}
	page := versionsIn{ID: r.ID, Offset: in.Offset, Limit: orDefault(in.Limit, 20)}
	if err := page.Validate(); err != nil {
		return versionList{}, err
	}
	return s.httpVersions(ctx, page)
}

type toolPinIn struct {
	toolResourceIn
	Version int64  `json:"version"`
	Comment string `json:"comment,omitempty"`
}

func (s *Service) toolPin(ctx context.Context, in toolPinIn) (resourceShape, error) {
	r, err := in.resource(ctx, s, identity.Operate)
	if err != nil {
		return resourceShape{}, err
	}
	if in.Version == 0 {
		return resourceShape{}, problem.FieldError("version", "say which version")
	}
	if err := s.pinVersion(ctx, r, in.Version, in.Comment); err != nil {
		return resourceShape{}, err
	}
	return s.toolResource(ctx, in.toolResourceIn)
}

func (s *Service) toolUnpin(ctx context.Context, in toolResourceIn) (resourceShape, error) {
	r, err := in.resource(ctx, s, identity.Operate)
	if err != nil {
		return resourceShape{}, err
	}
	if err := s.pinVersion(ctx, r, 0, ""); err != nil {
		return resourceShape{}, err
	}
	return s.toolResource(ctx, in)
}

type toolPipelineIn struct {
	Team     string `json:"team"`
	Pipeline string `json:"pipeline"`
}

type toolPaused struct {
	Pipeline string `json:"pipeline"`
	Paused   bool   `json:"paused"`
}

func (s *Service) toolAct(action string) func(context.Context, toolPipelineIn) (toolPaused, error) {
	return func(ctx context.Context, in toolPipelineIn) (toolPaused, error) {
		team, err := identity.RequireTeam(ctx, in.Team, scope(pipelineActions[action]))
		if err != nil {
			return toolPaused{}, err
		}
		p, err := s.pipelineByName(ctx, team.ID, in.Pipeline, "")
		if err != nil {
			return toolPaused{}, err
		}
		if err := s.changePipeline(ctx, p, action); err != nil {
			return toolPaused{}, err
		}
		return toolPaused{p.label(), action == "pause"}, nil
	}
}
