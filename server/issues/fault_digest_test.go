package issues

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// drained waits until all that was taken is digested.
func (w *world) drained(t testing.TB) {
	t.Helper()
	until(t, "the spool is empty", func() bool { d, e := w.spool.state(); return d == e })
}

// rowsOf counts a table's rows that meet a condition.
func (w *world) rowsOf(t testing.TB, table, where string, args ...any) (n int64) {
	t.Helper()
	if err := w.db.Reader(t.Context()).Raw("SELECT COUNT(*) FROM "+table+" WHERE "+where, args...).Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

// crash is an envelope whose event belongs to the issue of its kind.
func crash(id, kind, release string, at time.Time) string {
	return fmt.Sprintf("{\"event_id\":%q}\n{\"type\":\"event\"}\n{\"platform\":\"python\",\"release\":%q,\"timestamp\":%q,\"exception\":{\"values\":[{\"type\":%q,\"value\":\"x\"}]}}\n",
		id, release, at.UTC().Format(time.RFC3339Nano), kind)
}

// TestReadingAheadKeepsOrder: while one batch is written the next one is read;
// an issue's events are counted in the order in which they came, and once each.
func TestReadingAheadKeepsOrder(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	var refused atomic.Int64
	w.OnEvents = func(_ context.Context, list []Digested) error {
		// Some transactions fail at their end, as those of a busy database do.
		if refused.Load() < 4 {
			refused.Add(1)
			return problem.New(problem.Unavailable, "Not now.")
		}
		return nil
	}
	w.run(t)
	p, k := w.newProject(t, "shop")
	const events = 3*batchItems + 50
	begun := w.clock.now().Add(-time.Hour)
	for n := range events {
		if a := w.send(k, crash(newID(), "Broken", fmt.Sprintf("shop@1.0.%d", n), begun.Add(time.Duration(n)*time.Second))); a.Code != http.StatusOK {
			t.Fatal(status(a))
		}
	}
	w.drained(t)
	var row issueRow
	if err := w.db.Reader(t.Context()).Where("project_id = ?", p.ID).Take(&row).Error; err != nil {
		t.Fatal(err)
	}
	if row.Events != events || row.FirstRelease != "shop@1.0.0" || row.LastRelease != fmt.Sprintf("shop@1.0.%d", events-1) {
		t.Errorf("%d events from %s to %s", row.Events, row.FirstRelease, row.LastRelease)
	}
	if n := w.rowsOf(t, "issues_events", "project_id = ?", p.ID); n != events {
		t.Errorf("%d events are stored, want %d", n, events)
	}
}

// TestPoisonAmongWhatIsReadAhead: an item that fails each transaction is put
// aside, and all around it is digested once.
func TestPoisonAmongWhatIsReadAhead(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	w.OnEvents = func(_ context.Context, list []Digested) error {
		for _, e := range list {
			if e.Release == "poison" {
				panic("it bites")
			}
		}
		return nil
	}
	w.run(t)
	p, k := w.newProject(t, "shop")
	for n := range 40 {
		release := "shop@1"
		if n == 20 {
			release = "poison"
		}
		if a := w.send(k, crash(newID(), "Broken", release, w.clock.now())); a.Code != http.StatusOK {
			t.Fatal(status(a))
		}
	}
	w.drained(t)
	if n := w.rowsOf(t, "issues_events", "project_id = ?", p.ID); n != 39 {
		t.Errorf("%d events are stored", n)
	}
	if n := w.rowsOf(t, "issues_rejected", "project_id = ?", p.ID); n != 1 {
		t.Errorf("%d items were put aside", n)
	}
}

// TestRestartWhileReadingAhead: what was read ahead and not written is digested
// by the next life, and nothing twice.
func TestRestartWhileReadingAhead(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	entered := make(chan struct{}, 1)
	w.OnEvents = func(ctx context.Context, _ []Digested) error {
		select {
		case entered <- struct{}{}:
		default:
		}
		<-ctx.Done() // the transaction never ends by itself
		return ctx.Err()
	}
	w.run(t)
	p, k := w.newProject(t, "shop")
	const events = 2*batchItems + 10
	for range events {
		if a := w.send(k, crash(newID(), "Broken", "shop@1", w.clock.now())); a.Code != http.StatusOK {
			t.Fatal(status(a))
		}
	}
	<-entered
	w.Stop(t.Context())
	if n := w.rowsOf(t, "issues_events", "project_id = ?", p.ID); n != 0 {
		t.Fatalf("%d events were stored by transactions that failed", n)
	}
	w.Service = w.service(t)
	w.run(t)
	w.drained(t)
	if n := w.rowsOf(t, "issues_events", "project_id = ?", p.ID); n != events {
		t.Errorf("%d events are stored, want %d", n, events)
	}
}

// TestProjectDeletedUnderLoad: while four clients report to two projects, one
// of them is deleted. Its clients hear 403, nothing of it stays, and the other
// one has every event that was acknowledged.
func TestProjectDeletedUnderLoad(t *testing.T) {
	t.Parallel()
	w := setup(t)
	gone, first := w.newProject(t, "gone")
	kept, second := w.newProject(t, "kept")
	var acknowledged, refused atomic.Int64
	var clients sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		clients.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				switch a := w.send(first, crash(newID(), fmt.Sprint("Gone", n%7), "a@1", w.clock.now())); a.Code {
				case http.StatusOK:
				case http.StatusForbidden:
					refused.Add(1)
				default:
					t.Error(status(a))
				}
				if a := w.send(second, crash(newID(), fmt.Sprint("Kept", n%7), "a@1", w.clock.now())); a.Code != http.StatusOK {
					t.Error(status(a))
				}
				acknowledged.Add(1)
			}
		})
	}
	until(t, "events are digested", func() bool { return w.rowsOf(t, "issues_events", "project_id = ?", gone.ID) > 20 })
	if err := w.DeleteProject(w.as(t.Context()), gone.ID); err != nil {
		t.Fatal(err)
	}
	until(t, "its clients hear of it", func() bool { return refused.Load() > 20 })
	close(stop)
	clients.Wait()
	w.drained(t)
	until(t, "nothing of it stays", func() bool {
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		return w.rowsOf(t, "issues_events", "project_id = ?", gone.ID)+w.rowsOf(t, "issues_issues", "project_id = ?", gone.ID) == 0
	})
	if n := w.rowsOf(t, "issues_events", "project_id = ?", kept.ID); n != acknowledged.Load() {
		t.Errorf("%d events of the other project are stored, %d were acknowledged", n, acknowledged.Load())
	}
}

