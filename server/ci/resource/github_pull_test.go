package resource

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fakePulls is GitHub's pull requests of acme/app, two a page.
type fakePulls struct {
	*fakeService
	pulls    []map[string]any
	files    []map[string]string // of pull request 3, which has too many for the query
	facts    map[string]any
	comments []map[string]string
	statuses []map[string]string
	broken   int
}

func newFakePulls(t *testing.T) *fakePulls {
	f := &fakePulls{}
	f.fakeService = newFakeService(t, func(w http.ResponseWriter, r *http.Request) { f.serve(t, w, r) })
	return f
}

func hexOf(n int) string { return fmt.Sprintf("%040x", n) }

func (f *fakePulls) add(number, minute int, change map[string]any) {
	p := map[string]any{
		"number": number, "title": fmt.Sprintf("Change %d", number), "isDraft": false, "isCrossRepository": false,
		"labels": map[string]any{"nodes": []any{}}, "reviews": map[string]any{"totalCount": 0},
		"files": map[string]any{"totalCount": 1, "nodes": []any{map[string]any{"path": "src/main.go"}}},
		"commits": map[string]any{"nodes": []any{map[string]any{"commit": map[string]any{
			"oid": hexOf(number), "message": "work", "committedDate": epoch.Add(time.Duration(minute) * time.Minute).Format(time.RFC3339)}}}},
	}
	maps.Copy(p, change)
	f.pulls = append(f.pulls, p)
}

func (f *fakePulls) serve(t *testing.T, w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer secret-token" {
		answerJSON(t, w, 401, map[string]string{"message": "Bad credentials"})
		return
	}
	if f.broken > 0 && r.Method == "POST" && r.URL.Path == "/graphql" {
		f.broken--
		w.WriteHeader(502)
		return
	}
	decode := func(into any) {
		if r.Method == "POST" {
			if err := json.NewDecoder(r.Body).Decode(into); err != nil {
				t.Error(err)
			}
		}
	}
	switch rest := strings.TrimPrefix(r.URL.Path, "/repos/acme/app/"); {
	case r.URL.Path == "/graphql":
		var q struct{ Variables map[string]any }
		decode(&q)
		f.graph(t, w, q.Variables)
	case rest == "pulls/3/files":
		answerJSON(t, w, 200, f.files)
	case strings.HasPrefix(rest, "pulls/"):
		answerJSON(t, w, 200, f.facts)
	case strings.HasPrefix(rest, "commits/"):
		answerJSON(t, w, 200, map[string]any{"commit": map[string]any{"message": "the \"message\"\nof two lines", "author": map[string]string{"name": "Ann", "email": "ann@example.com"}}})
	case strings.HasPrefix(rest, "statuses/"):
		status := map[string]string{"sha": strings.TrimPrefix(rest, "statuses/")}
		decode(&status)
		f.statuses = append(f.statuses, status)
		if f.broken > 0 {
			f.broken--
			w.WriteHeader(500)
			return
		}
		answerJSON(t, w, 201, status)
	case rest == "issues/7/comments" && r.Method == "GET":
		answerJSON(t, w, 200, append([]map[string]string{}, f.comments...))
	case rest == "issues/7/comments":
		comment := map[string]string{}
		decode(&comment)
		f.comments = append(f.comments, comment)
		if f.broken > 0 {
			f.broken--
			w.WriteHeader(500)
			return
		}
		answerJSON(t, w, 201, comment)
	default:
		answerJSON(t, w, 404, map[string]string{"message": "Not Found"})
	}
}

func (f *fakePulls) graph(t *testing.T, w http.ResponseWriter, variables map[string]any) {
	if variables["name"] != "app" {
		answerJSON(t, w, 200, map[string]any{"data": map[string]any{"repository": nil}, "errors": []any{map[string]string{"message": "Could not resolve to a Repository"}}})
		return
	}
	from := 0
	if after, ok := variables["after"].(string); ok {
		if _, err := fmt.Sscan(after, &from); err != nil {
			t.Error(err)
		}
	}
	to := min(from+2, len(f.pulls))
	answerJSON(t, w, 200, map[string]any{"data": map[string]any{"repository": map[string]any{"pullRequests": map[string]any{
		"pageInfo": map[string]any{"hasNextPage": to < len(f.pulls), "endCursor": fmt.Sprint(to)}, "nodes": f.pulls[from:to],
	}}}})
}

func (f *fakePulls) source(more map[string]any) map[string]any {
	source := map[string]any{"repository": "acme/app", "access_token": "secret-token", "v3_endpoint": f.URL, "v4_endpoint": f.URL + "/graphql"}
	maps.Copy(source, more)
	return source
}

