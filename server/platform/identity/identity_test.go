package identity

import (
	"slices"
	"testing"

	"github.com/signalbox/signalbox/server/platform/problem"
)

func TestWhatRolesAndScopesAllow(t *testing.T) {
	t.Parallel()
	ci := func(l Level) Scope { return Scope{"ci", l} }
	for _, c := range []struct {
		role   Role
		scopes TokenScopes
		want   []Level // of ci
	}{
		{Viewer, nil, []Level{Read}},
		{Operator, nil, []Level{Read, Operate}},
		{Member, nil, []Level{Read, Operate, Write}},
		{Owner, nil, []Level{Read, Operate, Write, Admin}},
		{Owner, TokenScopes{"*"}, []Level{Read, Operate, Write, Admin}},
		{Owner, TokenScopes{"read"}, []Level{Read}},
		{Owner, TokenScopes{"ci:read"}, []Level{Read}},
		{Owner, TokenScopes{"ci:write"}, []Level{Read, Operate, Write}},
		{Owner, TokenScopes{"issues:admin"}, nil},
		{Viewer, TokenScopes{"ci:admin"}, []Level{Read}},
		{Owner, TokenScopes{}, nil},
		{"", nil, nil},
	} {
		caller := Caller{UserID: 1, Roles: map[int64]Role{}, Scopes: c.scopes}
		if c.role != "" {
			caller.Roles[7] = c.role
		}
		for _, l := range []Level{Read, Operate, Write, Admin} {
			if got := caller.Can(7, ci(l)); got != slices.Contains(c.want, l) {
				t.Errorf("%q with %v: Can(%v) = %v", c.role, c.scopes, ci(l), got)
			}
			if caller.Can(8, ci(l)) {
				t.Errorf("%q can %v in a team it is not in", c.role, ci(l))
			}
		}
	}
}

func TestRequireTellsStrangersNothing(t *testing.T) {
	t.Parallel()
	member := Caller{UserID: 1, Roles: map[int64]Role{7: Viewer}, Teams: map[string]Team{"web": {7, "web"}}}
	for _, c := range []struct {
		name   string
		caller Caller
		team   string
		id     int64
		level  Level
		want   problem.Kind
	}{
		{"nobody", Caller{}, "web", 7, Read, problem.Unauthorized},
		{"a stranger", member, "other", 8, Read, problem.NotFound},
		{"too little", member, "web", 7, Write, problem.Forbidden},
		{"enough", member, "web", 7, Read, ""},
	} {
		ctx := With(t.Context(), c.caller)
		_, byName := RequireTeam(ctx, c.team, Scope{"ci", c.level})
		byID := Require(ctx, c.id, Scope{"ci", c.level})
		for _, err := range []error{byName, byID} {
			if c.want == "" && err != nil || c.want != "" && !problem.Is(err, c.want) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
}

func TestAdministratorsTokenMayBeNarrowed(t *testing.T) {
	t.Parallel()
	admin := Caller{UserID: 1, Admin: true}
	narrow := admin
	narrow.Scopes = TokenScopes{"ci:admin"}
	if RequireAdmin(With(t.Context(), admin)) != nil || RequireAdmin(With(t.Context(), narrow)) == nil ||
		RequireAdmin(With(t.Context(), Caller{UserID: 2})) == nil || RequireAdmin(t.Context()) == nil {
		t.Error("administration is open to the wrong callers")
	}
}

func TestTokenScopesAreChecked(t *testing.T) {
	t.Parallel()
	for _, good := range []TokenScopes{{"*"}, {"read"}, {"ci:write", "logs:read"}, {"system:admin"}} {
		if err := good.Validate(); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
	for _, bad := range []TokenScopes{nil, {}, {"write"}, {"ci:operate"}, {"ci"}, {"cd:read"}, {"ci:read", ""}} {
		if bad.Validate() == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
}
