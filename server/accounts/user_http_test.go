package accounts

import (
	"fmt"
	"strings"
	"testing"
)

func (w *world) id(name string) string {
	w.t.Helper()
	u, err := w.s.store.userByName(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return fmt.Sprint(u.ID)
}

func TestUserRoutes(t *testing.T) {
	t.Parallel()
	run(t, []scenario{
		{name: "list", as: "root", method: "GET", path: "/api/v1/accounts/users", status: 200,
			contains: []string{`"name":"root","is_admin":true`, `"created_at":"2026-05-01T12:00:00Z"`, `"stranger"`}, lacks: []string{"argon2id", "last_login_at"}},
		{name: "create", as: "root", method: "POST", path: "/api/v1/accounts/users", body: `{"name":"New.User","password":"ten letters"}`, status: 201,
			contains: []string{`"name":"New.User"`, `"must_change_password":false`}, lacks: []string{"ten letters"}, audit: "user.create"},
		{name: "create with a generated password", as: "root", method: "POST", path: "/api/v1/accounts/users", body: `{"name":"robot"}`, status: 201,
			contains: []string{`"password":"`, `"must_change_password":true`}},
		{name: "create as member of a team", as: "root", method: "POST", path: "/api/v1/accounts/users", body: `{"name":"new","team":"web","role":"viewer"}`,
			status: 201, audit: "member.add"},
		{name: "weak password", as: "root", method: "POST", path: "/api/v1/accounts/users", body: `{"name":"new","password":"short"}`, status: 400,
			contains: []string{`"field":"password"`, "shorter than 10 characters"}},
		{name: "bad name", as: "root", method: "POST", path: "/api/v1/accounts/users", body: `{"name":"a b"}`, status: 400, contains: []string{`"field":"name"`}},
		{name: "name taken but for case", as: "root", method: "POST", path: "/api/v1/accounts/users", body: `{"name":"OWNER"}`, status: 409},
		{name: "role without team", as: "root", method: "POST", path: "/api/v1/accounts/users", body: `{"name":"new","role":"viewer"}`, status: 400},
		{name: "unknown role", as: "root", method: "POST", path: "/api/v1/accounts/users", body: `{"name":"new","team":"web","role":"king"}`, status: 400},
		{name: "unknown team saves nothing", as: "root", method: "POST", path: "/api/v1/accounts/users", body: `{"name":"new","team":"nope"}`, status: 404,
			audit: "token.create"},
		{name: "unknown user", as: "root", method: "PATCH", path: "/api/v1/accounts/users/999", body: `{"disabled":true}`, status: 404},
		{name: "id that is no number", as: "root", method: "PATCH", path: "/api/v1/accounts/users/x", body: `{"disabled":true}`, status: 404},
		{name: "id in the body", as: "root", method: "PATCH", path: "/api/v1/accounts/users/999", body: `{"id":1,"disabled":true}`, status: 400},
	}, nil)
}

func TestDisableAndEnable(t *testing.T) {
	t.Parallel()
	w := setup(t)
	path := "/api/v1/accounts/users/" + w.id("member")
	b := w.browse("member")
	w.mustDo("member", "GET", "/api/v1/accounts/me", "", 200)
	w.mustDo("root", "PATCH", path, `{"disabled":true}`, 200)
	if e := w.lastAudit(); e.Action != "user.disable" || e.Actor != "root" || e.Object != "member" {
		t.Fatalf("%+v", e)
	}
	w.mustDo("member", "GET", "/api/v1/accounts/me", "", 401)
	w.mustDo("root", "PATCH", path, `{"disabled":false}`, 200)
	w.mustDo("member", "GET", "/api/v1/accounts/me", "", 200)
	if a := b.do("GET", "/api/v1/accounts/me", ""); a.Code != 401 {
		t.Fatal("the session came back", a.Code)
	}
}

func TestLastAdministratorStays(t *testing.T) {
	t.Parallel()
	w := setup(t)
	path := "/api/v1/accounts/users/" + w.id("root")
	for _, body := range []string{`{"disabled":true}`, `{"is_admin":false}`} {
		a := w.mustDo("root", "PATCH", path, body, 409)
		if !strings.Contains(a.Body.String(), "root is the last enabled administrator") {
			t.Fatal(a.Body)
		}
	}
	w.mustDo("root", "PATCH", "/api/v1/accounts/users/"+w.id("owner"), `{"is_admin":true}`, 200)
	if e := w.lastAudit(); e.Action != "user.promote" {
		t.Fatalf("%+v", e)
	}
	w.mustDo("owner", "PATCH", path, `{"is_admin":false}`, 200)
	w.mustDo("root", "GET", "/api/v1/accounts/users", "", 403)
	if err := UserDisable(t.Context(), w.s, "owner"); err == nil {
		t.Fatal("the command line disabled the last administrator")
	}
}

func TestResetPassword(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := w.browse("member")
	grant := w.grant("member", password)
	var out passwordOut
	w.mustDo("root", "POST", "/api/v1/accounts/users/"+w.id("member")+"/reset-password", "", 200).json(&out)
	if e := w.lastAudit(); e.Action != "user.reset-password" || strings.Contains(fmt.Sprint(e), out.Password) {
		t.Fatalf("%+v", e)
	}
	if a := b.do("GET", "/api/v1/accounts/me", ""); a.Code != 401 {
		t.Fatal("the session lives on", a.Code)
	}
	w.tokens["fly"] = grant.AccessToken
	w.mustDo("fly", "GET", "/api/v1/user", "", 401)
	if a := w.login("member", password); a.Code != 401 {
		t.Fatal("the old password", a.Code)
	}
	if a := w.login("member", out.Password); a.Code != 200 || !strings.Contains(a.Body.String(), `"must_change_password":true`) {
		t.Fatal("the new password", a.Code, a.Body)
	}
	w.mustDo("member", "GET", "/api/v1/accounts/me", "", 200) // tokens are not logins
}

func TestChangeOwnPassword(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b, other := w.browse("member"), w.browse("member")
	for body, status := range map[string]int{
		`{"current":"wrong","new":"another password"}`:            400,
		`{"current":"` + password + `","new":"short"}`:            400,
		`{"current":"` + password + `","new":"` + password + `"}`: 400,
		`{}`: 400,
	} {
		if a := b.do("PUT", "/api/v1/accounts/me/password", body); a.Code != status {
			t.Errorf("%s: %d %s", body, a.Code, a.Body)
		}
	}
	if a := b.do("PUT", "/api/v1/accounts/me/password", `{"current":"`+password+`","new":"another password"}`); a.Code != 204 {
		t.Fatal(a.Code, a.Body)
	}
	if e := w.lastAudit(); e.Action != "user.change-password" {
		t.Fatalf("%+v", e)
	}
	if a := b.do("GET", "/api/v1/accounts/me", ""); a.Code != 200 {
		t.Fatal("the caller's session ended", a.Code)
	}
	if a := other.do("GET", "/api/v1/accounts/me", ""); a.Code != 401 {
		t.Fatal("the other session lives on", a.Code)
	}
	if a := w.login("member", "another password"); a.Code != 200 {
		t.Fatal(a.Code)
	}
}

func TestPasswordCannotBeGuessedThroughASession(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := w.browse("member")
	for range freePerUser {
		b.do("PUT", "/api/v1/accounts/me/password", `{"current":"guess","new":"another password"}`)
	}
	if a := b.do("PUT", "/api/v1/accounts/me/password", `{"current":"`+password+`","new":"another password"}`); a.Code != 429 {
		t.Fatal(a.Code, a.Body)
	}
}
