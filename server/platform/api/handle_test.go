package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

type in struct {
	ID   string `uri:"id" json:"-" form:"-"`
	Team string `form:"team" json:"-"`
	Name string `json:"name"`
	N    int    `json:"n"`
}

func (i in) Validate() error {
	if i.Name == "bad" {
		return problem.FieldError("name", "must not be bad")
	}
	return nil
}

func server(t *testing.T, caller identity.Caller) *gin.Engine {
	t.Helper()
	gin.SetMode(gin.TestMode)
	e := gin.New()
	e.Use(WithRequestID(), Recover(), SecurityHeaders(false), func(c *gin.Context) {
		c.Request = c.Request.WithContext(identity.With(c.Request.Context(), caller))
	})
	r := NewRouter(e, &Table{})
	echo := Handle(func(_ context.Context, i in) (in, error) { return i, nil })
	r.GET("/things/:id", Public("test"), Handle(func(_ context.Context, i in) (map[string]string, error) {
		return map[string]string{"id": i.ID, "team": i.Team}, nil
	}))
	r.POST("/things/:id", Public("test"), echo)
	r.POST("/made", Public("test"), Handle(func(context.Context, Nothing) (Created[string], error) {
		return Created[string]{Value: "x", Location: "/made/1"}, nil
	}))
	r.DELETE("/things/:id", Public("test"), Handle(func(context.Context, Nothing) (Nothing, error) { return Nothing{}, nil }))
	r.GET("/boom", Public("test"), Handle(func(context.Context, Nothing) (Nothing, error) { return Nothing{}, errors.New("the secret cause") }))
	r.GET("/panic", Public("test"), func(*gin.Context) { panic("ouch") })
	r.GET("/later", Public("test"), Handle(func(context.Context, Nothing) (Nothing, error) {
		return Nothing{}, &problem.Error{Kind: problem.TooMany, Detail: "Slowly.", RetryAfter: 7}
	}))
	r.GET("/mine", SignedIn(), echo)
	r.GET("/team", Scoped("ci", identity.Write), echo)
	r.GET("/admin", Admin(), echo)
	return e
}

func call(t *testing.T, h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

func TestBinding(t *testing.T) {
	t.Parallel()
	e := server(t, identity.Caller{})
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		contains                 string
	}{
		{"path and query", "GET", "/things/7?team=web", "", 200, `{"id":"7","team":"web"}`},
		{"body", "POST", "/things/7", `{"name":"a","n":2}`, 200, `"n":2`},
		{"no body", "POST", "/things/7", ``, 200, `"n":0`},
		{"created", "POST", "/made", ``, 201, `"x"`},
		{"nothing", "DELETE", "/things/7", ``, 204, ``},
		{"unknown field is named", "POST", "/things/7", `{"nmae":"a"}`, 400, `"field":"nmae"`},
		{"wrong type is named", "POST", "/things/7", `{"n":"two"}`, 400, `"field":"n"`},
		{"not JSON", "POST", "/things/7", `{"n":`, 400, `not JSON`},
		{"two documents", "POST", "/things/7", `{} {}`, 400, `more after`},
		{"not UTF-8", "POST", "/things/7", "{\"name\":\"\xff\"}", 400, `not UTF-8`},
		{"validated", "POST", "/things/7", `{"name":"bad"}`, 400, `must not be bad`},
		{"an error hides its cause", "GET", "/boom", ``, 500, `request id`},
		{"a panic is a problem", "GET", "/panic", ``, 500, `urn:signalbox:problem:internal`},
		{"throttled", "GET", "/later", ``, 429, `Slowly.`},
	} {
		w := call(t, e, c.method, c.path, c.body)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.contains) || strings.Contains(w.Body.String(), "secret cause") {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
	if w := call(t, e, "POST", "/things/7", strings.Repeat(" ", MaxBody+1)); w.Code != 413 {
		t.Errorf("an oversized body gets %d", w.Code)
	}
	if w := call(t, e, "POST", "/things/7", "a=b", "Content-Type", "text/plain"); w.Code != 415 {
		t.Errorf("a form gets %d", w.Code)
	}
	if w := call(t, e, "GET", "/later", ""); w.Header().Get("Retry-After") != "7" {
		t.Error("no Retry-After")
	}
}

func TestProblemShape(t *testing.T) {
	t.Parallel()
	w := call(t, server(t, identity.Caller{}), "GET", "/boom", "", "X-Request-Id", "abcdefgh-1")
	var p map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]any{"type": "urn:signalbox:problem:internal", "status": 500.0, "instance": "/boom", "request_id": "abcdefgh-1"} {
		if p[field] != want {
			t.Errorf("%s is %v, want %v", field, p[field], want)
		}
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Error(got)
	}
	if w := call(t, server(t, identity.Caller{}), "GET", "/boom", "", "X-Request-Id", "evil\nid"); strings.Contains(w.Body.String(), "evil") {
		t.Error("a harmful request id was echoed")
	}
}

func TestETag(t *testing.T) {
	t.Parallel()
	e := server(t, identity.Caller{})
	first := call(t, e, "GET", "/things/7", "")
	tag := first.Header().Get("ETag")
	if again := call(t, e, "GET", "/things/7", "", "If-None-Match", `"x", W/`+tag); tag == "" || again.Code != 304 || again.Body.Len() != 0 {
		t.Errorf("tag %s: %d", tag, again.Code)
	}
	if other := call(t, e, "GET", "/things/8", "", "If-None-Match", tag); other.Code != 200 {
		t.Errorf("another thing: %d", other.Code)
	}
}

func TestAccess(t *testing.T) {
	t.Parallel()
	viewer := identity.Caller{UserID: 1, Roles: map[int64]identity.Role{7: identity.Viewer}, Teams: map[string]identity.Team{"web": {ID: 7, Name: "web"}}}
	member := identity.Caller{UserID: 1, Roles: map[int64]identity.Role{7: identity.Member}, Teams: viewer.Teams}
	for _, c := range []struct {
		name   string
		caller identity.Caller
		path   string
		status int
	}{
		{"anonymous", identity.Caller{}, "/mine", 401},
		{"anonymous in a team", identity.Caller{}, "/team?team=web", 401},
		{"anonymous admin", identity.Caller{}, "/admin", 401},
		{"signed in", viewer, "/mine", 200},
		{"role too low", viewer, "/team?team=web", 403},
		{"role too low everywhere", viewer, "/team", 403},
		{"other team", member, "/team?team=api", 404},
		{"member", member, "/team?team=web", 200},
		{"member of some team", member, "/team", 200},
		{"no admin", member, "/admin", 403},
		{"admin", identity.Caller{UserID: 1, Admin: true}, "/admin", 200},
	} {
		if w := call(t, server(t, c.caller), "GET", c.path, ""); w.Code != c.status {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
}

func TestMillisAreDates(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(map[string]Millis{"at": 1700000000123, "never": 0})
	if err != nil || string(raw) != `{"at":"2023-11-14T22:13:20.123Z","never":null}` {
		t.Fatal(string(raw), err)
	}
	var back map[string]Millis
	if err := json.Unmarshal(raw, &back); err != nil || back["at"] != 1700000000123 || back["never"] != 0 {
		t.Fatal(back, err)
	}
	if err := json.Unmarshal([]byte(`{"at":7}`), &back); err == nil {
		t.Fatal("took a number for a date")
	}
}
