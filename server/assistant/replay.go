package assistant

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/signalbox/signalbox/server/assistant/evals"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// askedWith is what is kept of a question beside its text, so that it can be asked again.
type askedWith struct {
	Zone       string `json:"zone,omitempty"`
	Repository string `json:"repository,omitempty"`
	Page       Page   `json:"page,omitzero"`
}

// Replay asks a run's question again with a planner, as the context's caller and
// at the run's own moment: "this week" is the week that was meant. Nothing that
// changes anything is called or proposed.
func (s *Service) Replay(ctx context.Context, id string, planner Planner) (Run, error) {
	row, err := s.mayRead(ctx, id)
	if err == nil && row.ReplayOf != "" {
		row, err = s.mayRead(ctx, row.ReplayOf)
	}
	if err != nil {
		return Run{}, err
	}
	if planner != Plans && planner != ByLLM {
		return Run{}, problem.FieldError("planner", "is neither plan nor model")
	}
	if planner == ByLLM && s.Model == nil {
		return Run{}, problem.New(problem.Conflict, "No language model is set up here.")
	}
	var with askedWith
	if err := json.Unmarshal([]byte(row.Asked), &with); err != nil {
		return Run{}, fmt.Errorf("read how run %s was asked: %w", id, err)
	}
	team, found := teamByID(identity.From(ctx), row.TeamID)
	if !found {
		return Run{}, problem.New(problem.NotFound, "There is no such run, or it is not yours to see.")
	}
	return s.Ask(ctx, Question{Team: team.Name, Text: row.Question, Zone: with.Zone, Repository: with.Repository, Page: with.Page, Surface: "replay",
		replayOf: row.ID, planner: planner, at: time.UnixMilli(row.StartedAt)})
}

// Replays are the runs that asked the same again, the newest first.
func (s *Service) Replays(ctx context.Context, id string) ([]Run, error) {
	row, err := s.mayRead(ctx, id)
	if err != nil {
		return nil, err
	}
	list, err := s.store.replays(ctx, row.ID, row.TeamID)
	if err != nil {
		return nil, err
	}
	out := []Run{}
	for _, r := range list {
		if identity.From(ctx).UserID != r.UserID && identity.From(ctx).UserID != row.UserID && s.notOwner(ctx, row.TeamID) {
			continue
		}
		run, err := shape(r)
		if err != nil {
			return nil, err
		}
		out = append(out, run)
	}
	return out, nil
}

func (s *Service) notOwner(ctx context.Context, team int64) bool {
	return !identity.From(ctx).Can(team, identity.Scope{Capability: "assistant", Level: identity.Admin})
}

// CaseOf writes a run as a case: its calls, its facts, and the model's turns as a cassette.
func (s *Service) CaseOf(ctx context.Context, id string) (string, error) {
	row, err := s.mayRead(ctx, id)
	if err != nil {
		return "", err
	}
	run, err := shape(row)
	if err != nil {
		return "", err
	}
	steps, err := s.store.steps(ctx, id)
	if err != nil {
		return "", err
	}
	var with askedWith
	if err := json.Unmarshal([]byte(row.Asked), &with); err != nil {
		return "", fmt.Errorf("read how run %s was asked: %w", id, err)
	}
	c := evals.Case{Name: "run " + id, Ask: []string{run.Question}, Zone: with.Zone, Repository: with.Repository}
	if run.Status != Answered {
		c.Expect.Status = run.Status
	}
	for _, st := range steps {
		addStep(&c, st)
	}
	for _, g := range run.Answer.Grounds {
		c.Expect.Contains = append(c.Expect.Contains, evals.Fact{g.Fact})
	}
	c.Expect.Untouched = len(steps) == 0
	c.Expect.Unverified = run.Answer.Unverified
	addTurns(&c, run.Turns)
	raw, err := yaml.Marshal([]evals.Case{c})
	return string(raw), err
}

func addStep(c *evals.Case, st stepRow) {
	switch {
	case st.Kind != CallStep:
	case st.Failed:
		if !slices.Contains(c.Expect.Failed, st.Tool) {
			c.Expect.Failed = append(c.Expect.Failed, st.Tool)
		}
	default:
		var args map[string]any
		if json.Unmarshal([]byte(st.Args), &args) == nil {
			c.Expect.Called = append(c.Expect.Called, evals.Invocation{Tool: st.Tool, Args: args})
		}
	}
}

func addTurns(c *evals.Case, turns []Turn) {
	if len(turns) == 0 {
		return
	}
	c.Planner = "model"
	for _, t := range turns {
		says := evals.Says{Text: t.Text, Stop: t.Stop, In: t.TokensIn, Out: t.TokensOut}
		for _, call := range t.Calls {
			var args map[string]any
			if json.Unmarshal(call.Args, &args) == nil {
				says.Calls = append(says.Calls, evals.Said{Tool: call.Tool, Args: args})
			}
		}
		c.Cassette = append(c.Cassette, evals.Turn{Says: says})
	}
}
