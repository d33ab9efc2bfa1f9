package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// forked gets a fork's commit whose files the fork has written: the fake type makes
// a file of each field of the version, which is never interpolated.
func forked(t *testing.T, files map[string]string) string {
	t.Helper()
	version := map[string]string{"v": "abc"}
	maps.Copy(version, files)
	data, err := json.Marshal(version)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"id":"1","get":{"name":"pr","type":"fake","resource":"pr","source":{"uri":"x","token":"((pw))"},"image":{"base_type":"fake"},"version":%s}}`, data)
}

// TestForksReachNoSecret tries every way that a pipeline or the files of a fork could
// take to a var's value, and to what other builds hold.
func TestForksReachNoSecret(t *testing.T) {
	t.Parallel()
	const secret = "hush-hush-4711"
	refused := "is not given to builds of forks"
	typed := func(id, kind, more string) string {
		return fmt.Sprintf(`{"id":%q,%q:{"name":"r","type":"fake","resource":"r","image":{"base_type":"fake"}%s}}`, id, kind, more)
	}
	file := `{"id":"2","task":{"name":"t","privileged":false,"hermetic":false,"config_path":"pr/task.yml"%s}}`
	image := `"image":{"base_type":"fake","check_plan":%s,"get_plan":%s}`
	checkPlan := `{"id":"2/c","check":{"name":"img","type":"fake","source":{"repository":"x","password":"((pw))"},"image":{"base_type":"fake"}}}`
	imageGet := `{"id":"2/g","get":{"name":"img","type":"fake","source":{"repository":"x","password":"((pw))"},"image":{"base_type":"fake"},"version_from":"2/c"}}`
	for _, c := range []struct {
		name  string
		files map[string]string
		step  string
		want  Outcome
		says  string // in the step's message; "" for none
	}{
		{"the source of another get", nil, typed("2", "get", `,"source":{"uri":"x","private_key":"((pw))","nested":{"a":["((pw))"]}},"version":{"v":"1"}`), Succeeded, ""},
		{"the params of a get", nil, typed("2", "get", `,"source":{},"params":{"a":"((pw))"},"version":{"v":"1"}`), Errored, refused},
		{"the source of a put", nil, typed("2", "put", `,"source":{"token":"((pw))"}`), Errored, refused},
		{"the params of a put", nil, typed("2", "put", `,"source":{},"params":{"text":"((pw))"}`), Errored, refused},
		{"the source of a check", nil, typed("2", "check", `,"source":{"uri":"x","token":"((pw))"}`), Succeeded, ""},
		{"the params of a task", nil, taskWith("2", `"params":{"PW":"((pw))"},`, "", "print $PW"), Errored, refused},
		{"the arguments of a task", nil, taskWith("2", "", "", "print ((pw))"), Errored, refused},
		{"the params that a step gives to the fork's task", map[string]string{"task.yml": "platform: linux\nrun: {path: sh}\nparams: {PW: x}\n"},
			fmt.Sprintf(file, `,"params":{"PW":"((pw))"}`), Errored, refused},
		{"the fork's task file", map[string]string{"task.yml": "platform: linux\nrun: {path: sh, args: ['print ((pw))']}\n"}, fmt.Sprintf(file, ""), Errored, refused},
		{"the vars of the fork's task file", map[string]string{"task.yml": "platform: linux\nrun: {path: sh, args: ['print ((mine))']}\n"},
			fmt.Sprintf(file, `,"vars":{"mine":"((pw))"}`), Errored, refused},
		{"credentials for the fork's own image", map[string]string{"task.yml": "platform: linux\nrun: {path: sh}\nimage_resource: {type: fake, source: {repository: evil, password: ((pw))}}\n"},
			fmt.Sprintf(file, ""), Errored, refused},
		{"a var source", nil, taskWith("2", `"params":{"PW":"((vault:pw))"},`, ""), Errored, "((vault:pw)) " + refused},
		{"a token that we sign", nil, taskWith("2", `"params":{"PW":"((id:token))"},`, ""), Errored, "((id:token)) " + refused},
		{"a local var that holds a reference", map[string]string{"x": "((pw))"},
			do("8", `{"id":"2","load_var":{"name":"x","file":"pr/x","format":"raw","reveal":true}}`, taskWith("3", "", "", "print ((.:x))")), Succeeded, ""},
		{"the path of a file", nil, `{"id":"2","load_var":{"name":"x","file":"pr/((pw))"}}`, Errored, refused},
		{"the values of across", nil, `{"id":"2","across":{"vars":[{"name":"a","values":["((pw))"]}],"substep_template":"{\"id\":\"3\",\"load_var\":{\"name\":\"x\",\"file\":\"pr/v\"}}"}}`, Errored, ""},
		{"a pipeline of its own", map[string]string{"p.yml": "jobs: []"}, `{"id":"2","set_pipeline":{"name":"evil","file":"pr/p.yml"}}`, Errored, "a build of a fork may not set pipelines"},
		{"its own pipeline", map[string]string{"p.yml": "jobs: []"}, `{"id":"2","set_pipeline":{"name":"self","file":"pr/p.yml"}}`, Errored, "a build of a fork may not set pipelines"},
		{"another team's pipeline", map[string]string{"p.yml": "jobs: []"}, `{"id":"2","set_pipeline":{"name":"p","team":"other","file":"pr/p.yml"}}`, Errored, "a build of a fork may not set pipelines"},
		{"credentials of a custom type", nil, fmt.Sprintf(`{"id":"2","get":{"name":"r","type":"custom","resource":"r","source":{},"version":{"v":"1"},%s}}`, fmt.Sprintf(image, checkPlan, imageGet)), Errored, ""},
		{"the timeout", nil, taskWith("2", "", `,"timeout":"((pw))"`), Errored, refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.secrets["pw"], w.secrets["token"] = secret, secret
			w.set = func(r SetPipelineRequest) (SetPipelineResult, error) {
				t.Errorf("set %+v", r)
				return SetPipelineResult{}, nil
			}
			b := build(t, do("9", forked(t, c.files), c.step))
			b.Untrusted = true
			if got := w.runBuild(b); got != c.want {
				t.Errorf("outcome is %s\n%s", got, strings.Join(w.events(), "\n"))
			}
			if c.says != "" && !strings.Contains(w.ledger.row(1, "2").Message, c.says) {
				t.Errorf("it says %q", w.ledger.row(1, "2").Message)
			}
			w.wantNowhere(secret)
		})
	}
}

// wantNowhere fails when anything that ran or was called held the text.
func (w *world) wantNowhere(secret string) {
	w.t.Helper()
	for _, r := range w.native.requests {
		if strings.Contains(fmt.Sprint(r.Source, r.Params, r.Env, r.Version), secret) {
			w.t.Errorf("a type was given %+v", r)
		}
	}
	for _, s := range w.executor.specs {
		if strings.Contains(fmt.Sprint(s.Args, s.Env, s.Files), secret) {
			w.t.Errorf("a container was given %+v", s)
		}
	}
	for _, line := range w.events() {
		if strings.Contains(line, secret) {
			w.t.Errorf("the log says %s", line)
		}
	}
}

// TestForksShareNothing holds caches and privileges back.
func TestForksShareNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	step := taskWith("1", `"caches":[{"path":"cache"}],`, `,"privileged":true`, "read cache/f", "write cache/f poison")
	trusted, untrusted := build(t, strings.Replace(step, "poison", "good", 1)), build(t, step)
	untrusted.ID, untrusted.Untrusted = 2, true
	if got := w.runBuild(trusted); got != Succeeded {
		t.Fatal(got)
	}
	if got := w.runBuild(untrusted); got != Succeeded {
		t.Fatal(got)
	}
	again := build(t, strings.Replace(step, "poison", "good", 1))
	again.ID = 3
	if got := w.runBuild(again); got != Succeeded {
		t.Fatal(got)
	}
	var kept []string
	for _, files := range w.executor.volumes {
		kept = append(kept, files["f"])
	}
	slices.Sort(kept)
	if len(w.executor.specs) != 3 || slices.Contains(kept, "poison") && len(kept) < 2 {
		t.Fatalf("%v", kept)
	}
	first, second, third := w.executor.specs[0], w.executor.specs[1], w.executor.specs[2]
	if cacheOf(first.Mounts) == cacheOf(second.Mounts) || cacheOf(first.Mounts) != cacheOf(third.Mounts) {
		t.Errorf("caches are %s, %s and %s", cacheOf(first.Mounts), cacheOf(second.Mounts), cacheOf(third.Mounts))
	}
	allowed := onlyTrusted(func(context.Context, Build) bool { return true })
	if !allowed(t.Context(), trusted) || allowed(t.Context(), untrusted) {
		t.Error("a fork runs privileged, or nothing does")
	}
}

func cacheOf(mounts []runtime.Mount) runtime.VolumeID {
	for _, m := range mounts {
		if strings.HasSuffix(m.Path, "/cache") {
			return m.Volume
		}
	}
	return ""
}
