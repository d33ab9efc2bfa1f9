package notify

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// TestToolListsChannels: what channels there are and how the last delivery went, without
// the addresses that are secrets.
func TestToolListsChannels(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	r := tools.NewRegistry()
	if err := b.RegisterTools(r); err != nil {
		t.Fatal(err)
	}
	there := listen(t, say(400, "go away"))
	made := b.create(t, `{"team":"main","kind":"webhook","name":"bus","url":"`+there.URL+`/hush-hush","events":["build.failed"]}`)
	b.raise(t, broken)
	until(t, "the delivery to fail", func() bool { return b.newest(t, made.ID).Error != "" })
	member := b.as(t.Context())
	for _, c := range []struct {
		name  string
		who   context.Context
		input string
		want  []string
	}{
		{"the team", member, `{"team":"main"}`, []string{`"name":"bus"`, `"kind":"webhook"`, `"events":["build.failed"]`, `"enabled":true`, `"error":"`, `400`}},
		{"another team", member, `{"team":"other"}`, []string{"no team"}},
		{"no team", member, `{}`, []string{"team"}},
		{"a stranger", identity.With(t.Context(), identity.Caller{}), `{"team":"main"}`, []string{"Sign in"}},
	} {
		out, err := r.Call(c.who, "ci_channel_list", json.RawMessage(c.input))
		got := string(out)
		if err != nil {
			got = err.Error()
		}
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %s, want %s", c.name, got, want)
			}
		}
		if strings.Contains(got, "hush-hush") {
			t.Errorf("%s tells the address: %s", c.name, got)
		}
	}
	for name, want := range map[string]string{"accounts_rules_list": `"id":"ci:build.failed"`, "accounts_messages_list": `"state":"failed"`} {
		if out, err := r.Call(member, name, json.RawMessage(`{"team":"main"}`)); err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %s %v", name, out, err)
		}
		if out, err := r.Call(member, name, json.RawMessage(`{"team":"other"}`)); err == nil {
			t.Errorf("%s: %s", name, out)
		}
	}
}
