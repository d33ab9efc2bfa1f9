package resource

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime/worker"
)

// remoteRepository is a bare repository that commits are made in.
type remoteRepository struct {
	t    testing.TB
	path string
	work string
	day  int
}

func newRemote(t testing.TB) *remoteRepository {
	t.Helper()
	r := &remoteRepository{t: t, path: filepath.Join(t.TempDir(), "app.git"), work: t.TempDir()}
	r.git("init", "-q", "--bare", "-b", "main", r.path)
	r.git("init", "-q", "-b", "main", r.work)
	r.git("-C", r.path, "config", "uploadpack.allowFilter", "true")
	r.git("-C", r.path, "config", "http.receivepack", "true")
	return r
}

func (r *remoteRepository) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	date := epoch.AddDate(0, 0, r.day).Format(time.RFC3339)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com",
		"GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.com", "GIT_AUTHOR_DATE="+date, "GIT_COMMITTER_DATE="+date)
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit changes a file on the branch that is checked out, and pushes.
func (r *remoteRepository) commit(file, message string) string {
	r.t.Helper()
	r.day++
	path := filepath.Join(r.work, file)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(message+"\n"), 0o644)); err != nil {
		r.t.Fatal(err)
	}
	r.git("-C", r.work, "add", "-A")
	r.git("-C", r.work, "commit", "-q", "-m", message)
	r.push()
	return r.git("-C", r.work, "rev-parse", "HEAD")
}

func (r *remoteRepository) push() {
	r.git("-C", r.work, "push", "-q", "--force", "--tags", r.path, "HEAD")
}

// gitBench is a worker, and the type with one remote below its local repositories.
type gitBench struct {
	t      testing.TB
	worker *worker.Worker
	remote *remoteRepository
	git    Type
}

func newGitBench(t testing.TB) gitBench {
	t.Helper()
	remote := newRemote(t)
	git, _ := NewNatives(Options{LocalRepositories: []string{filepath.Dir(remote.path)}, HostImageAllowed: true}).Native("git")
	return gitBench{t: t, worker: realWorker(t), remote: remote, git: git}
}

func (b gitBench) source(more ...any) map[string]any {
	s := map[string]any{"uri": "file://" + b.remote.path, "branch": "main"}
	for i := 0; i < len(more); i += 2 {
		s[more[i].(string)] = more[i+1]
	}
	return s
}

func (b gitBench) check(source map[string]any, known Version) string {
	b.t.Helper()
	req := newRequest(b.worker, source, nil)
	req.Version = known
	defer req.done(b.t)
	got, err := b.git.Check(b.t.Context(), req.Request)
	if err != nil {
		b.t.Fatalf("check: %v\nlog: %s", err, req.log)
	}
	return versions(got)
}

// get returns the result and the files.
func (b gitBench) get(source, params map[string]any, version Version) (Result, map[string]string) {
	b.t.Helper()
	req := newRequest(b.worker, source, params)
	req.Version = version
	if err := b.worker.CreateVolume(b.t.Context(), req.Dest); err != nil {
		b.t.Fatal(err)
	}
	defer req.done(b.t)
	got, err := b.git.Get(b.t.Context(), req.Request)
	if err != nil {
		b.t.Fatalf("get: %v\nlog: %s", err, req.log)
	}
	return got, exported(b.t, b.worker, req.Dest)
}

