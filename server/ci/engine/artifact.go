package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/signalbox/signalbox/server/ci/plan"
)

// artifactInput registers a directory that `fly execute` uploaded.
func (r *run) artifactInput(ctx context.Context, p *plan.Plan, at position) (bool, error) {
	step := p.ArtifactInput
	row := StepRecord{Kind: KindArtifactInput, Name: step.Name}
	return r.leaf(ctx, p, at, row, func(ctx context.Context, l *leaf) (bool, error) {
		volume, found, err := l.Ledger.Artifact(ctx, l.build.TeamID, step.ArtifactID)
		if err != nil {
			return false, l.ledgerError(ctx, "find an artifact", err)
		}
		if !found {
			return false, fmt.Errorf("volume for worker artifact '%s' not found", step.Name)
		}
		l.row.Volumes = []StepVolume{{ID: volume, Role: RoleResource, Name: step.Name}}
		at.scope.register(step.Name, artifact{Volume: volume})
		return true, nil
	})
}

// artifactOutput keeps a directory for `fly execute -o` to download.
func (r *run) artifactOutput(ctx context.Context, p *plan.Plan, at position) (bool, error) {
	name := p.ArtifactOutput.Name
	row := StepRecord{Kind: KindArtifactOutput, Name: name}
	return r.leaf(ctx, p, at, row, func(ctx context.Context, l *leaf) (bool, error) {
		found, ok := at.scope.artifact(name)
		if !ok {
			return false, fmt.Errorf("artifact '%s' not found", name)
		}
		l.row.Volumes = []StepVolume{{ID: found.Volume, Role: RoleInput, Name: name}}
		err := l.must("save an artifact", l.Ledger.SaveArtifact(l.base, l.build.ID, name, found.Volume))
		return err == nil, err
	})
}

// prototype answers for run steps, which Concourse calls experimental.
func (r *run) prototype(ctx context.Context, p *plan.Plan, at position) (bool, error) {
	row := StepRecord{Kind: KindRun, Name: p.Run.Message}
	return r.leaf(ctx, p, at, row, func(context.Context, *leaf) (bool, error) {
		return false, errors.New("run steps and prototypes are not supported by this server: use a task or a resource type")
	})
}
