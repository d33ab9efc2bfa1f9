package github

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

func TestTools(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	r := tools.NewRegistry()
	if err := c.RegisterTools(r); err != nil {
		t.Fatal(err)
	}
	h := c.ensure(t, "web")
	c.hub.Deliver(t.Context(), "octo", "web", "push", event(1))
	run := func(name, in string) (string, error) {
		out, err := r.Call(c.as(t.Context()), name, json.RawMessage(in))
		return string(out), err
	}
	must := func(name, in string, contains ...string) {
		t.Helper()
		out, err := run(name, in)
		if err != nil || strings.Contains(out, "hush") {
			t.Errorf("%s: %s %v", name, out, err)
		}
		for _, want := range contains {
			if !strings.Contains(out, want) {
				t.Errorf("%s does not say %s: %s", name, want, out)
			}
		}
	}
	must("ci_connection_list", `{"team":"main"}`, `"name":"gh"`, `"kind":"token"`, `"calls_left":4999`)
	must("ci_webhook_list", `{"team":"main"}`, h.ID, `"repository":"octo/web"`, `"event":"push"`)
	must("ci_webhook_list", `{"team":"main","failed":true}`, `"deliveries":[]`)
	d := c.list(t, DeliveryFilter{})[0]
	must("ci_webhook_redeliver", `{"delivery":"`+d.ID+`"}`, `"done":true`)
	must("ci_webhook_redeliver", `{"delivery":"`+d.ID+`","github":true}`, `"done":true`)
	if c.hub.Count("POST /repos/octo/web/hooks/") != 1 {
		t.Error("GitHub was not asked")
	}
	hook, _, delivery := foreign(t, c.bundle)
	for name, in := range map[string]string{"ci_webhook_delete": `{"hook":"` + hook + `"}`, "ci_webhook_redeliver": `{"delivery":"` + delivery + `"}`, "ci_webhook_list": `{"team":"other"}`,
		"ci_connection_list": `{"team":"other"}`} {
		if out, err := run(name, in); err == nil {
			t.Errorf("%s reaches another team: %s", name, out)
		}
	}
	c.role = identity.Viewer
	if _, err := run("ci_webhook_delete", `{"hook":"`+h.ID+`"}`); err == nil {
		t.Error("a viewer deletes")
	}
	c.role = identity.Member
	must("ci_webhook_delete", `{"hook":"`+h.ID+`"}`, `"done":true`)
	if n := c.left(t, removalJob, "%"); n != 1 {
		t.Errorf("%d removals", n)
	}
}

func TestDeliverySearch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.newHook(t)
	b.deliver(t, h, "aaaa-1", "push", `{"repository":{"full_name":"octo/web"},"sender":{"login":"ada"}}`)
	b.deliver(t, h, "bbbb-2", "issues", `{"action":"opened","repository":{"full_name":"octo/api_1"},"sender":{"login":"bob"}}`)
	b.deliver(t, h, "cccc-3", "issue_comment", `{"action":"created","repository":{"full_name":"octo/apix1"},"sender":{"login":"ada"}}`)
	for query, want := range map[string]int{"": 3, "?q=OCTO": 3, "?q=api_1": 1, "?q=%25": 0, "?q=bbbb": 1, "?q=opened": 1, "?sender=ada": 2, "?sender=ada&event=push": 1, "?q=nothing": 0,
		"?gap=true": 0, "?q=%27": 0, "?q=issue&repository=octo/apix1": 1, "?state=waiting": 3, "?state=failed": 0, `?q=%5C`: 0} {
		var page deliveriesOut
		if b.call(t, "GET", "/deliveries"+query, "", 200, &page); len(page.Items) != want {
			t.Errorf("%s: %d, want %d", query, len(page.Items), want)
		}
	}
}
