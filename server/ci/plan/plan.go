package plan

import (
	"github.com/signalbox/signalbox/server/ci/pipeline"
)

// ID names a plan within its build. Rows, events and containers refer to it.
type ID string

// Plan is one node. Exactly one of the pointers is set.
type Plan struct {
	ID ID `json:"id"`
	// Attempts is the path of attempts that leads here; the engine sets it.
	Attempts []int `json:"attempts,omitempty"`

	Get         *Get         `json:"get,omitempty"`
	Put         *Put         `json:"put,omitempty"`
	Check       *Check       `json:"check,omitempty"`
	Task        *Task        `json:"task,omitempty"`
	Run         *Run         `json:"run,omitempty"`
	SetPipeline *SetPipeline `json:"set_pipeline,omitempty"`
	LoadVar     *LoadVar     `json:"load_var,omitempty"`

	Do         *Do         `json:"do,omitempty"`
	InParallel *InParallel `json:"in_parallel,omitempty"`
	Across     *Across     `json:"across,omitempty"`

	OnSuccess *OnSuccess `json:"on_success,omitempty"`
	OnFailure *OnFailure `json:"on_failure,omitempty"`
	OnAbort   *OnAbort   `json:"on_abort,omitempty"`
	OnError   *OnError   `json:"on_error,omitempty"`
	Ensure    *Ensure    `json:"ensure,omitempty"`

	Try     *Try     `json:"try,omitempty"`
	Timeout *Timeout `json:"timeout,omitempty"`
	Retry   *Retry   `json:"retry,omitempty"`

	ArtifactInput  *ArtifactInput  `json:"artifact_input,omitempty"`
	ArtifactOutput *ArtifactOutput `json:"artifact_output,omitempty"`
}

// TypeImage says where the program of a resource type comes from. Without Get the
// type is one of the server's own and BaseType names it.
type TypeImage struct {
	// Check finds the image's version, then Get fetches it.
	Check *Plan `json:"check_plan,omitempty"`
	Get   *Plan `json:"get_plan,omitempty"`
	// BaseType is the type at the bottom of the chain.
	BaseType   string `json:"base_type,omitempty"`
	Privileged bool   `json:"privileged,omitempty"`
}

// Get fetches a version of a resource as an artifact.
type Get struct {
	Name      string          `json:"name,omitempty"`
	Type      string          `json:"type"`
	Source    pipeline.Source `json:"source"`
	TypeImage TypeImage       `json:"image"`
	// Version is fixed, or taken from the result of the plan VersionFrom.
	Version     *pipeline.Version `json:"version,omitempty"`
	VersionFrom *ID               `json:"version_from,omitempty"`
	Params      pipeline.Params   `json:"params,omitempty"`
	// Resource is the pipeline's resource, whose version gets the metadata.
	Resource string        `json:"resource,omitempty"`
	Tags     pipeline.Tags `json:"tags,omitempty"`
	// Timeout bounds the fetching, not that of the type's image.
	Timeout string `json:"timeout,omitempty"`
}

// Put publishes and yields a version.
type Put struct {
	Name      string          `json:"name"`
	Type      string          `json:"type"`
	Source    pipeline.Source `json:"source"`
	TypeImage TypeImage       `json:"image"`
	Params    pipeline.Params `json:"params,omitempty"`
	// Inputs nil means detect.
	Inputs               *pipeline.InputsConfig `json:"inputs,omitempty"`
	Resource             string                 `json:"resource,omitempty"`
	Tags                 pipeline.Tags          `json:"tags,omitempty"`
	Timeout              string                 `json:"timeout,omitempty"`
	ExposeBuildCreatedBy bool                   `json:"expose_build_created_by,omitempty"`
}

// Check finds versions.
type Check struct {
	Name      string          `json:"name"`
	Type      string          `json:"type"`
	Source    pipeline.Source `json:"source"`
	TypeImage TypeImage       `json:"image"`
	// FromVersion nil means from the latest known.
	FromVersion pipeline.Version `json:"from_version,omitempty"`
	// At most one of these is set; none for the image of a task.
	Resource     string `json:"resource,omitempty"`
	ResourceType string `json:"resource_type,omitempty"`
	Prototype    string `json:"prototype,omitempty"`
	// Interval in which a check is not repeated, unless SkipInterval.
	Interval     pipeline.CheckEvery `json:"interval,omitzero"`
	SkipInterval bool                `json:"skip_interval,omitempty"`
	Timeout      string              `json:"timeout,omitempty"`
	Tags         pipeline.Tags       `json:"tags,omitempty"`
}

// Task runs a program in a container.
type Task struct {
	Name       string        `json:"name"`
	Privileged bool          `json:"privileged"`
	Hermetic   bool          `json:"hermetic"`
	Tags       pipeline.Tags `json:"tags,omitempty"`
	// Config, or the file in an artifact that it is read from.
	ConfigPath string                    `json:"config_path,omitempty"`
	Config     *pipeline.TaskConfig      `json:"config,omitempty"`
	Limits     *pipeline.ContainerLimits `json:"container_limits,omitempty"`
	// ImageArtifact overrides the image of the config.
	ImageArtifact string            `json:"image,omitempty"`
	Vars          pipeline.Params   `json:"vars,omitempty"`
	Params        pipeline.TaskEnv  `json:"params,omitempty"`
	InputMapping  map[string]string `json:"input_mapping,omitempty"`
	OutputMapping map[string]string `json:"output_mapping,omitempty"`
	Timeout       string            `json:"timeout,omitempty"`
	// ResourceTypes are those the image_resource may use.
	ResourceTypes     []pipeline.ResourceType `json:"resource_types,omitempty"`
	CheckSkipInterval bool                    `json:"check_skip_interval,omitempty"`
}

