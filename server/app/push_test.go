package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// posted is a commit status that the fake GitHub took.
type posted struct {
	path, token                             string
	State, Context, Description, Target_url string
}

// gitHub is as much of GitHub's API as commit statuses need.
type gitHub struct {
	*httptest.Server
	mu    sync.Mutex
	taken []posted
}

func newGitHub(t testing.TB) *gitHub {
	g := &gitHub{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		p := posted{path: r.Method + " " + r.URL.Path, token: r.Header.Get("Authorization")}
		if err != nil || json.Unmarshal(raw, &p) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		g.mu.Lock()
		g.taken = append(g.taken, p)
		g.mu.Unlock()
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, "{}")
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gitHub) statuses() []posted {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]posted{}, g.taken...)
}

func gitPipeline(g *repository, more string) string {
	return fmt.Sprintf(`
resources:
- name: code
  type: git
  source: {uri: "file://%s", branch: main%s}
jobs:
- name: unit
  plan:
  - get: code
    trigger: true
  - task: test
    config:
      platform: linux
      inputs: [{name: code}]
      run: {path: sh, args: [-c, "echo reading; cat code/README; echo done >&2"]}
`, g.bare, more)
}

// pushed is a server with a pipeline on a repository, its first version built, and a hook.
type pushed struct {
	*running
	repo *repository
	hook hook
}

func startPushed(t testing.TB, more, connection string) *pushed {
	t.Helper()
	r := start(t)
	p := &pushed{running: r, repo: r.repository(t, "shop"), hook: r.hook(t, "main", connection)}
	id := r.pipeline(t, "main", "shop", gitPipeline(p.repo, more))
	r.awaitVersion(t, r.resourceID(t, id, "code"))
	p.awaitBuilds(t, 1)
	return p
}

// awaitBuilds waits until job unit has had n builds that have ended, and no more.
func (p *pushed) awaitBuilds(t testing.TB, n int) []build {
	t.Helper()
	var list []build
	eventually(t, fmt.Sprintf("%d builds", n), func() bool {
		list = p.builds(t, "main", "shop", "unit")
		return len(list) >= n && list[0].ended()
	})
	if len(list) != n {
		t.Fatalf("%d builds instead of %d", len(list), n)
	}
	return list
}

// awaitDigest waits until every delivery was handled and every resource checked: what was to come of them has come.
func (p *pushed) awaitDigest(t testing.TB) {
	t.Helper()
	eventually(t, "the deliveries to be handled", func() bool {
		var list struct {
			Items []struct{ State, Verdict string }
		}
		p.call(t, "GET", "/api/v1/ci/deliveries?team=main", nil, &list)
		for _, d := range list.Items {
			if d.Verdict == "accepted" && d.State == "waiting" {
				return false
			}
		}
		return true
	})
	// A check asked for now ends after the one that the delivery asked for.
	status, raw := p.send(t, "POST", "/api/v1/teams/main/pipelines/shop/resources/code/check", strings.NewReader(`{"from":null}`))
	var b build
	if err := json.Unmarshal([]byte(raw), &b); err != nil || status != http.StatusCreated {
		t.Fatalf("check: %d %s", status, raw)
	}
	if b = p.finish(t, b.ID); b.Status != "succeeded" {
		t.Fatalf("check %+v", b)
	}
}

// TestFromPushToGreen is the main job: a push, its signed webhook, the build, the statuses.
func TestFromPushToGreen(t *testing.T) {
	t.Parallel()
	hub := newGitHub(t)
	r := start(t)
	var connection struct{ ID string }
	r.call(t, "POST", "/api/v1/ci/connections", map[string]any{"team": "main", "name": "GitHub", "api_url": hub.URL + "/api/v3/", "token": "tok-1"}, &connection)
	p := &pushed{running: r, repo: r.repository(t, "shop"), hook: r.hook(t, "main", connection.ID)}
	id := r.pipeline(t, "main", "shop", gitPipeline(p.repo, ""))
	r.awaitVersion(t, r.resourceID(t, id, "code"))
	p.awaitBuilds(t, 1)

	sha := p.repo.commit(t, "README", "line of the commit\n", "change the README")
	body := p.repo.push(t, "main")
	if status := p.deliver(t, p.hook, "11111111-2222-3333-4444-555555555555", body); status != http.StatusAccepted {
		t.Fatal("delivery:", status)
	}
	list := p.awaitBuilds(t, 2)
	b := p.build(t, list[0].ID)
	log := p.log(t, b.ID)
	if b.Status != "succeeded" || !strings.Contains(log, "reading") || !strings.Contains(log, "line of the commit") || !strings.Contains(log, "done") {
		t.Fatalf("%+v\n%s", b, log)
	}
	eventually(t, "both statuses", func() bool { return len(hub.statuses()) >= 2 })

	// The same delivery again, and a check, change nothing.
	if status := p.deliver(t, p.hook, "11111111-2222-3333-4444-555555555555", body); status != http.StatusAccepted {
		t.Error("redelivery:", status)
	}
	p.awaitDigest(t)
	p.awaitBuilds(t, 2)
	got := hub.statuses()
	if len(got) != 2 {
		t.Fatalf("%d statuses: %+v", len(got), got)
	}
	want := fmt.Sprintf("%s/teams/main/pipelines/shop/jobs/unit/builds/2", p.PublicURL())
	for i, state := range []string{"pending", "success"} {
		s := got[i]
		if s.State != state || s.path != "POST /api/v3/repos/acme/shop/statuses/"+sha || s.Context != "signalbox/shop/unit" || s.Target_url != want || s.token != "Bearer tok-1" {
			t.Errorf("%+v", s)
		}
	}
}

