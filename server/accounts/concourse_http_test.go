package accounts

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

func (w *world) grantRequest(form url.Values, client, secret string) answer {
	w.t.Helper()
	r := w.request("POST", "/sky/issuer/token", form.Encode())
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if client != "" {
		r.SetBasicAuth(client, secret)
	}
	return w.send(r)
}

func (w *world) grant(name, password string) grantOut {
	w.t.Helper()
	a := w.grantRequest(url.Values{"grant_type": {"password"}, "username": {name}, "password": {password}, "scope": {"openid profile email federated:id groups"}}, "fly", "Zmx5")
	if a.Code != 200 {
		w.t.Fatal(a.Code, a.Body)
	}
	var out grantOut
	a.json(&out)
	return out
}

func TestPasswordGrant(t *testing.T) {
	t.Parallel()
	w := setup(t)
	out := w.grant("member", password)
	if out.TokenType != "bearer" || out.ExpiresIn != 86399 || strings.Count(out.IDToken, ".") != 2 {
		t.Fatalf("%+v", out)
	}
	// fly reads from the token until when it lasts.
	raw, err := base64.RawStdEncoding.DecodeString(out.AccessToken)
	if err != nil || len(raw) != 28 || binary.LittleEndian.Uint64(raw[20:]) != uint64(w.clock.now().Add(flyLife).Unix()) {
		t.Errorf("%q %v", out.AccessToken, err)
	}
	w.tokens["fly"] = out.AccessToken
	w.mustDo("fly", "GET", "/api/v1/user", "", 200)
	if users := w.mustDo("root", "GET", "/api/v1/users?since="+w.clock.now().Format(time.DateOnly), "", 200).Body.String(); !strings.Contains(users, `"username":"member"`) {
		t.Errorf("active users: %s", users)
	}
	w.clock.pass(flyLife)
	a := w.mustDo("fly", "GET", "/api/v1/user", "", 401)
	if a.Body.String() != "not authorized" {
		t.Fatal(a.Body)
	}
	w.clock.pass(keepEnded)
	if err := w.s.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.store.tokenByHash(t.Context(), hashOf(out.AccessToken), time.Time{}); err == nil {
		t.Fatal("the ended login was not swept")
	}
}

func TestPasswordGrantRefusals(t *testing.T) {
	t.Parallel()
	right := url.Values{"grant_type": {"password"}, "username": {"member"}, "password": {password}}
	with := func(changes ...string) url.Values {
		v := url.Values{}
		for k := range right {
			v.Set(k, right.Get(k))
		}
		for i := 0; i < len(changes); i += 2 {
			v.Set(changes[i], changes[i+1])
		}
		return v
	}
	for _, sc := range []struct {
		name, client, secret string
		form                 url.Values
		status               int
		word                 string
	}{
		{"client in the body", "", "", with("client_id", "fly", "client_secret", "Zmx5"), 200, "access_token"},
		{"no client", "", "", right, 401, "invalid_client"},
		{"wrong secret", "fly", "x", right, 401, "invalid_client"},
		{"other grant", "fly", "Zmx5", with("grant_type", "client_credentials"), 400, "unsupported_grant_type"},
		{"wrong password", "fly", "Zmx5", with("password", "x"), 401, "Invalid username or password"},
		{"unknown user", "fly", "Zmx5", with("username", "x"), 401, "Invalid username or password"},
		{"password in the query", "fly", "Zmx5", with("password", ""), 401, "access_denied"},
	} {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			if a := w.grantRequest(sc.form, sc.client, sc.secret); a.Code != sc.status || !strings.Contains(a.Body.String(), sc.word) {
				t.Fatal(a.Code, a.Body)
			}
		})
	}
}

func TestPasswordGrantIsThrottled(t *testing.T) {
	t.Parallel()
	w := setup(t)
	form := url.Values{"grant_type": {"password"}, "username": {"member"}, "password": {"wrong"}}
	for range freePerUser {
		w.grantRequest(form, "fly", "Zmx5")
	}
	form.Set("password", password)
	if a := w.grantRequest(form, "fly", "Zmx5"); a.Code != 429 || a.Header().Get("Retry-After") != "30" {
		t.Fatal(a.Code, a.Header())
	}
}

// The recorded answer of a real Concourse for its local user test, administrator and owner of main.
func TestUserInfoAsRecorded(t *testing.T) {
	t.Parallel()
	w := empty(t)
	if _, err := w.s.EnsureFirstAdmin(t.Context(), "test", password); err != nil {
		t.Fatal(err)
	}
	w.token("test", "*")
	want, err := os.ReadFile("testdata/user.json")
	if err != nil {
		t.Fatal(err)
	}
	a := w.mustDo("test", "GET", "/api/v1/user", "", 200)
	if a.Body.String() != strings.TrimSpace(string(want)) || a.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%s\nwant %s", a.Body, want)
	}
}

