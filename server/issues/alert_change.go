package issues

import (
	"context"
	"slices"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// AlertChange is what a person says of a rule; what is nil stays.
type AlertChange struct {
	Name        *string    `json:"name" form:"-"`
	Enabled     *bool      `json:"enabled" form:"-"`
	Project     *int64     `json:"project" form:"-"`
	Condition   *Condition `json:"condition" form:"-"`
	Environment *string    `json:"environment" form:"-"`
	Query       *string    `json:"query" form:"-"`
	Actions     *[]Action  `json:"actions" form:"-"`
	Throttle    *int64     `json:"throttle_minutes" form:"-"`
}

func (a *Alert) apply(c AlertChange) {
	set(&a.Name, c.Name)
	set(&a.Enabled, c.Enabled)
	set(&a.Project, c.Project)
	set(&a.Condition, c.Condition)
	set(&a.Environment, c.Environment)
	set(&a.Query, c.Query)
	set(&a.Throttle, c.Throttle)
	if c.Actions != nil {
		a.Actions = slices.Clone(*c.Actions)
	}
}

// alertFor loads a rule and checks that the caller holds the scope in its team.
func (s *Service) alertFor(ctx context.Context, id int64, scope identity.Scope) (alertRow, Alert, error) {
	row, err := s.rows().alert(ctx, id)
	if err != nil {
		return row, Alert{}, err
	}
	if err := identity.Require(ctx, row.TeamID, scope); err != nil {
		return row, Alert{}, err
	}
	a, err := row.alert()
	return row, a, err
}

// checkAlert refuses what does not fit the team; withActions also looks at who is told.
func (s *Service) checkAlert(ctx context.Context, a *Alert) error {
	if err := a.check(); err != nil {
		return err
	}
	if err := s.checkScopeOf(ctx, a); err != nil {
		return err
	}
	names, err := s.channelNames(ctx, a.Team)
	if err != nil {
		return err
	}
	for _, act := range a.Actions {
		if act.Type == ActGitHubIssue {
			continue
		}
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

// checkScopeOf checks project and query of a rule.
func (s *Service) checkScopeOf(ctx context.Context, a *Alert) error {
	if a.Project != 0 {
		p, err := s.findProject(ctx, a.Project)
		if problem.Is(err, problem.NotFound) || err == nil && p.Team != a.Team {
			return problem.FieldError("project", "is no project of this team")
		}
		if err != nil {
			return err
		}
	}
	if a.Query == "" {
		return nil
	}
	_, err := s.filterOf(ctx, a.Team, "", a.Query)
	return err
}

// CreateAlert makes a rule of a team in which the caller may write.
func (s *Service) CreateAlert(ctx context.Context, team int64, c AlertChange) (Alert, error) {
	if err := identity.Require(ctx, team, writing); err != nil {
		return Alert{}, err
	}
	a := Alert{Team: team, Enabled: true, Throttle: defaultThrottle, Actions: []Action{}}
	a.apply(c)
	if err := s.checkAlert(ctx, &a); err != nil {
		return a, err
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := s.rows().countAlerts(ctx, team)
		if err != nil {
			return err
		}
		if n >= maxAlerts {
			return problem.New(problem.Conflict, "A team has at most %d alerts.", maxAlerts)
		}
		row := alertRow{CreatedBy: identity.From(ctx).Name, CreatedAt: s.millis(), UpdatedAt: s.millis()}
		row.take(a)
		if row.CheckIn, err = s.rows().lastCheckIn(ctx); err != nil {
			return err
		}
		if err := s.rows().insertAlert(ctx, &row); err != nil {
			return err
		}
		a.ID = row.ID
		return s.alertChanged(ctx, a, "issues.alert.create")
	})
	return a, err
}

// ChangeAlert sets what the change names.
func (s *Service) ChangeAlert(ctx context.Context, id int64, c AlertChange) (a Alert, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		row, old, err := s.alertFor(ctx, id, writing)
		if err != nil {
			return err
		}
		a = old
		a.Actions = slices.Clone(old.Actions)
		a.apply(c)
		// What a rule held was checked when it was said; a channel that is gone since must not forbid switching it off.
		if c.Actions == nil && c.Condition == nil {
			err = s.checkScopeOf(ctx, &a)
			if err == nil {
				err = a.check()
			}
		} else {
			err = s.checkAlert(ctx, &a)
		}
		if err != nil {
			return err
		}
		before := row
		row.take(a)
		row.UpdatedAt = s.millis()
		if err := s.rows().updateAlert(ctx, row); err != nil {
			return err
		}
		if before.Condition != row.Condition || before.Environment != row.Environment {
			if err := s.rows().forgetProgress(ctx, id); err != nil {
				return err
			}
		}
		return s.alertChanged(ctx, a, "issues.alert.update")
	})
	return a, err
}

// DeleteAlert removes a rule with its history; what channels have still to send is sent.
func (s *Service) DeleteAlert(ctx context.Context, id int64) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		_, a, err := s.alertFor(ctx, id, writing)
		if err != nil {
			return err
		}
		if err := s.rows().removeAlert(ctx, id); err != nil {
			return err
		}
		return s.alertChanged(ctx, a, "issues.alert.delete")
	})
}

const (
	// alertChannel carries the id of a team whose rules changed.
	alertChannel = "issues.alerts"
	topicAlerts  = "issues.alerts"
)

func (s *Service) alertChanged(ctx context.Context, a Alert, action string) error {
	if err := s.audit(ctx, a.Team, action, a.Name, ""); err != nil {
		return err
	}
	s.DB.AfterCommit(ctx, func() { s.alerts.forget(formatID(a.Team)) }) // here at once, elsewhere when they hear of it
	if err := s.DB.Notify(ctx, alertChannel, formatID(a.Team)); err != nil {
		return err
	}
	return s.publish(ctx, a.Team, topicAlerts, formatID(a.ID))
}
