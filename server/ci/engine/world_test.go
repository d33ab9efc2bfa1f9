package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/vars"
)

// world is everything that outlives an engine: disk, database, containers.
type world struct {
	t        testing.TB
	executor *fakeExecutor
	ledger   *memoryLedger
	logs     *buildlog.Store
	secrets  vars.Static
	native   *fakeType
	gate     *gateType
	ids      atomic.Int64
	limit    int
	noHost   bool
	set      func(SetPipelineRequest) (SetPipelineResult, error)

	mu  sync.Mutex
	now time.Time
}

func setup(t testing.TB) *world {
	executor := newFakeExecutor()
	return &world{
		t: t, executor: executor, ledger: newMemoryLedger(),
		logs:    &buildlog.Store{Dir: t.TempDir()},
		secrets: vars.Static{},
		native:  &fakeType{executor: executor},
		gate:    &gateType{answered: map[string]bool{}},
		now:     time.Unix(1_800_000_000, 0),
	}
}

// engine starts a server in this world; several one after the other are restarts.
func (w *world) engine() *Engine {
	return New(context.Background(), Deps{
		Executor: w.executor,
		Native: func(name string) (resource.Type, bool) {
			if name == "fake" || name == "mock" || name == "registry-image" {
				return w.native, true
			}
			return w.gate, name == "gate"
		},
		Scripted: scriptedType{},
		Ledger:   w.ledger,
		Logs:     w.logs,
		Now:      w.clock,
		NewID:    func() string { return fmt.Sprintf("%032x", w.ids.Add(1)) },
		Vars: func(context.Context, Build) (vars.Lookup, error) {
			return vars.Sources{"": w.secrets}, nil
		},
		SetPipeline: func(_ context.Context, request SetPipelineRequest) (SetPipelineResult, error) {
			return w.set(request)
		},
		ExternalURL:       "http://ci.example",
		HostImageAllowed:  func(context.Context, Build) bool { return !w.noHost },
		PrivilegedAllowed: func(context.Context, Build) bool { return false },
		MaxContainers:     w.limit,
		WorkerTags:        []string{"linux"},
		Logger:            slog.New(slog.DiscardHandler),
	})
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func build(t testing.TB, planJSON string) Build {
	t.Helper()
	b := Build{
		ID: 1, Name: "7", TeamID: 2, TeamName: "main", PipelineID: 3, PipelineName: "web",
		JobID: 4, JobName: "unit", CreatedBy: "ann", CreatedAt: time.Unix(1_799_999_990, 0),
	}
	if err := json.Unmarshal([]byte(planJSON), &b.Plan); err != nil {
		t.Fatalf("plan %s: %v", planJSON, err)
	}
	return b
}

// run runs a plan to its end in a fresh engine.
func (w *world) run(planJSON string) Outcome {
	w.t.Helper()
	return w.runBuild(build(w.t, planJSON))
}

func (w *world) runBuild(b Build) Outcome {
	w.t.Helper()
	outcome, err := w.engine().Run(w.t.Context(), b)
	if err != nil {
		w.t.Fatal(err)
	}
	return outcome
}

// events are the build's events, one line each without times: "name origin detail".
func (w *world) events() []string {
	w.t.Helper()
	log, err := w.logs.Open(1)
	if err != nil {
		w.t.Fatal(err)
	}
	defer log.Close()
	events, err := log.Events(0, 100_000)
	if err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for _, e := range events {
		line := e.Kind + " " + e.Origin
		if e.Kind == buildlog.KindLog {
			line += " " + strconv.Quote(e.Payload)
		}
		var data struct {
			Message   string
			Status    *int  `json:"exit_status"`
			Succeeded *bool `json:"succeeded"`
		}
		if len(e.Data) > 0 {
			if err := json.Unmarshal(e.Data, &data); err != nil {
				w.t.Fatal(err)
			}
		}
		switch {
		case data.Message != "":
			line += " " + strconv.Quote(data.Message)
		case data.Status != nil:
			line += " " + strconv.Itoa(*data.Status)
		case data.Succeeded != nil:
			line += " " + strconv.FormatBool(*data.Succeeded)
		}
		lines = append(lines, line)
	}
	return lines
}

// log is all output of one origin.
func (w *world) log(origin string) string {
	var b strings.Builder
	for _, line := range w.events() {
		if rest, ok := strings.CutPrefix(line, "log "+origin+" "); ok {
			text, _ := strconv.Unquote(rest)
			b.WriteString(text)
		}
	}
	return b.String()
}

func (w *world) wantEvent(line string) {
	w.t.Helper()
	events := w.events()
	for _, e := range events {
		if e == line {
			return
		}
	}
	w.t.Errorf("no event %q in\n%s", line, strings.Join(events, "\n"))
}

// task is the JSON of a task plan with a script for the fake executor.
func task(id string, script ...string) string {
	args, _ := json.Marshal(script)
	return fmt.Sprintf(`{"id":%q,"task":{"name":"t%s","privileged":false,"hermetic":false,"config":{"platform":"linux","run":{"path":"sh","args":%s}}}}`, id, id, args)
}

// errs is the JSON of a step that errors.
func errs(id string) string {
	return fmt.Sprintf(`{"id":%q,"load_var":{"name":"x","file":"nowhere/x"}}`, id)
}

func do(id string, steps ...string) string {
	return fmt.Sprintf(`{"id":%q,"do":[%s]}`, id, strings.Join(steps, ","))
}

func getPlan(id, name, version string, more ...string) string {
	return fmt.Sprintf(`{"id":%q,"get":{"name":%q,"type":"fake","resource":%q,"source":{"uri":"x"},"image":{"base_type":"fake"},"version":{"v":%q}%s}}`,
		id, name, name, version, strings.Join(more, ""))
}

// fakeType is a resource type of the server's own that needs no container.
type fakeType struct {
	executor *fakeExecutor
	mu       sync.Mutex
	requests []resource.Request
	versions []resource.Version
	resumes  bool
	freed    bool // "block" no longer blocks
}

func (f *fakeType) note(verb string, req resource.Request) (err error) {
	f.mu.Lock()
	f.requests = append(f.requests, req)
	f.mu.Unlock()
	f.executor.effect(verb)
	if text, ok := req.Params["log"].(string); ok {
		fmt.Fprintln(req.Log, text)
	}
	if status, ok := req.Params["exit"].(string); ok {
		n, _ := strconv.Atoi(status)
		return &resource.ExitError{Script: verb, Status: n}
	}
	if message, ok := req.Params["error"].(string); ok {
		return errors.New(message)
	}
	return nil
}

func (f *fakeType) Check(ctx context.Context, req resource.Request) ([]resource.Version, error) {
	if message, ok := req.Source["check_error"].(string); ok {
		return nil, errors.New(message)
	}
	if message, ok := req.Source["check_exit"].(string); ok {
		fmt.Fprintln(req.Log, message)
		return nil, &resource.ExitError{Script: "check", Status: 1}
	}
	if _, ok := req.Source["check_block"]; ok {
		f.executor.effect("check began")
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if err := f.note("check", req); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.versions, nil
}

func (f *fakeType) Get(ctx context.Context, req resource.Request) (resource.Result, error) {
	if err := f.note("get", req); err != nil {
		return resource.Result{}, err
	}
	if _, ok := req.Params["block"]; ok && !f.isFree() {
		<-ctx.Done()
		return resource.Result{}, ctx.Err()
	}
	f.executor.mu.Lock()
	defer f.executor.mu.Unlock()
	files := f.executor.volumes[req.Dest]
	for key, value := range req.Version {
		files[key] = value
	}
	if text, ok := req.Source["metadata_json"].(string); ok {
		files["metadata.json"] = text
	}
	for key, value := range req.Params {
		if text, ok := value.(string); ok {
			files[key] = text
		}
	}
	return resource.Result{Version: req.Version, Metadata: []resource.Field{{Name: "by", Value: "ann"}}}, nil
}

func (f *fakeType) Put(ctx context.Context, req resource.Request) (resource.Result, error) {
	if err := f.note("put", req); err != nil {
		return resource.Result{}, err
	}
	if _, ok := req.Params["block"]; ok && !f.isFree() {
		<-ctx.Done()
		return resource.Result{}, ctx.Err()
	}
	return resource.Result{Version: resource.Version{"v": "made"}, Metadata: []resource.Field{{Name: "url", Value: "there"}}}, nil
}

func (f *fakeType) isFree() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.freed
}

func (f *fakeType) ResumesPut() bool { return f.resumes }

func (f *fakeType) last() resource.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests[len(f.requests)-1]
}

