package resource

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fakeReleases is GitHub's releases of acme/app, two a page.
type fakeReleases struct {
	*fakeService
	storage  *fakeService // where downloads are redirected to
	releases []published
	content  map[int64]string
	next     int64
	broken   int // that many creations and uploads answer 500 although (half) done
	lies     int // that many downloads are wrong
}

func newFakeReleases(t *testing.T) *fakeReleases {
	f := &fakeReleases{next: 1000, content: map[int64]string{}}
	f.fakeService = newFakeService(t, func(w http.ResponseWriter, r *http.Request) { f.serve(t, w, r) })
	f.storage = newFakeService(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the token went to the storage")
		}
		id, err := strconv.ParseInt(r.URL.Path[1:], 10, 64)
		if err != nil {
			t.Error(err)
		}
		f.mu.Lock()
		data := f.content[id]
		if f.lies > 0 {
			f.lies--
			data = strings.Repeat("x", len(data))
		}
		f.mu.Unlock()
		say(t, w, data)
	})
	return f
}

func (f *fakeReleases) add(tag string, change func(*published)) *published {
	f.next++
	at := epoch.Add(time.Duration(f.next-1000) * time.Hour)
	r := published{ID: f.next, Tag: tag, Name: "Release " + tag, Body: "body of " + tag, Created: &at, Published: &at, Page: "https://gh/" + tag, UploadURL: fmt.Sprintf("%s/up/%d{?name,label}", f.URL, f.next)}
	if change != nil {
		change(&r)
	}
	f.releases = append(f.releases, r)
	return &f.releases[len(f.releases)-1]
}

func (f *fakeReleases) attach(r *published, name, data string) {
	f.next++
	sum := sha256.Sum256([]byte(data))
	f.content[f.next] = data
	r.Assets = append(r.Assets, asset{ID: f.next, Name: name, State: "uploaded", Size: int64(len(data)), Digest: "sha256:" + hex.EncodeToString(sum[:])})
}

func (f *fakeReleases) find(id string) *published {
	n, _ := strconv.ParseInt(id, 10, 64)
	if i := slices.IndexFunc(f.releases, func(r published) bool { return r.ID == n }); i >= 0 {
		return &f.releases[i]
	}
	return nil
}

func (f *fakeReleases) serve(t *testing.T, w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer secret-token" {
		answerJSON(t, w, 401, map[string]string{"message": "Bad credentials"})
		return
	}
	rest, _ := strings.CutPrefix(r.URL.Path, "/repos/acme/app/")
	parts := strings.Split(rest, "/")
	switch {
	case strings.HasPrefix(r.URL.Path, "/up/"):
		f.upload(t, w, r)
	case rest == "releases" && r.Method == "GET":
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		page = max(page, 1)
		newest := slices.Clone(f.releases)
		slices.Reverse(newest)
		if page*2 < len(newest) {
			w.Header().Set("Link", fmt.Sprintf(`<%s%s?page=%d&per_page=100>; rel="next"`, f.URL, r.URL.Path, page+1))
		}
		answerJSON(t, w, 200, newest[min((page-1)*2, len(newest)):min(page*2, len(newest))])
	case rest == "releases" && r.Method == "POST", len(parts) == 2 && r.Method == "PATCH":
		f.change(t, w, r, parts)
	case strings.HasPrefix(rest, "releases/assets/"):
		f.asset(t, w, r, parts[2])
	case len(parts) == 3 && parts[2] == "assets" && f.find(parts[1]) != nil:
		answerJSON(t, w, 200, append([]asset{}, f.find(parts[1]).Assets...))
	case parts[0] == "releases" && f.find(parts[1]) != nil:
		answerJSON(t, w, 200, f.find(parts[1]))
	case rest == "git/ref/tags/v1.0.0":
		answerJSON(t, w, 200, map[string]any{"object": map[string]string{"type": "tag", "sha": "aaa"}})
	case rest == "git/tags/aaa":
		answerJSON(t, w, 200, map[string]any{"object": map[string]string{"type": "commit", "sha": "ccc"}})
	case parts[0] == "tarball":
		say(t, w, "the source")
	default:
		answerJSON(t, w, 404, map[string]string{"message": "Not Found"})
	}
}

