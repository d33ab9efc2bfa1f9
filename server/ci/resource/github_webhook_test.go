package resource

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

func hookEnv() []string {
	return []string{"ATC_EXTERNAL_URL=https://CI.example.com/", "BUILD_TEAM_NAME=Main Team", "BUILD_PIPELINE_NAME=Web",
		`BUILD_PIPELINE_INSTANCE_VARS={"branch":"feature/x","n":3,"deep":{"a.b":[1]}}`}
}

func hookParams(more map[string]any) map[string]any {
	params := map[string]any{"org": "acme", "repo": "app", "resource_name": "code/main", "webhook_token": "a&b+c#d", "operation": " Create "}
	maps.Copy(params, more)
	return params
}

// fakeHooks is GitHub's list of a repository's hooks, two a page, with masked secrets.
type fakeHooks struct {
	*fakeService
	hooks  []hook
	next   int64
	broken int // that many creations answer 500 although they were done
}

func newFakeHooks(t *testing.T, others int) *fakeHooks {
	f := &fakeHooks{next: 100}
	for i := range others {
		f.hooks = append(f.hooks, hook{ID: int64(i), Name: "web", Active: true, Events: []string{"push"}, Config: hookConfig{URL: fmt.Sprintf("https://other/%d", i), ContentType: "json"}})
	}
	f.fakeService = newFakeService(t, func(w http.ResponseWriter, r *http.Request) { f.serve(t, w, r) })
	return f
}

func (f *fakeHooks) serve(t *testing.T, w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer secret-token" {
		answerJSON(t, w, 401, map[string]string{"message": "Bad credentials"})
		return
	}
	id, err := strconv.ParseInt(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:], 10, 64)
	at := -1
	for i, h := range f.hooks {
		if err == nil && h.ID == id {
			at = i
		}
	}
	var sent hook
	if r.Method == "POST" || r.Method == "PATCH" {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
	}
	switch {
	case !strings.HasPrefix(r.URL.Path, "/repos/acme/app/hooks"):
		answerJSON(t, w, 404, map[string]string{"message": "Not Found"})
	case r.Method == "GET":
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		page = max(page, 1)
		if page*2 < len(f.hooks) {
			w.Header().Set("Link", fmt.Sprintf(`<%s%s?page=%d>; rel="next"`, f.URL, r.URL.Path, page+1))
		}
		shown := append([]hook{}, f.hooks[min((page-1)*2, len(f.hooks)):min(page*2, len(f.hooks))]...)
		for i := range shown {
			if shown[i].Config.Secret != "" {
				shown[i].Config.Secret = "********"
			}
		}
		answerJSON(t, w, 200, shown)
	case r.Method == "POST":
		for _, h := range f.hooks {
			if h.Config.URL == sent.Config.URL {
				answerJSON(t, w, 422, map[string]any{"message": "Validation Failed", "errors": []any{map[string]string{"message": "Hook already exists on this repository"}}})
				return
			}
		}
		f.next++
		sent.ID = f.next
		f.hooks = append(f.hooks, sent)
		if f.broken > 0 {
			f.broken--
			w.WriteHeader(500)
			return
		}
		answerJSON(t, w, 201, sent)
	case at < 0:
		answerJSON(t, w, 404, map[string]string{"message": "Not Found"})
	case r.Method == "PATCH":
		f.hooks[at].Events, f.hooks[at].Config, f.hooks[at].Active = sent.Events, sent.Config, sent.Active
		answerJSON(t, w, 200, f.hooks[at])
	case r.Method == "DELETE":
		f.hooks = append(f.hooks[:at], f.hooks[at+1:]...)
		w.WriteHeader(204)
	}
}

func (f *fakeHooks) put(t *testing.T, more map[string]any) (Result, string, error) {
	t.Helper()
	req := newRequest(newShelf(), map[string]any{"github_api": f.URL + "/", "github_token": "secret-token"}, hookParams(more))
	req.Env = hookEnv()
	got, err := f.native("github-webhook").Put(t.Context(), req.Request)
	if strings.Contains(req.log.String(), "secret-token") || strings.Contains(req.log.String(), "a&b") {
		t.Errorf("the log has a secret: %s", req.log)
	}
	return got, strings.TrimSpace(req.log.String()), err
}

func (f *fakeHooks) changes() string {
	var out []string
	for _, r := range f.requests() {
		if r.method != "GET" {
			out = append(out, r.method)
		}
	}
	f.mu.Lock()
	f.got = nil
	f.mu.Unlock()
	return strings.Join(out, " ")
}

func TestGitHubWebhookLife(t *testing.T) {
	t.Parallel()
	f := newFakeHooks(t, 5)
	secret := map[string]any{"payload_secret": "s3cret", "events": []any{"push", "Pull_Request ", "push"}}
	for _, step := range []struct {
		params             map[string]any
		log, changes, name string
	}{
		{nil, "created the webhook", "POST", "made"},
		{nil, "the webhook exists already", "", "made again"},
		{secret, "updated the webhook", "PATCH", "other events and a secret"},
		{secret, "updated the webhook", "PATCH", "the secret cannot be compared"},
		{map[string]any{"webhook_token": "rotated"}, "updated the webhook", "PATCH", "another token"},
		{map[string]any{"payload_content_type": "form"}, "updated the webhook", "PATCH", "content type"},
		{map[string]any{"operation": "delete", "webhook_token": "whatever"}, "deleted the webhook", "DELETE", "deleted"},
		{map[string]any{"operation": "DELETE"}, "the webhook does not exist", "", "deleted again"},
	} {
		got, log, err := f.put(t, step.params)
		if changes := f.changes(); err != nil || log != step.log || changes != step.changes || got.Version["id"] == "" {
			t.Fatalf("%s: %v, log %q, %s, %v", step.name, got, log, changes, err)
		}
		if len(f.hooks) > 5 && got.Version["id"] != "101" {
			t.Errorf("%s: %v", step.name, got)
		}
	}
	if len(f.hooks) != 5 {
		t.Errorf("%v", f.hooks)
	}
}

