package issues

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/stream"
	"github.com/signalbox/signalbox/server/platform/work"
)

// clock is a time that tests move.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// world is a service with a database, an engine and two teams, main and other.
type world struct {
	*Service
	db     *database.DB
	clock  *clock
	engine *gin.Engine
	role   identity.Role
	dir    string
	ids    atomic.Int64

	mu     sync.Mutex
	audits []string
	told   []stream.Event
}

// setup makes a world that runs; change adapts its dependencies.
func setup(t testing.TB, change ...func(*Deps)) *world {
	t.Helper()
	w := prepare(t, change...)
	w.run(t)
	return w
}

// prepare makes a world whose Start is up to the test.
func prepare(t testing.TB, change ...func(*Deps)) *world {
	t.Helper()
	w := &world{db: databasetest.Open(t), clock: &clock{}, role: identity.Member, dir: t.TempDir()}
	for _, name := range []string{"main", "other"} {
		if err := w.db.Writer(t.Context()).Exec("INSERT INTO accounts_teams (name, created_at) VALUES (?, 0)", name).Error; err != nil {
			t.Fatal(err)
		}
	}
	w.Service = w.service(t, change...)
	return w
}

// service makes another service on the same database and folder, as after a restart.
func (w *world) service(t testing.TB, change ...func(*Deps)) *Service {
	t.Helper()
	disk, err := blobs.NewDisk(filepath.Join(w.dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := blobs.New(blobs.Deps{DB: w.db, Backend: disk, Spool: filepath.Join(w.dir, "blobspool"), Now: w.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	deps := Deps{
		DB: w.db, Blobs: store, Jobs: work.NewJobs(w.db, "test", w.clock.now, log), Now: w.clock.now, Log: log, Node: "node", Dir: filepath.Join(w.dir, "spool"),
		NewID:     func() string { return fmt.Sprintf("%032x", w.ids.Add(1)) },
		PublicURL: func() string { return "https://signalbox.example.com" },
		TeamName: func(_ context.Context, id int64) (string, error) {
			return map[int64]string{1: "main", 2: "other"}[id], nil
		},
		Audit: func(_ context.Context, _ int64, action, object, _ string) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.audits = append(w.audits, action+" "+object)
			return nil
		},
		Publish: func(_ context.Context, e stream.Event) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.told = append(w.told, e)
			return nil
		},
		Limits: sentry.DefaultLimits(), SpoolBytes: 1 << 30, Retention: Retention{Days: 90, Events: 1_000_000, Bytes: 10 << 30},
	}
	for _, c := range change {
		c(&deps)
	}
	s, err := New(deps)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) run(t testing.TB) {
	t.Helper()
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Stop(context.WithoutCancel(t.Context())) })
	gin.SetMode(gin.TestMode)
	w.engine = gin.New()
	w.engine.UseRawPath, w.engine.UnescapePathValues, w.engine.RedirectTrailingSlash = true, true, false
	w.engine.Use(func(c *gin.Context) {
		if c.GetHeader("X-Nobody") == "" {
			c.Request = c.Request.WithContext(w.as(c.Request.Context()))
		}
	})
	w.Routes(api.NewRouter(w.engine, &api.Table{}))
}

// as is a caller in team main.
func (w *world) as(ctx context.Context) context.Context {
	return identity.With(ctx, identity.Caller{UserID: 1, Name: "ada", Roles: map[int64]identity.Role{1: w.role}, Teams: map[string]identity.Team{"main": {ID: 1, Name: "main"}}})
}

// newProject makes a project in team main and gives its first key.
func (w *world) newProject(t testing.TB, slug string) (Project, Key) {
	t.Helper()
	p, err := w.CreateProject(w.as(t.Context()), 1, Project{Name: slug, Slug: slug, Platform: "python"})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := w.Keys(w.as(t.Context()), p.ID)
	if err != nil || len(keys) != 1 {
		t.Fatal(len(keys), err)
	}
	return p, keys[0]
}

// do serves one request; header is names and values.
func (w *world) do(method, path string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, body)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	out := httptest.NewRecorder()
	w.engine.ServeHTTP(out, r)
	return out
}

// send posts an envelope by a key.
func (w *world) send(k Key, envelope string, header ...string) *httptest.ResponseRecorder {
	return w.do("POST", fmt.Sprintf("/api/%d/envelope/?sentry_key=%s", k.Project, k.Public), strings.NewReader(envelope), header...)
}

// call is a request to an API that must answer with status; the answer is decoded into out, if given.
func (w *world) call(t testing.TB, method, path string, body any, status int, out any) string {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if body == nil {
		raw = nil
	}
	a := w.do(method, path, bytes.NewReader(raw), "Content-Type", "application/json")
	if a.Code != status {
		t.Fatalf("%s %s: %d %s, want %d", method, path, a.Code, a.Body, status)
	}
	if out != nil {
		if err := json.Unmarshal(a.Body.Bytes(), out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, a.Body)
		}
	}
	return a.Body.String()
}

// until waits for something that happens in the background.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// collector stands for digestion: it saves the position and keeps what came.
type collector struct {
	service *Service
	mu      sync.Mutex
	got     []Accepted
	batches []int
	fail    func(batch []Accepted) error // asked before each batch, if set
}

// collect puts a collector in the place of digestion; call it before Start.
func collect(s *Service) *collector {
	c := &collector{service: s}
	s.consume = c.consume
	return c
}

func (c *collector) consume(ctx context.Context, batch []Accepted) error {
	c.mu.Lock()
	fail := c.fail
	c.mu.Unlock()
	return c.service.DB.Tx(ctx, func(ctx context.Context) error {
		if fail != nil {
			if err := fail(batch); err != nil {
				return err
			}
		}
		if err := c.service.spoolDone(ctx, batch[len(batch)-1].Offset); err != nil {
			return err
		}
		c.service.DB.AfterCommit(ctx, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.got = append(c.got, batch...)
			c.batches = append(c.batches, len(batch))
		})
		return nil
	})
}

func (c *collector) list() []Accepted {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Accepted(nil), c.got...)
}

// await waits until n items are digested.
func (c *collector) await(t testing.TB, n int) []Accepted {
	t.Helper()
	until(t, fmt.Sprintf("%d items are digested", n), func() bool { return len(c.list()) >= n })
	return c.list()
}

// outcome sums a project's counters, unwritten ones included, as "outcome/reason/category".
func (w *world) outcome(t testing.TB, project int64) map[string]int64 {
	t.Helper()
	if err := w.flushOutcomes(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, err := w.outcomesOf(t.Context(), project, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	for _, r := range rows {
		out[r.Outcome+"/"+r.Reason+"/"+r.Category] += r.Quantity
	}
	return out
}

// event is an envelope with one event.
func event(id, message string) string {
	return fmt.Sprintf("{\"event_id\":%q}\n{\"type\":\"event\"}\n{\"message\":%q,\"level\":\"error\",\"platform\":\"python\"}\n", id, message)
}

var lastID atomic.Int64

// newID is an event id that no other test has.
func newID() string { return fmt.Sprintf("%032x", 0xabc0000000+lastID.Add(1)) }

func status(a *httptest.ResponseRecorder) string { return fmt.Sprint(a.Code, " ", a.Body) }
