package github

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/outbound"
	"github.com/signalbox/signalbox/server/platform/secrets"
	"github.com/signalbox/signalbox/server/platform/work"
)

// clock is a time that tests move.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

type bundle struct {
	*Service
	db     *database.DB
	clock  *clock
	engine *gin.Engine
	role   identity.Role

	mu    sync.Mutex
	audit []string
}

func setup(t testing.TB) *bundle {
	t.Helper()
	b := &bundle{db: databasetest.Open(t), clock: &clock{}, role: identity.Member}
	for _, name := range []string{"main", "other"} {
		if err := b.db.Writer(t.Context()).Exec("INSERT INTO accounts_teams (name, created_at) VALUES (?, 0)", name).Error; err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	box, _, err := secrets.OpenBox(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	disk, err := blobs.NewDisk(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := blobs.New(blobs.Deps{DB: b.db, Backend: disk, Spool: filepath.Join(dir, "spool"), Now: b.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	guard, err := outbound.New([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	b.Service = New(Deps{
		DB: b.db, Box: box, Blobs: store, Guard: guard, Jobs: work.NewJobs(b.db, "test", b.clock.now, log), Now: b.clock.now, Log: log,
		PublicURL: func() string { return "https://signalbox.example.com" },
		Audit: func(_ context.Context, _ int64, action, object, _ string) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.audit = append(b.audit, action+" "+object)
			return nil
		},
	})
	b.Start(t.Context())
	t.Cleanup(b.Stop)
	gin.SetMode(gin.TestMode)
	b.engine = gin.New()
	b.engine.Use(func(c *gin.Context) { c.Request = c.Request.WithContext(b.as(c.Request.Context())) })
	router := api.NewRouter(b.engine, &api.Table{})
	b.IntakeRoutes(router)
	b.Routes(router.Group("/api/v1"))
	return b
}

func (b *bundle) as(ctx context.Context) context.Context {
	return identity.With(ctx, identity.Caller{UserID: 1, Name: "ada", Roles: map[int64]identity.Role{1: b.role}, Teams: map[string]identity.Team{"main": {ID: 1, Name: "main"}}})
}

func (b *bundle) newHook(t testing.TB) HookSecret {
	t.Helper()
	h, err := b.CreateHook(b.as(t.Context()), 1, "", "")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// request is a delivery as GitHub would send it.
func request(h HookSecret, guid, event, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/hooks/github/"+h.ID, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "GitHub-Hookshot/044aadd")
	r.Header.Set("X-GitHub-Event", event)
	r.Header.Set("X-GitHub-Delivery", guid)
	r.Header.Set("X-Hub-Signature-256", sign(h.Secret, []byte(body)))
	return r
}

func (b *bundle) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.engine.ServeHTTP(w, r)
	return w
}

// call is a request to the own API, decoded into out when that is given.
func (b *bundle) call(t *testing.T, method, path, body string, status int, out any) string {
	t.Helper()
	r := httptest.NewRequest(method, "/api/v1/ci"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := b.do(r)
	if w.Code != status {
		t.Errorf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	if out != nil {
		if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
			t.Errorf("%s %s: %v", method, path, err)
		}
	}
	return w.Body.String()
}

func (b *bundle) list(t *testing.T, f DeliveryFilter) []Delivery {
	t.Helper()
	list, err := b.Deliveries(t.Context(), f, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// fakeGitHub answers each request with what its script says for "METHOD path", in order, the last for ever.
type fakeGitHub struct {
	*httptest.Server
	mu       sync.Mutex
	script   map[string][]http.HandlerFunc
	requests []string
}

func newFake(t *testing.T) *fakeGitHub {
	t.Helper()
	f := &fakeGitHub{script: map[string][]http.HandlerFunc{}}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		f.mu.Lock()
		key := r.Method + " " + r.URL.Path
		f.requests = append(f.requests, strings.TrimSpace(key+" "+string(body)))
		steps := f.script[key]
		if len(steps) > 1 {
			f.script[key] = steps[1:]
		}
		f.mu.Unlock()
		if len(steps) == 0 {
			http.NotFound(w, r)
			return
		}
		steps[0](w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeGitHub) on(key string, steps ...http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script[key] = steps
}

func (f *fakeGitHub) count(prefix string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.requests {
		if strings.HasPrefix(r, prefix) {
			n++
		}
	}
	return n
}

func answer(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}
