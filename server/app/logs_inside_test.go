package app_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/config"
)

type insideFound struct {
	Lines []struct {
		Time           time.Time
		Level, Message string
		Labels         map[string]string
		Fields         []struct{ Name, Value string }
	}
	Rows  [][]string
	Stats struct{ Matched int64 }
}

// findLines searches the lines of team main of the last day.
func (c *client) findLines(t testing.TB, query string) (found insideFound) {
	t.Helper()
	c.call(t, "POST", "/api/v1/logs/search", map[string]any{"team": "main", "query": query, "from": time.Now().Add(-24 * time.Hour)}, &found)
	return found
}

// TestLinesFromInside: what a build says, and what GitHub delivers is found among the lines.
func TestLinesFromInside(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.pipeline(t, "main", "shop", "jobs:\n- name: unit\n  plan:\n  - "+shell("hello", `printf '\033[1mbold\033[0m words\n'; echo ERROR no such shelf >&2; exit 3`)+"}\n")
	b := r.finish(t, r.trigger(t, "main", "shop", "unit").ID)
	id := strconv.FormatInt(b.ID, 10)
	eventually(t, "the build's end among the lines", func() bool {
		return len(r.findLines(t, "source:build pipeline:shop job:unit level:error \"Build 1 failed\" build_id:"+id).Lines) == 1
	})
	if f := r.findLines(t, `build_id:`+id+` step:hello "bold words"`); len(f.Lines) != 1 || f.Lines[0].Message != "bold words" {
		t.Errorf("%+v", f)
	}
	if f := r.findLines(t, "build_id:"+id+" level:error shelf"); len(f.Lines) != 1 {
		t.Errorf("%+v", f)
	}
	h := r.hook(t, "main", "")
	if status := r.deliver(t, h, newGUID(), []byte(`{"ref":"refs/heads/main","after":"`+strings.Repeat("a", 40)+`","repository":{"full_name":"acme/shop","clone_url":"https://git.example.com/acme/shop.git"}}`)); status != http.StatusAccepted {
		t.Fatal(status)
	}
	eventually(t, "the delivery among the lines", func() bool {
		return len(r.findLines(t, "source:delivery event:push repository:acme/shop verdict:accepted").Lines) == 1
	})
}

// TestNoLinesFromInside: three keys turn them off.
func TestNoLinesFromInside(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *config.Config) { c.Logs.Builds, c.Logs.Deliveries, c.Logs.Own = false, false, false })
	r.pipeline(t, "main", "shop", "jobs:\n- name: unit\n  plan:\n  - "+shell("hello", "echo hello")+"}\n")
	r.finish(t, r.trigger(t, "main", "shop", "unit").ID)
	if f := r.findLines(t, ""); len(f.Lines) != 0 {
		t.Errorf("%+v", f.Lines)
	}
}

// TestBuildLinesSurviveKills: a server killed while a build talks hands over each of its lines once in the end.
func TestBuildLinesSurviveKills(t *testing.T) {
	t.Parallel()
	p := launch(t)
	const lines = 3000
	p.pipeline(t, "main", "shop", "jobs:\n- name: unit\n  plan:\n  - "+shell("talk", fmt.Sprintf("i=0; while [ $i -lt %d ]; do i=$((i+1)); echo counted $i; [ $((i %% 100)) = 0 ] && sleep 0.05; done; exit 0", lines))+"}\n")
	id := strconv.FormatInt(p.trigger(t, "main", "shop", "unit").ID, 10)
	kept := func(c *client) int64 {
		f := c.findLines(t, "build_id:"+id+" counted | stats count() as n")
		if len(f.Rows) == 0 {
			return 0
		}
		n, err := strconv.ParseInt(f.Rows[0][0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for kills, before := 0, int64(0); kills < 2; kills++ {
		eventually(t, "more lines", func() bool { return kept(p.client) > before })
		before = kept(p.client)
		p.end(syscall.SIGKILL)
		p.start()
	}
	eventually(t, "the end", func() bool { return len(p.findLines(t, `build_id:`+id+` "Build 1 succeeded"`).Lines) == 1 })
	if n := kept(p.client); n != lines {
		t.Errorf("%d lines", n)
	}
	// Each life has said so among its own lines; requests about lines are not there.
	eventually(t, "the server's own lines", func() bool { return len(p.findLines(t, "source:signalbox serving").Lines) >= 1 })
	if f := p.findLines(t, `source:signalbox route:"/api/v1/logs/search"`); len(f.Lines) != 0 {
		t.Errorf("%+v", f.Lines)
	}
	if f := p.findLines(t, "build_id:"+id+" counted | stats count() as n by (build_line) | sort n desc | limit 1"); f.Rows[0][1] != "1" {
		t.Errorf("%v", f.Rows)
	}
}
