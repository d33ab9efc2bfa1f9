package slacktest

import "time"

// From has the workspace begin at a moment: a program that lives longer than the
// workspace never sees the same id of a message twice.
func (s *Server) From(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = at.UnixMicro()
}
