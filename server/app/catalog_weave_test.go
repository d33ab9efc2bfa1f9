package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	agent "github.com/signalbox/signalbox/agents/portal"
	"github.com/signalbox/signalbox/agents/protocol"
)

type woven struct {
	Service, Release, Version string
	Commits                   []struct{ SHA string }
	Builds                    []struct{ Status, Path string }
	Lines                     *struct {
		Total int64
		Query string
		Items []struct{ Message string }
	}
	Nodes *struct {
		Total, Running int
		Versions       []struct {
			Version string
			Runs    bool
			Some    []struct{ Name string }
		}
	}
	Previous     *struct{ Version string }
	Environments []struct{ Name string }
	Health       struct {
		Users     int64
		NewErrors int64   `json:"new_errors"`
		PerHour   float64 `json:"per_hour"`
	}
	Missing []string
}

// node makes a machine a node that has a package.
func (c *client) nodeWith(t *testing.T, name, pkg, version string) string {
	t.Helper()
	var token struct{ Token string }
	c.call(t, "POST", "/api/v1/edge/tokens", map[string]any{"team": "main", "name": name, "accepts": true}, &token)
	dir, id := t.TempDir(), agent.Identity{URL: c.url}
	speak, err := agent.New(dir, id, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	machine := protocol.Machine{Hostname: name, OSID: "debian", VersionID: "12", Codename: "bookworm", Arch: "amd64", PackageSystem: "apt"}
	node, err := speak.Enroll(t.Context(), protocol.EnrollRequest{Token: token.Token, Name: name, Machine: machine, Agent: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	id.Node = node.Node
	if speak, err = agent.New(dir, id, time.Now); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(protocol.Inventory{Kernel: "6.1", Packages: []protocol.Package{{Name: pkg, Version: version, Arch: "amd64"}}})
	if err == nil {
		err = speak.Inventory(t.Context(), raw)
	}
	if err != nil {
		t.Fatal(err)
	}
	return node.Node
}

// TestThreadOfOneError follows an error to its commit, build, lines and nodes, its release to the same,
// a failed build to the one before it, a node to its errors; and shows nothing of it to strangers.
func TestThreadOfOneError(t *testing.T) {
	t.Parallel()
	p := startPushed(t, "", "")
	sha := p.repo.git(t, "rev-parse", "HEAD")
	p.publishBundle(t, "main", "a package")
	node := p.nodeWith(t, "edge-1", "hello", "1:2-1")
	p.nodeWith(t, "edge-2", "hello", "1:1-1")
	project := p.errorProject(t, "main", "Shop")
	for _, version := range []string{"hello@1", "hello@2"} {
		p.call(t, "POST", "/api/0/organizations/main/releases/", map[string]any{"version": version, "projects": []string{project.Slug}, "commits": []any{map[string]any{"id": sha, "repository": "acme/shop", "author_name": "ann", "message": "sell more"}}}, nil)
	}
	event, trace := strings.ReplaceAll(newGUID(), "-", ""), strings.ReplaceAll(newGUID(), "-", "")
	envelope := fmt.Sprintf("{\"event_id\":%q}\n{\"type\":\"event\"}\n{\"message\":\"out of stock\",\"level\":\"error\",\"platform\":\"python\",\"release\":\"hello@2\",\"server_name\":\"edge-1\",\"user\":{\"id\":\"7\"},\"contexts\":{\"trace\":{\"trace_id\":%q,\"span_id\":\"aaaaaaaaaaaaaaaa\"}}}\n", event, trace)
	p.as("").request(t, "POST", fmt.Sprintf("/api/%d/envelope/?sentry_key=%s", project.ID, project.Key), strings.NewReader(envelope)).Body.Close()
	eventually(t, "the event", func() bool {
		return p.status(t, "GET", "/api/v1/issues/events/"+event+"?team=main") == http.StatusOK
	})
	line := fmt.Sprintf(`{"time":%q,"service":"shop","trace_id":%q,"host":"edge-1","msg":"no more of it"}`, time.Now().UTC().Format(time.RFC3339Nano), trace)
	p.request(t, "POST", "/insert/jsonline?_stream_fields=service", strings.NewReader(line+"\n"), "X-Scope-OrgID", "main").Body.Close()
	const base = "/api/v1/accounts/teams/main"
	p.call(t, "PUT", base+"/services/shop", map[string]any{"description": "", "owners": []string{}, "repository": "acme/shop", "pipeline": "shop", "job": "", "project": project.Slug, "log_filter": "service:shop", "package": "hello"}, nil)

	var of woven
	check := func(what string) {
		t.Helper()
		switch {
		case of.Service != "shop" || len(of.Missing) > 0:
			t.Errorf("%s: %+v", what, of)
		case len(of.Commits) != 1 || of.Commits[0].SHA != sha || len(of.Builds) != 1 || of.Builds[0].Status != "succeeded" || of.Builds[0].Path != "/teams/main/pipelines/shop/jobs/unit/builds/1":
			t.Errorf("%s: commits %+v builds %+v", what, of.Commits, of.Builds)
		case of.Nodes == nil || of.Nodes.Total != 2 || of.Nodes.Running != 1 || len(of.Nodes.Versions) != 2 || of.Nodes.Versions[0].Version != "1:2-1" || !of.Nodes.Versions[0].Runs || of.Nodes.Versions[0].Some[0].Name != "edge-1":
			t.Errorf("%s: nodes %+v", what, of.Nodes)
		}
	}
	eventually(t, "the line of the trace", func() bool {
		p.call(t, "GET", base+"/threads/events/"+event, nil, &of)
		return of.Lines != nil && of.Lines.Total == 1
	})
	check("the event")
	if of.Lines.Query != "trace_id:"+trace || len(of.Lines.Items) != 1 || of.Lines.Items[0].Message != "no more of it" || of.Release != "hello@2" {
		t.Errorf("%+v", of)
	}
	var releases struct{ Items []struct{ ID int64 } }
	p.call(t, "GET", "/api/v1/issues/releases?team=main&version=hello%402", nil, &releases)
	release := fmt.Sprintf("%s/threads/releases/%d", base, releases.Items[0].ID)
	of = woven{}
	p.call(t, "GET", release, nil, &of)
	check("the release")
	if of.Previous == nil || of.Previous.Version != "hello@1" || of.Health.Users != 1 || of.Health.NewErrors != 1 || of.Health.PerHour == 0 || len(of.Environments) != 1 || of.Environments[0].Name != "production" || of.Lines == nil || of.Lines.Query != "service:shop" {
		t.Errorf("%+v", of)
	}

	var about struct {
		Errors  *struct{ Items []struct{ Title string } }
		Lines   *struct{ Total int64 }
		Patches []struct{}
	}
	p.call(t, "GET", base+"/threads/nodes/"+node, nil, &about)
	if about.Errors == nil || len(about.Errors.Items) != 1 || about.Errors.Items[0].Title != "out of stock" || about.Lines == nil || about.Lines.Total == 0 {
		t.Errorf("the node: %+v", about)
	}
	for query, want := range map[string]int{"package:hello": 2, "package:hello=1:2-1": 1, "package:hello<1:2": 1, "-package:hello": 0, "package:other": 0} {
		var found struct{ Total int }
		p.call(t, "GET", "/api/v1/edge/nodes?team=main&q="+strings.NewReplacer("=", "%3D", "<", "%3C").Replace(query), nil, &found)
		if found.Total != want {
			t.Errorf("%s finds %d nodes instead of %d", query, found.Total, want)
		}
	}
	var timeline struct{ Events []joined }
	p.call(t, "GET", base+"/timeline?service=shop", nil, &timeline)
	if got := kindsOf(timeline.Events); !slices.Contains(got, "bundle") {
		t.Errorf("the service's timeline has %q", got)
	}

	p.pipeline(t, "main", "broken", "jobs:\n- name: unit\n  plan:\n  - task: t\n    config: {platform: linux, run: {path: sh, args: [-c, \"echo disk 12 is full; exit 3\"]}}\n")
	first := p.finish(t, p.trigger(t, "main", "broken", "unit").ID)
	second := p.finish(t, p.trigger(t, "main", "broken", "unit").ID)
	var failed struct {
		Step, Words string
		Times       int
		Before      []struct{ ID int64 }
		First       *struct{ ID int64 }
	}
	failure := func(id int64) string { return base + "/threads/builds/" + strconv.FormatInt(id, 10) }
	p.call(t, "GET", failure(second.ID), nil, &failed)
	if failed.Step != "t" || failed.Words != "disk # is full" || failed.Times != 1 || len(failed.Before) != 1 || failed.Before[0].ID != first.ID || failed.First == nil || failed.First.ID != first.ID {
		t.Errorf("the failure: %+v", failed)
	}

	// Who may read only errors sees only them; another team's owner nothing at all.
	var made struct{ Token string }
	p.call(t, "POST", "/api/v1/accounts/tokens", map[string]any{"name": "narrow", "team": "main", "scopes": []string{"accounts:read", "issues:read"}}, &made)
	of = woven{}
	p.as(made.Token).call(t, "GET", base+"/threads/events/"+event, nil, &of)
	if of.Release != "hello@2" || len(of.Builds) != 0 || of.Lines != nil || of.Nodes != nil || len(of.Missing) != 0 {
		t.Errorf("with issues:read alone: %+v", of)
	}
	if status := p.as(made.Token).status(t, "GET", failure(second.ID)); status != http.StatusForbidden {
		t.Error("with issues:read alone a build:", status)
	}
	p.call(t, "POST", "/api/v1/accounts/teams", map[string]any{"name": "other"}, nil)
	p.call(t, "POST", "/api/v1/accounts/users", map[string]any{"name": "eve", "password": adminPassword, "team": "other", "role": "owner"}, nil)
	eve := p.as(p.grant(t, "eve", adminPassword))
	for _, path := range []string{base + "/threads/events/" + event, release, base + "/threads/nodes/" + node, failure(second.ID), base + "/services/shop/nodes"} {
		for _, at := range []string{path, strings.Replace(path, "/main/", "/other/", 1)} {
			if status := eve.status(t, "GET", at); status != http.StatusNotFound {
				t.Errorf("a stranger at %s: %d", at, status)
			}
		}
	}
}

// TestFindsEverything looks for each kind of thing by its name, as one who may see it and as others.
func TestFindsEverything(t *testing.T) {
	t.Parallel()
	r := start(t)
	w := r.team(t)
	owner := r.as(w.tokens["owner"])
	owner.call(t, "PUT", "/api/v1/accounts/teams/web/services/kiosk", map[string]any{"description": "", "owners": []string{}, "repository": "", "pipeline": "site", "job": "", "project": "", "log_filter": "", "package": "kiosk-app"}, nil)
	const sha = "4f2a91c0de4f2a91c0de4f2a91c0de4f2a91c0de"
	owner.call(t, "POST", "/api/0/organizations/web/releases/", map[string]any{"version": "shop@7.7", "projects": []string{"shop"}, "commits": []any{map[string]any{"id": sha, "repository": "acme/shop", "author_name": "ann", "message": "sell"}}}, nil)
	search := func(c *client, text string) []joined {
		t.Helper()
		var found struct{ Items []joined }
		c.call(t, "GET", "/api/v1/accounts/teams/web/search?q="+url.QueryEscape(text), nil, &found)
		return found.Items
	}
	for text, want := range map[string]string{
		"site": "pipeline", "unit": "job", "every": "resource", "unit #1": "build", "site/unit 1": "build", "out of stock": "error", "SHOP-1": "error", "shop@7": "release", "shop": "project",
		sha: "commit", "4f2a91c": "commit", w.things["events/:event"]: "event", "CVE-2026-1111": "CVE", "edge-1": "node", "b-1": "bundle", "rollout 1": "rollout", "shops": "policy", "nightly": "monitor",
		"Mine": "view", "errors": "saved search", "kiosk": "service", "viewer": "person", "masking": "page", "cron": "page", "secrets": "page", "backup": "manual",
	} {
		hits := search(owner, text)
		i := slices.IndexFunc(hits, func(j joined) bool { return j.Kind == want })
		if i < 0 {
			t.Errorf("%q finds no %s but %+v", text, want, hits)
		} else if !strings.HasPrefix(hits[i].Path, "/") {
			t.Errorf("%q leads to %q", text, hits[i].Path)
		}
	}
	// A page of the installation is found by its administrators alone; a thing by those who may read its capability.
	if hits := search(owner, "dead letters"); slices.ContainsFunc(hits, func(j joined) bool { return j.Kind == "page" }) {
		t.Errorf("an owner finds %+v", hits)
	}
	if hits := search(r.client, "dead letters"); !slices.ContainsFunc(hits, func(j joined) bool { return j.Path == "/admin/jobs" }) {
		t.Errorf("an administrator finds %+v", hits)
	}
	var made struct{ Token string }
	owner.call(t, "POST", "/api/v1/accounts/tokens", map[string]any{"name": "narrow search", "team": "web", "scopes": []string{"accounts:read", "logs:read"}}, &made)
	for _, text := range []string{"site", "out of stock", "edge-1", "4f2a91c", "CVE-2026-1111", "signing keys"} {
		for _, j := range search(r.as(made.Token), text) {
			if j.Kind != "manual" {
				t.Errorf("with logs:read alone %q finds %+v", text, j)
			}
		}
	}
	if status := r.as(w.tokens["stranger"]).status(t, "GET", "/api/v1/accounts/teams/web/search?q=site"); status != http.StatusNotFound {
		t.Error("a stranger searches:", status)
	}
}
