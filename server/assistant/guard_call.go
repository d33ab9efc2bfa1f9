package assistant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/assistant/guard"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// guards are what stands between one run and what it may not do.
type guards struct {
	scrubber *guard.Scrubber
	// scrubbed counts the secrets that were taken out; mixed are the sources that others than the team write to and
	// that were read; proposed are the calls that wait for a person. All under mu of the run.
	scrubbed int64
	mixed    []string
	proposed []Approval
}

// prepare reads what the team allows, before anything is kept or asked.
func (a *asked) prepare(ctx context.Context) error {
	settings, err := a.service.settings(ctx, a.team.ID)
	if err != nil {
		return err
	}
	a.settings = settings
	if a.scrubber, err = a.service.scrubber(ctx, a.team.ID); err != nil {
		return err
	}
	a.question.Text = a.scrubText(a.question.Text)
	return a.service.withinBudget(ctx, a, settings)
}

// guarded is the one way from a run to a tool: what it may not do is refused by a rule, what changes something waits
// for a person, and what comes back is cleaned and scrubbed before anybody sees it.
func (a *asked) guarded(ctx context.Context, name string, args json.RawMessage) (json.RawMessage, StepKind, error) {
	tool, err := a.toolFor(name)
	if err == nil {
		args, err = a.mayCall(ctx, tool, args)
	}
	var refused *guard.Refusal
	if errors.As(err, &refused) {
		return nil, GuardStep, problem.Wrap(err, problem.Forbidden, "Not allowed (%s): %s", refused.Rule, refused.Says)
	}
	if err != nil {
		return nil, CallStep, err
	}
	if tool.Class != tools.ReadOnly && !tool.direct {
		out, err := a.propose(ctx, tool, args)
		return out, ApprovalStep, err
	}
	out, err := a.service.callTool(ctx, a, tool, args)
	if err != nil {
		return nil, CallStep, a.scrubError(err)
	}
	return a.scrubJSON(out), CallStep, nil
}

// propose keeps a call for a person to approve and tells what it waits for.
func (a *asked) propose(ctx context.Context, tool callable, args json.RawMessage) (json.RawMessage, error) {
	approval, err := a.service.propose(ctx, proposal{team: a.team, by: a.caller, tool: tool.Tool, outside: tool.source == fromOutside, args: args, run: a.id, surface: a.question.Surface, channel: a.question.Channel})
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	if !slices.ContainsFunc(a.proposed, func(o Approval) bool { return o.ID == approval.ID }) {
		a.proposed = append(a.proposed, approval)
	}
	a.mu.Unlock()
	return json.Marshal(waits(approval))
}

