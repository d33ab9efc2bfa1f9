package pipeline

import (
	"bytes"
	"encoding/json"
)

// AcrossStep runs its step once for each combination of values; the last var
// is the innermost.
type AcrossStep struct {
	Step     StepConfig  `json:"-"`
	Vars     []AcrossVar `json:"across"`
	FailFast bool        `json:"fail_fast,omitempty"`
}

// AcrossVar is one dimension. Values is a list, or one `((var))` that becomes
// a list when the build runs.
type AcrossVar struct {
	Var         string       `json:"var"`
	Values      any          `json:"values,omitempty"`
	MaxInFlight *MaxInFlight `json:"max_in_flight,omitempty"`
}

// UnmarshalJSON refuses unknown keys.
func (v *AcrossVar) UnmarshalJSON(data []byte) error {
	type plain AcrossVar
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return decoder.Decode((*plain)(v))
}

// RetryStep runs its step again until it succeeds or attempts are used up.
type RetryStep struct {
	Step     StepConfig `json:"-"`
	Attempts int        `json:"attempts"`
}

// TimeoutStep limits a composite step. Duration stays text because it may hold
// a `((var))`. Get, put, task and run steps have their own Timeout field.
type TimeoutStep struct {
	Step     StepConfig `json:"-"`
	Duration string     `json:"timeout"`
}

// OnSuccessStep runs Hook when Step succeeded; the hook's result is the result.
type OnSuccessStep struct {
	Step StepConfig `json:"-"`
	Hook Step       `json:"on_success"`
}

// OnFailureStep runs Hook when Step failed; the result stays failed.
type OnFailureStep struct {
	Step StepConfig `json:"-"`
	Hook Step       `json:"on_failure"`
}

// OnErrorStep runs Hook when Step errored for another reason than abort.
type OnErrorStep struct {
	Step StepConfig `json:"-"`
	Hook Step       `json:"on_error"`
}

// OnAbortStep runs Hook when Step was aborted.
type OnAbortStep struct {
	Step StepConfig `json:"-"`
	Hook Step       `json:"on_abort"`
}

// EnsureStep runs Hook however Step ended.
type EnsureStep struct {
	Step StepConfig `json:"-"`
	Hook Step       `json:"ensure"`
}

func (*AcrossStep) step()    {}
func (*RetryStep) step()     {}
func (*TimeoutStep) step()   {}
func (*OnSuccessStep) step() {}
func (*OnFailureStep) step() {}
func (*OnErrorStep) step()   {}
func (*OnAbortStep) step()   {}
func (*EnsureStep) step()    {}

// Inner is the step that the modifier wraps.
func (s *AcrossStep) Inner() StepConfig { return s.Step }

// Inner is the step that the modifier wraps.
func (s *RetryStep) Inner() StepConfig { return s.Step }

// Inner is the step that the modifier wraps.
func (s *TimeoutStep) Inner() StepConfig { return s.Step }

// Inner is the step that the modifier wraps.
func (s *OnSuccessStep) Inner() StepConfig { return s.Step }

// Inner is the step that the modifier wraps.
func (s *OnFailureStep) Inner() StepConfig { return s.Step }

// Inner is the step that the modifier wraps.
func (s *OnErrorStep) Inner() StepConfig { return s.Step }

// Inner is the step that the modifier wraps.
func (s *OnAbortStep) Inner() StepConfig { return s.Step }

// Inner is the step that the modifier wraps.
func (s *EnsureStep) Inner() StepConfig { return s.Step }

func (s *AcrossStep) setInner(c StepConfig)    { s.Step = c }
func (s *RetryStep) setInner(c StepConfig)     { s.Step = c }
func (s *TimeoutStep) setInner(c StepConfig)   { s.Step = c }
func (s *OnSuccessStep) setInner(c StepConfig) { s.Step = c }
func (s *OnFailureStep) setInner(c StepConfig) { s.Step = c }
func (s *OnErrorStep) setInner(c StepConfig)   { s.Step = c }
func (s *OnAbortStep) setInner(c StepConfig)   { s.Step = c }
func (s *EnsureStep) setInner(c StepConfig)    { s.Step = c }
