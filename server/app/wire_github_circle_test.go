package app_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/github/githubtest"
)

// TestGitHubCircle: connect, hook created, push, build, statuses; then an outage of
// ours, recovered from GitHub's list as soon as the connection is tried.
func TestGitHubCircle(t *testing.T) {
	t.Parallel()
	hub, stop := githubtest.Start()
	t.Cleanup(stop)
	hub.Token = "ghp_hush"
	hub.AddRepo("acme", "shop")
	r := start(t)
	var connection struct{ ID string }
	r.call(t, "POST", "/api/v1/ci/connections", map[string]any{"team": "main", "name": "GitHub", "api_url": hub.URL, "token": "ghp_hush"}, &connection)
	p := &pushed{running: r, repo: r.repository(t, "shop")}
	id := r.pipeline(t, "main", "shop", gitPipeline(p.repo, ""))
	r.awaitVersion(t, r.resourceID(t, id, "code"))
	p.awaitBuilds(t, 1)

	var h struct{ ID, State, URL string }
	r.call(t, "PUT", "/api/v1/ci/connections/"+connection.ID+"/repositories/acme/shop/hook", nil, &h)
	if h.State != "ok" || !strings.HasPrefix(h.URL, r.PublicURL()) {
		t.Fatalf("%+v", h)
	}
	sha := p.repo.commit(t, "README", "one\n", "change the README")
	if codes := hub.Deliver(t.Context(), "acme", "shop", "push", json.RawMessage(p.repo.push(t, "main"))); len(codes) != 1 || codes[0] != http.StatusAccepted {
		t.Fatal(codes)
	}
	p.awaitBuilds(t, 2)
	var page struct {
		Items []struct {
			Event  string
			Caused []struct{ Kind, Title, URL string }
		}
	}
	eventually(t, "the delivery to name its build", func() bool {
		r.call(t, "GET", "/api/v1/ci/deliveries?team=main&event=push", nil, &page)
		return len(page.Items) == 1 && len(page.Items[0].Caused) == 2
	})
	if c := page.Items[0].Caused; c[0].Kind != "version" || c[1].Kind != "build" || !strings.HasSuffix(c[1].Title, " #2") ||
		!strings.HasPrefix(c[1].URL, "/teams/main/pipelines/shop/jobs/") || !strings.HasSuffix(c[1].URL, "/builds/2") {
		t.Errorf("%+v", c)
	}
	states := func(sha string) (list []string) {
		hub.Look("acme", "shop", func(r *githubtest.Repo) {
			for _, s := range r.Statuses {
				if s["sha"] == sha {
					list = append([]string{s["state"].(string)}, list...)
				}
			}
		})
		return list
	}
	eventually(t, "the commit to be green", func() bool {
		got := states(sha)
		return len(got) > 0 && got[len(got)-1] == "success"
	})

	sha = p.repo.commit(t, "README", "two\n", "a change that nobody tells of")
	hub.Lose("acme", "shop", "push", json.RawMessage(p.repo.push(t, "main")))
	r.call(t, "POST", "/api/v1/ci/connections/"+connection.ID+"/test", nil, nil)
	eventually(t, "the lost push to be built", func() bool {
		got := states(sha)
		return len(got) > 0 && got[len(got)-1] == "success"
	})
	p.awaitBuilds(t, 3)
	var list struct {
		Items []struct {
			Gap   bool
			State string
		}
	}
	r.call(t, "GET", "/api/v1/ci/deliveries?team=main&gap=true", nil, &list)
	if len(list.Items) != 1 || !list.Items[0].Gap {
		t.Errorf("%+v", list)
	}
	var reach struct {
		OK  bool
		How string
	}
	if r.call(t, "GET", "/api/v1/ci/reachability?team=main", nil, &reach); !reach.OK {
		t.Errorf("%+v", reach)
	}
	r.call(t, "DELETE", "/api/v1/ci/connections/"+connection.ID, nil, nil)
	eventually(t, "the hook to be removed at GitHub", func() bool {
		left := 1
		hub.Look("acme", "shop", func(r *githubtest.Repo) { left = len(r.Hooks) })
		return left == 0
	})
}

// TestADeletedTeamLeavesNoHookAtGitHub, even when GitHub is away at that moment.
func TestADeletedTeamLeavesNoHookAtGitHub(t *testing.T) {
	t.Parallel()
	hub, stop := githubtest.Start()
	t.Cleanup(stop)
	hub.AddRepo("acme", "shop")
	hub.AddOrg("globex")
	r := start(t)
	r.call(t, "POST", "/api/v1/accounts/teams", map[string]any{"name": "away"}, nil)
	var connection struct{ ID string }
	r.call(t, "POST", "/api/v1/ci/connections", map[string]any{"team": "away", "name": "GitHub", "api_url": hub.URL, "token": "ghp_hush"}, &connection)
	r.call(t, "PUT", "/api/v1/ci/connections/"+connection.ID+"/repositories/acme/shop/hook", nil, nil)
	r.call(t, "PUT", "/api/v1/ci/connections/"+connection.ID+"/organizations/globex/hook", nil, nil)
	left := func() (n int) {
		hub.Look("acme", "shop", func(r *githubtest.Repo) { n += len(r.Hooks) })
		hub.LookOrg("globex", func(o *githubtest.Org) { n += len(o.Hooks) })
		return n
	}
	if left() != 2 {
		t.Fatalf("%d hooks before", left())
	}
	hub.Misbehave(githubtest.Fault{Method: "DELETE", Times: 2, Status: 503, Body: `{}`})
	r.call(t, "DELETE", "/api/v1/accounts/teams/away", nil, nil)
	eventually(t, "GitHub to have none of its hooks", func() bool { return left() == 0 })
}
