package system

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/work"
)

func TestProbes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	expect := func(path string, status int, word string) {
		t.Helper()
		if a := w.do("", "GET", path); a.Code != status || !strings.Contains(a.Body.String(), word) {
			t.Fatal(path, a.Code, a.Body)
		}
	}
	expect("/healthz", 200, "alive")
	expect("/readyz", 200, "ready")
	if a := w.do("", "HEAD", "/readyz"); a.Code != 200 {
		t.Fatal(a.Code)
	}
	w.ready.Store(false)
	expect("/healthz", 200, "alive")
	expect("/readyz", 503, "starting or stopping")
	w.ready.Store(true)
	w.db.Close()
	expect("/healthz", 200, "alive")
	expect("/readyz", 503, "database does not answer")
}

func TestWhoMayWhat(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, sc := range []struct {
		method, path                              string
		nobody, admin, readToken, viewer, mon, ci int
	}{
		{"GET", "/metrics", 401, 403, 200, 200, 200, 403}, // this admin is in no team
		{"GET", "/api/v1/system/health", 401, 200, 403, 403, 403, 403},
		{"GET", "/api/v1/system/loops", 401, 200, 403, 403, 403, 403},
		{"GET", "/api/v1/system/jobs/dead", 401, 200, 403, 403, 403, 403},
		{"POST", "/api/v1/system/jobs/dead/1/retry", 401, 404, 403, 403, 403, 403},
		{"DELETE", "/api/v1/system/jobs/dead/1", 401, 404, 403, 403, 403, 403},
		{"DELETE", "/api/v1/system/jobs/dead/x", 401, 404, 403, 403, 403, 403},
	} {
		for as, want := range map[string]int{"": sc.nobody, "admin": sc.admin, "admin with a read token": sc.readToken, "viewer": sc.viewer, "monitor": sc.mon, "ci token": sc.ci} {
			if a := w.do(as, sc.method, sc.path); a.Code != want {
				t.Errorf("%s %s as %q: %d, want %d", sc.method, sc.path, as, a.Code, want)
			}
		}
	}
}

func TestHealthKeepsOrderAndSurvivesBadChecks(t *testing.T) {
	t.Parallel()
	w := setup(t,
		Check{"good", func(context.Context) Result { return Good("%d of %d.", 2, 2) }},
		Check{"broken", func(context.Context) Result { panic("nil map") }},
		Check{"bad", func(context.Context) Result { return Result{Warn, "Getting full.", "Free some."} }})
	var out healthOut
	w.json("admin", "/api/v1/system/health", &out)
	want := []findingOut{{"good", OK, "2 of 2.", ""}, {"broken", Fail, "The check itself failed: nil map.", "Report this with the server's log."}, {"bad", Warn, "Getting full.", "Free some."}}
	if !slices.Equal(out.Checks, want) {
		t.Fatalf("%+v", out)
	}
}

func TestCheckThatHangsFails(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	never := make(chan struct{})
	defer close(never)
	if r := run(ctx, Check{"hangs", func(context.Context) Result { <-never; return Result{} }}); r.Status != Fail || !strings.Contains(r.Detail, "No answer") {
		t.Fatalf("%+v", r)
	}
}

func TestLoops(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.do("admin", "GET", "/api/v1/system/loops")
	const want = `{"items":[{"name":"a","every":"1m0s","last_run_at":"2026-05-01T12:00:00Z","last_error":"broken","duration_ms":7,"runs":3},` +
		`{"name":"b","every":"1h0m0s","duration_ms":0,"runs":0}]}`
	if strings.TrimSpace(a.Body.String()) != want {
		t.Fatal(a.Body)
	}
}

// bury lets n jobs die.
func (w *world) bury(n int) {
	w.t.Helper()
	w.jobs.Handle("mail", work.Pool{Workers: 4}, func(context.Context, work.Job) error { return work.GiveUp(errors.New("no such mailbox")) })
	for i := range n {
		if _, err := w.jobs.EnqueueValue(w.t.Context(), work.Job{Kind: "mail", UniqueKey: fmt.Sprint("to ", i)}, map[string]int{"to": i}); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.jobs.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		counts, err := w.jobs.Counts(w.t.Context())
		if err == nil && counts[work.Dead] == int64(n) {
			break
		}
		if time.Now().After(deadline) {
			w.t.Fatal("the jobs do not die", counts, err)
		}
		<-time.After(5 * time.Millisecond)
	}
	if err := w.jobs.Stop(context.WithoutCancel(w.t.Context())); err != nil {
		w.t.Fatal(err)
	}
}

func TestDeadJobs(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var out deadJobsOut
	w.json("admin", "/api/v1/system/jobs/dead", &out)
	if out.Items == nil || len(out.Items) != 0 {
		t.Fatalf("%+v", out)
	}
	w.bury(2)
	w.json("admin", "/api/v1/system/jobs/dead", &out)
	if len(out.Items) != 2 || out.Next != "" {
		t.Fatalf("%+v", out)
	}
	j := out.Items[1]
	if j.Kind != "mail" || j.Attempts != 1 || j.Error != "no such mailbox" || j.UniqueKey != "to 0" || string(j.Payload) != `{"to":0}` || j.Failed.IsZero() || j.Created.IsZero() {
		t.Fatalf("%+v", j)
	}
	path := "/api/v1/system/jobs/dead/"
	if a := w.do("admin", "POST", path+j.ID+"/retry"); a.Code != 204 {
		t.Fatal(a.Code, a.Body)
	}
	if a := w.do("admin", "POST", path+j.ID+"/retry"); a.Code != 404 {
		t.Fatal("retried what waits", a.Code)
	}
	if a := w.do("admin", "DELETE", path+out.Items[0].ID); a.Code != 204 {
		t.Fatal(a.Code, a.Body)
	}
	counts, err := w.jobs.Counts(t.Context())
	if err != nil || counts[work.Waiting] != 1 || counts[work.Dead] != 0 {
		t.Fatal(counts, err)
	}
	if want := []string{"0 job.retry " + j.ID, "0 job.discard " + out.Items[0].ID}; !slices.Equal(w.audit, want) {
		t.Fatal(w.audit)
	}
}

func TestDeadJobsPage(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.bury(jobsPage + 3)
	var first, second deadJobsOut
	w.json("admin", "/api/v1/system/jobs/dead", &first)
	w.json("admin", "/api/v1/system/jobs/dead?before="+first.Next, &second)
	if len(first.Items) != jobsPage || len(second.Items) != 3 || second.Next != "" {
		t.Fatal(len(first.Items), len(second.Items), second.Next)
	}
}

func TestPayloadThatIsNoJSON(t *testing.T) {
	t.Parallel()
	if out := outOf(work.Job{Payload: []byte("{")}); out.Payload != nil {
		t.Fatalf("%s", out.Payload)
	}
}
