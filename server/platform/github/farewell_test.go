package github

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/github/githubtest"
)

func (b *bundle) rows(t *testing.T, table string) (n int) {
	t.Helper()
	if err := b.db.Reader(t.Context()).Raw("SELECT COUNT(*) FROM " + table).Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

// TestTeamTakesItsHooksAlong: hooks of a repository, an organization and an App, one
// that was to be removed already, and a GitHub that is away while the team is deleted.
func TestTeamTakesItsHooksAlong(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	c.hub.AddRepo("octo", "api")
	c.hub.AddRepo("octo", "lost")
	c.hub.AddOrg("acme")
	c.ensure(t, "web")
	c.ensure(t, "api")
	c.ensureOrg(t, "acme")
	_, app := c.app(t)
	c.hub.Misbehave(githubtest.Fault{Method: "POST", Path: "/repos/octo/lost/hooks", Times: 1, Drop: true, Done: true})
	c.ensure(t, "lost") // GitHub has it, and its number was never learnt
	big := map[string]any{"repository": map[string]any{"full_name": "octo/web"}, "pad": strings.Repeat("x", inlineBody)}
	if codes := c.hub.Deliver(t.Context(), "octo", "web", "push", big); !slices.Contains(codes, 202) {
		t.Fatal(codes)
	}
	c.hub.Misbehave(githubtest.Fault{Method: "DELETE", Times: 6, Status: 503, Body: `{}`})
	c.call(t, "DELETE", "/connections/"+c.conn.ID+"/repositories/octo/api/hook", "", 204, nil)
	if err := c.DB.Tx(t.Context(), func(ctx context.Context) error {
		if err := c.DeleteTeam(ctx, 1); err != nil {
			return err
		}
		return c.DB.Writer(ctx).Exec("DELETE FROM accounts_teams WHERE id = 1").Error
	}); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"github_connections", "github_hooks", "github_deliveries", "github_removals", "github_repositories"} {
		if n := c.rows(t, table); n != 0 {
			t.Errorf("%d rows are left in %s", n, table)
		}
	}
	if n := c.rows(t, "github_farewells"); n != 5 {
		t.Errorf("%d farewells", n)
	}
	c.jobs(t)
	until(t, "GitHub has none of the hooks", func() bool {
		c.hurry(t)
		left := len(c.atHub()) + len(c.hub.Installed(app))
		for _, name := range []string{"api", "lost"} {
			c.hub.Look("octo", name, func(r *githubtest.Repo) { left += len(r.Hooks) })
		}
		c.hub.LookOrg("acme", func(o *githubtest.Org) { left += len(o.Hooks) })
		return left == 0
	})
	until(t, "nothing is left to do, and no secret", func() bool { c.hurry(t); return c.left(t, "github%", "%") == 0 && c.rows(t, "github_farewells") == 0 })
}

func TestFarewellThatGitHubRefuses(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	c.ensure(t, "web")
	c.hub.Token = "another" // the team's is not valid any more
	if err := c.DeleteTeam(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	c.jobs(t)
	until(t, "it rests as a dead letter", func() bool { c.hurry(t); return c.left(t, farewellJob, "dead") == 1 })
	row, found, err := c.findFarewell(t.Context(), 1)
	if err != nil || !found || !strings.Contains(row.Error, "Bad credentials") {
		t.Errorf("%+v %t %v", row, found, err)
	}
	c.clock.advance(keepDeliveries + time.Hour)
	if err := c.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := c.rows(t, "github_farewells"); n != 0 {
		t.Errorf("%d farewells are kept for ever", n)
	}
}
