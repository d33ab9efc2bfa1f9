package accounts

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/identity"
)

var production = current

// TestMain makes hashes cheap; TestProductionParameters checks the real ones.
func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	current = argon{memory: 64, time: 1, threads: 1}
	os.Exit(m.Run())
}

const password = "a long enough password"

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a server with accounts only: the administrator root, team main, and
// team web with one user per role, named as the role; stranger is in no team.
type world struct {
	t      *testing.T
	db     *database.DB
	s      *Service
	clock  *clock
	engine *gin.Engine
	table  *api.Table
	tokens map[string]string
}

func open(t *testing.T, db *database.DB, c *clock) *Service {
	t.Helper()
	s, err := New(Deps{DB: db, Now: c.now, Log: slog.New(slog.DiscardHandler), PublicURL: "https://box.example.com", Version: "8.2.5",
		Capabilities: func() []string { return []string{"ci"} }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.unlisten() })
	return s
}

// empty is a world without teams and users.
func empty(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, db: databasetest.Open(t), clock: newClock(), engine: gin.New(), table: &api.Table{}, tokens: map[string]string{}}
	w.s = open(t, w.db, w.clock)
	w.engine.Use(api.WithRequestID(), w.s.Authenticate())
	w.s.Routes(api.NewRouter(w.engine, w.table))
	return w
}

// setup writes the world in one transaction: a commit waits for the disk.
func setup(t *testing.T) *world {
	t.Helper()
	w := empty(t)
	if err := w.db.Tx(t.Context(), w.populate); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) populate(ctx context.Context) error {
	if _, err := w.s.EnsureFirstAdmin(ctx, "root", password); err != nil {
		return err
	}
	root, err := w.s.store.userByName(ctx, "root")
	if err != nil {
		return err
	}
	asRoot := identity.With(ctx, identity.Caller{UserID: root.ID, Name: root.Name, Admin: true})
	if _, err := w.s.CreateTeam(asRoot, "web"); err != nil {
		return err
	}
	for _, role := range identity.Roles {
		if _, _, err := UserCreate(ctx, w.s, NewUser{Name: string(role), Password: password, Team: "web", Role: role}); err != nil {
			return err
		}
	}
	if _, _, err := UserCreate(ctx, w.s, NewUser{Name: "stranger", Password: password}); err != nil {
		return err
	}
	for _, name := range []string{"root", "viewer", "pipeline-operator", "member", "owner", "stranger"} {
		_, secret, err := TokenCreate(ctx, w.s, name, NewToken{Name: "test", Scopes: identity.TokenScopes{"*"}})
		if err != nil {
			return err
		}
		w.tokens[name] = secret
	}
	return nil
}

// token makes a token under the key "name" (all scopes) or "name/scopes".
func (w *world) token(name string, scopes ...string) string {
	w.t.Helper()
	_, secret, err := TokenCreate(w.t.Context(), w.s, name, NewToken{Name: "test", Scopes: scopes})
	if err != nil {
		w.t.Fatal(err)
	}
	key := name
	if len(scopes) != 1 || scopes[0] != "*" {
		key += "/" + strings.Join(scopes, ",")
	}
	w.tokens[key] = secret
	return secret
}

type answer struct {
	*httptest.ResponseRecorder
	t *testing.T
}

func (a answer) json(into any) {
	a.t.Helper()
	if err := json.Unmarshal(a.Body.Bytes(), into); err != nil {
		a.t.Fatalf("%v in %s", err, a.Body)
	}
}

func (w *world) request(method, path, body string) *http.Request {
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, bytes.NewBufferString(body))
	r.RemoteAddr = "203.0.113.7:4711"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

func (w *world) send(r *http.Request) answer {
	rec := httptest.NewRecorder()
	w.engine.ServeHTTP(rec, r)
	return answer{rec, w.t}
}

// do calls with the token kept under that name; "" is anonymous.
func (w *world) do(as, method, path, body string) answer {
	w.t.Helper()
	r := w.request(method, path, body)
	if as != "" {
		token, ok := w.tokens[as]
		if !ok {
			w.t.Fatalf("no token %q", as)
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return w.send(r)
}

func (w *world) mustDo(as, method, path, body string, status int) answer {
	w.t.Helper()
	a := w.do(as, method, path, body)
	if a.Code != status {
		w.t.Fatalf("%s %s as %q: %d, want %d: %s", method, path, as, a.Code, status, a.Body)
	}
	return a
}

// browser is a signed-in session.
type browser struct {
	w      *world
	cookie *http.Cookie
	csrf   string
}

func (w *world) login(name, password string) answer {
	w.t.Helper()
	body, err := json.Marshal(loginIn{name, password})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.send(w.request("POST", "/api/v1/accounts/session", string(body)))
}

func (w *world) browse(name string) *browser {
	w.t.Helper()
	a := w.login(name, password)
	if a.Code != 200 || len(a.Result().Cookies()) != 1 {
		w.t.Fatalf("login as %s: %d %s", name, a.Code, a.Body)
	}
	b := &browser{w: w, cookie: a.Result().Cookies()[0]}
	var me meOut
	b.do("GET", "/api/v1/accounts/me", "").json(&me)
	b.csrf = me.CSRFToken
	return b
}

func (b *browser) request(method, path, body string) *http.Request {
	r := b.w.request(method, path, body)
	r.AddCookie(b.cookie)
	if b.csrf != "" {
		r.Header.Set("X-CSRF-Token", b.csrf)
	}
	return r
}

func (b *browser) do(method, path, body string) answer {
	return b.w.send(b.request(method, path, body))
}

// scenario is one line of a table of calls on a fresh world.
type scenario struct {
	name, as, method, path, body string
	status                       int
	// contains must be part of the body; lacks must not.
	contains, lacks []string
	// audit is the action of the newest entry afterwards, if not "".
	audit string
}

func run(t *testing.T, table []scenario, prepare func(*world)) {
	t.Helper()
	for _, sc := range table {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			if prepare != nil {
				prepare(w)
			}
			a := w.mustDo(sc.as, sc.method, sc.path, sc.body, sc.status)
			for _, s := range sc.contains {
				if !strings.Contains(a.Body.String(), s) {
					t.Errorf("%q is not in %s", s, a.Body)
				}
			}
			for _, s := range sc.lacks {
				if strings.Contains(a.Body.String(), s) {
					t.Errorf("%q is in %s", s, a.Body)
				}
			}
			if sc.audit != "" && w.lastAudit().Action != sc.audit {
				t.Errorf("newest audit entry %+v, want %s", w.lastAudit(), sc.audit)
			}
		})
	}
}

func (w *world) lastAudit() AuditEntry {
	w.t.Helper()
	entries, err := w.s.AuditLog(w.t.Context(), AuditFilter{})
	if err != nil || len(entries) == 0 {
		w.t.Fatal(entries, err)
	}
	return entries[0]
}
