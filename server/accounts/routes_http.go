package accounts

import "github.com/signalbox/signalbox/server/platform/api"

// Routes registers everything that accounts answers; r is at the root.
func (s *Service) Routes(r api.Router) {
	own := r.Group("/api/v1/accounts")
	s.sessionRoutes(own)
	s.userRoutes(own)
	s.teamRoutes(own)
	s.memberRoutes(own)
	s.tokenRoutes(own)
	s.auditRoutes(own)
	s.concourseRoutes(r)
}

type list[T any] struct {
	Items []T `json:"items"`
	// Next is the before= of the following page; empty on the last.
	Next string `json:"next,omitempty"`
}

func listOf[T, Out any](items []T, out func(T) Out) list[Out] {
	l := list[Out]{Items: make([]Out, len(items))}
	for i, item := range items {
		l.Items[i] = out(item)
	}
	return l
}
