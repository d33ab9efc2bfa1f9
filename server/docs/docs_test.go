package docs

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
)

// sample are facts of each kind; the description of the API is the real one.
func sample(t *testing.T) Facts {
	t.Helper()
	spec, err := os.ReadFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return Facts{
		OpenAPI:  spec,
		Commands: []Command{{Use: "signalbox token create [flags]", Short: "Create a token", Long: "Prints <only> its value.", Flags: "      --days int   days until it expires"}},
		Routes: []Route{{Method: "GET", Path: "/api/v1/ci/builds/:id", Access: "needs ci:read"}, {Method: "POST", Path: "/loki/api/v1/push", Access: "its own proof", Why: "a token"},
			{Method: "GET", Path: "/api/v1/teams/:team/pipelines", Access: "anybody"}, {Method: "GET", Path: "/readyz", Access: "anybody"}},
		Metrics: []Metric{{Name: "signalbox_work_jobs", Help: "Jobs by state.", Labels: []string{"state"}}},
		Events:  []Event{{Name: "build.failed", Capability: "ci", When: "a build fails"}},
		Tools:   []Tool{{Name: "ci_build_list", Class: "read", Scope: "ci:read", Description: "Lists builds.", In: []string{"`team` (string, needed)"}}},
		Exits:   []Exit{{7, "rollback failed"}},
	}
}

// rendered is one manual for all tests; it is only read.
var rendered struct {
	sync.Once
	manual *Manual
}

func manual(t *testing.T) *Manual {
	t.Helper()
	rendered.Do(func() { rendered.manual = newManual(t) })
	return rendered.manual
}

func newManual(t *testing.T) *Manual {
	t.Helper()
	facts := sample(t)
	return New(Deps{Address: func() string { return "https://box.example.com" }, Facts: func() Facts { return facts }, Stylesheets: []string{"/assets/index.css"}, Version: "1.2"})
}

