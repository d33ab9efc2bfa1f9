package ci

import (
	"context"
	"strconv"

	"github.com/signalbox/signalbox/server/ci/engine"
)

// The topics of the live stream. Their ids are the things' ids.
const (
	topicPipeline = "ci.pipeline"
	topicJob      = "ci.job"
	topicBuild    = "ci.build"
	topicResource = "ci.resource"
)

// changed tells browsers, after the commit. A page that is not told is stale
// until its next look, so a failure is logged and nothing more.
func (s *Service) changed(ctx context.Context, team int64, topic string, id int64) {
	if s.deps.Publish == nil || id == 0 {
		return
	}
	if err := s.deps.Publish(ctx, team, topic, strconv.FormatInt(id, 10)); err != nil {
		s.deps.Log.WarnContext(ctx, "telling the browsers failed", "topic", topic, "id", id, "error", err)
	}
}

// buildChanged tells the pages of the build, its job and its pipeline.
func (s *Service) buildChanged(ctx context.Context, b buildRow) {
	s.changed(ctx, b.TeamID, topicBuild, b.ID)
	s.changed(ctx, b.TeamID, topicJob, b.JobID)
	s.changed(ctx, b.TeamID, topicPipeline, b.PipelineID)
	if b.JobID == 0 {
		s.changed(ctx, b.TeamID, topicResource, b.ResourceID)
	}
}

func (s *Service) stepChanged(ctx context.Context, step engine.StepRecord) {
	team, err := s.teamOfBuild(ctx, step.BuildID)
	if err != nil || team == 0 {
		return
	}
	s.changed(ctx, team, topicBuild, step.BuildID)
}

func (s *Service) resourceChanged(ctx context.Context, r resourceRow) {
	s.changed(ctx, r.TeamID, topicResource, r.ID)
	s.changed(ctx, r.TeamID, topicPipeline, r.PipelineID)
}

// audit records who did what; in the same transaction where there is one.
func (s *Service) audit(ctx context.Context, team int64, action, object, detail string) error {
	if s.deps.Audit == nil {
		return nil
	}
	return s.deps.Audit(ctx, team, "ci."+action, object, detail)
}

func (s *Service) publicURL() string {
	if s.deps.PublicURL == nil {
		return ""
	}
	return s.deps.PublicURL()
}

func (s *Service) teamName(ctx context.Context, id int64) (string, error) {
	if s.deps.TeamName == nil {
		return strconv.FormatInt(id, 10), nil
	}
	return s.deps.TeamName(ctx, id)
}