func TestGitCheck(t *testing.T) {
	t.Parallel()
	b := newGitBench(t)
	one := b.remote.commit("a/x", "one")
	two := b.remote.commit("b/y", "two")
	three := b.remote.commit("a/z", "three [ci skip]")
	four := b.remote.commit("docs/y", "four")
	five := b.remote.commit("b/w", "five\n\n[skip ci] because")
	for _, c := range []struct {
		name   string
		source map[string]any
		known  string
		want   []string
	}{
		{"first", b.source(), "", []string{four}},
		{"first, skipping nothing", b.source("disable_ci_skip", true), "", []string{five}},
		{"without a branch", b.source("branch", nil), "", []string{four}},
		{"nothing new", b.source("disable_ci_skip", true), five, []string{five}},
		{"from a commit on", b.source(), two, []string{two, four}},
		{"from the root on", b.source(), one, []string{one, two, four}},
		{"with those to skip", b.source("disable_ci_skip", true), three, []string{three, four, five}},
		{"paths", b.source("paths", []any{"a", "docs"}, "disable_ci_skip", true), one, []string{one, three, four}},
		{"paths, first", b.source("paths", []any{"a"}), "", []string{one}},
		{"paths by pattern", b.source("paths", []any{"*/y"}), "", []string{four}},
		{"ignored paths", b.source("ignore_paths", []any{"docs", "b/w"}, "disable_ci_skip", true), two, []string{two, three}},
		{"paths but ignored", b.source("paths", []any{"a", "b"}, "ignore_paths", []any{"b/w"}), "", []string{two}},
		{"a commit that is gone", b.source(), strings.Repeat("0123", 10), []string{four}},
		{"a version of tags", b.source(), "v1.0", []string{four}},
		{"depth", b.source("version_depth", 2), "", []string{two, four}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := b
			b.t = t
			var known Version
			if c.known != "" {
				known = Version{"ref": c.known}
			}
			want := "ref=" + strings.Join(c.want, " ref=")
			if got := b.check(c.source, known); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestGitCheckAfterAForcedPush(t *testing.T) {
	t.Parallel()
	b := newGitBench(t)
	root := b.remote.commit("x", "one")
	gone := b.remote.commit("x", "two")
	b.remote.git("-C", b.remote.work, "reset", "-q", "--hard", root)
	b.remote.commit("x", "other two")
	three := b.remote.commit("x", "other three")
	if got := b.check(b.source(), Version{"ref": gone}); got != "ref="+three {
		t.Errorf("%s, want %s", got, three)
	}
}

func TestGitTags(t *testing.T) {
	t.Parallel()
	b := newGitBench(t)
	tag := func(name string, annotated bool) string {
		commit := b.remote.commit("x", name)
		if annotated {
			b.remote.git("-C", b.remote.work, "tag", "-a", "-m", name, name)
		} else {
			b.remote.git("-C", b.remote.work, "tag", name)
		}
		b.remote.push()
		return commit
	}
	v1, _, v2 := tag("v1.0", false), tag("nightly", false), tag("v2.0", true)
	source := b.source("tag_filter", "v*")
	if got := b.check(source, nil); got != "commit="+v2+",ref=v2.0" {
		t.Error(got)
	}
	if got := b.check(b.source("tag_regex", `v[0-9]\.0`), Version{"ref": "v1.0"}); got != "commit="+v1+",ref=v1.0 commit="+v2+",ref=v2.0" {
		t.Error(got)
	}
	got, files := b.get(source, nil, Version{"ref": "v1.0", "commit": v1})
	if files[".git/ref"] != "v1.0\n" || files["x"] != "v1.0\n" || got.Version["ref"] != "v1.0" {
		t.Errorf("%v %q", got, files[".git/ref"])
	}
}

func TestGitGet(t *testing.T) {
	t.Parallel()
	b := newGitBench(t)
	for i := range 5 {
		b.remote.commit("x", fmt.Sprintf("number %d", i))
	}
	old := b.remote.commit("x", "a \"quoted\" message\n\nwith a\tbody")
	b.remote.git("-C", b.remote.work, "tag", "v1")
	b.remote.commit("x", "newer")
	got, files := b.get(b.source(), map[string]any{"short_ref_format": "sha-%s"}, Version{"ref": old})
	want := []Field{
		{"commit", old}, {"author", "Ann"}, {"author_date", "2026-01-08 03:04:05 +0000"}, {"branch", "main"},
		{"tags", "v1"}, {"message", "a \"quoted\" message\n\nwith a\tbody\n"},
	}
	if fmt.Sprint(got.Metadata) != fmt.Sprint(want) || versions([]Version{got.Version}) != "ref="+old {
		t.Errorf("%v %q", got.Version, got.Metadata)
	}
	for name, want := range map[string]string{
		"x": "a \"quoted\" message\n\nwith a\tbody\n", ".git/ref": old + "\n", ".git/short_ref": "sha-" + old[:7] + "\n",
		".git/committer": "ann@example.com\n", ".git/commit_message": "a \"quoted\" message\n\nwith a\tbody\n\n",
		".git/branch": "main\n", ".git/describe_ref": old[:7] + "\n",
		".git/metadata.json": `[{"name":"commit","value":"` + old + `"},{"name":"author","value":"Ann"},` +
			`{"name":"author_date","value":"2026-01-08 03:04:05 +0000"},{"name":"message","value":"a \"quoted\" message\n\nwith a\tbody\n"}]` + "\n",
	} {
		if files[name] != want {
			t.Errorf("%s is %q, want %q", name, files[name], want)
		}
	}
	if !strings.Contains(files[".git/config"], "url = file://"+b.remote.path) {
		t.Errorf("config %s", files[".git/config"])
	}
	// A bare path is the same repository.
	if _, files = b.get(b.source("uri", b.remote.path), nil, Version{"ref": old}); files[".git/ref"] != old+"\n" {
		t.Errorf("by path: %q", files[".git/ref"])
	}
	// A shallow clone digs until it has the commit.
	_, files = b.get(b.source(), map[string]any{"depth": 1}, Version{"ref": old})
	if files[".git/ref"] != old+"\n" || files[".git/shallow"] == "" {
		t.Errorf("shallow: %q %q", files[".git/ref"], files[".git/shallow"])
	}
}

func TestGitFailsWithTheRemotesWords(t *testing.T) {
	t.Parallel()
	b := newGitBench(t)
	b.remote.commit("x", "one")
	for name, c := range map[string]struct {
		source map[string]any
		words  string
	}{
		"no such branch": {b.source("branch", "nope"), "Remote branch nope not found"},
		"no repository":  {b.source("uri", "file://"+filepath.Dir(b.remote.path)), "does not appear to be a git repository"},
		"no such host":   {b.source("uri", "https://git.invalid/x.git"), "Could not resolve host: git.invalid"},
	} {
		req := newRequest(b.worker, c.source, nil)
		_, err := b.git.Check(t.Context(), req.Request)
		var exit *ExitError
		if !errors.As(err, &exit) || exit.Script != "check" || !strings.Contains(exit.Stderr, c.words) || !strings.Contains(req.log.String(), c.words) {
			t.Errorf("%s: %v\nlog %s", name, err, req.log)
		}
		req.done(t)
	}
}

func TestGitRefusals(t *testing.T) {
	t.Parallel()
	repositories := t.TempDir()
	if err := os.Symlink("/etc", filepath.Join(repositories, "way-out")); err != nil {
		t.Fatal(err)
	}
	git, _ := NewNatives(Options{LocalRepositories: []string{repositories}, HostImageAllowed: true}).Native("git")
	for _, c := range []struct {
		source map[string]any
		words  string
	}{
		{nil, "source.uri is missing"},
		{map[string]any{"uri": []any{}}, "source.uri must be a string, but is a list"},
		{map[string]any{"uri": "https://h/x", "paths": "a", "depth": 1, "version_depth": -1}, "source.version_depth must be a whole number"},
		{map[string]any{"uri": "file:///etc"}, "not below one that an administrator lists"},
		{map[string]any{"uri": repositories + "/../x"}, "not below one that an administrator lists"},
		{map[string]any{"uri": repositories + "/way-out"}, "not below one that an administrator lists"},
		{map[string]any{"uri": repositories + "/none"}, "there is no repository at"},
		{map[string]any{"uri": "ext::sh -c id"}, ""},
		{map[string]any{"uri": "../relative"}, "repositories are reached by https, http or ssh"},
		{map[string]any{"uri": "--upload-pack=x"}, "is not an address"},
		{map[string]any{"uri": "https://h/x", "branch": "-x"}, "source.branch \"-x\" is not a branch name"},
		{map[string]any{"uri": "https://h/x", "git_crypt_key": "x"}, "source.git_crypt_key is not supported"},
		{map[string]any{"uri": "https://h/x", "tag_filter": "a", "tag_regex": "b"}, "exclude each other"},
	} {
		if c.words == "" {
			continue // git itself refuses it: see TestGitAllowsFewProtocols
		}
		_, err := git.Check(t.Context(), newRequest(newShelf(), c.source, nil).Request)
		if err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v: %v", c.source, err)
		}
	}
	forbidden, _ := NewNatives(Options{}).Native("git")
	if _, err := forbidden.Check(t.Context(), newRequest(newShelf(), map[string]any{"uri": "https://h/x"}, nil).Request); err == nil || !strings.Contains(err.Error(), "ci.host_image") {
		t.Errorf("%v", err)
	}
}

func TestGitAllowsFewProtocols(t *testing.T) {
	t.Parallel()
	b := newGitBench(t)
	req := newRequest(b.worker, map[string]any{"uri": "ext::sh -c id", "branch": "x"}, nil)
	defer req.done(t)
	if _, err := b.git.Check(t.Context(), req.Request); err == nil || !strings.Contains(err.Error(), "transport 'ext' not allowed") {
		t.Errorf("%v", err)
	}
}

// TestGitSecrets looks at everything a container is given for the password and key.
func TestGitSecrets(t *testing.T) {
	t.Parallel()
	git := gitType{Options{HostImageAllowed: true}}
	req := newRequest(newShelf(), map[string]any{"uri": "https://ann:pass-word@example.com/x.git", "private_key": "the-key\r\n"}, nil)
	s, err := git.source(req.Request)
	if err != nil {
		t.Fatal(err)
	}
	spec := git.spec(req.Request, s, gitCheckScript, s.pathspecs())
	for _, word := range append(append([]string{}, spec.Args...), spec.Env...) {
		if strings.Contains(word, "pass-word") || strings.Contains(word, "the-key") {
			t.Errorf("a secret in %q", word)
		}
	}
	files := map[string]string{}
	for _, f := range spec.Files {
		files[f.Path] = string(f.Data)
	}
	if files[gitHome+"/password"] != "pass-word" || files[gitHome+"/username"] != "ann" || files[gitHome+"/key"] != "the-key\n" ||
		!strings.Contains(files[gitHome+"/config"], "[credential \"https://example.com\"]") || s.uri != "https://example.com/x.git" {
		t.Errorf("%q %+v", files, s)
	}
}

func TestCommitURL(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]string{
		"https://github.com/a/b.git":     "https://github.com/a/b/commit/c",
		"git@github.com:a/b.git":         "https://github.com/a/b/commit/c",
		"ssh://git@gitlab.com:22/a/b/d":  "https://gitlab.com/a/b/d/-/commit/c",
		"https://bitbucket.org/a/b/":     "https://bitbucket.org/a/b/commits/c",
		"https://git.example.com/a/b":    "",
		"file:///srv/github/x.git":       "",
		"https://github.acme.test/a/b":   "https://github.acme.test/a/b/commit/c",
		"user@host.example:path/to/repo": "",
	} {
		if got := commitURL(uri, "c"); got != want {
			t.Errorf("%s: %q, want %q", uri, got, want)
		}
	}
}

// httpRemote serves the repository over HTTP with a password, as a git host does.
func httpRemote(t *testing.T, r *remoteRepository) (address string, asked func() []string) {
	t.Helper()
	path, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{Path: path, Args: []string{"http-backend"}, Env: []string{
		"GIT_PROJECT_ROOT=" + filepath.Dir(r.path), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=ann", "GIT_CONFIG_GLOBAL=/dev/null",
	}}
	var mu sync.Mutex
	var urls []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		urls = append(urls, req.URL.String())
		mu.Unlock()
		if user, password, _ := req.BasicAuth(); user != "ann" || password != "pass-word" {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return urls
	}
}

func TestGitOverHTTP(t *testing.T) {
	t.Parallel()
	remote := newRemote(t)
	remote.commit("x", "one")
	address, asked := httpRemote(t, remote)
	w := realWorker(t, strings.TrimPrefix(address, "http://"))
	if why := w.Network(); why != "" {
		t.Fatalf("containers have no network here: %s", why)
	}
	git, _ := NewNatives(Options{HostImageAllowed: true}).Native("git")
	b := gitBench{t: t, worker: w, remote: remote, git: git}
	source := map[string]any{"uri": address + "/app.git", "branch": "main", "username": "ann", "password": "pass-word"}

	head := remote.commit("x", "two")
	if got := b.check(source, nil); got != "ref="+head {
		t.Errorf("check: %s", got)
	}
	req := newRequest(w, source, nil)
	req.Version = Version{"ref": head}
	if err := w.CreateVolume(t.Context(), req.Dest); err != nil {
		t.Fatal(err)
	}
	if _, err := git.Get(t.Context(), req.Request); err != nil {
		t.Fatalf("%v\n%s", err, req.log)
	}
	req.done(t)
	if files := exported(t, w, req.Dest); strings.Contains(fmt.Sprint(files), "pass-word") || files["x"] != "two\n" {
		t.Error("the password is in the artifact, or the file is wrong")
	}
	for _, url := range asked() {
		if strings.Contains(url, "pass-word") {
			t.Errorf("the password is in %s", url)
		}
	}
	wrong := newRequest(w, map[string]any{"uri": address + "/app.git", "branch": "main", "username": "ann", "password": "no"}, nil)
	defer wrong.done(t)
	if _, err := git.Check(t.Context(), wrong.Request); err == nil || !strings.Contains(err.Error(), "Authentication failed") {
		t.Errorf("wrong password: %v", err)
	}
	b.pushes(source, req, head)
}

// pushes changes what was fetched in a copy of the volume and puts it.
func (b gitBench) pushes(source map[string]any, fetched request, head string) {
	t := b.t
	t.Helper()
	put := func(params map[string]any) (Result, error) {
		req := newRequest(b.worker, source, params)
		req.Inputs = []Input{{Name: "repo", Volume: fetched.Dest}}
		defer req.done(t)
		got, err := b.git.Put(t.Context(), req.Request)
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, req.log)
		}
		return got, err
	}
	if got, err := put(map[string]any{"repository": "repo", "branch": "copy"}); err != nil || got.Version["ref"] != head {
		t.Errorf("put: %v %v", got, err)
	}
	if got := b.remote.git("-C", b.remote.path, "rev-parse", "copy"); got != head {
		t.Errorf("pushed %s", got)
	}
	newer := b.remote.commit("y", "somebody else")
	if _, err := put(map[string]any{"repository": "repo"}); err == nil || !strings.Contains(err.Error(), "rejected") {
		t.Errorf("a push that would lose a commit: %v", err)
	}
	b.remote.git("-C", b.remote.path, "branch", "other", newer)
	if got, err := put(map[string]any{"repository": "repo", "rebase": true}); err != nil || got.Version["ref"] != newer {
		t.Errorf("rebase: %v %v", got, err)
	}
	merged := map[string]any{"repository": "repo", "merge": true, "branch": "other", "returning": "unmerged"}
	if got, err := put(merged); err != nil || got.Version["ref"] != head {
		t.Errorf("merge: %v %v", got, err)
	}
	tagged := map[string]any{"repository": "repo", "tag": "repo/x", "only_tag": true, "tag_prefix": "v-"}
	if got, err := put(tagged); err != nil || b.remote.git("-C", b.remote.path, "rev-parse", "v-two") != head {
		t.Errorf("tag: %v %v", got, err)
	}
	for _, c := range []struct {
		params map[string]any
		words  string
	}{
		{map[string]any{}, "params.repository is missing"},
		{map[string]any{"repository": "repo", "rebase": true, "merge": true}, "exclude each other"},
		{map[string]any{"repository": "repo", "only_tag": true}, "needs params.tag"},
		{map[string]any{"repository": "none"}, "No such file or directory"},
	} {
		if _, err := put(c.params); err == nil || !(strings.Contains(err.Error(), c.words) || strings.Contains(err.Error(), "can't cd")) {
			t.Errorf("%v: %v", c.params, err)
		}
	}
}

