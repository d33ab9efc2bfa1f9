package githubtest

import (
	"net/http"
	"strings"
)

// Org is an organization.
type Org struct {
	Name string
	// Owner says that the token may manage its hooks.
	Owner bool
	Hooks []*Hook
}

// AddOrg adds an organization that the token's user owns.
func (s *Server) AddOrg(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orgs[strings.ToLower(name)] = &Org{Name: name, Owner: true}
	s.orgOrder = append(s.orgOrder, strings.ToLower(name))
}

// LookOrg gives f the organization under the lock.
func (s *Server) LookOrg(name string, f func(*Org)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.orgs[strings.ToLower(name)]; o != nil {
		f(o)
	}
}

func (s *Server) orgRoutes() {
	s.handle("GET /user/orgs", func(r *http.Request, _ map[string]any) (int, any, http.Header) {
		shapes := []map[string]any{}
		for _, key := range s.orgOrder {
			shapes = append(shapes, map[string]any{"login": s.orgs[key].Name})
		}
		list, header := page(s, r, shapes)
		return 200, list, header
	})
}
