package edge

import "github.com/signalbox/signalbox/server/platform/api"

// Routes registers everything the package answers, from the root of the server.
func (s *Service) Routes(r api.Router) {
	s.agentRoutes(r)
	own := r.Group("/api/v1/edge")
	s.nodeRoutes(own)
	s.tokenRoutes(own)
	s.expectedRoutes(own)
	s.installRoutes(r, own)
	s.siteRoutes(own)
	s.bundleRoutes(own)
	s.trustRoutes(own)
	s.policyRoutes(own)
	s.policySourceRoutes(own)
	s.rolloutRoutes(own)
}
