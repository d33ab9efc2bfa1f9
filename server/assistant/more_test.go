package assistant

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/bots/llm"
)

// TestMore pages through a result that was cut, and through no other.
func TestMore(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	big := portalTool("logs_line_search", "")
	big.Run = func(context.Context, json.RawMessage) (any, error) {
		return map[string]string{"lines": strings.Repeat("x", 20_000) + "the-end"}, nil
	}
	if err := w.Tools.Register(big); err != nil {
		t.Fatal(err)
	}
	model := &script{turns: []llm.Reply{wants(call("1", "logs_line_search", `{}`)), wants(call("2", "result_more", `{"handle":1,"from":18000}`), call("3", "result_more", `{"handle":7,"from":0}`), call("4", "result_more", `{"handle":1,"from":-1}`)), says("seen")}}
	w.Model, w.Planner = model, ByLLM
	run, err := w.Ask(w.as(t.Context()), Question{Team: "main", Text: "what do the lines say?"})
	if err != nil || len(run.Steps) != 4 {
		t.Fatalf("%+v %v", run, err)
	}
	shown := model.results()
	if !strings.Contains(shown, "call result_more with handle 1") || !strings.Contains(shown, "the-end") || strings.Count(shown, "There is no such result") != 2 {
		t.Errorf("%.3000s", shown)
	}
}
