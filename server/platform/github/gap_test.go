package github

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/github/githubtest"
)

func event(n int) map[string]any {
	return map[string]any{"n": n, "repository": map[string]any{"full_name": "octo/web"}, "sender": map[string]any{"login": "ada"}}
}

func events(from, to int) []any {
	list := []any{}
	for n := from; n < to; n++ {
		list = append(list, event(n))
	}
	return list
}

func (c *circle) gaps(t *testing.T) {
	t.Helper()
	if err := c.CloseGaps(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// distinct counts deliveries of the hook, and fails on a GUID that is there twice.
func (c *circle) distinct(t *testing.T, hook string) (all, fetched int) {
	t.Helper()
	seen, before := map[string]bool{}, ""
	for {
		page := c.list(t, DeliveryFilter{Hook: hook, Limit: 200, Before: before})
		for _, d := range page {
			if seen[d.GUID] {
				t.Errorf("%s is there twice", d.GUID)
			}
			seen[d.GUID] = true
			if all++; d.Gap {
				fetched++
			}
		}
		if len(page) < 200 {
			return all, fetched
		}
		before = page[len(page)-1].ID
	}
}

// The outage: 200 deliveries in ten minutes reach nobody; while they are fetched
// GitHub fails now and then, and some of them arrive by a redelivery.
func TestOutageIsRecovered(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	h := c.ensure(t, "web")
	for n := range 3 {
		c.hub.Deliver(t.Context(), "octo", "web", "push", event(n))
	}
	c.clock.advance(time.Hour)
	c.gaps(t)
	if all, fetched := c.distinct(t, h.ID); all != 3 || fetched != 0 {
		t.Fatalf("%d deliveries, %d fetched", all, fetched)
	}
	for n := range 10 {
		c.hub.Lose("octo", "web", "push", events(100+20*n, 120+20*n)...)
		c.clock.advance(time.Minute)
	}
	c.hub.Deliver(t.Context(), "octo", "web", "push", event(400)) // the first after the outage
	c.hub.Misbehave(githubtest.Fault{Path: "/repos/octo/web/hooks/", Method: "GET", After: 40, Times: 1, Status: 502, Body: `{}`},
		githubtest.Fault{Path: "/repos/octo/web/hooks/", Method: "GET", After: 30, Times: 1, Drop: true})
	c.clock.advance(time.Hour)
	for round := 0; ; round++ {
		c.gaps(t)
		row := c.hookNow(t, h.ID)
		if row.Missing == 0 && row.CompareError == "" {
			break
		}
		if round > 10 {
			t.Fatalf("%+v", row)
		}
		if alive, err := c.Alive(t.Context(), 1, "127.0.0.1/octo/web"); alive || err != nil {
			t.Errorf("alive with %d missing (%v)", row.Missing, err)
		}
		c.clock.advance(10 * time.Minute)
	}
	if all, fetched := c.distinct(t, h.ID); all != 204 || fetched != 200 {
		t.Errorf("%d deliveries, %d fetched", all, fetched)
	}
	var hooks struct{ Items []Hook }
	c.call(t, "GET", "/hooks", "", 200, &hooks)
	if g := hooks.Items[0].Gap; g.Recovered != 200 || g.Missing != 0 || g.MissedAt == 0 || g.LastComparedAt == 0 || !g.Possible {
		t.Errorf("%+v", g)
	}
	// A redelivery by hand at GitHub changes nothing any more.
	count := len(c.atHub()[0].Deliveries)
	var d Delivery
	one := c.list(t, DeliveryFilter{Hook: h.ID, Gap: true})[0]
	c.call(t, "POST", "/deliveries/"+one.ID+"/ask-github", "", 200, &d)
	until(t, "it is delivered once more", func() bool {
		again := 0
		c.hub.Look("octo", "web", func(r *githubtest.Repo) {
			if list := r.Hooks[0].Deliveries; len(list) > count {
				again = list[count].StatusCode
			}
		})
		return again == http.StatusAccepted
	})
	if all, _ := c.distinct(t, h.ID); all != 204 || d.GithubID == 0 {
		t.Errorf("%d deliveries after a redelivery, number %d", all, d.GithubID)
	}
	if err := c.Digest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if waiting := c.list(t, DeliveryFilter{State: Waiting}); len(waiting) != 0 {
		t.Errorf("%d are not handled", len(waiting))
	}
}

func TestGapsAreLookedForAtStartAndWhenAConnectionReturns(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	h := c.ensure(t, "web")
	c.hub.Lose("octo", "web", "push", event(1))
	c.hub.Misbehave(githubtest.Fault{Path: "/repos", Status: 401, Body: `{"message":"Bad credentials"}`})
	c.gaps(t)
	if row := c.hookNow(t, h.ID); row.CompareError != "GitHub answered 401: Bad credentials" || row.ComparedAt != 0 || row.CompareFailures != 1 {
		t.Fatalf("%+v", row)
	}
	c.hub.Behave()
	before := c.hub.Count("GET /repos/octo/web/hooks/")
	if c.gaps(t); c.hub.Count("GET /repos/octo/web/hooks/") != before {
		t.Error("GitHub is called again at once")
	}
	c.call(t, "POST", "/connections/"+c.conn.ID+"/test", "", 200, nil)
	c.gaps(t)
	if all, fetched := c.distinct(t, h.ID); all != 1 || fetched != 1 {
		t.Errorf("after the connection returned: %d, %d fetched", all, fetched)
	}
	before = c.hub.Count("GET /repos/octo/web/hooks/")
	if c.gaps(t); c.hub.Count("GET /repos/octo/web/hooks/") != before {
		t.Error("compared twice within the hour")
	}
	c.hub.Lose("octo", "web", "push", event(2))
	c.clock.advance(time.Minute)
	c.started = c.clock.now() // as a server does that starts now
	c.gaps(t)
	if all, fetched := c.distinct(t, h.ID); all != 2 || fetched != 2 {
		t.Errorf("after a start: %d, %d fetched", all, fetched)
	}
	if row := c.hookNow(t, h.ID); row.LastDeliveryAt != 0 || row.proved(c.clock.now(), c.started) {
		t.Errorf("what was fetched proves the hook alive: %+v", row)
	}
}

func TestOnTheirWayIsNotMissing(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	h := c.ensure(t, "web")
	c.hub.Lose("octo", "web", "push", event(1))
	c.hub.Look("octo", "web", func(r *githubtest.Repo) { r.Hooks[0].Deliveries[0].StatusCode = 0 })
	c.gaps(t)
	if row := c.hookNow(t, h.ID); row.Missing != 0 || row.Recovered != 0 {
		t.Errorf("%+v", row)
	}
	c.clock.advance(61 * time.Minute)
	c.gaps(t)
	if row := c.hookNow(t, h.ID); row.Recovered != 1 {
		t.Errorf("an hour later: %+v", row)
	}
}

func TestPayloadsThatGitHubDoesNotHandOut(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	h := c.ensure(t, "web")
	c.hub.Lose("octo", "web", "push", event(1), event(2))
	c.hub.Look("octo", "web", func(r *githubtest.Repo) { r.Hooks[0].Deliveries[0].Forgotten = true })
	c.gaps(t)
	until(t, "the redelivery arrived", func() bool { all, _ := c.distinct(t, h.ID); return all == 2 })
	if row := c.hookNow(t, h.ID); row.Missing != 1 || row.Recovered != 1 {
		t.Errorf("%+v", row)
	}
	c.clock.advance(3 * time.Minute)
	c.gaps(t)
	if row := c.hookNow(t, h.ID); row.Missing != 0 {
		t.Errorf("after looking again: %+v", row)
	}
	if all, fetched := c.distinct(t, h.ID); all != 2 || fetched != 1 {
		t.Errorf("%d, %d fetched", all, fetched)
	}
	c.hub.Lose("octo", "web", "push", event(3))
	c.hub.Misbehave(githubtest.Fault{Path: fmt.Sprintf("/repos/octo/web/hooks/%d/deliveries/", c.hookNow(t, h.ID).GithubID), Status: 404, Body: `{}`})
	c.clock.advance(2 * time.Hour)
	c.gaps(t)
	if row := c.hookNow(t, h.ID); row.Missing != 0 || row.CompareError != "" {
		t.Errorf("what is lost for good stays open for ever: %+v", row)
	}
}

func TestRateLimitEndsAComparison(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	h := c.ensure(t, "web")
	c.hub.Lose("octo", "web", "push", events(0, 5)...)
	reset := c.clock.now().Add(20 * time.Minute)
	c.hub.Misbehave(githubtest.Fault{Path: fmt.Sprintf("/repos/octo/web/hooks/%d/deliveries/", c.hookNow(t, h.ID).GithubID), After: 2, Status: 403, Body: `{"message":"API rate limit exceeded"}`,
		Header: map[string]string{"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(reset.Unix())}})
	c.gaps(t)
	row := c.hookNow(t, h.ID)
	if row.Missing != 3 || row.Recovered != 2 || !strings.Contains(row.CompareError, "limit of calls") || row.CompareNext < reset.UnixMilli()-2000 {
		t.Errorf("%+v", row)
	}
	if n := c.hub.Count("GET /repos/octo/web/hooks/"); n > 5 {
		t.Errorf("%d calls", n)
	}
}

func TestAppGapsAreClosed(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	conn, app := c.app(t)
	c.hub.Lose("octo", "web", "push", event(1), map[string]any{"installation": map[string]any{"id": app.Installations[0] + 7}})
	c.gaps(t)
	row, found, err := c.appHook(t.Context(), conn.ID)
	if err != nil || !found || row.Recovered != 2 {
		t.Fatalf("%+v %v", row, err)
	}
	if d := c.list(t, DeliveryFilter{Hook: row.ID, State: None}); len(d) != 1 {
		t.Errorf("another installation's: %+v", d)
	}
}

// A hook that was entered by hand is known from its first delivery on, and one that
// somebody deleted or changed at GitHub is put back.
func TestHooksAreLookedAfter(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	h := c.ensure(t, "web")
	c.jobs(t)
	c.gaps(t)
	c.hub.Look("octo", "web", func(r *githubtest.Repo) { r.Hooks = nil })
	c.clock.advance(2 * time.Hour)
	c.gaps(t)
	until(t, "the hook is there again", func() bool { c.hurry(t); return c.hookNow(t, h.ID).State == HookOK })
	if len(c.atHub()) != 1 || c.hookNow(t, h.ID).GithubID != c.atHub()[0].ID {
		t.Fatalf("%+v", c.atHub())
	}
	c.hub.Look("octo", "web", func(r *githubtest.Repo) { r.Hooks[0].Active = false })
	c.clock.advance(2 * time.Hour)
	c.gaps(t)
	until(t, "the hook is active again", func() bool {
		c.hurry(t)
		active := false
		c.hub.Look("octo", "web", func(r *githubtest.Repo) { active = r.Hooks[0].Active })
		return active
	})
	until(t, "it is noted", func() bool { return c.hookNow(t, h.ID).State == HookOK })
	c.clock.advance(13 * time.Hour)
	c.gaps(t)
	until(t, "a quiet hook is pinged, and so proved alive", func() bool {
		alive, err := c.Alive(t.Context(), 1, "127.0.0.1/octo/web")
		return err == nil && alive
	})
}

func TestLearntHooks(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	for name, tc := range map[string]struct {
		target, id, repository string
		want                   hookRow
	}{
		"repository":   {"repository", "77", "octo/web", hookRow{Kind: HookRepository, Owner: "octo", Repo: "web", GithubID: 77}},
		"organization": {"organization", "78", "octo/web", hookRow{Kind: HookOrganization, Owner: "octo", GithubID: 78}},
		"an App":       {"integration", "79", "octo/web", hookRow{Kind: HookPlain}},
		"nonsense":     {"repository", "-1", "octo/web", hookRow{Kind: HookPlain}},
		"odd name":     {"repository", "80", "../..", hookRow{Kind: HookPlain}},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := c.CreateHook(c.as(t.Context()), 1, "", c.conn.ID)
			if err != nil {
				t.Fatal(err)
			}
			r := request(h, "guid-"+tc.id, "push", `{"repository":{"full_name":"`+tc.repository+`"}}`)
			r.Header.Set("X-GitHub-Hook-ID", tc.id)
			r.Header.Set("X-GitHub-Hook-Installation-Target-Type", tc.target)
			if w := c.do(r); w.Code != 202 {
				t.Fatal(w.Body)
			}
			row := c.hookNow(t, h.ID)
			if got := (hookRow{Kind: row.Kind, Owner: row.Owner, Repo: row.Repo, GithubID: row.GithubID}); got.Kind != tc.want.Kind || got.Owner != tc.want.Owner || got.Repo != tc.want.Repo || got.GithubID != tc.want.GithubID {
				t.Errorf("%+v", got)
			}
		})
	}
}
