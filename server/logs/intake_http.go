package logs

import (
	"github.com/signalbox/signalbox/server/platform/api"
)

// intakeRoutes are the addresses that shippers send to.
func (s *Service) intakeRoutes(api.Router) {}
