package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/github/githubtest"
)

func TestOrders(t *testing.T) {
	t.Parallel()
	hub, stop := githubtest.Start()
	t.Cleanup(stop)
	got := make(chan string, 1)
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header.Get("X-GitHub-Event") }))
	t.Cleanup(web.Close)
	hub.AddRepo("acme", "web").Hooks = []*githubtest.Hook{{ID: 1, URL: web.URL, Secret: "hush", Active: true, Events: []string{"push"}}}

	codes := order{Deliver: "push", Repository: "acme/web", Payload: json.RawMessage(`{}`)}.do(t.Context(), hub)
	if list, ok := codes.([]int); !ok || len(list) != 1 || list[0] != 200 || <-got != "push" {
		t.Errorf("the hook answered %v", codes)
	}
	seen, _ := order{Look: true, Repository: "acme/web"}.do(t.Context(), hub).(sight)
	if len(seen.Hooks) != 1 || !seen.Hooks[0].Secret || seen.Hooks[0].URL != web.URL || len(seen.Statuses) != 0 {
		t.Errorf("seen: %+v", seen)
	}
}

func TestRunEndsWithItsInput(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), []string{"acme/web"}, strings.NewReader(`{"look": true, "repository": "acme/web"}`+"\n"), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "http://127.0.0.1:") || lines[1] != `{"hooks":[],"statuses":[]}` {
		t.Errorf("it said %q", lines)
	}
	if err := run(t.Context(), nil, strings.NewReader("odd\n"), &out); err == nil {
		t.Error("an order that is no JSON is taken")
	}
}
