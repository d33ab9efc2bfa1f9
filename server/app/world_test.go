package app_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// repository is a bare git repository on disk with a working copy beside it.
type repository struct {
	bare, work string
	name       string // owner/name at GitHub
}

func (r *running) repository(t testing.TB, name string) *repository {
	t.Helper()
	return newRepository(t, filepath.Join(r.dir, "repositories"), name)
}

func newRepository(t testing.TB, folder, name string) *repository {
	t.Helper()
	g := &repository{bare: filepath.Join(folder, name+".git"), work: filepath.Join(t.TempDir(), "work"), name: "acme/" + name}
	if err := os.MkdirAll(g.work, 0o755); err != nil {
		t.Fatal(err)
	}
	g.git(t, "init", "-q", "-b", "main")
	g.commit(t, "README", name, "begin")
	g.git(t, "clone", "-q", "--bare", ".", g.bare)
	g.git(t, "remote", "add", "origin", g.bare)
	return g
}

func (g *repository) git(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-C", g.work}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes a file and returns the new commit.
func (g *repository) commit(t testing.TB, file, content, message string) string {
	t.Helper()
	path := filepath.Join(g.work, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	g.git(t, "add", "-A")
	g.git(t, "commit", "-q", "--allow-empty", "-m", message)
	return g.git(t, "rev-parse", "HEAD")
}

// push pushes HEAD to branch and returns the webhook body that GitHub would send.
func (g *repository) push(t testing.TB, branch string) []byte {
	t.Helper()
	before := strings.Repeat("0", 40)
	if out, err := exec.CommandContext(t.Context(), "git", "-C", g.bare, "rev-parse", "-q", "--verify", branch).Output(); err == nil {
		before = strings.TrimSpace(string(out))
	}
	g.git(t, "push", "-q", "origin", "HEAD:refs/heads/"+branch)
	after := g.git(t, "rev-parse", "HEAD")
	listed := "HEAD"
	if strings.Trim(before, "0") != "" {
		listed = before + "..HEAD"
	}
	commits := []any{}
	for _, sha := range strings.Fields(g.git(t, "rev-list", "--reverse", listed)) {
		commits = append(commits, map[string]any{
			"id": sha, "message": g.git(t, "log", "-1", "--format=%B", sha), "timestamp": g.git(t, "log", "-1", "--format=%cI", sha),
			"author": map[string]any{"name": "Ann", "email": "ann@example.com"}, "committer": map[string]any{"name": "Ann", "email": "ann@example.com"},
			"added": []string{}, "removed": []string{}, "modified": strings.Fields(g.git(t, "show", "--name-only", "--format=", sha)),
		})
	}
	owner, name, _ := strings.Cut(g.name, "/")
	body, err := json.Marshal(map[string]any{
		"ref": "refs/heads/" + branch, "before": before, "after": after, "commits": commits,
		"pusher": map[string]any{"name": "ann"}, "sender": map[string]any{"login": "ann"},
		"repository": map[string]any{"name": name, "full_name": g.name, "owner": map[string]any{"login": owner},
			"clone_url": "file://" + g.bare, "default_branch": "main"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// hook is an address that GitHub posts to.
type hook struct {
	ID     string `json:"id"`
	URL    string `json:"url"`
	Secret string `json:"secret"`
}

func (h hook) sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(h.Secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func (c *client) hook(t testing.TB, team, connection string) hook {
	t.Helper()
	var h hook
	c.call(t, "POST", "/api/v1/ci/hooks", map[string]any{"team": team, "connection": connection}, &h)
	return h
}

// deliver posts as GitHub does and returns the status.
func (c *client) deliver(t testing.TB, h hook, guid string, body []byte) int {
	t.Helper()
	return c.deliverSigned(t, h, guid, h.sign(body), body)
}

func (c *client) deliverSigned(t testing.TB, h hook, guid, signature string, body []byte) int {
	t.Helper()
	status, _ := (&client{url: c.url}).send(t, "POST", "/hooks/github/"+h.ID, strings.NewReader(string(body)),
		"X-GitHub-Event", "push", "X-GitHub-Delivery", guid, "X-Hub-Signature-256", signature)
	return status
}

func newGUID() string {
	raw := make([]byte, 16)
	rand.Read(raw)
	return hex.EncodeToString(raw)
}

// pipeline sets a pipeline, unpauses it and returns its id.
func (c *client) pipeline(t testing.TB, team, name, yaml string) int64 {
	t.Helper()
	var set struct {
		Pipeline struct{ ID int64 }
	}
	c.call(t, "PUT", "/api/v1/ci/pipelines/config", map[string]any{"team": team, "name": name, "yaml": yaml}, &set)
	c.call(t, "POST", fmt.Sprintf("/api/v1/ci/pipelines/%d/unpause", set.Pipeline.ID), nil, nil)
	return set.Pipeline.ID
}

// build is what tests look at of a build.
type build struct {
	ID        int64
	Name      string
	Status    string
	Job       struct{ Name string }
	StartedAt time.Time `json:"started_at"`
	CreatedAt time.Time `json:"created_at"`
	EndedAt   time.Time `json:"ended_at"`
	Steps     []stepOf
}

type stepOf struct {
	ID, Kind, Name, Status, Message string
	StartedAt                       time.Time `json:"started_at"`
	Children                        []stepOf
}

func (b build) ended() bool { return b.Status != "pending" && b.Status != "started" }

// step finds a step by name anywhere in the tree.
func (b build) step(name string) (found stepOf) {
	var walk func([]stepOf)
	walk = func(steps []stepOf) {
		for _, s := range steps {
			if s.Name == name && (found.ID == "" || len(s.Children) == 0) {
				found = s
			}
			walk(s.Children)
		}
	}
	walk(b.Steps)
	return found
}

func (c *client) trigger(t testing.TB, team, pipeline, job string) build {
	t.Helper()
	var b build
	status, raw := c.send(t, "POST", "/api/v1/teams/"+team+"/pipelines/"+pipeline+"/jobs/"+job+"/builds", nil)
	if status != http.StatusOK {
		t.Fatalf("trigger %s/%s: %d %s", pipeline, job, status, raw)
	}
	var shown struct{ ID int64 }
	if err := json.Unmarshal([]byte(raw), &shown); err != nil {
		t.Fatal(err)
	}
	b.ID = shown.ID
	return b
}

func (c *client) build(t testing.TB, id int64) build {
	t.Helper()
	var b build
	c.call(t, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", id), nil, &b)
	return b
}

// finish waits for a build's end.
func (c *client) finish(t testing.TB, id int64) build {
	t.Helper()
	var b build
	eventually(t, fmt.Sprintf("build %d to end", id), func() bool {
		b = c.build(t, id)
		return b.ended()
	})
	return b
}

// builds lists those of a job, newest first.
func (c *client) builds(t testing.TB, team, pipeline, job string) []build {
	t.Helper()
	status, raw := c.send(t, "GET", "/api/v1/teams/"+team+"/pipelines/"+pipeline+"/jobs/"+job+"/builds?limit=100", nil)
	if status != http.StatusOK {
		t.Fatalf("builds of %s/%s: %d %s", pipeline, job, status, raw)
	}
	var out []struct {
		ID           int64
		Name, Status string
	}
	if err := json.Unmarshal([]byte(raw), &out); err != nil {
		t.Fatal(err)
	}
	list := make([]build, 0, len(out))
	for _, b := range out {
		list = append(list, build{ID: b.ID, Name: b.Name, Status: b.Status})
	}
	return list
}

// log is a build's log, whole.
func (c *client) log(t testing.TB, id int64) string {
	t.Helper()
	status, raw := c.send(t, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/log/raw", id), nil)
	if status != http.StatusOK {
		t.Fatalf("log of build %d: %d %s", id, status, raw)
	}
	return raw
}

// resourceID finds a resource of a pipeline by name.
func (c *client) resourceID(t testing.TB, pipeline int64, name string) int64 {
	t.Helper()
	var graph struct {
		Resources []struct {
			ID   int64
			Name string
		}
	}
	c.call(t, "GET", fmt.Sprintf("/api/v1/ci/pipelines/%d/graph", pipeline), nil, &graph)
	for _, r := range graph.Resources {
		if r.Name == name {
			return r.ID
		}
	}
	t.Fatalf("pipeline %d has no resource %s", pipeline, name)
	return 0
}

// awaitVersion waits until a resource has been checked and has a version.
func (c *client) awaitVersion(t testing.TB, resource int64) {
	t.Helper()
	eventually(t, "the first check", func() bool {
		var r struct {
			LastVersion map[string]string `json:"last_version"`
		}
		c.call(t, "GET", fmt.Sprintf("/api/v1/ci/resources/%d", resource), nil, &r)
		return len(r.LastVersion) > 0
	})
}
