package resource

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

var update = flag.Bool("update", false, "rewrite golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, got, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got) {
		t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
	}
}

// TestProtocol holds what each script is given against recorded containers.
func TestProtocol(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"check", "check-first", "in", "out"} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			s := newShelf()
			req := Request{
				Executor: s, Container: "c1", Image: runtime.Image{Volume: "image"}, Log: &tailWriter{},
				Source: map[string]any{"uri": "https://example.com", "n": 3}, Params: map[string]any{"depth": 1},
				Version: Version{"ref": "abc"}, Dest: "dest", Env: []string{"BUILD_ID=1"}, Privileged: true,
				Inputs: []Input{{Name: "repo", Volume: "v1"}, {Name: "notes", Volume: "v2"}},
			}
			var err error
			switch script {
			case "check":
				s.says(`[{"ref":"abc"},{"ref":"def"}]`, "", 0)
				_, err = Image{}.Check(t.Context(), req)
			case "check-first":
				req.Version, req.Source = nil, nil
				_, err = Image{}.Check(t.Context(), req)
			case "in":
				s.says(`{"version":{"ref":"abc"}}`, "", 0)
				_, err = Image{}.Get(t.Context(), req)
			case "out":
				s.says(`{"version":{"ref":"abc"}}`, "", 0)
				_, err = Image{}.Put(t.Context(), req)
			}
			if err != nil {
				t.Fatal(err)
			}
			spec := s.started["c1"]
			stdin := spec.Stdin
			spec.Stdin = nil
			out, err := json.MarshalIndent(map[string]any{"spec": spec, "stdin": json.RawMessage(stdin)}, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "protocol-"+script+".json", append(out, '\n'))
		})
	}
}

type tailWriter struct{ tail }

func (w *tailWriter) Write(p []byte) (int, error) {
	w.add(p)
	return len(p), nil
}

func TestAnswersOfScripts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, script, stdout, stderr string
		status                       int
		want, err                    string
	}{
		{name: "versions", script: "check", stdout: `[{"a":"1"},{"a":"2","b":"x"}]`, want: "a=1 a=2,b=x"},
		{name: "nothing", script: "check", stdout: " \n"},
		{name: "null", script: "check", stdout: "null"},
		{name: "a null version", script: "check", stdout: "[null]", err: "output a null version"},
		{name: "no JSON", script: "check", stdout: "hello", err: "output invalid JSON: invalid character 'h' looking for beginning of value. It began with: hello"},
		{name: "a number in a version", script: "check", stdout: `[{"a":1}]`, err: "output invalid JSON"},
		{name: "failed", script: "check", stderr: "no such host", status: 7, err: "resource script '/opt/resource/check' failed: exit status 7\n\nstderr:\nno such host"},
		{name: "in", script: "in", stdout: `{"version":{"a":"1"},"metadata":[{"name":"n","value":"v"}]}`, want: "a=1"},
		{name: "in, no version", script: "in", stdout: `{}`, err: "resource script (/opt/resource/in /tmp/build/get) output a null version"},
		{name: "in, nothing", script: "in", err: "output a null version"},
		{name: "out, null", script: "out", stdout: `{"version":null}`, err: "resource script (/opt/resource/out /tmp/build/put) output a null version"},
		{name: "too much", script: "check", stdout: strings.Repeat("x", maxStdout+1), err: "more than 10 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newShelf()
			s.says(c.stdout, c.stderr, c.status)
			req := newRequest(s, nil, nil)
			var got []Version
			var err error
			switch c.script {
			case "check":
				got, err = Image{}.Check(t.Context(), req.Request)
			case "in":
				var r Result
				r, err = Image{}.Get(t.Context(), req.Request)
				got = []Version{r.Version}
			case "out":
				_, err = Image{}.Put(t.Context(), req.Request)
			}
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
			} else if err != nil || versions(got) != c.want {
				t.Errorf("%q, %v", versions(got), err)
			}
			if req.log.String() != c.stderr {
				t.Errorf("log %q", req.log)
			}
		})
	}
}

func TestARestartedServerAttaches(t *testing.T) {
	t.Parallel()
	s := newShelf()
	s.says(`[{"a":"1"}]`, "x", 0)
	req := newRequest(s, nil, nil)
	for range 2 {
		if got, err := (Image{}).Check(t.Context(), req.Request); err != nil || versions(got) != "a=1" {
			t.Errorf("%v %v", got, err)
		}
	}
	if s.starts != 1 {
		t.Errorf("started %d times", s.starts)
	}
}

func TestAKilledScriptSaysWhy(t *testing.T) {
	t.Parallel()
	s := newShelf()
	s.exit = runtime.Exit{Status: 137, Reason: "It used more memory than it may."}
	_, err := Image{}.Check(t.Context(), newRequest(s, nil, nil).Request)
	var exit *ExitError
	if err == nil || errors.As(err, &exit) || !strings.Contains(err.Error(), "more memory") {
		t.Errorf("%v", err)
	}
}

// TestAnImageInAContainer runs a type that is a real image.
func TestAnImageInAContainer(t *testing.T) {
	t.Parallel()
	w := realWorker(t)
	req := newRequest(w, map[string]any{"name": "x"}, nil)
	req.Image = runtime.Image{Host: true}
	if err := w.CreateVolume(t.Context(), req.Dest); err != nil {
		t.Fatal(err)
	}
	defer req.done(t)
	script := "#!/bin/sh\necho fetching >&2\ncat >$1/request\nprintf '{\"version\":{\"a\":\"1\"}}'\n"
	spec := runtime.Spec{Args: []string{"/opt/resource/in", getPath}, Image: req.Image, Stdin: []byte(`{"source":{}}`),
		Mounts: []runtime.Mount{{Volume: req.Dest, Path: getPath}},
		Files:  []runtime.File{{Path: "/opt/resource/in", Mode: 0o755, Data: []byte(script)}}}
	out, err := run(t.Context(), req.Request, "in", spec)
	if err != nil || string(out) != `{"version":{"a":"1"}}` || req.log.String() != "fetching\n" {
		t.Fatalf("%s %v %s", out, err, req.log)
	}
	// The container is still there, so a second call only reads what it said.
	if again, err := (Image{}).Get(t.Context(), req.Request); err != nil || versions([]Version{again.Version}) != "a=1" {
		t.Errorf("%v %v", again, err)
	}
	if files := exported(t, w, req.Dest); files["request"] != `{"source":{}}` {
		t.Errorf("%v", files)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"version":{"a":"1"},"metadata":[{"name":"n","value":"v"}]}`))
	f.Add([]byte(`[{"a":"1"}]`))
	f.Fuzz(func(t *testing.T, out []byte) {
		var r Result
		var v []Version
		_ = parse("in", out, &r)
		_ = parse("check", out, &v)
		_, _, _ = describe(out, gitSource{})
		_, _ = tagVersions(out, gitSource{}, "x")
	})
}
