package ci

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/event"
	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/vars"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

// world is a running capability with a scripted engine and remote.
type world struct {
	t      *testing.T
	db     *database.DB
	ci     *Service
	jobs   *work.Jobs
	server *httptest.Server
	engine *fakeEngine
	remote *remote
	logs   *buildlog.Store

	mu       sync.Mutex
	statuses []CommitStatus
	finished []BuildFinished
	audited  []string
}

const teamMain, teamOther = 1, 2

func setup(t *testing.T) *world {
	t.Helper()
	w := stopped(t, databasetest.Open(t), &buildlog.Store{Dir: filepath.Join(t.TempDir(), "logs")})
	w.start()
	return w
}

// stopped makes a world that does not work yet, over a database that may have a past.
func stopped(t *testing.T, db *database.DB, logs *buildlog.Store) *world {
	t.Helper()
	gin.SetMode(gin.TestMode)
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	w := &world{t: t, db: db, logs: logs, remote: &remote{versions: map[string][]resource.Version{}, failures: map[string]string{}, checks: map[string]int{}}}
	w.jobs = work.NewJobs(db, "node", time.Now, log)
	names := map[int64]string{teamMain: "main", teamOther: "other"}
	w.ci = New(Deps{
		DB: db, Now: time.Now, Log: log, Jobs: w.jobs, Logs: logs, NewID: newID, ClusterName: "ref",
		Engine: func(l engine.Ledger) Engine {
			w.engine = &fakeEngine{ledger: l, remote: w.remote, logs: logs, gates: map[string]chan struct{}{}}
			return w.engine
		},
		Native: func(name string) (resource.Type, bool) {
			return w.remote, slices.Contains([]string{"mock", gitType, pullType, releaseType}, name)
		},
		Vars: func(context.Context, engine.Build) (vars.Lookup, error) {
			return vars.Static{"token": "hush-hush", "uri": "https://github.com/acme/secret.git"}, nil
		},
		TeamName: func(_ context.Context, id int64) (string, error) { return names[id], nil },
		TeamID: func(_ context.Context, name string) (int64, error) {
			for id, known := range names {
				if known == name {
					return id, nil
				}
			}
			return 0, problem.New(problem.NotFound, "no such team")
		},
		PublicURL: func() string { return "http://127.0.0.1:18080" },
		CommitStatus: func(_ context.Context, s CommitStatus) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.statuses = append(w.statuses, s)
			return nil
		},
		OnBuildFinished: func(_ context.Context, f BuildFinished) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.finished = append(w.finished, f)
			return nil
		},
		Audit: func(_ context.Context, _ int64, action, object, _ string) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.audited = append(w.audited, action+" "+object)
			return nil
		},
		CheckEvery: time.Hour,
	})
	w.serve()
	return w
}

func (w *world) start() {
	w.t.Helper()
	if err := w.jobs.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	stop := w.ci.Start(w.t.Context())
	w.t.Cleanup(func() {
		stop()
		if err := w.jobs.Stop(context.WithoutCancel(w.t.Context())); err != nil {
			w.t.Error(err)
		}
	})
}

// callers are known by their name alone.
var callers = map[string]identity.Caller{
	"owner":    {UserID: 1, Name: "owner", Roles: map[int64]identity.Role{teamMain: identity.Owner}, Teams: map[string]identity.Team{"main": {ID: teamMain, Name: "main"}}},
	"viewer":   {UserID: 2, Name: "viewer", Roles: map[int64]identity.Role{teamMain: identity.Viewer}, Teams: map[string]identity.Team{"main": {ID: teamMain, Name: "main"}}},
	"operator": {UserID: 3, Name: "operator", Roles: map[int64]identity.Role{teamMain: identity.Operator}, Teams: map[string]identity.Team{"main": {ID: teamMain, Name: "main"}}},
	"member":   {UserID: 5, Name: "member", Roles: map[int64]identity.Role{teamMain: identity.Member}, Teams: map[string]identity.Team{"main": {ID: teamMain, Name: "main"}}},
	"root":     {UserID: 6, Name: "root", Admin: true},
	"stranger": {UserID: 4, Name: "stranger", Roles: map[int64]identity.Role{teamOther: identity.Owner}, Teams: map[string]identity.Team{"other": {ID: teamOther, Name: "other"}}},
}

func (w *world) serve() {
	e := gin.New()
	e.UseRawPath, e.RedirectTrailingSlash = true, false
	e.Use(api.WithRequestID(), func(c *gin.Context) {
		c.Request = c.Request.WithContext(identity.With(c.Request.Context(), callers[c.GetHeader("X-Test-User")]))
	})
	w.ci.Routes(api.NewRouter(e, &api.Table{}))
	w.server = httptest.NewServer(e)
	w.t.Cleanup(w.server.Close)
}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	body   string
}

