package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

// team is a team with something of everything in it, and callers of every kind.
type team struct {
	name string
	// things are what routes are about: "builds/:id" is the value of :id after builds.
	things map[string]string
	tokens map[string]string
}

const sitePipeline = `
signalbox:
  jobs:
    unit: {artifacts: [{path: dist/*}]}
resources:
- {name: every, type: time, webhook_token: knock, source: {interval: 24h}}
- {name: shelf, type: mock, source: {no_initial_version: true}}
jobs:
- name: unit
  plan:
  - get: every
  - task: say
    config: {platform: linux, outputs: [{name: dist}], run: {path: sh, args: [-c, "echo hello | tee dist/hello.txt"]}}
  - put: shelf
    params: {version: one}
`

func (r *running) team(t *testing.T) team {
	t.Helper()
	w := team{name: "web", things: map[string]string{"pipelines/:pipeline": "site", "jobs/:job": "unit", "resources/:resource": "every", "builds/:name": "1",
		"tasks/:step": "say", "members/:user": "viewer", ":action": "pause",
		"docs/:page": "install", "reference/:page": "configuration", "assets/:file": "docs.css"}, tokens: map[string]string{"nobody": "", "administrator": r.token}}
	for _, name := range []string{"web", "other"} {
		r.call(t, "POST", "/api/v1/accounts/teams", map[string]any{"name": name}, nil)
	}
	for _, who := range []string{"viewer", "pipeline-operator", "member", "owner", "stranger"} {
		name, role := "web", who
		if who == "stranger" {
			name, role = "other", "owner"
		}
		r.call(t, "POST", "/api/v1/accounts/users", map[string]any{"name": who, "password": adminPassword, "team": name, "role": role}, nil)
		w.tokens[who] = r.grant(t, who, adminPassword)
	}
	owner := r.as(w.tokens["owner"])
	for name, scopes := range narrow {
		var made struct{ Token, ID string }
		owner.call(t, "POST", "/api/v1/accounts/tokens", map[string]any{"name": name, "scopes": scopes}, &made)
		w.tokens[name], w.things["tokens/:id"] = made.Token, made.ID
	}
	r.furnish(t, w, owner)
	return w
}

