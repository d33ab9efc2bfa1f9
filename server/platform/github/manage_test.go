package github

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/github/githubtest"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func TestHookIsCreatedOnceAndDelivers(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	h := c.ensure(t, "web")
	if h.State != HookOK || !h.Managed || h.Repository != "octo/web" || len(c.atHub()) != 1 || c.atHub()[0].URL != h.URL || c.atHub()[0].ContentType != "json" {
		t.Fatalf("%+v %+v", h, c.atHub())
	}
	if again := c.ensure(t, "WEB"); again.ID != h.ID || c.hub.Count("POST /repos/octo/web/hooks") != 1 || c.hub.Count("PATCH") != 0 {
		t.Errorf("the second time: %+v, %d creations, %d changes", again, c.hub.Count("POST /repos/octo/web/hooks"), c.hub.Count("PATCH"))
	}
	if codes := c.hub.Deliver(t.Context(), "octo", "web", "push", map[string]any{"repository": map[string]any{"full_name": "octo/web"}}); !slices.Equal(codes, []int{202}) {
		t.Errorf("a delivery was answered %v", codes)
	}
	if d := c.list(t, DeliveryFilter{Hook: h.ID}); len(d) != 1 || d[0].Verdict != Accepted {
		t.Errorf("%+v", d)
	}
	for _, r := range c.hub.Requests("") {
		if strings.Contains(r.Path+r.Query, "hush") || r.Method == "POST" && !strings.Contains(r.Body, `"secret":"`) && strings.HasSuffix(r.Path, "/hooks") {
			t.Errorf("%+v", r)
		}
	}
}

func TestHookIsMended(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(c *circle, h *githubtest.Hook){
		"inactive":       func(_ *circle, h *githubtest.Hook) { h.Active = false },
		"other events":   func(_ *circle, h *githubtest.Hook) { h.Events = []string{"push"} },
		"form":           func(_ *circle, h *githubtest.Hook) { h.ContentType = "form" },
		"another secret": func(c *circle, h *githubtest.Hook) { h.Secret, h.Updated = "theirs", c.clock.now().Add(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCircle(t)
			c.ensure(t, "web")
			c.hub.Look("octo", "web", func(r *githubtest.Repo) { spoil(c, r.Hooks[0]) })
			if h := c.ensure(t, "web"); h.State != HookOK || c.hub.Count("PATCH /repos/octo/web/hooks/") != 1 || len(c.atHub()) != 1 {
				t.Fatalf("%+v, %d changes", h, c.hub.Count("PATCH"))
			}
			if codes := c.hub.Deliver(t.Context(), "octo", "web", "pull_request", map[string]any{}); !slices.Equal(codes, []int{202}) {
				t.Errorf("a delivery after mending was answered %v", codes)
			}
		})
	}
}

func TestDuplicatesAndLeftoversAreRemoved(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	c.hub.PageSize = 2 // ours is on the third page
	h := c.ensure(t, "web")
	other := c.newHook(t) // of the team, entered by hand: not to be touched
	c.hub.Look("octo", "web", func(r *githubtest.Repo) {
		mine := *r.Hooks[0]
		gone := mine
		gone.ID, gone.URL = 901, c.web.URL+"/hooks/github/"+strings.Repeat("ab", 16)
		twin := mine
		twin.ID = 902
		byHand := mine
		byHand.ID, byHand.URL = 903, other.URL
		theirs := mine
		theirs.ID, theirs.URL = 904, "https://elsewhere.example/hooks/github/"+h.ID
		r.Hooks = []*githubtest.Hook{&gone, &twin, &byHand, &theirs, &mine}
	})
	c.ensure(t, "web")
	left := []int64{}
	c.hub.Look("octo", "web", func(r *githubtest.Repo) {
		for _, h := range r.Hooks {
			left = append(left, h.ID)
		}
	})
	if want := []int64{903, 904, c.hookNow(t, h.ID).GithubID}; !slices.Equal(left, want) {
		t.Errorf("left are %v, want %v", left, want)
	}
}

