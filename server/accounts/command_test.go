package accounts

import (
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func TestCommandsForUsers(t *testing.T) {
	t.Parallel()
	w := empty(t)
	ctx := t.Context()
	u, generated, err := UserCreate(ctx, w.s, NewUser{Name: "ann", Password: "pw", Admin: true, Team: MainTeam, Role: identity.Owner})
	if err != nil || generated != "" || !u.IsAdmin || u.ID == 0 {
		t.Fatal(u, generated, err)
	}
	if _, generated, err = UserCreate(ctx, w.s, NewUser{Name: "bob"}); err != nil || generated == "" {
		t.Fatal(generated, err)
	}
	if e := w.lastAudit(); e.Actor != "command line" || e.Action != "user.create" || e.Object != "bob" {
		t.Fatalf("%+v", e)
	}
	if _, _, err := UserCreate(ctx, w.s, NewUser{Name: "Bob"}); !problem.Is(err, problem.Conflict) {
		t.Fatal(err)
	}
	users, err := UserList(ctx, w.s)
	if err != nil || len(users) != 2 || users[0].Name != "ann" || !users[1].MustChangePassword {
		t.Fatal(users, err)
	}
	reset, err := UserReset(ctx, w.s, "BOB")
	if err != nil || w.login("bob", generated).Code != 401 || w.login("bob", reset).Code != 200 {
		t.Fatal(reset, err)
	}
	if err := UserDisable(ctx, w.s, "bob"); err != nil || w.login("bob", reset).Code != 401 {
		t.Fatal(err)
	}
	if err := UserDisable(ctx, w.s, "carl"); !problem.Is(err, problem.NotFound) {
		t.Fatal(err)
	}
	if _, err := UserReset(ctx, w.s, "carl"); !problem.Is(err, problem.NotFound) {
		t.Fatal(err)
	}
}

func TestCommandsForTokens(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	made, secret, err := TokenCreate(ctx, w.s, "member", NewToken{Name: "ci", Team: "web", Scopes: identity.TokenScopes{"ci:write"}, Days: 30})
	if err != nil || made.Team.Name != "web" {
		t.Fatal(made, err)
	}
	caller, err := w.s.VerifyToken(ctx, secret)
	if err != nil || caller.Name != "member" || caller.TokenID != made.ID || len(caller.Teams) != 1 ||
		!caller.Can(made.Team.ID, identity.Scope{Capability: "ci", Level: identity.Write}) || caller.Can(made.Team.ID, identity.Scope{Capability: "logs", Level: identity.Read}) {
		t.Fatalf("%+v %v", caller, err)
	}
	for name, n := range map[string]NewToken{
		"stranger": {Name: "t", Team: "web", Scopes: identity.TokenScopes{"*"}}, "nobody": {Name: "t", Scopes: identity.TokenScopes{"*"}},
		"member": {Name: "t", Scopes: identity.TokenScopes{"all"}}, "owner": {Name: "t", Team: "nope", Scopes: identity.TokenScopes{"*"}},
	} {
		if _, secret, err := TokenCreate(ctx, w.s, name, n); err == nil || secret != "" {
			t.Errorf("a token for %s", name)
		}
	}
	all, err := TokenList(ctx, w.s, "")
	mine, err2 := TokenList(ctx, w.s, "member")
	if err != nil || err2 != nil || len(mine) != 2 || len(all) <= len(mine) {
		t.Fatal(len(all), len(mine), err, err2)
	}
	if err := TokenRevoke(ctx, w.s, made.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.VerifyToken(ctx, secret); !problem.Is(err, problem.Unauthorized) {
		t.Fatal(err)
	}
	if err := TokenRevoke(ctx, w.s, "none"); !problem.Is(err, problem.NotFound) {
		t.Fatal(err)
	}
	if _, err := TokenList(ctx, w.s, "nobody"); !problem.Is(err, problem.NotFound) {
		t.Fatal(err)
	}
	for range 100 {
		if s := newSecret(); len(s) != 47 || strings.ContainsAny(s, "-+/= ") {
			t.Fatal(s)
		}
	}
}
