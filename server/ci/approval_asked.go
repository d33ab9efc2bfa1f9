package ci

import (
	"context"
	"time"
)

// ApprovalAsked is told to OnApprovalAsked hooks.
type ApprovalAsked struct {
	Team int64
	// Pipeline and Job are empty for what was executed without them.
	Pipeline, Job, Build string
	// StartedBy is who started the build by hand, else "".
	StartedBy string
	Approvers []string
	ExpiresAt time.Time
	// URL leads to the build's page.
	URL string
}

func (s *Service) tellAsked(ctx context.Context, b buildRow, row approvalRow) error {
	if s.deps.OnApprovalAsked == nil {
		return nil
	}
	described, err := s.describeOwner(ctx, b.TeamID, b.PipelineID)
	if err != nil {
		return err
	}
	job, err := s.names().jobName(ctx, b.JobID)
	if err != nil {
		return err
	}
	asked := ApprovalAsked{Team: b.TeamID, Pipeline: described.PipelineName, Job: job, Build: b.Name, StartedBy: b.CreatedBy,
		Approvers: row.approvers(), ExpiresAt: row.ExpiresAt.Time(), URL: s.publicURL() + "/builds/" + formatInt(b.ID)}
	if b.JobID != 0 {
		asked.URL = s.buildPage(described.TeamName, described.PipelineName, described.InstanceVars, job, b.Name)
	}
	return s.deps.OnApprovalAsked(ctx, asked)
}