// mayCall holds a call to the rules of the run; arguments come back as they will be sent.
func (a *asked) mayCall(ctx context.Context, tool callable, args json.RawMessage) (json.RawMessage, error) {
	if tool.Class != tools.ReadOnly && a.question.replayOf != "" {
		return nil, guard.Refuse("replay", "A replay changes nothing and proposes nothing.")
	}
	if tool.Class != tools.ReadOnly && !tool.direct && a.settings.Writes != WritesConfirm {
		return nil, guard.Refuse("writes", "The assistant of this team changes nothing. An owner can let it propose changes under Assistant, Settings.")
	}
	read, args, err := a.repositoriesOf(tool, args)
	if err != nil {
		return nil, err
	}
	if a.planner != "model" {
		return args, nil // a plan's calls are fixed: nothing that it reads can choose the next one
	}
	var public []string
	for _, repository := range read {
		if a.service.isPublic(ctx, a.team.ID, repository) {
			public = append(public, repository)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.mix(tool, read); err != nil {
		return nil, err
	}
	// Noted before it is read: what is called side by side must not slip through.
	switch {
	case len(public) > 0:
		a.note(strings.Join(public, ", "))
	case tool.source == fromOutside && (tool.Class == tools.ReadOnly || tool.direct), tool.source == fromPortal && tool.Class == tools.ReadOnly && !ownWords[tool.Name]:
		a.note(tool.Name)
	}
	return args, nil
}

func (a *asked) note(source string) {
	if !slices.Contains(a.mixed, source) {
		a.mixed = append(a.mixed, source)
	}
}

// repositoriesOf checks which repositories a call reaches, and adds the one that was asked about to a search without.
func (a *asked) repositoriesOf(tool callable, args json.RawMessage) ([]string, json.RawMessage, error) {
	if !tool.about {
		return nil, args, nil
	}
	var given map[string]any
	if err := json.Unmarshal(args, &given); err != nil {
		return nil, args, problem.Wrap(err, problem.Invalid, "The arguments are no JSON object.")
	}
	asked, err := a.repository()
	if err != nil {
		asked = ""
	}
	read, err := guard.Repositories{Allowed: a.settings.Repositories, Asked: asked}.Args(given)
	if err != nil {
		return nil, args, err
	}
	out, err := json.Marshal(given)
	return read, out, err
}

// scrubText takes secrets out of a text that leaves.
func (a *asked) scrubText(text string) string {
	out, n := a.scrubber.Scrub("", text)
	a.count(n)
	return out
}

func (a *asked) count(n int) {
	a.mu.Lock()
	a.scrubbed += int64(n)
	a.mu.Unlock()
}

// scrubJSON cleans and scrubs each text of a result.
func (a *asked) scrubJSON(raw json.RawMessage) json.RawMessage {
	total := 0
	out := guard.Strings(raw, func(key, text string) string {
		text, n := a.scrubber.Scrub(key, guard.Clean(text))
		total += n
		return text
	})
	a.count(total)
	return out
}

func (a *asked) scrubArgs(raw json.RawMessage) json.RawMessage {
	return guard.Strings(raw, func(key, text string) string {
		text, _ = a.scrubber.Scrub(key, text)
		return text
	})
}

// scrubError keeps what an error says from telling more than a result may.
func (a *asked) scrubError(err error) error {
	p := problem.From(err)
	if text := a.scrubText(guard.Clean(p.Detail)); text != p.Detail {
		return problem.Wrap(err, p.Kind, "%s", text)
	}
	return err
}

// leave is the last look at an answer: secrets, links, and what waits for a person.
func (a *asked) leave(answer *Answer) {
	for _, p := range a.proposed {
		what := p.Title
		if p.Target != "" {
			what += ": " + p.Target
		}
		line := "Waiting for approval: " + plain(what) + ". Nothing is done before."
		if p.Page != "" {
			line = "Waiting for approval: " + link(plain(what), p.Page) + ". Nothing is done before."
		}
		answer.Text = strings.TrimSpace(answer.Text + "\n\n" + line)
	}
	answer.Text = a.scrubText(answer.Text)
	for i := range answer.Sources {
		answer.Sources[i].Title = a.scrubText(answer.Sources[i].Title)
	}
}

// scrubFor scrubs what is kept outside of a run.
func (s *Service) scrubFor(ctx context.Context, team int64, text string) string {
	scrubber, err := s.scrubber(ctx, team)
	if err != nil {
		s.Log.Warn("known secrets could not be read, so nothing is kept of a result", "error", err)
		return ""
	}
	return string(guard.Strings([]byte(text), func(key, text string) string {
		text, _ = scrubber.Scrub(key, guard.Clean(text))
		return text
	}))
}

// knownFor is how long values of secrets are remembered, so that not each question opens all of them.
const knownFor = 30 * time.Second

// knownValues remembers scrubbers by team.
type knownValues struct {
	mu   sync.Mutex
	list map[int64]knownScrubber
}

type knownScrubber struct {
	at       time.Time
	scrubber *guard.Scrubber
}

// scrubber knows the secrets of a team.
func (s *Service) scrubber(ctx context.Context, team int64) (*guard.Scrubber, error) {
	if s.Known == nil {
		return guard.NewScrubber(nil), nil
	}
	s.known.mu.Lock()
	have, ok := s.known.list[team]
	s.known.mu.Unlock()
	if ok && s.Now().Sub(have.at).Abs() < knownFor {
		return have.scrubber, nil
	}
	values, err := s.Known(ctx, team)
	if err != nil {
		return nil, fmt.Errorf("read the secrets that must not leave: %w", err)
	}
	scrubber := guard.NewScrubber(values)
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	if s.known.list == nil {
		s.known.list = map[int64]knownScrubber{}
	}
	s.known.list[team] = knownScrubber{s.Now(), scrubber}
	return scrubber, nil
}
