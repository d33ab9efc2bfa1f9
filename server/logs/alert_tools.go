package logs

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// RegisterAlertTools adds what machines may ask about alerts and saved searches.
func (s *Service) RegisterAlertTools(r *tools.Registry) error {
	return r.Register(
		tools.New(tools.Spec{Name: "logs_alerts_list", Title: "List alerts about log lines", Class: tools.ReadOnly, Level: identity.Read,
			Description: "The alerts of a team about its log lines: each as a sentence, whether it is firing, since when and about what, its last value, why its search fails if it does, and whom it tells."}, s.toolAlerts),
		tools.New(tools.Spec{Name: "logs_saved_list", Title: "List saved searches of log lines", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Searches that the caller has saved or the team shares; give a query of them to logs_line_search."}, s.toolSaved),
	)
}

type toolTeamIn struct {
	Team string `json:"team"`
}

func (s *Service) toolAlerts(ctx context.Context, in toolTeamIn) (alertList, error) {
	return s.httpAlerts(ctx, teamIn(in))
}

func (s *Service) toolSaved(ctx context.Context, in toolTeamIn) (savedList, error) {
	return s.httpSaved(ctx, teamIn(in))
}
