package plan

import (
	"encoding/json"
	"fmt"

	"github.com/signalbox/signalbox/server/ci/pipeline"
)

// JobInputs is what FromJob needs beside the pipeline.
type JobInputs struct {
	// Versions are the resolved versions by the name of the get step.
	Versions map[string]pipeline.Version
	// Manual is true when somebody triggered the build: images are then checked anew.
	Manual bool
}

// FromJob makes the plan of a build of the job. Its errors are sentences for the
// build page: a resource that is gone, an input without a version.
func FromJob(job pipeline.Job, config pipeline.Config, inputs JobInputs) (Plan, error) {
	p := planner{
		factory:  factory{types: config.ResourceTypes, manual: inputs.Manual},
		config:   config,
		versions: inputs.Versions,
		tags:     job.Tags,
	}
	return p.step(job.Step())
}

type planner struct {
	factory
	config   pipeline.Config
	versions map[string]pipeline.Version
	// tags are those of the enclosing job, do or in_parallel; a step's own win.
	tags pipeline.Tags
}

func (p *planner) step(config pipeline.StepConfig) (Plan, error) {
	switch s := config.(type) {
	case *pipeline.GetStep:
		return p.get(s)
	case *pipeline.PutStep:
		return p.put(s)
	case *pipeline.TaskStep:
		return p.task(s), nil
	case *pipeline.RunStep:
		return p.run(s)
	case *pipeline.SetPipelineStep:
		return Plan{ID: p.id(), SetPipeline: &SetPipeline{
			Name: s.Name, File: s.File, Team: s.Team,
			Vars: s.Vars, VarFiles: s.VarFiles, InstanceVars: s.InstanceVars,
		}}, nil
	case *pipeline.LoadVarStep:
		return Plan{ID: p.id(), LoadVar: &LoadVar{Name: s.Name, File: s.File, Format: s.Format, Reveal: s.Reveal}}, nil
	case *pipeline.DoStep:
		steps, err := p.tagged(s.Tags, s.Steps)
		do := Do(steps)
		return Plan{ID: p.id(), Do: &do}, err
	case *pipeline.InParallelStep:
		steps, err := p.tagged(s.Tags, s.Config.Steps)
		return Plan{ID: p.id(), InParallel: &InParallel{Steps: steps, Limit: s.Config.Limit, FailFast: s.Config.FailFast}}, err
	case *pipeline.TryStep:
		inner, err := p.step(s.Step.Config)
		return Plan{ID: p.id(), Try: &Try{Step: inner}}, err
	}
	return p.modifier(config)
}

func (p *planner) modifier(config pipeline.StepConfig) (Plan, error) {
	switch s := config.(type) {
	case *pipeline.TimeoutStep:
		inner, err := p.step(s.Step)
		return Plan{ID: p.id(), Timeout: &Timeout{Step: inner, Duration: s.Duration}}, err
	case *pipeline.RetryStep:
		return p.retry(s)
	case *pipeline.AcrossStep:
		return p.across(s)
	case *pipeline.OnSuccessStep:
		step, next, err := p.hooked(s.Step, s.Hook)
		return Plan{ID: p.id(), OnSuccess: &OnSuccess{Step: step, Next: next}}, err
	case *pipeline.OnFailureStep:
		step, next, err := p.hooked(s.Step, s.Hook)
		return Plan{ID: p.id(), OnFailure: &OnFailure{Step: step, Next: next}}, err
	case *pipeline.OnErrorStep:
		step, next, err := p.hooked(s.Step, s.Hook)
		return Plan{ID: p.id(), OnError: &OnError{Step: step, Next: next}}, err
	case *pipeline.OnAbortStep:
		step, next, err := p.hooked(s.Step, s.Hook)
		return Plan{ID: p.id(), OnAbort: &OnAbort{Step: step, Next: next}}, err
	case *pipeline.EnsureStep:
		step, next, err := p.hooked(s.Step, s.Hook)
		return Plan{ID: p.id(), Ensure: &Ensure{Step: step, Next: next}}, err
	}
	return Plan{}, fmt.Errorf("no plan for a step of type %T", config)
}

func (p *planner) hooked(step pipeline.StepConfig, hook pipeline.Step) (inner, next Plan, err error) {
	if inner, err = p.step(step); err != nil {
		return inner, next, err
	}
	next, err = p.step(hook.Config)
	return inner, next, err
}

func (p *planner) tagged(tags pipeline.Tags, steps []pipeline.Step) ([]Plan, error) {
	outer := p.tags
	p.tags = p.effective(tags)
	defer func() { p.tags = outer }()
	plans := make([]Plan, 0, len(steps))
	for _, s := range steps {
		plan, err := p.step(s.Config)
		if err != nil {
			return nil, err
		}
		plans = append(plans, plan)
	}
	return plans, nil
}

