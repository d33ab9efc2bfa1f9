package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/databasetest"
)

// container is what tests look at of a container.
type container struct {
	Handle, Kind, Step, State string
	Build                     struct{ ID int64 }
}

func (c *client) containers(t testing.TB) []container {
	t.Helper()
	var list struct{ Items []container }
	c.call(t, "GET", "/api/v1/ci/containers?team=main", nil, &list)
	return list.Items
}

// awaitContainer waits until a step runs in a container.
func (c *client) awaitContainer(t testing.TB, kind, step string) (found container) {
	t.Helper()
	eventually(t, "a container of "+step, func() bool {
		for _, found = range c.containers(t) {
			if found.Kind == kind && found.Step == step && found.State == "running" {
				return true
			}
		}
		return false
	})
	return found
}

// killInit kills a container's first process as the kernel would, without a word to anybody.
func killInit(t testing.TB, data, handle string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(data, "ci", "containers", handle, "started"))
	if err != nil {
		t.Fatal(err)
	}
	var started struct{ PID int }
	if err := json.Unmarshal(raw, &started); err != nil || started.PID < 2 {
		t.Fatalf("%v in %s", err, raw)
	}
	if err := syscall.Kill(started.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// TestKilledInsideAContainer: the first process of a task is killed; the task fails with
// the status that says so, and what comes after a failure runs, once.
func TestKilledInsideAContainer(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.pipeline(t, "main", "p", "jobs:\n- name: j\n  plan:\n  - "+shell("victim", "echo begun; exec sleep 100")+
		", on_failure: "+shell("after", "echo clean''ed")+"}}\n")
	b := r.trigger(t, "main", "p", "j")
	victim := r.awaitContainer(t, "task", "victim")
	eventually(t, "the victim's first line", func() bool { return strings.Contains(r.log(t, b.ID), "begun") })
	killInit(t, filepath.Join(r.dir, "data"), victim.Handle)
	ended := r.finish(t, b.ID)
	if ended.Status != "failed" || ended.step("victim").Status != "failed" || ended.step("after").Status != "succeeded" {
		t.Errorf("%+v", ended)
	}
	if text := r.log(t, b.ID); strings.Count(text, "begun") != 1 || strings.Count(text, "cleaned") != 1 {
		t.Errorf("log: %s", text)
	}
	_, raw := r.send(t, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", b.ID), nil)
	if !strings.Contains(raw, `"exit_status":137`) {
		t.Errorf("the page does not say how it ended: %s", raw)
	}
}

// gitServer serves repositories over HTTP, and keeps callers waiting while held is set.
func gitServer(t testing.TB, folder string) (address string, held *atomic.Bool) {
	t.Helper()
	held = &atomic.Bool{}
	over := make(chan struct{})
	git := &cgi.Handler{Path: "/usr/bin/git", Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + folder, "GIT_HTTP_EXPORT_ALL=1"}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if held.Load() {
			select {
			case <-r.Context().Done():
			case <-over:
			}
			return
		}
		git.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { close(over); s.CloseClientConnections(); s.Close() })
	return strings.TrimPrefix(s.URL, "http://"), held
}

// TestKilledResourceScript: the script of a check is killed in the middle; the build
// says so, the resource shows it, and the next try works.
func TestKilledResourceScript(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	newRepository(t, filepath.Join(dir, "repositories"), "shop")
	address, held := gitServer(t, filepath.Join(dir, "repositories"))
	// Containers reach this machine only where a port is allowed by name.
	r := startIn(t, dir, databasetest.URL(t), func(c *config.Config) { c.Outbound.Allow = append(c.Outbound.Allow, address) })
	id := r.pipeline(t, "main", "p", "resources:\n- {name: code, type: git, check_every: never, source: {uri: 'http://"+address+"/shop.git', branch: main}}\n"+
		"jobs:\n- name: j\n  plan: [{get: code}]\n")
	resource := r.resourceID(t, id, "code")
	check := fmt.Sprintf("/api/v1/ci/resources/%d/check", resource)
	data := filepath.Join(r.dir, "data")

	held.Store(true)
	var b build
	r.call(t, "POST", check, nil, &b)
	killInit(t, data, r.awaitContainer(t, "check", "code").Handle)
	if ended := r.finish(t, b.ID); ended.Status == "succeeded" {
		t.Errorf("the check: %+v", ended)
	}
	_, raw := r.send(t, "GET", fmt.Sprintf("/api/v1/ci/resources/%d", resource), nil)
	if !strings.Contains(raw, "137") {
		t.Errorf("the resource does not tell: %s", raw)
	}
	held.Store(false)
	r.call(t, "POST", check, nil, &b)
	if ended := r.finish(t, b.ID); ended.Status != "succeeded" {
		t.Fatalf("the next check: %+v\n%s", ended, r.log(t, b.ID))
	}
	r.awaitVersion(t, resource)
	if ended := r.finish(t, r.trigger(t, "main", "p", "j").ID); ended.Status != "succeeded" {
		t.Errorf("the get: %+v", ended)
	}
}

// TestLandedWorker: a worker that lands finishes what runs and begins nothing, which
// builds say; that outlives a restart of the server, and resuming lets them go.
func TestLandedWorker(t *testing.T) {
	t.Parallel()
	p := launch(t)
	p.pipeline(t, "main", "count", counting(2, 40))
	first := p.trigger(t, "main", "count", "j0")
	eventually(t, "the first lines", func() bool { return strings.Contains(p.log(t, first.ID), "line 3") })
	var workers struct {
		Items []struct{ Name, State string }
	}
	p.call(t, "GET", "/api/v1/ci/workers", nil, &workers)
	path := "/api/v1/ci/workers/" + workers.Items[0].Name
	p.call(t, "POST", path+"/land", nil, nil)
	second := p.trigger(t, "main", "count", "j1")
	says := func() bool {
		_, raw := p.send(t, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", second.ID), nil)
		return strings.Contains(raw, "the worker is landing")
	}
	eventually(t, "the build to say why it waits", says)
	if b := p.finish(t, first.ID); b.Status != "succeeded" {
		t.Errorf("what ran: %+v", b)
	}
	state := func() string {
		p.call(t, "GET", "/api/v1/ci/workers", nil, &workers)
		return workers.Items[0].State
	}
	eventually(t, "the worker to have landed", func() bool { return state() == "landed" })
	p.end(syscall.SIGKILL)
	p.start()
	eventually(t, "the build to say why it waits after a restart", says)
	if s := state(); s != "landed" || len(p.containers(t)) != 0 {
		t.Errorf("after the restart the worker is %s with %v", s, p.containers(t))
	}
	p.call(t, "POST", path+"/prune", nil, nil)
	p.call(t, "POST", path+"/resume", nil, nil)
	if b := p.finish(t, second.ID); b.Status != "succeeded" {
		t.Errorf("what waited: %+v", b)
	}
	wantLines(t, "what waited", p.log(t, second.ID), 40)
	if status, _ := p.send(t, "POST", path+"/prune", nil); status != http.StatusConflict {
		t.Errorf("a running worker was pruned: %d", status)
	}
}

// TestDiskFullInAStep: a step that fills the worker's disk ends errored with a sentence,
// and the next one has room again.
func TestDiskFullInAStep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	root := filepath.Join(dir, "data", "ci")
	if err := os.MkdirAll(root, 0o700); err != nil {
		t.Fatal(err)
	}
	// A small file system in a mount namespace of its own, which ends with the program.
	small := []string{"unshare", "-m", "sh", "-c", `mount -t tmpfs -o size=48m none "$0" && exec "$@"`, root}
	if os.Getuid() != 0 {
		small[1] = "-rm"
	}
	p := launchOn(t, dir, "", small...)
	p.pipeline(t, "main", "p", "jobs:\n- name: fill\n  plan:\n  - "+shell("fill", "echo begun; dd if=/dev/zero of=/tmp/big bs=1M")+"}\n"+
		"- name: after\n  plan:\n  - "+shell("after", "echo room > /tmp/small")+"}\n")
	b := p.trigger(t, "main", "p", "fill")
	ended := p.finish(t, b.ID)
	if step := ended.step("fill"); ended.Status != "errored" || !strings.Contains(step.Message, "disk is full") {
		t.Errorf("%+v\n%s", ended, p.log(t, b.ID))
	}
	if text := p.log(t, b.ID); strings.Count(text, "begun") != 1 {
		t.Errorf("log: %s", text)
	}
	if ended := p.finish(t, p.trigger(t, "main", "p", "after").ID); ended.Status != "succeeded" {
		t.Errorf("afterwards: %+v", ended)
	}
}