// furnish puts one of everything into the team.
func (r *running) furnish(t *testing.T, w team, owner *client) {
	t.Helper()
	var connection struct{ ID string }
	owner.call(t, "POST", "/api/v1/ci/connections", map[string]any{"team": w.name, "name": "GitHub", "api_url": "http://127.0.0.1:9/", "token": "t"}, &connection)
	var channel struct{ ID string }
	owner.call(t, "POST", "/api/v1/ci/channels", map[string]any{"team": w.name, "kind": "webhook", "name": "ops", "url": "http://127.0.0.1:9/", "events": []string{"build.failed"}}, &channel)
	w.things["channels/:id"] = channel.ID
	var rule struct{ ID string }
	owner.call(t, "POST", "/api/v1/ci/rules", map[string]any{"team": w.name, "name": "reviews", "events": []string{"pull_request_review"}, "channel": channel.ID}, &rule)
	w.things["rules/:id"] = rule.ID
	h := owner.hook(t, w.name, connection.ID)
	g := r.repository(t, "site")
	if status := r.deliver(t, h, newGUID(), g.push(t, "main")); status != http.StatusAccepted {
		t.Fatal("delivery:", status)
	}
	var deliveries struct{ Items []struct{ ID string } }
	owner.call(t, "GET", "/api/v1/ci/deliveries?team="+w.name, nil, &deliveries)
	owner.furnishIssues(t, w)
	owner.furnishEdge(t, w)
	owner.furnishLogs(t, w)
	owner.call(t, "PUT", "/api/v1/ci/secrets", map[string]any{"team": w.name, "name": "password", "value": "hush"}, nil)
	pipeline := owner.pipeline(t, w.name, "site", sitePipeline)
	resource := owner.resourceID(t, pipeline, "every")
	owner.awaitVersion(t, resource)
	built := owner.finish(t, owner.trigger(t, w.name, "site", "unit").ID)
	if built.Status != "succeeded" {
		t.Fatalf("%+v\n%s", built, owner.log(t, built.ID))
	}
	var left artifactPage
	owner.call(t, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/artifacts", built.ID), nil, &left)
	var versions struct{ Items []struct{ ID int64 } }
	owner.call(t, "GET", fmt.Sprintf("/api/v1/ci/resources/%d/versions", resource), nil, &versions)
	var graph struct{ Jobs []struct{ ID int64 } }
	owner.call(t, "GET", fmt.Sprintf("/api/v1/ci/pipelines/%d/graph", pipeline), nil, &graph)
	var users struct {
		Items []struct {
			ID   int64
			Name string
		}
	}
	r.call(t, "GET", "/api/v1/accounts/users", nil, &users)
	for key, id := range map[string]int64{"pipelines/:id": pipeline, "jobs/:id": graph.Jobs[0].ID, "builds/:id": built.ID, "artifacts/:id": left.Items[0].ID, "resources/:id": resource,
		"versions/:id": versions.Items[0].ID, "versions/:version": versions.Items[0].ID, "users/:id": users.Items[0].ID} {
		w.things[key] = strconv.FormatInt(id, 10)
	}
	w.things["connections/:id"], w.things["hooks/:id"], w.things["github/:hook"], w.things["deliveries/:id"] = connection.ID, h.ID, h.ID, deliveries.Items[0].ID
}

// fill puts values into a route's parameters: the team, and ids of things that exist in it.
func (w team) fill(path string) string {
	words := strings.Split(path, "/")
	pattern := strings.Split(path, "/")
	for i, word := range words {
		if word == "" || word[0] != ':' && word[0] != '*' {
			continue
		}
		words[i] = "1"
		if word == ":team" {
			words[i] = w.name
		}
		for _, key := range []string{pattern[i-1] + "/" + word, word} {
			if value := w.things[key]; value != "" {
				words[i] = value
				break
			}
		}
	}
	return strings.Join(words, "/")
}

// Where a reader finds nothing although he may look: the thing does not exist in the team furnished.
var mayBeMissing = []string{"/threads/", "/services/:service/", "/containers/:handle", "/artifacts/:artifact", "/api/v1/cli", "/api/v1/system/dead-jobs/", "/users/me/regions/", "/resource-types/", "/edge/v1/agent/", "/assistant/runs/", "/assistant/approvals/", "/assistant/servers/"} // a run is its asker's, and owners'

func missing(path string) bool {
	for _, m := range mayBeMissing {
		if strings.Contains(path, m) {
			return true
		}
	}
	return false
}

// query is what a route needs besides its path.
func (w team) query(r api.Route, path string) string {
	q := ""
	if r.Access.Kind == api.KindScoped && !strings.Contains(r.Path, ":team") && !strings.Contains(r.Path, ":id") {
		q = "?team=" + w.name
	}
	switch {
	case strings.HasSuffix(r.Path, "/log/search"):
		return path + "?q=hello"
	}
	return path + q
}

var endless = []string{"/stream", "/events", "/hijack", "/tail"}

func isEndless(path string) bool {
	for _, e := range endless {
		if strings.HasSuffix(path, e) {
			return true
		}
	}
	return false
}

// TestWhoMayCallWhat walks every route of the server as nobody, as a stranger
// to the team, in each role of the team, and with narrowed tokens.
func TestWhoMayCallWhat(t *testing.T) {
	t.Parallel()
	a := start(t)
	w := a.team(t)
	for _, r := range a.Routes() {
		path := w.query(r, w.fill(r.Path))
		for who, token := range w.tokens {
			allowed := expectAllowed(r.Access, who)
			if allowed && (r.Method != http.MethodGet || isEndless(r.Path) || r.Path == "/sky/logout") {
				continue // changes are only asked by those who must be refused
			}
			status := a.as(token).status(t, r.Method, path)
			switch {
			case r.Access.Kind == api.KindForeign: // has a test of its own
			case allowed && (status == 401 || status == 403 || status == 404 && who != "nobody" && who != "stranger" && !missing(r.Path)):
				t.Errorf("%s may not %s %s (%s %v): %d", who, r.Method, path, r.Access.Kind, r.Access.Scope, status)
			case allowed:
			case who == "nobody" && status != 401:
				t.Errorf("nobody is not asked to sign in at %s %s: %d", r.Method, path, status)
			case status != 401 && status != 403 && status != 404:
				t.Errorf("%s may %s %s (%s %v): %d", who, r.Method, path, r.Access.Kind, r.Access.Scope, status)
			case who == "stranger" && isOwn(r.Path) && r.Access.Kind == api.KindScoped && status != 404:
				t.Errorf("the stranger learns that %s %s exists: %d", r.Method, path, status)
			case who != "stranger" && who != "nobody" && isOwn(r.Path) && status != 403:
				t.Errorf("%s is not told that %s %s is forbidden: %d", who, r.Method, path, status)
			}
		}
	}
	if b := a.as(w.tokens["viewer"]).build(t, mustInt(t, w.things["builds/:id"])); b.Status != "succeeded" {
		t.Errorf("after the walk: %+v", b)
	}
}

func mustInt(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var roleOf = map[string]identity.Role{
	"viewer": identity.Viewer, "pipeline-operator": identity.Operator, "member": identity.Member, "owner": identity.Owner,
}

// narrow are tokens of the owner that hold less than the owner does.
var narrow = map[string][]string{"reads all": {"read"}, "reads ci": {"ci:read"}, "writes ci": {"ci:write"}, "reads logs": {"logs:read"}}

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
	switch who {
	case "administrator":
		return true
	case "reads all":
		return access.Scope.Level == identity.Read
	case "reads ci":
		return access.Scope.Capability == "ci" && access.Scope.Level == identity.Read
	case "reads logs":
		return access.Scope.Capability == "logs" && access.Scope.Level == identity.Read
	case "writes ci":
		return access.Scope.Capability == "ci" && access.Scope.Level <= identity.Write
	}
	role, inTeam := roleOf[who]
	return inTeam && levelOf[role] >= access.Scope.Level
}

// TestListsEndAtTheTeam: what lists without a team is filtered by what the caller may see.
func TestListsEndAtTheTeam(t *testing.T) {
	t.Parallel()
	a := start(t)
	w := a.team(t)
	stranger, viewer := a.as(w.tokens["stranger"]), a.as(w.tokens["viewer"])
	for _, path := range []string{"/api/v1/pipelines", "/api/v1/jobs", "/api/v1/resources", "/api/v1/builds", "/api/v1/ci/hooks", "/api/v1/ci/connections", "/api/v1/ci/deliveries"} {
		count := func(c *client) int {
			status, raw := c.send(t, "GET", path, nil)
			var list []json.RawMessage
			var items struct{ Items []json.RawMessage }
			if err := json.Unmarshal([]byte(raw), &list); err == nil {
				return len(list)
			}
			if err := json.Unmarshal([]byte(raw), &items); err != nil || status != http.StatusOK {
				t.Fatalf("%s: %d %s", path, status, raw)
			}
			return len(items.Items)
		}
		if n := count(stranger); n != 0 {
			t.Errorf("the stranger sees %d of %s", n, path)
		}
		if count(viewer) == 0 {
			t.Errorf("the viewer sees nothing of %s", path)
		}
	}
}
