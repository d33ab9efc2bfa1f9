package logs

import (
	"context"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// AlertChange is what a person says of an alert; what is nil stays.
type AlertChange struct {
	Name      *string         `json:"name" form:"-"`
	Enabled   *bool           `json:"enabled" form:"-"`
	Condition *AlertCondition `json:"condition" form:"-"`
	Actions   *[]AlertAction  `json:"actions" form:"-"`
	Throttle  *int64          `json:"throttle_minutes" form:"-"`
	Remind    *int64          `json:"remind_minutes" form:"-"`
	Resolve   *bool           `json:"resolve" form:"-"`
	// Mute is for how many minutes from now nobody is told; 0 ends that.
	Mute *int64 `json:"mute_minutes" form:"-"`
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

func (a *Alert) apply(c AlertChange, now time.Time) error {
	set(&a.Name, c.Name)
	set(&a.Enabled, c.Enabled)
	set(&a.Condition, c.Condition)
	set(&a.Throttle, c.Throttle)
	set(&a.Remind, c.Remind)
	set(&a.Resolve, c.Resolve)
	if c.Actions != nil {
		a.Actions = append([]AlertAction{}, *c.Actions...)
	}
	if c.Mute != nil {
		if *c.Mute < 0 || *c.Mute > maxAlertWait {
			return problem.FieldError("mute_minutes", "is not between 0 and %d", maxAlertWait)
		}
		a.MutedUntil = 0
		if *c.Mute > 0 {
			a.MutedUntil = now.Add(time.Duration(*c.Mute) * time.Minute).UnixMilli()
		}
	}
	return nil
}

// alertFor loads an alert and checks that the caller holds the scope in its team.
func (s *Service) alertFor(ctx context.Context, id string, scope identity.Scope) (alertRow, Alert, error) {
	row, err := s.rows.alert(ctx, id)
	if err != nil {
		return row, Alert{}, err
	}
	if err := identity.Require(ctx, row.TeamID, scope); err != nil {
		return row, Alert{}, err
	}
	a, err := row.alert()
	return row, a, err
}

// checkActions refuses channels that the team does not have.
func (s *Service) checkActions(ctx context.Context, a Alert) error {
	names, err := s.channelNames(ctx, a.Team)
	if err != nil {
		return err
	}
	for _, act := range a.Actions {
		c, ok := names[act.Target]
		if !ok {
			return problem.FieldError("actions", "names a channel that this team does not have")
		}
		if c.Kind != act.Type {
			return problem.FieldError("actions", "names %s, which is a channel for %s and not for %s", c.Name, string(c.Kind), string(act.Type))
		}
	}
	return nil
}

// draft is an alert about which nothing has been said.
func draft(team int64) Alert {
	return Alert{Team: team, Enabled: true, Throttle: defaultThrottle, Resolve: true, Actions: []AlertAction{}}
}

// CreateAlert makes an alert of a team in which the caller may write.
func (s *Service) CreateAlert(ctx context.Context, team int64, c AlertChange) (Alert, error) {
	a := draft(team)
	if err := identity.Require(ctx, team, writing); err != nil {
		return a, err
	}
	if err := a.apply(c, s.Now()); err != nil {
		return a, err
	}
	if err := a.check(); err != nil {
		return a, err
	}
	if err := s.checkActions(ctx, a); err != nil {
		return a, err
	}
	a.ID = s.NewID()
	return a, s.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := s.rows.countAlerts(ctx, team)
		if err != nil {
			return err
		}
		if n >= maxAlerts {
			return problem.New(problem.Conflict, "A team has at most %d alerts. Delete one first.", maxAlerts)
		}
		now := s.Now().UnixMilli()
		row := alertRow{CreatedBy: identity.From(ctx).Name, CreatedAt: now, UpdatedAt: now}
		row.take(a)
		if err := s.rows.insertAlert(ctx, &row); err != nil {
			return err
		}
		return s.alertChanged(ctx, a, "logs.alert.create")
	})
}

// ChangeAlert sets what the change names. With another condition the alert begins
// anew.
func (s *Service) ChangeAlert(ctx context.Context, id string, c AlertChange) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		row, a, err := s.alertFor(ctx, id, writing)
		if err != nil {
			return err
		}
		a.Actions = slices.Clone(a.Actions)
		if err := a.apply(c, s.Now()); err != nil {
			return err
		}
		if err := a.check(); err != nil {
			return err
		}
		// A channel that is gone since must not forbid switching the alert off.
		if c.Actions != nil {
			if err := s.checkActions(ctx, a); err != nil {
				return err
			}
		}
		before := row
		row.take(a)
		row.UpdatedAt = s.Now().UnixMilli()
		anew := before.Condition != row.Condition || before.Enabled != row.Enabled
		if err := s.rows.updateAlert(ctx, row, anew); err != nil {
			return err
		}
		return s.alertChanged(ctx, a, "logs.alert.update")
	})
}

// DeleteAlert removes an alert with its history; what channels have still to send
// is sent.
func (s *Service) DeleteAlert(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		_, a, err := s.alertFor(ctx, id, writing)
		if err != nil {
			return err
		}
		if err := s.rows.removeAlert(ctx, id); err != nil {
			return err
		}
		return s.alertChanged(ctx, a, "logs.alert.delete")
	})
}

func (s *Service) alertChanged(ctx context.Context, a Alert, action string) error {
	if err := s.audit(ctx, a.Team, action, a.Name, ""); err != nil {
		return err
	}
	if err := s.DB.Notify(ctx, alertsChannel, ""); err != nil {
		return err
	}
	return s.publish(ctx, a.Team, topicAlerts, a.ID)
}