func (f *fakeReleases) change(t *testing.T, w http.ResponseWriter, r *http.Request, parts []string) {
	var wish releaseWish
	if err := json.NewDecoder(r.Body).Decode(&wish); err != nil {
		t.Error(err)
	}
	var target *published
	if r.Method == "POST" {
		target = f.add(wish.Tag, nil)
		target.Body = ""
	} else if target = f.find(parts[1]); target == nil {
		answerJSON(t, w, 404, nil)
		return
	}
	target.Name, target.Draft, target.Prerelease = wish.Name, wish.Draft, wish.Prerelease
	if wish.Body != nil {
		target.Body = *wish.Body
	}
	if r.Method == "POST" && f.broken > 0 {
		f.broken--
		w.WriteHeader(502)
		return
	}
	answerJSON(t, w, 200, target)
}

func (f *fakeReleases) asset(t *testing.T, w http.ResponseWriter, r *http.Request, id string) {
	for i := range f.releases {
		for j, a := range f.releases[i].Assets {
			if strconv.FormatInt(a.ID, 10) != id {
				continue
			}
			if r.Method == "DELETE" {
				f.releases[i].Assets = slices.Delete(f.releases[i].Assets, j, j+1)
				w.WriteHeader(204)
				return
			}
			if r.Header.Get("Accept") != "application/octet-stream" {
				t.Errorf("%v", r.Header)
			}
			http.Redirect(w, r, f.storage.URL+"/"+id, http.StatusFound)
			return
		}
	}
	answerJSON(t, w, 404, map[string]string{"message": "Not Found"})
}

func (f *fakeReleases) upload(t *testing.T, w http.ResponseWriter, r *http.Request) {
	target := f.find(strings.TrimPrefix(r.URL.Path, "/up/"))
	name := r.URL.Query().Get("name")
	data, err := io.ReadAll(r.Body)
	if err != nil || target == nil {
		t.Errorf("%v %s", err, r.URL)
		return
	}
	if slices.ContainsFunc(target.Assets, func(a asset) bool { return a.Name == name }) {
		answerJSON(t, w, 422, map[string]any{"message": "Validation Failed", "errors": []any{map[string]string{"code": "already_exists"}}})
		return
	}
	f.attach(target, name, string(data))
	if f.broken > 0 {
		f.broken--
		target.Assets[len(target.Assets)-1].State = "starter"
		w.WriteHeader(502)
		return
	}
	answerJSON(t, w, 201, map[string]string{})
}

func (f *fakeReleases) source(more map[string]any) map[string]any {
	source := map[string]any{"owner": "acme", "repository": "app", "access_token": "secret-token", "github_api_url": f.URL}
	maps.Copy(source, more)
	return source
}

