package issues

import "context"

// ProjectSlug names a project for other parts, which show what came from it.
func (s *Service) ProjectSlug(ctx context.Context, id int64) (string, error) {
	p, err := s.project(ctx, id)
	return p.Slug, err
}
