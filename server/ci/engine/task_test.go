package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// taskWith is the JSON of a task with more keys in its config and in the step.
func taskWith(id, config, step string, script ...string) string {
	return fmt.Sprintf(`{"id":%q,"task":{"name":"t","privileged":false,"hermetic":false,"config":{"platform":"linux",%s"run":{"path":"sh","args":[%s]}}%s}}`,
		id, config, strings.Join(quoted(script), ","), step)
}

func TestTaskSpec(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.secrets["pw"] = "hunter2"
	w.secrets["n"] = 3
	config := `"params":{"PASSWORD":"((pw))","N":"((n))","A":"a"},"inputs":[{"name":"repo"},{"name":"deep","path":"repo/vendor"},{"name":"maybe","optional":true}],
		"outputs":[{"name":"out"}],"container_limits":{"cpu":512,"memory":"1GB"},`
	step := `,"params":{"A":"b","EXTRA":"x"},"container_limits":{"memory":1024},"input_mapping":{"deep":"repo"},"output_mapping":{"out":"result"},"privileged":true,"hermetic":true`
	plan := do("9", getPlan("1", "repo", "abc"),
		strings.Replace(taskWith("2", config, step, "read v", "read vendor/v", "write ../out/f 1", "print ((pw))"), `"run":{`, `"run":{"dir":"repo","user":"dev",`, 1),
		taskWith("3", `"inputs":[{"name":"result"}],`, "", "read result/f"))
	if got := w.run(plan); got != Succeeded {
		t.Fatalf("outcome is %s\n%s", got, strings.Join(w.events(), "\n"))
	}
	spec := w.executor.specs[0]
	dir := "/tmp/build/" + string(spec.ID[:8])
	if spec.Dir != dir+"/repo" || spec.User != "dev" || !spec.TTY || !spec.Hermetic || spec.Privileged || !spec.Image.Host {
		t.Errorf("spec is %+v", spec)
	}
	if spec.Limits.CPUShares != 512 || spec.Limits.MemoryBytes != 1024 {
		t.Errorf("limits are %+v", spec.Limits)
	}
	wantEnv := []string{"ATC_EXTERNAL_URL=http://ci.example", "A=b", "EXTRA=x", "N=3", "PASSWORD=hunter2"}
	if !slices.Equal(spec.Env, wantEnv) {
		t.Errorf("env is %v", spec.Env)
	}
	var paths []string
	for _, m := range spec.Mounts {
		paths = append(paths, fmt.Sprintf("%s copy=%v", strings.TrimPrefix(m.Path, dir), m.Copy))
	}
	if got := strings.Join(paths, ", "); got != "/repo copy=true, /out copy=false, /repo/vendor copy=true" {
		t.Errorf("mounts are %s", got)
	}
	for _, want := range []string{"EXTRA was defined in pipeline but missing", "it runs unprivileged", "abc\r\n", "((redacted))\r\n"} {
		if got := w.log("2"); !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	if got := w.log("3"); got != "1\r\n" {
		t.Errorf("the next task read %q", got)
	}
	for _, line := range w.events() {
		if strings.Contains(line, "hunter2") {
			t.Errorf("a secret is in the log: %s", line)
		}
	}
	row := w.ledger.row(1, "2")
	if row.Dir != dir || row.User != "dev" || row.Kind != KindTask || *row.ExitStatus != 0 || row.StartedAt.IsZero() || row.EndedAt.IsZero() {
		t.Errorf("row is %+v", row)
	}
}

func TestTaskErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, plan, want string }{
		{"no platform", `{"id":"1","task":{"name":"t","privileged":false,"hermetic":false,"config":{"run":{"path":"x"}}}}`, "invalid task configuration:\nmissing 'platform'"},
		{"undefined var", taskWith("1", `"params":{"A":"((nope))"},`, ""), "failed to interpolate task config: undefined vars: nope"},
		{"file without artifact", `{"id":"1","task":{"name":"t","privileged":false,"hermetic":false,"config_path":"task.yml"}}`, "config path 'task.yml' does not specify where the file lives"},
		{"file of unknown artifact", `{"id":"1","task":{"name":"t","privileged":false,"hermetic":false,"config_path":"repo/task.yml"}}`, "unknown artifact source: 'repo' in file path 'repo/task.yml'"},
		{"file not there", do("9", getPlan("0", "repo", "a"), `{"id":"1","task":{"name":"t","privileged":false,"hermetic":false,"config_path":"repo/task.yml"}}`), "task config 'repo/task.yml' not found"},
		{"image not there", taskWith("1", "", `,"image":"img"`), "missing image artifact source: img\n\nmake sure there's a corresponding 'get' step, or a task that produces it as an output"},
		{"rootfs", taskWith("1", `"rootfs_uri":"docker:///busybox",`, ""), "rootfs_uri is not supported: use image_resource"},
		{"another platform", `{"id":"1","task":{"name":"t","privileged":false,"hermetic":false,"config":{"platform":"windows","run":{"path":"x"}}}}`, `no worker runs the platform "windows"; the workers of this server run linux`},
		{"a tag that the worker lacks", `{"id":"1","task":{"name":"t","privileged":false,"hermetic":false,"tags":["linux","arm64"],"config":{"platform":"linux","run":{"path":"x"}}}}`, `no worker has the tag "arm64"; the worker of this server has ["linux"], which ci.worker_tags sets`},
		{"nothing to run", `{"id":"1","task":{"name":"t","privileged":false,"hermetic":false,"config":{"platform":"linux","run":{"path":""}}}}`, "No executable defined for task. Specify an executable to run in either the task config (run.path) or as an ENTRYPOINT/CMD in the container image."},
		{"bad timeout", taskWith("1", "", `,"timeout":"soon"`), `parse timeout: time: invalid duration "soon"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			if got := w.run(tc.plan); got != Errored {
				t.Errorf("outcome is %s", got)
			}
			if got := w.ledger.row(1, "1").Message; got != tc.want {
				t.Errorf("message is %q", got)
			}
		})
	}
}

func TestHostImageForbidden(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.noHost = true
	if got := w.run(taskWith("1", `"image_resource":{"name":"","type":"host","source":{}},`, "")); got != Errored {
		t.Errorf("outcome is %s", got)
	}
	w.wantEvent(fmt.Sprintf("error 1 %q", errNoHostImage.Error()))
}

func TestTaskFile(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.secrets["name"] = "secret-name"
	w.secrets["a"] = "wrong"
	// The fake get writes its params as files; ((vars)) in them would be replaced.
	file := "platform: linux\nparams: {A: ((a)), B: ((name))}\nrun: {path: sh, args: [\"print ((a))\"]}\n"
	w.secrets["file"] = file
	plan := do("9", getPlan("1", "repo", "abc", `,"params":{"task.yml":"((file))"}`),
		`{"id":"2","task":{"name":"t","privileged":false,"hermetic":false,"config_path":"repo/task.yml","vars":{"a":"right"}}}`)
	if got := w.run(plan); got != Succeeded {
		t.Fatalf("outcome is %s\n%s", got, strings.Join(w.events(), "\n"))
	}
	spec := w.executor.specs[0]
	if !slices.Equal(spec.Env, []string{"ATC_EXTERNAL_URL=http://ci.example", "A=right", "B=secret-name"}) {
		t.Errorf("env is %v", spec.Env)
	}
	if got := w.log("2"); got != "right\r\n" {
		t.Errorf("log is %q", got)
	}
}

func TestImages(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.native.versions = append(w.native.versions, map[string]string{"v": "1"})
	image := func(metadata string) string {
		return fmt.Sprintf(`"image_resource":{"name":"","type":"registry-image","source":{"repository":"busybox","metadata_json":%q}},`, metadata)
	}
	entry := `{"env":["X=1"],"entrypoint":["/bin/entry","-x"],"cmd":["effect cmd"]}`
	host := `{"host":true,"env":["MIRRORED=1"]}`
	plan := do("9",
		strings.Replace(taskWith("1", image(entry), "", "effect arg"), `"path":"sh"`, `"path":""`, 1),
		taskWith("2", image(host), "", "effect host"),
		getPlan("3", "img", "7"),
		taskWith("4", "", `,"image":"img"`, "effect artifact"))
	if got := w.run(plan); got != Succeeded {
		t.Fatalf("outcome is %s\n%s", got, strings.Join(w.events(), "\n"))
	}
	specs := w.executor.specs
	if got := specs[0].Args; !slices.Equal(got, []string{"/bin/entry", "-x", "effect cmd", "effect arg"}) {
		t.Errorf("args are %v", got)
	}
	if specs[0].Image.Host || specs[0].Image.Volume != w.ledger.row(1, "1/image-get").Volumes[0].ID {
		t.Errorf("image is %+v", specs[0].Image)
	}
	if !specs[1].Image.Host || specs[1].Env[0] != "MIRRORED=1" {
		t.Errorf("mirror is %+v", specs[1])
	}
	if specs[2].Image.Volume != w.ledger.row(1, "3").Volumes[0].ID {
		t.Errorf("artifact image is %+v", specs[2].Image)
	}
	for _, effect := range []string{"cmd", "arg", "host", "artifact"} {
		if w.executor.count(effect) != 1 {
			t.Errorf("%s did not run", effect)
		}
	}
}

// TestOutputInPlaceOfInput: a task that changes its input hands on what it changed.
func TestOutputInPlaceOfInput(t *testing.T) {
	t.Parallel()
	w := setup(t)
	plan := do("9", getPlan("1", "repo", "abc"),
		taskWith("2", `"inputs":[{"name":"repo"}],"outputs":[{"name":"repo"}],`, "", "read repo/v", "write repo/more 2"),
		taskWith("3", `"inputs":[{"name":"repo"}],`, "", "read repo/v", "read repo/more"))
	if got := w.run(plan); got != Succeeded {
		t.Fatalf("outcome is %s\n%s", got, strings.Join(w.events(), "\n"))
	}
	if got := w.log("3"); got != "abc\r\n2\r\n" {
		t.Errorf("log is %q", got)
	}
	original := w.ledger.row(1, "1").Volumes[0].ID
	if files := w.executor.volumes[original]; files["more"] != "" {
		t.Errorf("the input itself was changed: %v", files)
	}
}

func TestTaskCaches(t *testing.T) {
	t.Parallel()
	w := setup(t)
	plan := taskWith("1", `"caches":[{"path":"c","ttl":"2h"}],`, "", "read c/n", "write c/n %s", "exit 1")
	b := func(id int64, text string) Build {
		b := build(t, strings.ReplaceAll(plan, "%s", text))
		b.ID = id
		return b
	}
	w.runBuild(b(1, "one"))
	key := TaskCacheKey{JobID: 4, Step: "t", Path: "c"}
	first := w.ledger.tasks[key]
	if first.ttl != 2*time.Hour || first.holder != 0 {
		t.Errorf("cache is %+v", first)
	}
	w.runBuild(b(2, "two"))
	if got := w.ledger.tasks[key].volume; got != first.volume {
		t.Errorf("the second build did not use the cache")
	}
	// While another build holds the cache, a copy is used, and it is the cache afterwards.
	w.ledger.tasks[key] = taskCacheRow{volume: first.volume, holder: 99}
	w.runBuild(b(3, "three"))
	copied := w.ledger.tasks[key].volume
	if copied == first.volume || w.executor.volumes[first.volume]["n"] != "two" || w.executor.volumes[copied]["n"] != "three" {
		t.Errorf("volumes are %v", w.executor.volumes)
	}
	// A volume that is lost is an empty cache, and builds without a job have none.
	delete(w.executor.volumes, copied)
	oneOff := b(5, "five")
	oneOff.JobID = 0
	w.runBuild(b(4, "four"))
	w.runBuild(oneOff)
	var read []string
	for _, process := range slices.SortedFunc(maps.Values(w.executor.containers), func(a, b *fakeProcess) int {
		return strings.Compare(string(a.spec.ID), string(b.spec.ID))
	}) {
		read = append(read, strings.TrimSpace(process.output()))
	}
	if got := strings.Join(read, ", "); got != "no c/n, one, two, no c/n, no c/n" {
		t.Errorf("the builds read %s", got)
	}
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	for name, plan := range map[string]string{
		"task": taskWith("1", "", `,"timeout":"1ms"`, "block"),
		"get":  getPlan("1", "repo", "abc", `,"timeout":"1ms","params":{"block":"x"}`),
		"put":  `{"id":"1","put":{"name":"p","type":"fake","source":{},"image":{"base_type":"fake"},"timeout":"1ms","params":{"block":"x"}}}`,
		"step": fmt.Sprintf(`{"id":"9","timeout":{"duration":"1ms","step":%s}}`, task("1", "block")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			if got := w.run(plan); got != Failed {
				t.Errorf("outcome is %s", got)
			}
			w.wantEvent(`error 1 "timeout exceeded"`)
			// A build that is run again from its rows ends the same way.
			if got := w.run(plan); got != Failed {
				t.Errorf("replayed outcome is %s", got)
			}
		})
	}
}

// TestTimeoutCountsFromTheStart: a restart does not give a step more time.
func TestTimeoutCountsFromTheStart(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := build(t, taskWith("1", "", `,"timeout":"1h"`, "block"))
	ctx, kill := context.WithCancelCause(t.Context())
	w.executor.onStart = func(runtime.Spec) { kill(ErrDetached) }
	if _, err := w.engine().Run(ctx, b); err == nil {
		t.Fatal("the detached run has an outcome")
	}
	w.pass(2 * time.Hour)
	w.executor.onStart = nil
	if got := w.runBuild(b); got != Failed {
		t.Errorf("outcome is %s", got)
	}
}

// TestStuckContainer: a build can be aborted even when its container cannot be stopped.
func TestStuckContainer(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx, abort := context.WithCancelCause(t.Context())
	done := make(chan Outcome, 1)
	go func() {
		outcome, _ := w.engine().Run(ctx, build(t, task("1", "block")))
		done <- outcome
	}()
	until(t, "the task runs", func() bool { return w.ledger.row(1, "1").State == StateRunning })
	w.executor.mu.Lock()
	for _, process := range w.executor.containers {
		process.stuck = true
	}
	w.executor.mu.Unlock()
	abort(ErrAborted)
	if got := <-done; got != Aborted {
		t.Errorf("outcome is %s", got)
	}
	close(w.executor.release)
}

func TestContainerLimit(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.limit = 2
	var steps []string
	for i := range 5 {
		steps = append(steps, task(fmt.Sprint(i), "block"))
	}
	done := make(chan Outcome)
	go func() {
		done <- w.run(fmt.Sprintf(`{"id":"9","in_parallel":{"steps":[%s]}}`, strings.Join(steps, ",")))
	}()
	until(t, "three wait", func() bool {
		waiting := 0
		for _, line := range w.events() {
			if strings.HasPrefix(line, "waiting-for-worker") {
				waiting++
			}
		}
		return waiting == 3 && len(w.executor.scripts()) == 2
	})
	close(w.executor.release)
	if got := <-done; got != Succeeded {
		t.Errorf("outcome is %s", got)
	}
	if w.executor.most > 2 {
		t.Errorf("%d ran at once", w.executor.most)
	}
}
