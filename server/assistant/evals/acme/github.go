package acme

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-github/v60/github"
)

// Fault is what goes wrong at a tool.
type Fault string

// The faults.
const (
	FaultError     Fault = "error"     // GitHub answers 502, a tool of ours fails
	FaultTimeout   Fault = "timeout"   // no answer comes in time
	FaultEmpty     Fault = "empty"     // there is nothing
	FaultTruncated Fault = "truncated" // the answer ends in the middle
	FaultLimited   Fault = "429"       // too many calls
	FaultMalformed Fault = "malformed" // the answer is no JSON
)

// GitHub answers as GitHub does for the world's repositories.
type GitHub struct {
	// Down answers everything with 502. Calls counts requests, Unchanged those that were answered with 304.
	Down             atomic.Bool
	Calls, Unchanged atomic.Int64
	things           map[string][]thing
	mux              *http.ServeMux
	mu               sync.Mutex
	faults           map[string]Fault
}

// NewGitHub makes a GitHub that holds the world.
func NewGitHub() *GitHub {
	g := &GitHub{mux: http.NewServeMux(), faults: map[string]Fault{}, things: map[string][]thing{"acme/shop": append(shopIssues(), shopPulls()...), "acme/api": apiThings(), "acme/legacy": {}}}
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /search/issues":                                 g.search,
		"GET /search/code":                                   g.searchCode,
		"GET /installation/repositories":                     g.repositories,
		"GET /user/repos":                                    g.repositories,
		"GET /repos/{owner}/{name}":                          g.repository,
		"GET /repos/{owner}/{name}/issues/{number}":          g.one,
		"GET /repos/{owner}/{name}/pulls/{number}":           g.one,
		"GET /repos/{owner}/{name}/issues/{number}/comments": g.none,
		"GET /repos/{owner}/{name}/pulls/{number}/reviews":   g.reviews,
		"GET /repos/{owner}/{name}/pulls/{number}/files":     g.files,
		"GET /repos/{owner}/{name}/commits/{sha}/check-runs": g.checks,
		"GET /repos/{owner}/{name}/commits":                  g.commits,
		"GET /repos/{owner}/{name}/contents/{path...}":       g.contents,
		"GET /repos/{owner}/{name}/releases":                 g.releases,
		"GET /repos/{owner}/{name}/releases/latest":          g.latest,
		"GET /repos/{owner}/{name}/releases/tags/{tag}":      g.tagged,
		"GET /repos/{owner}/{name}/commits/{sha}":            g.oneCommit,
		"GET /repos/{owner}/{name}/actions/runs/{id}/jobs":   g.jobs,
		"GET /repos/{owner}/{name}/compare/{range}":          g.compare,
		"GET /repos/{owner}/{name}/actions/runs":             g.runs,
	} {
		g.mux.HandleFunc(pattern, handle)
	}
	return g
}

// Fail has one tool of GitHub's meet a fault from now on.
func (g *GitHub) Fail(tool string, fault Fault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults[tool] = fault
}

// Client calls a GitHub that is served at base.
func Client(base string, c *http.Client) (*github.Client, error) {
	u, err := url.Parse(strings.TrimRight(base, "/") + "/")
	if err != nil {
		return nil, err
	}
	client := github.NewClient(c)
	client.BaseURL, client.UploadURL = u, u
	return client, nil
}

func (g *GitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.Calls.Add(1)
	fault := g.faultAt(r)
	if g.Down.Load() {
		fault = FaultError
	}
	switch fault {
	case "":
	case FaultError:
		http.Error(w, `{"message":"Bad Gateway"}`, http.StatusBadGateway)
		return
	case FaultLimited:
		w.Header().Set("X-RateLimit-Limit", "30")
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(Now.Add(time.Minute).Unix(), 10))
		http.Error(w, `{"message":"API rate limit exceeded"}`, http.StatusTooManyRequests)
		return
	case FaultTimeout:
		<-r.Context().Done()
		return
	}
	kept := &kept{ResponseWriter: w, status: http.StatusOK}
	g.mux.ServeHTTP(kept, r)
	g.send(w, r, kept, fault)
}

// send gives an answer with its tag, or says that it is the one that the asker has.
func (g *GitHub) send(w http.ResponseWriter, r *http.Request, k *kept, fault Fault) {
	sum := sha256.Sum256(k.body)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	w.Header().Set("X-RateLimit-Limit", "5000")
	w.Header().Set("X-RateLimit-Remaining", strconv.FormatInt(max(0, 5000-g.Calls.Load()), 10))
	w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(Now.Add(time.Hour).Unix(), 10))
	if k.status == http.StatusOK {
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			g.Unchanged.Add(1)
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	body := k.body
	switch fault {
	case FaultEmpty:
		body = []byte(`{"total_count":0,"items":[]}`)
		if strings.HasPrefix(string(k.body), "[") {
			body = []byte("[]")
		}
	case FaultTruncated:
		body = body[:len(body)/2]
	case FaultMalformed:
		body = []byte("<html>proxy error</html>")
	}
	w.WriteHeader(k.status)
	w.Write(body) //nolint:errcheck // whoever asked has gone
}

