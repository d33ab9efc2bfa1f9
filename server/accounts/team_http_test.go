package accounts

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// TestWhoMayWhat walks every route of accounts as everybody. A right caller may
// still be refused for the empty body; only 401, 403 and 404 tell about rights.
func TestWhoMayWhat(t *testing.T) {
	t.Parallel()
	actors := []string{"", "stranger", "viewer", "pipeline-operator", "member", "owner", "root"}
	expect := map[string]map[string]int{ // by class, the refusals
		"public": {}, "signed-in": {"": 401},
		"admin":          {"": 401, "stranger": 403, "viewer": 403, "pipeline-operator": 403, "member": 403, "owner": 403},
		"team read":      {"": 401, "stranger": 404},
		"team admin":     {"": 401, "stranger": 404, "viewer": 403, "pipeline-operator": 403, "member": 403},
		"some team's":    {"": 401, "stranger": 403, "viewer": 403, "pipeline-operator": 403, "member": 403},
		"team to be set": {"": 401, "stranger": 404, "viewer": 403, "pipeline-operator": 403, "member": 403},
	}
	classes := map[string]string{
		"POST /api/v1/accounts/session": "public", "DELETE /api/v1/accounts/session": "public", "GET /api/v1/accounts/me": "signed-in",
		"GET /api/v1/accounts/users": "admin", "POST /api/v1/accounts/users": "admin", "PATCH /api/v1/accounts/users/:id": "admin",
		"POST /api/v1/accounts/users/:id/reset-password": "admin", "PUT /api/v1/accounts/me/password": "signed-in",
		"GET /api/v1/accounts/teams": "signed-in", "POST /api/v1/accounts/teams": "admin", "GET /api/v1/accounts/teams/:team": "team read",
		"PATCH /api/v1/accounts/teams/:team": "team admin", "DELETE /api/v1/accounts/teams/:team": "team admin",
		"GET /api/v1/accounts/teams/:team/members": "team read", "PUT /api/v1/accounts/teams/:team/members/:user": "team admin",
		"DELETE /api/v1/accounts/teams/:team/members/:user": "team admin", "GET /api/v1/accounts/tokens": "signed-in",
		"POST /api/v1/accounts/tokens": "signed-in", "DELETE /api/v1/accounts/tokens/:id": "signed-in", "GET /api/v1/accounts/audit": "some team's",
		"POST /sky/issuer/token": "public", "GET /sky/fly": "public", "GET /fly_success": "public", "GET /sky/logout": "not public, but ends the walk", "GET /api/v1/user": "signed-in",
		"GET /api/v1/users": "admin", "GET /api/v1/teams": "signed-in", "GET /api/v1/teams/:team": "team read", "PUT /api/v1/teams/:team": "team to be set",
		"DELETE /api/v1/teams/:team": "team admin", "PUT /api/v1/teams/:team/rename": "team admin",
	}
	for _, actor := range actors {
		t.Run("as "+actor, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			for _, route := range w.table.Routes {
				name := strings.Replace(route.Method, "HEAD", "GET", 1) + " " + route.Path
				class, ok := classes[name]
				if !ok {
					t.Errorf("%s is in no class", name)
					continue
				}
				if strings.Contains(class, "public") || route.Method == http.MethodDelete && actor == "root" || strings.HasSuffix(route.Path, "/tokens/:id") && actor != "" {
					continue // their own tests
				}
				path := strings.NewReplacer(":team", "web", ":user", "viewer", ":id", w.id("viewer")).Replace(route.Path)
				body := ""
				if route.Path == "/api/v1/teams/:team" && route.Method == http.MethodPut {
					body = `{"auth":{"owner":{"users":["local:owner"]}}}`
				}
				if actor == "owner" && route.Method == http.MethodDelete {
					path = strings.Replace(path, "/web", "/nope", 1) // the rest of the walk needs the team
				}
				a := w.do(actor, route.Method, path, body)
				want := expect[class][actor]
				refused := a.Code == 401 || a.Code == 403 || a.Code == 404 && !strings.Contains(path, "/nope")
				if refused != (want != 0) || refused && a.Code != want {
					t.Errorf("%s: %d, want %d (0: not refused): %s", name, a.Code, want, a.Body)
				}
			}
		})
	}
}

