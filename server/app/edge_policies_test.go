package app_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/signalbox/signalbox/server/platform/github/githubtest"
)

// folderOfPolicies answers for one repository what GitHub's API says of its branch
// and files, and passes everything else on to the fake GitHub.
type folderOfPolicies struct {
	mu     sync.Mutex
	commit string
	files  map[string]string
	other  http.Handler
}

func (f *folderOfPolicies) push(commit string, files map[string]string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commit, f.files = commit, files
}

func (f *folderOfPolicies) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, ours := strings.CutPrefix(r.URL.Path, "/repos/acme/fleet/")
	name, content := strings.CutPrefix(at, "contents/policies")
	switch {
	case ours && at == "branches/main":
		reply(w, map[string]any{"name": "main", "commit": map[string]any{"sha": f.commit}})
	case ours && content && r.URL.Query().Get("ref") != f.commit:
		http.Error(w, `{"message":"another commit"}`, http.StatusNotFound)
	case ours && content && strings.Trim(name, "/") == "":
		list := []map[string]any{{"type": "dir", "name": "old", "path": "policies/old"}, {"type": "file", "name": "README.md", "path": "policies/README.md", "size": 1}}
		for file, text := range f.files {
			list = append(list, map[string]any{"type": "file", "name": file, "path": "policies/" + file, "size": len(text)})
		}
		reply(w, list)
	case ours && content:
		name = strings.Trim(name, "/")
		reply(w, map[string]any{"type": "file", "name": name, "path": "policies/" + name, "encoding": "base64", "content": base64.StdEncoding.EncodeToString([]byte(f.files[name]))})
	default:
		f.other.ServeHTTP(w, r)
	}
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	raw, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Write(raw) // the client sees what is missing
}

// TestPoliciesArriveByPush: a folder of a repository becomes policies, and a push
// changes them without anybody asking.
func TestPoliciesArriveByPush(t *testing.T) {
	t.Parallel()
	hub, stop := githubtest.Start()
	t.Cleanup(stop)
	hub.Token = "ghp_hush"
	hub.AddRepo("acme", "fleet")
	back, err := url.Parse(hub.URL)
	if err != nil {
		t.Fatal(err)
	}
	folder := &folderOfPolicies{other: httputil.NewSingleHostReverseProxy(back)}
	front := httptest.NewServer(folder)
	t.Cleanup(front.Close)
	const policy = "apiVersion: patchmgmt.io/v1\nkind: PatchPolicy\nmetadata: {name: tills}\nspec:\n  bundleRef: {version: b1}\n  targets: {selector: {matchLabels: {role: till}}}\n"
	folder.push("1111111111111111111111111111111111111111", map[string]string{"tills.yaml": policy, "broken.yml": "kind: Pod\n"})

	r := start(t)
	var connection struct{ ID string }
	r.call(t, "POST", "/api/v1/ci/connections", map[string]any{"team": "main", "name": "GitHub", "api_url": front.URL, "token": "ghp_hush"}, &connection)
	var h struct{ State string }
	r.call(t, "PUT", "/api/v1/ci/connections/"+connection.ID+"/repositories/acme/fleet/hook", nil, &h)
	if h.State != "ok" {
		t.Fatalf("%+v", h)
	}
	clone := front.URL + "/acme/fleet.git"
	var source struct{ ID, Repository string }
	r.call(t, "POST", "/api/v1/edge/policy-sources", map[string]any{"team": "main", "repository": clone, "folder": "policies", "starts": true}, &source)
	if source.Repository != "127.0.0.1/acme/fleet" {
		t.Errorf("%+v", source)
	}
	type item struct {
		Name, Bundle, Problem string
		Revision              int
		Source                struct{ Path, Commit string }
	}
	policies := func() (list []item) {
		var page struct{ Items []item }
		r.call(t, "GET", "/api/v1/edge/policies?team=main", nil, &page)
		return page.Items
	}
	eventually(t, "the policy to arrive", func() bool { return len(policies()) == 1 })
	if p := policies()[0]; p.Name != "tills" || p.Source.Path != "policies/tills.yaml" || !strings.HasPrefix(p.Source.Commit, "1111") || p.Problem != "No bundle b1 is published." {
		t.Errorf("%+v", p)
	}

	folder.push("2222222222222222222222222222222222222222", map[string]string{"tills.yaml": strings.Replace(policy, "b1", "b2", 1)})
	push := map[string]any{"ref": "refs/heads/main", "before": strings.Repeat("1", 40), "after": strings.Repeat("2", 40), "commits": []any{},
		"repository": map[string]any{"name": "fleet", "full_name": "acme/fleet", "owner": map[string]any{"login": "acme", "name": "acme"}, "clone_url": clone}, "sender": map[string]any{"login": "ann"}}
	if codes := hub.Deliver(t.Context(), "acme", "fleet", "push", push); len(codes) != 1 || codes[0] != http.StatusAccepted {
		t.Fatal(codes)
	}
	eventually(t, "the push to change the policy", func() bool {
		p := policies()
		return len(p) == 1 && p[0].Revision == 2 && p[0].Bundle == "b2" && strings.HasPrefix(p[0].Source.Commit, "2222")
	})
	folder.push("3333333333333333333333333333333333333333", nil)
	r.call(t, "POST", "/api/v1/edge/policy-sources/"+source.ID+"/sync", nil, nil)
	if p := policies(); len(p) != 0 {
		t.Errorf("%+v", p)
	}
}
