package ci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/event"
	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/telemetry"
	"github.com/signalbox/signalbox/server/platform/work"
)

// kindBuild is the durable job that runs one build. Its lease moves the build to this
// server's next life, when this one dies; before it begins, to any.
const kindBuild = "ci.build"

type buildJob struct {
	Build int64 `json:"build"`
}

// runBuild gives a started build to the engine and stores how it ended. It may
// be called again for the same build at any point: the engine goes on from its rows.
func (s *Service) runBuild(ctx context.Context, job work.Job) error {
	var payload buildJob
	if err := json.Unmarshal(job.Payload, &payload); err != nil {
		return work.GiveUp(err)
	}
	b, err := s.build(ctx, payload.Build)
	switch {
	case problem.Is(err, problem.NotFound):
		return nil // destroyed meanwhile
	case err != nil:
		return err
	case s.away(b.Node):
		return s.handOver(ctx, &b, job)
	case b.Status.Ended(): // and the server died before its job was deleted
		return s.logStatus(b.ID, b.Status, b.EndedAt.Time())
	}
	if mine, err := s.settle(ctx, &b, job); err != nil || !mine {
		return errors.Join(err, work.ErrDetached)
	}
	described, err := s.describeBuild(ctx, b)
	switch {
	case ctx.Err() != nil: // that is no fault of the build
		return work.ErrDetached
	case err != nil:
		return s.end(ctx, b, Errored, err.Error())
	}
	if err := errors.Join(s.logStatus(b.ID, Started, b.StartedAt.Time()), s.bringArtifacts(ctx, b.TeamID, described.Plan)); err != nil {
		return work.RetryAfter(time.Second, err)
	}
	runCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer s.register(ctx, b.ID, cancel)()
	tracedCtx, done := telemetry.Child(runCtx, "build", described.PipelineName+"/"+described.JobName,
		telemetry.Attribute{Name: "signalbox.build.id", Number: b.ID}, telemetry.Attribute{Name: "signalbox.build.name", Text: b.Name}, telemetry.Attribute{Name: "signalbox.team.name", Text: described.TeamName})
	outcome, err := s.engine.Run(tracedCtx, described)
	done(unlessSucceeded(outcome, err))
	var waiting *engine.Parked
	switch {
	case errors.As(err, &waiting):
		parked, err := s.park(context.WithoutCancel(ctx), b, waiting.Until)
		if err != nil {
			return work.RetryAfter(time.Second, err)
		}
		if !parked {
			return s.runBuild(ctx, job) // somebody was faster than the parking
		}
		return nil
	case errors.Is(err, engine.ErrDetached):
		return work.ErrDetached
	case err != nil:
		return work.RetryAfter(time.Second, err)
	}
	if err := s.collectOutputs(ctx, runCtx, b, outcome); err != nil {
		if ctx.Err() != nil {
			return work.ErrDetached
		}
		return work.RetryAfter(time.Second, err)
	}
	ctx = context.WithoutCancel(ctx)
	message := ""
	if outcome == engine.Aborted {
		message = s.abortReason(ctx, b.ID)
	}
	return s.end(ctx, b, outcomeOf[outcome], message)
}

// unlessSucceeded is what a build's trace says of its end.
func unlessSucceeded(outcome engine.Outcome, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case outcome != engine.Succeeded:
		return string(outcome)
	}
	return ""
}

// register lets aborts reach the build, also one that came before this moment.
func (s *Service) register(ctx context.Context, id int64, cancel context.CancelCauseFunc) (undo func()) {
	s.mu.Lock()
	s.aborts[id] = cancel
	s.mu.Unlock()
	s.noteOutput(id)
	if b, err := s.build(ctx, id); problem.Is(err, problem.NotFound) || err == nil && b.AbortRequested {
		cancel(engine.ErrAborted)
	}
	return func() {
		s.mu.Lock()
		delete(s.aborts, id)
		s.mu.Unlock()
	}
}

// describeBuild is the build as the engine sees it.
func (s *Service) describeBuild(ctx context.Context, b buildRow) (engine.Build, error) {
	out, err := s.describeOwner(ctx, b.TeamID, b.PipelineID)
	if err != nil {
		return out, err
	}
	out.ID, out.Name, out.JobID, out.CreatedBy, out.Manual, out.CreatedAt = b.ID, b.Name, b.JobID, b.CreatedBy, b.Manual, b.CreatedAt.Time()
	if b.JobID != 0 {
		job, err := s.job(ctx, b.JobID)
		if err != nil {
			return out, err
		}
		out.JobName = job.Name
	}
	if out.Plan, err = decode[plan.Plan](b.Plan); err != nil {
		return out, err
	}
	out.Untrusted, err = s.untrusted(ctx, b, out.Plan)
	return out, err
}

