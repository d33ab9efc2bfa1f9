package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/resource"
)

func TestGetCache(t *testing.T) {
	t.Parallel()
	w := setup(t)
	first := build(t, getPlan("1", "repo", "abc"))
	w.runBuild(first)
	second := first
	second.ID = 2
	w.runBuild(second)
	if got := w.executor.count("get"); got != 1 {
		t.Errorf("fetched %d times", got)
	}
	row := w.ledger.row(2, "1")
	if row.Container != "" || row.Volumes[0].Made || row.Volumes[0].ID != w.ledger.row(1, "1").Volumes[0].ID {
		t.Errorf("row is %+v", row)
	}
	if len(w.ledger.metadata) != 2 {
		t.Errorf("metadata was saved %d times", len(w.ledger.metadata))
	}

	// Other params are another cache; a volume that is lost is fetched anew.
	third := build(t, getPlan("1", "repo", "abc", `,"params":{"depth":"1"}`))
	third.ID = 3
	w.runBuild(third)
	clear(w.executor.volumes)
	fourth := first
	fourth.ID = 4
	w.runBuild(fourth)
	if got := w.executor.count("get"); got != 3 {
		t.Errorf("fetched %d times", got)
	}
}

func TestCacheLine(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.run(do("9", getPlan("1", "repo", "abc"), getPlan("2", "again", "abc")))
	if got := w.log("2"); got != "\x1b[1;36mINFO: found existing resource cache\x1b[0m\n\n" {
		t.Errorf("log is %q", got)
	}
}

// TestParallelGets: steps that need the same version at once fetch it once.
func TestParallelGets(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var steps []string
	for i := range 8 {
		steps = append(steps, getPlan(fmt.Sprint(i), fmt.Sprintf("r%d", i), "abc"))
	}
	if got := w.run(fmt.Sprintf(`{"id":"9","in_parallel":{"steps":[%s]}}`, strings.Join(steps, ","))); got != Succeeded {
		t.Errorf("outcome is %s", got)
	}
	if got := w.executor.count("get"); got != 1 {
		t.Errorf("fetched %d times", got)
	}
}

func TestPutInputs(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ inputs, params, want, message string }{
		{"", `{"a":"one/file","b":["./two/x",{"c":"three"}],"d":"none/x","e":5}`, "one three two", ""},
		{`"inputs":"detect",`, `{"a":"../one/file"}`, "one", ""},
		{`"inputs":"all",`, `{}`, "one three two", ""},
		{`"inputs":["two","one"],`, `{"a":"three/x"}`, "two one", ""},
		{`"inputs":[],`, `{"a":"three/x"}`, "", ""},
		{`"inputs":["four"],`, `{}`, "", "input not found: four"},
	} {
		t.Run(tc.inputs+tc.params, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			put := fmt.Sprintf(`{"id":"4","put":{"name":"p","type":"fake","resource":"p","source":{},"image":{"base_type":"fake"},%s"params":%s}}`, tc.inputs, tc.params)
			w.run(do("9", getPlan("1", "one", "1"), getPlan("2", "two", "2"), getPlan("3", "three", "3"), put))
			if got := w.ledger.row(1, "4").Message; got != tc.message {
				t.Fatalf("message is %q", got)
			}
			if tc.message != "" {
				return
			}
			var names []string
			for _, input := range w.native.last().Inputs {
				names = append(names, input.Name)
			}
			if got := strings.Join(names, " "); got != tc.want {
				t.Errorf("inputs are %q", got)
			}
			if len(w.ledger.outputs) != 1 || w.ledger.outputs[0].Result.Version["v"] != "made" {
				t.Errorf("outputs are %+v", w.ledger.outputs)
			}
		})
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.secrets["key"] = "s3cr3t"
	w.secrets["creds"] = map[string]any{"user": "bob", "pass": "pw-of-bob"}
	b := build(t, `{"id":"1","put":{"name":"p","type":"fake","source":{"key":"((key))","creds":"((creds))"},"image":{"base_type":"fake"},
		"params":{"log":"using s3cr3t and pw-of-bob","text":"as ((creds.user))"},"expose_build_created_by":true}}`)
	b.InstanceVars = map[string]any{"branch": "main"}
	w.runBuild(b)
	request := w.native.last()
	if request.Source["key"] != "s3cr3t" || request.Source["creds"].(map[string]any)["user"] != "bob" || request.Params["text"] != "as bob" {
		t.Errorf("request is %+v", request)
	}
	want := []string{
		"BUILD_ID=1", "BUILD_NAME=7", "BUILD_TEAM_ID=2", "BUILD_TEAM_NAME=main", "BUILD_JOB_ID=4", "BUILD_JOB_NAME=unit",
		"BUILD_PIPELINE_ID=3", "BUILD_PIPELINE_NAME=web", `BUILD_PIPELINE_INSTANCE_VARS={"branch":"main"}`,
		"ATC_EXTERNAL_URL=http://ci.example",
		"BUILD_URL=http://ci.example/teams/main/pipelines/web/jobs/unit/builds/7?vars.branch=%22main%22",
		"BUILD_URL_SHORT=http://ci.example/builds/1", "BUILD_CREATED_BY=ann",
	}
	if !slices.Equal(request.Env, want) {
		t.Errorf("env is\n%s", strings.Join(request.Env, "\n"))
	}
	if got := w.log("1"); got != "using ((redacted)) and ((redacted))\n" {
		t.Errorf("log is %q", got)
	}
}

