package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// pinVersion makes jobs use one version only; 0 lets them use the latest again.
func (s *Service) pinVersion(ctx context.Context, r resourceRow, version int64, comment string) error {
	p, config, err := s.pipelineConfig(ctx, r.PipelineID)
	if err != nil {
		return err
	}
	if err := refuseArchived(p); err != nil {
		return err
	}
	if declared, _ := config.Resource(r.Name); declared.Version != nil {
		return problem.New(problem.Conflict, "The version of %s is pinned in the pipeline's configuration; change it there.", r.Name)
	}
	if version != 0 {
		v, err := s.version(ctx, version)
		if err != nil || v.ResourceID != r.ID {
			return problem.New(problem.NotFound, "Resource %s has no version %d.", r.Name, version)
		}
	}
	action := "resource.pin"
	if version == 0 {
		action = "resource.unpin"
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.lockPipeline(ctx, r.PipelineID); err != nil {
			return err
		}
		if err := s.pin(ctx, r.ID, version, callerName(ctx), comment); err != nil {
			return err
		}
		if err := s.audit(ctx, r.TeamID, action, p.label()+"/"+r.Name, comment); err != nil {
			return err
		}
		return s.versionsChanged(ctx, r)
	})
}

// enableVersion lets jobs use a version, or not.
func (s *Service) enableVersion(ctx context.Context, r resourceRow, version int64, enabled bool) error {
	v, err := s.version(ctx, version)
	if err != nil || v.ResourceID != r.ID {
		return problem.New(problem.NotFound, "Resource %s has no version %d.", r.Name, version)
	}
	if enabled && v.Withheld == withheldApproval {
		return problem.New(problem.Conflict, "This commit of a fork waits for a member to agree; decide that among the approvals.")
	}
	action := "version.disable"
	if enabled {
		action = "version.enable"
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.lockPipeline(ctx, r.PipelineID); err != nil {
			return err
		}
		if err := s.setEnabled(ctx, v.ID, enabled); err != nil {
			return err
		}
		if err := s.audit(ctx, r.TeamID, action, r.Name, v.Version); err != nil {
			return err
		}
		return s.versionsChanged(ctx, r)
	})
}
