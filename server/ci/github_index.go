package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// IndexRepositories notes which repositories the resources watch of pipelines that were
// set before their type's was known, so that deliveries find them; call it before Start.
// What names none, such as an address that is a ((var)), is looked at every time.
func (s *Service) IndexRepositories(ctx context.Context) error {
	rows, err := s.unindexed(ctx, []string{gitType, pullType, releaseType})
	if err != nil {
		return err
	}
	for _, r := range rows {
		_, config, err := s.pipelineConfig(ctx, r.PipelineID)
		if problem.Is(err, problem.NotFound) {
			continue // deleted meanwhile, by another node
		}
		if err != nil {
			return err
		}
		declared, ok := config.Resource(r.Name)
		if !ok || declared.Type != r.Type {
			continue
		}
		if name := repositoryOf(declared); name != "" {
			if err := s.setRepository(ctx, r.ID, name); err != nil {
				return err
			}
		}
	}
	return nil
}