func TestHookStatus(t *testing.T) {
	t.Parallel()
	w := setup(t)
	put := `{"id":"2","put":{"name":"p","type":"fake","source":{},"image":{"base_type":"fake"}}}`
	w.run(hook("on_failure", task("1", "exit 1"), put))
	if env := w.native.last().Env; env[0] != "BUILD_STATUS=failed" {
		t.Errorf("env is %v", env)
	}
}

func TestCustomTypes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.native.versions = []resource.Version{{"v": "image"}}
	config := pipeline.Config{
		Resources: []pipeline.Resource{{Name: "thing", Type: "outer", Source: pipeline.Source{"a": "b"}}},
		ResourceTypes: []pipeline.ResourceType{
			{Name: "outer", Type: "middle", Source: pipeline.Source{"x": 1}, Defaults: pipeline.Source{"d": "e"}},
			{Name: "middle", Type: "fake", Source: pipeline.Source{"repository": "r"}},
		},
		Jobs: []pipeline.Job{{Name: "j", Plan: []pipeline.Step{{Config: &pipeline.GetStep{Name: "thing"}}}}},
	}
	made, err := plan.FromJob(config.Jobs[0], config, plan.JobInputs{Versions: map[string]pipeline.Version{"thing": {"v": "5"}}})
	if err != nil {
		t.Fatal(err)
	}
	b := build(t, `{}`)
	b.Plan = made
	if got := w.runBuild(b); got != Succeeded {
		t.Fatalf("outcome is %s\n%s", got, strings.Join(w.events(), "\n"))
	}
	// The middle type's image is fetched by the fake, the outer one's by the middle one.
	if w.executor.count("in") != 2 || w.executor.count("check") != 2 || w.executor.count("get") != 1 {
		t.Errorf("effects are %v", w.executor.effects)
	}
	row := w.ledger.row(1, string((*made.Do)[0].ID))
	if row.Kind != KindGet || row.Outcome != Succeeded {
		t.Errorf("row is %+v", row)
	}
	for _, target := range w.ledger.targets {
		if target.ResourceType == "" || target.Resource != "" || len(target.Config) != 64 {
			t.Errorf("target is %+v", target)
		}
	}
}

func TestCheckDue(t *testing.T) {
	t.Parallel()
	now := time.Unix(10_000, 0)
	ago := func(d time.Duration) LastCheck {
		return LastCheck{Started: now.Add(-d - time.Second), Ended: now.Add(-d), Succeeded: true}
	}
	broken := ago(time.Second)
	broken.Succeeded = false
	manual := Build{CreatedAt: now.Add(-10 * time.Second)}
	never := pipeline.CheckEvery{Never: true}
	hour := pipeline.CheckEvery{Interval: time.Hour}
	for _, tc := range []struct {
		name  string
		check plan.Check
		last  LastCheck
		want  bool
	}{
		{"never checked", plan.Check{Resource: "r"}, LastCheck{}, true},
		{"young", plan.Check{Resource: "r"}, ago(time.Second), false},
		{"older than the default", plan.Check{Resource: "r"}, ago(time.Minute), true},
		{"own interval", plan.Check{Resource: "r", Interval: hour}, ago(time.Minute), false},
		{"own interval passed", plan.Check{Resource: "r", Interval: hour}, ago(time.Hour), true},
		{"from a version", plan.Check{Resource: "r", FromVersion: pipeline.Version{"v": "1"}}, ago(time.Second), true},
		{"asked for", plan.Check{Resource: "r", SkipInterval: true}, ago(time.Minute), true},
		{"asked for, done since", plan.Check{Resource: "r", SkipInterval: true}, ago(time.Second), false},
		{"asked for, failed since", plan.Check{Resource: "r", SkipInterval: true}, broken, true},
		{"failed resource waits", plan.Check{Resource: "r"}, broken, false},
		{"failed image does not", plan.Check{}, broken, true},
		{"never, not yet", plan.Check{Resource: "r", Interval: never}, LastCheck{}, true},
		{"never, once", plan.Check{Resource: "r", Interval: never}, ago(24 * time.Hour), false},
		{"clock set back", plan.Check{Resource: "r"}, ago(-time.Hour), true},
	} {
		if got := checkDue(&tc.check, manual, tc.last, now); got != tc.want {
			t.Errorf("%s: due is %v", tc.name, got)
		}
	}
}

