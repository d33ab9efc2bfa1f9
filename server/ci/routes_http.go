package ci

import "github.com/signalbox/signalbox/server/platform/api"

// Routes registers both faces of the capability: our own API and Concourse's.
func (s *Service) Routes(root api.Router) {
	s.FlyRoutes(root)
	s.keyRoutes(root)
	s.homeRoutes(root)
	r := root.Group("/api/v1/ci")
	s.pipelineRoutes(r)
	s.jobRoutes(r)
	s.buildRoutes(r)
	s.outcomeRoutes(r)
	s.approvalRoutes(r)
	s.logRoutes(r)
	s.artifactRoutes(r)
	s.resourceRoutes(r)
	s.workerRoutes(r)
	s.containerRoutes(r)
}
