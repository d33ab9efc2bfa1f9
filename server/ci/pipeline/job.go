package pipeline

// Job is a plan of steps with its limits and hooks.
type Job struct {
	Name                 string             `json:"name"`
	OldName              string             `json:"old_name,omitempty"`
	Public               bool               `json:"public,omitempty"`
	DisableManualTrigger bool               `json:"disable_manual_trigger,omitempty"`
	DisableReruns        bool               `json:"disable_reruns,omitempty"`
	Serial               bool               `json:"serial,omitempty"`
	Interruptible        bool               `json:"interruptible,omitempty"`
	SerialGroups         []string           `json:"serial_groups,omitempty"`
	RawMaxInFlight       int                `json:"max_in_flight,omitempty"`
	Tags                 Tags               `json:"tags,omitempty"`
	BuildLogsToRetain    int                `json:"build_logs_to_retain,omitempty"` // deprecated for BuildLogRetention
	BuildLogRetention    *BuildLogRetention `json:"build_log_retention,omitempty"`
	OnSuccess            *Step              `json:"on_success,omitempty"`
	OnFailure            *Step              `json:"on_failure,omitempty"`
	OnAbort              *Step              `json:"on_abort,omitempty"`
	OnError              *Step              `json:"on_error,omitempty"`
	Ensure               *Step              `json:"ensure,omitempty"`
	Plan                 []Step             `json:"plan"`
}

// BuildLogRetention says how many builds keep their logs; zero means no limit.
type BuildLogRetention struct {
	Builds                 int `json:"builds,omitempty"`
	MinimumSucceededBuilds int `json:"minimum_succeeded_builds,omitempty"`
	Days                   int `json:"days,omitempty"`
}

// Step is the whole job as one step: the plan as a `do`, wrapped in the job's
// hooks with ensure outermost.
func (j Job) Step() StepConfig {
	var step StepConfig = &DoStep{Steps: j.Plan}
	if j.OnSuccess != nil {
		step = &OnSuccessStep{Step: step, Hook: *j.OnSuccess}
	}
	if j.OnFailure != nil {
		step = &OnFailureStep{Step: step, Hook: *j.OnFailure}
	}
	if j.OnAbort != nil {
		step = &OnAbortStep{Step: step, Hook: *j.OnAbort}
	}
	if j.OnError != nil {
		step = &OnErrorStep{Step: step, Hook: *j.OnError}
	}
	if j.Ensure != nil {
		step = &EnsureStep{Step: step, Hook: *j.Ensure}
	}
	return step
}

// MaxInFlight is the effective limit of builds at once; 0 is no limit. serial
// and serial_groups win over max_in_flight.
func (j Job) MaxInFlight() int {
	if j.Serial || len(j.SerialGroups) > 0 {
		return 1
	}
	return max(j.RawMaxInFlight, 0)
}

// Gets lists every get step of the job, hooks included, in plan order.
func (j Job) Gets() []*GetStep { return collect[*GetStep](j.Step()) }

// Puts lists every put step of the job, hooks included, in plan order.
func (j Job) Puts() []*PutStep { return collect[*PutStep](j.Step()) }

// uses reports whether the job gets or puts the resource.
func (j Job) uses(resource string) bool {
	for _, get := range j.Gets() {
		if get.ResourceName() == resource {
			return true
		}
	}
	for _, put := range j.Puts() {
		if put.ResourceName() == resource {
			return true
		}
	}
	return false
}
