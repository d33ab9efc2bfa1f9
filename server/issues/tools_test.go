package issues

import (
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func TestReleaseAndMonitorTools(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.UseReleases()
	d.take(d.event(sample{id: id(1), kind: "ValueError", value: "empty", release: "web@1", user: "ann@x.test"}),
		d.event(sample{id: id(2), kind: "ValueError", value: "empty", release: "web@2"}),
		d.item("check_in", "", `{"check_in_id":"`+id(7)+`","monitor_slug":"nightly","status":"ok","monitor_config":{"schedule":{"type":"crontab","value":"0 3 * * *"}}}`))
	at := d.Now()
	_, _, err := d.SaveRelease(d.ctx, deskTeam, releaseChange{Version: "web@1", Projects: []string{"web"}, Commits: []Commit{{ID: strings.Repeat("a", 40), Author: "Ann", At: &at,
		Message: "orders: check", Files: []CommitFile{{"app/orders.py", "M"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	if list, err := d.toolProjects(d.ctx, toolProjectsIn{"main"}); err != nil || len(list.Items) != 1 || list.Items[0].Slug != "web" {
		t.Errorf("%+v %v", list, err)
	}
	if list, err := d.toolEvents(d.ctx, toolEventsIn{Team: "main", Issue: "WEB-1", Limit: 1}); err != nil || len(list.Events) != 1 || list.Next == "" {
		t.Errorf("%+v %v", list, err)
	}
	if found, err := d.toolFindEvent(d.ctx, toolFindIn{"main", id(1)}); err != nil || found.Issue.ShortID != "WEB-1" || found.Event.Release != "web@1" || len(found.Event.Exceptions) != 1 {
		t.Errorf("%+v %v", found, err)
	}
	if list, err := d.toolReleases(d.ctx, toolReleasesIn{Team: "main", Project: "web"}); err != nil || len(list.Items) != 2 {
		t.Errorf("%+v %v", list, err)
	}
	if r, err := d.toolRelease(d.ctx, toolReleaseIn{"main", "web@1"}); err != nil || len(r.CommitList) != 1 || len(r.New) != 1 {
		t.Errorf("%+v %v", r, err)
	}
	if one, err := d.toolIssue(d.ctx, toolIssueIn{"main", "WEB-1"}); err != nil || len(one.Suspects) != 1 || one.Suspects[0].Author != "Ann" {
		t.Errorf("%+v %v", one, err)
	}
	if list, err := d.toolMonitors(d.ctx, toolMonitorsIn{Team: "main"}); err != nil || len(list.Items) != 1 {
		t.Errorf("%+v %v", list, err)
	}
	if m, err := d.toolMonitor(d.ctx, toolMonitorIn{Team: "main", Monitor: "nightly"}); err != nil || len(m.Runs) != 1 || m.Runs[0].Status != string(sentry.CheckInOK) {
		t.Errorf("%+v %v", m, err)
	}
	if m, err := d.toolMute(d.ctx, toolMuteIn{Team: "main", Monitor: "nightly", Muted: true}); err != nil || !m.Muted {
		t.Errorf("%+v %v", m, err)
	}
	d.pass(time.Minute)
	for name, err := range map[string]error{
		"another team": second(d.toolProjects(d.ctx, toolProjectsIn{"other"})), "no monitor": second(d.toolMonitor(d.ctx, toolMonitorIn{Team: "main", Monitor: "x"})),
		"no release": second(d.toolRelease(d.ctx, toolReleaseIn{"main", "web@9"})), "no event": second(d.toolFindEvent(d.ctx, toolFindIn{"main", id(9)})),
		"no issue": second(d.toolEvents(d.ctx, toolEventsIn{Team: "main", Issue: "WEB-9"})),
	} {
		if !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
