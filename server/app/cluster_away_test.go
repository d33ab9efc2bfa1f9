package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// leaders are the servers that run the loops of which there is to be one.
func (c *cluster) leaders(t testing.TB) (list []int) {
	t.Helper()
	for i, p := range c.nodes {
		if !c.there(i) {
			continue
		}
		var loops struct {
			Items []struct {
				Name      string
				Elsewhere bool
				Runs      int64
			}
		}
		p.as(c.token).call(t, "GET", "/api/v1/system/loops", nil, &loops)
		for _, l := range loops.Items {
			if l.Name == "issues.retention" && !l.Elsewhere && l.Runs > 0 {
				list = append(list, i)
			}
		}
	}
	return list
}

// oneLeads waits until exactly one server leads, and gives its place.
func (c *cluster) oneLeads(t testing.TB) (leader int) {
	t.Helper()
	eventually(t, "exactly one server to lead", func() bool {
		list := c.leaders(t)
		if len(list) == 1 {
			leader = list[0]
		}
		return len(list) == 1
	})
	return leader
}

func (c *cluster) there(i int) bool {
	select {
	case <-c.nodes[i].ended:
		return false
	default:
		return true
	}
}

// homeOf is the place of the server that runs a build.
func (c *cluster) homeOf(t testing.TB, build int64) int {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), c.nodes[0].database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var node string
	if err := conn.QueryRow(t.Context(), "SELECT node FROM ci_builds WHERE id = $1", build).Scan(&node); err != nil {
		t.Fatal(err)
	}
	for i, p := range c.nodes {
		if raw, err := os.ReadFile(filepath.Join(p.dir, "data", "node-id")); err == nil && string(raw) == node {
			return i
		}
	}
	t.Fatalf("build %d runs on the unknown server %q", build, node)
	return -1
}

// lines searches through the balancer.
func (c *cluster) lines(t testing.TB, query string) (n int, partial string) {
	t.Helper()
	var found struct {
		Lines []struct{ Message string }
		Stats struct{ Partial string }
	}
	c.call(t, "POST", "/api/v1/logs/search", map[string]any{"team": "main", "query": query, "from": time.Now().Add(-time.Hour), "limit": 5000}, &found)
	return len(found.Lines), found.Stats.Partial
}

// awayAndBack kills the server that runs a build: what it has is told to be away, and
// is whole again when it is back. It gives the place of that server.
func (c *cluster) awayAndBack(t testing.TB) (home int) {
	t.Helper()
	const count = 60
	name := "count-" + newGUID()[:6]
	c.pipeline(t, "main", name, counting(1, count))
	b := c.trigger(t, "main", name, "j0")
	for range c.nodes { // each server tells of it
		eventually(t, "the first lines, from whichever server", func() bool {
			status, raw := c.send(t, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/log/raw", b.ID), nil)
			return status == http.StatusOK && strings.Contains(raw, "line 3")
		})
	}
	home = c.homeOf(t, b.ID)
	c.kill(home)
	for range c.nodes {
		status, raw := c.send(t, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/log/raw", b.ID), nil)
		var said struct{ Detail string }
		if err := json.Unmarshal([]byte(raw), &said); err != nil || status != http.StatusServiceUnavailable || !strings.HasPrefix(said.Detail, "The log of this build is on the server ") {
			t.Errorf("a log that is away: %d %s", status, raw)
		}
		if shown := c.build(t, b.ID); shown.Status != "started" {
			t.Errorf("a build whose server is away: %+v", shown)
		}
		if _, partial := c.lines(t, "service:till"); !strings.HasPrefix(partial, "Lines on the server ") {
			t.Errorf("lines of a server that is away: partial is %q", partial)
		}
	}
	if soak {
		var shown struct{ Waiting []string }
		eventually(t, "the page to say for whom the build waits", func() bool {
			c.call(t, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", b.ID), nil, &shown)
			return len(shown.Waiting) == 1 && strings.HasPrefix(shown.Waiting[0], "It runs on the server ")
		})
	}
	c.back(home)
	if ended := c.finish(t, b.ID); ended.Status != "succeeded" {
		t.Errorf("the build whose server was killed: %+v", ended)
	}
	eventually(t, "the build's log to be told", func() bool {
		status, _ := c.send(t, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/log/raw", b.ID), nil)
		return status == http.StatusOK
	})
	wantLines(t, "the build whose server was killed", c.log(t, b.ID), count)
	eventually(t, "all lines to be found", func() bool {
		n, partial := c.lines(t, "service:"+name+" source:build line")
		return partial == "" && n == count
	})
	return home
}