func TestWebhooksThatMustNotBuild(t *testing.T) {
	t.Parallel()
	p := startPushed(t, "", "")
	p.repo.commit(t, "src/a", "1", "a change that counts")
	body := p.repo.push(t, "main")
	if status := p.deliverSigned(t, p.hook, newGUID(), "sha256="+strings.Repeat("0", 64), body); status != http.StatusUnauthorized {
		t.Errorf("wrong signature: %d", status)
	}
	if status := p.deliverSigned(t, p.hook, newGUID(), "", body); status != http.StatusUnauthorized {
		t.Errorf("no signature: %d", status)
	}
	if status := p.deliver(t, hook{ID: strings.Repeat("0", 32), Secret: p.hook.Secret}, newGUID(), body); status != http.StatusNotFound {
		t.Errorf("unknown hook: %d", status)
	}
	var list struct {
		Items []struct{ ID, Verdict string }
	}
	eventually(t, "the refusal to be noted", func() bool {
		p.call(t, "GET", "/api/v1/ci/deliveries?team=main", nil, &list)
		return len(list.Items) > 0
	})
	if len(list.Items) != 1 || list.Items[0].Verdict != "refused" {
		t.Fatalf("%+v", list)
	}
	if _, raw := p.send(t, "GET", "/api/v1/ci/deliveries/"+list.Items[0].ID, nil); strings.Contains(raw, "a change that counts") {
		t.Error("the body of an unsigned request was kept")
	}
}

func TestWhichPushesBuild(t *testing.T) {
	t.Parallel()
	p := startPushed(t, "", "")
	builds := 1
	for _, c := range []struct {
		name, file, message, branch string
		build                       bool
	}{
		{"another branch", "a", "elsewhere", "topic", false},
		{"ci skip", "b", "words [ci skip]", "main", false},
		{"skip ci", "c", "[skip ci] words", "main", false},
		{"the branch", "d", "words", "main", true},
	} {
		p.repo.commit(t, c.file, c.name, c.message)
		if status := p.deliver(t, p.hook, newGUID(), p.repo.push(t, c.branch)); status != http.StatusAccepted {
			t.Fatalf("%s: %d", c.name, status)
		}
		p.awaitDigest(t)
		if c.branch != "main" {
			p.repo.git(t, "reset", "-q", "--hard", "HEAD~1")
		}
		if c.build {
			builds++
		}
		p.awaitBuilds(t, builds)
	}
}

func TestPathsFilterPushes(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := &pushed{running: r, repo: r.repository(t, "shop"), hook: r.hook(t, "main", "")}
	p.repo.commit(t, "src/a", "1", "the first that counts")
	p.repo.push(t, "main")
	id := r.pipeline(t, "main", "shop", gitPipeline(p.repo, ", paths: [src], ignore_paths: [src/doc]"))
	r.awaitVersion(t, r.resourceID(t, id, "code"))
	p.awaitBuilds(t, 1)
	for file, builds := range map[string]int{"README": 1, "src/doc/x": 1} {
		p.repo.commit(t, file, "2", "does not count")
		p.deliver(t, p.hook, newGUID(), p.repo.push(t, "main"))
		p.awaitDigest(t)
		p.awaitBuilds(t, builds)
	}
	p.repo.commit(t, "src/b", "3", "counts")
	p.deliver(t, p.hook, newGUID(), p.repo.push(t, "main"))
	p.awaitBuilds(t, 2)
	// One delivery, twice at once: one build.
	p.repo.commit(t, "src/c", "4", "counts too")
	body, guid := p.repo.push(t, "main"), newGUID()
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { p.deliver(t, p.hook, guid, body) })
	}
	both.Wait()
	p.awaitDigest(t)
	p.awaitBuilds(t, 3)
}

// TestConcourseCheckWebhook: the address that Concourse users have at GitHub keeps working.
func TestConcourseCheckWebhook(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := &pushed{running: r, repo: r.repository(t, "shop")}
	yaml := strings.Replace(gitPipeline(p.repo, ""), "  type: git\n", "  type: git\n  webhook_token: knock\n  check_every: never\n", 1)
	id := r.pipeline(t, "main", "shop", yaml)
	anybody := r.as("")
	const path = "/api/v1/teams/main/pipelines/shop/resources/code/check/webhook"
	for query, want := range map[string]int{"": 400, "?webhook_token=wrong": 401} {
		if status, raw := anybody.send(t, "POST", path+query, nil); status != want {
			t.Errorf("%s: %d %s", query, status, raw)
		}
	}
	if status, _ := anybody.send(t, "POST", strings.Replace(path, "code", "nothing", 1)+"?webhook_token=knock", nil); status != 404 {
		t.Errorf("unknown resource: %d", status)
	}
	if list := r.builds(t, "main", "shop", "unit"); len(list) > 0 {
		t.Fatalf("built before it was told: %+v", list)
	}
	if status, raw := anybody.send(t, "POST", path+"?webhook_token=knock", strings.NewReader("anything at all")); status != 201 {
		t.Fatalf("%d %s", status, raw)
	}
	r.awaitVersion(t, r.resourceID(t, id, "code"))
	p.awaitBuilds(t, 1)
}
