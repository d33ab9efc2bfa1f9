package accounts

import "github.com/signalbox/signalbox/server/platform/api"

func (s *Service) concourseRoutes(r api.Router) {}
