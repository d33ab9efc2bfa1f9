package app_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/app"
)

// TestDemoErrors: the sample shop's errors come through the real intake, and tell the stories that the pages need.
func TestDemoErrors(t *testing.T) {
	t.Parallel()
	a := start(t)
	if err := app.PlayErrors(t.Context(), a.App, a.token, filepath.Join(a.dir, "repositories")); err != nil {
		t.Fatal(err)
	}
	type shown struct {
		ID              int64
		ShortID         string `json:"short_id"`
		Title, Substate string
		Events, Users   int64
		Suspects        []struct{ Author, File string } `json:"suspect_commits"`
	}
	find := func(query string) []shown {
		t.Helper()
		var list struct{ Issues []shown }
		a.call(t, "GET", "/api/v1/issues/issues?team=acme&query="+query, nil, &list)
		return list.Issues
	}
	back := find("is:regressed")
	if len(back) != 1 || !strings.HasPrefix(back[0].Title, "DeliveryError") || back[0].Events != 24 || back[0].Users < 8 {
		t.Fatalf("%+v", back)
	}
	var one shown
	a.call(t, "GET", fmt.Sprintf("/api/v1/issues/issues/%d", back[0].ID), nil, &one)
	if len(one.Suspects) == 0 || one.Suspects[0].Author != "bob" || one.Suspects[0].File != "shop/cart.py" {
		t.Errorf("%+v", one)
	}
	var latest struct{ Event map[string]any }
	a.call(t, "GET", fmt.Sprintf("/api/v1/issues/issues/%d/events/latest", back[0].ID), nil, &latest)
	if text := fmt.Sprint(latest.Event); !strings.Contains(text, "raise DeliveryError") || !strings.Contains(text, "[Filtered]") || strings.Contains(text, "swordfish") || strings.Contains(text, "4242 4242") {
		t.Error(text)
	}
	if n, m := len(find("is:archived")), len(find("is:unresolved")); n != 1 || m != 4 {
		t.Errorf("%d archived, %d unresolved", n, m)
	}
	eventually(t, "the monitor and the health", func() bool {
		var monitors, releases struct{ Items []map[string]any }
		a.call(t, "GET", "/api/v1/issues/monitors?team=acme", nil, &monitors)
		a.call(t, "GET", "/api/v1/issues/releases?team=acme", nil, &releases)
		return len(monitors.Items) == 1 && len(releases.Items) == 3 && strings.Contains(fmt.Sprint(releases.Items[0]["health"]), "crash")
	})
}
