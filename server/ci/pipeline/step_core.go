package pipeline

import (
	"encoding/json"
	"fmt"
)

// GetStep fetches a version of a resource.
type GetStep struct {
	Name     string         `json:"get"`
	Resource string         `json:"resource,omitempty"`
	Version  *VersionConfig `json:"version,omitempty"`
	Params   Params         `json:"params,omitempty"`
	Passed   []string       `json:"passed,omitempty"`
	Trigger  bool           `json:"trigger,omitempty"`
	Tags     Tags           `json:"tags,omitempty"`
	Timeout  string         `json:"timeout,omitempty"`
}

// ResourceName is the resource behind the step, by default the step's own name.
func (s *GetStep) ResourceName() string {
	if s.Resource != "" {
		return s.Resource
	}
	return s.Name
}

// PutStep pushes to a resource and, unless NoGet, fetches what it created.
type PutStep struct {
	Name      string        `json:"put"`
	Resource  string        `json:"resource,omitempty"`
	Params    Params        `json:"params,omitempty"`
	Inputs    *InputsConfig `json:"inputs,omitempty"`
	Tags      Tags          `json:"tags,omitempty"`
	GetParams Params        `json:"get_params,omitempty"`
	Timeout   string        `json:"timeout,omitempty"`
	NoGet     bool          `json:"no_get,omitempty"`
}

// ResourceName is the resource behind the step, by default the step's own name.
func (s *PutStep) ResourceName() string {
	if s.Resource != "" {
		return s.Resource
	}
	return s.Name
}

// TaskStep runs a task from its Config or from the file ConfigPath in an artifact.
type TaskStep struct {
	Name              string            `json:"task"`
	Privileged        bool              `json:"privileged,omitempty"`
	Hermetic          bool              `json:"hermetic,omitempty"`
	ConfigPath        string            `json:"file,omitempty"`
	Limits            *ContainerLimits  `json:"container_limits,omitempty"`
	Config            *TaskConfig       `json:"config,omitempty"`
	Params            TaskEnv           `json:"params,omitempty"`
	Vars              Params            `json:"vars,omitempty"`
	Tags              Tags              `json:"tags,omitempty"`
	InputMapping      map[string]string `json:"input_mapping,omitempty"`
	OutputMapping     map[string]string `json:"output_mapping,omitempty"`
	ImageArtifactName string            `json:"image,omitempty"`
	Timeout           string            `json:"timeout,omitempty"`
}

// RunStep sends a message to a prototype.
type RunStep struct {
	Message    string           `json:"run"`
	Type       string           `json:"type"`
	Params     Params           `json:"params,omitempty"`
	Privileged bool             `json:"privileged,omitempty"`
	Tags       Tags             `json:"tags,omitempty"`
	Limits     *ContainerLimits `json:"container_limits,omitempty"`
	Timeout    string           `json:"timeout,omitempty"`
}

// SetPipelineStep sets a pipeline from a file in an artifact; the name `self`
// means the pipeline that the build belongs to.
type SetPipelineStep struct {
	Name         string       `json:"set_pipeline"`
	File         string       `json:"file,omitempty"`
	Team         string       `json:"team,omitempty"`
	Vars         Params       `json:"vars,omitempty"`
	VarFiles     []string     `json:"var_files,omitempty"`
	InstanceVars InstanceVars `json:"instance_vars,omitempty"`
}

// LoadVarStep reads a file into the local var `((.:name))`.
type LoadVarStep struct {
	Name   string `json:"load_var"`
	File   string `json:"file,omitempty"`
	Format string `json:"format,omitempty"`
	Reveal bool   `json:"reveal,omitempty"`
}

// TryStep turns failure and error of its step into success.
type TryStep struct {
	Step Step `json:"try"`
}

// DoStep runs steps one after the other until one is not successful.
type DoStep struct {
	Steps []Step `json:"do"`
	Tags  Tags   `json:"tags,omitempty"`
}

// InParallelStep runs steps at the same time.
type InParallelStep struct {
	Config InParallelConfig `json:"in_parallel"`
	Tags   Tags             `json:"tags,omitempty"`
}

// InParallelConfig is written as a list or as a mapping with steps, limit and fail_fast.
type InParallelConfig struct {
	Steps    []Step `json:"steps,omitempty"`
	Limit    int    `json:"limit,omitempty"`
	FailFast bool   `json:"fail_fast,omitempty"`
}

// UnmarshalJSON accepts both spellings.
func (c *InParallelConfig) UnmarshalJSON(data []byte) error {
	var shape any
	if err := json.Unmarshal(data, &shape); err != nil {
		return err
	}
	*c = InParallelConfig{}
	switch shape.(type) {
	case []any:
		if err := json.Unmarshal(data, &c.Steps); err != nil {
			return fmt.Errorf("failed to unmarshal parallel steps: %w", err)
		}
	case map[string]any:
		type plain InParallelConfig
		if err := json.Unmarshal(data, (*plain)(c)); err != nil {
			return fmt.Errorf("failed to unmarshal parallel config: %w", err)
		}
	default:
		return fmt.Errorf("wrong type for parallel config: %v", shape)
	}
	return nil
}

func (*GetStep) step()         {}
func (*PutStep) step()         {}
func (*TaskStep) step()        {}
func (*RunStep) step()         {}
func (*SetPipelineStep) step() {}
func (*LoadVarStep) step()     {}
func (*TryStep) step()         {}
func (*DoStep) step()          {}
func (*InParallelStep) step()  {}
