package github

import (
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/identity"
)

func TestHookRoutes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var made HookSecret
	b.call(t, "POST", "/hooks", `{"team":"main","name":"web"}`, 201, &made)
	if len(made.ID) != 32 || len(made.Secret) != 64 || made.URL != "https://signalbox.example.com/hooks/github/"+made.ID {
		t.Errorf("%+v", made)
	}
	if list := b.call(t, "GET", "/hooks?team=main", "", 200, nil); !strings.Contains(list, made.ID) || strings.Contains(list, made.Secret) || strings.Contains(list, "secret") {
		t.Errorf("list: %s", list)
	}
	b.call(t, "POST", "/hooks", `{"team":"other"}`, 404, nil)
	b.call(t, "POST", "/hooks", `{"team":"main","connection":"none"}`, 400, nil)
	b.call(t, "POST", "/hooks", `{"team":"main","name":"`+strings.Repeat("x", 200)+`"}`, 400, nil)
	var rotated HookSecret
	b.call(t, "POST", "/hooks/"+made.ID+"/rotate", "", 200, &rotated)
	if rotated.Secret == made.Secret || rotated.PreviousUntil == 0 {
		t.Errorf("%+v", rotated)
	}
	b.role = identity.Viewer
	b.call(t, "DELETE", "/hooks/"+made.ID, "", 403, nil)
	b.call(t, "GET", "/hooks", "", 200, nil)
	b.role = identity.Member
	b.call(t, "DELETE", "/hooks/"+made.ID, "", 204, nil)
	b.call(t, "DELETE", "/hooks/"+made.ID, "", 404, nil)
	if got := strings.Join(b.audit, "|"); got != "github.hook.create web|github.hook.rotate web|github.hook.delete web" {
		t.Errorf("audit: %s", got)
	}
}

// foreign makes a hook, a connection and a delivery of the other team.
func foreign(t *testing.T, b *bundle) (hook, connection, delivery string) {
	t.Helper()
	ctx := identity.With(t.Context(), identity.Caller{UserID: 2, Roles: map[int64]identity.Role{2: identity.Owner}})
	h, err := b.CreateHook(ctx, 2, "theirs", "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.CreateConnection(ctx, 2, "theirs", "", "t")
	if err != nil {
		t.Fatal(err)
	}
	b.deliver(t, h, "g", "push", `{}`)
	return h.ID, c.ID, b.list(t, DeliveryFilter{Hook: h.ID})[0].ID
}

func TestOtherTeamsAreInvisible(t *testing.T) {
	t.Parallel()
	b := setup(t)
	hook, connection, delivery := foreign(t, b)
	for _, c := range [][3]string{
		{"DELETE", "/hooks/" + hook, ""}, {"POST", "/hooks/" + hook + "/rotate", ""}, {"PATCH", "/connections/" + connection, `{"name":"mine"}`},
		{"DELETE", "/connections/" + connection, ""}, {"POST", "/connections/" + connection + "/test", ""}, {"GET", "/deliveries/" + delivery, ""},
		{"POST", "/deliveries/" + delivery + "/redeliver", ""}, {"GET", "/deliveries?team=other", ""}, {"GET", "/hooks?team=other", ""}, {"GET", "/connections?team=other", ""},
	} {
		b.call(t, c[0], c[1], c[2], 404, nil)
	}
	for _, path := range []string{"/hooks", "/connections", "/deliveries", "/deliveries?hook=" + hook} {
		if got := b.call(t, "GET", path, "", 200, nil); !strings.Contains(got, `"items":[]`) {
			t.Errorf("%s: %s", path, got)
		}
	}
	b.call(t, "POST", "/hooks", `{"team":"main","connection":"`+connection+`"}`, 400, nil)
}

func TestDeliveryRoutes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.newHook(t)
	for _, guid := range []string{"1", "2", "3"} {
		b.deliver(t, h, guid, "push", `{"n":`+guid+`}`)
	}
	b.deliver(t, h, "4", "issues", `{"action":"opened"}`)
	var page deliveriesOut
	b.call(t, "GET", "/deliveries?team=main&event=push&limit=2", "", 200, &page)
	if len(page.Items) != 2 || page.Items[0].GUID != "3" || page.Next != page.Items[1].ID {
		t.Errorf("%+v", page)
	}
	b.call(t, "GET", "/deliveries?team=main&event=push&limit=2&before="+page.Next, "", 200, &page)
	if len(page.Items) != 1 || page.Items[0].GUID != "1" || page.Next != "" {
		t.Errorf("%+v", page)
	}
	one := b.call(t, "GET", "/deliveries/"+page.Items[0].ID, "", 200, nil)
	if !strings.Contains(one, `"body":{"n":1}`) || !strings.Contains(one, `"User-Agent":"GitHub-Hookshot/044aadd"`) {
		t.Error(one)
	}
	b.call(t, "GET", "/deliveries/none", "", 404, nil)
	b.do(request(HookSecret{Hook: h.Hook, Secret: "wrong"}, "5", "push", `{}`))
	until(t, "the refusal is shown", func() bool {
		b.call(t, "GET", "/deliveries?team=main&verdict=refused", "", 200, &page)
		return len(page.Items) == 1
	})
	if one := b.call(t, "GET", "/deliveries/"+page.Items[0].ID, "", 200, nil); !strings.Contains(one, `"body":null`) {
		t.Error(one)
	}
}

