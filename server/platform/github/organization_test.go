package github

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/github/githubtest"
)

// atOrg are the organization's hooks at GitHub.
func (c *circle) atOrg() (list []githubtest.Hook) {
	c.hub.LookOrg("octo", func(o *githubtest.Org) {
		for _, h := range o.Hooks {
			list = append(list, *h)
		}
	})
	return list
}

func (c *circle) ensureOrg(t *testing.T, name string) Hook {
	t.Helper()
	h, err := c.EnsureOrganizationHook(c.as(t.Context()), c.conn.ID, name)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestOrganizationHookTellsOfAllRepositories(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	c.hub.PageSize = 1
	c.hub.AddOrg("Octo")
	c.hub.AddOrg("other")
	c.hub.AddRepo("octo", "api")
	var h Hook
	c.call(t, "PUT", "/connections/"+c.conn.ID+"/organizations/octo/hook", "", 200, &h)
	if h.State != HookOK || !h.Managed || h.Kind != HookOrganization || h.Repository != "octo" || len(c.atOrg()) != 1 || c.atOrg()[0].URL != h.URL {
		t.Fatalf("%+v %+v", h, c.atOrg())
	}
	if again := c.ensureOrg(t, "OCTO"); again.ID != h.ID || c.hub.Count("POST /orgs/octo/hooks") != 1 || c.hub.Count("PATCH") != 0 {
		t.Errorf("the second time: %+v", again)
	}
	for _, repo := range []string{"web", "api"} {
		if codes := c.hub.Deliver(t.Context(), "octo", repo, "push", map[string]any{"repository": map[string]any{"full_name": "octo/" + repo}}); !slices.Equal(codes, []int{202}) {
			t.Errorf("a delivery of %s was answered %v", repo, codes)
		}
	}
	// A repository of it needs no hook of its own.
	if own := c.ensure(t, "web"); own.ID != h.ID || len(c.atHub()) != 0 {
		t.Errorf("%+v, %d hooks", own, len(c.atHub()))
	}
	c.call(t, "DELETE", "/connections/"+c.conn.ID+"/repositories/octo/web/hook", "", 409, nil)
	var orgs struct{ Items []Organization }
	c.call(t, "GET", "/connections/"+c.conn.ID+"/organizations", "", 200, &orgs)
	if len(orgs.Items) != 2 || orgs.Items[0].Hook.State != HookOurs || orgs.Items[0].Hook.ID != h.ID || orgs.Items[1].Hook.State != HookNone {
		t.Errorf("%+v", orgs)
	}
	var page ListedPage
	c.call(t, "GET", "/connections/"+c.conn.ID+"/repositories", "", 200, &page)
	if len(page.Items) != 2 || page.Items[0].Hook.State != HookOurs || page.Items[1].Hook.ID != h.ID {
		t.Errorf("%+v", page)
	}
	c.jobs(t)
	c.call(t, "DELETE", "/connections/"+c.conn.ID+"/organizations/octo/hook", "", 204, nil)
	c.call(t, "DELETE", "/connections/"+c.conn.ID+"/organizations/octo/hook", "", 404, nil)
	until(t, "the hook is removed at GitHub", func() bool { return len(c.atOrg()) == 0 })
}

func TestOrganizationHookIsMended(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	c.hub.AddOrg("octo")
	h := c.ensureOrg(t, "octo")
	c.hub.LookOrg("octo", func(o *githubtest.Org) {
		twin := *o.Hooks[0]
		twin.ID = 902
		o.Hooks[0].Active, o.Hooks = false, append(o.Hooks, &twin)
	})
	if c.ensureOrg(t, "octo"); len(c.atOrg()) != 1 || !c.atOrg()[0].Active {
		t.Errorf("%+v", c.atOrg())
	}
	// Deleted at GitHub: the comparison finds out, and a job creates it anew.
	c.hub.LookOrg("octo", func(o *githubtest.Org) { o.Hooks = nil })
	c.clock.advance(2 * time.Hour)
	c.jobs(t)
	if err := c.CloseGaps(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, "the job creates it", func() bool { c.hurry(t); return len(c.atOrg()) == 1 && c.hookNow(t, h.ID).State == HookOK })
	// A delivery that was lost is found in the organization's list.
	c.hub.Lose("octo", "web", "push", map[string]any{"repository": map[string]any{"full_name": "octo/web"}})
	c.clock.advance(2 * time.Hour)
	if err := c.CloseGaps(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list := c.list(t, DeliveryFilter{Gap: true}); len(list) != 1 || list[0].Hook != h.ID {
		t.Errorf("%+v", list)
	}
}

// The hooks of its repositories end when the organization's stands, and what they told stays.
func TestOrganizationHookReplacesThoseOfItsRepositories(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	c.hub.AddOrg("octo")
	c.hub.AddRepo("elsewhere", "web")
	old := c.ensure(t, "web")
	if _, err := c.EnsureHook(c.as(t.Context()), c.conn.ID, "elsewhere", "web"); err != nil {
		t.Fatal(err)
	}
	c.hub.Deliver(t.Context(), "octo", "web", "push", map[string]any{"repository": map[string]any{"full_name": "octo/web"}})
	c.hub.Misbehave(githubtest.Fault{Method: "POST", Path: "/orgs/octo/hooks", Times: 1, Status: 502, Body: `{}`})
	c.jobs(t)
	h := c.ensureOrg(t, "octo")
	if h.State != HookWaiting || len(c.atHub()) != 1 {
		t.Fatalf("before it stands: %+v, %d hooks", h, len(c.atHub()))
	}
	until(t, "the organization's stands and the repository's is gone", func() bool {
		c.hurry(t)
		return len(c.atOrg()) == 1 && len(c.atHub()) == 0
	})
	if list := c.list(t, DeliveryFilter{Hook: h.ID}); len(list) != 1 || list[0].Repository != "octo/web" {
		t.Errorf("%+v", list)
	}
	if w := c.do(request(HookSecret{Hook: old}, "x", "push", `{}`)); w.Code != http.StatusNotFound {
		t.Errorf("the old address answers %d", w.Code)
	}
	left := 0
	c.hub.Look("elsewhere", "web", func(r *githubtest.Repo) { left = len(r.Hooks) })
	if left != 1 {
		t.Error("another owner's hook was removed")
	}
}

func TestOrganizationRefusals(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	_, theirs, _ := foreign(t, c.bundle)
	app, _ := c.app(t)
	for _, tc := range [][3]string{
		{"PUT", "/connections/" + theirs + "/organizations/octo/hook", "404"},
		{"GET", "/connections/" + theirs + "/organizations", "404"},
		{"PUT", "/connections/" + c.conn.ID + "/organizations/oc.to/hook", "400"},
		{"PUT", "/connections/" + app.ID + "/organizations/octo/hook", "409"},
		{"DELETE", "/connections/" + app.ID + "/organizations/octo/hook", "409"},
		{"GET", "/connections/" + app.ID + "/organizations", "409"},
		{"DELETE", "/connections/" + c.conn.ID + "/organizations/octo/hook", "404"},
	} {
		if w := c.do(jsonRequest(tc[0], tc[1], "")); tc[2] != strings.Split(w.Result().Status, " ")[0] {
			t.Errorf("%s %s: %d %s", tc[0], tc[1], w.Code, w.Body)
		}
	}
	// One that the token does not own: the page says which right is missing.
	if h := c.ensureOrg(t, "strangers"); h.State != HookBroken || !strings.Contains(h.Problem, "admin:org_hook") {
		t.Errorf("%+v", h)
	}
}
