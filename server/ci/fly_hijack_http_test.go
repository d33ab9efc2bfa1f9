package ci

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/runtime/worker"
	"github.com/signalbox/signalbox/server/platform/databasetest"
)

// withWorker is a world whose containers are real; the scripted engine starts none,
// so the test does.
func withWorker(t *testing.T) (*world, *worker.Worker) {
	t.Helper()
	built, err := worker.New(worker.Options{Root: t.TempDir(), Name: "test", HostImage: true, Self: "/proc/self/exe",
		Logger: slog.New(slog.NewTextHandler(testWriter{t}, nil)), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// t.Context has ended by now.
		if err := errors.Join(built.Recover(context.Background(), nil), built.Close()); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	w := stopped(t, databasetest.Open(t), &buildlog.Store{Dir: filepath.Join(t.TempDir(), "logs")})
	w.ci.deps.Executor = built
	w.start()
	return w, built
}

// container runs a script as the task of a build that has just been made.
func (w *world) container(at *worker.Worker, script string) (handle string, build int64) {
	w.t.Helper()
	b := must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/web/jobs/hello/builds", "")
	w.waitBuild("web", "hello", b.Name, Failed)
	id := runtime.ContainerID(newID())
	spec := runtime.Spec{ID: id, Image: runtime.Image{Host: true}, Args: []string{"sh", "-c", script}, Env: []string{"COLOUR=blue"}, Dir: "/tmp/build"}
	if err := at.Start(w.t.Context(), spec); err != nil {
		w.t.Fatal(err)
	}
	step := engine.StepRecord{BuildID: b.ID, PlanID: "77", Kind: engine.KindTask, Name: "fail", Attempt: "1.2", Container: id, Dir: "/tmp/build",
		State: engine.StateRunning, StartedAt: time.Now()}
	if err := w.ci.saveStep(w.t.Context(), step); err != nil {
		w.t.Fatal(err)
	}
	return string(id), b.ID
}

// awaitEnd waits for the end of a container's process.
func awaitEnd(t *testing.T, at *worker.Worker, handle string) {
	t.Helper()
	p, err := at.Attach(t.Context(), runtime.ContainerID(handle))
	if err == nil {
		_, err = p.Follow(t.Context(), 0, func(runtime.Frame) error { return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
}

const failing = `jobs:
- name: hello
  plan:
  - task: fail
    config: {platform: linux, image_resource: {type: host, source: {}}, run: {path: "true"}}
`

func (w *world) dial(handle, user string) (*websocket.Conn, *http.Response, error) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	w.t.Cleanup(cancel)
	return websocket.Dial(ctx, "ws"+strings.TrimPrefix(w.server.URL, "http")+"/api/v1/teams/main/containers/"+handle+"/hijack",
		&websocket.DialOptions{HTTPHeader: http.Header{"X-Test-User": {user}}})
}

// scene is one conversation as fly has it: what it sends and what it must hear.
type scene struct {
	Name string
	// Send are fly's messages, word for word; the first is the process.
	Send []json.RawMessage
	// After, when set, is output to wait for before the rest of Send.
	After string
	Want  struct {
		Stdout, Stderr, Error string
		Exit                  *int
		NotFound              bool
	}
}

// hear collects all that the server said until it closed.
func hear(t *testing.T, conn *websocket.Conn, after string, then func()) (out hijackOutput, closed error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		var frame hijackOutput
		if err := wsjson.Read(ctx, conn, &frame); err != nil {
			return out, err
		}
		out.Stdout, out.Stderr = append(out.Stdout, frame.Stdout...), append(out.Stderr, frame.Stderr...)
		out.Error += frame.Error
		out.NotFound = out.NotFound || frame.NotFound
		if frame.Exit != nil {
			out.Exit = frame.Exit
		}
		if then != nil && strings.Contains(string(out.Stdout), after) {
			then()
			then = nil
		}
	}
}

func TestHijackScenes(t *testing.T) {
	t.Parallel()
	w, at := withWorker(t)
	w.set("web", failing)
	running, _ := w.container(at, "echo mine > note; exec sleep 600")
	ended, _ := w.container(at, "echo mine > note; exit 3")
	awaitEnd(t, at, ended)
	raw, err := os.ReadFile("testdata/wire/hijack.json")
	if err != nil {
		t.Fatal(err)
	}
	var scenes []scene
	if err := json.Unmarshal(raw, &scenes); err != nil {
		t.Fatal(err)
	}
	for where, handle := range map[string]string{"running": running, "ended": ended} {
		for _, s := range scenes {
			t.Run(where+"/"+s.Name, func(t *testing.T) {
				t.Parallel()
				w.play(t, handle, s)
			})
		}
	}
}

func (w *world) play(t *testing.T, handle string, s scene) {
	conn, _, err := w.dial(handle, "owner")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	send := func(messages []json.RawMessage) {
		for _, m := range messages {
			if err := conn.Write(t.Context(), websocket.MessageText, m); err != nil {
				t.Errorf("send: %v", err)
			}
		}
	}
	first := len(s.Send)
	var then func()
	if s.After != "" {
		first, then = 1, func() { send(s.Send[1:]) }
	}
	send(s.Send[:first])
	got, closed := hear(t, conn, s.After, then)
	if websocket.CloseStatus(closed) != websocket.StatusNormalClosure && s.Want.Exit != nil {
		t.Errorf("closed with %v", closed)
	}
	if string(got.Stdout) != s.Want.Stdout || string(got.Stderr) != s.Want.Stderr || !strings.Contains(got.Error, s.Want.Error) ||
		got.NotFound != s.Want.NotFound || encode(got.Exit) != encode(s.Want.Exit) {
		t.Errorf("got %s %q %q, want %+v", encode(got), got.Stdout, got.Stderr, s.Want)
	}
}

func TestHijackRights(t *testing.T) {
	t.Parallel()
	w, at := withWorker(t)
	w.set("web", failing)
	handle, _ := w.container(at, "exec sleep 600")
	for _, c := range []struct {
		user, handle string
		status       int
	}{
		{"owner", handle, 101}, {"member", handle, 101}, {"viewer", handle, 403}, {"operator", handle, 403}, {"stranger", handle, 403}, {"", handle, 401},
		{"owner", newID(), 404}, {"owner", "nonsense", 404},
	} {
		conn, answer, err := w.dial(c.handle, c.user)
		if answer == nil || answer.StatusCode != c.status {
			t.Errorf("%q at %s: %v", c.user, c.handle, err)
		}
		if conn != nil {
			conn.CloseNow()
		}
	}
	a := w.call("GET", "/api/v1/teams/main/containers/"+handle+"/hijack", "")
	if a.status != 426 {
		t.Errorf("without WebSocket: %d %s", a.status, a.body)
	}
	foreign := http.Header{"X-Test-User": {"owner"}, "Origin": {"https://evil.example"}}
	_, answer, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(w.server.URL, "http")+"/api/v1/teams/main/containers/"+handle+"/hijack",
		&websocket.DialOptions{HTTPHeader: foreign})
	if err == nil || answer.StatusCode != 403 {
		t.Errorf("from another origin: %v", err)
	}
}

func TestContainersAreFiltered(t *testing.T) {
	t.Parallel()
	w, at := withWorker(t)
	w.set("web", failing)
	handle, build := w.container(at, "exec sleep 600")
	// A row whose container is gone, as a restart leaves it, is not offered.
	lost := engine.StepRecord{BuildID: build, PlanID: "78", Kind: engine.KindTask, Name: "lost", Container: runtime.ContainerID(newID()), StartedAt: time.Now()}
	if err := w.ci.saveStep(t.Context(), lost); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{
		"":           1,
		"?type=task": 1,
		"?type=get":  0,
		"?step_name=fail&attempt=1.2&pipeline_name=web&job_name=hello&build_name=1": 1,
		"?build_id=" + formatInt(build):                                             1,
		"?build_id=999":                                                             0,
		"?attempt=1":                                                                0,
		"?vars.branch=%22main%22":                                                   0,
		"?vars=%7B%7D":                                                              1,
	} {
		if got := must[[]flyContainer](w, 200, "GET", "/api/v1/teams/main/containers"+query, ""); len(got) != want {
			t.Errorf("%s: got %+v", query, got)
		}
	}
	got := must[flyContainer](w, 200, "GET", "/api/v1/teams/main/containers/"+handle, "")
	want := flyContainer{ID: handle, WorkerName: "test", State: "created", Type: "task", StepName: "fail", Attempt: "1.2", PipelineID: got.PipelineID, JobID: got.JobID,
		BuildID: build, PipelineName: "web", JobName: "hello", BuildName: "1", User: "root", Directory: "/tmp/build"}
	if encode(got) != encode(want) {
		t.Errorf("got  %s\nwant %s", encode(got), encode(want))
	}
}

// A session keeps its build's containers, is written down, and ends with the server.
func TestHijackLasts(t *testing.T) {
	t.Parallel()
	w, at := withWorker(t)
	w.set("web", failing)
	handle, build := w.container(at, "exit 3")
	awaitEnd(t, at, handle)
	conn, _, err := w.dial(handle, "owner")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := wsjson.Write(t.Context(), conn, hijackSpec{Path: "sh", Args: []string{"-c", "echo ready; exec sleep 600"}}); err != nil {
		t.Fatal(err)
	}
	row, err := w.ci.build(t.Context(), build)
	if err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	got, closed := hear(t, conn, "ready", func() {
		w.ci.release(t.Context(), row)
		if again, err := w.ci.build(t.Context(), build); err != nil || again.Released {
			t.Errorf("released %v under somebody's feet, %v", again.Released, err)
		}
		go func() { defer close(stopped); w.ci.sessions.close() }()
	})
	if got.Error != "The server is stopping." || websocket.CloseStatus(closed) != websocket.StatusNormalClosure {
		t.Errorf("got %s, %v", encode(got), closed)
	}
	<-stopped
	if w.ci.sessions.holds(build) {
		t.Error("the build is still held")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if last := w.audited[len(w.audited)-1]; last != "ci.container.hijack web/hello/#1/fail" {
		t.Errorf("audited %q", last)
	}
}

// Somebody who leaves, and somebody who does nothing, ends the process.
func TestHijackEnds(t *testing.T) {
	t.Parallel()
	w, at := withWorker(t)
	w.set("web", failing)
	handle, build := w.container(at, "exec sleep 600")
	conn, _, err := w.dial(handle, "owner")
	if err != nil {
		t.Fatal(err)
	}
	if err := wsjson.Write(t.Context(), conn, hijackSpec{Path: "sh", Args: []string{"-c", "echo ready; exec sleep 599"}}); err != nil {
		t.Fatal(err)
	}
	_, _ = hear(t, conn, "ready", func() { conn.CloseNow() })
	w.eventually("the session has ended", func() bool { return !w.ci.sessions.holds(build) })
	count, err := at.Exec(t.Context(), runtime.ContainerID(handle), runtime.ExecSpec{Args: []string{"sh", "-c", "! grep -ls [5]99 /proc/[0-9]*/cmdline"}})
	if err != nil {
		t.Fatal(err)
	}
	if status := count.Wait(); status != 0 {
		t.Error("its process has not")
	}
	if err := count.Close(); err != nil {
		t.Error(err)
	}
}
