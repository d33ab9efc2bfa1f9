package issues

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) groupingRoutes(r api.Router) {
	read, write := api.Scoped("issues", identity.Read), api.Scoped("issues", identity.Write)
	r.GET("/projects/:id/grouping", read, api.Handle(s.httpGroupingRules))
	r.PUT("/projects/:id/grouping", write, api.Handle(s.httpSetGroupingRules))
	// It changes nothing, but is for whoever writes the rules.
	r.POST("/projects/:id/grouping/preview", write, api.Handle(s.httpPreviewGrouping))
}

// groupingRulesShape is a project's rules as text: comments and order are the person's.
type groupingRulesShape struct {
	Rules string `json:"rules"`
}

func (s *Service) httpGroupingRules(ctx context.Context, in projectIn) (groupingRulesShape, error) {
	text, err := s.GroupingRules(ctx, in.ID)
	return groupingRulesShape{text}, err
}

type groupingRulesIn struct {
	ID    int64  `uri:"id" json:"-" form:"-"`
	Rules string `json:"rules" form:"-"`
}

func (s *Service) httpSetGroupingRules(ctx context.Context, in groupingRulesIn) (groupingRulesShape, error) {
	text, err := s.SetGroupingRules(ctx, in.ID, in.Rules)
	return groupingRulesShape{text}, err
}

type groupingPreviewIn struct {
	groupingRulesIn
	EventID string `json:"event_id" form:"-"`
}

func (s *Service) httpPreviewGrouping(ctx context.Context, in groupingPreviewIn) (GroupingPreview, error) {
	return s.PreviewGrouping(ctx, in.ID, in.Rules, in.EventID)
}
