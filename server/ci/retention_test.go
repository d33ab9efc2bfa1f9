package ci

import (
	"bufio"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/pipeline"
)

func TestWhichLogsGo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)
	// Builds are written newest first, s succeeded and f failed, each a day older than the one before.
	for _, c := range []struct {
		name, builds string
		keep         pipeline.BuildLogRetention
		gone         []int64
	}{
		{"fewer than kept", "sf", pipeline.BuildLogRetention{Builds: 3}, nil},
		{"as many as kept", "sff", pipeline.BuildLogRetention{Builds: 3}, nil},
		{"more than kept", "sffs", pipeline.BuildLogRetention{Builds: 2}, []int64{3, 4}},
		{"days", "sfsf", pipeline.BuildLogRetention{Days: 2}, []int64{4}},
		{"among the last, or young", "ffff", pipeline.BuildLogRetention{Builds: 1, Days: 2}, []int64{4}},
		{"few and old", "ffff", pipeline.BuildLogRetention{Builds: 4, Days: 1}, nil},
		{"a success beyond the count takes the oldest failure's place", "fffs", pipeline.BuildLogRetention{Builds: 2, MinimumSucceededBuilds: 1}, []int64{2, 3}},
		{"two successes", "fsfsf", pipeline.BuildLogRetention{Builds: 3, MinimumSucceededBuilds: 2}, []int64{3, 5}},
		{"no success to keep", "ffff", pipeline.BuildLogRetention{Builds: 2, MinimumSucceededBuilds: 1}, []int64{3, 4}},
		{"all kept are successes", "ssss", pipeline.BuildLogRetention{Builds: 2, MinimumSucceededBuilds: 2}, []int64{3, 4}},
		{"young ones make no room", "fffs", pipeline.BuildLogRetention{Builds: 1, Days: 3, MinimumSucceededBuilds: 1}, nil},
		{"a minimum without a count means nothing", "fs", pipeline.BuildLogRetention{Days: 1, MinimumSucceededBuilds: 1}, nil},
	} {
		var rows []buildRow
		for i, word := range c.builds {
			rows = append(rows, buildRow{ID: int64(i + 1), Status: map[rune]Status{'s': Succeeded, 'f': Failed}[word],
				EndedAt: toMillis(now.AddDate(0, 0, -i))})
		}
		var gone []int64
		for _, b := range reapable(rows, c.keep, now) {
			gone = append(gone, b.ID)
		}
		slices.Sort(gone)
		if !slices.Equal(gone, c.gone) {
			t.Errorf("%s: %v, want %v", c.name, gone, c.gone)
		}
	}
}

func TestRetentionIsSaidInTwoWays(t *testing.T) {
	t.Parallel()
	if got := retentionOf(pipeline.Job{BuildLogsToRetain: 4}); got.Builds != 4 {
		t.Errorf("%+v", got)
	}
	if got := retentionOf(pipeline.Job{BuildLogRetention: &pipeline.BuildLogRetention{Days: 3}}); got.Days != 3 || got.Builds != 0 {
		t.Errorf("%+v", got)
	}
}

// TestReapedLogs deletes a log, and asks everybody who shows one.
func TestReapedLogs(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("p", "jobs:\n- {name: j, build_log_retention: {builds: 1}, plan: [{task: fail, config: {platform: linux, run: {path: x}}}]}\n")
	for i := range 2 {
		must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/p/jobs/j/builds", "")
		w.waitBuild("p", "j", formatInt(int64(i+1)), Failed)
	}
	old, kept := w.builds("p", "j")[0], w.builds("p", "j")[1]
	w.eventually("the log has its end", func() bool {
		return strings.Contains(w.call("GET", fmt.Sprintf("/api/v1/ci/builds/%d/log", old.ID), "").body, "hello from j")
	})

	w.call("PUT", "/api/v1/teams/main/pipelines/p/jobs/j/pause", "")
	reap := func() {
		t.Helper()
		if err := w.ci.ReapLogs(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if reap(); w.builds("p", "j")[0].ReapTime != 0 {
		t.Fatal("the log of a paused job was reaped")
	}
	w.call("PUT", "/api/v1/teams/main/pipelines/p/jobs/j/unpause", "")
	w.call("PUT", "/api/v1/teams/main/pipelines/p/pause", "")
	if reap(); w.builds("p", "j")[0].ReapTime != 0 {
		t.Fatal("the log of a paused pipeline was reaped")
	}
	w.call("PUT", "/api/v1/teams/main/pipelines/p/unpause", "")
	reap()
	reap() // changes nothing more
	if now := w.builds("p", "j"); now[0].ReapTime == 0 || now[1].ReapTime != 0 || len(now) != 2 {
		t.Fatalf("%+v", now)
	}

	page := must[logPage](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/log", old.ID), "")
	if len(page.Lines) != 0 || !page.Ended || !strings.Contains(page.Reaped, "The log was reaped on") {
		t.Errorf("%+v", page)
	}
	if got := must[buildShape](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", old.ID), ""); got.ReapedAt == nil || got.Status != Failed || len(got.Steps) != 1 {
		t.Errorf("%+v", got)
	}
	if got := w.call("GET", fmt.Sprintf("/api/v1/ci/builds/%d/log/raw", old.ID), ""); got.status != 404 || !strings.Contains(got.body, "reaped") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := must[logPage](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/log", kept.ID), ""); got.Reaped != "" || len(got.Lines) != 1 {
		t.Errorf("%+v", got)
	}
	if got := w.watch(old.ID); !strings.Contains(got, "The log was reaped on") || !strings.Contains(got, `"status":"failed"`) || !strings.HasSuffix(got, "event: end\n") {
		t.Errorf("fly is told %s", got)
	}
}

// watch reads a build's event stream up to its end.
func (w *world) watch(build int64) string {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), "GET", fmt.Sprintf("%s/api/v1/builds/%d/events", w.server.URL, build), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("X-Test-User", "owner")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	var all strings.Builder
	for s := bufio.NewScanner(res.Body); s.Scan(); {
		all.WriteString(s.Text() + "\n")
		if s.Text() == "event: end" {
			break
		}
	}
	return all.String()
}
