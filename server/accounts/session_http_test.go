package accounts

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
)

func TestLoginSetsASafeCookie(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.login("Owner", password) // names do not differ by case
	if a.Code != 200 || !strings.Contains(a.Body.String(), `"name":"owner"`) {
		t.Fatal(a.Code, a.Body)
	}
	c := a.Result().Cookies()[0]
	if c.Name != "signalbox_session" || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 30*24*3600 || len(c.Value) != 43 {
		t.Fatalf("%+v", c)
	}
	if e := w.lastAudit(); e.Action != "session.create" || e.Actor != "owner" || e.Address != "203.0.113.7" || len(e.RequestID) < 8 {
		t.Fatalf("%+v", e)
	}
}

func TestSecretsAreStoredHashed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := w.browse("owner")
	secrets := []string{b.cookie.Value, w.tokens["owner"], password}
	for _, table := range []string{"accounts_sessions", "accounts_tokens", "accounts_users", "accounts_audit"} {
		var rows []map[string]any
		if err := w.db.Reader(t.Context()).Table(table).Find(&rows).Error; err != nil || len(rows) == 0 {
			t.Fatal(table, err)
		}
		for _, row := range rows {
			for column, value := range row {
				if s, ok := value.(string); ok && slices.ContainsFunc(secrets, func(secret string) bool { return strings.Contains(s, secret) }) {
					t.Errorf("%s.%s holds a secret", table, column)
				}
			}
		}
	}
}

func TestLoginRefusals(t *testing.T) {
	t.Parallel()
	run(t, []scenario{
		{name: "wrong password", method: "POST", path: "/api/v1/accounts/session", body: `{"name":"owner","password":"wrong"}`,
			status: 401, contains: []string{"The user name or the password is wrong."}},
		{name: "unknown user says the same", method: "POST", path: "/api/v1/accounts/session", body: `{"name":"nobody","password":"wrong"}`,
			status: 401, contains: []string{"The user name or the password is wrong."}},
		{name: "empty", method: "POST", path: "/api/v1/accounts/session", body: `{}`, status: 401},
		{name: "endless password", method: "POST", path: "/api/v1/accounts/session", body: `{"name":"owner","password":"` + strings.Repeat("x", 600) + `"}`, status: 401},
		{name: "not JSON", method: "POST", path: "/api/v1/accounts/session", body: `{`, status: 400},
		{name: "unknown field", method: "POST", path: "/api/v1/accounts/session", body: `{"user":"owner"}`, status: 400, contains: []string{`"field":"user"`}},
		{name: "me needs somebody", method: "GET", path: "/api/v1/accounts/me", status: 401},
	}, nil)
}

func TestDisabledUserCannotSignIn(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := w.browse("owner")
	if err := UserDisable(t.Context(), w.s, "owner"); err != nil {
		t.Fatal(err)
	}
	if a := w.login("owner", password); a.Code != 401 {
		t.Fatal("login", a.Code)
	}
	if a := b.do("GET", "/api/v1/accounts/me", ""); a.Code != 401 {
		t.Fatal("session", a.Code)
	}
	w.mustDo("owner", "GET", "/api/v1/accounts/me", "", 401)
}

func TestLoginThrottling(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for range freePerUser {
		if a := w.login("owner", "wrong"); a.Code != 401 {
			t.Fatal(a.Code)
		}
	}
	if e := w.lastAudit(); e.Action != "session.throttle" || e.Object != "owner" {
		t.Fatalf("%+v", e)
	}
	a := w.login("owner", password)
	if seconds, _ := strconv.Atoi(a.Header().Get("Retry-After")); a.Code != 429 || seconds != 30 {
		t.Fatal(a.Code, a.Header())
	}
	if a := w.login("member", password); a.Code != 200 {
		t.Fatal("another user from there", a.Code)
	}
	w.clock.pass(30 * time.Second)
	if a := w.login("owner", password); a.Code != 200 {
		t.Fatal("after the wait", a.Code)
	}
	for range freePerUser {
		w.login("no such user", "wrong")
	}
	if e := w.lastAudit(); strings.Contains(e.Object, "no such user") {
		t.Fatalf("what nobody is called was written down: %+v", e)
	}
}

func TestMe(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := w.browse("member")
	var me meOut
	b.do("GET", "/api/v1/accounts/me", "").json(&me)
	if me.User.Name != "member" || me.User.IsAdmin || !slices.Equal(me.Teams, []myTeamOut{{"web", identity.Member}}) || len(me.CSRFToken) < 20 ||
		!slices.Equal(me.Capabilities, []string{"ci"}) || me.Version != "8.2.5" || me.PublicURL != "https://box.example.com" || !me.SetupComplete {
		t.Fatalf("%+v", me)
	}
	w.do("root", "GET", "/api/v1/accounts/me", "").json(&me)
	if !me.User.IsAdmin || me.CSRFToken != "" || !slices.Equal(me.Teams, []myTeamOut{{"main", identity.Owner}, {"web", identity.Owner}}) {
		t.Fatalf("%+v", me)
	}
}

