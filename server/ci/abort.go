package ci

import (
	"context"
	"strconv"

	"github.com/signalbox/signalbox/server/ci/engine"
)

const abortChannel = "ci.abort"

// abort stops a build: one that waits ends at once, one that runs is told on
// whatever node it runs, and ends when its steps have.
func (s *Service) abort(ctx context.Context, b buildRow) error {
	if b.Status.Ended() {
		return nil
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.lockPipeline(ctx, b.PipelineID); err != nil {
			return err
		}
		if err := s.audit(ctx, b.TeamID, "build.abort", "build "+formatInt(b.ID), ""); err != nil {
			return err
		}
		return s.stop(ctx, b)
	})
}

// stop is abort within a transaction that holds the pipeline's lock.
func (s *Service) stop(ctx context.Context, b buildRow) error {
	if err := s.requestAbort(ctx, b.ID); err != nil {
		return err
	}
	now, err := s.build(ctx, b.ID)
	if err != nil {
		return err
	}
	if now.Status == Pending {
		return s.finish(ctx, now, Aborted, s.abortReason(ctx, b.ID))
	}
	// Nobody else can stop it; its server finds it ended when it is back.
	if gone, err := s.waitsForHome(ctx, now); err != nil || gone != "" {
		if err != nil {
			return err
		}
		return s.finish(ctx, now, Aborted, s.abortReason(ctx, b.ID))
	}
	if err := s.unpark(ctx, now); err != nil {
		return err
	}
	s.buildChanged(ctx, now)
	return s.db.Notify(ctx, abortChannel, formatInt(b.ID))
}

// heardAbort stops the build if it runs here.
func (s *Service) heardAbort(payload string) {
	id, err := strconv.ParseInt(payload, 10, 64)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel := s.aborts[id]; cancel != nil {
		cancel(engine.ErrAborted)
	}
}
