package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
)

// outcomeRoutes answer what came out of a build besides its log.
func (s *Service) outcomeRoutes(r api.Router) {
	r.GET("/builds/:id/failure", exposable(), s.preferHome(api.Handle(s.httpFailure)))
	r.GET("/builds/:id/tests", exposable(), api.Handle(s.httpTests))
	r.GET("/builds/:id/sbom", reading(), api.Handle(s.httpComponents))
	r.GET("/packages", reading(), api.Handle(s.httpPackages))
}

func (s *Service) httpFailure(ctx context.Context, in byID) (failureCard, error) {
	b, err := s.openBuild(ctx, in.ID)
	if err != nil {
		return failureCard{}, err
	}
	return s.failureCardOf(ctx, b)
}
