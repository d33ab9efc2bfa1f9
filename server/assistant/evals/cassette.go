package evals

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/signalbox/signalbox/bots/llm"
)

// Turn is one turn of a model on a cassette: what it must be shown, and what it says.
type Turn struct {
	Shown Shown `yaml:"shown,omitempty"`
	Says  Says  `yaml:"says"`
}

// Shown are matchers on what a model is shown.
type Shown struct {
	// System stands in the system prompt, Tools are offered, Withheld are not.
	System   []Fact   `yaml:"system,omitempty"`
	Tools    []string `yaml:"tools,omitempty"`
	Withheld []string `yaml:"withheld,omitempty"`
	// Question stands in the first message.
	Question Fact `yaml:"question,omitempty"`
	// Results stand in the results of the turn before, in any of them; Errors says how many of those are errors.
	Results []Fact `yaml:"results,omitempty"`
	Errors  *int   `yaml:"errors,omitempty"`
}

// Says is a model's turn.
type Says struct {
	Text  string `yaml:"text,omitempty"`
	Calls []Said `yaml:"calls,omitempty"`
	// Stop is done, tools, cut or refused; it follows from the calls when empty.
	Stop string `yaml:"stop,omitempty"`
	In   int64  `yaml:"in,omitempty"`
	Out  int64  `yaml:"out,omitempty"`
}

// Said is a call that a model makes.
type Said struct {
	Tool string         `yaml:"tool"`
	Args map[string]any `yaml:"args,omitempty"`
}

// Player is a model that plays a cassette.
type Player struct {
	turns []Turn
	mu    sync.Mutex
	at    int
	wrong []Finding
}

// Play gives a model that says what is on the cassette.
func Play(turns []Turn) *Player { return &Player{turns: turns} }

// Turn plays the next turn, once what is shown is as the cassette expects.
func (p *Player) Turn(_ context.Context, r llm.Request) (llm.Reply, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at++
	if p.at > len(p.turns) {
		return llm.Reply{}, p.fail("turn %d is not on the cassette", p.at)
	}
	turn := p.turns[p.at-1]
	if err := p.match(turn.Shown, r); err != nil {
		return llm.Reply{}, err
	}
	return turn.Says.reply(p.at)
}

func (p *Player) fail(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	p.wrong = append(p.wrong, Finding{"cassette", text})
	return fmt.Errorf("cassette: %s", text)
}

func (p *Player) match(s Shown, r llm.Request) error {
	for _, fact := range s.System {
		if !fact.in(r.System) {
			return p.fail("turn %d: the system prompt lacks %s", p.at, fact)
		}
	}
	offered := func(name string) bool {
		return slices.ContainsFunc(r.Tools, func(t llm.Tool) bool { return t.Name == name })
	}
	for _, name := range s.Tools {
		if !offered(name) {
			return p.fail("turn %d: %s is not offered", p.at, name)
		}
	}
	for _, name := range s.Withheld {
		if offered(name) {
			return p.fail("turn %d: %s is offered", p.at, name)
		}
	}
	if len(s.Question) > 0 && (len(r.Messages) == 0 || !s.Question.in(r.Messages[0].Text)) {
		return p.fail("turn %d: the question lacks %s", p.at, s.Question)
	}
	var results strings.Builder
	failed := 0
	if n := len(r.Messages); n > 0 {
		for _, one := range r.Messages[n-1].Results {
			results.WriteString(one.Text + "\n")
			if one.IsError {
				failed++
			}
		}
	}
	for _, fact := range s.Results {
		if !fact.in(results.String()) {
			return p.fail("turn %d: the results lack %s", p.at, fact)
		}
	}
	if s.Errors != nil && *s.Errors != failed {
		return p.fail("turn %d: %d results are errors, want %d", p.at, failed, *s.Errors)
	}
	return nil
}

func (s Says) reply(turn int) (llm.Reply, error) {
	out := llm.Reply{Text: s.Text, Stop: llm.Stop(s.Stop), Usage: llm.Usage{In: s.In, Out: s.Out}}
	for i, c := range s.Calls {
		raw, err := json.Marshal(c.Args)
		if err != nil {
			return out, err
		}
		if c.Args == nil {
			raw = []byte("{}")
		}
		out.Calls = append(out.Calls, llm.Call{ID: fmt.Sprintf("c%d-%d", turn, i+1), Name: c.Tool, Args: raw})
	}
	if out.Stop == "" {
		out.Stop = llm.Done
		if len(out.Calls) > 0 {
			out.Stop = llm.Tools
		}
	}
	return out, nil
}

// Wrong is what was not as the cassette expects; turns that were never played are wrong too.
func (p *Player) Wrong() []Finding {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := slices.Clone(p.wrong)
	if p.at < len(p.turns) && len(out) == 0 {
		out = append(out, Finding{"cassette", fmt.Sprintf("%d of %d turns were played", p.at, len(p.turns))})
	}
	return out
}

// Recorder keeps what a model says as a cassette.
type Recorder struct {
	Model llm.Model
	mu    sync.Mutex
	turns []Turn
}

// Turn asks the model and keeps its turn, with what it was shown as far as that must stay.
func (r *Recorder) Turn(ctx context.Context, req llm.Request) (llm.Reply, error) {
	reply, err := r.Model.Turn(ctx, req)
	if err != nil {
		return reply, err
	}
	turn := Turn{Says: Says{Text: reply.Text, Stop: string(reply.Stop), In: reply.Usage.In, Out: reply.Usage.Out}}
	for _, c := range reply.Calls {
		var args map[string]any
		if err := json.Unmarshal(c.Args, &args); err != nil {
			return reply, err
		}
		turn.Says.Calls = append(turn.Says.Calls, Said{c.Name, args})
		turn.Shown.Tools = append(turn.Shown.Tools, c.Name)
	}
	slices.Sort(turn.Shown.Tools)
	turn.Shown.Tools = slices.Compact(turn.Shown.Tools)
	if n := len(req.Messages); n > 0 && len(req.Messages[n-1].Results) > 0 {
		failed := 0
		for _, one := range req.Messages[n-1].Results {
			if one.IsError {
				failed++
			}
		}
		turn.Shown.Errors = &failed
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turns = append(r.turns, turn)
	return reply, nil
}

// Cassette is what was recorded.
func (r *Recorder) Cassette() []Turn {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.turns)
}
