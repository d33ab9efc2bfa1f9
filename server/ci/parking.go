package ci

import (
	"context"
	"encoding/json"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

// A build that waits for people alone is parked: its row says so and it has no durable
// job, hence no worker, no goroutine and no container. A decision, an abort or the time
// at which the answer is due unparks it, which makes its job anew.

// kindWake unparks a build at a time that was set when it was parked.
const kindWake = "ci.wake"

// park stores that the build waits; false when something has happened meanwhile, so
// that it must be run again at once.
func (s *Service) park(ctx context.Context, b buildRow, until time.Time) (parked bool, err error) {
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if parked, err = s.markParked(ctx, b.ID); err != nil || !parked {
			return err
		}
		key := formatInt(b.ID) + ":" + formatInt(int64(toMillis(until)))
		_, err := s.deps.Jobs.EnqueueValue(ctx, work.Job{Kind: kindWake, Team: b.TeamID, UniqueKey: key, RunAt: until}, buildJob{Build: b.ID})
		return err
	})
	return parked && err == nil, err
}

// unpark makes the job of a parked build, in the transaction of what wakes it.
func (s *Service) unpark(ctx context.Context, b buildRow) error {
	woken, err := s.clearParked(ctx, b.ID)
	if err != nil || !woken {
		return err
	}
	return s.enqueueBuild(ctx, b)
}

func (s *Service) enqueueBuild(ctx context.Context, b buildRow) error {
	_, err := s.deps.Jobs.EnqueueValue(ctx, work.Job{Kind: kindBuild, Team: b.TeamID, UniqueKey: formatInt(b.ID), SerialKey: "build:" + formatInt(b.ID), Node: b.Node},
		buildJob{Build: b.ID})
	return err
}

// wake is the handler of kindWake; a build that goes on already is left alone.
func (s *Service) wake(ctx context.Context, job work.Job) error {
	var payload buildJob
	if err := json.Unmarshal(job.Payload, &payload); err != nil {
		return work.GiveUp(err)
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		b, err := s.build(ctx, payload.Build)
		if problem.Is(err, problem.NotFound) || err == nil && b.Status.Ended() {
			return nil
		}
		if err != nil {
			return err
		}
		return s.unpark(ctx, b)
	})
}
