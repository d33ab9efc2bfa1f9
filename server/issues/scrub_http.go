package issues

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) scrubRoutes(r api.Router) {
	read, write := api.Scoped("issues", identity.Read), api.Scoped("issues", identity.Write)
	r.GET("/projects/:id/scrubbing", read, api.Handle(s.httpScrubbing))
	r.PUT("/projects/:id/scrubbing", write, api.Handle(s.httpSetScrubbing))
	// It changes nothing, but shows an event to whoever writes the rules.
	r.POST("/projects/:id/scrubbing/preview", write, api.Handle(s.httpPreviewScrubbing))
	r.GET("/projects/:id/usage", read, api.Handle(s.httpUsage))
}

func (s *Service) httpScrubbing(ctx context.Context, in projectIn) (Scrubbing, error) {
	return s.Scrubbing(ctx, in.ID)
}

type scrubbingIn struct {
	ID int64 `uri:"id" json:"-" form:"-"`
	Scrubbing
}

func (s *Service) httpSetScrubbing(ctx context.Context, in scrubbingIn) (Scrubbing, error) {
	return s.SetScrubbing(ctx, in.ID, in.Scrubbing)
}

type scrubPreviewIn struct {
	ID      int64  `uri:"id" json:"-" form:"-"`
	EventID string `json:"event_id" form:"-"`
	Scrubbing
}

func (s *Service) httpPreviewScrubbing(ctx context.Context, in scrubPreviewIn) (ScrubbingPreview, error) {
	return s.PreviewScrubbing(ctx, in.ID, in.Scrubbing, in.EventID)
}

// usageShape is what a project holds, and how much it may hold.
type usageShape struct {
	Events int64 `json:"events"`
	Bytes  int64 `json:"bytes"`
	// OldestAt is when the oldest event that is kept came.
	OldestAt api.Millis `json:"oldest_at,omitzero"`
	// Retention is what holds: the project's own, else the installation's.
	Retention Retention `json:"retention"`
	// Defaults are the installation's.
	Defaults Retention `json:"defaults"`
}

func (s *Service) httpUsage(ctx context.Context, in projectIn) (usageShape, error) {
	p, err := s.ReadableProject(ctx, in.ID)
	if err != nil {
		return usageShape{}, err
	}
	u, err := s.rows().usage(ctx, p.ID)
	if err != nil {
		return usageShape{}, err
	}
	oldest, err := s.rows().oldestEvents(ctx, p.ID, 1)
	if err != nil {
		return usageShape{}, err
	}
	out := usageShape{Events: u.Events, Bytes: u.Bytes, Retention: p.Retention.or(s.Retention), Defaults: s.Retention}
	if len(oldest) > 0 {
		out.OldestAt = api.Millis(oldest[0].Received)
	}
	return out, nil
}