func TestGitHubPullCheck(t *testing.T) {
	t.Parallel()
	f := newFakePulls(t)
	f.add(1, 10, map[string]any{"labels": map[string]any{"nodes": []any{map[string]string{"name": "ok to test"}}}})
	f.add(2, 5, map[string]any{"reviews": map[string]any{"totalCount": 2}})
	f.add(3, 20, map[string]any{"files": map[string]any{"totalCount": 101, "nodes": []any{}}})
	f.files = []map[string]string{{"filename": "docs/a.md"}, {"filename": "deep/er/x"}}
	f.add(4, 30, map[string]any{"isCrossRepository": true, "headRepository": map[string]any{"nameWithOwner": "eve/app"}})
	f.add(5, 10, map[string]any{"isDraft": true})
	f.add(6, 40, map[string]any{"title": "No [ci skip] please"})
	f.broken = 1
	known := func(number, minute int) Version {
		return Version{"pr": fmt.Sprint(number), "commit": hexOf(number), "committed": epoch.Add(time.Duration(minute) * time.Minute).Format(time.RFC3339)}
	}
	for _, c := range []struct {
		name   string
		source map[string]any
		known  Version
		want   string // numbers
	}{
		{"newest", nil, nil, "3"},
		{"from the known one", nil, known(2, 5), "2 1 5 3"},
		{"two at the same time", nil, known(1, 10), "1 5 3"},
		{"the other one", nil, known(5, 10), "5 3"},
		{"pushed in the same second", nil, Version{"pr": "5", "commit": hexOf(99), "committed": known(5, 10)["committed"]}, "5 5 3"},
		{"nothing new", nil, known(3, 20), "3"},
		{"forks", map[string]any{"disable_forks": false}, nil, "4"},
		{"one that was asked for, however old", nil, Version{CandidatesKey: "2"}, "2"},
		{"some that were asked for", map[string]any{"disable_forks": false}, Version{CandidatesKey: "4,1,99", "pr": "3", "committed": known(3, 20)["committed"]}, "1 4"},
		{"one that was asked for and is not wanted", nil, Version{CandidatesKey: "4"}, ""},
		{"skipped ones too", map[string]any{"disable_ci_skip": true}, nil, "6"},
		{"no drafts", map[string]any{"ignore_drafts": true}, known(2, 5), "2 1 3"},
		{"labels", map[string]any{"labels": []any{"ok to test"}}, nil, "1"},
		{"approvals", map[string]any{"required_review_approvals": 2}, nil, "2"},
		{"paths", map[string]any{"paths": []any{"src/*.go"}}, nil, "5"},
		{"a folder", map[string]any{"paths": []any{"deep"}}, nil, "3"},
		{"ignored paths", map[string]any{"ignore_paths": []any{"docs", "deep/"}}, nil, "5"},
		{"nothing", map[string]any{"labels": []any{"none"}}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			req := newRequest(nil, f.source(c.source), nil)
			req.Version = c.known
			got, err := f.native("github-pull-request").Check(t.Context(), req.Request)
			var numbers []string
			for _, v := range got {
				numbers = append(numbers, v["pr"])
				fields := 3
				if v["pr"] == "4" {
					fields = 4
				}
				if len(v) != fields || v["commit"] == "" || v["committed"] == "" || (v["pr"] == "4") != (v[ForkKey] == "eve/app") {
					t.Errorf("%v", v)
				}
			}
			if err != nil || got == nil || strings.Join(numbers, " ") != c.want {
				t.Errorf("%v %v", numbers, err)
			}
		})
	}
	for _, c := range []struct {
		source map[string]any
		words  string
	}{
		{map[string]any{"repository": "app"}, "source.repository must be owner/name"},
		{map[string]any{"repository": "a/b/c"}, `source.repository "b/c" is not a name`},
		{map[string]any{"access_token": nil}, "source.access_token is missing"},
		{map[string]any{"states": []any{"ajar"}}, `source.states has "AJAR"`},
		{map[string]any{"paths": []any{"["}}, `source.paths has "["`},
		{map[string]any{"repository": "acme/none"}, "GitHub refused: Could not resolve to a Repository"},
		{map[string]any{"access_token": "wrong"}, "GitHub answered 401 Unauthorized: Bad credentials"},
	} {
		if _, err := f.native("github-pull-request").Check(t.Context(), newRequest(nil, f.source(c.source), nil).Request); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v: %v", c.source, err)
		}
	}
}