func TestConcourseTeams(t *testing.T) {
	t.Parallel()
	run(t, []scenario{
		{name: "mine", as: "viewer", method: "GET", path: "/api/v1/teams", status: 200, contains: []string{`"name":"web"`, `"viewer":{"groups":[],"users":["local:viewer"]}`}, lacks: []string{"main"}},
		{name: "all", as: "root", method: "GET", path: "/api/v1/teams", status: 200, contains: []string{`"name":"main"`, `"name":"web"`}},
		{name: "one", as: "viewer", method: "GET", path: "/api/v1/teams/web", status: 200, contains: []string{`"owner":{"groups":[],"users":["local:owner","local:root"]}`}},
		{name: "none", as: "root", method: "GET", path: "/api/v1/teams/nope", status: 404},
		{name: "users", as: "root", method: "GET", path: "/api/v1/users", status: 200, contains: []string{`[]`}},
		{name: "users since nonsense", as: "root", method: "GET", path: "/api/v1/users?since=x", status: 400, contains: []string{`{"error":"wrong date format (yyyy-mm-dd)"}`}},
		{name: "create", as: "root", method: "PUT", path: "/api/v1/teams/new", body: `{"auth":{"owner":{"users":["local:member"],"groups":[]}}}`, status: 201,
			contains: []string{`"team":{"id":`, `"name":"new","auth":{"owner":{"groups":[],"users":["local:member"]}}`}, lacks: []string{"warnings", "errors"}},
		{name: "update", as: "owner", method: "PUT", path: "/api/v1/teams/web", body: `{"auth":{"owner":{"users":["local:owner"]},"viewer":{"users":["local:stranger"]}}}`, status: 200,
			contains: []string{`"auth":{"owner":{"groups":[],"users":["local:owner"]},"viewer":{"groups":[],"users":["local:stranger"]}}`}, audit: "member.remove"},
		{name: "no owner named", as: "root", method: "PUT", path: "/api/v1/teams/new", body: `{"auth":{"viewer":{"users":["local:viewer"]}}}`, status: 201,
			contains: []string{`"warnings":[{"type":"team_auth","message":"root stays an owner`, `"users":["local:root"]`}},
		{name: "unknown user", as: "root", method: "PUT", path: "/api/v1/teams/new", body: `{"auth":{"owner":{"users":["local:root","local:ghost"]}}}`, status: 201,
			contains: []string{"local:ghost has no effect"}, lacks: []string{`["local:ghost`, `"local:ghost"]`}},
		{name: "groups are kept and shown", as: "root", method: "PUT", path: "/api/v1/teams/new", body: `{"auth":{"owner":{"users":["local:root"],"groups":["github:org:team"]}}}`, status: 201,
			contains: []string{"github:org:team has no effect", `"groups":["github:org:team"]`}},
		{name: "empty auth", as: "root", method: "PUT", path: "/api/v1/teams/new", body: `{"auth":{}}`, status: 400, contains: []string{"must not be empty"}},
		{name: "role of nobody", as: "root", method: "PUT", path: "/api/v1/teams/new", body: `{"auth":{"owner":{"users":[],"groups":[]}}}`, status: 400},
		{name: "not JSON", as: "root", method: "PUT", path: "/api/v1/teams/new", body: `{"auth":`, status: 400},
		{name: "create by an owner", as: "owner", method: "PUT", path: "/api/v1/teams/new", body: `{"auth":{"owner":{"users":["local:owner"]}}}`, status: 403},
		{name: "bad name", as: "root", method: "PUT", path: "/api/v1/teams/NEW", body: `{"auth":{"owner":{"users":["local:root"]}}}`, status: 400},
		{name: "rename", as: "owner", method: "PUT", path: "/api/v1/teams/web/rename", body: `{"name":"site"}`, status: 200, contains: []string{"{}"}, audit: "team.rename"},
		{name: "rename badly", as: "owner", method: "PUT", path: "/api/v1/teams/web/rename", body: `{"name":""}`, status: 400},
		{name: "destroy", as: "owner", method: "DELETE", path: "/api/v1/teams/web", status: 204, audit: "team.delete"},
		{name: "destroy main", as: "root", method: "DELETE", path: "/api/v1/teams/main", status: 403},
		{name: "destroy as member", as: "member", method: "DELETE", path: "/api/v1/teams/web", status: 403},
	}, nil)
}

