package worker

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

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// The test binary is the supervisor too, as the server's own program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == SupervisorCommand {
		os.Exit(SupervisorMain(os.Args[2:]))
	}
	if len(os.Args) > 4 && os.Args[1] == serverCommand {
		os.Exit(serverMain(os.Args[2], os.Args[3], os.Args[4]))
	}
	os.Exit(m.Run())
}

// bench holds a worker of a test's own.
type bench struct {
	t testing.TB
	*Worker
	ctx context.Context
}

func setup(t testing.TB, change ...func(*Options)) bench {
	t.Helper()
	o := Options{
		Root: t.TempDir(), Name: "test", HostImage: true, Self: "/proc/self/exe",
		Prefer: *prefer, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: time.Now,
	}
	for _, c := range change {
		c(&o)
	}
	b := bench{t: t, ctx: t.Context()}
	b.Worker = b.open(o)
	t.Cleanup(func() {
		// t.Context has ended by now.
		if err := errors.Join(b.Recover(context.Background(), nil), b.Close()); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	return b
}

// with makes a subtest's failures its own.
func (b bench) with(t *testing.T) bench {
	b.t = t
	return b
}

// open makes a worker, as a server that starts does.
func (b bench) open(o Options) *Worker {
	b.t.Helper()
	w, err := New(o)
	if err != nil {
		b.t.Fatal(err)
	}
	if w.Engine() == "" {
		b.t.Fatal("neither runc nor bubblewrap can be used here: install one")
	}
	return w
}

func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

func (b bench) volume() runtime.VolumeID {
	b.t.Helper()
	id := runtime.VolumeID(newID())
	if err := b.CreateVolume(b.ctx, id); err != nil {
		b.t.Fatal(err)
	}
	return id
}

func shell(script string) runtime.Spec {
	return runtime.Spec{ID: runtime.ContainerID(newID()), Image: runtime.Image{Host: true}, Args: []string{"/bin/sh", "-c", script}}
}

// result is all that a container said, and how it ended.
type result struct {
	runtime.Exit
	out, err string
}

func (b bench) start(s runtime.Spec) runtime.Process {
	b.t.Helper()
	if err := b.Start(b.ctx, s); err != nil {
		b.t.Fatalf("start: %v", err)
	}
	p, err := b.Attach(b.ctx, s.ID)
	if err != nil {
		b.t.Fatalf("attach: %v", err)
	}
	return p
}

func (b bench) wait(p runtime.Process) result {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	var out, errs strings.Builder
	exit, err := p.Follow(ctx, 0, func(f runtime.Frame) error {
		if f.Stream == runtime.Stderr {
			errs.Write(f.Data)
		} else {
			out.Write(f.Data)
		}
		return nil
	})
	if err != nil {
		b.t.Fatalf("follow: %v", err)
	}
	return result{Exit: exit, out: out.String(), err: errs.String()}
}

func (b bench) run(s runtime.Spec) result {
	b.t.Helper()
	return b.wait(b.start(s))
}
