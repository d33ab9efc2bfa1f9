package assistant

import (
	"context"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/signalbox/signalbox/bots/llm"
	"github.com/signalbox/signalbox/server/assistant/evals"
	"github.com/signalbox/signalbox/server/assistant/evals/acme"
	"github.com/signalbox/signalbox/server/assistant/evals/provider"
)

// ofModel are the shipped cases that a model answers.
func ofModel(t *testing.T) []evals.Case {
	list, err := evals.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(c evals.Case) bool { return c.Planner != "model" })
	if len(list) < 7 {
		t.Fatalf("only %d cases have a model", len(list))
	}
	return list
}

// over has each model answer over a provider's protocol.
func over(t *testing.T, name string, next evals.Room) evals.Room {
	return func(ctx context.Context, c evals.Case, model llm.Model) (evals.Asker, func(), error) {
		server := httptest.NewServer(provider.Serve(name, model))
		t.Cleanup(server.Close)
		spoken, err := llm.New(llm.Config{Provider: name, Model: provider.Name, URL: server.URL, Key: "k", Secret: "s", Region: "eu-west-1", HTTP: server.Client()})
		if err != nil {
			return nil, nil, err
		}
		return next(ctx, c, spoken)
	}
}

// TestProtocols asks what needs a model over each provider's protocol.
func TestProtocols(t *testing.T) {
	t.Parallel()
	for _, name := range provider.Names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			results, err := evals.Run(t.Context(), ofModel(t), over(t, name, reusing(t)), evals.Options{Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				for _, f := range r.Findings {
					t.Errorf("%s: %s: %s\n%s", r.Case, f.Pattern, f.Text, r.Traces[0].Answer.Text)
				}
			}
		})
	}
}

// reusing makes one assistant for all cases without faults: a database is dear.
func reusing(t testing.TB) evals.Room {
	usual, fresh := setup(t), room(t)
	usual.Planner = ByLLM
	return func(ctx context.Context, c evals.Case, model llm.Model) (evals.Asker, func(), error) {
		if len(c.Faults) > 0 {
			return fresh(ctx, c, model)
		}
		usual.Model = model
		return usual.examine, func() {}, nil
	}
}

// tampers spoil a case as a broken assistant or model would.
var tampers = []struct {
	name  string
	spoil func(c *evals.Case)
}{
	{"the tools are skipped", func(c *evals.Case) { c.Cassette = c.Cassette[len(c.Cassette)-1:] }},
	{"a tool is invented", func(c *evals.Case) {
		for i := range c.Cassette {
			for n := range c.Cassette[i].Says.Calls {
				c.Cassette[i].Says.Calls[n].Tool = "github__merge_everything"
			}
		}
	}},
	{"it goes round in circles", func(c *evals.Case) { c.Cassette = slices.Repeat(c.Cassette[:1], 20) }},
	{"success is claimed", func(c *evals.Case) {
		c.Faults = map[string]string{}
		for _, turn := range c.Cassette {
			for _, call := range turn.Says.Calls {
				c.Faults[call.Tool] = string(acme.FaultError)
			}
		}
		if len(c.Expect.Failed) > 0 {
			c.Cassette[len(c.Cassette)-1].Says.Text = "No pull requests were merged this week."
		}
	}},
	{"a fact is invented", func(c *evals.Case) { c.Cassette[len(c.Cassette)-1].Says.Text += " See also #987654." }},
	{"another repository is read", func(c *evals.Case) {
		for i := range c.Cassette {
			for n, call := range c.Cassette[i].Says.Calls {
				c.Cassette[i].Says.Calls[n].Args = map[string]any{"owner": "acme", "repo": "legacy", "query": "repo:acme/legacy is:open", "team": "main"}
				_ = call
			}
		}
	}},
	{"the answer is empty", func(c *evals.Case) { c.Cassette[len(c.Cassette)-1].Says.Text = "" }},
	{"everybody is pinged", func(c *evals.Case) { c.Cassette[len(c.Cassette)-1].Says.Text = "<!channel> done" }},
}

// TestTampered spoils every cassette in every way; each must be found, by what was
// recorded alone: the matchers on what the model is shown are taken away.
func TestTampered(t *testing.T) {
	t.Parallel()
	reused := reusing(t)
	for _, tamper := range tampers {
		for _, c := range ofModel(t) {
			for i := range c.Cassette {
				c.Cassette[i].Shown = evals.Shown{}
			}
			tamper.spoil(&c)
			results, err := evals.Run(t.Context(), []evals.Case{c}, reused, evals.Options{Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			if found := slices.DeleteFunc(results[0].Findings, func(f evals.Finding) bool { return f.Pattern == "cassette" }); len(found) == 0 {
				t.Errorf("%s: %s, and nobody noticed: %s", c.Name, tamper.name, results[0].Traces[0].Answer.Text)
			}
		}
	}
}

// TestChangedPrompt shows a model something else than its cassette expects.
func TestChangedPrompt(t *testing.T) {
	t.Parallel()
	c := ofModel(t)[0]
	c.Cassette[0].Shown.System = append(c.Cassette[0].Shown.System, evals.Fact{"a rule that was taken out"})
	results, err := evals.Run(t.Context(), []evals.Case{c}, room(t), evals.Options{Now: time.Now})
	if err != nil || !slices.ContainsFunc(results[0].Findings, func(f evals.Finding) bool { return f.Pattern == "cassette" }) {
		t.Errorf("%v %+v", err, results)
	}
}
