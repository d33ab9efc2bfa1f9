package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/vars"
)

func TestLoadVar(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ file, format, content, use, want, message string }{
		{"f.txt", "", " hi \n", "((.:v))", "((redacted))", ""},
		{"f.txt", "raw", "hi", "((.:v))", "((redacted))", ""},
		{"f.json", "", `{"a":{"b":"deep"}}`, "((.:v.a.b))", "((redacted))", ""},
		{"f.yml", "", "a:\n  b: 5\n", "((.:v.a.b))", "5", ""},
		{"f.txt", "yaml", "[1", "", "", "failed to parse repo/f.txt in format yaml: "},
		{"f.json", "", "{} {}", "", "", "failed to parse repo/f.json in format json: invalid json: characters found after top-level value"},
		{"f.txt", "toml", "x", "", "", "invalid format toml"},
	} {
		t.Run(tc.file+tc.format, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.secrets["content"] = tc.content
			load := fmt.Sprintf(`{"id":"2","load_var":{"name":"v","file":"repo/%s","format":%q}}`, tc.file, tc.format)
			got := w.run(do("9", getPlan("1", "repo", "abc", fmt.Sprintf(`,"params":{%q:"((content))"}`, tc.file)), load, task("3", "print "+tc.use)))
			if tc.message != "" {
				if message := w.ledger.row(1, "2").Message; got != Errored || !strings.HasPrefix(message, tc.message) {
					t.Errorf("%s: %q", got, message)
				}
				return
			}
			if log := w.log("3"); log != tc.want+"\r\n" {
				t.Errorf("log is %q", log)
			}
			if log := w.log("2"); log != "var v fetched.\nadded var v to build.\n" {
				t.Errorf("log is %q", log)
			}
			if row := w.ledger.row(1, "2"); len(row.Result) > 0 {
				t.Errorf("the value is in the row: %s", row.Result)
			}
		})
	}
}

func TestLoadVarErrors(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"file":      "file 'file' does not specify where the file lives",
		"none/file": "unknown artifact source: 'none' in file path 'file'",
		"repo/file": "file 'file' not found within artifact 'repo'",
	} {
		w := setup(t)
		w.run(do("9", getPlan("1", "repo", "abc"), fmt.Sprintf(`{"id":"2","load_var":{"name":"v","file":%q}}`, file)))
		if got := w.ledger.row(1, "2").Message; got != want {
			t.Errorf("%s: %q", file, got)
		}
	}
}

func TestRevealedAndMetadataVars(t *testing.T) {
	t.Parallel()
	w := setup(t)
	got := w.run(do("9", getPlan("1", "repo", "shown"),
		`{"id":"2","load_var":{"name":"x","file":"repo/v","reveal":true}}`,
		task("3", "print ((.:x)) by ((.:repo.by))")))
	if got != Succeeded || w.log("3") != "shown by ann\r\n" {
		t.Errorf("%s: %q", got, w.log("3"))
	}
}

func TestSetPipeline(t *testing.T) {
	t.Parallel()
	step := func(more string) string {
		return do("9", getPlan("1", "repo", "abc", `,"params":{"p.yml":"jobs: []","v.yml":"a: 1"}`),
			fmt.Sprintf(`{"id":"2","set_pipeline":{"file":"repo/p.yml"%s}}`, more))
	}
	var asked SetPipelineRequest
	answer := SetPipelineResult{Changed: true, Output: "setting pipeline: other\ndone", Warnings: []string{"WARNING: odd"}}
	w := setup(t)
	w.set = func(request SetPipelineRequest) (SetPipelineResult, error) {
		asked = request
		return answer, nil
	}
	w.secrets["t"] = "x"
	if got := w.run(step(`,"name":"other","vars":{"k":"((t))"},"var_files":["repo/v.yml"],"instance_vars":{"b":1}`)); got != Succeeded {
		t.Fatalf("outcome is %s\n%s", got, strings.Join(w.events(), "\n"))
	}
	data, _ := json.Marshal(asked.Vars)
	if asked.Name != "other" || string(asked.Config) != "jobs: []" || string(data) != `[{"b":1},{"k":"x"},{"a":1}]` {
		t.Errorf("asked for %+v with %s", asked, data)
	}
	if got := w.log("2"); got != "WARNING: odd\nsetting pipeline: other\ndone\n" {
		t.Errorf("log is %q", got)
	}
	w.wantEvent("set-pipeline-changed 2")

	for _, tc := range []struct {
		name, more string
		answer     SetPipelineResult
		err        error
		want       Outcome
		log        string
	}{
		{"invalid", `,"name":"a"`, SetPipelineResult{Invalid: []string{"jobs: none"}}, nil, Failed, "invalid pipeline:\n- jobs: none\n"},
		{"error", `,"name":"a"`, SetPipelineResult{}, errors.New("only main team can set another team's pipeline"), Errored, ""},
		{"slash", `,"name":"a/b"`, SetPipelineResult{}, nil, Failed, "ERROR: pipeline name cannot contain '/'\n"},
		{"team", `,"name":"a","team":"x/y"`, SetPipelineResult{}, nil, Failed, "ERROR: team name cannot contain '/'\n"},
		{"self", `,"name":"self","team":"other"`, SetPipelineResult{Output: "no changes to apply."}, nil, Succeeded, "no changes to apply.\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.set = func(request SetPipelineRequest) (SetPipelineResult, error) {
				if tc.name == "self" && (request.Name != "web" || request.Team != "") {
					t.Errorf("self is %+v", request)
				}
				return tc.answer, tc.err
			}
			if got := w.run(step(tc.more)); got != tc.want {
				t.Errorf("outcome is %s", got)
			}
			if got := w.log("2"); got != tc.log {
				t.Errorf("log is %q", got)
			}
		})
	}
}