// kept holds an answer back until it is known whole.
type kept struct {
	http.ResponseWriter
	status int
	body   []byte
}

func (k *kept) WriteHeader(status int) { k.status = status }

func (k *kept) Write(b []byte) (int, error) {
	k.body = append(k.body, b...)
	return len(b), nil
}

// faultAt finds which tool makes a request.
func (g *GitHub) faultAt(r *http.Request) Fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.faults) == 0 {
		return ""
	}
	path, q := r.URL.Path, r.URL.Query().Get("q")
	for _, at := range []struct {
		tool string
		is   bool
	}{
		{"search_issues", path == "/search/issues" && strings.Contains(q, "is:issue")},
		{"search_pull_requests", path == "/search/issues" && strings.Contains(q, "is:pr")},
		{"search_code", path == "/search/code"},
		{"get_latest_release", strings.HasSuffix(path, "/releases/latest")},
		{"list_releases", strings.HasSuffix(path, "/releases")},
		{"compare_commits", strings.Contains(path, "/compare/")},
		{"pull_request_read", strings.Contains(path, "/pulls/") || strings.Contains(path, "/check-runs")},
		{"issue_read", strings.Contains(path, "/issues/")},
		{"list_commits", strings.HasSuffix(path, "/commits")},
		{"get_file_contents", strings.Contains(path, "/contents/")},
		{"actions_list", strings.HasSuffix(path, "/actions/runs")},
	} {
		if at.is && g.faults[at.tool] != "" {
			return g.faults[at.tool]
		}
	}
	return ""
}

func reply(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(value); err != nil {
		panic(err) // maps of text and numbers
	}
}

func notFound(w http.ResponseWriter) { http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound) }

func repoOf(r *http.Request) string { return r.PathValue("owner") + "/" + r.PathValue("name") }

func (g *GitHub) find(w http.ResponseWriter, r *http.Request, number string) (thing, bool) {
	n, _ := strconv.Atoi(number)
	i := slices.IndexFunc(g.things[repoOf(r)], func(t thing) bool { return t.number == n })
	if i < 0 {
		notFound(w)
		return thing{}, false
	}
	return g.things[repoOf(r)][i], true
}

func (g *GitHub) one(w http.ResponseWriter, r *http.Request) {
	if t, ok := g.find(w, r, r.PathValue("number")); ok {
		reply(w, shape(repoOf(r), t))
	}
}

func (g *GitHub) none(w http.ResponseWriter, _ *http.Request) { reply(w, []any{}) }

func (g *GitHub) repository(w http.ResponseWriter, r *http.Request) {
	if _, ok := g.things[repoOf(r)]; !ok {
		notFound(w)
		return
	}
	reply(w, map[string]any{"full_name": repoOf(r), "private": true, "html_url": "https://github.com/" + repoOf(r)})
}

func (g *GitHub) repositories(w http.ResponseWriter, _ *http.Request) {
	list := []map[string]any{}
	for n, name := range []string{"acme/shop", "acme/api", "acme/legacy"} {
		owner, bare, _ := strings.Cut(name, "/")
		list = append(list, map[string]any{"id": n + 1, "name": bare, "full_name": name, "private": true, "owner": map[string]string{"login": owner}, "html_url": "https://github.com/" + name,
			"clone_url": "https://github.com/" + name + ".git", "default_branch": "main", "permissions": map[string]bool{"pull": true}})
	}
	reply(w, list)
}

func (g *GitHub) reviews(w http.ResponseWriter, r *http.Request) {
	if t, ok := g.find(w, r, r.PathValue("number")); ok {
		out := []map[string]any{}
		for _, v := range t.reviews {
			out = append(out, map[string]any{"user": map[string]string{"login": v[0]}, "state": v[1], "submitted_at": "2026-04-16T10:00:00Z"})
		}
		reply(w, out)
	}
}

func (g *GitHub) files(w http.ResponseWriter, r *http.Request) {
	if t, ok := g.find(w, r, r.PathValue("number")); ok {
		out := []map[string]any{}
		for _, f := range t.files {
			out = append(out, map[string]any{"filename": f})
		}
		reply(w, out)
	}
}

func (g *GitHub) checks(w http.ResponseWriter, r *http.Request) {
	if t, ok := g.find(w, r, strings.TrimLeft(r.PathValue("sha"), "0")); ok {
		out := []map[string]any{}
		for _, c := range t.checks {
			out = append(out, map[string]any{"name": c[0], "status": "completed", "conclusion": c[1]})
		}
		reply(w, map[string]any{"check_runs": out})
	}
}
