package issues

import (
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

func TestCrontabs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ crontab, zone, from, want string }{
		{"*/5 * * * *", "UTC", "2026-11-21T06:41:30Z", "2026-11-21T06:45:00Z"},
		{"0 3 * * *", "Europe/Berlin", "2026-11-21T06:00:00Z", "2026-11-22T02:00:00Z"},
		{"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"}, // left out on the 29th
		{"0 0 31 * *", "UTC", "2026-11-21T00:00:00Z", "2026-12-31T00:00:00Z"},
		{"0 9 13 * fri", "UTC", "2026-11-21T00:00:00Z", "2026-11-27T09:00:00Z"},
		{"0 0 29 2 *", "UTC", "2026-11-21T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"@hourly", "UTC", "2026-11-21T06:00:00Z", "2026-11-21T07:00:00Z"},
		{"0 0 * * 7", "UTC", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"},
	} {
		when, err := parseSchedule(c.crontab, 0, "", c.zone)
		if err != nil {
			t.Fatal(c.crontab, err)
		}
		from, _ := time.Parse(time.RFC3339, c.from)
		if got := when.next(from).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s in %s: %s, want %s", c.crontab, c.zone, got, c.want)
		}
	}
	for _, bad := range []string{"* * * *", "60 * * * *", "*/0 * * * *", "5-1 * * * *", "x * * * *", "0 0 0 * *"} {
		if _, err := parseSchedule(bad, 0, "", "UTC"); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// TestMonitorsFailAndRecover lets the clock find what did not come.
func TestMonitorsFailAndRecover(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	w.UseReleases()
	w.run(t)
	p, _ := w.newProject(t, "shop")
	at := w.Now()
	in := func(status string, at time.Time) {
		t.Helper()
		c := sentry.CheckIn{Slug: "nightly", Status: status, Duration: -1, Monitor: &sentry.MonitorConfig{Interval: 1, Unit: "hour", Margin: time.Minute, FailureThreshold: 2}}
		if err := w.onCheckIn(t.Context(), Accepted{Team: 1, Project: p.ID, Received: at}, c); err != nil {
			t.Fatal(err)
		}
	}
	state := func() monitorStateRow {
		t.Helper()
		m, err := w.Service.rows().monitor(t.Context(), p.ID, "nightly")
		if err != nil {
			t.Fatal(err)
		}
		st, _, err := w.Service.rows().monitorState(t.Context(), m.ID, "production")
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	in(sentry.CheckInOK, at.Add(-61*time.Minute-time.Second))
	if _, err := w.missSome(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := state(); st.Failures != 1 || st.Status != monitorOK {
		t.Errorf("one missed of two: %+v", st)
	}
	in(sentry.CheckInError, at)
	if st := state(); st.Status != monitorFailing || st.Told {
		t.Errorf("two failures: %+v", st)
	}
	if err := w.watchMonitors(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := state(); !st.Told {
		t.Error("nobody was told")
	}
	in(sentry.CheckInOK, at)
	if st := state(); st.Status != monitorOK || st.FailingAt != 0 {
		t.Errorf("recovered: %+v", st)
	}
}
