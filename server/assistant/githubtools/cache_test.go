package githubtools

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/assistant/evals/acme"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// office is a team that asks acme's GitHub through a cache.
type office struct {
	hub    *acme.GitHub
	cache  *Cache
	server *Server
	clock  time.Time
	mu     sync.Mutex
	// ages are what OnCached has heard.
	ages []time.Time
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.clock
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clock = o.clock.Add(d)
}

func setup(t *testing.T) *office {
	t.Helper()
	o := &office{hub: acme.NewGitHub(), clock: acme.Now}
	at := httptest.NewServer(o.hub)
	t.Cleanup(at.Close)
	o.cache = NewCache(o.now)
	o.server = o.of(t, at.URL, "1")
	return o
}

// of is a server for another team.
func (o *office) of(t *testing.T, url, scope string) *Server {
	client, err := acme.Client(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Server{Allowed: acme.Repositories, Cache: o.cache, Scope: scope, OnCached: func(at time.Time) { o.ages = append(o.ages, at) },
		Client: func(context.Context, string) (*github.Client, error) { return client, nil }}
}

func call(t *testing.T, s *Server, name, args string) (map[string]any, error) {
	t.Helper()
	for _, tool := range s.Tools() {
		if tool.Name == name {
			return run(t, tool, args)
		}
	}
	t.Fatalf("there is no tool %s", name)
	return nil, nil
}

func run(t *testing.T, tool tools.Tool, args string) (map[string]any, error) {
	out, err := tool.Run(t.Context(), json.RawMessage(args))
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	return value, json.Unmarshal(raw, &value)
}

const latest = `{"owner":"acme","repo":"shop"}`

func TestCache(t *testing.T) {
	t.Parallel()
	o := setup(t)
	asked := func(what string, calls, unchanged int64) {
		t.Helper()
		out, err := call(t, o.server, "get_latest_release", latest)
		if err != nil || out["tag_name"] != "v1.4.2" || o.hub.Calls.Load() != calls || o.hub.Unchanged.Load() != unchanged {
			t.Errorf("%s: %v %v, %d calls, %d unchanged", what, out, err, o.hub.Calls.Load(), o.hub.Unchanged.Load())
		}
	}
	asked("first", 1, 0)
	asked("again", 1, 0)
	if len(o.ages) != 0 {
		t.Errorf("what was asked just now is said to be of %v", o.ages)
	}
	o.pass(40 * time.Second)
	asked("within a minute", 1, 0)
	if len(o.ages) != 1 || !o.ages[0].Equal(acme.Now) {
		t.Errorf("ages %v", o.ages)
	}
	o.pass(30 * time.Second)
	asked("older, and unchanged", 2, 1)
	asked("fresh again", 2, 1)
	o.cache.Changed("ACME/Shop")
	asked("after a webhook", 3, 2)
	o.cache.Changed("acme/api")
	asked("after a webhook of another repository", 3, 2)
	o.cache.Changed("")
	asked("after something may have been missed", 4, 3)
	if _, err := call(t, o.of(t, strings.TrimSuffix(baseOf(t, o.server), "/"), "2"), "get_latest_release", latest); err != nil || o.hub.Calls.Load() != 5 {
		t.Errorf("another team was given what this one may see: %v, %d calls", err, o.hub.Calls.Load())
	}
}

func baseOf(t *testing.T, s *Server) string {
	c, err := s.Client(t.Context(), "acme/shop")
	if err != nil {
		t.Fatal(err)
	}
	return c.BaseURL.String()
}

// TestCacheAtTheLimit gives what is known when GitHub allows no more calls, and refuses what is not.
func TestCacheAtTheLimit(t *testing.T) {
	t.Parallel()
	o := setup(t)
	if _, err := call(t, o.server, "get_latest_release", latest); err != nil {
		t.Fatal(err)
	}
	o.hub.Fail("get_latest_release", acme.FaultLimited)
	o.hub.Fail("list_releases", acme.FaultLimited)
	o.pass(2 * time.Minute)
	out, err := call(t, o.server, "get_latest_release", latest)
	if err != nil || out["tag_name"] != "v1.4.2" || len(o.ages) != 1 {
		t.Errorf("%v %v %v", out, err, o.ages)
	}
	if _, err := call(t, o.server, "list_releases", latest); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("%v", err)
	}
	o.pass(2 * time.Hour)
	if out, err := call(t, o.server, "get_latest_release", latest); err == nil {
		t.Errorf("what is hours old: %v", out)
	}
}

// TestCacheSparesCalls keeps answers longer while few calls are left.
func TestCacheSparesCalls(t *testing.T) {
	t.Parallel()
	o := setup(t)
	o.hub.Calls.Store(4900)
	for range 2 {
		if _, err := call(t, o.server, "get_latest_release", latest); err != nil {
			t.Fatal(err)
		}
		o.pass(3 * time.Minute)
	}
	if o.hub.Calls.Load() != 4901 {
		t.Errorf("%d calls", o.hub.Calls.Load())
	}
}

