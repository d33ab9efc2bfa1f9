package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/signalbox/signalbox/server/ci/event"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/plan"
)

func (r *run) setPipeline(ctx context.Context, p *plan.Plan, at position) (bool, error) {
	row := StepRecord{Kind: KindSetPipeline, Name: p.SetPipeline.Name}
	return r.leaf(ctx, p, at, row, func(ctx context.Context, l *leaf) (bool, error) {
		l.emit(event.Initialize{Origin: l.origin(), Time: l.unix()})
		if l.build.Untrusted {
			return false, errForkSets
		}
		var step plan.SetPipeline
		if err := at.scope.interpolate(ctx, p.SetPipeline, &step); err != nil {
			return false, err
		}
		if step.Name == "self" {
			step.Name, step.InstanceVars, step.Team = l.build.PipelineName, l.build.InstanceVars, ""
		}
		if complaint := nameComplaint(step); complaint != "" {
			l.stderr().say("ERROR: %s", complaint)
			l.finish(false)
			return false, nil
		}
		request, err := l.pipelineRequest(ctx, step)
		if err != nil {
			return false, err
		}
		l.emit(event.Start{Origin: l.origin(), Time: l.unix()})
		result, err := l.SetPipeline(ctx, request)
		if err != nil {
			return false, err
		}
		return l.pipelineSet(result), nil
	})
}

func nameComplaint(step plan.SetPipeline) string {
	switch {
	case strings.Contains(step.Name, "/"):
		return "pipeline name cannot contain '/'"
	case strings.Contains(step.Team, "/"):
		return "team name cannot contain '/'"
	}
	return ""
}

func (l *leaf) pipelineRequest(ctx context.Context, step plan.SetPipeline) (SetPipelineRequest, error) {
	request := SetPipelineRequest{Build: l.build, Team: step.Team, Name: step.Name, InstanceVars: step.InstanceVars}
	if step.File == "" {
		return request, errors.New("file is not specified")
	}
	var err error
	if request.Config, err = l.pipelineFile(ctx, step.File); err != nil {
		return request, err
	}
	request.Vars = append(request.Vars, nonNil(step.InstanceVars), nonNil(pipeline.InstanceVars(step.Vars)))
	for _, file := range step.VarFiles {
		data, err := l.pipelineFile(ctx, file)
		if err != nil {
			return request, err
		}
		values := map[string]any{}
		if err := parseYAML(data, &values); err != nil {
			return request, fmt.Errorf("read var file '%s': %w", file, err)
		}
		request.Vars = append(request.Vars, values)
	}
	return request, nil
}

func nonNil(values pipeline.InstanceVars) map[string]any {
	if values == nil {
		return map[string]any{}
	}
	return values
}

func (l *leaf) pipelineFile(ctx context.Context, file string) ([]byte, error) {
	name, path, ok := strings.Cut(file, "/")
	if !ok {
		return nil, fmt.Errorf("config path '%s' does not specify where the file lives", file)
	}
	return l.readArtifact(ctx, l.at.scope, name, path)
}

func (l *leaf) pipelineSet(result SetPipelineResult) bool {
	for _, warning := range result.Warnings {
		l.stderr().say("%s", strings.TrimSuffix(warning, "\n"))
	}
	if len(result.Invalid) > 0 {
		l.stderr().say("invalid pipeline:")
		for _, message := range result.Invalid {
			l.stderr().say("- %s", message)
		}
		l.finish(false)
		return false
	}
	if result.Output != "" {
		l.stdout().say("%s", strings.TrimSuffix(result.Output, "\n"))
	}
	l.emit(event.SetPipelineChanged{Origin: l.origin(), Changed: result.Changed})
	l.finish(true)
	return true
}
