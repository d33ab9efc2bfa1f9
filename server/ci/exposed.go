package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// An exposed pipeline is open to anybody: its jobs, the numbers and statuses of
// their builds, its resources and their versions. Steps, plans and logs are shown
// only of jobs that say `public: true`, and metadata of versions only of resources
// that do. The configuration, people's names, comments, causes and the words of
// checks are the team's: all of them can hold what was not meant for strangers.

// exposable guards routes about one pipeline, which ask seen… themselves.
func exposable() api.Access {
	return api.Foreign("exposed pipelines are open to anybody; the others need ci:read in their team")
}

// own reports whether the caller reads the team, and so sees everything.
func own(ctx context.Context, team int64) bool {
	return identity.From(ctx).Can(team, scope(identity.Read))
}

// see lets readers of the team through, and anybody if the pipeline is exposed.
func see(ctx context.Context, p pipelineRow) error {
	if p.Public {
		return nil
	}
	return identity.Require(ctx, p.TeamID, scope(identity.Read))
}

func (s *Service) seenPipeline(ctx context.Context, id int64) (pipelineRow, error) {
	p, err := s.pipeline(ctx, id)
	if err == nil {
		err = see(ctx, p)
	}
	return p, err
}

func (s *Service) seenJob(ctx context.Context, id int64) (jobRow, error) {
	j, err := s.job(ctx, id)
	if err == nil {
		_, err = s.seenPipeline(ctx, j.PipelineID)
	}
	return j, err
}

func (s *Service) seenResource(ctx context.Context, id int64) (resourceRow, error) {
	r, err := s.resource(ctx, id)
	if err == nil {
		_, err = s.seenPipeline(ctx, r.PipelineID)
	}
	return r, err
}

// seenBuild is any build of the team, or of a job of an exposed pipeline: that
// and how it ended.
func (s *Service) seenBuild(ctx context.Context, id int64) (buildRow, error) {
	b, err := s.build(ctx, id)
	if err != nil || own(ctx, b.TeamID) {
		return b, err
	}
	if b.JobID == 0 {
		return b, identity.Require(ctx, b.TeamID, scope(identity.Read))
	}
	_, err = s.seenPipeline(ctx, b.PipelineID)
	return b, err
}

// openBuild is a build whose steps and log the caller may see.
func (s *Service) openBuild(ctx context.Context, id int64) (buildRow, error) {
	b, err := s.seenBuild(ctx, id)
	if err != nil || own(ctx, b.TeamID) {
		return b, err
	}
	public, err := s.publicJob(ctx, b)
	switch {
	case err != nil || public:
		return b, err
	case !identity.From(ctx).SignedIn():
		return b, problem.New(problem.Unauthorized, "Sign in: the job is not public, so only its team sees what happened in its builds.")
	}
	return b, problem.New(problem.Forbidden, "The job is not public, so only its team sees what happened in its builds.")
}

func (s *Service) publicJob(ctx context.Context, b buildRow) (bool, error) {
	_, config, err := s.pipelineConfig(ctx, b.PipelineID)
	if err != nil {
		return false, err
	}
	j, err := s.job(ctx, b.JobID)
	declared, ok := config.Job(j.Name)
	return ok && declared.Public, err
}

// visibleMetadata is what the caller may see of a version's metadata.
func visibleMetadata(ctx context.Context, team int64, config pipeline.Config, name string, fields []resource.Field) []resource.Field {
	if declared, _ := config.Resource(name); own(ctx, team) || declared.Public {
		return fields
	}
	return []resource.Field{}
}

// exposedPipelines keeps what strangers see.
func exposedPipelines(rows []pipelineRow) []pipelineRow {
	var out []pipelineRow
	for _, p := range rows {
		if p.Public {
			out = append(out, p)
		}
	}
	return out
}

// pipelinesOfTeam lists a team's pipelines: all for its readers, the exposed ones
// for others. A team that exposes nothing is as good as none to strangers.
func (s *Service) pipelinesOfTeam(ctx context.Context, name string) ([]pipelineRow, error) {
	team, refused := identity.RequireTeam(ctx, name, scope(identity.Read))
	if refused == nil {
		return s.pipelines(ctx, []int64{team.ID})
	}
	id, err := s.deps.TeamID(ctx, name)
	if problem.Is(err, problem.NotFound) {
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	rows, err := s.pipelines(ctx, []int64{id})
	if rows = exposedPipelines(rows); err == nil && len(rows) == 0 {
		err = refused
	}
	return rows, err
}
