package ci

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/platform/databasetest"
)

// TestBuildsGoOnAfterARestart stops a world in the middle of builds and lets
// another one begin over what it left.
func TestBuildsGoOnAfterARestart(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	logs := &buildlog.Store{Dir: filepath.Join(t.TempDir(), "logs")}
	first := stopped(t, db, logs)
	open := first.engine.gate("hello")
	defer open()
	if err := first.jobs.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop := first.ci.Start(t.Context())
	first.set("p", hello)
	const n = 10
	for range n {
		must[flyBuild](first, 200, "POST", "/api/v1/teams/main/pipelines/p/jobs/hello/builds", "")
	}
	first.eventually("all run", func() bool { return first.engine.ran() == n })
	stop()
	if err := first.jobs.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	for _, b := range first.builds("p", "hello") {
		if b.Status != Started {
			t.Fatalf("build %s is %s after the stop", b.Name, b.Status)
		}
	}
	second := stopped(t, db, logs)
	second.start()
	for i := range n {
		b := second.waitBuild("p", "hello", fmt.Sprint(i+1), Succeeded)
		events := eventsOf(second, b.ID, "")
		if got := strings.Count(events, `"status":"started"`); got != 1 {
			t.Errorf("build %s says %d times that it started:\n%s", b.Name, got, events)
		}
		if got := strings.Count(events, `"status":"succeeded"`); got != 1 || !strings.Contains(events, "hello from hello") {
			t.Errorf("build %s: %s", b.Name, events)
		}
	}
}

// TestAnEndThatWasNotLoggedIsLogged plays a server that dies between the row and the last event.
func TestAnEndThatWasNotLoggedIsLogged(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	w := stopped(t, db, &buildlog.Store{Dir: filepath.Join(t.TempDir(), "logs")})
	ctx := t.Context()
	b := buildRow{TeamID: teamMain, Name: "1"}
	if err := w.ci.insertBuild(ctx, &b); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ci.startBuild(ctx, b.ID, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ci.endBuild(ctx, b.ID, Failed, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := w.jobs.EnqueueValue(ctx, buildWork(b.ID), buildJob{b.ID}); err != nil {
		t.Fatal(err)
	}
	w.start()
	if events := eventsOf(w, b.ID, ""); !strings.Contains(events, `"status":"failed"`) {
		t.Fatal(events)
	}
}

// TestRequestsMadeWhileNobodyScheduledAreServed stands for a crash between the
// commit and the wake-up.
func TestRequestsMadeWhileNobodyScheduledAreServed(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	logs := &buildlog.Store{Dir: filepath.Join(t.TempDir(), "logs")}
	first := stopped(t, db, logs)
	first.set("p", hello)
	must[flyBuild](first, 200, "POST", "/api/v1/teams/main/pipelines/p/jobs/hello/builds", "")
	second := stopped(t, db, logs)
	second.start()
	if err := second.ci.sched.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	second.waitBuild("p", "hello", "1", Succeeded)
}

// eventsOf reads a build's stream up to its end.
func eventsOf(w *world, build int64, lastID string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 15*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", fmt.Sprintf("%s/api/v1/builds/%d/events", w.server.URL, build), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("X-Test-User", "owner")
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	for key, want := range map[string]string{"Content-Type": "text/event-stream; charset=utf-8", "X-Atc-Stream-Version": "2.0", "X-Accel-Buffering": "no",
		"Cache-Control": "no-cache, no-store, must-revalidate", versionHeader: ConcourseVersion} {
		if got := res.Header.Get(key); got != want {
			w.t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	var all strings.Builder
	s := bufio.NewScanner(res.Body)
	for s.Scan() {
		all.WriteString(s.Text() + "\n")
		if s.Text() == "event: end" {
			return all.String()
		}
	}
	w.t.Fatalf("the stream broke off: %v\n%s", s.Err(), all.String())
	return ""
}

func TestEventsResumeWhereTheClientLeft(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("p", hello)
	b := must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/p/jobs/hello/builds", "")
	all := eventsOf(w, b.ID, "") // follows from before the start
	if !strings.HasPrefix(all, "id: 0\nevent: event\ndata: {\"data\":{\"status\":\"started\"") || !strings.Contains(all, "id: 4\nevent: end") {
		t.Fatal(all)
	}
	rest := eventsOf(w, b.ID, "2")
	if !strings.HasPrefix(rest, "id: 3\nevent: event\ndata: {\"data\":{\"status\":\"succeeded\"") {
		t.Fatal(rest)
	}
	if got := w.call("GET", fmt.Sprintf("/api/v1/builds/%d/events", b.ID), "", header("Last-Event-ID", "x")); got.status != 400 {
		t.Fatalf("a bad Last-Event-ID: %d", got.status)
	}
	if got := w.call("GET", fmt.Sprintf("/api/v1/builds/%d/plan", b.ID), "").body; !strings.Contains(got, `{"schema":"exec.v2","plan":{"id":"2","do":[{"id":"1","task":{"name":"Say","privileged":false,"hermetic":false}}]}}`) {
		t.Fatal(got)
	}
}

func TestAbortsReachRunningBuilds(t *testing.T) {
	t.Parallel()
	w := setup(t)
	open := w.engine.gate("hello")
	defer open()
	w.set("p", hello)
	b := must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/p/jobs/hello/builds", "")
	w.waitBuild("p", "hello", "1", Started)
	if a := w.call("PUT", fmt.Sprintf("/api/v1/builds/%d/abort", b.ID), ""); a.status != 204 {
		t.Fatal(a)
	}
	w.waitBuild("p", "hello", "1", Aborted)
	if a := w.call("POST", fmt.Sprintf("/api/v1/ci/builds/%d/abort", b.ID), ""); a.status != 409 {
		t.Fatalf("aborted twice: %d", a.status)
	}
}

func TestDestroyingStopsWhatRuns(t *testing.T) {
	t.Parallel()
	w := setup(t)
	open := w.engine.gate("hello")
	defer open()
	id := w.set("p", hello)
	b := must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/p/jobs/hello/builds", "")
	w.waitBuild("p", "hello", "1", Started)
	if a := w.call("DELETE", fmt.Sprintf("/api/v1/ci/pipelines/%d", id), ""); a.status != 204 {
		t.Fatal(a)
	}
	if a := w.call("GET", fmt.Sprintf("/api/v1/builds/%d", b.ID), ""); a.status != 404 {
		t.Fatal(a)
	}
	w.eventually("its work is over", func() bool { c, err := w.jobs.Counts(t.Context()); return err == nil && len(c) == 0 })
}