func TestCheckBuild(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.native.versions = []resource.Version{{"v": "1"}, {"v": "2"}}
	b := build(t, `{}`)
	b.Plan = plan.ForResource(pipeline.Resource{Name: "r", Type: "fake", Source: pipeline.Source{"uri": "x"}}, nil, plan.CheckOptions{})
	w.runBuild(b)
	if got := w.ledger.results; len(got) != 1 || len(got[0].Versions) != 2 || got[0].Error != "" {
		t.Errorf("results are %+v", got)
	}
	if got := w.ledger.targets[0]; got.Resource != "r" || got.Type != "fake" || got.Name != "r" {
		t.Errorf("target is %+v", got)
	}
	// The next check begins at the latest version, but not within the interval.
	b.ID = 2
	w.runBuild(b)
	if w.executor.count("check") != 1 {
		t.Error("checked again within the interval")
	}
	w.pass(time.Hour)
	b.ID = 3
	w.runBuild(b)
	if got := w.native.last().Version; got["v"] != "2" {
		t.Errorf("checked from %v", got)
	}
}

func TestCheckTrouble(t *testing.T) {
	t.Parallel()
	check := func(source, more string) string {
		return fmt.Sprintf(`{"id":"1","check":{"name":"r","type":"fake","resource":"r","source":{%s},"image":{"base_type":"fake"}%s}}`, source, more)
	}
	for _, tc := range []struct {
		name, plan string
		want       Outcome
		sentence   string
	}{
		{"error", check(`"check_error":"no route to host"`, ""), Errored, "no route to host"},
		{"exit", check(`"check_exit":"denied"`, ""), Failed, "resource script '/opt/resource/check' failed: exit status 1"},
		{"timeout", check(`"check_block":1`, `,"timeout":"1ms"`), Failed, "timeout exceeded"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			if got := w.run(tc.plan); got != tc.want {
				t.Errorf("outcome is %s\n%s", got, strings.Join(w.events(), "\n"))
			}
			if got := w.ledger.results; len(got) != 1 || !strings.HasPrefix(got[0].Error, tc.sentence) {
				t.Errorf("results are %+v", got)
			}
		})
	}
}

func TestAbortedCheck(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx, abort := context.WithCancelCause(t.Context())
	done := make(chan Outcome, 1)
	go func() {
		outcome, _ := w.engine().Run(ctx, build(t, `{"id":"1","check":{"name":"r","type":"fake","resource":"r","source":{"check_block":1},"image":{"base_type":"fake"}}}`))
		done <- outcome
	}()
	until(t, "the check runs", func() bool { return w.executor.count("check began") == 1 })
	abort(ErrAborted)
	if got := <-done; got != Aborted {
		t.Errorf("outcome is %s", got)
	}
	if got := w.ledger.results[0].Error; got != "interrupted" {
		t.Errorf("error is %q", got)
	}
}

// TestAbortedScript reads the last output of a script that is asked to end.
func TestAbortedScript(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.native.versions = []resource.Version{{"v": "1"}}
	if got := runAborting(t, w, scriptedPut("1", "block")); got != Aborted {
		t.Errorf("outcome is %s", got)
	}
	if got := w.log("1"); got != "out output\r\nstopped\r\n" {
		t.Errorf("log is %q", got)
	}
	if got := w.ledger.row(1, "1").Outcome; got != Aborted {
		t.Errorf("row has outcome %s", got)
	}
}

// TestResumablePut: a type that can tell how far it had come is called again.
func TestResumablePut(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.native.resumes = true
	w.limit = 1
	b := build(t, `{"id":"1","put":{"name":"p","type":"fake","source":{},"image":{"base_type":"fake"},"params":{"block":"x"}}}`)
	ctx, kill := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	e := w.engine()
	go func() {
		_, err := e.Run(ctx, b)
		done <- err
	}()
	until(t, "the put waits", func() bool { return w.executor.count("put") == 1 })
	// It takes no room while it waits.
	other := build(t, task("1"))
	other.ID = 2
	if got, err := e.Run(t.Context(), other); got != Succeeded {
		t.Errorf("outcome is %s, %v", got, err)
	}
	kill(ErrDetached)
	<-done
	before := w.native.last().Container
	unblock(w)
	if got := w.runBuild(b); got != Succeeded {
		t.Errorf("outcome is %s", got)
	}
	if got := w.native.last().Container; got != before {
		t.Errorf("called with handle %s, not %s", got, before)
	}
}