func (s *Service) describeOwner(ctx context.Context, team, pipelineID int64) (engine.Build, error) {
	out := engine.Build{TeamID: team, PipelineID: pipelineID}
	var err error
	if out.TeamName, err = s.teamName(ctx, team); err != nil || pipelineID == 0 {
		return out, err
	}
	p, err := s.pipeline(ctx, pipelineID)
	out.PipelineName, out.InstanceVars = p.Name, p.instanceVars()
	return out, err
}

// end stores the end of a build, writes its last event and gives back what it held.
func (s *Service) end(ctx context.Context, b buildRow, status Status, message string) error {
	if message != "" {
		if err := s.logError(b.ID, message); err != nil {
			return work.RetryAfter(time.Second, err)
		}
	}
	s.noteOutput(b.ID)
	// The row first: whoever sees the last event and asks for the build finds it ended.
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.lockPipeline(ctx, b.PipelineID); err != nil {
			return err
		}
		return s.finish(ctx, b, status, message)
	})
	if err != nil {
		return work.RetryAfter(time.Second, err)
	}
	if err := s.logStatus(b.ID, status, s.now()); err != nil {
		return work.RetryAfter(time.Second, err)
	}
	if status == Succeeded {
		s.release(ctx, b)
	}
	return nil
}

// finish stores the final status and asks for the jobs that waited for it. It is
// called in a transaction; a build that never started gets its last event here.
func (s *Service) finish(ctx context.Context, b buildRow, status Status, message string) error {
	ended, err := s.endBuild(ctx, b.ID, status, message)
	if err != nil || !ended {
		return err
	}
	if b.Status == Pending {
		if err := s.logEnd(b.ID, status, message); err != nil {
			return err
		}
	}
	s.buildChanged(ctx, b)
	if b.JobID == 0 {
		return nil
	}
	if err := s.noteFailure(ctx, b, status, message); err != nil {
		return err
	}
	if err := s.refreshJob(ctx, b.JobID); err != nil {
		return err
	}
	if err := s.requestStatus(ctx, b, status); err != nil {
		return err
	}
	if err := s.tellFinished(ctx, b, status); err != nil {
		return err
	}
	p, config, err := s.pipelineConfig(ctx, b.PipelineID)
	if err != nil {
		return err
	}
	job, err := s.job(ctx, b.JobID)
	if err != nil {
		return err
	}
	f := facts{config}
	names := []string{job.Name}
	if declared, ok := config.Job(job.Name); ok {
		names = f.rivals(declared)
	}
	if status == Succeeded {
		names = append(names, f.downstream(job.Name)...)
		if err := s.archiveAbandoned(ctx); err != nil {
			return err
		}
	}
	return s.schedule(ctx, p.ID, names)
}

// logStatus writes a status event once.
func (s *Service) logStatus(build int64, status Status, at time.Time) error {
	return s.logOnce(build, event.Status{Status: string(status), Time: at.Unix()}, at)
}

func (s *Service) logEnd(build int64, status Status, message string) error {
	if message != "" {
		if err := s.logError(build, message); err != nil {
			return err
		}
	}
	return s.logStatus(build, status, s.now())
}

func (s *Service) logError(build int64, message string) error {
	return s.logOnce(build, event.Error{Message: message, Time: s.now().Unix()}, s.now())
}

// logOnce appends an event unless the log's first or last event says the same
// already: after a restart both may be there.
func (s *Service) logOnce(build int64, ev event.Event, at time.Time) error {
	l, err := s.deps.Logs.Open(build)
	if err != nil {
		return fmt.Errorf("open the log of build %d: %w", build, err)
	}
	data, err := json.Marshal(ev)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	said, err := alreadySaid(l, ev, data)
	if err == nil && !said {
		_, err = l.Append(buildlog.Record{Time: at, Kind: string(ev.Name()), Version: string(ev.Version()), Data: data})
	}
	return errors.Join(err, l.Close())
}

func alreadySaid(l *buildlog.Log, ev event.Event, data []byte) (bool, error) {
	n := l.Stats().Events
	if n == 0 {
		return false, nil
	}
	for _, at := range []int64{0, n - 1} {
		events, err := l.Events(at, 1)
		if err != nil {
			return false, err
		}
		for _, e := range events {
			if e.Kind == string(ev.Name()) && sameStatus(e.Data, data) {
				return true, nil
			}
		}
	}
	return false, nil
}

// sameStatus compares what an event says, not when.
func sameStatus(a, b []byte) bool {
	var x, y struct {
		Status  string `json:"status"`
		Message string `json:"message"`
	}
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && x == y
}

// release gives back containers and volumes; what fails is tried again by the collector.
func (s *Service) release(ctx context.Context, b buildRow) {
	if s.sessions.holds(b.ID) {
		return // somebody looks into it; the collector comes again
	}
	err := s.engine.Release(ctx, b.ID)
	if err == nil {
		err = s.markReleased(ctx, b.ID)
	}
	if err != nil {
		s.deps.Log.WarnContext(ctx, "giving back what a build held failed; the collector tries again", "build", b.ID, "error", err)
	}
}