func TestExecute(t *testing.T) {
	t.Parallel()
	w := setup(t)
	upload := runtime.VolumeID("feed")
	w.executor.volumes[upload] = map[string]string{"f": "uploaded"}
	w.ledger.artifact[12] = upload
	b := build(t, fmt.Sprintf(`{"id":"9","ensure":{"step":%s,"ensure":{"id":"8","in_parallel":{"steps":[{"id":"7","artifact_output":{"name":"out"}}]}}}}`,
		do("6", `{"id":"5","in_parallel":{"steps":[{"id":"4","artifact_input":{"artifact_id":12,"name":"in"}}]}}`,
			taskWith("3", `"inputs":[{"name":"in"}],"outputs":[{"name":"out"}],`, "", "read in/f", "write out/g 1", "exit 2"))))
	b.JobID, b.JobName, b.PipelineID, b.PipelineName = 0, "", 0, ""
	if got := w.runBuild(b); got != Failed {
		t.Errorf("outcome is %s", got)
	}
	if got := w.log("3"); got != "uploaded\r\n" {
		t.Errorf("log is %q", got)
	}
	if got := w.executor.volumes[w.ledger.saved["out"]]["g"]; got != "1" {
		t.Error("the output is not saved")
	}
	// What was uploaded and what is kept for download outlives the build.
	if err := w.engine().Release(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if len(w.executor.volumes) != 2 || len(w.executor.containers) != 0 {
		t.Errorf("left: %v %v", w.executor.volumes, w.executor.containers)
	}

	missing := setup(t)
	missing.run(do("9", `{"id":"1","try":{"step":{"id":"2","artifact_input":{"artifact_id":1,"name":"in"}}}}`, `{"id":"3","artifact_output":{"name":"out"}}`))
	missing.wantEvent(`error 2 "volume for worker artifact 'in' not found"`)
	missing.wantEvent(`error 3 "artifact 'out' not found"`)
}

func TestRelease(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.run(do("9", getPlan("1", "repo", "abc"), taskWith("2", `"inputs":[{"name":"repo"}],"outputs":[{"name":"o"}],"caches":[{"path":"c"}],`, "")))
	if err := w.engine().Release(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if len(w.executor.containers) != 0 {
		t.Error("containers are left")
	}
	// The resource cache and the task cache.
	if len(w.executor.volumes) != 2 {
		t.Errorf("volumes: %v", w.executor.volumes)
	}
	w.ledger.dieAt = w.ledger.calls + 1
	if err := w.engine().Release(t.Context(), 1); !errors.Is(err, errCrash) {
		t.Errorf("release returned %v", err)
	}
}

func TestAcross(t *testing.T) {
	t.Parallel()
	across := func(vars, template, more string) string {
		quoted, _ := json.Marshal(template)
		return fmt.Sprintf(`{"id":"9","across":{"vars":[%s],"substep_template":%s%s}}`, vars, quoted, more)
	}
	w := setup(t)
	w.secrets["list"] = []any{"x", "y"}
	inner, _ := json.Marshal(task("1", "print ((.:a)) ((.:b)) ((.:c))"))
	nested := fmt.Sprintf(`{"id":"2","across":{"vars":[{"name":"c","values":["((.:a))\"q"]}],"substep_template":%s}}`, inner)
	got := w.run(across(`{"name":"a","values":"((list))","max_in_flight":2},{"name":"b","values":[1,{"k":"v"}]}`, nested, ""))
	if got != Errored {
		t.Errorf("an object inside a text gave %s", got)
	}
	w = setup(t)
	w.secrets["list"] = []any{"x", "y"}
	got = w.run(across(`{"name":"a","values":"((list))","max_in_flight":2},{"name":"b","values":[1,2]}`, nested, ""))
	if got != Succeeded {
		t.Fatalf("outcome is %s\n%s", got, strings.Join(w.events(), "\n"))
	}
	for id, want := range map[string]string{"9/0/0": "1", "9/1/0": "2", "9/2/0": "1", "9/3/0": "2"} {
		if got := w.log(id + "/0/0"); got != "((redacted)) "+want+" ((redacted))\"q\r\n" {
			t.Errorf("%s printed %q", id, got)
		}
	}

	for _, tc := range []struct {
		name, plan string
		want       Outcome
		ran        int
	}{
		{"runs all", across(`{"name":"a","values":[1,0,0]}`, task("1", "effect run", "exit ((.:a))"), ""), Failed, 3},
		{"fails fast", across(`{"name":"a","values":[1,0,0]}`, task("1", "effect run", "exit ((.:a))"), `,"fail_fast":true`), Failed, 1},
		{"no values", across(`{"name":"a","values":[]}`, task("1", "effect run"), ""), Succeeded, 0},
		{"no list", across(`{"name":"a","values":"text"}`, task("1", "effect run"), ""), Errored, 0},
		{"undefined", across(`{"name":"a","values":"((none))"}`, task("1", "effect run"), ""), Errored, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			if got := w.run(tc.plan); got != tc.want {
				t.Errorf("outcome is %s\n%s", got, strings.Join(w.events(), "\n"))
			}
			if got := w.executor.count("run"); got != tc.ran {
				t.Errorf("ran %d times", got)
			}
		})
	}
}

// TestAcrossScopes: sub-steps do not see each other's artifacts, and nobody outside does.
func TestAcrossScopes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	template, _ := json.Marshal(taskWith("1", `"inputs":[{"name":"o","optional":true}],"outputs":[{"name":"o"}],`, "", "read o/f", "write o/f ((.:a))"))
	got := w.run(do("8", fmt.Sprintf(`{"id":"9","across":{"vars":[{"name":"a","values":["x","y"]}],"substep_template":%s}}`, template),
		taskWith("2", `"inputs":[{"name":"o"}],`, "")))
	if got != Errored {
		t.Errorf("outcome is %s", got)
	}
	if w.log("9/1/0") != "no o/f\r\n" {
		t.Errorf("the second sub-step read %q", w.log("9/1/0"))
	}
	w.wantEvent(`error 2 "missing inputs: o"`)
}

