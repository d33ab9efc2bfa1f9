package issues

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// What a check-in says or the clock finds.
const (
	checkInMissed  = "missed"
	checkInTimeout = "timeout"
)

// The states of a monitor in an environment.
const (
	monitorWaiting = "waiting" // no check-in yet decides
	monitorOK      = "ok"
	monitorFailing = "failing"
)

const (
	maxMonitors      = 1000 // of a project
	maxEnvironments  = 50   // of a monitor
	defaultMargin    = time.Minute
	defaultRuntime   = 30 * time.Minute
	monitorTopic     = "issues.monitors"
	monitorsLoopStep = 200
)

// onCheckIn keeps a sign of life, in the transaction that digests.
func (s *Service) onCheckIn(ctx context.Context, a Accepted, c sentry.CheckIn) error {
	slug := clipText(strings.ToLower(strings.TrimSpace(c.Slug)), 50)
	if slug == "" {
		return nil
	}
	if err := s.noteRelease(ctx, a.Team, a.Project, c.Release); err != nil {
		return err
	}
	m, err := s.monitorFor(ctx, a, slug, c.Monitor)
	if err != nil || m.ID == 0 {
		return err
	}
	environment := clipText(cmp.Or(c.Environment, "production"), 64)
	st, known, err := s.rows().monitorState(ctx, m.ID, environment)
	if err != nil {
		return err
	}
	if !known {
		n, err := s.rows().countEnvironments(ctx, m.ID)
		if err != nil || n >= maxEnvironments {
			return err
		}
	}
	ended, err := s.keepCheckIn(ctx, &m, &st, a, c)
	if err != nil {
		return err
	}
	if ended != "" {
		st.count(ended, m, a.Received)
	}
	if st.LastAt = max(st.LastAt, a.Received.UnixMilli()); ended != "" || c.Status == sentry.CheckInProgress {
		st.expect(m, a.Received)
	}
	if err := s.rows().saveMonitorState(ctx, st); err != nil {
		return err
	}
	return s.publish(ctx, a.Team, monitorTopic, "")
}

// monitorFor finds the monitor, or makes it or changes it as the check-in says.
// A check-in of an unknown monitor that says nothing about it makes one without
// a schedule: it is shown, and nothing is expected of it.
func (s *Service) monitorFor(ctx context.Context, a Accepted, slug string, config *sentry.MonitorConfig) (monitorRow, error) {
	m, err := s.rows().monitor(ctx, a.Project, slug)
	switch {
	case problem.Is(err, problem.NotFound):
		n, err := s.rows().countMonitors(ctx, a.Project)
		if err != nil || n >= maxMonitors {
			return monitorRow{}, err
		}
		m = monitorRow{TeamID: a.Team, ProjectID: a.Project, Slug: slug, Timezone: "UTC", Margin: int64(defaultMargin.Seconds()),
			MaxRuntime: int64(defaultRuntime.Seconds()), FailureThreshold: 1, RecoveryThreshold: 1, CreatedAt: s.millis()}
		m.take(config)
		m.ID, err = s.rows().insertMonitor(ctx, m)
		return m, err
	case err != nil:
		return m, err
	}
	if before := m; config != nil {
		if m.take(config); m != before {
			err = s.rows().saveMonitor(ctx, m)
		}
	}
	return m, err
}

// take applies a client's configuration; one that cannot be read changes nothing.
func (m *monitorRow) take(c *sentry.MonitorConfig) {
	if c == nil {
		return
	}
	zone := cmp.Or(c.Timezone, "UTC")
	if _, err := parseSchedule(c.Crontab, c.Interval, c.Unit, zone); err == nil {
		m.Crontab, m.Every, m.Unit, m.Timezone = clipText(c.Crontab, 200), int64(c.Interval), c.Unit, zone
		if m.Crontab != "" {
			m.Every, m.Unit = 0, ""
		}
	}
	if c.Margin > 0 {
		m.Margin = int64(c.Margin.Seconds())
	}
	if c.MaxRuntime > 0 {
		m.MaxRuntime = int64(c.MaxRuntime.Seconds())
	}
	m.FailureThreshold = max(int64(c.FailureThreshold), 1)
	m.RecoveryThreshold = max(int64(c.RecoverThreshold), 1)
}

// schedule is nil when nothing is expected of the monitor.
func (m monitorRow) schedule() schedule {
	if m.Crontab == "" && m.Unit == "" {
		return nil
	}
	when, err := parseSchedule(m.Crontab, int(m.Every), m.Unit, m.Timezone)
	if err != nil { // the time zone is unknown to this server
		return nil
	}
	return when
}

