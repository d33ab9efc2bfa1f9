package edge

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
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

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/secrets"
	"github.com/signalbox/signalbox/server/platform/stream"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// clock is a time that tests move.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return noon.Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// world is a service with a database, an engine and two teams, main (1) and other (2).
type world struct {
	*Service
	clock  *clock
	engine *gin.Engine
	dir    string
	ids    atomic.Int64

	mu     sync.Mutex
	audits []string
	told   []stream.Event
}

func setup(t testing.TB, change ...func(*Deps)) *world {
	t.Helper()
	gin.SetMode(gin.TestMode)
	w := &world{clock: &clock{}, dir: t.TempDir()}
	db := databasetest.Open(t)
	for _, name := range []string{"main", "other"} {
		if err := db.Writer(t.Context()).Exec("INSERT INTO accounts_teams (name, created_at) VALUES (?, 0)", name).Error; err != nil {
			t.Fatal(err)
		}
	}
	w.start(t, db, change...)
	return w
}

// start makes a service over a database, as after a restart.
func (w *world) start(t testing.TB, db *database.DB, change ...func(*Deps)) {
	t.Helper()
	disk, err := blobs.NewDisk(filepath.Join(w.dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := blobs.New(blobs.Deps{DB: db, Backend: disk, Spool: filepath.Join(w.dir, "blobspool"), Now: w.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	box, _, err := secrets.OpenBox(filepath.Join(w.dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	deps := Deps{
		DB: db, Blobs: store, Box: box, Now: w.clock.now, Log: slog.New(slog.DiscardHandler), Dir: filepath.Join(w.dir, "edge"),
		NewID:     func() string { return fmt.Sprintf("%032x", w.ids.Add(1)) },
		PublicURL: func() string { return "https://signalbox.example.com" },
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
		Settings: Settings{Interval: 5 * time.Minute, MaxBundle: 64 << 20, TimestampLife: 7 * 24 * time.Hour},
	}
	for _, c := range change {
		c(&deps)
	}
	w.Service = New(deps)
	w.engine = gin.New()
	w.engine.UseRawPath, w.engine.UnescapePathValues, w.engine.RedirectTrailingSlash = true, true, false
	w.engine.Use(func(c *gin.Context) {
		if who := c.GetHeader("X-Who"); who != "" {
			c.Request = c.Request.WithContext(as(c.Request.Context(), who))
		}
	})
	w.Routes(api.NewRouter(w.engine, &api.Table{}))
}

// as is ada, who owns main, vic, who views it, or eve, who owns other.
func as(ctx context.Context, who string) context.Context {
	c := identity.Caller{UserID: 1, Name: who, Roles: map[int64]identity.Role{1: identity.Owner}, Teams: map[string]identity.Team{"main": {ID: 1, Name: "main"}}}
	switch who {
	case "vic":
		c.UserID, c.Roles = 2, map[int64]identity.Role{1: identity.Viewer}
	case "mia":
		c.UserID, c.Roles = 4, map[int64]identity.Role{1: identity.Member}
	case "eve":
		c.UserID, c.Roles, c.Teams = 3, map[int64]identity.Role{2: identity.Owner}, map[string]identity.Team{"other": {ID: 2, Name: "other"}}
	}
	return identity.With(ctx, c)
}

// call makes a request of our own API.
func (w *world) call(who, method, path, body string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("X-Who", who)
	r.Header.Set("Content-Type", "application/json")
	out := httptest.NewRecorder()
	w.engine.ServeHTTP(out, r)
	return out.Code, out.Body.String()
}

// want is call that must answer with a status; the answer is decoded into out if there is one.
func (w *world) want(t testing.TB, who, method, path, body string, status int, out any) string {
	t.Helper()
	code, answer := w.call(who, method, path, body)
	if code != status {
		t.Fatalf("%s %s: %d %s, want %d", method, path, code, answer, status)
	}
	if out != nil {
		if err := json.Unmarshal([]byte(answer), out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, answer)
		}
	}
	return answer
}

// token makes an enrolment token of team main and gives its secret.
func (w *world) token(t testing.TB, more string) string {
	t.Helper()
	var made Token
	w.want(t, "ada", "POST", "/api/v1/edge/tokens", `{"team":"main","name":"shop"`+more+`}`, 201, &made)
	return made.Secret
}

// agent is a machine.
type agent struct {
	w    *world
	name string
	key  ed25519.PrivateKey
	id   string
	seq  int64
}

func (w *world) agent(name string) *agent {
	seed := sha256.Sum256([]byte(name))
	return &agent{w: w, name: name, key: ed25519.NewKeyFromSeed(seed[:])}
}

func (a *agent) public() ed25519.PublicKey { return a.key.Public().(ed25519.PublicKey) }

func bookworm(hostname string) protocol.Machine {
	return protocol.Machine{Hostname: hostname, OSID: "debian", VersionID: "12", Codename: "bookworm", Arch: "amd64", PackageSystem: "apt", Kernel: "6.1.0", BootID: "b"}
}

// do makes a signed request with the next number.
func (a *agent) do(method, path string, body []byte, header ...string) *httptest.ResponseRecorder {
	a.seq++
	return a.doAs(a.seq, method, path, body, header...)
}

func (a *agent) doAs(seq int64, method, path string, body []byte, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, bytes.NewReader(body))
	protocol.Sign(r, body, a.id, a.key, a.w.clock.now(), seq)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	out := httptest.NewRecorder()
	a.w.engine.ServeHTTP(out, r)
	return out
}

// send is do with JSON both ways; it gives the status.
func (a *agent) send(t testing.TB, method, path string, in, out any) int {
	t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	answer := a.do(method, path, raw)
	if out != nil && answer.Code < 300 {
		if err := json.Unmarshal(answer.Body.Bytes(), out); err != nil {
			t.Fatalf("%s: %v in %s", path, err, answer.Body)
		}
	}
	return answer.Code
}

func (a *agent) enrol(t testing.TB, token string, change ...func(*protocol.EnrollRequest)) (protocol.EnrollAnswer, int) {
	t.Helper()
	in := protocol.EnrollRequest{Token: token, Name: a.name, PublicKey: a.public(), Machine: bookworm(a.name), Agent: "1.0.0"}
	for _, c := range change {
		c(&in)
	}
	a.id = ""
	var out protocol.EnrollAnswer
	status := a.send(t, "POST", protocol.PathEnroll, in, &out)
	a.id = out.Node
	return out, status
}

// node enrols and accepts a machine of team main.
func (w *world) node(t testing.TB, name string, more ...string) *agent {
	t.Helper()
	a := w.agent(name)
	if out, status := a.enrol(t, w.token(t, `,"accepts":true`+strings.Join(more, ""))); status != http.StatusCreated || out.State != protocol.NodeAccepted {
		t.Fatal(status, out)
	}
	return a
}

func (a *agent) checkIn(t testing.TB, in protocol.CheckIn) (protocol.CheckInAnswer, int) {
	t.Helper()
	if in.State == "" {
		in.State = protocol.StateIdle
	}
	var out protocol.CheckInAnswer
	return out, a.send(t, "POST", protocol.PathCheckIn, in, &out)
}

// row is the node as the database has it, after what waits was written.
func (a *agent) row(t testing.TB) Node {
	t.Helper()
	if err := a.w.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	n, err := a.w.rows().node(t.Context(), a.id)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (a *agent) events(t testing.TB) []Event {
	t.Helper()
	list, err := a.w.rows().events(t.Context(), a.id, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func hashOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

func read(t testing.TB, r io.Reader) string {
	t.Helper()
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