func TestConnectionRoutes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	fake := newFake(t)
	fake.on("GET /api/v3/user", answer(200, `{"login":"ada"}`, "X-OAuth-Scopes", "repo, admin:repo_hook", "X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", "4999"),
		answer(401, `{"message":"Bad credentials"}`))
	var c Connection
	text := b.call(t, "POST", "/connections", `{"team":"main","name":"ghe","api_url":"`+fake.URL+`/api/v3/","token":"ghp_secret"}`, 201, &c)
	if strings.Contains(text, "ghp_secret") || c.APIURL != fake.URL+"/api/v3" {
		t.Errorf("%s", text)
	}
	b.call(t, "POST", "/connections", `{"team":"main","name":"ghe","token":"t"}`, 409, nil)
	for _, bad := range []string{`{"team":"main","name":"x"}`, `{"team":"main","name":"","token":"t"}`, `{"team":"main","name":"x","token":"t","api_url":"ftp://x"}`, `{"team":"main","name":"x","token":"t","api_url":"https://x/?q"}`} {
		b.call(t, "POST", "/connections", bad, 400, nil)
	}
	var test ConnectionTest
	b.call(t, "POST", "/connections/"+c.ID+"/test", "", 200, &test)
	if !test.OK || test.Login != "ada" || len(test.Scopes) != 2 || test.RateRemaining != 4999 {
		t.Errorf("%+v", test)
	}
	b.call(t, "POST", "/connections/"+c.ID+"/test", "", 200, &test)
	if test.OK || test.Error != "GitHub answered 401: Bad credentials" {
		t.Errorf("%+v", test)
	}
	if list := b.call(t, "GET", "/connections?team=main", "", 200, nil); !strings.Contains(list, "Bad credentials") || strings.Contains(list, "ghp_secret") {
		t.Error(list)
	}
	b.call(t, "PATCH", "/connections/"+c.ID, `{"api_url":"https://evil.example"}`, 400, nil)
	b.call(t, "PATCH", "/connections/"+c.ID, `{"api_url":"http://10.1.2.3","token":"t2","name":"inside"}`, 200, &c)
	b.call(t, "POST", "/connections/"+c.ID+"/test", "", 200, &test)
	if test.OK || !strings.Contains(test.Error, "outbound.allow") {
		t.Errorf("%+v", test)
	}
	var h HookSecret
	b.call(t, "POST", "/hooks", `{"team":"main","connection":"`+c.ID+`"}`, 201, &h)
	b.call(t, "DELETE", "/connections/"+c.ID, "", 204, nil)
	hooks, err := b.Hooks(t.Context(), 1)
	if err != nil || len(hooks) != 1 || h.Connection != c.ID || hooks[0].Connection != "" {
		t.Errorf("%+v %v", hooks, err)
	}
}
