package accounts

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func (w *world) createToken(as, body string) createTokenOut {
	w.t.Helper()
	var out createTokenOut
	w.mustDo(as, "POST", "/api/v1/accounts/tokens", body, 201).json(&out)
	return out
}

func TestTokenIsShownOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	out := w.createToken("member", `{"name":"laptop","team":"web","scopes":["ci:write","read"],"expires_in_days":7}`)
	if !strings.HasPrefix(out.Token, "sbx_") || len(out.Token) != 47 || out.Team != "web" || out.User != "member" ||
		!out.Expires.Equal(w.clock.now().AddDate(0, 0, 7)) || fmt.Sprint(out.Scopes) != "[ci:write read]" {
		t.Fatalf("%+v", out)
	}
	if e := w.lastAudit(); e.Action != "token.create" || e.Team.Name != "web" || strings.Contains(fmt.Sprint(e), out.Token) {
		t.Fatalf("%+v", e)
	}
	a := w.mustDo("member", "GET", "/api/v1/accounts/tokens", "", 200)
	if strings.Contains(a.Body.String(), out.Token) || !strings.Contains(a.Body.String(), out.ID) {
		t.Fatal(a.Body)
	}
	if a := w.mustDo("viewer", "GET", "/api/v1/accounts/tokens", "", 200); strings.Contains(a.Body.String(), out.ID) {
		t.Fatal("another user sees it", a.Body)
	}
	if a := w.mustDo("root", "GET", "/api/v1/accounts/tokens?everybody=true", "", 200); !strings.Contains(a.Body.String(), out.ID) {
		t.Fatal("the administrator does not see it", a.Body)
	}
	w.mustDo("viewer", "GET", "/api/v1/accounts/tokens?everybody=true", "", 403)
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	run(t, []scenario{
		{name: "no name", as: "member", method: "POST", path: "/api/v1/accounts/tokens", body: `{"scopes":["read"]}`, status: 400, contains: []string{`"field":"name"`}},
		{name: "no scopes", as: "member", method: "POST", path: "/api/v1/accounts/tokens", body: `{"name":"t"}`, status: 400, contains: []string{`"field":"scopes"`}},
		{name: "unknown scope", as: "member", method: "POST", path: "/api/v1/accounts/tokens", body: `{"name":"t","scopes":["ci:fly"]}`, status: 400},
		{name: "too long", as: "member", method: "POST", path: "/api/v1/accounts/tokens", body: `{"name":"t","scopes":["*"],"expires_in_days":9999}`, status: 400},
		{name: "another's team", as: "stranger", method: "POST", path: "/api/v1/accounts/tokens", body: `{"name":"t","scopes":["*"],"team":"web"}`, status: 404},
		{name: "unknown token", as: "member", method: "DELETE", path: "/api/v1/accounts/tokens/none", status: 404},
	}, nil)
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	w := setup(t)
	out := w.createToken("member", `{"name":"t","scopes":["*"]}`)
	w.tokens["t"] = out.Token
	path := "/api/v1/accounts/tokens/" + out.ID
	w.mustDo("t", "GET", "/api/v1/accounts/me", "", 200)
	w.mustDo("viewer", "DELETE", path, "", 404)
	w.mustDo("owner", "DELETE", path, "", 404)
	w.mustDo("member", "DELETE", path, "", 204)
	w.mustDo("t", "GET", "/api/v1/accounts/me", "", 401)
	if e := w.lastAudit(); e.Action != "token.revoke" || e.Object != "t" {
		t.Fatalf("%+v", e)
	}
	w.mustDo("member", "DELETE", path, "", 204)
	if a := w.mustDo("member", "GET", "/api/v1/accounts/tokens", "", 200); strings.Contains(a.Body.String(), out.ID) {
		t.Fatal(a.Body)
	}
	out = w.createToken("member", `{"name":"t","scopes":["*"]}`)
	w.mustDo("root", "DELETE", "/api/v1/accounts/tokens/"+out.ID, "", 204)
}