func TestGitHubReleaseCheck(t *testing.T) {
	t.Parallel()
	f := newFakeReleases(t)
	f.add("v1.0.0", nil)
	f.add("v1.10.0", nil)
	f.add("v1.9.0", nil)
	f.add("v2.0.0-rc.1", func(r *published) { r.Prerelease = true })
	f.add("v2.0.0", func(r *published) { r.Draft = true; r.Published = nil })
	f.add("nightly", nil)
	tags := func(list []Version) string {
		var out []string
		for _, v := range list {
			out = append(out, v["tag"])
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		name   string
		source map[string]any
		known  Version
		want   string
	}{
		{"newest", nil, nil, "v1.10.0"},
		{"from the known one", nil, Version{"id": "1001", "tag": "v1.0.0"}, "v1.0.0 v1.9.0 v1.10.0"},
		{"the known one is deleted", nil, Version{"id": "5", "tag": "v1.5.0"}, "v1.9.0 v1.10.0"},
		{"a pinned tag alone", nil, Version{"tag": "v1.9.0"}, "v1.9.0 v1.10.0"},
		{"known is newer than all", nil, Version{"tag": "v9"}, "v1.10.0"},
		{"pre-releases too", map[string]any{"pre_release": true}, nil, "v2.0.0-rc.1"},
		{"pre-releases alone", map[string]any{"pre_release": true, "release": false}, Version{"tag": "v0.1"}, "v2.0.0-rc.1"},
		{"drafts", map[string]any{"drafts": true}, nil, "v2.0.0"},
		{"constraint", map[string]any{"semver_constraint": "~1.9"}, nil, "v1.9.0"},
		{"by time", map[string]any{"order_by": "time"}, nil, "nightly"},
		{"by time, from", map[string]any{"order_by": "time", "tag_filter": `v(1\..*)`}, Version{"id": "1002"}, "v1.10.0 v1.9.0"},
		{"by time, deleted", map[string]any{"order_by": "time"}, Version{"id": "7", "timestamp": epoch.Add(150 * time.Minute).Format(time.RFC3339)}, "v1.9.0 nightly"},
		{"filter", map[string]any{"tag_filter": "^none-(.*)"}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			req := newRequest(nil, f.source(c.source), nil)
			req.Version = c.known
			got, err := f.native("github-release").Check(t.Context(), req.Request)
			if err != nil || got == nil || tags(got) != c.want {
				t.Errorf("%v %v", got, err)
			}
		})
	}
	req := newRequest(nil, f.source(map[string]any{"access_token": "wrong"}), nil)
	if _, err := f.native("github-release").Check(t.Context(), req.Request); err == nil || !strings.Contains(err.Error(), "GitHub answered 401 Unauthorized: Bad credentials") {
		t.Errorf("%v", err)
	}
}

func TestGitHubReleaseGet(t *testing.T) {
	t.Parallel()
	f := newFakeReleases(t)
	r := f.add("v1.0.0", nil)
	f.attach(r, "app-linux.tgz", "linux")
	f.attach(r, "app-mac.tgz", "mac")
	f.attach(r, "version", "an asset")
	r.Assets = append(r.Assets, asset{ID: 3, Name: "half", State: "starter"})
	f.lies = 1
	for _, c := range []struct {
		name           string
		source, params map[string]any
		version        Version
		want           map[string]string
	}{
		{"all", nil, map[string]any{"include_source_tarball": true}, Version{"id": "1001", "tag": "v1.0.0"}, map[string]string{
			"app-linux.tgz": "linux", "app-mac.tgz": "mac", "version": "an asset", "tag": "v1.0.0", "body": "body of v1.0.0", "url": "https://gh/v1.0.0",
			"commit_sha": "ccc", "timestamp": "2026-01-02T04:04:05Z", "source.tar.gz": "the source"}},
		{"some, by tag", map[string]any{"asset_dir": true}, map[string]any{"globs": []any{"*linux*"}}, Version{"tag": "v1.0.0"}, map[string]string{
			"assets/app-linux.tgz": "linux", "assets/app-mac.tgz": "", "version": "1.0.0"}},
		{"none", nil, map[string]any{"globs": []any{}}, Version{"id": "9", "tag": "v1.0.0"}, map[string]string{"app-linux.tgz": "", "version": "1.0.0"}},
	} {
		shelf := newShelf()
		req := newRequest(shelf, f.source(c.source), c.params)
		req.Version = c.version
		got, err := f.native("github-release").Get(t.Context(), req.Request)
		if err != nil || got.Metadata[0].Value != "https://gh/v1.0.0" {
			t.Fatalf("%s: %v %v", c.name, got, err)
		}
		files := exported(t, shelf, req.Dest)
		for name, want := range c.want {
			if files[name] != want {
				t.Errorf("%s: %s is %q", c.name, name, files[name])
			}
		}
	}
	f.lies = 99
	req := newRequest(newShelf(), f.source(nil), nil)
	req.Version = Version{"id": "1001", "tag": "v1.0.0"}
	if _, err := f.native("github-release").Get(t.Context(), req.Request); err == nil || !strings.Contains(err.Error(), "arrived with the checksum") {
		t.Errorf("%v", err)
	}
	r.Assets = []asset{{ID: 4, Name: "../evil", State: "uploaded"}}
	if _, err := f.native("github-release").Get(t.Context(), req.Request); err == nil || !strings.Contains(err.Error(), `a file called "../evil"`) {
		t.Errorf("%v", err)
	}
	req.Version = Version{"tag": "v8"}
	if _, err := f.native("github-release").Get(t.Context(), req.Request); err == nil || !strings.Contains(err.Error(), `no release with the tag "v8"`) {
		t.Errorf("%v", err)
	}
}

