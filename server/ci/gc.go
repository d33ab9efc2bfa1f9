package ci

import (
	"context"
	"errors"
	"time"
)

const (
	// cacheLife is how long a fetched version stays that no build uses.
	cacheLife = 7 * 24 * time.Hour
	// newborn protects volumes and containers whose row is being written.
	newborn = 10 * time.Minute
)

// Collect gives back what ended builds still hold, forgets old caches, and
// removes volumes and containers that no row names.
func (s *Service) Collect(ctx context.Context) error {
	if s.engine == nil || s.deps.Executor == nil {
		return nil
	}
	builds, err := s.releasable(ctx, s.self(), toMillis(s.now().Add(-s.deps.KeepFailed)), 100)
	if err != nil {
		return err
	}
	for _, b := range builds {
		s.release(ctx, b)
	}
	if err := s.forgetOldCaches(ctx, toMillis(s.now().Add(-cacheLife))); err != nil {
		return err
	}
	if err := s.forgetExpiredCaches(ctx); err != nil {
		return err
	}
	return errors.Join(s.collectVolumes(ctx), s.collectContainers(ctx))
}

func (s *Service) collectVolumes(ctx context.Context) error {
	volumes, err := s.deps.Executor.Volumes(ctx)
	if err != nil {
		return err
	}
	used, err := s.usedVolumes(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, v := range volumes {
		if !used[v.ID] && s.now().Sub(v.Created) > newborn {
			errs = append(errs, s.deps.Executor.RemoveVolume(ctx, v.ID))
		}
	}
	return errors.Join(errs...)
}

func (s *Service) collectContainers(ctx context.Context) error {
	containers, err := s.deps.Executor.Containers(ctx)
	if err != nil {
		return err
	}
	used, err := s.usedContainers(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range containers {
		if !used[c.ID] && s.now().Sub(c.Created) > newborn {
			errs = append(errs, s.deps.Executor.Remove(ctx, c.ID))
		}
	}
	return errors.Join(errs...)
}
