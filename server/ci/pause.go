package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// pipelineActions are the changes of a pipeline that need no more than its id,
// and the right that each takes.
var pipelineActions = map[string]identity.Level{
	"pause": identity.Operate, "unpause": identity.Operate, "expose": identity.Write, "hide": identity.Write, "archive": identity.Write,
}

// changePipeline does one of pipelineActions.
func (s *Service) changePipeline(ctx context.Context, p pipelineRow, action string) error {
	if action != "archive" && action != "hide" && action != "expose" {
		if err := refuseArchived(p); err != nil {
			return err
		}
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.applyToPipeline(ctx, p, action); err != nil {
			return err
		}
		s.changed(ctx, p.TeamID, topicPipeline, p.ID)
		return s.audit(ctx, p.TeamID, "pipeline."+action, p.label(), "")
	})
}

func (s *Service) applyToPipeline(ctx context.Context, p pipelineRow, action string) error {
	switch action {
	case "pause":
		return s.setPaused(ctx, p.ID, true, callerName(ctx))
	case "unpause":
		if err := s.setPaused(ctx, p.ID, false, ""); err != nil {
			return err
		}
		s.checker.wakeAfter(ctx)
		return s.scheduleAll(ctx, p)
	case "expose":
		return s.setPublic(ctx, p.ID, true)
	case "hide":
		return s.setPublic(ctx, p.ID, false)
	case "archive":
		if err := s.archive(ctx, p.ID); err != nil {
			return err
		}
		return s.archiveAbandoned(ctx)
	}
	return problem.New(problem.NotFound, "A pipeline cannot be asked to %s.", action)
}

// pauseJob pauses a job, or lets it go on.
func (s *Service) pauseJob(ctx context.Context, j jobRow, paused bool) error {
	p, err := s.pipeline(ctx, j.PipelineID)
	if err != nil {
		return err
	}
	if err := refuseArchived(p); err != nil {
		return err
	}
	action := "job.unpause"
	if paused {
		action = "job.pause"
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.setJobPaused(ctx, j.ID, paused, callerName(ctx)); err != nil {
			return err
		}
		s.changed(ctx, j.TeamID, topicJob, j.ID)
		s.changed(ctx, j.TeamID, topicPipeline, j.PipelineID)
		if err := s.audit(ctx, j.TeamID, action, p.label()+"/"+j.Name, ""); err != nil {
			return err
		}
		return s.schedule(ctx, j.PipelineID, []string{j.Name})
	})
}
