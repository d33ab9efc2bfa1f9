package issues

import "github.com/signalbox/signalbox/server/platform/api"

// Routes registers everything the package answers, from the root of the server.
func (s *Service) Routes(r api.Router) {
	s.intakeRoutes(r)
	s.api0Routes(r)
	own := r.Group("/api/v1/issues")
	s.projectRoutes(own)
	s.keyRoutes(own)
	s.ingestRoutes(own)
	s.issueRoutes(own)
	s.releaseRoutes(own)
	s.monitorRoutes(own)
	s.alertRoutes(own)
	s.linkRoutes(own)
	s.scrubRoutes(own)
	s.groupingRoutes(own)
	s.eraseRoutes(own)
	s.viewRoutes(own)
}
