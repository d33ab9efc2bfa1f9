package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/outbound"
	"github.com/signalbox/signalbox/server/platform/secrets"
	"github.com/signalbox/signalbox/server/platform/work"
)

// bundle is a service with a router over a fresh database; its jobs run.
type bundle struct {
	*Service
	db     *database.DB
	engine *gin.Engine
	role   identity.Role

	mu    sync.Mutex
	audit []string
	ids   int
}

func setup(t *testing.T, mail config.SMTP) *bundle {
	t.Helper()
	b := &bundle{db: databasetest.Open(t), role: identity.Member}
	for _, name := range []string{"main", "other"} {
		if err := b.db.Writer(t.Context()).Exec("INSERT INTO accounts_teams (name, created_at) VALUES (?, 0)", name).Error; err != nil {
			t.Fatal(err)
		}
	}
	box, _, err := secrets.OpenBox(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	guard, err := outbound.New([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	jobs := work.NewJobs(b.db, "test", time.Now, log)
	b.Service = New(Deps{DB: b.db, Box: box, Guard: guard, Jobs: jobs, SMTP: mail, Now: time.Now, Log: log, NewID: b.newID,
		Events: []Occasion{{Event: "build.failed", Capability: "ci", When: "a build fails"}, {Event: "build.fixed", Capability: "ci", When: "a job is green again"}},
		Audit: func(_ context.Context, _ int64, action, object, _ string) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.audit = append(b.audit, action+" "+object)
			return nil
		}})
	if err := jobs.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := jobs.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	gin.SetMode(gin.TestMode)
	b.engine = gin.New()
	b.engine.Use(func(c *gin.Context) { c.Request = c.Request.WithContext(b.as(c.Request.Context())) })
	b.Routes(api.NewRouter(b.engine, &api.Table{}).Group("/api/v1"))
	return b
}

func (b *bundle) newID() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ids++
	return fmt.Sprintf("%032x", b.ids)
}

func (b *bundle) as(ctx context.Context) context.Context {
	return identity.With(ctx, identity.Caller{UserID: 1, Name: "ada", Roles: map[int64]identity.Role{1: b.role},
		Teams: map[string]identity.Team{"main": {ID: 1, Name: "main"}}})
}

func (b *bundle) call(t *testing.T, method, path, body string, status int, out any) string {
	t.Helper()
	r := httptest.NewRequest(method, "/api/v1/ci/channels"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	b.engine.ServeHTTP(w, r)
	if w.Code != status {
		t.Fatalf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	if out != nil {
		if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return w.Body.String()
}

func (b *bundle) create(t *testing.T, body string) channelSecret {
	t.Helper()
	var made channelSecret
	b.call(t, "POST", "", body, 201, &made)
	return made
}

// newest is the last delivery of a channel.
func (b *bundle) newest(t *testing.T, id string) Delivery {
	t.Helper()
	var list items[Delivery]
	b.call(t, "GET", "/"+id+"/deliveries", "", 200, &list)
	if len(list.Items) == 0 {
		return Delivery{}
	}
	return list.Items[0]
}

func (b *bundle) raise(t *testing.T, m Message) {
	t.Helper()
	if err := b.Raise(t.Context(), 1, m); err != nil {
		t.Fatal(err)
	}
}

var broken = Message{Event: "build.failed", Title: "web/unit #7 failed", Pipeline: "web", Text: "2 tests failed.",
	Lines: []string{"\x1b[31mFAIL\x1b[0m parse", "exit <1> & out"}, URL: "https://ci.example.com/teams/main/pipelines/web/jobs/unit/builds/7"}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// receiver answers each POST with the next of its script, the last for ever.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	script []http.HandlerFunc
	heads  []http.Header
	bodies []string
}

func listen(t *testing.T, script ...http.HandlerFunc) *receiver {
	t.Helper()
	f := &receiver{script: script}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		f.mu.Lock()
		answer := f.script[min(len(f.bodies), len(f.script)-1)]
		f.heads, f.bodies = append(f.heads, r.Header), append(f.bodies, string(body))
		f.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *receiver) got() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string{}, f.bodies...)
}

func say(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}
