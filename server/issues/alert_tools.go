package issues

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// RegisterAlertTools adds what machines may ask about alerts.
func (s *Service) RegisterAlertTools(r *tools.Registry) error {
	return r.Register(
		tools.New(tools.Spec{Name: "issues_alert_list", Title: "List alert rules", Class: tools.ReadOnly, Level: identity.Read,
			Description: "The alert rules of a team: each as a sentence, who is told, when it last fired, and why it cannot tell anybody if so."}, s.toolAlerts),
		tools.New(tools.Spec{Name: "issues_alert_preview", Title: "Preview an alert rule", Class: tools.ReadOnly, Level: identity.Read,
			Description: "What an alert rule would have done within the last seven days. condition.type is new, regressed, events or users (count within minutes), " +
				"spike (factor times last week's same minutes, at least count), crash_free (below percent of at least count sessions within minutes) or monitor (outcomes missed, late, failed). " +
				"project is a slug or an id; query takes the terms of the issue list."}, s.toolPreview),
	)
}

type toolTeamIn struct {
	Team string `json:"team"`
}

func (s *Service) toolAlerts(ctx context.Context, in toolTeamIn) (alertList, error) {
	return s.httpAlerts(ctx, teamIn(in))
}

type toolPreviewIn struct {
	Team        string    `json:"team"`
	Project     string    `json:"project,omitempty"`
	Condition   Condition `json:"condition"`
	Environment string    `json:"environment,omitempty"`
	Query       string    `json:"query,omitempty"`
	// Throttle is 60 when absent.
	Throttle *int64 `json:"throttle_minutes,omitempty"`
}

func (s *Service) toolPreview(ctx context.Context, in toolPreviewIn) (preview, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return preview{}, err
	}
	change := AlertChange{Condition: &in.Condition, Environment: &in.Environment, Query: &in.Query, Throttle: in.Throttle}
	if in.Project != "" {
		p, err := s.projectBySlug(ctx, team.ID, in.Project)
		if err != nil {
			return preview{}, err
		}
		change.Project = &p.ID
	}
	return s.httpPreviewAlert(ctx, previewIn{Team: in.Team, AlertChange: change})
}