func TestTeamRoutes(t *testing.T) {
	t.Parallel()
	run(t, []scenario{
		{name: "list mine", as: "viewer", method: "GET", path: "/api/v1/accounts/teams", status: 200,
			contains: []string{`{"name":"web","role":"viewer","members":5,"privileged":false,"created_at":"2026-05-01T12:00:00Z"}`}, lacks: []string{"main"}},
		{name: "list all", as: "root", method: "GET", path: "/api/v1/accounts/teams", status: 200, contains: []string{`"main","role":"owner"`, `"web","role":"owner"`}},
		{name: "list none", as: "stranger", method: "GET", path: "/api/v1/accounts/teams", status: 200, contains: []string{`{"items":[]}`}},
		{name: "create", as: "root", method: "POST", path: "/api/v1/accounts/teams", body: `{"name":"new-team"}`, status: 201,
			contains: []string{`"name":"new-team","role":"owner","members":1`}, audit: "member.add"},
		{name: "create a second time", as: "root", method: "POST", path: "/api/v1/accounts/teams", body: `{"name":"web"}`, status: 409},
		{name: "bad name", as: "root", method: "POST", path: "/api/v1/accounts/teams", body: `{"name":"Web/Team"}`, status: 400, contains: []string{`"field":"name"`}},
		{name: "show", as: "member", method: "GET", path: "/api/v1/accounts/teams/web", status: 200, contains: []string{`"members":5`}},
		{name: "rename", as: "owner", method: "PATCH", path: "/api/v1/accounts/teams/web", body: `{"name":"site"}`, status: 200,
			contains: []string{`"name":"site","role":"owner"`}, audit: "team.rename"},
		{name: "rename to a taken name", as: "owner", method: "PATCH", path: "/api/v1/accounts/teams/web", body: `{"name":"main"}`, status: 409},
		{name: "main keeps its name", as: "root", method: "PATCH", path: "/api/v1/accounts/teams/main", body: `{"name":"x"}`, status: 409},
		{name: "privileged by an owner", as: "owner", method: "PATCH", path: "/api/v1/accounts/teams/web", body: `{"privileged":true}`, status: 403},
		{name: "privileged by an administrator", as: "root", method: "PATCH", path: "/api/v1/accounts/teams/web", body: `{"privileged":true}`, status: 200,
			contains: []string{`"privileged":true`}, audit: "team.allow-privileged"},
		{name: "delete", as: "owner", method: "DELETE", path: "/api/v1/accounts/teams/web", status: 204, audit: "team.delete"},
		{name: "main stays", as: "root", method: "DELETE", path: "/api/v1/accounts/teams/main", status: 409},
		{name: "members", as: "viewer", method: "GET", path: "/api/v1/accounts/teams/web/members", status: 200,
			contains: []string{`{"name":"pipeline-operator","role":"pipeline-operator","is_admin":false,"disabled":false}`}},
		{name: "add a member", as: "owner", method: "PUT", path: "/api/v1/accounts/teams/web/members/stranger", body: `{"role":"viewer"}`, status: 204, audit: "member.add"},
		{name: "change a role", as: "owner", method: "PUT", path: "/api/v1/accounts/teams/web/members/viewer", body: `{"role":"member"}`, status: 204, audit: "member.change"},
		{name: "unknown role", as: "owner", method: "PUT", path: "/api/v1/accounts/teams/web/members/viewer", body: `{"role":"king"}`, status: 400},
		{name: "unknown user", as: "owner", method: "PUT", path: "/api/v1/accounts/teams/web/members/nobody", body: `{"role":"viewer"}`, status: 404},
		{name: "remove a member", as: "owner", method: "DELETE", path: "/api/v1/accounts/teams/web/members/viewer", status: 204, audit: "member.remove"},
		{name: "remove who is none", as: "owner", method: "DELETE", path: "/api/v1/accounts/teams/web/members/stranger", status: 404},
	}, nil)
}

func TestLastOwnerStays(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.mustDo("root", "DELETE", "/api/v1/accounts/teams/web/members/root", "", 204) // who created it
	for _, call := range [][2]string{{"PUT", `{"role":"member"}`}, {"DELETE", ""}} {
		for _, as := range []string{"owner", "root"} {
			a := w.mustDo(as, call[0], "/api/v1/accounts/teams/web/members/owner", call[1], 409)
			if !strings.Contains(a.Body.String(), "owner is the last owner of web") {
				t.Fatal(a.Body)
			}
		}
	}
	w.mustDo("owner", "PUT", "/api/v1/accounts/teams/web/members/member", `{"role":"owner"}`, 204)
	w.mustDo("owner", "DELETE", "/api/v1/accounts/teams/web/members/owner", "", 204)
	w.mustDo("owner", "GET", "/api/v1/accounts/teams/web", "", 404)
}

func TestChangesOfRoleWorkAtOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.mustDo("viewer", "DELETE", "/api/v1/accounts/teams/web/members/stranger", "", 403)
	w.mustDo("owner", "PUT", "/api/v1/accounts/teams/web/members/viewer", `{"role":"owner"}`, 204)
	w.mustDo("viewer", "DELETE", "/api/v1/accounts/teams/web/members/stranger", "", 404)
	w.mustDo("owner", "DELETE", "/api/v1/accounts/teams/web/members/viewer", "", 204)
	w.mustDo("viewer", "GET", "/api/v1/accounts/teams/web", "", 404)
}

func TestDeletedTeamTakesItsRowsAlong(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, bound, err := TokenCreate(t.Context(), w.s, "owner", NewToken{Name: "bound", Team: "web", Scopes: identity.TokenScopes{"read"}})
	if err != nil {
		t.Fatal(err)
	}
	w.tokens["bound"] = bound
	w.mustDo("bound", "GET", "/api/v1/accounts/teams/web", "", 200)
	var heard identity.Team
	refuse := problem.New(problem.Conflict, "Builds are running.")
	w.s.OnTeamDeleted = func(ctx context.Context, team identity.Team) error {
		heard = team
		if refuse == nil {
			return w.s.Audit(ctx, 0, "test.inside", team.Name, "")
		}
		return errors.Join(refuse, w.s.Audit(ctx, 0, "test.rolled-back", "", ""))
	}
	w.mustDo("owner", "DELETE", "/api/v1/accounts/teams/web", "", 409)
	w.mustDo("owner", "GET", "/api/v1/accounts/teams/web", "", 200)
	if e := w.lastAudit(); e.Action == "test.rolled-back" {
		t.Fatal("the hook ran outside of the transaction")
	}
	refuse = nil
	w.mustDo("owner", "DELETE", "/api/v1/accounts/teams/web", "", 204)
	if heard.Name != "web" || heard.ID == 0 {
		t.Fatal(heard)
	}
	w.mustDo("owner", "GET", "/api/v1/accounts/teams/web", "", 404)
	w.mustDo("bound", "GET", "/api/v1/accounts/me", "", 401)
	var members int64
	if err := w.db.Reader(t.Context()).Model(&memberRow{}).Where("team_id = ?", heard.ID).Count(&members).Error; err != nil || members != 0 {
		t.Fatal(members, err)
	}
}
