package issues

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"time"
)

// watchAlerts is the clock's part: spikes, crash-free rates, monitors, and what a
// burst held back.
func (s *Service) watchAlerts(ctx context.Context) error {
	if err := s.tellHeld(ctx); err != nil {
		return err
	}
	list, err := s.rows().watchingAlerts(ctx)
	if err != nil {
		return err
	}
	slugs := map[int64]map[int64]string{}
	for _, r := range list {
		a, err := r.alert()
		if err != nil {
			return err
		}
		if slugs[a.Team] == nil {
			if slugs[a.Team], err = s.rows().projectSlugs(ctx, a.Team); err != nil {
				return err
			}
		}
		if err := s.watchAlert(ctx, a, slugs[a.Team]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) watchAlert(ctx context.Context, a Alert, slugs map[int64]string) error {
	if a.Condition.Type == WhenMonitor {
		return s.DB.Tx(ctx, func(ctx context.Context) error { return s.watchMonitorAlert(ctx, a) })
	}
	for project, slug := range slugs {
		if !a.covers(project) {
			continue
		}
		why, err := "", error(nil)
		path := "?project=" + url.QueryEscape(slug)
		if a.Condition.Type == WhenSpike {
			why, err = s.spikes(ctx, a, project)
		} else {
			why, err = s.crashes(ctx, a, project)
			path = "/releases" + path
		}
		if err != nil {
			return err
		}
		if why == "" {
			continue
		}
		f := firing{project: project, environment: a.Environment, why: why, subject: "project:" + formatID(project), title: a.Condition.short(slug, a.Environment), path: path}
		if err := s.DB.Tx(ctx, func(ctx context.Context) error { return s.fire(ctx, a, []firing{f}) }); err != nil {
			return err
		}
	}
	return nil
}

// short is the title of what is told of a project.
func (c Condition) short(slug, environment string) string {
	where := ""
	if environment != "" {
		where = " in " + environment
	}
	if c.Type == WhenSpike {
		return "Errors of " + slug + where + " are up"
	}
	return "Crash-free rate of " + slug + where + " is below " + number(c.Percent) + " %"
}

const weekOfPace = int64(7 * 24 * time.Hour / paceSlot)

// paceSlots is how many slots a window has; the present one is part of it.
func (c Condition) paceSlots() int64 {
	slot := int64(paceSlot / time.Minute)
	return (c.Minutes + slot - 1) / slot
}

// spikes compares a project's pace with that of a week before; why is "" when all is well.
func (s *Service) spikes(ctx context.Context, a Alert, project int64) (why string, err error) {
	end := s.Now().Unix()/int64(paceSlot/time.Second) + 1
	n := a.Condition.paceSlots()
	recent, err := s.rows().pace(ctx, project, a.Environment, end-n, end)
	if err != nil {
		return "", err
	}
	first, err := s.rows().firstPace(ctx, project)
	if err != nil || first == 0 || first > end-n-weekOfPace {
		return "", err // nothing to compare with yet
	}
	before, err := s.rows().pace(ctx, project, a.Environment, end-n-weekOfPace, end-weekOfPace)
	return a.Condition.spike(sumOf(recent), sumOf(before)), err
}

func sumOf(m map[int64]int64) (n int64) {
	for _, v := range m {
		n += v
	}
	return n
}

// spike says why these numbers are one, "" when they are not.
func (c Condition) spike(now, before int64) string {
	if now < c.Count || float64(now) < c.Factor*float64(before) {
		return ""
	}
	return fmt.Sprintf("%s within %s; a week before it was %d.", plural(now, "event"), span(c.Minutes), before)
}

// hours is how many hours the window of sessions has; the present one is part of it.
func (c Condition) hours() int64 { return (c.Minutes + 59) / 60 }

func (s *Service) crashes(ctx context.Context, a Alert, project int64) (why string, err error) {
	list, err := s.rows().sessionHours(ctx, project, a.Environment, hourNumber(s.Now())-a.Condition.hours()+1)
	var total, crashed int64
	for _, h := range list {
		total, crashed = total+h.Total, crashed+h.Crashed
	}
	return a.Condition.crashes(total, crashed), err
}

// crashes says why these numbers are below the rate, "" when they are not.
func (c Condition) crashes(total, crashed int64) string {
	if total < c.Count || total == 0 {
		return ""
	}
	rate := 100 * max(1-float64(crashed)/float64(total), 0)
	if rate >= c.Percent {
		return ""
	}
	return fmt.Sprintf("%d of %s within %s crashed: %.2f %% ended without.", crashed, plural(total, "session"), span(c.Minutes), rate)
}

// failuresSince is how old a failure may be that a rule has not seen, such as after a stop of the server.
const failuresSince = 24 * time.Hour

// watchMonitorAlert fires once for each failure of a monitor and each late check-in.
func (s *Service) watchMonitorAlert(ctx context.Context, a Alert) error {
	row, on, err := s.rows().lockAlert(ctx, a.ID)
	if err != nil || !on {
		return err
	}
	var due []firing
	if a.waitsFor(MonitorMissed) || a.waitsFor(MonitorFailed) {
		since := max(s.Now().Add(-failuresSince).UnixMilli(), row.CreatedAt)
		if due, err = s.failures(ctx, a, since); err != nil {
			return err
		}
	}
	if a.waitsFor(MonitorLate) {
		late, err := s.latecomers(ctx, a, row.CheckIn)
		if err != nil {
			return err
		}
		due = append(due, late...)
	}
	if len(due) == 0 {
		return nil
	}
	return s.fire(ctx, a, due)
}

// overlap is how many check-ins are looked at again: on PostgreSQL a smaller
// number may be committed after a larger one.
const overlap = 500

// latecomers finds check-ins behind an id that came late, each once.
func (s *Service) latecomers(ctx context.Context, a Alert, behind int64) (due []firing, err error) {
	newest, err := s.rows().lastCheckIn(ctx)
	if err != nil || newest <= behind {
		return nil, err
	}
	list, err := s.rows().lateCheckIns(ctx, a.Team, behind)
	if err != nil {
		return nil, err
	}
	next := max(behind, newest-overlap)
	if len(list) == lateStep {
		next = list[lateStep-1].ID
	}
	for _, c := range list {
		if !a.covers(c.ProjectID) || a.Environment != "" && a.Environment != c.Environment {
			continue
		}
		fresh, err := s.rows().claimSubject(ctx, a.ID, "late:"+formatID(c.ID), s.millis(), 0)
		if err != nil {
			return nil, err
		}
		if fresh {
			due = append(due, monitorFiring(c.ProjectID, c.MonitorID, c.Slug, c.Environment, "came late"))
		}
	}
	if next == behind {
		return due, nil
	}
	return due, s.rows().saveCheckInCursor(ctx, a.ID, next)
}

func (a Alert) waitsFor(o MonitorOutcome) bool {
	for _, one := range a.Condition.Outcomes {
		if one == o {
			return true
		}
	}
	return false
}

// failures finds monitors that began to fail, each failure once.
func (s *Service) failures(ctx context.Context, a Alert, since int64) (due []firing, err error) {
	list, err := s.rows().failingMonitors(ctx, a.Team, since)
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		if !a.covers(m.ProjectID) || a.Environment != "" && a.Environment != m.Environment {
			continue
		}
		last, err := s.rows().checkIns(ctx, m.MonitorID, m.Environment, 0, 1)
		if err != nil {
			return nil, err
		}
		outcome, words := MonitorFailed, "failed"
		if len(last) > 0 {
			switch last[0].Status {
			case checkInMissed:
				outcome, words = MonitorMissed, "was missed"
			case checkInTimeout:
				words = "took too long"
			}
		}
		if !a.waitsFor(outcome) {
			continue
		}
		once := "failure:" + formatID(m.MonitorID) + "/" + m.Environment + "/" + formatID(m.FailingAt)
		fresh, err := s.rows().claimSubject(ctx, a.ID, once, s.millis(), 0)
		if err != nil {
			return nil, err
		}
		if fresh {
			due = append(due, monitorFiring(m.ProjectID, m.MonitorID, m.Slug, m.Environment, words))
		}
	}
	return due, nil
}

func monitorFiring(project, monitor int64, slug, environment, what string) firing {
	return firing{project: project, environment: environment, why: "The monitor " + slug + " " + what + " in " + cmp.Or(environment, "production") + ".",
		subject: "monitor:" + formatID(monitor) + "/" + environment, title: "Monitor " + slug + " " + what, path: "/monitors/" + formatID(monitor)}
}

// keepSubjects is how long the throttle's memory has to reach.
const keepSubjects = maxThrottle * time.Minute

// firingsKept is how long a rule's history reaches.
const firingsKept = 90 * 24 * time.Hour

// sweepAlerts removes what no rule needs any more.
func (s *Service) sweepAlerts(ctx context.Context) error {
	now := s.Now()
	if err := s.rows().sweepAlertRows(ctx, now.Add(-keepSubjects).UnixMilli(), now.Add(-firingsKept).UnixMilli(), now.Add(-paceKept).Unix()/int64(paceSlot/time.Second)); err != nil {
		return err
	}
	list, err := s.rows().countingAlerts(ctx)
	if err != nil {
		return err
	}
	for _, r := range list {
		a, err := r.alert()
		if err != nil {
			return err
		}
		table, column, before := "issues_alert_counts", "slot", int64(0)
		if a.Condition.Type == WhenUsers {
			table, column, before = "issues_alert_users", "at", now.Add(-time.Duration(a.Condition.Minutes)*time.Minute).UnixMilli()
		} else {
			before = a.Condition.slotOf(now) - alertSlots
		}
		if err := s.sweepCounts(ctx, a.ID, table, column, before); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) sweepCounts(ctx context.Context, alert int64, table, column string, before int64) error {
	from := int64(0)
	return s.steps(ctx, func(ctx context.Context) (more bool, err error) {
		from, err = s.rows().pruneCounts(ctx, table, column, alert, from, before)
		return from != 0, err
	})
}