// TestEventsFromTheFuture: they count as of when they came, whatever they say.
func TestEventsFromTheFuture(t *testing.T) {
	t.Parallel()
	w := setup(t)
	p, k := w.newProject(t, "shop")
	for _, at := range []string{`"2999-01-01T00:00:00Z"`, "4102444800", "1e300", "-5", `"tomorrow"`, "null", "9223372036854775807"} {
		a := w.send(k, fmt.Sprintf("{\"event_id\":%q}\n{\"type\":\"event\"}\n{\"message\":\"m\",\"timestamp\":%s}\n", newID(), at))
		if a.Code != http.StatusOK {
			t.Error(at, status(a))
		}
	}
	w.drained(t)
	soon := w.clock.now().Add(time.Minute).UnixMilli()
	if n := w.rowsOf(t, "issues_events", "project_id = ? AND timestamp BETWEEN 0 AND ?", p.ID, soon); n != 7 {
		t.Errorf("%d of 7 events lie in the past", n)
	}
	if n := w.rowsOf(t, "issues_issues", "project_id = ? AND last_seen <= ?", p.ID, soon); n != 1 {
		t.Errorf("%d issues were seen in the past", n)
	}
}

// TestTheSameEventFromManyClients: an event that is sent by eight clients at
// once and again later is kept once.
func TestTheSameEventFromManyClients(t *testing.T) {
	t.Parallel()
	w := setup(t)
	p, k := w.newProject(t, "shop")
	id := newID()
	for range 2 {
		var clients sync.WaitGroup
		for n := range 8 {
			clients.Go(func() {
				sent := id
				if n%2 == 0 {
					sent = strings.ToUpper(dashed(id))
				}
				if a := w.send(k, crash(sent, "Broken", "a@1", w.clock.now())); a.Code != http.StatusOK {
					t.Error(status(a))
				}
			})
		}
		clients.Wait()
		w.drained(t)
	}
	var row issueRow
	if err := w.db.Reader(t.Context()).Where("project_id = ?", p.ID).Take(&row).Error; err != nil {
		t.Fatal(err)
	}
	if n := w.rowsOf(t, "issues_events", "project_id = ?", p.ID); n != 1 || row.Events != 1 {
		t.Errorf("%d events, counted as %d", n, row.Events)
	}
}