type option func(*http.Request)

func as(user string) option        { return func(r *http.Request) { r.Header.Set("X-Test-User", user) } }
func header(key, v string) option  { return func(r *http.Request) { r.Header.Set(key, v) } }
func asJSON(r *http.Request)       { r.Header.Set("Content-Type", "application/json") }
func asYAML(r *http.Request)       { r.Header.Set("Content-Type", "application/x-yaml") }
func asYAMLOver(v string) []option { return []option{asYAML, header(configHeader, v)} }

func (w *world) call(method, path, body string, options ...option) answer {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("X-Test-User", "owner")
	if body != "" {
		asJSON(r)
	}
	for _, o := range options {
		o(r)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(data)}
}

// must is call that expects a status and decodes the body.
func must[T any](w *world, status int, method, path, body string, options ...option) T {
	w.t.Helper()
	a := w.call(method, path, body, options...)
	if a.status != status {
		w.t.Fatalf("%s %s: %d, want %d: %s", method, path, a.status, status, a.body)
	}
	var out T
	if a.body != "" {
		if err := json.Unmarshal([]byte(a.body), &out); err != nil {
			w.t.Fatalf("%s %s: %v in %s", method, path, err, a.body)
		}
	}
	return out
}

// set saves a pipeline as fly does and lets it run.
func (w *world) set(name, config string) int64 {
	w.t.Helper()
	path := "/api/v1/teams/main/pipelines/" + name
	version := w.call("GET", path+"/config", "").header.Get(configHeader)
	if a := w.call("PUT", path+"/config", config, asYAMLOver(version)...); a.status/100 != 2 {
		w.t.Fatalf("set %s: %d %s", name, a.status, a.body)
	}
	w.call("PUT", path+"/unpause", "")
	return must[flyPipeline](w, 200, "GET", path, "").ID
}

func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); {
		if time.Now().After(deadline) {
			w.t.Fatalf("not within a minute: %s", what)
		}
		<-time.After(3 * time.Millisecond)
	}
}

// builds lists those of a job, oldest first.
func (w *world) builds(pipeline, job string) []flyBuild {
	w.t.Helper()
	list := must[[]flyBuild](w, 200, "GET", "/api/v1/teams/main/pipelines/"+pipeline+"/jobs/"+job+"/builds", "")
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list
}

func (w *world) waitBuild(pipeline, job, name string, status Status) flyBuild {
	w.t.Helper()
	var found flyBuild
	w.eventually(fmt.Sprintf("%s/%s #%s is %s", pipeline, job, name, status), func() bool {
		for _, b := range w.builds(pipeline, job) {
			if b.Name == name {
				found = b
				return b.Status == status
			}
		}
		return false
	})
	return found
}

func newID() string {
	raw := make([]byte, 16)
	rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	if w.t.Context().Err() == nil {
		w.t.Log(strings.TrimSpace(string(p)))
	}
	return len(p), nil
}

// remote is the world of the types "mock" and "git": versions by source name or uri.
type remote struct {
	mu       sync.Mutex
	versions map[string][]resource.Version
	failures map[string]string
	checks   map[string]int
	// hold, if set, makes checks wait until it is closed.
	hold chan struct{}
}

func nameOf(source map[string]any) string {
	for _, key := range []string{"name", "uri"} {
		if text, ok := source[key].(string); ok {
			return text
		}
	}
	return ""
}

func (r *remote) publish(name string, versions ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range versions {
		r.versions[name] = append(r.versions[name], resource.Version{"ref": v})
	}
}

func (r *remote) breaks(name, words string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures[name] = words
}

func (r *remote) checked(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.checks[name]
}

// Check answers like a real type: from the given version on, else the newest.
func (r *remote) Check(ctx context.Context, req resource.Request) ([]resource.Version, error) {
	r.mu.Lock()
	hold := r.hold
	r.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	name := nameOf(req.Source)
	r.checks[name]++
	if words := r.failures[name]; words != "" {
		return nil, errors.New(words)
	}
	all := r.versions[name]
	if len(all) == 0 {
		return nil, nil
	}
	for i, v := range all {
		if req.Version != nil && v["ref"] == req.Version["ref"] {
			return all[i:], nil
		}
	}
	return all[len(all)-1:], nil
}

func (r *remote) Get(context.Context, resource.Request) (resource.Result, error) {
	return resource.Result{}, errors.New("the scripted engine does not call types")
}

func (r *remote) Put(context.Context, resource.Request) (resource.Result, error) {
	return resource.Result{}, errors.New("the scripted engine does not call types")
}

// fakeEngine runs plans by the names of their tasks: "fail" fails, "error"
// errors, and a gate named like the job holds a build until it is opened.
type fakeEngine struct {
	ledger engine.Ledger
	remote *remote
	logs   *buildlog.Store

	mu       sync.Mutex
	gates    map[string]chan struct{}
	runs     []engine.Build
	released []int64
	first    func(engine.Build)
}

