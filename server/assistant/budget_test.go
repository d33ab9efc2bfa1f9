package assistant

import (
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/bots/llm"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// TestBudgets uses a day up: of a person by questions and tokens, of a channel by what everybody asks there.
func TestBudgets(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	w.PriceIn, w.PriceOut = 3, 15
	w.Model, w.Planner = &script{turns: []llm.Reply{{Text: "Fine.", Stop: llm.Done, Usage: llm.Usage{In: 1000, Out: 100}}}}, ByLLM
	ask := func(id int64, channel string) (Run, error) {
		return w.Ask(w.person(t.Context(), id, "p", identity.Member), Question{Team: "main", Text: "how is it going?", Channel: channel})
	}
	limit := func(person, channel Budget) {
		w.set(t, Settings{Budgets: Budgets{Person: person, Channel: channel}})
	}
	limit(Budget{Runs: 2, Tokens: -1, Cost: -1}, Budget{Runs: 3, Tokens: -1, Cost: -1})
	run, err := ask(20, "C1")
	if err != nil || run.TokensIn != 1000 || run.TokensOut != 100 || run.Cost != 4500 || run.Channel != "C1" {
		t.Fatalf("%+v %v", run, err)
	}
	over := func(id int64, channel, contains string) {
		t.Helper()
		if _, err := ask(id, channel); !problem.Is(err, problem.TooMany) || !strings.Contains(err.Error(), contains) {
			t.Errorf("%v, want %q", err, contains)
		}
	}
	fine := func(id int64, channel string) {
		t.Helper()
		if _, err := ask(id, channel); err != nil {
			t.Error(err)
		}
	}
	fine(20, "C1")
	over(20, "C1", "2 questions")
	fine(21, "C1")
	over(22, "C1", "This channel has used up its 3 questions")
	fine(22, "C2")
	limit(Budget{Runs: -1, Tokens: 2200, Cost: -1}, Budget{})
	over(20, "", "2,200 tokens")
	limit(Budget{Runs: -1, Tokens: -1, Cost: 9000}, Budget{})
	over(20, "", "0.01 dollars")
	fine(23, "")
	w.clock.Add((25 * time.Hour).Milliseconds())
	fine(20, "")
	if _, err := w.SaveSettings(w.as(t.Context()), w.team, Settings{Budgets: Budgets{Person: Budget{Runs: 1 << 60}}}); !problem.Is(err, problem.Invalid) {
		t.Errorf("a budget without sense: %v", err)
	}
}
