package assistant

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) replayRoutes(r api.Router) {
	r.POST("/runs/:id/replay", api.Scoped("assistant", identity.Read), api.Handle(s.httpReplay))
	r.GET("/runs/:id/replays", api.Scoped("assistant", identity.Read), api.Handle(s.httpReplays))
	r.GET("/runs/:id/case", api.Scoped("assistant", identity.Read), api.Handle(s.httpCase))
}

type replayIn struct {
	ID      string  `uri:"id" json:"-"`
	Planner Planner `json:"planner"`
}

func (s *Service) httpReplay(ctx context.Context, in replayIn) (Run, error) {
	return s.Replay(ctx, in.ID, in.Planner)
}

func (s *Service) httpReplays(ctx context.Context, in runIn) (runsOut, error) {
	list, err := s.Replays(ctx, in.ID)
	return runsOut{Items: append([]Run{}, list...)}, err
}

type caseOut struct {
	File string `json:"file"`
	YAML string `json:"yaml"`
}

func (s *Service) httpCase(ctx context.Context, in runIn) (caseOut, error) {
	text, err := s.CaseOf(ctx, in.ID)
	return caseOut{"run-" + in.ID + ".yaml", text}, err
}
