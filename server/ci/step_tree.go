package ci

import (
	"sort"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/plan"
)

// The statuses of steps that builds do not have.
const (
	stepPending = "pending"
	stepRunning = "running"
	stepSkipped = "skipped"
)

// step is one node of the tree that the build page shows.
type step struct {
	ID         string     `json:"id"`
	Kind       string     `json:"kind"`
	Name       string     `json:"name"`
	Status     string     `json:"status"`
	StartedAt  *time.Time `json:"started_at,omitempty"`
	EndedAt    *time.Time `json:"ended_at,omitempty"`
	ExitStatus *int       `json:"exit_status,omitempty"`
	Message    string     `json:"message,omitempty"`
	LineFirst  int64      `json:"line_first,omitempty"`
	LineLast   int64      `json:"line_last,omitempty"`
	Children   []*step    `json:"children"`
}

// tree joins a plan with the rows of its steps and the sections of its log.
type tree struct {
	rows     map[string]engine.StepRecord
	sections map[string]buildlog.Section
	// planned are the ids that the plan names; other rows hang below them.
	planned map[string]bool
	ended   bool
}

// stepTree is the plan as people read it: what the plan is wrapped in only to
// have one root is left out.
func stepTree(p plan.Plan, rows []engine.StepRecord, sections []buildlog.Section, ended bool) []*step {
	t := tree{rows: map[string]engine.StepRecord{}, sections: map[string]buildlog.Section{}, planned: map[string]bool{}, ended: ended}
	for _, r := range rows {
		t.rows[r.PlanID] = r
	}
	for _, s := range sections {
		t.sections[s.Origin] = s
	}
	p.Each(func(p *plan.Plan) { t.planned[string(p.ID)] = true })
	if p.ID == "" {
		return []*step{}
	}
	root := t.node(&p)
	if root.Kind == "do" && len(root.Children) > 0 {
		return root.Children
	}
	return []*step{root}
}

// node makes the step of a plan and of everything below it.
func (t *tree) node(p *plan.Plan) *step {
	kind, name, children := describePlan(p)
	n := &step{ID: string(p.ID), Kind: kind, Name: name, Children: []*step{}}
	for _, child := range children {
		n.Children = append(n.Children, t.node(child))
	}
	t.fill(n)
	n.Children = append(t.unplanned(n.ID), n.Children...)
	if _, leaf := t.rows[n.ID]; !leaf {
		n.Status = t.joined(n, p)
	}
	return n
}

// describePlan gives kind, name and the plans below. The get after a put is
// shown below the put, not beside it.
func describePlan(p *plan.Plan) (kind, name string, children []*plan.Plan) {
	switch {
	case p.Get != nil:
		return "get", p.Get.Name, nil
	case p.Put != nil:
		return "put", p.Put.Name, nil
	case p.Task != nil:
		return "task", p.Task.Name, nil
	case p.Check != nil:
		return "check", p.Check.Name, nil
	case p.Run != nil:
		return "run", p.Run.Message, nil
	case p.SetPipeline != nil:
		return "set_pipeline", p.SetPipeline.Name, nil
	case p.LoadVar != nil:
		return "load_var", p.LoadVar.Name, nil
	case p.ArtifactInput != nil:
		return "artifact_input", p.ArtifactInput.Name, nil
	case p.ArtifactOutput != nil:
		return "artifact_output", p.ArtifactOutput.Name, nil
	case p.Across != nil:
		return "across", acrossName(p.Across), nil
	}
	return describeComposite(p)
}

