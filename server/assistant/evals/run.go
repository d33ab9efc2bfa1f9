package evals

import (
	"context"
	"fmt"
	"time"

	"github.com/signalbox/signalbox/bots/llm"
)

// Asked is a question as a case asks it.
type Asked struct {
	Text, Zone, Repository, Thread string
}

// Asker is an assistant that is examined.
type Asker func(ctx context.Context, q Asked) (Trace, error)

// Room makes an assistant for one phrasing of a case: its world, its faults, and
// a model when the case has one. What it gives last is called at the end.
type Room func(ctx context.Context, c Case, model llm.Model) (Asker, func(), error)

// Result is how one phrasing of a case fared.
type Result struct {
	Case     string
	Asked    string
	Findings []Finding
	// Trace is the run, the follow-ups' behind it.
	Traces []Trace
	Took   time.Duration
}

// Passed tells whether the run was as it should be.
func (r Result) Passed() bool { return len(r.Findings) == 0 }

// Options say how cases are run.
type Options struct {
	// Live is asked for cases of a model without a cassette; without it they are left out.
	Live llm.Model
	// Runs is how often a live model is asked the same; Now measures.
	Runs int
	Now  func() time.Time
}

// Run asks all phrasings of all cases, one after the other.
func Run(ctx context.Context, cases []Case, room Room, o Options) ([]Result, error) {
	var out []Result
	for _, c := range cases {
		if c.Planner == "live" && o.Live == nil {
			continue
		}
		times := 1
		if c.Planner == "live" {
			times = max(1, o.Runs)
		}
		for range times {
			for n := range c.Ask {
				r, err := runOne(ctx, c, n, room, o)
				if err != nil {
					return out, fmt.Errorf("case %s: %w", c.Name, err)
				}
				out = append(out, r)
			}
		}
	}
	return out, nil
}

func runOne(ctx context.Context, c Case, phrasing int, room Room, o Options) (Result, error) {
	r := Result{Case: c.Name, Asked: c.Ask[phrasing]}
	model := o.Live
	var player *Player
	if c.Planner != "live" {
		model = nil
	}
	if len(c.Cassette) > 0 {
		player = Play(c.Cassette)
		model = player
	}
	ask, done, err := room(ctx, c, model)
	if err != nil {
		return r, err
	}
	defer done()
	began := o.Now()
	t, err := ask(ctx, Asked{Text: r.Asked, Zone: c.Zone, Repository: c.Repository})
	if err != nil {
		return r, err
	}
	r.Traces = append(r.Traces, t)
	r.Findings = Check(c.Expect, t)
	if phrasing == 0 {
		thread := t.Thread
		for _, next := range c.Then {
			t, err := ask(ctx, Asked{Text: next.Ask[0], Zone: c.Zone, Repository: c.Repository, Thread: thread})
			if err != nil {
				return r, err
			}
			r.Traces = append(r.Traces, t)
			for _, f := range Check(next.Expect, t) {
				r.Findings = append(r.Findings, Finding{f.Pattern, fmt.Sprintf("then %q: %s", next.Ask[0], f.Text)})
			}
		}
	}
	if player != nil {
		r.Findings = append(r.Findings, player.Wrong()...)
	}
	r.Took = o.Now().Sub(began)
	return r, nil
}
