package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	// lookEvery is how often the loop runs; an alert is due a little before its time,
	// since loops do not run to the second.
	lookEvery = time.Minute
	early     = 5 * time.Second
	// gapFrom is from how long a pause on the server did not run, or was too busy.
	gapFrom = 3 * time.Minute
	// maxGap bounds by how much a window is made longer for such a pause.
	maxGap = 7 * 24 * time.Hour
	// firingsKept is how long an alert's history reaches.
	firingsKept = 90 * 24 * time.Hour
)

// alertsChannel tells the server that leads of an alert that is new or changed.
const alertsChannel = "logs.alerts"

// lookSoon has the loop look without waiting for its time.
func (s *Service) lookSoon(string) {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// watchAlerts looks at the lines for all alerts whose time has come. One that
// fails does not keep the others from it.
func (s *Service) watchAlerts(ctx context.Context) error {
	list, err := s.rows.enabledAlerts(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, row := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		a, err := row.alert()
		if err == nil && row.due(a.Condition, s.Now()) {
			err = s.look(ctx, row, a)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("alert %s: %w", row.ID, err))
		}
	}
	return errors.Join(failed...)
}

func (r alertRow) due(c AlertCondition, now time.Time) bool {
	since := now.Sub(time.UnixMilli(r.CheckedAt))
	return since >= c.every()-early || since < -lookEvery // the clock was ahead when it was looked last
}

// look evaluates one alert: it reads the lines, and then writes what follows in
// one transaction together with what is told. After a crash that has been done
// once or not at all.
func (s *Service) look(ctx context.Context, row alertRow, a Alert) error {
	now := s.Now()
	next := row
	next.lengthen(a.Condition, now)
	next.CheckedAt = now.UnixMilli()
	states, seen, learned, err := s.lookAround(ctx, row, next, a, now)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return s.lookFailed(ctx, row, next, a, err)
	}
	next.Error, next.ErrorSince, next.Value = "", 0, a.Condition.worst(seen)
	t := a.turn(states, seen, row.ToldAt, now)
	if len(t.began) > 0 {
		next.FiredAt = next.CheckedAt
	}
	if len(t.tell)+len(t.remind) > 0 {
		next.ToldAt = next.CheckedAt
	}
	if learned != nil {
		next.LearnedTo = next.CheckedAt
	}
	letters, err := s.letters(ctx, a, &t, now)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		mine, err := s.rows.claimLook(ctx, row, next)
		if err != nil || !mine {
			return err
		}
		if learned != nil {
			if err := s.rows.savePatterns(ctx, a.ID, learned.seen, learned.gone, learned.since); err != nil {
				return err
			}
		}
		if err := s.settle(ctx, a, t, letters, now); err != nil {
			return err
		}
		if t.changed() || row.Error != "" || row.CheckedAt == 0 {
			return s.publish(ctx, a.Team, topicAlerts, a.ID)
		}
		return nil
	})
}

// lookAround reads what a look needs: the states of before, and the lines.
func (s *Service) lookAround(ctx context.Context, row, next alertRow, a Alert, now time.Time) (states []stateRow, seen []observed, learned *lesson, err error) {
	if states, err = s.rows.alertStates(ctx, a.ID); err != nil {
		return nil, nil, nil, err
	}
	c := a.Condition
	if c.Kind == WhenPattern {
		seen, learned, err = s.newPatterns(ctx, a, row, now)
		return states, seen, learned, err
	}
	if seen, err = s.measure(ctx, a, now.Add(-c.window()-next.extra(c, now)), now); err != nil {
		return nil, nil, nil, err
	}
	if row.CheckedAt == 0 && c.By != "" && c.fewness() {
		// A group that fell silent before the alert was made is missed all the same.
		earlier, err := s.measure(ctx, a, now.Add(-max(24*time.Hour, 2*c.window())), now)
		if err != nil {
			return nil, nil, nil, err
		}
		for _, o := range earlier {
			if !slices.ContainsFunc(seen, func(there observed) bool { return there.subject == o.subject }) {
				states = append(states, stateRow{AlertID: a.ID, Subject: o.subject, SeenAt: now.UnixMilli()})
			}
		}
	}
	return states, seen, nil, nil
}

// lookFailed keeps what the alert knew and shows why it knows no more.
func (s *Service) lookFailed(ctx context.Context, row, next alertRow, a Alert, failed error) error {
	p := problem.From(failed)
	next.Error = p.Detail
	if p.Kind == problem.Internal {
		next.Error = "The search failed on the server; the server's log says why."
		s.Log.WarnContext(ctx, "looking at the lines for an alert failed", "alert", a.ID, "error", failed)
	}
	if next.ErrorSince == 0 {
		next.ErrorSince = next.CheckedAt
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		mine, err := s.rows.claimLook(ctx, row, next)
		if err != nil || !mine || row.Error == next.Error {
			return err
		}
		return s.publish(ctx, a.Team, topicAlerts, a.ID)
	})
}

// sweepAlerts removes what nobody needs any more.
func (s *Service) sweepAlerts(ctx context.Context) error {
	now := s.Now()
	return errors.Join(
		s.rows.forgetFirings(ctx, now.Add(-firingsKept).UnixMilli()),
		s.rows.forgetLinks(ctx, now.Add(-linksKept).UnixMilli()),
		s.rows.forgetUsage(ctx, dayNumber(now)-usageKept),
	)
}
