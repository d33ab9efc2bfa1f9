package system

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/work"
)

// world is a server with system only; the header As names the caller.
type world struct {
	t      *testing.T
	db     *database.DB
	jobs   *work.Jobs
	ready  atomic.Bool
	engine *gin.Engine

	mu    sync.Mutex
	audit []string
}

var callers = map[string]identity.Caller{
	"admin":                   {UserID: 1, Name: "admin", Admin: true},
	"admin with a read token": {UserID: 1, Name: "admin", Admin: true, Scopes: identity.TokenScopes{"read"}, Roles: map[int64]identity.Role{1: identity.Owner}},
	"viewer":                  {UserID: 2, Name: "viewer", Roles: map[int64]identity.Role{1: identity.Viewer}},
	"monitor":                 {UserID: 2, Name: "viewer", Roles: map[int64]identity.Role{1: identity.Viewer}, Scopes: identity.TokenScopes{"system:read"}},
	"ci token":                {UserID: 2, Name: "viewer", Roles: map[int64]identity.Role{1: identity.Viewer}, Scopes: identity.TokenScopes{"ci:admin"}},
}

func setup(t *testing.T, checks ...Check) *world {
	t.Helper()
	gin.SetMode(gin.TestMode)
	db := databasetest.Open(t)
	log := slog.New(slog.DiscardHandler)
	w := &world{t: t, db: db, jobs: work.NewJobs(db, "n1", time.Now, log), engine: gin.New()}
	w.ready.Store(true)
	s := New(Deps{Log: log, DB: db, Ready: w.ready.Load, Jobs: w.jobs, Checks: checks,
		Metrics: http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) { fmt.Fprint(out, "signalbox_up 1\n") }),
		Loops: func() []work.LoopStatus {
			return []work.LoopStatus{{Name: "a", Every: "1m0s", LastRun: time.UnixMilli(1777636800000), TookMS: 7, Runs: 3, Error: "broken"}, {Name: "b", Every: "1h0m0s"}}
		},
		Audit: func(_ context.Context, team int64, action, object, _ string) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.audit = append(w.audit, fmt.Sprint(team, " ", action, " ", object))
			return nil
		}})
	w.engine.Use(func(c *gin.Context) {
		c.Request = c.Request.WithContext(identity.With(c.Request.Context(), callers[c.GetHeader("As")]))
	})
	s.Routes(api.NewRouter(w.engine, &api.Table{}))
	return w
}

func (w *world) do(as, method, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, nil)
	r.Header.Set("As", as)
	out := httptest.NewRecorder()
	w.engine.ServeHTTP(out, r)
	return out
}

func (w *world) json(as, path string, into any) {
	w.t.Helper()
	a := w.do(as, "GET", path)
	if a.Code != 200 {
		w.t.Fatal(path, a.Code, a.Body)
	}
	if err := json.Unmarshal(a.Body.Bytes(), into); err != nil {
		w.t.Fatal(err)
	}
}
