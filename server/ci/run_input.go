package ci

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/vars"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const runInputTable = "ci_run_inputs"

// fillInputs checks what was given for the typed inputs of a job. All mistakes are
// told at once, each with the input it belongs to.
func fillInputs(job pipeline.JobExtension, given map[string]any) (map[string]any, error) {
	values, problems := job.Fill(given)
	fields := make([]problem.Field, len(problems))
	for i, p := range problems {
		fields[i] = problem.Field{Field: "inputs." + p.Name, Message: p.Message}
	}
	return values, problem.FieldErrors(fields)
}

// keepInputs stores the values with the build, secrets sealed; in its transaction.
func (s *Service) keepInputs(ctx context.Context, build int64, job pipeline.JobExtension, values map[string]any) error {
	for i, in := range job.Inputs {
		row := runInputRow{BuildID: build, Name: in.Name, Ordering: int64(i), Type: in.Type}
		if err := s.sealInput(&row, encode(values[in.Name])); err != nil {
			return err
		}
		if err := s.insertRunInput(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) sealInput(row *runInputRow, value string) error {
	if row.Type != pipeline.InputSecret {
		row.Value = value
		return nil
	}
	if s.deps.Sealer == nil {
		return problem.New(problem.Unavailable, "This server has no key file, so it cannot keep the secret input %s.", row.Name)
	}
	row.Value, row.Sealed = "", s.deps.Sealer.Seal(runInputTable, row.place(), []byte(value))
	return nil
}

// place binds a sealed value to its row.
func (r runInputRow) place() string { return fmt.Sprintf("%d/%s", r.BuildID, r.Name) }

// openInput is the value of an input as its type wants it.
func (s *Service) openInput(row runInputRow) (value any, err error) {
	text := []byte(row.Value)
	if row.Type == pipeline.InputSecret {
		if s.deps.Sealer == nil {
			return nil, fmt.Errorf("input %s: there is no key file to open it with", row.Name)
		}
		if text, err = s.deps.Sealer.Open(runInputTable, row.place(), row.Sealed); err != nil {
			return nil, fmt.Errorf("input %s: %w", row.Name, err)
		}
	}
	if err := json.Unmarshal(text, &value); err != nil {
		return nil, fmt.Errorf("read input %s: %w", row.Name, err)
	}
	return value, nil
}

// copyRunInputs gives a rerun the values of the build it repeats.
func (s *Service) copyRunInputs(ctx context.Context, from, to int64) error {
	rows, err := s.runInputs(ctx, from)
	if err != nil {
		return err
	}
	for _, row := range rows {
		value, err := s.openInput(row)
		if err != nil {
			return err
		}
		row.BuildID = to
		if err := s.sealInput(&row, encode(value)); err != nil {
			return err
		}
		if err := s.insertRunInput(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

// inputVars is the var source `input` of a build. It is asked by the run of that
// build alone, which may last for days; so it looks when a step asks.
type inputVars struct {
	service *Service
	build   int64
}

// Get finds an input by name; what is no secret may stand in the log.
func (v inputVars) Get(ctx context.Context, ref vars.Ref) (any, bool, error) {
	rows, err := v.service.runInputs(ctx, v.build)
	if err != nil {
		return nil, false, err
	}
	for _, row := range rows {
		if row.Name != ref.Path {
			continue
		}
		value, err := v.service.openInput(row)
		if err == nil && row.Type != pipeline.InputSecret {
			value = vars.Open{Value: value}
		}
		return value, err == nil, err
	}
	return nil, false, nil
}

// runInputShape is the value of one input on the page of a build.
type runInputShape struct {
	Name string             `json:"name"`
	Type pipeline.InputType `json:"type"`
	// Value is null for a secret.
	Value any `json:"value"`
}

// addRunInputs shows what the build was given, to its own team only.
func (s *Service) addRunInputs(ctx context.Context, b buildRow, out *buildShape) error {
	out.RunInputs = []runInputShape{}
	if b.SupersededBy != 0 {
		out.SupersededBy = &b.SupersededBy
	}
	if b.JobID == 0 || !own(ctx, b.TeamID) {
		return nil
	}
	rows, err := s.runInputs(ctx, b.ID)
	if err != nil {
		return err
	}
	for _, row := range rows {
		shown := runInputShape{Name: row.Name, Type: row.Type}
		if row.Type != pipeline.InputSecret {
			if shown.Value, err = s.openInput(row); err != nil {
				return err
			}
		}
		out.RunInputs = append(out.RunInputs, shown)
	}
	return nil
}

// formField is an input of a job for the form that starts it by hand.
type formField struct {
	Name        string             `json:"name"`
	Type        pipeline.InputType `json:"type"`
	Description string             `json:"description"`
	Required    bool               `json:"required"`
	// Default is null when there is none.
	Default any      `json:"default"`
	Options []string `json:"options"`
	Pattern string   `json:"pattern"`
}

func formOf(job pipeline.JobExtension) []formField {
	out := make([]formField, len(job.Inputs))
	for i, in := range job.Inputs {
		out[i] = formField{in.Name, in.Type, in.Description, in.Required, in.Default, nonNil(in.Options), in.Pattern}
	}
	return out
}

// unaskedSentence says why a job with triggers does not start by itself; "" when it does.
func unaskedSentence(config pipeline.Config, job pipeline.Job) string {
	names := config.JobExtension(job.Name).Unasked()
	if len(names) == 0 {
		return ""
	}
	for _, get := range job.Gets() {
		if get.Trigger {
			verb := "input " + names[0] + " is"
			if len(names) > 1 {
				verb = "inputs " + joinWords(names) + " are"
			}
			return "It does not start by itself: " + verb + " required and without default. Start it by hand, or give a default."
		}
	}
	return ""
}

// plainInputError is an input problem in one line, for fly, which shows no fields.
func plainInputError(err error) error {
	p := problem.From(err)
	if p.Kind != problem.Invalid || len(p.Fields) == 0 {
		return err
	}
	lines := make([]string, len(p.Fields))
	for i, f := range p.Fields {
		lines[i] = strings.TrimPrefix(f.Field, "inputs.") + " " + f.Message
	}
	return problem.New(problem.Conflict, "the job has inputs that fly cannot ask for (%s); start it in the web interface", strings.Join(lines, "; "))
}