func (p *planner) effective(tags pipeline.Tags) pipeline.Tags {
	if len(tags) > 0 {
		return tags
	}
	return p.tags
}

func (p *planner) resource(name string) (pipeline.Resource, error) {
	found, ok := p.config.Resource(name)
	if !ok {
		return found, fmt.Errorf("unknown resource: %s", name)
	}
	found.Source = withDefaults(found.Source, found.Type, p.types)
	return found, nil
}

func (p *planner) get(s *pipeline.GetStep) (Plan, error) {
	resource, err := p.resource(s.ResourceName())
	if err != nil {
		return Plan{}, err
	}
	version, ok := p.versions[s.Name]
	if !ok {
		return Plan{}, fmt.Errorf("version for input %s not provided", s.Name)
	}
	tags := p.effective(s.Tags)
	plan := Plan{ID: p.id()}
	plan.Get = &Get{
		Name: s.Name, Type: resource.Type, Source: resource.Source, Resource: resource.Name,
		Params: s.Params, Version: &version, Tags: tags, Timeout: s.Timeout,
		TypeImage: imageForType(plan.ID, resource.Type, p.types, tags, false),
	}
	return plan, nil
}

// put is followed by a get of what it created, so that later steps can use it.
func (p *planner) put(s *pipeline.PutStep) (Plan, error) {
	resource, err := p.resource(s.ResourceName())
	if err != nil {
		return Plan{}, err
	}
	tags := p.effective(s.Tags)
	put := Plan{ID: p.id()}
	put.Put = &Put{
		Name: s.Name, Type: resource.Type, Source: resource.Source, Resource: resource.Name,
		Params: s.Params, Inputs: s.Inputs, Tags: tags, Timeout: s.Timeout,
		ExposeBuildCreatedBy: resource.ExposeBuildCreatedBy,
		TypeImage:            imageForType(put.ID, resource.Type, p.types, tags, p.manual),
	}
	if s.NoGet {
		return put, nil
	}
	get := Plan{ID: p.id()}
	get.Get = &Get{
		Name: s.Name, Type: resource.Type, Source: resource.Source, Resource: resource.Name,
		Params: s.GetParams, VersionFrom: &put.ID, Tags: tags, Timeout: s.Timeout,
		TypeImage: imageForType(get.ID, resource.Type, p.types, tags, p.manual),
	}
	return Plan{ID: p.id(), OnSuccess: &OnSuccess{Step: put, Next: get}}, nil
}

func (p *planner) task(s *pipeline.TaskStep) Plan {
	return Plan{ID: p.id(), Task: &Task{
		Name: s.Name, Privileged: s.Privileged, Hermetic: s.Hermetic, Tags: p.effective(s.Tags),
		ConfigPath: s.ConfigPath, Config: s.Config, Limits: s.Limits, ImageArtifact: s.ImageArtifactName,
		Vars: s.Vars, Params: s.Params, InputMapping: s.InputMapping, OutputMapping: s.OutputMapping,
		Timeout: s.Timeout, ResourceTypes: p.types, CheckSkipInterval: p.manual,
	}}
}

func (p *planner) run(s *pipeline.RunStep) (Plan, error) {
	prototype, ok := p.config.Prototype(s.Type)
	if !ok {
		return Plan{}, fmt.Errorf("unknown prototype: %s", s.Type)
	}
	return Plan{ID: p.id(), Run: &Run{
		Message: s.Message, Type: s.Type, Object: pipeline.Params(prototype.Defaults.Merge(pipeline.Source(s.Params))),
		Privileged: s.Privileged, Tags: p.effective(s.Tags), Limits: s.Limits, Timeout: s.Timeout,
	}}, nil
}

// retry plans the step once for each attempt, so that every attempt has its own rows.
func (p *planner) retry(s *pipeline.RetryStep) (Plan, error) {
	attempts := make(Retry, 0, s.Attempts)
	for range s.Attempts {
		plan, err := p.step(s.Step)
		if err != nil {
			return Plan{}, err
		}
		attempts = append(attempts, plan)
	}
	return Plan{ID: p.id(), Retry: &attempts}, nil
}

func (p *planner) across(s *pipeline.AcrossStep) (Plan, error) {
	inner, err := p.step(s.Step)
	if err != nil {
		return Plan{}, err
	}
	template, err := json.Marshal(inner)
	if err != nil {
		return Plan{}, fmt.Errorf("encode the step below across: %w", err)
	}
	dimensions := make([]AcrossVar, len(s.Vars))
	for i, v := range s.Vars {
		dimensions[i] = AcrossVar(v)
	}
	return Plan{ID: p.id(), Across: &Across{Vars: dimensions, Template: string(template), FailFast: s.FailFast}}, nil
}
