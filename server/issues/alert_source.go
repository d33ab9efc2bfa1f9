package issues

import (
	"context"
	"net/url"
	"strconv"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/notify"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// NotifyRules are the alert rules as the list of all capabilities' rules shows them.
func (s *Service) NotifyRules() notify.Source {
	return notify.Source{Capability: "issues", Prefix: "issues:", Rules: s.notifyRules, Switch: s.switchRule}
}

func (s *Service) notifyRules(ctx context.Context, team identity.Team) ([]notify.Rule, error) {
	rows, err := s.rows().alerts(ctx, team.ID)
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
		rule := Alert{Condition: a.Condition, Environment: a.Environment, Query: a.Query, Throttle: a.Throttle}
		project := ""
		if a.Project != nil {
			project = a.Project.Slug
		}
		out[i] = notify.Rule{ID: formatID(a.ID), Name: a.Name, Watches: rule.watches(project), To: []notify.Place{}, Enabled: a.Enabled, FiredAt: a.FiredAt, Often: rule.often(),
			Problem: a.Problem, Path: "/teams/" + url.PathEscape(team.Name) + "/issues/alerts/" + formatID(a.ID)}
		if !may {
			out[i].Fixed, out[i].Why = true, "This needs the role member."
		}
		for _, act := range a.Actions {
			place := notify.Place{Kind: string(act.Type), Name: act.Label, Channel: act.Target}
			if act.Type == ActGitHubIssue {
				place.Channel = ""
			}
			out[i].To = append(out[i].To, place)
		}
	}
	return out, nil
}

func (s *Service) switchRule(ctx context.Context, team identity.Team, id string, on bool) error {
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return problem.New(problem.NotFound, "There is no alert %.20q.", id)
	}
	row, _, err := s.alertFor(ctx, number, writing)
	if err == nil && row.TeamID != team.ID {
		err = problem.New(problem.NotFound, "There is no alert %s.", id)
	}
	if err == nil {
		_, err = s.ChangeAlert(ctx, number, AlertChange{Enabled: &on})
	}
	return err
}