func TestLogoutEndsTheSession(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b, other := w.browse("owner"), w.browse("owner")
	a := b.do("DELETE", "/api/v1/accounts/session", "")
	if a.Code != 204 || a.Result().Cookies()[0].MaxAge != -1 {
		t.Fatal(a.Code, a.Header())
	}
	if a := b.do("GET", "/api/v1/accounts/me", ""); a.Code != 401 {
		t.Fatal("still signed in", a.Code)
	}
	if a := other.do("GET", "/api/v1/accounts/me", ""); a.Code != 200 {
		t.Fatal("the other browser", a.Code)
	}
	if a := w.do("", "DELETE", "/api/v1/accounts/session", ""); a.Code != 204 {
		t.Fatal("without a session", a.Code)
	}
}

func TestSessionFixation(t *testing.T) {
	t.Parallel()
	w := setup(t)
	planted := w.browse("stranger")
	r := w.request("POST", "/api/v1/accounts/session", `{"name":"owner","password":"`+password+`"}`)
	r.AddCookie(planted.cookie)
	r.Header.Set("X-CSRF-Token", planted.csrf)
	a := w.send(r)
	if a.Code != 200 || a.Result().Cookies()[0].Value == planted.cookie.Value {
		t.Fatal(a.Code, a.Header())
	}
	if a := planted.do("GET", "/api/v1/accounts/me", ""); a.Code != 401 {
		t.Fatal("the planted session lives on", a.Code, a.Body)
	}
}

func TestSessionSlides(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := w.browse("owner")
	alive := func(want int, cookies int) {
		t.Helper()
		a := b.do("GET", "/api/v1/accounts/me", "")
		if a.Code != want || len(a.Result().Cookies()) != cookies {
			t.Fatal(a.Code, a.Header())
		}
	}
	alive(200, 0)
	w.clock.pass(20 * 24 * time.Hour)
	alive(200, 1)
	if err := w.s.flushSeen(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(3 * time.Second)
	alive(200, 0)
	w.clock.pass(20 * 24 * time.Hour)
	alive(200, 1)
	if err := w.s.flushSeen(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(31 * 24 * time.Hour)
	alive(401, 0)
	if err := w.s.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left int64
	if err := w.db.Reader(t.Context()).Model(&sessionRow{}).Count(&left).Error; err != nil || left != 0 {
		t.Fatal(left, err)
	}
}

func TestCSRF(t *testing.T) {
	t.Parallel()
	for _, sc := range []struct {
		name   string
		set    map[string]string
		status int
	}{
		{"right token", nil, 201},
		{"no token", map[string]string{"X-CSRF-Token": ""}, 403},
		{"wrong token", map[string]string{"X-CSRF-Token": "x"}, 403},
		{"same origin", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "https://box.example.com"}, 201},
		{"same origin behind a proxy", map[string]string{"Origin": "http://example.com"}, 201},
		{"cross site", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"sibling site", map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"foreign origin", map[string]string{"Origin": "https://evil.example.net"}, 403},
		{"null origin", map[string]string{"Origin": "null"}, 403},
		{"bearer beside the cookie needs none", map[string]string{"X-CSRF-Token": "", "Authorization": "bearer TOKEN"}, 201},
	} {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			b := w.browse("owner")
			r := b.request("POST", "/api/v1/accounts/tokens", `{"name":"t","scopes":["read"]}`)
			for k, v := range sc.set {
				r.Header.Set(k, strings.Replace(v, "TOKEN", w.tokens["owner"], 1))
			}
			if a := w.send(r); a.Code != sc.status {
				t.Fatal(a.Code, a.Body)
			}
			r = b.request("GET", "/api/v1/accounts/tokens", "")
			r.Header.Del("X-CSRF-Token")
			if a := w.send(r); a.Code != 200 {
				t.Fatal("reading needs no token", a.Code)
			}
		})
	}
}

func TestCrossSiteLogin(t *testing.T) {
	t.Parallel()
	w := setup(t)
	r := w.request("POST", "/api/v1/accounts/session", `{"name":"owner","password":"`+password+`"}`)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if a := w.send(r); a.Code != 403 || len(a.Result().Cookies()) != 0 {
		t.Fatal(a.Code)
	}
}

// A page of another product on this browser posts to a protocol of its own: the
// cookie is left out of account, and the route decides.
func TestForgedRequestToForeignRouteIsAnonymous(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := w.browse("owner")
	r := b.request("POST", "/sky/issuer/token", "")
	r.Header.Del("X-CSRF-Token")
	if a := w.send(r); a.Code != 401 || !strings.Contains(a.Body.String(), "invalid_client") {
		t.Fatal(a.Code, a.Body)
	}
}

func TestAuthorizationHeader(t *testing.T) {
	t.Parallel()
	w := setup(t)
	token := w.tokens["owner"]
	for header, want := range map[string]int{
		"Bearer " + token: 200, "bearer " + token: 200, "BEARER  " + token: 200, "Bearer " + token + "x": 401, "Bearer ": 401, "Bearer": 401,
		"Basic " + token: 401, token: 401, "": 401,
	} {
		r := w.request("GET", "/api/v1/accounts/me", "")
		r.Header.Set("Authorization", header)
		a := w.send(r)
		if a.Code != want {
			t.Errorf("%q: %d", header, a.Code)
		}
		if told := a.Header().Get("WWW-Authenticate") != ""; told != (want == 401 && strings.HasPrefix(header, "Bearer")) {
			t.Errorf("%q: WWW-Authenticate %q", header, a.Header().Get("WWW-Authenticate"))
		}
	}
}
