package secrets

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// TestToolShowsNamesOnly: names of what the caller may see, and never a value.
func TestToolShowsNamesOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := tools.NewRegistry()
	if err := b.RegisterTools(r); err != nil {
		t.Fatal(err)
	}
	b.set(t, 1, "", "token", "s3cret")
	b.set(t, 1, "web", "key", map[string]any{"deep": "s3cret"})
	b.set(t, 1, "api", "key", "s3cret")
	b.set(t, 2, "", "theirs", "s3cret")
	viewer := as(t.Context(), identity.Viewer)
	for _, c := range []struct {
		name  string
		who   context.Context
		input string
		want  string
	}{
		{"a team", viewer, `{"team":"main"}`, `{"secrets":[{"name":"token","pipeline":""},{"name":"key","pipeline":"api"},{"name":"key","pipeline":"web"}]}`},
		{"a pipeline", viewer, `{"team":"main","pipeline":"web"}`, `{"secrets":[{"name":"token","pipeline":""},{"name":"key","pipeline":"web"}]}`},
		{"a pipeline that is not there", viewer, `{"team":"main","pipeline":"no"}`, `{"secrets":[{"name":"token","pipeline":""}]}`},
		{"another team", viewer, `{"team":"other"}`, `no team`},
		{"no team", viewer, `{}`, `team`},
		{"an odd key", viewer, `{"team":"main","value":true}`, `value`},
		{"a stranger", identity.With(t.Context(), identity.Caller{}), `{"team":"main"}`, `Sign in`},
	} {
		out, err := r.Call(c.who, "ci_secret_names", json.RawMessage(c.input))
		got := string(out)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) || strings.Contains(got, "s3cret") {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
