package logs

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

func TestTools(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.push()
	r := tools.NewRegistry()
	if err := w.RegisterTools(r); err != nil {
		t.Fatal(err)
	}
	caller, err := identify(t.Context(), "reader")
	if err != nil {
		t.Fatal(err)
	}
	ctx := identity.With(t.Context(), caller)
	id := w.search(red, "slow").Lines[0].ID
	const span = `"from":"2026-11-20T11:59:00Z","to":"2026-11-20T12:01:00Z"`
	tests := []struct{ name, in, want string }{
		{"logs_line_search", `{"team":"reds","query":"refused",` + span + `}`, `"message":"level=error refused by db"`},
		{"logs_line_search", `{"team":"reds","query":"| stats count()",` + span + `}`, `"rows":[["3"]]`},
		{"logs_line_count", `{"team":"reds",` + span + `}`, `"total":3`},
		{"logs_pattern_list", `{"team":"reds",` + span + `}`, `"pattern":"hello","count":1`},
		{"logs_field_list", `{"team":"reds",` + span + `}`, `"name":"trace_id"`},
		{"logs_field_list", `{"team":"reds","name":"service",` + span + `}`, `{"value":"api","lines":2}`},
		{"logs_line_context", `{"team":"reds","id":"` + id + `"}`, `"index":1`},
	}
	for _, test := range tests {
		out, err := r.Call(ctx, test.name, json.RawMessage(test.in))
		raw, bad := json.Marshal(out)
		if err != nil || bad != nil || !strings.Contains(string(raw), test.want) {
			t.Errorf("%s %s: %v %s", test.name, test.in, err, raw)
		}
	}
	if _, err := r.Call(ctx, "logs_line_search", json.RawMessage(`{"team":"blues"}`)); err == nil {
		t.Error("another team's lines were read")
	}
}
