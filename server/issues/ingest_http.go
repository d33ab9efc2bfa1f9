package issues

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) ingestRoutes(r api.Router) {
	r.GET("/projects/:id/ingest", api.Scoped("issues", identity.Read), api.Handle(s.getIngest))
}

type ingestIn struct {
	ID    int64 `uri:"id" json:"-" form:"-"`
	Hours int   `form:"hours" json:"-"`
}

func (s *Service) getIngest(ctx context.Context, in ingestIn) (Ingest, error) {
	if in.Hours == 0 {
		in.Hours = 24
	}
	return s.Ingest(ctx, in.ID, in.Hours)
}
