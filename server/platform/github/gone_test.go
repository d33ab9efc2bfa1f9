package github

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/github/payload"
)

// acting has deliveries do what the composition root has them do here.
func (c *circle) acting() {
	c.OnDelivery = func(ctx context.Context, d Delivery) ([]Effect, error) {
		e, err := payload.Read(d.Event, d.Body)
		if err != nil {
			return nil, err
		}
		owner, name, _ := strings.Cut(e.Facts.Repository, "/")
		for _, place := range e.Places {
			if err := c.Remember(ctx, d, strings.TrimPrefix(place, "https://"), owner, name); err != nil {
				return nil, err
			}
		}
		switch {
		case e.Gone:
			return c.RepositoryGone(ctx, d, []string{strings.TrimPrefix(e.Places[0], "https://")})
		case e.Installation != nil:
			return c.InstallationChanged(ctx, d, *e.Installation)
		}
		return nil, nil
	}
}

// say has GitHub deliver and us digest.
func (c *circle) say(t *testing.T, name string, what map[string]any) {
	t.Helper()
	c.clock.advance(time.Second)
	what["repository"] = map[string]any{"full_name": "octo/web", "clone_url": "https://127.0.0.1/Octo/web.git"}
	if strings.HasPrefix(name, "installation") {
		delete(what, "repository")
	}
	for _, code := range c.hub.Deliver(t.Context(), "octo", "web", name, what) {
		if code != 202 {
			t.Fatalf("%s was answered %d", name, code)
		}
	}
	if err := c.Digest(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (c *circle) trouble(t *testing.T) string {
	t.Helper()
	words, err := c.Trouble(t.Context(), 1, "127.0.0.1/octo/WEB")
	if err != nil {
		t.Fatal(err)
	}
	alive, err := c.Alive(t.Context(), 1, "127.0.0.1/octo/web")
	if err != nil || alive == (words != "") {
		t.Errorf("alive %t while %q, %v", alive, words, err)
	}
	return words
}

func TestDeletedRepositoryTakesItsHook(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	c.acting()
	h := c.ensure(t, "web")
	c.gaps(t)
	c.say(t, "issues", map[string]any{"action": "opened"})
	c.gaps(t)
	if words := c.trouble(t); words != "" {
		t.Errorf("before: %s", words)
	}
	c.say(t, "repository", map[string]any{"action": "deleted"})
	if words := c.trouble(t); words != "the repository was deleted at GitHub" {
		t.Errorf("%q", words)
	}
	row := c.hookNow(t, h.ID)
	if row.State != HookBroken || row.GithubID != 0 || !strings.Contains(row.Problem, "deleted") {
		t.Errorf("%+v", row)
	}
	if d := c.list(t, DeliveryFilter{Event: "repository"})[0]; len(d.Caused) != 2 || d.Caused[1].ID != h.ID {
		t.Errorf("%+v", d.Caused)
	}
	// A push from before that is digested again, or fetched late, makes it no better.
	c.call(t, "POST", "/deliveries/"+c.list(t, DeliveryFilter{Event: "issues", Repository: "OCTO/Web"})[0].ID+"/redeliver", "", 200, nil)
	if err := c.Digest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.trouble(t) == "" {
		t.Error("an old push brought it back")
	}
	// Made anew, and connected anew.
	if again := c.ensure(t, "web"); again.State != HookOK || again.Problem != "" {
		t.Fatalf("%+v", again)
	}
	if words := c.trouble(t); words != "" {
		t.Errorf("made anew: %s", words)
	}
	c.call(t, "POST", "/deliveries/"+c.list(t, DeliveryFilter{Event: "repository"})[0].ID+"/redeliver", "", 200, nil)
	if err := c.Digest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if words := c.trouble(t); words != "" || c.hookNow(t, h.ID).State != HookOK {
		t.Errorf("its end is told again: %q", words)
	}
	c.say(t, "repository", map[string]any{"action": "deleted"})
	c.say(t, "repository", map[string]any{"action": "created"}) // of the same name, told by another hook, say
	if words, err := c.Trouble(t.Context(), 1, "127.0.0.1/octo/web"); words != "" || err != nil {
		t.Errorf("after: %s %v", words, err)
	}
}

func TestInstallationIsFollowed(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	c.acting()
	conn, app := c.app(t)
	c.jobs(t)
	installed := func(more map[string]any) map[string]any {
		i := map[string]any{"id": conn.Installation, "account": map[string]any{"login": "octo"}}
		if more["action"] == "suspend" {
			i["suspended_at"] = c.clock.now().UTC().Format(time.RFC3339)
		}
		more["installation"] = i
		return more
	}
	state := func() Connection {
		var list struct{ Items []Connection }
		c.call(t, "GET", "/connections", "", 200, &list)
		for _, one := range list.Items {
			if one.ID == conn.ID {
				return one
			}
		}
		t.Fatal("the connection is gone")
		return Connection{}
	}
	asked := func() {
		until(t, "GitHub is asked", func() bool { c.hurry(t); return c.left(t, installationJob, "%") == 0 })
	}
	appHook, _, err := c.appHook(t.Context(), conn.ID)
	if err != nil {
		t.Fatal(err)
	}
	c.say(t, "issues", installed(map[string]any{"action": "opened"}))
	c.gaps(t)
	if words := c.trouble(t); words != "" {
		t.Errorf("before: %s", words)
	}

	c.hub.Suspend(app, true)
	c.say(t, "installation", installed(map[string]any{"action": "suspend"}))
	if words := c.trouble(t); words != "the GitHub App's installation is suspended" {
		t.Errorf("%q", words)
	}
	asked()
	if got := state(); got.State != ConnectionSuspended || got.Problem == "" || c.hookNow(t, appHook.ID).State != HookBroken {
		t.Errorf("%+v", got)
	}
	if d := c.list(t, DeliveryFilter{Event: "installation"})[0]; len(d.Caused) != 1 || d.Caused[0].ID != conn.ID {
		t.Errorf("%+v", d.Caused)
	}
	c.hub.Suspend(app, false)
	c.say(t, "installation", installed(map[string]any{"action": "unsuspend"}))
	asked()
	if got := state(); got.State != ConnectionWorks || got.Problem != "" || c.hookNow(t, appHook.ID).State != HookOK {
		t.Errorf("%+v", got)
	}
	// The suspension is told of again, late: GitHub's answer holds.
	c.say(t, "installation", installed(map[string]any{"action": "suspend"}))
	asked()
	if got := state(); got.State != ConnectionWorks {
		t.Errorf("%+v", got)
	}

	c.say(t, "installation_repositories", installed(map[string]any{"action": "removed", "repositories_removed": []any{map[string]any{"full_name": "octo/Web"}, map[string]any{"full_name": "nonsense"}}}))
	if words := c.trouble(t); words != "the repository was taken from the GitHub App's installation" {
		t.Errorf("%q", words)
	}
	c.say(t, "installation_repositories", installed(map[string]any{"action": "added", "repositories_added": []any{map[string]any{"full_name": "octo/web"}}}))
	if words := c.trouble(t); words != "" {
		t.Errorf("%q", words)
	}

	c.hub.Uninstall(app)
	other := map[string]any{"action": "deleted", "installation": map[string]any{"id": conn.Installation + 1000}}
	c.deliverApp(t, appHook, other)
	if got := state(); got.State != ConnectionWorks {
		t.Errorf("another installation's end: %+v", got)
	}
	c.deliverApp(t, appHook, installed(map[string]any{"action": "deleted"}))
	asked()
	if got := state(); got.State != ConnectionRemoved || c.trouble(t) != "the GitHub App was uninstalled" {
		t.Errorf("%+v", got)
	}
	again := c.hub.Install(app)
	if got, err := c.ChangeConnection(c.as(t.Context()), conn.ID, ConnectionChange{Installation: &again}); err != nil || got.State != ConnectionWorks {
		t.Errorf("%+v %v", got, err)
	}
	if c.hookNow(t, appHook.ID).State != HookOK {
		t.Error("the hook is still said to be broken")
	}
}

// deliverApp delivers what an App is told when it is installed nowhere.
func (c *circle) deliverApp(t *testing.T, hook hookRow, what map[string]any) {
	t.Helper()
	c.clock.advance(time.Second)
	i, _ := what["installation"].(map[string]any)
	body := fmt.Sprintf(`{"action":%q,"installation":{"id":%d}}`, what["action"], i["id"])
	open, err := c.openHook(t.Context(), hook.ID)
	if err != nil {
		t.Fatal(err)
	}
	r := request(HookSecret{Hook: Hook{ID: hook.ID}, Secret: string(open.secret)}, fmt.Sprintf("app-%d", i["id"]), "installation", body)
	if w := c.do(r); w.Code != 202 {
		t.Fatal(w.Code, w.Body)
	}
	if err := c.Digest(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// GitHub's names are the same in any case, whoever writes them.
func TestRepositoriesInAnyCase(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	h := c.newHook(t)
	if err := c.Remember(t.Context(), Delivery{Team: 1, Hook: h.ID, ReceivedAt: 1}, "GitHub.com/Octo/Web.git", "Octo", "Web"); err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{"github.com/octo/web", "GITHUB.com/OCTO/WEB", "github.com/Octo/Web.git"} {
		if at, found, err := c.RepositoryAt(t.Context(), 1, place); err != nil || !found || at.Owner != "Octo" || at.Name != "Web" || at.Connection != c.conn.ID {
			t.Errorf("%s: %+v %t %v", place, at, found, err)
		}
	}
	// One that nothing was told of, by its host.
	if at, found, err := c.RepositoryAt(t.Context(), 1, "127.0.0.1/Octo/API"); err != nil || !found || !strings.EqualFold(at.Owner+"/"+at.Name, "octo/api") {
		t.Errorf("%+v %t %v", at, found, err)
	}
	// However a build's repository is written, a commit has one status and a pull request one comment.
	for _, owner := range []string{"octo", "Octo", "OCTO"} {
		st := Status{Connection: c.conn.ID, Owner: owner, Repo: "Web", SHA: "abc", Context: "signalbox/web/unit", State: Success}
		if err := c.PostStatus(t.Context(), st); err != nil {
			t.Fatal(err)
		}
		if err := c.PostComment(t.Context(), Comment{Team: 1, Connection: c.conn.ID, Owner: owner, Repo: "Web", Number: 7, Key: "web", Body: "green"}); err != nil {
			t.Fatal(err)
		}
	}
	if s, p := c.rows(t, "github_statuses"), c.rows(t, "github_posts"); s != 1 || p != 1 {
		t.Errorf("%d statuses and %d comments are wished for", s, p)
	}
	// After the repository moved the comment is the same one.
	if err := c.Renamed(t.Context(), 1, "127.0.0.1/Octo/Web", "127.0.0.1/Octo/Site"); err != nil {
		t.Fatal(err)
	}
	if err := c.PostComment(t.Context(), Comment{Team: 1, Connection: c.conn.ID, Owner: "octo", Repo: "site", Number: 7, Key: "web", Body: "red"}); err != nil {
		t.Fatal(err)
	}
	if p := c.rows(t, "github_posts"); p != 1 {
		t.Errorf("%d comments after the repository moved", p)
	}
}
