package pipeline

import (
	"fmt"
	"strings"
	"time"
)

// stepChecker validates the steps of one job. context is the path to the step
// in hand; its parts concatenated lead every message.
type stepChecker struct {
	pipeline Config
	report   *report
	context  []string
	gets     map[string]bool
	scopes   []map[string]bool // local vars, innermost scope last
}

func newStepChecker(c Config, r *report, context ...string) *stepChecker {
	return &stepChecker{
		pipeline: c, report: r, context: context,
		gets: map[string]bool{}, scopes: []map[string]bool{{}},
	}
}

// in runs check with a longer context.
func (v *stepChecker) in(part string, check func()) {
	v.context = append(v.context, part)
	check()
	v.context = v.context[:len(v.context)-1]
}

func (v *stepChecker) where() string { return strings.Join(v.context, "") }

func (v *stepChecker) errorf(format string, args ...any) {
	v.report.errorf("%s: %s", v.where(), fmt.Sprintf(format, args...))
}

func (v *stepChecker) warn(kind, message string) {
	v.report.warnings = append(v.report.warnings, Warning{Type: kind, Message: v.where() + ": " + message})
}

func (v *stepChecker) name(name string) {
	if name != "" && namesFromVars(v.context) {
		return
	}
	warning, problem := CheckName(name, v.where())
	if problem != "" {
		// Concourse says the context twice here, and we keep its words.
		v.errorf("%s", problem)
	}
	if warning != nil {
		v.report.warnings = append(v.report.warnings, *warning)
	}
}

func (v *stepChecker) step(s Step) {
	if len(s.UnknownFields) > 0 {
		v.errorf("unknown fields %+q", sortedKeys(s.UnknownFields))
	}
	v.config(s.Config)
}

// config dispatches on the type of step. Modifiers speak after the step that
// they wrap, except across, whose vars must be known inside.
func (v *stepChecker) config(s StepConfig) {
	switch s := s.(type) {
	case *GetStep:
		v.in(".get("+s.Name+")", func() { v.get(s) })
	case *PutStep:
		v.in(".put("+s.Name+")", func() { v.name(s.Name); v.resource(s.ResourceName()) })
	case *TaskStep:
		v.in(".task("+s.Name+")", func() { v.task(s) })
	case *RunStep:
		v.in(".run("+s.Type+"."+s.Message+")", func() { v.run(s) })
	case *SetPipelineStep:
		v.in(".set_pipeline("+s.Name+")", func() { v.name(s.Name); v.file(s.File) })
	case *LoadVarStep:
		v.in(".load_var("+s.Name+")", func() { v.name(s.Name); v.declare(s.Name); v.file(s.File) })
	case *TryStep:
		v.in(".try", func() { v.step(s.Step) })
	case *DoStep:
		v.in(".do", func() { v.list("[%d]", s.Steps) })
	case *InParallelStep:
		v.in(".in_parallel", func() { v.list(".steps[%d]", s.Config.Steps) })
	case *AcrossStep:
		v.in(".across", func() { v.across(s) })
	case *TimeoutStep:
		v.config(s.Step)
		v.in(".timeout", func() { v.duration(s.Duration) })
	case *RetryStep:
		v.config(s.Step)
		v.in(".attempts", func() { v.positive(s.Attempts) })
	case *OnSuccessStep:
		v.hook(s.Step, ".on_success", s.Hook)
	case *OnFailureStep:
		v.hook(s.Step, ".on_failure", s.Hook)
	case *OnAbortStep:
		v.hook(s.Step, ".on_abort", s.Hook)
	case *OnErrorStep:
		v.hook(s.Step, ".on_error", s.Hook)
	case *EnsureStep:
		v.hook(s.Step, ".ensure", s.Hook)
	}
}

func (v *stepChecker) hook(inner StepConfig, part string, hook Step) {
	v.config(inner)
	v.in(part, func() { v.step(hook) })
}

