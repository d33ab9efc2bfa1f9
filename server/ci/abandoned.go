package ci

import "context"

// archiveAbandoned archives the pipelines that set_pipeline steps made and no step
// makes any more: their step is gone from the parent job's last successful build,
// or the job or its pipeline is gone or archived. What has children in its turn
// takes them along. Pipelines that a person set last belong to no step.
func (s *Service) archiveAbandoned(ctx context.Context) error {
	for {
		rows, err := s.abandonedPipelines(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, p := range rows {
			if err := s.archive(ctx, p.ID); err != nil {
				return err
			}
			s.changed(ctx, p.TeamID, topicPipeline, p.ID)
			if err := s.audit(ctx, p.TeamID, "pipeline.archive", p.label(), "no step sets it any more"); err != nil {
				return err
			}
		}
	}
}

// sweepAbandoned catches what a change made in a former version of this program, or a restore, left behind.
func (s *Service) sweepAbandoned(ctx context.Context) error {
	return s.db.Tx(ctx, s.archiveAbandoned)
}

// keepParent is what a pipeline that sets itself remains: the child of whoever made it.
func (r setRequest) keepParent(row pipelineRow) (job, build int64) {
	if r.Self {
		return row.ParentJobID, row.ParentBuildID
	}
	return r.Parent.JobID, r.Parent.ID
}