func TestGitHubWebhookMadeInSpiteOfFailure(t *testing.T) {
	t.Parallel()
	f := newFakeHooks(t, 3)
	f.broken = 1
	got, log, err := f.put(t, nil)
	if err != nil || got.Version["id"] != "101" || log != "the webhook exists already" || f.changes() != "POST" {
		t.Errorf("%v %q %v", got, log, err)
	}
}

func TestGitHubWebhookAddress(t *testing.T) {
	t.Parallel()
	f := newFakeHooks(t, 0)
	if _, _, err := f.put(t, map[string]any{"pipeline_instance_vars": map[string]any{"n": "4"}}); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(f.hooks[0].Config.URL)
	if err != nil || u.Host != "CI.example.com" || u.EscapedPath() != "/api/v1/teams/Main%20Team/pipelines/Web/resources/code%2Fmain/check/webhook" {
		t.Fatalf("%v %v", u, err)
	}
	query := u.Query()
	for key, want := range map[string]string{"webhook_token": "a&b+c#d", "vars.branch": `"feature/x"`, "vars.n": `"4"`, `vars.deep."a.b"`: "[1]"} {
		if query.Get(key) != want {
			t.Errorf("%s is %q", key, query.Get(key))
		}
	}
	if h := f.hooks[0]; h.Name != "web" || !h.Active || h.Config.ContentType != "json" || strings.Join(h.Events, " ") != "push" {
		t.Errorf("%v", h)
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"https://h/x?webhook_token=a", "https://h/x?webhook_token=b", true},
		{"https://H/x?webhook_token=a&vars.a=1", "https://h/x?vars.a=1", true},
		{"https://h/x?vars.a=1", "https://h/x?vars.a=2", false},
		{"https://h/x", "https://h/X", false},
		{"https://h/a%2Fb", "https://h/a/b", false},
		{"%zz", "%zz", false},
	} {
		if sameHook(c.a, c.b) != c.want {
			t.Errorf("%s and %s", c.a, c.b)
		}
	}
}

func TestGitHubWebhookRefusals(t *testing.T) {
	t.Parallel()
	f := newFakeHooks(t, 0)
	for _, c := range []struct {
		params map[string]any
		words  string
	}{
		{map[string]any{"org": ""}, "params.org is missing"},
		{map[string]any{"repo": "../x"}, `params.repo "../x" is not a name on GitHub`},
		{map[string]any{"operation": "toggle"}, "params.operation must be create or delete"},
		{map[string]any{"payload_content_type": "xml"}, "params.payload_content_type must be one of"},
		{map[string]any{"payload_base_url": "ftp://x"}, "params.payload_base_url is not the address"},
		{map[string]any{"repo": "other"}, "GitHub answered 404 Not Found: Not Found. The repository acme/other does not exist, or the token's owner is not an administrator of it"},
	} {
		if _, _, err := f.put(t, c.params); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v: %v", c.params, err)
		}
	}
	typ := f.native("github-webhook")
	for _, c := range []struct {
		source map[string]any
		words  string
	}{
		{nil, "source.github_api is missing"},
		{map[string]any{"github_api": "x", "github_token": "t"}, "source.github_api is not the address of an API"},
		{map[string]any{"github_api": f.URL}, "source.github_token is missing"},
	} {
		if _, err := typ.Check(t.Context(), newRequest(nil, c.source, nil).Request); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v: %v", c.source, err)
		}
	}
}

// The version of a put can be checked and fetched.
func TestPutOnlyTypesAreCoherent(t *testing.T) {
	t.Parallel()
	s := newFakeService(t, nil)
	for name, source := range map[string]map[string]any{
		"github-webhook":     {"github_api": s.URL, "github_token": "t"},
		"slack-notification": {"url": s.URL},
		"webhook":            {"url": s.URL},
		"http":               nil,
	} {
		shelf := newShelf()
		req := newRequest(shelf, source, nil)
		typ := s.native(name)
		if got, err := typ.Check(t.Context(), req.Request); err != nil || got == nil || len(got) != 0 {
			t.Errorf("%s: %v %v", name, got, err)
		}
		req.Version = Version{"id": "7"}
		got, err := typ.Check(t.Context(), req.Request)
		fetched, getErr := typ.Get(t.Context(), req.Request)
		if err != nil || getErr != nil || versions(got) != "id=7" || fetched.Version["id"] != "7" ||
			exported(t, shelf, req.Dest)["version.json"] != `{"id":"7"}` {
			t.Errorf("%s: %v %v %v %v", name, got, err, fetched, getErr)
		}
	}
	if len(s.requests()) != 0 {
		t.Errorf("%v", s.requests())
	}
}
