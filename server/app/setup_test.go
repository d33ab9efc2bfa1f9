package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/app"
	"github.com/signalbox/signalbox/server/ci/runtime/worker"
	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/databasetest"
)

// TestMain lets the test binary be the containers' supervisor, as the server's own is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == worker.SupervisorCommand {
		os.Exit(worker.SupervisorMain(os.Args[2:]))
	}
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// built is the real program, built when the first test asks for it, unless
// TEST_BINARY names it, which spares linking it once more.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// binary is the path of the real program.
func binary(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("TEST_BINARY"); path != "" {
		return path
	}
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "signalbox-app-test-"); built.err != nil {
			return
		}
		out, err := exec.Command("go", "build", "-o", filepath.Join(built.dir, "signalbox"), "..").CombinedOutput()
		if err != nil {
			built.err = fmt.Errorf("build the server: %w: %s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "signalbox")
}

const adminPassword = "correct-horse-battery"

// running is a whole server on a port of its own, within the test's process.
type running struct {
	*app.App
	*client
	dir string // holds the data and everything tasks may clone
	// databaseURL is where its state is, for commands that open it too.
	databaseURL string
}

// start runs a server on a fresh database; change adapts its configuration.
func start(t testing.TB, change ...func(*config.Config)) *running {
	t.Helper()
	return startIn(t, t.TempDir(), databasetest.URL(t), change...)
}

func startIn(t testing.TB, dir, database string, change ...func(*config.Config)) *running {
	t.Helper()
	cfg, err := config.Load(filepath.Join(dir, "data"), "")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Server.Listen = "127.0.0.1:0"
	cfg.Database.URL = database
	cfg.Admin = config.Admin{User: "admin", Password: adminPassword}
	cfg.CI.LocalRepositories = []string{filepath.Join(dir, "repositories")}
	cfg.Outbound.Allow = []string{"127.0.0.1"}
	for _, c := range change {
		c(&cfg)
	}
	a, err := app.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	r := &running{App: a, client: &client{url: a.URL(), spec: loadSpec(t)}, dir: dir, databaseURL: database}
	r.token = r.grant(t, "admin", adminPassword)
	return r
}

// eventually polls until done says so, and fails the test after a minute.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	eventuallyIn(t, time.Minute, what, done)
}

func eventuallyIn(t testing.TB, patience time.Duration, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited %s for %s", patience, what)
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}

// pause is the time between two looks at something that takes a moment.
func (r *running) pause(t testing.TB) {
	t.Helper()
	select {
	case <-time.After(20 * time.Millisecond):
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}