func book(t *testing.T) *Book {
	t.Helper()
	b, err := manual(t).Book()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPagesSpeakOfThisServer(t *testing.T) {
	t.Parallel()
	for _, p := range book(t).Pages() {
		if strings.Contains(p.HTML, usualAddress) {
			t.Errorf("%s names %s, which is nobody's", p.Path, usualAddress)
		}
	}
}

var link = regexp.MustCompile(`href="(/docs[^"#]*|)(?:#([^"]*))?"`)

// TestLinksLead follows every link of every page to a page and a heading of it.
func TestLinksLead(t *testing.T) {
	t.Parallel()
	b := book(t)
	for _, p := range b.Pages() {
		for _, m := range link.FindAllStringSubmatch(p.HTML, -1) {
			path, anchor := m[1], m[2]
			if path == "" {
				path = p.Path
			}
			if strings.HasPrefix(path, "/docs/assets/") {
				continue
			}
			to, _, _, err := b.page(path)
			if err != nil {
				t.Errorf("%s: %v", p.Path, err)
				continue
			}
			if anchor != "" && !strings.Contains(to.HTML, `id="`+anchor+`"`) {
				t.Errorf("%s leads to %s#%s, which is not there", p.Path, path, anchor)
			}
		}
	}
}

// TestReferenceSaysWhatIs looks for one fact of each kind on its page.
func TestReferenceSaysWhatIs(t *testing.T) {
	t.Parallel()
	b := book(t)
	for path, want := range map[string][]string{
		"configuration": {"server.listen", "SIGNALBOX_SERVER_LISTEN", ":8080"},
		"commands":      {"signalbox token create", "Prints &lt;only&gt; its value.", "--days int"},
		"api-ci":        {"GET /api/v1/ci/builds/{id}", "needs ci:read", "PUT /api/v1/ci/secrets", "needed"},
		"protocols":     {"/loki/api/v1/push", "a token", "Concourse"},
		"events":        {"build.failed", "ci.build", "X-Signalbox-Signature-256"},
		"tools":         {"ci_build_list", "string, needed"},
		"metrics":       {"signalbox_work_jobs", "state"},
		"agent":         {"rollback failed"},
	} {
		p, _, _, err := b.page("/docs/reference/" + path)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range want {
			if !strings.Contains(p.HTML, text) {
				t.Errorf("%s does not say %q", path, text)
			}
		}
	}
}

func TestFindPrefersHeadings(t *testing.T) {
	t.Parallel()
	b := book(t)
	for query, want := range map[string]string{"restore": "/docs/operating#restore", "logql": "/docs/from-loki#2-reading-with-logql", "server.listen": "/docs/reference/configuration#server",
		"The KEY file": "/docs/operating#the-key-file", "backups": "/docs/operating#backup"} {
		hits := b.Find(query)
		if len(hits) == 0 || hits[0].Path != want {
			t.Errorf("%q: %+v, want %s first", query, hits, want)
		}
	}
	if hits := b.Find("no-such-word"); len(hits) != 0 {
		t.Errorf("%+v", hits)
	}
	if hits := b.Find("  "); len(hits) != 0 {
		t.Errorf("%+v", hits)
	}
}

func TestRendering(t *testing.T) {
	t.Parallel()
	p, err := render("/docs/x", "# A `b`\n\nSee <script>alert(1)</script> [x](javascript:alert(1)).\n\n## Two words\n\n```sh needs=helm\nhelm <x>\n```\n\n```text\nok\n```\n\n| a |\n|---|\n| b |\n", "http://h")
	if err != nil {
		t.Fatal(err)
	}
	if p.Title != "A b" || len(p.Sections) != 2 || p.Sections[1].Anchor != "two-words" || !strings.Contains(p.Sections[1].Text, "helm <x>") {
		t.Errorf("%+v", p)
	}
	if len(p.Fences) != 2 || p.Fences[0].Needs != "helm" || p.Fences[0].Language != "sh" || p.Fences[1].Language != "text" {
		t.Errorf("%+v", p.Fences)
	}
	for _, bad := range []string{"<script", "javascript:", "helm <x>"} {
		if strings.Contains(p.HTML, bad) {
			t.Errorf("%q is in %s", bad, p.HTML)
		}
	}
	for _, good := range []string{"Needs helm", `href="#two-words"`, "helm &lt;x&gt;", "<table>"} {
		if !strings.Contains(p.HTML, good) {
			t.Errorf("%q is not in %s", good, p.HTML)
		}
	}
	if _, err := render("/docs/x", "no title", ""); err == nil {
		t.Error("a page without a title is taken")
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.RedirectTrailingSlash = false
	var table api.Table
	manual(t).Routes(api.NewRouter(engine, &table))
	for _, c := range []struct {
		path   string
		status int
		says   string
	}{
		{"/docs", 200, "<h1 id=\"signalbox\">"},
		{"/docs/", 200, "<h1 id=\"signalbox\">"},
		{"/docs/install", 200, `aria-current="page">Install`},
		{"/docs/reference/metrics", 200, "signalbox_work_jobs"},
		{"/docs/backup", 404, "/docs/operating#backup"},
		{"/docs/reference/nothing", 404, "No such page"},
		{"/docs/search?q=restore", 200, "/docs/operating#restore"},
		{"/docs/search?q=%3Cscript%3Ezz", 200, "Nothing in the manual"},
		{"/docs/find?q=restore", 200, `"path":"/docs/operating#restore"`},
		{"/docs/assets/docs.css", 200, ".prose"},
		{"/docs/assets/openapi.yaml", 200, "openapi: 3"},
		{"/docs/assets/page.html", 404, "No such page"},
	} {
		r := httptest.NewRecorder()
		engine.ServeHTTP(r, httptest.NewRequest("GET", c.path, nil))
		if r.Code != c.status || !strings.Contains(r.Body.String(), c.says) || strings.Contains(r.Body.String(), "<script>zz") {
			t.Errorf("%s: %d, %q is missing", c.path, r.Code, c.says)
		}
		if policy := r.Header().Get("Content-Security-Policy"); !strings.HasPrefix(c.path, "/docs/find") && policy != api.PagePolicy {
			t.Errorf("%s: %q", c.path, policy)
		}
	}
	first := httptest.NewRecorder()
	again := httptest.NewRequest("GET", "/docs", nil)
	engine.ServeHTTP(first, again)
	again.Header.Set("If-None-Match", first.Header().Get("ETag"))
	second := httptest.NewRecorder()
	engine.ServeHTTP(second, again)
	if second.Code != http.StatusNotModified {
		t.Errorf("asked again: %d", second.Code)
	}
	for _, r := range table.Routes {
		if r.Access.Kind != api.KindPublic || r.Access.Why == "" {
			t.Errorf("%s is %+v", r.Path, r.Access)
		}
	}
}
