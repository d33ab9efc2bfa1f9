package app_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

// fill puts values into a route's parameters: the team, and ids of things that exist in it.
func fill(path, team string, things map[string]string) string {
	words := strings.Split(path, "/")
	for i, w := range words {
		if w == "" || w[0] != ':' && w[0] != '*' {
			continue
		}
		switch name := w[1:]; {
		case name == "team":
			words[i] = team
		case things[name] != "":
			words[i] = things[name]
		default:
			words[i] = "1"
		}
	}
	return strings.Join(words, "/")
}

// TestWhoMayCallWhat walks every route of the server as nobody, as a stranger
// to the team, and in each role of the team, with and without narrowing tokens.
func TestWhoMayCallWhat(t *testing.T) {
	t.Parallel()
	a := start(t)
	w := a.world(t)
	for _, r := range a.Routes() {
		path := fill(r.Path, w.team, w.things)
		if r.Access.Kind == api.KindScoped && !strings.Contains(r.Path, ":team") && !strings.Contains(path, "?") {
			path += "?team=" + w.team
		}
		for who, token := range w.tokens {
			// What changes things is only asked of those who must be refused, and of nobody else.
			allowed := expectAllowed(r.Access, who)
			if allowed && r.Method != http.MethodGet {
				continue
			}
			if allowed && (strings.HasSuffix(r.Path, "/stream") || strings.HasSuffix(r.Path, "/events") || strings.HasSuffix(r.Path, "/hijack")) {
				continue // answers for ever
			}
			status := a.status(t, r.Method, path, token)
			refused := status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusNotFound
			if allowed && (status == http.StatusUnauthorized || status == http.StatusForbidden) {
				t.Errorf("%s may not %s %s (%v): %d", who, r.Method, path, r.Access.Scope, status)
			}
			if !allowed && !refused {
				t.Errorf("%s may %s %s (%s %v): %d", who, r.Method, path, r.Access.Kind, r.Access.Scope, status)
			}
			if who == "nobody" && !allowed && status == http.StatusForbidden {
				t.Errorf("%s %s tells nobody that it is forbidden instead of asking to sign in", r.Method, path)
			}
		}
	}
}

var roleOf = map[string]identity.Role{
	"viewer": identity.Viewer, "pipeline-operator": identity.Operator, "member": identity.Member, "owner": identity.Owner, "read token of the owner": identity.Viewer,
}

var levelOf = map[identity.Role]identity.Level{
	identity.Viewer: identity.Read, identity.Operator: identity.Operate, identity.Member: identity.Write, identity.Owner: identity.Admin,
}

func expectAllowed(access api.Access, who string) bool {
	switch access.Kind {
	case api.KindPublic, api.KindForeign:
		return true
	case api.KindSignedIn:
		return who != "nobody"
	case api.KindAdmin:
		return who == "administrator"
	}
	if who == "administrator" {
		return true
	}
	role, inTeam := roleOf[who]
	return inTeam && levelOf[role] >= access.Scope.Level
}
