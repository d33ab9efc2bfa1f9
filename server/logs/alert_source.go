package logs

import (
	"context"
	"net/url"
	"strings"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/notify"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// NotifyRules are the alerts about lines as the list of all capabilities' rules shows them.
func (s *Service) NotifyRules() notify.Source {
	return notify.Source{Capability: "logs", Prefix: "logs:", Rules: s.notifyRules, Switch: s.switchRule}
}

func (s *Service) notifyRules(ctx context.Context, team identity.Team) ([]notify.Rule, error) {
	rows, err := s.rows.alerts(ctx, team.ID)
	if err != nil {
		return nil, err
	}
	shapes, err := s.shapeAlerts(ctx, team.ID, rows)
	if err != nil {
		return nil, err
	}
	may := identity.From(ctx).Can(team.ID, writing)
	out := make([]notify.Rule, len(shapes))
	for i, a := range shapes {
		out[i] = notify.Rule{ID: a.ID, Name: a.Name, Watches: "When " + a.Condition.words(), To: []notify.Place{}, Enabled: a.Enabled, FiredAt: a.FiredAt, MutedUntil: a.MutedUntil,
			Firing: a.State == alertFiring, Problem: a.Problem, Path: "/teams/" + url.PathEscape(team.Name) + "/logs/alerts/" + url.PathEscape(a.ID)}
		if a.Throttle > 0 {
			out[i].Often = "at most every " + strings.TrimPrefix(span(a.Throttle), "1 ")
		}
		if a.State == alertFailing && out[i].Problem == "" {
			out[i].Problem = a.Error
		}
		if !may {
			out[i].Fixed, out[i].Why = true, "This needs the role member."
		}
		for _, act := range a.Actions {
			out[i].To = append(out[i].To, notify.Place{Kind: string(act.Type), Name: act.Label, Channel: act.Target})
		}
	}
	return out, nil
}

func (s *Service) switchRule(ctx context.Context, team identity.Team, id string, on bool) error {
	row, _, err := s.alertFor(ctx, id, writing)
	if err == nil && row.TeamID != team.ID {
		err = problem.New(problem.NotFound, "There is no such alert.")
	}
	if err != nil {
		return err
	}
	return s.ChangeAlert(ctx, id, AlertChange{Enabled: &on})
}