// keepCheckIn writes the check-in or completes the one it belongs to; ended is
// what it ended with, "" while it runs and when it had ended before.
func (s *Service) keepCheckIn(ctx context.Context, m *monitorRow, st *monitorStateRow, a Accepted, c sentry.CheckIn) (ended string, err error) {
	at := a.Received.UnixMilli()
	row, open, err := s.rows().openCheckIn(ctx, m.ID, st.Environment, c.ID)
	if err != nil {
		return "", err
	}
	if open {
		if row.Status != sentry.CheckInProgress && row.Status != checkInTimeout {
			return "", nil // sent twice
		}
		if c.Status == sentry.CheckInProgress {
			row.TimeoutAt = at + m.MaxRuntime*1000
			return "", s.rows().saveCheckIn(ctx, row)
		}
		late := row.Status == checkInTimeout
		row.Status, row.EndedAt, row.TimeoutAt, row.Duration = c.Status, at, 0, at-row.StartedAt
		if c.Duration >= 0 {
			row.Duration = c.Duration.Milliseconds()
		}
		if late && c.Status != sentry.CheckInOK {
			return "", s.rows().saveCheckIn(ctx, row) // counted when it took too long
		}
		return c.Status, s.rows().saveCheckIn(ctx, row)
	}
	row = checkInRow{MonitorID: m.ID, Environment: st.Environment, CheckIn: c.ID, Status: c.Status, Duration: -1, Release: clipText(c.Release, maxVersion),
		ExpectedAt: st.NextAt, StartedAt: at, EndedAt: at}
	row.Late = st.NextAt > 0 && at > st.NextAt+m.Margin*1000
	if c.Duration >= 0 {
		row.Duration = c.Duration.Milliseconds()
		row.StartedAt = at - row.Duration
	}
	if c.Status == sentry.CheckInProgress {
		row.EndedAt, row.TimeoutAt = 0, at+m.MaxRuntime*1000
		return "", s.rows().insertCheckIn(ctx, row)
	}
	return c.Status, s.rows().insertCheckIn(ctx, row)
}

// count lets the state see how a run ended.
func (st *monitorStateRow) count(ended string, m monitorRow, at time.Time) {
	if ended == sentry.CheckInOK {
		st.Successes, st.Failures = st.Successes+1, 0
		if st.Status != monitorFailing || st.Successes >= m.RecoveryThreshold {
			st.Status, st.FailingAt, st.Told = monitorOK, 0, false
		}
		return
	}
	st.Failures, st.Successes = st.Failures+1, 0
	if st.Status != monitorFailing && st.Failures >= m.FailureThreshold {
		st.Status, st.FailingAt, st.Told = monitorFailing, at.UnixMilli(), m.Muted
	}
}

// expect sets when the next check-in has to come.
func (st *monitorStateRow) expect(m monitorRow, after time.Time) {
	st.NextAt, st.MissedAt = 0, 0
	when := m.schedule()
	if when == nil {
		return
	}
	if next := when.next(after); !next.IsZero() {
		st.NextAt = next.UnixMilli()
		st.MissedAt = st.NextAt + m.Margin*1000
	}
}

// watchMonitors is the clock's part: check-ins that did not come, runs that took
// too long, and telling of what fails.
func (s *Service) watchMonitors(ctx context.Context) error {
	for _, step := range []func(context.Context) (int, error){s.missSome, s.endSome, s.tellSome} {
		for {
			n, err := step(ctx)
			if err != nil {
				return err
			}
			if n < monitorsLoopStep {
				break
			}
		}
	}
	return nil
}

// missSome writes what has not come. After a long stop of the server only the
// last expected one is missed: nobody was there to hear the others.
func (s *Service) missSome(ctx context.Context) (n int, err error) {
	now := s.Now()
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		list, err := s.rows().missedStates(ctx, now.UnixMilli(), monitorsLoopStep)
		n = len(list)
		for i := 0; i < n && err == nil; i++ {
			err = s.miss(ctx, list[i], now)
		}
		return err
	})
	return n, err
}