func TestHookThatCannotBeCreated(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fault githubtest.Fault
		state HookState
		want  string
	}{
		"no rights":     {githubtest.Fault{Status: 404, Body: `{"message":"Not Found"}`}, HookBroken, "admin:repo_hook"},
		"forbidden":     {githubtest.Fault{Status: 403, Body: `{"message":"Resource not accessible by personal access token"}`}, HookBroken, "Webhooks (read and write)"},
		"bad token":     {githubtest.Fault{Status: 401, Body: `{"message":"Bad credentials"}`}, HookBroken, "Give the connection a new one"},
		"not reachable": {githubtest.Fault{Method: "POST", Status: 422, Body: `{"message":"Validation Failed","errors":[{"message":"url is not supported because it isn't reachable over the public Internet (localhost)"}]}`}, HookBroken, "public Internet"},
		"down":          {githubtest.Fault{Status: 502, Body: `{"message":"Server Error"}`}, HookWaiting, "502"},
		"hung up":       {githubtest.Fault{Drop: true}, HookWaiting, "EOF"},
		"a secondary limit": {githubtest.Fault{Status: 403, Header: map[string]string{"Retry-After": "30"},
			Body: `{"message":"You have exceeded a secondary rate limit","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`}, HookWaiting, "slowly"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCircle(t)
			tc.fault.Path = "/repos/octo/web/hooks"
			c.hub.Misbehave(tc.fault)
			h := c.ensure(t, "web")
			if h.State != tc.state || !strings.Contains(h.Problem, tc.want) {
				t.Fatalf("%s: %s", h.State, h.Problem)
			}
			if name == "a secondary limit" {
				return // go-github remembers it, and so nothing is called until it is over
			}
			var page ListedPage
			c.call(t, "GET", "/connections/"+c.conn.ID+"/repositories", "", 200, &page)
			if len(page.Items) != 1 || page.Items[0].Hook.State != HookAtFault || page.Items[0].Hook.Problem != h.Problem {
				t.Errorf("%+v", page)
			}
			c.hub.Behave()
			if tc.state == HookBroken { // only a person can help, and asks again
				if h = c.ensure(t, "web"); h.State != HookOK || h.Problem != "" {
					t.Errorf("%+v", h)
				}
				return
			}
			c.jobs(t)
			until(t, "the job creates the hook", func() bool { c.hurry(t); return c.hookNow(t, h.ID).State == HookOK })
			if len(c.atHub()) != 1 {
				t.Errorf("%d hooks", len(c.atHub()))
			}
		})
	}
}

// A creation that GitHub made but whose answer was lost is not made again.
func TestLostAnswerMakesNoSecondHook(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	c.hub.Misbehave(githubtest.Fault{Method: "POST", Path: "/repos/octo/web/hooks", Times: 1, Drop: true, Done: true})
	h := c.ensure(t, "web")
	if h.State != HookWaiting || len(c.atHub()) != 1 {
		t.Fatalf("%+v, %d hooks", h, len(c.atHub()))
	}
	if h = c.ensure(t, "web"); h.State != HookOK || len(c.atHub()) != 1 {
		t.Errorf("%+v, %d hooks", h, len(c.atHub()))
	}
	if codes := c.hub.Deliver(t.Context(), "octo", "web", "push", map[string]any{}); !slices.Equal(codes, []int{202}) {
		t.Errorf("answered %v", codes)
	}
}

func TestManagedRotation(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	h := c.ensure(t, "web")
	before := c.atHub()[0].Secret
	c.hub.Misbehave(githubtest.Fault{Method: "PATCH", Status: 500, Body: `{}`})
	c.jobs(t)
	for range 2 { // the second rotation must not push out the secret that GitHub still uses
		var rotated HookSecret
		c.call(t, "POST", "/hooks/"+h.ID+"/rotate", "", 200, &rotated)
		if rotated.Secret != "" {
			t.Error("a secret that nobody need enter is shown")
		}
	}
	if codes := c.hub.Deliver(t.Context(), "octo", "web", "push", map[string]any{}); !slices.Equal(codes, []int{202}) {
		t.Errorf("while GitHub has the old secret: %v", codes)
	}
	c.hub.Behave()
	until(t, "GitHub has the new secret", func() bool { c.hurry(t); return !c.hookNow(t, h.ID).SecretPending })
	if after := c.atHub()[0].Secret; after == before || after == "" {
		t.Errorf("secret %q", after)
	}
	if codes := c.hub.Deliver(t.Context(), "octo", "web", "push", map[string]any{}); !slices.Equal(codes, []int{202}) {
		t.Errorf("with the new secret: %v", codes)
	}
	old := HookSecret{Hook: h, Secret: before}
	if w := c.do(request(old, "late", "push", `{}`)); w.Code != 202 {
		t.Errorf("signed before the rotation: %d", w.Code)
	}
	c.clock.advance(25 * time.Hour)
	c.hooks.forget("")
	if w := c.do(request(old, "later", "push", `{}`)); w.Code != 401 {
		t.Errorf("a day later: %d", w.Code)
	}
}

