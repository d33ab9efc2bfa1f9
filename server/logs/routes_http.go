package logs

import "github.com/signalbox/signalbox/server/platform/api"

// Routes registers everything the package answers, from the root of the server.
func (s *Service) Routes(r api.Router) {
	s.lokiQueryRoutes(r)
	own := r.Group("/api/v1/logs")
	s.searchRoutes(own)
	s.tailRoutes(own)
	s.exportRoutes(own)
	s.sourceRoutes(own)
	s.maskRoutes(own)
	s.limitRoutes(own)
	s.savedRoutes(own)
	s.alertRoutes(own)
	s.intakeRoutes(r)
	s.spreadRoutes(r)
}