func (e *fakeEngine) gate(job string) (open func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := make(chan struct{})
	e.gates[job] = c
	return sync.OnceFunc(func() { close(c) })
}

func (e *fakeEngine) Release(_ context.Context, build int64) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.released = append(e.released, build)
	return nil
}

func (e *fakeEngine) Run(ctx context.Context, b engine.Build) (engine.Outcome, error) {
	e.mu.Lock()
	e.runs = append(e.runs, b)
	gate, first := e.gates[b.JobName], e.first
	e.mu.Unlock()
	if first != nil {
		first(b)
	}
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), engine.ErrAborted) {
				return engine.Aborted, nil
			}
			return "", engine.ErrDetached
		}
	}
	outcome := engine.Succeeded
	var err error
	b.Plan.Each(func(p *plan.Plan) {
		if err == nil && outcome == engine.Succeeded {
			outcome, err = e.step(ctx, b, p)
		}
	})
	return outcome, err
}

func (e *fakeEngine) step(ctx context.Context, b engine.Build, p *plan.Plan) (engine.Outcome, error) {
	row := engine.StepRecord{BuildID: b.ID, PlanID: string(p.ID), State: engine.StateEnded, Outcome: engine.Succeeded, StartedAt: time.Now(), EndedAt: time.Now()}
	switch {
	case p.Get != nil:
		row.Kind, row.Name = engine.KindGet, p.Get.Name
		if p.Get.Version != nil {
			fields := []resource.Field{{Name: "got", Value: "yes"}}
			if err := e.ledger.SaveMetadata(ctx, b, p.Get.Resource, resource.Result{Version: resource.Version(*p.Get.Version), Metadata: fields}); err != nil {
				return "", err
			}
		}
	case p.Put != nil:
		row.Kind, row.Name = engine.KindPut, p.Put.Name
		version, _ := p.Put.Params["version"].(string)
		if err := e.ledger.SaveOutput(ctx, engine.Output{Build: b, PlanID: row.PlanID, Name: p.Put.Name, Resource: p.Put.Resource,
			Result: resource.Result{Version: resource.Version{"ref": version}}}); err != nil {
			return "", err
		}
	case p.Check != nil:
		row.Kind, row.Name = engine.KindCheck, p.Check.Name
		if err := e.check(ctx, b, p); err != nil {
			return "", err
		}
	case p.Task != nil:
		row.Kind, row.Name = engine.KindTask, p.Task.Name
		if err := e.say(b.ID, row.PlanID, "hello from "+b.JobName+"\n"); err != nil {
			return "", err
		}
		status := 0
		if p.Task.Name == "fail" {
			status, row.Outcome = 3, engine.Failed
		}
		row.ExitStatus = &status
	default:
		return engine.Succeeded, nil
	}
	return row.Outcome, e.ledger.SaveStep(ctx, row)
}

func (e *fakeEngine) check(ctx context.Context, b engine.Build, p *plan.Plan) error {
	target := engine.CheckTarget{Build: b, PlanID: string(p.ID), Name: p.Check.Name, Resource: p.Check.Resource, ResourceType: p.Check.ResourceType, Type: p.Check.Type, Config: "c"}
	if err := e.ledger.CheckStarted(ctx, target, time.Now()); err != nil {
		return err
	}
	last, err := e.ledger.LastCheck(ctx, target)
	if err != nil {
		return err
	}
	from := resource.Version(p.Check.FromVersion)
	if from == nil {
		from = last.Latest
	}
	versions, failed := e.remote.Check(ctx, resource.Request{Source: p.Check.Source, Version: from})
	result := engine.CheckResult{At: time.Now(), Versions: versions}
	if failed != nil {
		result.Error = failed.Error()
	}
	return e.ledger.CheckEnded(ctx, target, result)
}

func (e *fakeEngine) say(build int64, origin, text string) error {
	l, err := e.logs.Open(build)
	if err != nil {
		return err
	}
	data, err := json.Marshal(event.InitializeTask{Time: time.Now().Unix(), Origin: event.Origin{ID: origin}})
	if err != nil {
		return err
	}
	_, err = l.Append(buildlog.Record{Time: time.Now(), Origin: origin, Kind: "initialize-task", Version: "4.0", Data: data},
		buildlog.Record{Time: time.Now(), Origin: origin, Kind: buildlog.KindLog, Source: buildlog.Stdout, Payload: text})
	return errors.Join(err, l.Close())
}

func (e *fakeEngine) ran() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.runs)
}

// oneLine makes JSON comparable.
func oneLine(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return b.String()
}

func buildWork(build int64) work.Job {
	return work.Job{Kind: kindBuild, Team: teamMain, UniqueKey: formatInt(build)}
}
