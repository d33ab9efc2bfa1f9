package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
)

func (s *Service) workerRoutes(r api.Router) {
	r.GET("/workers", reading(), api.Handle(s.httpWorkers))
	r.POST("/workers/:name/land", api.Admin(), api.Handle(func(ctx context.Context, in workerIn) (workerState, error) {
		return s.changedWorker(ctx, in, s.landWorker(ctx, in.Name, true))
	}))
	r.POST("/workers/:name/resume", api.Admin(), api.Handle(func(ctx context.Context, in workerIn) (workerState, error) {
		return s.changedWorker(ctx, in, s.landWorker(ctx, in.Name, false))
	}))
	r.POST("/workers/:name/prune", api.Admin(), api.Handle(func(ctx context.Context, in workerIn) (workerList, error) {
		if err := s.pruneWorker(ctx, in.Name); err != nil {
			return workerList{}, err
		}
		return s.httpWorkers(ctx, api.Nothing{})
	}))
}

type workerIn struct {
	Name string `uri:"name" json:"-"`
}

type workerList struct {
	Items []workerState `json:"items"`
}

func (s *Service) httpWorkers(ctx context.Context, _ api.Nothing) (workerList, error) {
	all, err := s.workers(ctx)
	return workerList{all}, err
}

func (s *Service) changedWorker(ctx context.Context, in workerIn, err error) (workerState, error) {
	if err != nil {
		return workerState{}, err
	}
	return s.findWorker(ctx, in.Name)
}
