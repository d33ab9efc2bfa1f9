package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/signalbox/signalbox/server/ci/event"
	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/vars"
)

// across runs a step once for each combination of values. The values are kept in its
// row, so that after a restart the same sub-steps go on even if a var has changed.
func (r *run) across(ctx context.Context, p *plan.Plan, at position) (bool, error) {
	row := StepRecord{Kind: KindAcross}
	return r.leaf(ctx, p, at, row, func(ctx context.Context, l *leaf) (bool, error) {
		l.emit(event.Initialize{Origin: l.origin(), Time: l.unix()})
		l.emit(event.Start{Origin: l.origin(), Time: l.unix()})
		values, err := l.acrossValues(ctx)
		if err != nil {
			return false, err
		}
		steps, err := l.substeps(ctx, values)
		if err != nil {
			return false, err
		}
		if err := l.announce(steps); err != nil {
			return false, err
		}
		ok, err := l.acrossLevel(ctx, values, 0, steps)
		if err != nil {
			return false, err
		}
		l.finish(ok)
		return ok, nil
	})
}

// acrossValues replaces the vars in the lists of values, once.
func (l *leaf) acrossValues(ctx context.Context) ([][]any, error) {
	var values [][]any
	if l.resumed {
		if err := decodeNumbers(l.row.Result, &values); err != nil {
			return nil, fmt.Errorf("read the values of step %s: %w", l.row.PlanID, err)
		}
		return values, nil
	}
	for _, v := range l.plan.Across.Vars {
		if _, shadowed, _ := l.at.scope.local(vars.Ref{Path: v.Var}); shadowed {
			l.stderr().say("\x1b[1;33mWARNING: across step shadows local var '%s'\x1b[0m", v.Var)
		}
		result, err := vars.Interpolate(ctx, v.Values, l.at.scope)
		if err != nil {
			return nil, err
		}
		list, ok := result.([]any)
		if !ok {
			return nil, fmt.Errorf("the values of across var '%s' are not a list", v.Var)
		}
		values = append(values, list)
	}
	data, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("encode the values of step %s: %w", l.row.PlanID, err)
	}
	l.row.Result = data
	return values, l.begin(StateRunning)
}

// combinations lists one value of each var, the last var changing fastest.
func combinations(values [][]any) [][]any {
	product := [][]any{nil}
	for _, list := range values {
		var next [][]any
		for _, head := range product {
			for _, value := range list {
				next = append(next, append(head[:len(head):len(head)], value))
			}
		}
		product = next
	}
	return product
}

// substeps makes the plan of each combination: the template with its values, and ids
// below that of the across.
func (l *leaf) substeps(ctx context.Context, values [][]any) ([]plan.Scoped, error) {
	var template any
	if err := decodeNumbers([]byte(l.plan.Across.Template), &template); err != nil {
		return nil, fmt.Errorf("read the template of step %s: %w", l.row.PlanID, err)
	}
	var steps []plan.Scoped
	for i, combination := range combinations(values) {
		locals := acrossLocals{}
		for j, v := range l.plan.Across.Vars {
			locals[v.Var] = combination[j]
		}
		tree, err := locals.fill(ctx, template)
		if err != nil {
			return nil, fmt.Errorf("failed to interpolate template: %w", err)
		}
		scoped := plan.Scoped{Values: combination}
		if err := fromTree(tree, &scoped.Step); err != nil {
			return nil, err
		}
		renumber(&scoped.Step, fmt.Sprintf("%s/%d", l.plan.ID, i))
		steps = append(steps, scoped)
	}
	return steps, nil
}

// acrossLocals answers only for the vars of this across; all other references stay.
type acrossLocals map[string]any

func (a acrossLocals) Get(_ context.Context, ref vars.Ref) (any, bool, error) {
	if ref.Source != vars.LocalSource {
		return nil, false, nil
	}
	value, ok := a[ref.Path]
	return value, ok, nil
}

// fill replaces the vars in a template, also in the templates within it, which are JSON
// in a text.
func (a acrossLocals) fill(ctx context.Context, node any) (any, error) {
	switch n := node.(type) {
	case map[string]any:
		filled := make(map[string]any, len(n))
		for key, value := range n {
			text, isText := value.(string)
			var err error
			if key == "substep_template" && isText {
				filled[key], err = a.fillNested(ctx, text)
			} else {
				filled[key], err = a.fill(ctx, value)
			}
			if err != nil {
				return nil, err
			}
		}
		return filled, nil
	case []any:
		filled := make([]any, len(n))
		for i, value := range n {
			var err error
			if filled[i], err = a.fill(ctx, value); err != nil {
				return nil, err
			}
		}
		return filled, nil
	}
	return vars.InterpolateKnown(ctx, node, a)
}

func (a acrossLocals) fillNested(ctx context.Context, text string) (any, error) {
	var template any
	if err := decodeNumbers([]byte(text), &template); err != nil {
		return nil, err
	}
	filled, err := a.fill(ctx, template)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(filled)
	return string(data), err
}

// renumber gives every plan of a sub-step an id of its own and keeps references right.
func renumber(step *plan.Plan, prefix string) {
	ids := map[plan.ID]plan.ID{}
	step.Each(func(p *plan.Plan) {
		id := plan.ID(fmt.Sprintf("%s/%d", prefix, len(ids)))
		ids[p.ID], p.ID = id, id
	})
	step.Each(func(p *plan.Plan) {
		if p.Get == nil || p.Get.VersionFrom == nil {
			return
		}
		if id, ok := ids[*p.Get.VersionFrom]; ok {
			p.Get.VersionFrom = &id
		}
	})
}

func (l *leaf) announce(steps []plan.Scoped) error {
	public := make([]json.RawMessage, len(steps))
	for i := range steps {
		var err error
		if public[i], err = steps[i].Public(); err != nil {
			return err
		}
	}
	l.emit(event.AcrossSubsteps{Time: l.unix(), Origin: l.origin(), Substeps: public})
	return nil
}

// acrossLevel runs the values of one var, each with all combinations of the vars after
// it, as many at once as that var allows.
func (l *leaf) acrossLevel(ctx context.Context, values [][]any, level int, steps []plan.Scoped) (bool, error) {
	across := l.plan.Across
	if len(across.Vars) == 0 {
		return false, errors.New("across has no vars")
	}
	count := len(values[level])
	if count == 0 {
		return true, nil
	}
	each := len(steps) / count
	limit := across.Vars[level].MaxInFlight.Of(count)
	return l.parallel(ctx, count, limit, across.FailFast, func(ctx context.Context, i int) (bool, error) {
		part := steps[i*each : (i+1)*each]
		if level+1 < len(values) {
			return l.acrossLevel(ctx, values, level+1, part)
		}
		here := l.at
		here.scope = l.at.scope.inner()
		for j, v := range across.Vars {
			// Not redacted: the page shows these values.
			here.scope.setLocal(v.Var, part[0].Values[j], false)
		}
		return l.step(ctx, &part[0].Step, here)
	})
}
