package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

type joined struct {
	Kind, Title, Path, Tone, Pipeline, Project, Repository string
}

func kindsOf(list []joined) []string {
	var kinds []string
	for _, j := range list {
		kinds = append(kinds, j.Kind)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// TestThread follows a push to its build and an error, over one service, and what
// others may see of it.
func TestThread(t *testing.T) {
	t.Parallel()
	p := startPushed(t, "", "")
	p.repo.commit(t, "README", "line of the commit\n", "change the README")
	if status := p.deliver(t, p.hook, newGUID(), p.repo.push(t, "main")); status != http.StatusAccepted {
		t.Fatal("delivery:", status)
	}
	p.awaitBuilds(t, 2)
	project := p.errorProject(t, "main", "Shop")
	event := strings.ReplaceAll(newGUID(), "-", "")
	envelope := fmt.Sprintf("{\"event_id\":%q}\n{\"type\":\"event\"}\n{\"message\":\"out of stock\",\"level\":\"error\",\"platform\":\"python\",\"release\":\"shop@2\"}\n", event)
	p.as("").request(t, "POST", fmt.Sprintf("/api/%d/envelope/?sentry_key=%s", project.ID, project.Key), strings.NewReader(envelope)).Body.Close()
	eventually(t, "the event", func() bool {
		return p.status(t, "GET", "/api/v1/issues/events/"+event+"?team=main") == http.StatusOK
	})

	const base = "/api/v1/accounts/teams/main"
	var proposed struct {
		Items []struct{ Name, Pipeline, Project string }
	}
	p.call(t, "GET", base+"/service-proposals", nil, &proposed)
	if len(proposed.Items) != 1 || proposed.Items[0].Name != "shop" || proposed.Items[0].Pipeline != "shop" || proposed.Items[0].Project != project.Slug {
		t.Fatalf("proposed %+v", proposed)
	}
	ties := map[string]any{"description": "sells", "owners": []string{"admin"}, "repository": "acme/shop", "pipeline": "shop", "project": project.Slug, "log_filter": "service:shop"}
	p.call(t, "PUT", base+"/services/shop", ties, nil)
	p.call(t, "GET", base+"/service-proposals", nil, &proposed)
	if len(proposed.Items) != 0 {
		t.Errorf("proposed again: %+v", proposed)
	}
	for body, want := range map[string]string{`{}`: "tie is missing", `{"job":"x","project":"y"}`: "needs its pipeline", `{"repository":"shop"}`: "owner/name"} {
		if status, said := p.send(t, "PUT", base+"/services/other", strings.NewReader(body)); status != http.StatusUnprocessableEntity && status != http.StatusBadRequest || !strings.Contains(said, want) {
			t.Errorf("%s: %d %s", body, status, said)
		}
	}

	var timeline struct{ Events []joined }
	p.call(t, "GET", base+"/timeline?service=shop", nil, &timeline)
	if got := kindsOf(timeline.Events); !slices.Equal(got, []string{"build", "error", "push", "release"}) {
		t.Errorf("the service's timeline has %q: %+v", got, timeline.Events)
	}
	if status := p.status(t, "GET", base+"/timeline?service=none"); status != http.StatusNotFound {
		t.Error("the timeline of no service:", status)
	}
	if status := p.status(t, "GET", base+"/timeline?from=yesterday"); status != http.StatusUnprocessableEntity && status != http.StatusBadRequest {
		t.Error("from yesterday:", status)
	}

	var found struct{ Items []joined }
	for query, kind := range map[string]string{"sho": "service pipeline project release resource", "out+of+st": "error", "shop/unit+2": "build", "unit": "job"} {
		p.call(t, "GET", base+"/search?q="+query, nil, &found)
		for _, k := range strings.Fields(kind) {
			if k != "resource" && !slices.ContainsFunc(found.Items, func(j joined) bool { return j.Kind == k }) {
				t.Errorf("%s finds no %s: %+v", query, k, found.Items)
			}
		}
	}

	var home struct {
		Needs  []joined
		Recent []joined
	}
	p.call(t, "GET", base+"/home", nil, &home)
	if !slices.Equal(kindsOf(home.Needs), []string{"error"}) || len(home.Recent) < 4 {
		t.Errorf("home %+v", home)
	}

	// Who may read only pipelines sees only pipelines; another team's person sees nothing.
	var made struct{ Token string }
	p.call(t, "POST", "/api/v1/accounts/tokens", map[string]any{"name": "narrow", "team": "main", "scopes": []string{"accounts:read", "ci:read"}}, &made)
	narrow := p.as(made.Token)
	narrow.call(t, "GET", base+"/timeline", nil, &timeline)
	if got := kindsOf(timeline.Events); !slices.Equal(got, []string{"build", "push"}) {
		t.Errorf("with ci:read alone the timeline has %q", got)
	}
	narrow.call(t, "GET", base+"/search?q=out+of", nil, &found)
	if slices.ContainsFunc(found.Items, func(j joined) bool { return j.Kind != "manual" }) {
		t.Errorf("with ci:read alone the search finds %+v", found.Items)
	}
	if status, _ := narrow.send(t, "PUT", base+"/services/shop", strings.NewReader(`{"project":"x"}`)); status != http.StatusForbidden {
		t.Error("a reader changes a service:", status)
	}
}