// Run sends a message to a prototype.
type Run struct {
	Message    string                    `json:"message"`
	Type       string                    `json:"type"`
	Object     pipeline.Params           `json:"object,omitempty"`
	Privileged bool                      `json:"privileged"`
	Tags       pipeline.Tags             `json:"tags,omitempty"`
	Limits     *pipeline.ContainerLimits `json:"container_limits,omitempty"`
	Timeout    string                    `json:"timeout,omitempty"`
}

// SetPipeline sets a pipeline from files in artifacts.
type SetPipeline struct {
	Name         string                `json:"name"`
	File         string                `json:"file"`
	Team         string                `json:"team,omitempty"`
	Vars         pipeline.Params       `json:"vars,omitempty"`
	VarFiles     []string              `json:"var_files,omitempty"`
	InstanceVars pipeline.InstanceVars `json:"instance_vars,omitempty"`
}

// LoadVar makes a local var from a file in an artifact.
type LoadVar struct {
	Name   string `json:"name"`
	File   string `json:"file"`
	Format string `json:"format,omitempty"`
	Reveal bool   `json:"reveal,omitempty"`
}

// Do runs plans one after the other.
type Do []Plan

// InParallel runs plans at the same time. Limit 0 is no limit.
type InParallel struct {
	Steps    []Plan `json:"steps"`
	Limit    int    `json:"limit,omitempty"`
	FailFast bool   `json:"fail_fast,omitempty"`
}

// Across runs a plan once for each combination of values.
type Across struct {
	Vars []AcrossVar `json:"vars"`
	// Template is the JSON of the plan with ((.:vars)) in it; the ids are replaced for
	// each combination.
	Template string `json:"substep_template"`
	FailFast bool   `json:"fail_fast,omitempty"`
}

// AcrossVar is one dimension; Values is a list or one ((var)).
type AcrossVar struct {
	Var         string                `json:"name"`
	Values      any                   `json:"values,omitempty"`
	MaxInFlight *pipeline.MaxInFlight `json:"max_in_flight,omitempty"`
}

// Scoped is one combination of an across: its plan and its values.
type Scoped struct {
	Step   Plan  `json:"step"`
	Values []any `json:"values"`
}

// OnSuccess runs Next when Step is ok; the result is Next's.
type OnSuccess struct {
	Step Plan `json:"step"`
	Next Plan `json:"on_success"`
}

// OnFailure runs Next when Step failed.
type OnFailure struct {
	Step Plan `json:"step"`
	Next Plan `json:"on_failure"`
}

// OnAbort runs Next when Step was aborted.
type OnAbort struct {
	Step Plan `json:"step"`
	Next Plan `json:"on_abort"`
}

// OnError runs Next when Step errored.
type OnError struct {
	Step Plan `json:"step"`
	Next Plan `json:"on_error"`
}

// Ensure runs Next however Step ended.
type Ensure struct {
	Step Plan `json:"step"`
	Next Plan `json:"ensure"`
}

// Try makes failed and errored ok.
type Try struct {
	Step Plan `json:"step"`
}

// Timeout fails Step when it takes longer than Duration.
type Timeout struct {
	Step     Plan   `json:"step"`
	Duration string `json:"duration"`
}

// Retry holds one plan for each attempt.
type Retry []Plan

// ArtifactInput registers what `fly execute` uploaded.
type ArtifactInput struct {
	ArtifactID int64  `json:"artifact_id"`
	Name       string `json:"name"`
}

// ArtifactOutput offers an artifact for download.
type ArtifactOutput struct {
	Name string `json:"name"`
}

// Each calls visit for the plan and everything below it, parents first, plans of
// images included. Templates of across are text and not entered.
func (p *Plan) Each(visit func(*Plan)) {
	visit(p)
	for _, child := range p.children() {
		child.Each(visit)
	}
}

func (p *Plan) children() []*Plan {
	switch {
	case p.Do != nil:
		return pointers(*p.Do)
	case p.InParallel != nil:
		return pointers(p.InParallel.Steps)
	case p.Retry != nil:
		return pointers(*p.Retry)
	case p.OnSuccess != nil:
		return []*Plan{&p.OnSuccess.Step, &p.OnSuccess.Next}
	case p.OnFailure != nil:
		return []*Plan{&p.OnFailure.Step, &p.OnFailure.Next}
	case p.OnAbort != nil:
		return []*Plan{&p.OnAbort.Step, &p.OnAbort.Next}
	case p.OnError != nil:
		return []*Plan{&p.OnError.Step, &p.OnError.Next}
	case p.Ensure != nil:
		return []*Plan{&p.Ensure.Step, &p.Ensure.Next}
	case p.Try != nil:
		return []*Plan{&p.Try.Step}
	case p.Timeout != nil:
		return []*Plan{&p.Timeout.Step}
	case p.Get != nil:
		return p.Get.TypeImage.plans()
	case p.Put != nil:
		return p.Put.TypeImage.plans()
	case p.Check != nil:
		return p.Check.TypeImage.plans()
	}
	return nil
}

func (i TypeImage) plans() []*Plan {
	var plans []*Plan
	if i.Check != nil {
		plans = append(plans, i.Check)
	}
	if i.Get != nil {
		plans = append(plans, i.Get)
	}
	return plans
}

func pointers(plans []Plan) []*Plan {
	list := make([]*Plan, len(plans))
	for i := range plans {
		list[i] = &plans[i]
	}
	return list
}