type panicking struct{ resource.Type }

func (panicking) Get(context.Context, resource.Request) (resource.Result, error) { panic("boom") }

func TestPanic(t *testing.T) {
	t.Parallel()
	w := setup(t)
	e := w.engine()
	e.Native = func(string) (resource.Type, bool) { return panicking{}, true }
	outcome, err := e.Run(t.Context(), build(t, getPlan("1", "repo", "abc")))
	if outcome != Errored || err != nil {
		t.Errorf("%s, %v", outcome, err)
	}
	w.wantEvent(`error 1 "the server has a fault in this kind of step: boom"`)
}

func TestVarsError(t *testing.T) {
	t.Parallel()
	w := setup(t)
	e := w.engine()
	e.Vars = func(context.Context, Build) (vars.Lookup, error) {
		return nil, errors.New("var source vault: no token")
	}
	if outcome, err := e.Run(t.Context(), build(t, task("1"))); outcome != Errored || err != nil {
		t.Errorf("%s, %v", outcome, err)
	}
	w.wantEvent(`error 1 "var source vault: no token"`)
}

// TestLogCannotBeWritten: the build waits for room instead of losing output.
func TestLogCannotBeWritten(t *testing.T) {
	t.Parallel()
	w := setup(t)
	good := w.logs.Dir
	w.logs.Dir = good + "/file"
	if err := os.WriteFile(w.logs.Dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b := build(t, task("1", "print kept", "effect once"))
	if outcome, err := w.engine().Run(t.Context(), b); err == nil {
		t.Fatalf("outcome is %s", outcome)
	}
	if err := os.Remove(w.logs.Dir); err != nil {
		t.Fatal(err)
	}
	if got := w.runBuild(b); got != Succeeded {
		t.Errorf("outcome is %s", got)
	}
	if got := w.log("1"); got != "kept\r\n" || w.executor.count("once") != 1 {
		t.Errorf("log is %q", got)
	}
}

func TestUnknownStep(t *testing.T) {
	t.Parallel()
	w := setup(t)
	if got := w.run(do("9", `{"id":"1","dependent_get":{}}`)); got != Errored {
		t.Errorf("outcome is %s", got)
	}
	w.wantEvent(`error 1 "the plan \"1\" has no step that this server knows"`)
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.run(fmt.Sprintf(`{"id":"9","retry":[{"id":"8","retry":[%s,%s]},%s]}`, task("1", "exit 1"), task("2", "exit 1"), task("3")))
	var got []string
	for _, id := range []string{"1", "2", "3"} {
		got = append(got, w.ledger.row(1, id).Attempt)
	}
	if !slices.Equal(got, []string{"1.1", "1.2", "2"}) {
		t.Errorf("attempts are %v", got)
	}
}

// TestOverhead measures what the engine adds before the first container starts.
func TestOverhead(t *testing.T) {
	w := setup(t)
	best := time.Hour
	for i := range 20 {
		b := build(t, do("9", task("1")))
		b.ID = int64(i + 1)
		e := w.engine()
		var started time.Time
		w.executor.onStart = func(runtime.Spec) { started = time.Now() }
		begin := time.Now()
		if _, err := e.Run(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		best = min(best, started.Sub(begin))
	}
	t.Logf("from Run to Start: %s at best", best)
	if best > 5*time.Millisecond {
		t.Errorf("from Run to Start took %s", best)
	}
}