// scriptedType is an image: it acts in a container, as /opt/resource/* would. Its
// "script" param is what the container does.
type scriptedType struct{}

func (scriptedType) act(ctx context.Context, req resource.Request, verb string) error {
	script := []string{verb, "effect " + verb, "print " + verb + " output"}
	if more, ok := req.Params["script"].([]any); ok {
		for _, operation := range more {
			script = append(script, operation.(string))
		}
	}
	spec := runtime.Spec{ID: req.Container, Image: req.Image, Args: script}
	if req.Dest != "" {
		spec.Mounts = []runtime.Mount{{Volume: req.Dest, Path: getDir}}
	}
	process, err := req.Executor.Attach(ctx, req.Container)
	if errors.Is(err, runtime.ErrGone) {
		if err = req.Executor.Start(ctx, spec); err != nil {
			return err
		}
		process, err = req.Executor.Attach(ctx, req.Container)
	}
	if err != nil {
		return err
	}
	exit, err := process.Follow(ctx, 0, func(frame runtime.Frame) error {
		_, err := req.Log.Write(frame.Data)
		return err
	})
	if err != nil {
		return err
	}
	if exit.Status != 0 {
		return &resource.ExitError{Script: verb, Status: exit.Status}
	}
	return nil
}

func (s scriptedType) Check(ctx context.Context, req resource.Request) ([]resource.Version, error) {
	return []resource.Version{{"v": "checked"}}, s.act(ctx, req, "check")
}

func (s scriptedType) Get(ctx context.Context, req resource.Request) (resource.Result, error) {
	return resource.Result{Version: req.Version}, s.act(ctx, req, "in")
}

func (s scriptedType) Put(ctx context.Context, req resource.Request) (resource.Result, error) {
	return resource.Result{Version: resource.Version{"v": "out"}}, s.act(ctx, req, "out")
}

// until waits for a condition that another goroutine brings about.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for: %s", what)
		}
		time.Sleep(200 * time.Microsecond)
	}
}
