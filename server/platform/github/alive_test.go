package github

import (
	"slices"
	"strconv"
	"testing"
	"time"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func TestProved(t *testing.T) {
	t.Parallel()
	now := time.Now()
	started := now.Add(-2 * time.Hour)
	ago := func(d time.Duration) int64 { return now.Add(-d).UnixMilli() }
	c := "connection"
	compared := func(r hookRow) hookRow {
		r.ConnectionID, r.GithubID, r.Owner, r.Kind, r.ComparedAt = &c, 7, "octo", HookRepository, ago(time.Minute)
		return r
	}
	for name, tc := range map[string]struct {
		row  hookRow
		want bool
	}{
		"never heard of":                     {hookRow{}, false},
		"a delivery":                         {hookRow{LastDeliveryAt: ago(time.Hour)}, true},
		"a ping":                             {hookRow{LastPingAt: ago(time.Hour)}, true},
		"too long ago":                       {hookRow{LastDeliveryAt: ago(25 * time.Hour)}, false},
		"before the start, nothing compared": {hookRow{LastDeliveryAt: ago(3 * time.Hour)}, false},
		"before the start, but compared":     {compared(hookRow{LastDeliveryAt: ago(3 * time.Hour)}), true},
		"compared, but quiet for a day":      {compared(hookRow{LastDeliveryAt: ago(26 * time.Hour)}), false},
		"something is missing":               {compared(hookRow{LastDeliveryAt: ago(time.Minute), Missing: 1}), false},
		"the last one did not arrive":        {compared(hookRow{LastDeliveryAt: ago(time.Hour), MissedAt: ago(time.Minute)}), false},
		"arrives again":                      {compared(hookRow{LastDeliveryAt: ago(time.Minute), MissedAt: ago(time.Hour)}), true},
	} {
		if got := tc.row.proved(now, started); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAliveCoversPlaces(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	alive := func(place string) bool {
		t.Helper()
		got, err := c.Alive(t.Context(), 1, place)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	h := c.newHook(t)
	c.deliver(t, h, "1", "push", `{}`)
	if alive("github.com/octo/docs") {
		t.Error("a hook that never told of it")
	}
	if err := c.Remember(t.Context(), Delivery{Team: 1, Hook: h.ID, ReceivedAt: Millis(c.millis())}, "github.com/octo/docs", "octo", "docs"); err != nil {
		t.Fatal(err)
	}
	if at, found, err := c.RepositoryAt(t.Context(), 1, "GitHub.com/Octo/docs.git"); err != nil || !found || at.Owner != "octo" {
		t.Errorf("%+v %v %v", at, found, err)
	}
	if !alive("GitHub.com/octo/docs.git") || alive("github.com/octo/other") {
		t.Error("a hook that told of it")
	}
	if err := c.Renamed(t.Context(), 1, "github.com/octo/docs", "github.com/octo/book"); err != nil {
		t.Fatal(err)
	}
	if !alive("github.com/octo/book") || !alive("github.com/octo/docs") {
		t.Error("after it was renamed")
	}
	if got, err := c.Alive(t.Context(), 2, "github.com/octo/docs"); got || err != nil {
		t.Error("for another team")
	}
	c.ensure(t, "web")
	c.hub.Deliver(t.Context(), "octo", "web", "push", event(1))
	c.gaps(t)
	if !alive("127.0.0.1/octo/web") || alive("github.com/octo/web") {
		t.Error("a managed hook covers its own repository at its own host")
	}
	c.clock.advance(25 * time.Hour)
	if alive("127.0.0.1/octo/web") || alive("github.com/octo/docs") {
		t.Error("after a quiet day")
	}
}

func TestRenamed(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	h := c.ensure(t, "web")
	move := func(from, to string) {
		t.Helper()
		if err := c.Renamed(t.Context(), 1, from, to); err != nil {
			t.Fatal(err)
		}
	}
	move("127.0.0.1/Octo/web", "127.0.0.1/octo/site")
	move("127.0.0.1/octo/site", "127.0.0.1/acme/site")
	move("127.0.0.1/octo/site", "127.0.0.1/acme/site") // told twice
	move("127.0.0.1/acme/site", "127.0.0.1/octo/web")  // and back
	move("127.0.0.1/octo/web", "127.0.0.1/acme/last")
	for _, place := range []string{"127.0.0.1/octo/web", "127.0.0.1/acme/last"} {
		names, err := c.Names(t.Context(), 1, place)
		slices.Sort(names)
		if want := []string{"127.0.0.1/acme/last", "127.0.0.1/acme/site", "127.0.0.1/octo/site", "127.0.0.1/octo/web"}; err != nil || !slices.Equal(names, want) {
			t.Errorf("%s: %v %v", place, names, err)
		}
	}
	if row := c.hookNow(t, h.ID); row.Owner != "acme" || row.Repo != "last" {
		t.Errorf("the hook is still looked for at %s/%s", row.Owner, row.Repo)
	}
	if names, _ := c.Names(t.Context(), 2, "127.0.0.1/octo/web"); len(names) != 1 {
		t.Errorf("another team's: %v", names)
	}
	for _, odd := range [][2]string{{"", "x"}, {"x", "x"}, {"a/b", "c"}} {
		move(odd[0], odd[1])
	}
}