func TestRemovalOutlastsGitHub(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	c.hub.AddRepo("octo", "api")
	first := c.ensure(t, "web")
	c.ensure(t, "api")
	c.hub.Misbehave(githubtest.Fault{Method: "DELETE", Times: 3, Status: 503, Body: `{}`})
	c.jobs(t)
	c.call(t, "DELETE", "/connections/"+c.conn.ID+"/repositories/octo/web/hook", "", 204, nil)
	c.call(t, "DELETE", "/connections/"+c.conn.ID+"/repositories/octo/web/hook", "", 404, nil)
	if w := c.do(request(HookSecret{Hook: first}, "x", "push", `{}`)); w.Code != 404 {
		t.Errorf("the address answers %d", w.Code)
	}
	c.call(t, "DELETE", "/connections/"+c.conn.ID, "", 204, nil)
	if got := c.call(t, "GET", "/connections", "", 200, nil); !strings.Contains(got, `"items":[]`) {
		t.Errorf("still listed: %s", got)
	}
	if _, err := c.CreateConnection(c.as(t.Context()), 1, "gh", c.hub.URL, "x"); err != nil {
		t.Errorf("its name is not free: %v", err)
	}
	until(t, "both hooks are gone at GitHub, and the connection here", func() bool {
		c.hurry(t)
		_, err := c.retiredConnection(t.Context(), c.conn.ID)
		left := 0
		for _, name := range []string{"web", "api"} {
			c.hub.Look("octo", name, func(r *githubtest.Repo) { left += len(r.Hooks) })
		}
		return left == 0 && problem.Is(err, problem.NotFound)
	})
}

func TestRemovalOfAHookWhoseNumberWasNeverLearnt(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	c.hub.Misbehave(githubtest.Fault{Method: "POST", Path: "/repos/octo/web/hooks", Times: 1, Drop: true, Done: true})
	h := c.ensure(t, "web")
	c.jobs(t)
	c.call(t, "DELETE", "/hooks/"+h.ID, "", 204, nil)
	until(t, "it is found by its address", func() bool {
		n := 1
		c.hub.Look("octo", "web", func(r *githubtest.Repo) { n = len(r.Hooks) })
		return n == 0
	})
	until(t, "no job is left", func() bool { return c.left(t, removalJob, "%") == 0 })
}

func TestRepositoriesAreListedByETag(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	for _, name := range []string{"api", "app", "docs", "infra"} {
		c.hub.AddRepo("octo", name)
	}
	c.hub.PageSize = 2
	c.ensure(t, "api")
	var page ListedPage
	for range 2 {
		c.call(t, "GET", "/connections/"+c.conn.ID+"/repositories?q=OCTO/AP", "", 200, &page)
		if page.Total != 2 || page.Items[0].Name != "api" || page.Items[0].Hook.State != HookOurs || page.Items[1].Hook.State != HookNone || !page.Items[0].Admin {
			t.Fatalf("%+v", page)
		}
	}
	statuses := map[int]int{}
	for _, r := range c.hub.Requests("GET /user/repos") {
		statuses[r.Status]++
	}
	if statuses[200] == 0 || statuses[200]+statuses[304] != 6 {
		t.Errorf("%v", statuses)
	}
	c.hub.AddRepo("octo", "apps")
	if c.call(t, "GET", "/connections/"+c.conn.ID+"/repositories?q=ap", "", 200, &page); page.Total != 3 {
		t.Errorf("what is new is not seen: %+v", page)
	}
	c.hub.Misbehave(githubtest.Fault{Path: "/user/repos", Times: 1, Status: 304})
	c.call(t, "GET", "/connections/"+c.conn.ID+"/repositories?q=docs", "", 200, &page)
	var list struct{ Items []Connection }
	if c.call(t, "GET", "/connections", "", 200, &list); list.Items[0].Rate == nil || list.Items[0].Rate.Limit != 5000 {
		t.Errorf("%+v", list)
	}
}

func TestManageRefusals(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	_, theirs, _ := foreign(t, c.bundle)
	for _, tc := range [][4]string{
		{"PUT", "/connections/" + theirs + "/repositories/octo/web/hook", "", "404"},
		{"PUT", "/connections/" + c.conn.ID + "/repositories/octo/../hook", "", "400"},
		{"PUT", "/connections/" + c.conn.ID + "/repositories/octo/we%20b/hook", "", "400"},
		{"GET", "/connections/" + theirs + "/repositories", "", "404"},
		{"GET", "/connections/" + theirs + "/installations", "", "404"},
		{"GET", "/connections/" + c.conn.ID + "/installations", "", "409"},
		{"PATCH", "/connections/" + c.conn.ID, `{"installation":7}`, "400"},
	} {
		w := c.do(jsonRequest(tc[0], tc[1], tc[2]))
		if got := http.StatusText(w.Code); tc[3] != strings.Split(w.Result().Status, " ")[0] {
			t.Errorf("%s %s: %d %s %s", tc[0], tc[1], w.Code, got, w.Body)
		}
	}
	if c.hub.Count("") != 0 {
		t.Errorf("GitHub was called: %+v", c.hub.Requests(""))
	}
}