func TestConcourseUsersAreThoseWhoSignedIn(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.browse("viewer")
	var users []concourseUserOut
	w.mustDo("root", "GET", "/api/v1/users?since=2026-05-01", "", 200).json(&users)
	if len(users) != 1 || users[0].Username != "viewer" || users[0].Connector != "local" || users[0].LastLogin != w.clock.now().Unix() {
		t.Fatalf("%+v", users)
	}
	w.mustDo("root", "GET", "/api/v1/users?since=2026-05-02", "", 200).json(&users)
	if len(users) != 0 {
		t.Fatalf("%+v", users)
	}
}

func TestFlyLoginByBrowser(t *testing.T) {
	t.Parallel()
	w := setup(t)
	if a := w.do("", "GET", "/sky/fly?fly_port=4711", ""); a.Code != 302 || a.Header().Get("Location") != "/login?fly_port=4711" {
		t.Fatal(a.Code, a.Header())
	}
	b := w.browse("member")
	for _, port := range []string{"", "0", "65536", "80@evil.example", "-1"} {
		if a := b.do("GET", "/sky/fly?fly_port="+url.QueryEscape(port), ""); a.Code != 400 {
			t.Errorf("port %q: %d", port, a.Code)
		}
	}
	r := b.request("GET", "/sky/fly?fly_port=4711", "")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if a := w.send(r); a.Code != 403 {
		t.Fatal("a link elsewhere handed out a token", a.Code)
	}
	a := b.do("GET", "/sky/fly?fly_port=4711", "")
	there, err := url.Parse(a.Header().Get("Location"))
	if err != nil || a.Code != http.StatusFound || there.Host != "127.0.0.1:4711" || there.Path != "/" || strings.Contains(there.RawQuery, "+") {
		t.Fatal(a.Code, a.Header(), err)
	}
	kind, value, _ := strings.Cut(there.Query().Get("token"), " ")
	w.tokens["fly"] = value
	w.mustDo("fly", "GET", "/api/v1/user", "", 200)
	if kind != "bearer" {
		t.Fatal(kind)
	}
	if a := w.do("", "GET", "/fly_success?noop=true", ""); a.Code != 200 || !strings.Contains(a.Body.String(), "fly is signed in") {
		t.Fatal(a.Code)
	}
}

func TestForeignBodiesAreBounded(t *testing.T) {
	t.Parallel()
	w := setup(t)
	big := strings.Repeat("x", maxForeign+1)
	w.mustDo("root", "PUT", "/api/v1/teams/new", big, 413)
	if a := w.grantRequest(url.Values{"username": {big}}, "fly", "Zmx5"); a.Code != 400 {
		t.Fatal(a.Code)
	}
}

func FuzzTeamAuth(f *testing.F) {
	f.Add([]byte(`{"owner":{"users":["local:u"],"groups":[]}}`))
	f.Add([]byte(`{"viewer":{"users":["github:u"],"groups":["x"]},"king":{}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var auth TeamAuth
		if json.Unmarshal(doc, &auth) != nil || auth.validate() != nil {
			return
		}
		local, _ := auth.roles()
		for name, role := range local {
			if role.Validate() != nil {
				t.Fatalf("%q is %q", name, role)
			}
		}
	})
}

func TestFlyLogout(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.tokens["fly"] = w.grant("member", password).AccessToken
	r := w.request("GET", "/sky/logout", "")
	r.AddCookie(&http.Cookie{Name: "skymarshal_auth", Value: "bearer " + w.tokens["fly"]})
	if a := w.send(r); a.Code != 200 {
		t.Fatal(a.Code, a.Body)
	}
	if a := w.do("fly", "GET", "/api/v1/user", ""); a.Code != 401 {
		t.Fatal("the token outlived its logout", a.Code)
	}
	if a := w.do("", "GET", "/sky/logout", ""); a.Code != 401 {
		t.Fatal(a.Code)
	}
	r = w.request("GET", "/sky/logout", "")
	r.AddCookie(&http.Cookie{Name: "skymarshal_auth", Value: "bearer " + w.tokens["fly"]})
	if a := w.send(r); a.Code != 401 {
		t.Fatal("a token ended twice", a.Code)
	}
	// A browser that follows a link stays signed in, and so does a script's token.
	if a := w.browse("member").do("GET", "/sky/logout", ""); a.Code != 401 {
		t.Fatal(a.Code)
	}
	w.mustDo("member", "GET", "/sky/logout", "", 200)
	w.mustDo("member", "GET", "/api/v1/user", "", 200)
}