// TestCacheOnce asks GitHub once, however many ask for the same at the same time, and
// does not trust an answer that was on its way when GitHub told of a change.
func TestCacheOnce(t *testing.T) {
	t.Parallel()
	arrived, let := make(chan struct{}, 10), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-let
		w.Header().Set("ETag", `"1"`)
		w.Write([]byte(`{"tag_name":"v1"}`))
	}))
	defer server.Close()
	o := &office{clock: acme.Now}
	o.cache = NewCache(o.now)
	s := o.of(t, server.URL, "1")
	var wait sync.WaitGroup
	for range 5 {
		wait.Go(func() {
			if out, err := call(t, s, "get_latest_release", latest); err != nil || out["tag_name"] != "v1" {
				t.Errorf("%v %v", out, err)
			}
		})
	}
	<-arrived
	o.cache.Changed("acme/shop")
	close(let)
	wait.Wait()
	if _, err := call(t, s, "get_latest_release", latest); err != nil {
		t.Fatal(err)
	}
	if n := len(arrived) + 1; n < 2 || n > 4 {
		t.Errorf("GitHub was asked %d times", n)
	}
}

func TestCacheHasABound(t *testing.T) {
	t.Parallel()
	c := NewCache(func() time.Time { return acme.Now })
	for i := range 20 {
		c.keep(place{"1", "acme/shop", strings.Repeat("x", i)}, &kept{body: make([]byte, maxKept/8), used: acme.Now.Add(time.Duration(i))})
	}
	c.keep(place{path: "huge"}, &kept{body: make([]byte, maxKept)})
	if c.size > maxKept || len(c.kept) != 8 || c.kept[place{"1", "acme/shop", strings.Repeat("x", 19)}] == nil {
		t.Errorf("%d bytes in %d answers", c.size, len(c.kept))
	}
}

// TestReading reads what the tools give of GitHub's answers, page by page.
func TestReading(t *testing.T) {
	t.Parallel()
	o := setup(t)
	for _, c := range []struct{ tool, args, want string }{
		{"list_commits", `{"owner":"acme","repo":"shop","path":"payments/refund.go","perPage":4}`, `"next_page":2`},
		{"list_commits", `{"owner":"acme","repo":"shop","path":"payments/refund.go","perPage":4,"page":3}`, `begin refunds`},
		{"actions_list", `{"owner":"acme","repo":"shop","branch":"checkout"}`, `"conclusion":"failure"`},
		{"actions_list", `{"owner":"acme","repo":"shop","run_id":9000}`, `"failed_steps":["go test"]`},
		{"get_file_contents", `{"owner":"acme","repo":"shop","path":"CODEOWNERS"}`, `@acme/payments`},
		{"search_code", `{"query":"repo:acme/shop refund"}`, `payments/refund.go`},
		{"pull_request_read", `{"owner":"acme","repo":"shop","pullNumber":5678,"method":"get_files","perPage":4}`, `"next_page":2`},
		{"pull_request_read", `{"owner":"acme","repo":"shop","pullNumber":5716,"method":"get"}`, `"requested_teams":["security"]`},
		{"pull_request_read", `{"owner":"acme","repo":"shop","pullNumber":5702,"method":"get"}`, `"merged_by":"carol"`},
		{"issue_read", `{"owner":"acme","repo":"shop","issue_number":1234,"method":"get_comments"}`, `{}`},
		{"get_release_by_tag", `{"owner":"acme","repo":"shop","tag":"v1.4.1"}`, `"tag_name":"v1.4.1"`},
		{"get_commit", `{"owner":"acme","repo":"shop","sha":"0000001"}`, `"filename":"payments/refund.go"`},
		{"list_releases", `{"owner":"acme","repo":"shop","perPage":2}`, `"next_page":2`},
	} {
		out, err := call(t, o.server, c.tool, c.args)
		raw, _ := json.Marshal(out)
		if err != nil || !strings.Contains(string(raw), c.want) {
			t.Errorf("%s %s: %s %v", c.tool, c.args, raw, err)
		}
	}
	for _, c := range []struct{ tool, args, want string }{
		{"get_release_by_tag", `{"owner":"acme","repo":"shop","tag":"v9"}`, "404"},
		{"get_commit", `{"owner":"acme","repo":"legacy","sha":"1"}`, "not on this team's list"},
		{"get_file_contents", `{"owner":"acme","repo":"shop","path":"../../user"}`, "path"},
	} {
		if out, err := call(t, o.server, c.tool, c.args); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v %v", c.tool, c.args, out, err)
		}
	}
	o.hub.Fail("list_releases", acme.FaultMalformed)
	if out, err := call(t, o.server, "list_releases", latest); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("%v %v", out, err)
	}
}
