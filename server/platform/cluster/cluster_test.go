package cluster

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/secrets"
)

// member is a server of the tests, with the time in its own hands.
type member struct {
	*Cluster
	now time.Time
}

func newMember(t *testing.T, db *database.DB, box *secrets.Box, node, address string) *member {
	t.Helper()
	m := &member{now: time.Now()}
	m.Cluster = New(Deps{DB: db, Self: Member{Node: node, Name: "host-" + node, Address: address}, Now: func() time.Time { return m.now }, Log: slog.New(slog.DiscardHandler), Box: box})
	if err := m.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}

func newBox(t *testing.T) *secrets.Box {
	t.Helper()
	box, _, err := secrets.OpenBox(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	return box
}

// TestMembers: who is silent or has left is not there, and comes back under its name.
func TestMembers(t *testing.T) {
	t.Parallel()
	db, box := databasetest.Open(t), newBox(t)
	a, b := newMember(t, db, box, "aaaaaaaa", ""), newMember(t, db, box, "bbbbbbbb", "")
	others, err := a.Others(t.Context())
	if db.Dialect != database.Postgres {
		if all, err := a.Members(t.Context()); err != nil || len(others) != 0 || len(all) != 1 || !all[0].There || a.Several() || a.Loops() != nil {
			t.Error(others, all, err)
		}
		return
	}
	if err != nil || len(others) != 1 || !others[0].There || others[0].Title() != "host-bbbbbbbb (bbbbbb)" {
		t.Fatal(others, err)
	}
	look := func(after time.Duration) Member {
		t.Helper()
		a.now = a.now.Add(after)
		m, err := a.Member(t.Context(), "bbbbbbbb")
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if m := look(silence + time.Second); m.There || !strings.Contains(m.Absence(), "nothing was heard since") {
		t.Error(m)
	}
	b.now = a.now
	if err := b.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m := look(fresh); !m.There {
		t.Error(m)
	}
	if err := b.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m := look(fresh); m.There || !strings.Contains(m.Absence(), "was stopped at") {
		t.Error(m)
	}
	if err := a.Forget(t.Context(), "bbbbbbbb"); err != nil {
		t.Fatal(err)
	}
	if err := a.Forget(t.Context(), "bbbbbbbb"); !problem.Is(err, problem.NotFound) {
		t.Error(err)
	}
	if m := look(0); m.There || m.Name != "" {
		t.Error(m)
	}
}

// TestCalls: a call is let in with the installation's key, once, as it was made.
func TestCalls(t *testing.T) {
	t.Parallel()
	db, box := databasetest.Open(t), newBox(t)
	host := newMember(t, db, box, "aaaaaaaa", "")
	var last *http.Request
	var lastBody []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last = r.Clone(r.Context())
		body, err := host.Admit(r)
		lastBody = body
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		w.Write(append([]byte("heard "), body...))
	}))
	t.Cleanup(server.Close)
	there := Member{Node: "aaaaaaaa", Address: server.URL, There: true}
	guest, stranger := newMember(t, db, box, "bbbbbbbb", ""), newMember(t, db, newBox(t), "cccccccc", "")
	answer, err := guest.Call(t.Context(), there, "/cluster/v1/test", "hello")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(answer)
	answer.Close()
	if err != nil || string(raw) != `heard "hello"` {
		t.Error(string(raw), err)
	}
	replay := func(what string, change func(r *http.Request), body []byte) {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, last.URL.Path, bytes.NewReader(body))
		r.Header = last.Header.Clone()
		change(r)
		if _, err := host.Admit(r); err == nil {
			t.Errorf("a call with %s is let in", what)
		}
	}
	replay("another body", func(*http.Request) {}, []byte("other"))
	replay("another address", func(r *http.Request) { r.URL.Path = "/cluster/v1/other" }, lastBody)
	replay("no pass", func(r *http.Request) { r.Header.Del(passHeader) }, lastBody)
	if _, err := stranger.Call(t.Context(), there, "/cluster/v1/test", "hello"); err == nil || !strings.Contains(err.Error(), "403") {
		t.Error("a server with another key is let in:", err)
	}
	elsewhere := there
	elsewhere.Node = "dddddddd"
	if _, err := guest.Call(t.Context(), elsewhere, "/cluster/v1/test", "hello"); err == nil {
		t.Error("a call to another member is let in")
	}
	guest.now = guest.now.Add(-skew - time.Minute)
	if _, err := guest.Call(t.Context(), there, "/cluster/v1/test", "hello"); err == nil {
		t.Error("an old call is let in")
	}
	var absent *Absent
	for _, gone := range []Member{{Node: "x"}, {Node: "x", There: true}, {Node: "x", Address: "http://127.0.0.1:1", There: true}} {
		if _, err := guest.Call(t.Context(), gone, "/", nil); !errors.As(err, &absent) {
			t.Error(err)
		}
	}
}

// TestForward: a person's request reaches the member it is for with all it had.
func TestForward(t *testing.T) {
	t.Parallel()
	db, box := databasetest.Open(t), newBox(t)
	gin.SetMode(gin.ReleaseMode)
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, strings.Join([]string{r.Method, r.URL.String(), r.Header.Get("Authorization"), r.Header.Get("Cookie"), r.Host, r.Header.Get(forwardedHeader)}, " "))
	}))
	t.Cleanup(home.Close)
	front := newMember(t, db, box, "bbbbbbbb", "")
	engine := gin.New()
	at := Member{Node: "aaaaaaaa", Address: home.URL, There: true}
	engine.GET("/*path", func(c *gin.Context) {
		if err := front.Forward(c, at); err != nil {
			c.String(http.StatusServiceUnavailable, err.Error())
		}
	})
	ask := func() string {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "http://signalbox.example/api/x?q=1", nil)
		r.Header.Set("Authorization", "Bearer t")
		r.Header.Set("Cookie", "c=1")
		engine.ServeHTTP(closing{w}, r)
		return w.Body.String()
	}
	if got := ask(); got != "GET /api/x?q=1 Bearer t c=1 signalbox.example bbbbbbbb" {
		t.Error(got)
	}
	home.Close()
	if got := ask(); !strings.Contains(got, "the server aaaaaa does not answer") {
		t.Error(got)
	}
}

// closing is a recorder that gin takes for a connection.
type closing struct{ *httptest.ResponseRecorder }

func (closing) CloseNotify() <-chan bool { return nil }
