package github

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/github/githubtest"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// A browser's way: manifest, our page with the form, GitHub's page, back with a code.
func TestManifestFlow(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	var m struct {
		PostURL  string `json:"post_url"`
		LeaveURL string `json:"leave_url"`
		State    string
		Manifest json.RawMessage
	}
	c.call(t, "GET", "/connections/app/manifest?team=main&api_url="+url.QueryEscape(c.hub.URL), "", 200, &m)
	leave := c.do(httptest.NewRequest("GET", m.LeaveURL, nil))
	if csp := leave.Header().Get("Content-Security-Policy"); leave.Code != 200 || !strings.Contains(csp, "form-action "+c.hub.URL) || !strings.Contains(leave.Body.String(), `action="`+c.hub.URL+`/settings/apps/new?state=`+m.State) {
		t.Fatalf("%d %s %s", leave.Code, csp, leave.Body)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	posted, err := client.PostForm(m.PostURL, url.Values{"manifest": {string(m.Manifest)}})
	if err != nil {
		t.Fatal(err)
	}
	posted.Body.Close()
	back, err := url.Parse(posted.Header.Get("Location"))
	if err != nil || !strings.HasPrefix(back.String(), c.web.URL+"/api/v1/ci/connections/app/callback?code=") {
		t.Fatalf("%v %v", back, err)
	}
	done := c.do(httptest.NewRequest("GET", back.RequestURI(), nil))
	if where := done.Header().Get("Location"); done.Code != 303 || !strings.HasPrefix(where, "/teams/main/ci/hooks?connected=") {
		t.Fatalf("%d %s %s", done.Code, where, done.Body)
	}
	text := c.call(t, "GET", "/connections", "", 200, nil)
	hooks := c.call(t, "GET", "/hooks", "", 200, nil)
	for _, secret := range []string{"PRIVATE KEY", "whsec", "client-hush"} {
		if strings.Contains(text+hooks+done.Body.String()+leave.Body.String(), secret) {
			t.Errorf("%s is shown: %s", secret, text)
		}
	}
	if !strings.Contains(text, `"kind":"app"`) || !strings.Contains(hooks, `"kind":"app"`) || !strings.Contains(text, c.hub.URL+"/apps/") {
		t.Errorf("%s %s", text, hooks)
	}
	var rows []struct{ AppKey, Token, Secret string }
	if err := c.db.Reader(t.Context()).Raw("SELECT c.app_key, h.secret FROM github_connections c JOIN github_hooks h ON h.connection_id = c.id").Scan(&rows).Error; err != nil || len(rows) != 1 {
		t.Fatal(err, rows)
	}
	if strings.Contains(rows[0].AppKey+rows[0].Secret, "PRIVATE") || strings.Contains(rows[0].Secret, "whsec") {
		t.Error("a secret is kept in plain")
	}
	if again := c.do(httptest.NewRequest("GET", back.RequestURI(), nil)); again.Code != 400 {
		t.Errorf("the same answer once more: %d", again.Code)
	}
}

func TestManifestFlowIsBoundToItsSession(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	begin := func() AppManifest {
		m, err := c.BeginApp(c.as(t.Context()), identity.Team{ID: 1, Name: "main"}, "octo", c.hub.URL)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := begin()
	if !strings.Contains(m.PostURL, "/organizations/octo/settings/apps/new?state=") {
		t.Error(m.PostURL)
	}
	_, code := c.hub.CreateApp("box", map[string]any{})
	member := identity.From(c.as(t.Context()))
	other, session, token := member, member, member
	other.UserID, session.SessionID, token.TokenID = 9, "s-2", "t-2"
	for name, caller := range map[string]identity.Caller{"another user": other, "another session": session, "a token": token, "nobody": {}} {
		if _, err := c.FinishApp(identity.With(t.Context(), caller), m.State, code); !problem.Is(err, problem.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	viewer := member
	viewer.Roles = map[int64]identity.Role{1: identity.Viewer}
	if _, err := c.FinishApp(identity.With(t.Context(), viewer), m.State, code); !problem.Is(err, problem.Forbidden) {
		t.Errorf("no longer a member: %v", err)
	}
	for _, bad := range []string{"", "x", m.State + "0"} {
		if _, err := c.FinishApp(c.as(t.Context()), bad, code); !problem.Is(err, problem.Invalid) {
			t.Errorf("state %q: %v", bad, err)
		}
	}
	if c.hub.Count("POST /app-manifests/") != 0 {
		t.Error("GitHub was asked")
	}
	if _, err := c.FinishApp(c.as(t.Context()), m.State, "../../user"); !problem.Is(err, problem.Invalid) {
		t.Errorf("a code with a path: %v", err)
	}
	wrong := begin()
	w := c.do(httptest.NewRequest("GET", "/api/v1/ci/connections/app/callback?code=none&state="+wrong.State, nil))
	if where := w.Header().Get("Location"); w.Code != 303 || !strings.Contains(where, "/teams/main/ci/hooks?problem=GitHub+did+not+hand+over") {
		t.Errorf("%d %s", w.Code, where)
	}
	late := begin()
	c.clock.advance(2 * time.Hour)
	if _, err := c.FinishApp(c.as(t.Context()), late.State, code); !problem.Is(err, problem.Invalid) {
		t.Errorf("two hours later: %v", err)
	}
	for _, bad := range []string{"?team=main&api_url=ftp://x", "?team=main&organization=a/b", "?team=main&api_url=https://u:p@x"} {
		c.call(t, "GET", "/connections/app/manifest"+bad, "", 400, nil)
	}
}

func TestInstallationTokens(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	conn, app := c.app(t)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := c.Repositories(c.as(t.Context()), conn.ID, "", 1); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := c.hub.Issued(app); n != 1 {
		t.Errorf("%d tokens for eight callers at once", n)
	}
	c.clock.advance(54 * time.Minute)
	c.list1(t, conn)
	if n := c.hub.Issued(app); n != 1 {
		t.Errorf("%d tokens before the first is old", n)
	}
	c.clock.advance(2 * time.Minute)
	c.list1(t, conn)
	if n := c.hub.Issued(app); n != 2 {
		t.Errorf("%d tokens just before the first ends", n)
	}
	c.hub.Revoke()
	c.list1(t, conn)
	if n := c.hub.Issued(app); n != 3 {
		t.Errorf("%d tokens after one was revoked", n)
	}
	for _, r := range c.hub.Requests("GET /installation") {
		if !strings.HasPrefix(r.Authorization, "Bearer ghs_box_") {
			t.Errorf("%+v", r)
		}
	}
}

func (c *circle) list1(t *testing.T, conn Connection) {
	t.Helper()
	if _, err := c.Repositories(c.as(t.Context()), conn.ID, "", 1); err != nil {
		t.Error(err)
	}
}

func TestAppConnection(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	conn, app := c.app(t)
	var list struct{ Items []Installation }
	c.call(t, "GET", "/connections/"+conn.ID+"/installations", "", 200, &list)
	if len(list.Items) != 1 || !list.Items[0].Chosen || list.Items[0].Account != "octo" || list.Items[0].Kind != "organization" {
		t.Errorf("%+v", list)
	}
	c.call(t, "PATCH", "/connections/"+conn.ID, `{"installation":999}`, 400, nil)
	c.call(t, "PATCH", "/connections/"+conn.ID, `{"token":"x"}`, 409, nil)
	c.call(t, "PATCH", "/connections/"+conn.ID, `{"api_url":"https://evil.example","token":"x"}`, 409, nil)
	var test ConnectionTest
	if c.call(t, "POST", "/connections/"+conn.ID+"/test", "", 200, &test); !test.OK || test.Login != "box" {
		t.Errorf("%+v", test)
	}
	var h Hook
	if c.call(t, "PUT", "/connections/"+conn.ID+"/repositories/octo/web/hook", "", 200, &h); h.Kind != HookApp || len(c.atHub()) != 0 {
		t.Errorf("%+v", h)
	}
	c.call(t, "PUT", "/connections/"+conn.ID+"/repositories/octo/none/hook", "", 409, nil)
	installation := app.Installations[0]
	body := func(id int64) map[string]any {
		return map[string]any{"repository": map[string]any{"full_name": "octo/web"}, "installation": map[string]any{"id": id}}
	}
	c.hub.Deliver(t.Context(), "octo", "web", "push", body(installation))
	c.hub.Deliver(t.Context(), "octo", "web", "push", body(installation+1))
	if d := c.list(t, DeliveryFilter{Hook: h.ID}); len(d) != 2 || d[1].State != Waiting || d[1].Installation != installation || d[0].State != None || !strings.Contains(d[0].Error, "installation") {
		t.Errorf("%+v", d)
	}
	c.jobs(t)
	var rotated HookSecret
	c.call(t, "POST", "/hooks/"+h.ID+"/rotate", "", 200, &rotated)
	until(t, "GitHub has the App's new secret", func() bool { c.hurry(t); return !c.hookNow(t, h.ID).SecretPending })
	if codes := c.hub.Deliver(t.Context(), "octo", "web", "push", body(installation)); codes[0] != 202 {
		t.Errorf("after the rotation: %v", codes)
	}
	c.call(t, "DELETE", "/connections/"+conn.ID, "", 204, nil)
	until(t, "the App has left", func() bool { c.hurry(t); return len(c.hub.Installed(app)) == 0 })
}

func TestAppBeforeItIsInstalled(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	conn, app := c.app(t)
	zero := int64(0)
	if _, err := c.ChangeConnection(c.as(t.Context()), conn.ID, ConnectionChange{Installation: &zero}); err != nil {
		t.Fatal(err)
	}
	if text := c.call(t, "GET", "/connections/"+conn.ID+"/repositories", "", 409, nil); !strings.Contains(text, "not installed yet") {
		t.Error(text)
	}
	c.hub.Misbehave(githubtest.Fault{Path: "/app/installations", Status: 500, Body: `{"message":"oops"}`})
	c.call(t, "PATCH", "/connections/"+conn.ID, fmt.Sprintf(`{"installation":%d}`, app.Installations[0]), 502, nil)
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	eight, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for kind, der := range map[string][]byte{"RSA PRIVATE KEY": x509.MarshalPKCS1PrivateKey(key), "PRIVATE KEY": eight} {
		got, err := parseKey(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
		if err != nil || !got.Equal(key) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	for _, bad := range []string{"", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if _, err := parseKey([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestWebURL(t *testing.T) {
	t.Parallel()
	for api, want := range map[string]string{DefaultAPI: "https://github.com", "https://ghe.example.com/api/v3": "https://ghe.example.com",
		"https://api.acme.ghe.com": "https://acme.ghe.com", "http://127.0.0.1:99": "http://127.0.0.1:99"} {
		if got := webURL(api); got != want {
			t.Errorf("%s: %s", api, got)
		}
	}
}
