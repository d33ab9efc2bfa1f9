package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func scope(level identity.Level) identity.Scope {
	return identity.Scope{Capability: "ci", Level: level}
}

// The …For methods load a row and check that the caller holds the level in its team.

func (s *Service) pipelineFor(ctx context.Context, id int64, level identity.Level) (pipelineRow, error) {
	row, err := s.pipeline(ctx, id)
	if err == nil {
		err = identity.Require(ctx, row.TeamID, scope(level))
	}
	return row, err
}

func (s *Service) jobFor(ctx context.Context, id int64, level identity.Level) (jobRow, error) {
	row, err := s.job(ctx, id)
	if err == nil {
		err = identity.Require(ctx, row.TeamID, scope(level))
	}
	return row, err
}

func (s *Service) resourceFor(ctx context.Context, id int64, level identity.Level) (resourceRow, error) {
	row, err := s.resource(ctx, id)
	if err == nil {
		err = identity.Require(ctx, row.TeamID, scope(level))
	}
	return row, err
}

func (s *Service) buildFor(ctx context.Context, id int64, level identity.Level) (buildRow, error) {
	row, err := s.build(ctx, id)
	if err == nil {
		err = identity.Require(ctx, row.TeamID, scope(level))
	}
	return row, err
}

func (s *Service) pipelineConfig(ctx context.Context, id int64) (pipelineRow, pipeline.Config, error) {
	p, err := s.pipeline(ctx, id)
	if err != nil {
		return p, pipeline.Config{}, err
	}
	config, err := s.configs.of(p)
	return p, config, err
}

// refuseArchived is in Concourse's words.
func refuseArchived(p pipelineRow) error {
	if p.Archived {
		return problem.New(problem.Conflict, "action not allowed for an archived pipeline")
	}
	return nil
}
