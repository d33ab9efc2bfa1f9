package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Step is one element of a plan: the outermost modifier, or the core step
// itself when there is none. UnknownFields are keys that no part of the step
// claimed; validation reports them.
type Step struct {
	Config        StepConfig
	UnknownFields map[string]json.RawMessage
}

// StepConfig is a closed set: the types of this package whose names end in Step.
type StepConfig interface{ step() }

// Modifier is a step that wraps another step written in the same mapping, as
// `attempts:` or `ensure:` do.
type Modifier interface {
	StepConfig
	Inner() StepConfig
	setInner(StepConfig)
}

var (
	// ErrNoStep means that a mapping has no key that starts a step.
	ErrNoStep = errors.New("no step configured")
	// ErrNoCoreStep means that a mapping has modifiers only.
	ErrNoCoreStep = errors.New("no core step type declared (e.g. get, put, task, etc.)")
)

// stepKind ties a key to its step type.
type stepKind struct {
	key  string
	make func() StepConfig
}

// stepKinds is in the order in which Concourse claims keys, outermost first.
// timeout comes after the steps that have a timeout of their own.
var stepKinds = []stepKind{
	{"ensure", func() StepConfig { return new(EnsureStep) }},
	{"on_error", func() StepConfig { return new(OnErrorStep) }},
	{"on_abort", func() StepConfig { return new(OnAbortStep) }},
	{"on_failure", func() StepConfig { return new(OnFailureStep) }},
	{"on_success", func() StepConfig { return new(OnSuccessStep) }},
	{"across", func() StepConfig { return new(AcrossStep) }},
	{"attempts", func() StepConfig { return new(RetryStep) }},
	{"run", func() StepConfig { return new(RunStep) }},
	{"task", func() StepConfig { return new(TaskStep) }},
	{"put", func() StepConfig { return new(PutStep) }},
	{"get", func() StepConfig { return new(GetStep) }},
	{"timeout", func() StepConfig { return new(TimeoutStep) }},
	{"set_pipeline", func() StepConfig { return new(SetPipelineStep) }},
	{"load_var", func() StepConfig { return new(LoadVarStep) }},
	{"try", func() StepConfig { return new(TryStep) }},
	{"do", func() StepConfig { return new(DoStep) }},
	{"in_parallel", func() StepConfig { return new(InParallelStep) }},
}

// UnmarshalJSON peels one step type after the other off the mapping.
func (s *Step) UnmarshalJSON(data []byte) error {
	var left map[string]json.RawMessage
	if err := json.Unmarshal(data, &left); err != nil {
		return err
	}
	*s = Step{}
	var outer Modifier
	for _, kind := range stepKinds {
		if _, ok := left[kind.key]; !ok {
			continue
		}
		cfg := kind.make()
		if err := claim(left, cfg); err != nil {
			return fmt.Errorf("malformed %s step: %w", kind.key, err)
		}
		if s.Config == nil {
			s.Config = cfg
		}
		if outer != nil {
			outer.setInner(cfg)
		}
		mod, wraps := cfg.(Modifier)
		if !wraps {
			if len(left) > 0 {
				s.UnknownFields = left
			}
			return nil
		}
		outer = mod
	}
	if s.Config == nil {
		return ErrNoStep
	}
	return ErrNoCoreStep
}

// MarshalJSON writes the mapping that UnmarshalJSON read.
func (s Step) MarshalJSON() ([]byte, error) {
	fields := map[string]json.RawMessage{}
	for name, value := range s.UnknownFields {
		fields[name] = value
	}
	for cfg := s.Config; cfg != nil; {
		payload, err := json.Marshal(cfg)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(payload, &fields); err != nil {
			return nil, err
		}
		mod, wraps := cfg.(Modifier)
		if !wraps {
			break
		}
		cfg = mod.Inner()
	}
	return json.Marshal(fields)
}

// claim decodes into target the fields that it declares and removes them from left.
func claim(left map[string]json.RawMessage, target any) error {
	mine := map[string]json.RawMessage{}
	for _, name := range jsonFields(target) {
		if value, ok := left[name]; ok {
			mine[name] = value
			delete(left, name)
		}
	}
	payload, err := json.Marshal(mine)
	if err != nil {
		return err
	}
	return json.Unmarshal(payload, target)
}

// jsonFields lists the JSON names of the struct that target points to.
func jsonFields(target any) []string {
	t := reflect.TypeOf(target).Elem()
	names := make([]string, 0, t.NumField())
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}