func (s *Service) miss(ctx context.Context, st monitorStateRow, now time.Time) error {
	m, err := s.rows().monitorByID(ctx, st.MonitorID)
	if err != nil {
		return err
	}
	row := checkInRow{MonitorID: m.ID, Environment: st.Environment, Status: checkInMissed, Duration: -1, ExpectedAt: st.NextAt, StartedAt: st.NextAt, EndedAt: now.UnixMilli()}
	if err := s.rows().insertCheckIn(ctx, row); err != nil {
		return err
	}
	st.count(checkInMissed, m, now)
	expected := millisTime(st.NextAt)
	if st.expect(m, expected); st.MissedAt > 0 && st.MissedAt <= now.UnixMilli() {
		st.expect(m, now)
	}
	if err := s.rows().saveMonitorState(ctx, st); err != nil {
		return err
	}
	return s.publish(ctx, m.TeamID, monitorTopic, "")
}

// endSome fails runs that took longer than they may.
func (s *Service) endSome(ctx context.Context) (n int, err error) {
	now := s.Now()
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		list, err := s.rows().overdueCheckIns(ctx, now.UnixMilli(), monitorsLoopStep)
		if err != nil {
			return err
		}
		n = len(list)
		for _, c := range list {
			m, err := s.rows().monitorByID(ctx, c.MonitorID)
			if err != nil {
				return err
			}
			c.Status, c.EndedAt, c.TimeoutAt = checkInTimeout, now.UnixMilli(), 0
			if err := s.rows().saveCheckIn(ctx, c); err != nil {
				return err
			}
			st, _, err := s.rows().monitorState(ctx, m.ID, c.Environment)
			if err != nil {
				return err
			}
			st.count(checkInTimeout, m, now)
			if err := s.rows().saveMonitorState(ctx, st); err != nil {
				return err
			}
			if err := s.publish(ctx, m.TeamID, monitorTopic, ""); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// tellSome makes an event of each failure, so that it becomes an issue with all
// that issues have: alerts, an assignee, an archive. Its id says which failure
// it is: told twice after a crash it is one event.
func (s *Service) tellSome(ctx context.Context) (int, error) {
	list, err := s.rows().untoldStates(ctx, monitorsLoopStep)
	if err != nil {
		return 0, err
	}
	for _, st := range list {
		if err := s.tellFailure(ctx, st); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}

func (s *Service) tellFailure(ctx context.Context, st monitorStateRow) error {
	m, err := s.rows().monitorByID(ctx, st.MonitorID)
	if err != nil {
		return err
	}
	last, err := s.rows().checkIns(ctx, m.ID, st.Environment, 0, 1)
	if err != nil {
		return err
	}
	why, release := "failed", ""
	if len(last) > 0 {
		why, release = map[string]string{checkInMissed: "was missed", checkInTimeout: "took too long"}[last[0].Status], last[0].Release
		why = cmp.Or(why, "failed")
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\x00%s\x00%d", m.ID, st.Environment, st.FailingAt))
	id := hex.EncodeToString(sum[:16])
	raw, err := json.Marshal(map[string]any{"event_id": id, "platform": "other", "level": "error", "logger": "monitor", "timestamp": millisTime(st.FailingAt).Format(time.RFC3339Nano),
		"environment": st.Environment, "release": release, "logentry": map[string]any{"formatted": fmt.Sprintf("Monitor %s %s", m.Slug, why)},
		"fingerprint": []string{"monitor", m.Slug, st.Environment}, "tags": map[string]string{"monitor.slug": m.Slug},
		"contexts": map[string]any{"monitor": map[string]any{"slug": m.Slug, "failures": st.Failures, "schedule": m.words()}}})
	if err != nil {
		return err
	}
	if err := s.submit(ctx, m.ProjectID, id, raw); err != nil {
		return err
	}
	st.Told = true
	return s.rows().tellState(ctx, st)
}

// words is the schedule for people.
func (m monitorRow) words() string {
	switch {
	case m.Crontab != "":
		return m.Crontab + " " + m.Timezone
	case m.Unit != "" && m.Every == 1:
		return "every " + m.Unit
	case m.Unit != "":
		return fmt.Sprintf("every %d %ss", m.Every, m.Unit)
	}
	return ""
}

// submit puts an event of our own into the intake. A project that is gone takes none.
func (s *Service) submit(ctx context.Context, project int64, id string, raw []byte) error {
	open, err := s.openProject(ctx, project)
	if err != nil || open == nil {
		return err
	}
	k, err := s.firstKey(ctx, project)
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	envelope := sentry.Envelope{Items: []sentry.Item{{Type: "event", Payload: raw}}}
	envelope.Header.EventID = id
	_, err = s.accept(ctx, &sender{project: open, key: k, client: "signalbox-monitor/1"}, envelope)
	if _, ok := err.(*refused); ok {
		return nil // the project's limits hold for these events too
	}
	return err
}