func (v *stepChecker) list(format string, steps []Step) {
	for i, s := range steps {
		v.in(fmt.Sprintf(format, i), func() { v.step(s) })
	}
}

func (v *stepChecker) get(s *GetStep) {
	v.name(s.Name)
	if v.gets[s.Name] {
		v.errorf("repeated name")
	}
	v.gets[s.Name] = true
	resource := s.ResourceName()
	v.resource(resource)
	v.in(".passed", func() {
		for _, pattern := range s.Passed {
			matches := v.pipeline.JobsMatching(pattern)
			if len(matches) == 0 {
				v.errorf("no matching job(s) for '%s'", pattern)
			}
			for _, name := range matches {
				if job, ok := v.pipeline.Job(name); ok && !job.uses(resource) {
					v.errorf("job '%s' does not interact with resource '%s'", name, resource)
				}
			}
		}
	})
}

func (v *stepChecker) resource(name string) {
	if _, ok := v.pipeline.Resource(name); !ok {
		v.errorf("unknown resource '%s'", name)
	}
}

func (v *stepChecker) task(s *TaskStep) {
	v.name(s.Name)
	switch {
	case s.Config == nil && s.ConfigPath == "":
		v.errorf("must specify either `file:` or `config:`")
	case s.Config != nil && s.ConfigPath != "":
		v.errorf("must specify one of `file:` or `config:`, not both")
	}
	if s.Config != nil && s.ImageArtifactName != "" && (s.Config.RootfsURI != "" || s.Config.ImageResource != nil) {
		v.warn("pipeline", "specifies image: on the step but also specifies an image under config: - the image: on the step takes precedence")
	}
	if s.Hermetic {
		v.warn("pipeline", "specifies `hermetic:` only works against worker containerd runtime")
	}
	if s.Config == nil {
		return
	}
	v.in(".config", func() {
		if len(s.Config.UnknownFields) > 0 {
			v.errorf("unknown fields %+q", sortedKeys(s.Config.UnknownFields))
		}
		for _, message := range s.Config.Validate() {
			v.errorf("%s", message)
		}
	})
}

// run is stricter about the name than other steps: prototypes are new, so
// there are no old names to tolerate.
func (v *stepChecker) run(s *RunStep) {
	warning, problem := CheckName(s.Message, v.where())
	if problem != "" {
		v.errorf("%s", problem)
	}
	if warning != nil {
		v.errorf("%s", warning.Message)
	}
	if _, ok := v.pipeline.Prototype(s.Type); !ok {
		v.errorf("unknown prototype '%s'", s.Type)
	}
}

func (v *stepChecker) file(path string) {
	if path == "" {
		v.errorf("no file specified")
	}
}

func (v *stepChecker) duration(text string) {
	if _, err := time.ParseDuration(text); err != nil {
		v.errorf("invalid duration '%s'", text)
	}
}

func (v *stepChecker) positive(n int) {
	if n <= 0 {
		v.errorf("must be greater than 0")
	}
}

func (v *stepChecker) across(s *AcrossStep) {
	v.scopes = append(v.scopes, map[string]bool{})
	if len(s.Vars) == 0 {
		v.errorf("no vars specified")
	}
	for i, dimension := range s.Vars {
		v.in(fmt.Sprintf("[%d]", i), func() {
			v.declare(dimension.Var)
			if limit := dimension.MaxInFlight; limit != nil && !limit.All {
				v.in(".max_in_flight", func() { v.positive(limit.Limit) })
			}
		})
	}
	v.config(s.Step)
	v.scopes = v.scopes[:len(v.scopes)-1]
}

// declare adds a local var to the innermost scope.
func (v *stepChecker) declare(name string) {
	current := v.scopes[len(v.scopes)-1]
	if current[name] {
		v.errorf("repeated var name")
		return
	}
	for _, scope := range v.scopes {
		if scope[name] {
			v.warn("var_shadowed", "shadows local var '"+name+"'")
			break
		}
	}
	current[name] = true
}