func TestGitHubReleasePut(t *testing.T) {
	t.Parallel()
	f := newFakeReleases(t)
	for _, tag := range []string{"v0.1", "v0.2", "v0.3"} {
		f.add(tag, nil)
	}
	shelf := newShelf()
	input := inputFiles(t, shelf, "out", map[string]any{"name": "The name\n", "tag": "1.0.0\n", "body": "notes\n", "a.tgz": "aaaa", "b.tgz": "bbbb", "empty.txt": "", "deep/a.tgz": "other"})
	put := func(source map[string]any, more map[string]any) (Result, request, error) {
		params := map[string]any{"name": "out/name", "tag": "out/tag", "tag_prefix": "v"}
		maps.Copy(params, more)
		req := newRequest(shelf, f.source(source), params)
		req.Inputs = []Input{input}
		got, err := f.native("github-release").Put(t.Context(), req.Request)
		return got, req, err
	}
	assets := func() string {
		var out []string
		for _, a := range f.releases[3].Assets {
			out = append(out, a.Name+"="+f.content[a.ID]+"/"+a.State)
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	f.broken = 2 // the creation, and one upload
	got, _, err := put(map[string]any{"pre_release": true, "release": false}, map[string]any{"body": "out/body", "globs": []any{"out/*.tgz", "out/*.txt"}})
	if err != nil || got.Version["tag"] != "v1.0.0" || got.Version["id"] != strconv.FormatInt(f.releases[3].ID, 10) || len(f.releases) != 4 {
		t.Fatalf("%v %v", got, err)
	}
	if r := f.releases[3]; r.Name != "The name" || r.Body != "notes\n" || !r.Prerelease || r.Draft || assets() != "a.tgz=aaaa/uploaded b.tgz=bbbb/uploaded empty.txt=/uploaded" {
		t.Errorf("%v %s", r, assets())
	}
	// Again, with other files: what is the same stays where it is.
	before := f.releases[3].Assets
	_, req, err := put(nil, map[string]any{"globs": []any{"out/deep/a.tgz", "out/b.tgz"}})
	if err != nil || assets() != "a.tgz=other/uploaded b.tgz=bbbb/uploaded" || f.releases[3].Prerelease || f.releases[3].Body != "notes\n" {
		t.Errorf("%v %s %v", f.releases[3], assets(), err)
	}
	if strings.Contains(req.log.String(), "uploading out/b.tgz") || len(before) == 0 {
		t.Errorf("%s", req.log)
	}
	if _, _, err := put(nil, nil); err != nil || assets() != "a.tgz=other/uploaded b.tgz=bbbb/uploaded" {
		t.Errorf("without globs: %s %v", assets(), err)
	}
	for _, c := range []struct {
		source, params map[string]any
		words          string
	}{
		{map[string]any{"access_token": ""}, nil, "source.access_token is missing"},
		{map[string]any{"owner": "a/b"}, nil, `source.owner "a/b" is not a name on GitHub`},
		{map[string]any{"order_by": "luck"}, nil, "source.order_by must be one of"},
		{map[string]any{"tag_filter": "("}, nil, "source.tag_filter is not a regular expression"},
		{map[string]any{"semver_constraint": ">= x.y"}, nil, "source.semver_constraint"},
		{nil, map[string]any{"name": ""}, "params.name is missing"},
		{nil, map[string]any{"tag": "out/empty.txt"}, "params.tag: the file is empty"},
		{nil, map[string]any{"tag": "out/none"}, "params.tag: file does not exist"},
		{nil, map[string]any{"globs": []any{"out/none*"}}, "params.globs: no file matches out/none*"},
		{nil, map[string]any{"globs": []any{"out/a.tgz", "out/deep/a.tgz"}}, "would have the same name in the release"},
	} {
		if _, _, err := put(c.source, c.params); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v %v: %v", c.source, c.params, err)
		}
	}
	f.releases[3].UploadURL = "http://evil.example/up{?name}"
	if _, _, err := put(nil, map[string]any{"globs": []any{"out/a.tgz"}}); err == nil || !strings.Contains(err.Error(), "set source.github_uploads_url") {
		t.Errorf("%v", err)
	}
}

func TestConstraint(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, yes, no string }{
		{"1.2.3", "1.2.3 v1.2.3", "1.2.4 1.2.3-rc.1"},
		{"1.2", "1.2.0 1.2.9", "1.3.0 1.1.9"},
		{"1.2.x", "1.2.0 1.2.9", "1.3.0"},
		{"*", "0.0.1 9.9.9", "1.0.0-rc.1"},
		{">= 1.2 < 3.0.0 || >= 4.2.3", "1.2.0 2.9.9 4.2.3 9", "1.1.9 3.0.0 4.2.2"},
		{">1.2, <=2.1", "1.3.0 2.1.7", "1.2.5 2.2.0"},
		{"~1.2.3", "1.2.3 1.2.99", "1.3.0 1.2.2"},
		{"~1", "1.0.0 1.9.0", "2.0.0"},
		{"^1.2.3", "1.2.3 1.99.0", "2.0.0 1.2.2"},
		{"^0.2.3", "0.2.3 0.2.9", "0.3.0"},
		{"^0.0.3", "0.0.3", "0.0.4"},
		{"1.2 - 1.4.5", "1.2.0 1.4.5", "1.4.6"},
		{"!=1.5.0 >1", "2.0.0 2.5.0", "1.5.0 1.9.0"},
		{">=1.0.0-rc.1", "1.0.0-rc.2 1.0.0 2.0.0-a", "1.0.0-beta"},
		{"^1.0.0-rc.1", "1.0.0-rc.2 1.5.0", "2.0.0-alpha 2.0.0"},
	} {
		parsed, err := parseConstraint(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		}
		for want, list := range map[bool]string{true: c.yes, false: c.no} {
			for text := range strings.FieldsSeq(list) {
				if n, ok := parseNumber(text); !ok || parsed.allows(n) != want {
					t.Errorf("%s allows %s: %v", c.text, text, !want)
				}
			}
		}
	}
	for _, text := range []string{"", "||", "1 ||", "latest", ">", ">= 1.2 foo", "1..2"} {
		if c, err := parseConstraint(text); err == nil {
			t.Errorf("%q is %v", text, c)
		}
	}
}

func FuzzConstraint(f *testing.F) {
	for _, text := range []string{">= 1.2 < 3.0.0 || >= 4.2.3", "1.2 - 1.4", "^0.0.3-rc.1", "~>x", "99999999999999999999"} {
		f.Add(text, "1.2.3")
	}
	f.Fuzz(func(t *testing.T, text, version string) {
		c, err := parseConstraint(text)
		n, ok := parseNumber(version)
		if err == nil && ok {
			c.allows(n)
		}
	})
}