// A real repository with a pull request, and a real git in a container.
func TestGitHubPullGetAndPut(t *testing.T) {
	t.Parallel()
	f := newFakePulls(t)
	remote := newRemote(t)
	remote.commit("base.txt", "base")
	remote.git("-C", remote.work, "checkout", "-q", "-b", "feature")
	commit := remote.commit("new.txt", "feature")
	remote.git("-C", remote.work, "push", "-q", remote.path, "HEAD:refs/pull/7/head")
	remote.git("-C", remote.work, "checkout", "-q", "main")
	base := remote.commit("later.txt", "later")
	f.facts = map[string]any{"title": "T", "html_url": "https://gh/7", "state": "open", "head": map[string]any{"ref": "feature"}, "base": map[string]any{"ref": "main", "repo": map[string]any{"clone_url": "file:///etc"}}}
	opts := f.options()
	opts.LocalRepositories, opts.HostImageAllowed = []string{filepath.Dir(remote.path)}, true
	typ, _ := NewNatives(opts).Native("github-pull-request")
	w := realWorker(t)
	version := Version{"pr": "7", "commit": commit, "committed": "2026-01-02T03:04:05Z"}
	get := func(source, params map[string]any) (Result, map[string]string, request, error) {
		req := newRequest(w, f.source(source), params)
		req.Version = version
		if err := w.CreateVolume(t.Context(), req.Dest); err != nil {
			t.Fatal(err)
		}
		defer req.done(t)
		got, err := typ.Get(t.Context(), req.Request)
		return got, exported(t, w, req.Dest), req, err
	}
	if _, _, _, err := get(nil, nil); err == nil || !strings.Contains(err.Error(), "does not say where to clone") {
		t.Errorf("%v", err)
	}
	uri := map[string]any{"uri": "file://" + remote.path}
	var merged request
	for tool, later := range map[string]string{"merge": "later\n", "rebase": "later\n", "checkout": ""} {
		got, files, req, err := get(uri, map[string]any{"integration_tool": tool, "list_changed_files": true, "git_depth": 1})
		if err != nil {
			t.Fatalf("%s: %v\n%s", tool, err, req.log)
		}
		if files["new.txt"] != "feature\n" || files["base.txt"] != "base\n" || files["later.txt"] != later {
			t.Errorf("%s: %v", tool, files)
		}
		if files[".git/resource/base_sha"] != base || files[".git/resource/head_sha"] != commit || files[".git/resource/changed_files"] != "new.txt\n" ||
			!strings.Contains(files[".git/resource/metadata.json"], base) || files[".git/resource/message"] != "the \"message\"\nof two lines" {
			t.Errorf("%s: %v", tool, files)
		}
		if len(got.Metadata) != 11 || got.Metadata[6].Value != base || strings.Contains(req.log.String()+files[".git/config"], "secret-token") {
			t.Errorf("%s: %v", tool, got.Metadata)
		}
		merged = req
	}
	if _, files, _, err := get(uri, map[string]any{"skip_download": true}); err != nil || len(files) > 1 {
		t.Errorf("%v %v", files, err)
	}

	f.broken = 1
	req := newRequest(w, f.source(nil), map[string]any{"path": "pr", "status": "SUCCESS", "context": "unit/$BUILD_NAME"})
	req.Inputs, req.Env = []Input{{Name: "pr", Volume: merged.Dest}}, []string{"BUILD_NAME=3", "BUILD_URL=https://ci/builds/3"}
	got, err := typ.Put(t.Context(), req.Request)
	if err != nil || got.Version["commit"] != commit || len(got.Metadata) != 11 {
		t.Fatalf("%v %v", got, err)
	}
	last := f.statuses[len(f.statuses)-1]
	if fmt.Sprint(last) != fmt.Sprint(map[string]string{"sha": commit, "state": "success", "context": "concourse-ci/unit/3", "target_url": "https://ci/builds/3", "description": "Build success"}) {
		t.Errorf("%v", last)
	}
	f.broken = 1 // the comment is there although the answer says otherwise
	req.Params = map[string]any{"path": "pr", "comment": "build $BUILD_NAME"}
	for range 2 {
		if _, err := typ.Put(t.Context(), req.Request); err != nil || len(f.comments) != 1 || !strings.HasPrefix(f.comments[0]["body"], "build 3\n") {
			t.Fatalf("%v %v", f.comments, err)
		}
	}
	for _, c := range []struct {
		params map[string]any
		words  string
	}{
		{nil, "params.path is missing"},
		{map[string]any{"path": "pr", "status": "great"}, "params.status must be pending"},
		{map[string]any{"path": "nowhere", "status": "error"}, `there is no input "nowhere"`},
	} {
		req.Params = c.params
		if _, err := typ.Put(t.Context(), req.Request); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v: %v", c.params, err)
		}
	}
}