func describeComposite(p *plan.Plan) (kind, name string, children []*plan.Plan) {
	switch {
	case p.Do != nil:
		return "do", "", pointersTo(*p.Do)
	case p.InParallel != nil:
		return "in_parallel", "", pointersTo(p.InParallel.Steps)
	case p.Retry != nil:
		return "retry", "", pointersTo(*p.Retry)
	case p.Try != nil:
		return "try", "", []*plan.Plan{&p.Try.Step}
	case p.Timeout != nil:
		return "timeout", p.Timeout.Duration, []*plan.Plan{&p.Timeout.Step}
	case p.OnSuccess != nil:
		return "on_success", "", []*plan.Plan{&p.OnSuccess.Step, &p.OnSuccess.Next}
	case p.OnFailure != nil:
		return "on_failure", "", []*plan.Plan{&p.OnFailure.Step, &p.OnFailure.Next}
	case p.OnError != nil:
		return "on_error", "", []*plan.Plan{&p.OnError.Step, &p.OnError.Next}
	case p.OnAbort != nil:
		return "on_abort", "", []*plan.Plan{&p.OnAbort.Step, &p.OnAbort.Next}
	case p.Ensure != nil:
		return "ensure", "", []*plan.Plan{&p.Ensure.Step, &p.Ensure.Next}
	}
	return "step", "", nil
}

func acrossName(a *plan.Across) string {
	names := make([]string, len(a.Vars))
	for i, v := range a.Vars {
		names[i] = v.Var
	}
	return strings.Join(names, ", ")
}

func pointersTo(plans []plan.Plan) []*plan.Plan {
	out := make([]*plan.Plan, len(plans))
	for i := range plans {
		out[i] = &plans[i]
	}
	return out
}

// fill takes what is known of the step from its row and its part of the log.
func (t *tree) fill(n *step) {
	if s, ok := t.sections[n.ID]; ok {
		n.LineFirst, n.LineLast = s.First, s.Last
	}
	row, ok := t.rows[n.ID]
	if !ok {
		n.Status = t.idle()
		return
	}
	n.ExitStatus, n.Message = row.ExitStatus, row.Message
	n.StartedAt, n.EndedAt = toMillis(row.StartedAt).pointer(), toMillis(row.EndedAt).pointer()
	switch {
	case row.State == engine.StateEnded:
		n.Status = string(row.Outcome)
	case t.ended:
		n.Status = string(Aborted)
	default:
		n.Status = stepRunning
	}
}

// unplanned are the rows below an id that the plan does not have: fetched images
// and the combinations of across.
func (t *tree) unplanned(id string) []*step {
	out := []*step{} // never null: pages walk it
	for _, row := range t.rows {
		if t.planned[row.PlanID] || !strings.HasPrefix(row.PlanID, id+"/") {
			continue
		}
		n := &step{ID: row.PlanID, Kind: string(row.Kind), Name: row.Name, Children: []*step{}}
		t.fill(n)
		out = append(out, n)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := t.rows[out[i].ID], t.rows[out[j].ID]
		if !a.StartedAt.Equal(b.StartedAt) {
			return a.StartedAt.Before(b.StartedAt)
		}
		return a.PlanID < b.PlanID
	})
	return out
}

func (t *tree) idle() string {
	if t.ended {
		return stepSkipped
	}
	return stepPending
}

// joined is the status of a step without a row: that of what is below it.
func (t *tree) joined(n *step, p *plan.Plan) string {
	counts := map[string]int{}
	for _, c := range n.Children {
		counts[c.Status]++
		n.StartedAt, n.EndedAt = earlier(n.StartedAt, c.StartedAt), later(n.EndedAt, c.EndedAt)
	}
	if counts[stepRunning] > 0 {
		n.EndedAt = nil
		return stepRunning
	}
	if counts[stepPending]+counts[stepSkipped] == len(n.Children) {
		return t.idle()
	}
	switch {
	case p.Try != nil && counts[string(Aborted)] == 0:
		return string(Succeeded)
	case p.Retry != nil:
		for i := len(n.Children) - 1; i >= 0; i-- {
			if c := n.Children[i]; c.Status != stepPending && c.Status != stepSkipped {
				return c.Status
			}
		}
	}
	for _, status := range []Status{Aborted, Errored, Failed} {
		if counts[string(status)] > 0 {
			return string(status)
		}
	}
	if counts[stepPending] > 0 && p.Do != nil {
		return stepRunning // between two of its steps
	}
	return string(Succeeded)
}

func earlier(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

func later(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.After(*a) {
		return b
	}
	return a
}