func TestTokenExpires(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.tokens["t"] = w.createToken("member", `{"name":"t","scopes":["*"],"expires_in_days":1}`).Token
	w.clock.pass(24*time.Hour - time.Millisecond)
	w.mustDo("t", "GET", "/api/v1/accounts/me", "", 200)
	w.clock.pass(time.Millisecond)
	w.mustDo("t", "GET", "/api/v1/accounts/me", "", 401)
}

// What a token may do is the user's role ∩ the token's scopes.
func TestScopesNarrow(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, scopes := range []string{"read", "ci:admin", "accounts:read", "accounts:write", "accounts:admin", "system:admin"} {
		w.token("owner", scopes)
		w.token("root", scopes)
		w.token("viewer", scopes)
	}
	w.tokens["bound"] = w.createToken("root", `{"name":"b","scopes":["*"],"team":"web"}`).Token
	w.tokens["main"] = w.createToken("root", `{"name":"m","scopes":["*"],"team":"main"}`).Token
	for _, sc := range []struct {
		as, method, path string
		status           int
	}{
		{"owner/read", "GET", "/api/v1/accounts/teams/web", 200},
		{"owner/ci:admin", "GET", "/api/v1/accounts/teams/web", 403},
		{"owner/accounts:read", "GET", "/api/v1/accounts/teams/web", 200},
		{"owner/accounts:read", "PATCH", "/api/v1/accounts/teams/web", 403},
		{"owner/accounts:write", "PATCH", "/api/v1/accounts/teams/web", 403},
		{"owner/accounts:admin", "PATCH", "/api/v1/accounts/teams/web", 200},
		{"owner/read", "GET", "/api/v1/accounts/audit", 403},
		{"owner/accounts:admin", "GET", "/api/v1/accounts/audit", 200},
		{"viewer/accounts:admin", "PATCH", "/api/v1/accounts/teams/web", 403},
		{"root/accounts:admin", "GET", "/api/v1/accounts/users", 403},
		{"root/read", "GET", "/api/v1/accounts/users", 403},
		{"root/system:admin", "GET", "/api/v1/accounts/users", 200},
		{"bound", "GET", "/api/v1/accounts/teams/web", 200},
		{"bound", "GET", "/api/v1/accounts/teams/main", 404},
		{"bound", "GET", "/api/v1/accounts/users", 403},
		{"main", "GET", "/api/v1/accounts/teams/web", 404},
		{"main", "GET", "/api/v1/accounts/users", 200},
	} {
		if a := w.do(sc.as, sc.method, sc.path, ""); a.Code != sc.status {
			t.Errorf("%s %s as %s: %d, want %d", sc.method, sc.path, sc.as, a.Code, sc.status)
		}
	}
}

func TestTokenCannotOutgrowItself(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.token("owner", "accounts:admin")
	w.mustDo("owner/accounts:admin", "POST", "/api/v1/accounts/tokens", `{"name":"t","scopes":["read"]}`, 403)
	w.mustDo("owner/accounts:admin", "DELETE", "/api/v1/accounts/tokens/"+w.createToken("owner", `{"name":"t","scopes":["read"]}`).ID, "", 403)
	w.tokens["short"] = w.createToken("owner", `{"name":"s","scopes":["*"],"team":"web","expires_in_days":2}`).Token
	child := w.createToken("short", `{"name":"child","scopes":["*"],"expires_in_days":9}`)
	if child.Team != "web" || !child.Expires.Equal(w.clock.now().AddDate(0, 0, 2)) {
		t.Fatalf("%+v", child)
	}
	w.mustDo("root", "PUT", "/api/v1/accounts/teams/main/members/owner", `{"role":"viewer"}`, 204)
	w.mustDo("short", "POST", "/api/v1/accounts/tokens", `{"name":"t","scopes":["read"],"team":"main"}`, 404)
	// Itself may go.
	var list list[tokenOut]
	w.mustDo("owner", "GET", "/api/v1/accounts/tokens", "", 200).json(&list)
	for _, token := range list.Items {
		if fmt.Sprint(token.Scopes) == "[accounts:admin]" {
			w.mustDo("owner/accounts:admin", "DELETE", "/api/v1/accounts/tokens/"+token.ID, "", 204)
		}
	}
	w.mustDo("owner/accounts:admin", "GET", "/api/v1/accounts/me", "", 401)
}
