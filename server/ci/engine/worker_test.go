package engine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/runtime/worker"
	"github.com/signalbox/signalbox/server/ci/vars"
)

// The test binary is the worker's supervisor too, as the server's own program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == worker.SupervisorCommand {
		os.Exit(worker.SupervisorMain(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// realWorld has the built-in worker and the server's own resource types.
func realWorld(t *testing.T) (*world, *Engine) {
	t.Helper()
	w := setup(t)
	built, err := worker.New(worker.Options{
		Root: t.TempDir(), Name: "test", HostImage: true, Self: "/proc/self/exe",
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// t.Context has ended by now.
		if err := errors.Join(built.Recover(context.Background(), nil), built.Close()); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	if built.Engine() == "" {
		t.Fatal("neither runc nor bubblewrap can be used here: install one")
	}
	return w, w.realEngine(built)
}

func (w *world) realEngine(executor runtime.Executor) *Engine {
	return New(context.Background(), Deps{
		Executor: executor,
		Native:   resource.NewNatives(resource.Options{HostImageAllowed: true, Now: time.Now}).Native,
		Scripted: resource.Image{},
		Ledger:   w.ledger,
		Logs:     w.logs,
		Now:      time.Now,
		NewID: func() string {
			id := make([]byte, 16)
			_, _ = rand.Read(id) // never fails
			return hex.EncodeToString(id)
		},
		Vars:              func(context.Context, Build) (vars.Lookup, error) { return vars.Sources{"": w.secrets}, nil },
		ExternalURL:       "http://ci.example",
		HostImageAllowed:  func(context.Context, Build) bool { return true },
		PrivilegedAllowed: func(context.Context, Build) bool { return false },
		Logger:            slog.New(slog.DiscardHandler),
	})
}

// shell is the JSON of a task that runs a script in the host image.
func shell(id, config, script string) string {
	return strings.Replace(taskWith(id, config, "", "-ec", script), "sh", "/bin/sh", 1)
}

func TestRealWorker(t *testing.T) {
	t.Parallel()
	w, e := realWorld(t)
	w.secrets["token"] = "hunter2"
	plan := do("9",
		`{"id":"1","get":{"name":"src","type":"mock","resource":"src","source":{"create_files":{"greeting.txt":"hello from a get"}},"image":{"base_type":"mock"},"version":{"version":"v1"}}}`,
		shell("2", `"inputs":[{"name":"src"}],"outputs":[{"name":"out"}],"caches":[{"path":"cache"}],"params":{"TOKEN":"((token))"},`,
			`cat src/greeting.txt; echo; echo $TOKEN > out/token; echo "token $TOKEN"; echo kept > cache/x; test -t 1 && echo terminal; pwd`),
		`{"id":"3","load_var":{"name":"t","file":"out/token"}}`,
		`{"id":"5","on_success":{"step":{"id":"4","put":{"name":"dst","type":"mock","resource":"dst","source":{},"image":{"base_type":"mock"},"params":{"file":"out/token"}}},
			"on_success":{"id":"6","get":{"name":"dst","type":"mock","resource":"dst","source":{},"image":{"base_type":"mock"},"version_from":"4"}}}}`,
		shell("7", `"image_resource":{"name":"","type":"mock","source":{"mirror_self":true}},"inputs":[{"name":"out"}],`, `cat out/token; exit 3`))
	outcome, err := e.Run(t.Context(), build(t, plan))
	if err != nil || outcome != Failed {
		t.Fatalf("%s, %v\n%s", outcome, err, strings.Join(w.events(), "\n"))
	}
	want := "hello from a get\r\ntoken ((redacted))\r\nterminal\r\n" + w.ledger.row(1, "2").Dir + "\r\n"
	if got := w.log("2"); got != want {
		t.Errorf("log is %q", got)
	}
	if got := w.log("7"); got != "((redacted))\r\n" {
		t.Errorf("log is %q", got)
	}
	w.wantEvent("finish-task 7 3")
	if got := w.ledger.outputs[0].Result.Version["version"]; got != "hunter2" {
		t.Errorf("put made %q", got)
	}
	for _, line := range w.events() {
		if strings.Contains(line, "hunter2") && !strings.Contains(line, "finish") {
			t.Errorf("a secret is in the log: %s", line)
		}
	}
	if err := e.Release(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	containers, err := e.Executor.Containers(t.Context())
	if err != nil || len(containers) != 0 {
		t.Errorf("containers are left: %v, %v", containers, err)
	}
}

// TestRealWorkerResumes stops the server while a task prints, and aborts it later.
func TestRealWorkerResumes(t *testing.T) {
	t.Parallel()
	w, first := realWorld(t)
	plan := hook("ensure", shell("1", "", `echo one; while ! test -e /tmp/never; do i=$((i+1)); test $i -le 3 && echo line $i; sleep 0.1; done`),
		shell("2", "", "echo ensured"))
	b := build(t, plan)
	done := make(chan error, 1)
	go func() {
		_, err := first.Run(t.Context(), b)
		done <- err
	}()
	until(t, "the first line", func() bool { return strings.Contains(w.log("1"), "one\r\n") })
	first.Detach()
	if err := <-done; !errors.Is(err, ErrDetached) {
		t.Fatalf("detached run returned %v", err)
	}

	ctx, abort := context.WithCancelCause(t.Context())
	outcomes := make(chan Outcome, 1)
	go func() {
		outcome, err := w.realEngine(first.Executor).Run(ctx, b)
		if err != nil {
			t.Error(err)
		}
		outcomes <- outcome
	}()
	until(t, "the rest", func() bool { return strings.Contains(w.log("1"), "line 3\r\n") })
	abort(ErrAborted)
	if got := <-outcomes; got != Aborted {
		t.Errorf("outcome is %s", got)
	}
	// The shell may have a last word.
	if got := strings.TrimSuffix(w.log("1"), "Terminated\r\n"); got != "one\r\nline 1\r\nline 2\r\nline 3\r\n" {
		t.Errorf("log is %q", got)
	}
	if got := w.log("2"); got != "ensured\r\n" {
		t.Errorf("log of the hook is %q", got)
	}
}

// TestFirstLine measures the way from Run to the first line of output.
func TestFirstLine(t *testing.T) {
	w, e := realWorld(t)
	best := time.Hour
	for i := range 5 {
		b := build(t, shell("1", "", "echo hello"))
		b.ID = int64(i + 100)
		begin := time.Now()
		if outcome, err := e.Run(t.Context(), b); err != nil || outcome != Succeeded {
			t.Fatalf("%s, %v", outcome, err)
		}
		log, err := w.logs.Open(b.ID)
		if err != nil {
			t.Fatal(err)
		}
		events, err := log.Events(0, 100)
		if err = errors.Join(err, log.Close()); err != nil {
			t.Fatal(err)
		}
		for _, ev := range events {
			if ev.Kind == buildlog.KindLog {
				best = min(best, ev.Time.Sub(begin))
			}
		}
	}
	t.Logf("from Run to the first line: %s at best", best)
	if best > time.Second {
		t.Errorf("the first line took %s", best)
	}
}
