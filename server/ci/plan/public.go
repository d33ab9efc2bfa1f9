package plan

import (
	"encoding/json"
	"fmt"

	"github.com/signalbox/signalbox/server/ci/pipeline"
)

// Schema is the name of the plan's form that `/builds/:id/plan` answers with.
const Schema = "exec.v2"

// Public is the JSON that everybody who sees the build may see: names, types and
// versions, but no sources, params or configuration.
func (p *Plan) Public() (json.RawMessage, error) {
	data, err := json.Marshal(p.public())
	if err != nil {
		return nil, fmt.Errorf("encode public plan %s: %w", p.ID, err)
	}
	return data, nil
}

// Public is Plan.Public of the step together with its values.
func (s *Scoped) Public() (json.RawMessage, error) {
	data, err := json.Marshal(struct {
		Step   *public `json:"step"`
		Values []any   `json:"values"`
	}{s.Step.public(), s.Values})
	if err != nil {
		return nil, fmt.Errorf("encode public plan %s: %w", s.Step.ID, err)
	}
	return data, nil
}

// public mirrors Plan in Concourse's order of keys; any holds the redacted forms.
type public struct {
	ID             ID  `json:"id,omitempty"`
	InParallel     any `json:"in_parallel,omitempty"`
	Across         any `json:"across,omitempty"`
	Do             any `json:"do,omitempty"`
	Get            any `json:"get,omitempty"`
	Put            any `json:"put,omitempty"`
	Check          any `json:"check,omitempty"`
	Task           any `json:"task,omitempty"`
	Run            any `json:"run,omitempty"`
	SetPipeline    any `json:"set_pipeline,omitempty"`
	LoadVar        any `json:"load_var,omitempty"`
	OnAbort        any `json:"on_abort,omitempty"`
	OnError        any `json:"on_error,omitempty"`
	Ensure         any `json:"ensure,omitempty"`
	OnSuccess      any `json:"on_success,omitempty"`
	OnFailure      any `json:"on_failure,omitempty"`
	Try            any `json:"try,omitempty"`
	Timeout        any `json:"timeout,omitempty"`
	Retry          any `json:"retry,omitempty"`
	ArtifactInput  any `json:"artifact_input,omitempty"`
	ArtifactOutput any `json:"artifact_output,omitempty"`
}

type publicResource struct {
	Name       string            `json:"name"`
	Type       string            `json:"type"`
	Resource   string            `json:"resource,omitempty"`
	Version    *pipeline.Version `json:"version,omitempty"`
	ImageGet   *public           `json:"image_get_plan,omitempty"`
	ImageCheck *public           `json:"image_check_plan,omitempty"`
}

type publicTask struct {
	Name       string `json:"name"`
	Privileged bool   `json:"privileged"`
	Hermetic   bool   `json:"hermetic"`
}

type publicRun struct {
	Message    string `json:"message"`
	Type       string `json:"type"`
	Privileged bool   `json:"privileged"`
}

type publicSetPipeline struct {
	Name         string                `json:"name"`
	Team         string                `json:"team"`
	InstanceVars pipeline.InstanceVars `json:"instance_vars"`
}

type publicName struct {
	Name string `json:"name"`
}

type publicParallel struct {
	Steps    []*public `json:"steps"`
	Limit    int       `json:"limit,omitempty"`
	FailFast bool      `json:"fail_fast,omitempty"`
}

type publicAcross struct {
	Vars     []publicName `json:"vars"`
	FailFast bool         `json:"fail_fast,omitempty"`
}

// publicWrap has the step and, under the key of the hook's kind, the hook.
type publicWrap struct {
	Step      *public `json:"step"`
	OnAbort   *public `json:"on_abort,omitempty"`
	OnError   *public `json:"on_error,omitempty"`
	Ensure    *public `json:"ensure,omitempty"`
	OnSuccess *public `json:"on_success,omitempty"`
	OnFailure *public `json:"on_failure,omitempty"`
	Duration  string  `json:"duration,omitempty"`
}

func (p *Plan) public() *public {
	if p == nil {
		return nil
	}
	out := &public{ID: p.ID}
	switch {
	case p.Get != nil:
		g := p.Get
		out.Get = publicResource{g.Name, g.Type, g.Resource, g.Version, g.TypeImage.Get.public(), g.TypeImage.Check.public()}
	case p.Put != nil:
		u := p.Put
		out.Put = publicResource{u.Name, u.Type, u.Resource, nil, u.TypeImage.Get.public(), u.TypeImage.Check.public()}
	case p.Check != nil:
		c := p.Check
		out.Check = publicResource{c.Name, c.Type, "", nil, c.TypeImage.Get.public(), c.TypeImage.Check.public()}
	case p.Task != nil:
		out.Task = publicTask{p.Task.Name, p.Task.Privileged, p.Task.Hermetic}
	case p.Run != nil:
		out.Run = publicRun{p.Run.Message, p.Run.Type, p.Run.Privileged}
	case p.SetPipeline != nil:
		out.SetPipeline = publicSetPipeline{p.SetPipeline.Name, p.SetPipeline.Team, p.SetPipeline.InstanceVars}
	case p.LoadVar != nil:
		out.LoadVar = publicName{p.LoadVar.Name}
	case p.ArtifactInput != nil:
		out.ArtifactInput = p.ArtifactInput
	case p.ArtifactOutput != nil:
		out.ArtifactOutput = p.ArtifactOutput
	default:
		p.publicComposite(out)
	}
	return out
}

func (p *Plan) publicComposite(out *public) {
	switch {
	case p.Do != nil:
		out.Do = publicList(*p.Do)
	case p.Retry != nil:
		out.Retry = publicList(*p.Retry)
	case p.InParallel != nil:
		out.InParallel = publicParallel{publicList(p.InParallel.Steps), p.InParallel.Limit, p.InParallel.FailFast}
	case p.Across != nil:
		names := make([]publicName, len(p.Across.Vars))
		for i, v := range p.Across.Vars {
			names[i] = publicName{v.Var}
		}
		out.Across = publicAcross{names, p.Across.FailFast}
	case p.OnAbort != nil:
		out.OnAbort = publicWrap{Step: p.OnAbort.Step.public(), OnAbort: p.OnAbort.Next.public()}
	case p.OnError != nil:
		out.OnError = publicWrap{Step: p.OnError.Step.public(), OnError: p.OnError.Next.public()}
	case p.Ensure != nil:
		out.Ensure = publicWrap{Step: p.Ensure.Step.public(), Ensure: p.Ensure.Next.public()}
	case p.OnSuccess != nil:
		out.OnSuccess = publicWrap{Step: p.OnSuccess.Step.public(), OnSuccess: p.OnSuccess.Next.public()}
	case p.OnFailure != nil:
		out.OnFailure = publicWrap{Step: p.OnFailure.Step.public(), OnFailure: p.OnFailure.Next.public()}
	case p.Try != nil:
		out.Try = publicWrap{Step: p.Try.Step.public()}
	case p.Timeout != nil:
		out.Timeout = publicWrap{Step: p.Timeout.Step.public(), Duration: p.Timeout.Duration}
	}
}

func publicList(plans []Plan) []*public {
	list := make([]*public, len(plans))
	for i := range plans {
		list[i] = plans[i].public()
	}
	return list
}