func TestGitPutNeedsANetworkAddress(t *testing.T) {
	t.Parallel()
	b := newGitBench(t)
	req := newRequest(newShelf(), b.source(), map[string]any{"repository": "x"})
	if _, err := b.git.Put(context.WithoutCancel(t.Context()), req.Request); err == nil || !strings.Contains(err.Error(), "can only be read") {
		t.Errorf("%v", err)
	}
}

func TestGitSubmodules(t *testing.T) {
	t.Parallel()
	remote := newRemote(t)
	for _, lib := range []string{"one", "two"} {
		bare := filepath.Join(filepath.Dir(remote.path), lib+".git")
		remote.commit("lib", lib)
		remote.git("clone", "-q", "--bare", remote.path, bare)
		remote.git("-C", remote.work, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", bare, "libs/"+lib)
		remote.git("-C", remote.work, "config", "-f", ".gitmodules", "submodule.libs/"+lib+".url", "../"+lib+".git")
	}
	head := remote.commit("x", "with submodules")
	address, _ := httpRemote(t, remote)
	git, _ := NewNatives(Options{HostImageAllowed: true}).Native("git")
	b := gitBench{t: t, worker: realWorker(t, strings.TrimPrefix(address, "http://")), remote: remote, git: git}
	source := map[string]any{"uri": address + "/app.git", "branch": "main", "username": "ann", "password": "pass-word"}
	for _, c := range []struct {
		params   map[string]any
		one, two string
	}{
		{nil, "one\n", "two\n"},
		{map[string]any{"submodules": "none"}, "", ""},
		{map[string]any{"submodules": []any{"libs/two"}}, "", "two\n"},
	} {
		_, files := b.get(source, c.params, Version{"ref": head})
		if files["libs/one/lib"] != c.one || files["libs/two/lib"] != c.two {
			t.Errorf("%v: %q %q", c.params, files["libs/one/lib"], files["libs/two/lib"])
		}
	}
}
