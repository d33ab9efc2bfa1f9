package ci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/vars"
	"github.com/signalbox/signalbox/server/platform/work"
)

// longestCheck bounds checks without a check_timeout of their own.
const longestCheck = time.Hour

// checkResource finds new versions of one resource and stores them, or the
// remote's words and when it is tried next. Types of our own are called at once
// and leave no build behind; types that are images need containers and caches,
// and so run as a build, which is deleted when nothing went wrong.
func (s *Service) checkResource(ctx context.Context, r resourceRow) error {
	p, config, err := s.pipelineConfig(ctx, r.PipelineID)
	if err != nil {
		return err
	}
	declared, ok := config.Resource(r.Name)
	if !ok {
		return nil
	}
	if _, custom := config.ResourceType(declared.Type); custom {
		return s.checkByBuild(ctx, p, config, declared, r)
	}
	native, ok := s.deps.Native(declared.Type)
	if !ok {
		now := s.now()
		return errors.Join(s.checkStarted(ctx, r.ID, toMillis(now), 0),
			s.saveCheck(ctx, r, engine.CheckResult{At: now, Error: fmt.Sprintf("base resource type not found: %s", declared.Type)}))
	}
	if err := s.checkStarted(ctx, r.ID, toMillis(s.now()), 0); err != nil {
		return err
	}
	result, err := s.callNative(ctx, native, p, declared, r)
	if ctx.Err() != nil {
		return ctx.Err() // stopping: what was booked is due again after its lease
	}
	if err != nil {
		result = engine.CheckResult{Error: err.Error()}
	}
	result.At = s.now()
	return s.saveCheck(ctx, r, result)
}

// callNative checks with a type of our own. Secrets in its error are hidden.
func (s *Service) callNative(ctx context.Context, native resource.Type, p pipelineRow, declared pipeline.Resource, r resourceRow) (engine.CheckResult, error) {
	var tracker vars.Tracker
	source, err := s.resolveSource(ctx, &tracker, p, declared.Source)
	if err != nil {
		return engine.CheckResult{}, errors.New(tracker.Redact(err.Error()))
	}
	from, err := s.checkFrom(ctx, r)
	if err != nil {
		return engine.CheckResult{}, err
	}
	limit := longestCheck
	if d, err := time.ParseDuration(declared.CheckTimeout); err == nil && d > 0 {
		limit = d
	}
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	container := runtime.ContainerID(s.deps.NewID())
	found, err := checkNative(timed, native, resource.Request{Executor: s.deps.Executor, Container: container, Source: source, Version: from, Log: io.Discard})
	if s.deps.Executor != nil {
		if gone := s.deps.Executor.Remove(context.WithoutCancel(ctx), container); gone != nil {
			s.deps.Log.WarnContext(ctx, "removing the container of a check failed; the collector tries again", "error", gone)
		}
	}
	if err != nil {
		if timed.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("the check took longer than %s", limit)
		}
		return engine.CheckResult{}, errors.New(tracker.Redact(err.Error()))
	}
	return found, nil
}

// checkNative keeps what a type knows of versions besides, if it can tell.
func checkNative(ctx context.Context, native resource.Type, req resource.Request) (out engine.CheckResult, err error) {
	knowing, ok := native.(interface {
		CheckResults(ctx context.Context, req resource.Request) ([]resource.Result, error)
	})
	if !ok {
		out.Versions, err = native.Check(ctx, req)
		return out, err
	}
	results, err := knowing.CheckResults(ctx, req)
	for _, r := range results {
		out.Versions, out.Metadata = append(out.Versions, r.Version), append(out.Metadata, r.Metadata)
	}
	return out, err
}

func (s *Service) resolveSource(ctx context.Context, tracker *vars.Tracker, p pipelineRow, source pipeline.Source) (map[string]any, error) {
	owner, err := s.describeOwner(ctx, p.TeamID, p.ID)
	if err != nil {
		return nil, err
	}
	lookup, err := s.Vars(ctx, owner)
	if err != nil {
		return nil, err
	}
	resolved, err := vars.Interpolate(ctx, map[string]any(source), tracker.Watch(lookup))
	if err != nil || resolved == nil {
		return nil, err
	}
	tree, ok := resolved.(map[string]any)
	if !ok {
		return nil, errors.New("the source of the resource is not a mapping")
	}
	return tree, nil
}

// checkFrom is the version to begin with: the one asked for, else the latest known.
func (s *Service) checkFrom(ctx context.Context, r resourceRow) (resource.Version, error) {
	if r.CheckFrom != "" {
		return decode[resource.Version](r.CheckFrom)
	}
	latest, err := s.latestVersion(ctx, r, false)
	if err != nil || latest.ID == 0 {
		return nil, err
	}
	return latest.fields(), nil
}

// saveCheck stores what a check found and when the next one is due.
func (s *Service) saveCheck(ctx context.Context, r resourceRow, result engine.CheckResult) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.lockPipeline(ctx, r.PipelineID); err != nil {
			return err
		}
		now, err := s.resource(ctx, r.ID)
		if err != nil || now.Scope != r.Scope {
			return err // reconfigured meanwhile: the result is about something else
		}
		found := make([]resource.Result, len(result.Versions))
		for i, v := range result.Versions {
			found[i].Version = v
			if i < len(result.Metadata) {
				found[i].Metadata = result.Metadata[i]
			}
		}
		stored := saved{}
		if len(found) > 0 {
			if stored, err = s.saveVersions(ctx, now, found, true); err != nil {
				return err
			}
			if err := s.askForForks(ctx, now, found); err != nil {
				return err
			}
		}
		next, err := s.nextCheckOf(ctx, now, result)
		if err != nil {
			return err
		}
		if err := s.checkEnded(ctx, r.ID, toMillis(result.At), result.Error, next); err != nil {
			return err
		}
		if stored.New {
			return s.versionsChanged(ctx, now)
		}
		if result.Error != now.CheckError || now.CheckEndedAt == 0 {
			s.resourceChanged(ctx, now)
		}
		return s.scheduleWaiting(ctx, now)
	})
}

// nextCheckOf is 0 for resources that need no further look: checked once without
// an error, and triggering nothing.
func (s *Service) nextCheckOf(ctx context.Context, r resourceRow, result engine.CheckResult) (millis, error) {
	if r.CheckEvery == 0 || !r.Active {
		return 0, nil
	}
	if !r.Triggers && result.Error == "" && len(result.Versions) > 0 {
		return 0, nil
	}
	p, err := s.pollingOf(ctx, r)
	if result.Error != "" {
		p.every = r.every()
	}
	return toMillis(result.At.Add(p.every)), err
}

// scheduleWaiting asks for jobs whose pending builds waited for this check.
func (s *Service) scheduleWaiting(ctx context.Context, r resourceRow) error {
	open, err := s.jobsWithPending(ctx, r.PipelineID)
	if err != nil || len(open) == 0 {
		return err
	}
	return s.schedule(ctx, r.PipelineID, open)
}

// askForCheck has resources checked now, from a version if one is given.
func (s *Service) askForCheck(ctx context.Context, ids []int64, from string) error {
	if err := s.requestCheck(ctx, ids, from); err != nil {
		return err
	}
	s.checker.wakeAfter(ctx)
	return nil
}

// checkByBuild runs the check as a build whose row stays only if it failed.
func (s *Service) checkByBuild(ctx context.Context, p pipelineRow, config pipeline.Config, declared pipeline.Resource, r resourceRow) error {
	from, err := s.checkFrom(ctx, r)
	if err != nil {
		return err
	}
	b := buildRow{TeamID: p.TeamID, PipelineID: p.ID, ResourceID: r.ID, Name: "check", Cause: "Interval"}
	if err := s.insertBuild(ctx, &b); err != nil {
		return err
	}
	b.Plan = encode(plan.ForResource(declared, config.ResourceTypes, plan.CheckOptions{From: pipeline.Version(from), SkipInterval: true, Interval: s.deps.CheckEvery}))
	if _, err := s.startBuild(ctx, b.ID, []byte(b.Plan)); err != nil {
		return err
	}
	described, err := s.describeBuild(ctx, b)
	if err != nil {
		return err
	}
	outcome, err := s.engine.Run(ctx, described)
	if err != nil {
		return errors.Join(err, s.dropBuild(context.WithoutCancel(ctx), b))
	}
	if outcome == engine.Errored { // before the check itself could record an error
		message := s.lastError(b.ID)
		if err := s.saveCheck(ctx, r, engine.CheckResult{At: s.now(), Error: message}); err != nil {
			return err
		}
	}
	return s.dropBuild(ctx, b)
}

// dropBuild gives back what a build holds and deletes it.
func (s *Service) dropBuild(ctx context.Context, b buildRow) error {
	if err := s.engine.Release(ctx, b.ID); err != nil {
		return err
	}
	return errors.Join(s.deleteBuild(ctx, b.ID), s.deps.Logs.Remove(b.ID))
}

// startCheck makes a build of a check, for people who want to watch it.
func (s *Service) startCheck(ctx context.Context, r resourceRow, from resource.Version, parents bool, cause string) (buildRow, error) {
	p, config, err := s.pipelineConfig(ctx, r.PipelineID)
	if err != nil {
		return buildRow{}, err
	}
	if err := refuseArchived(p); err != nil {
		return buildRow{}, err
	}
	declared, _ := config.Resource(r.Name)
	return s.startCheckBuild(ctx, p, r.ID, r.Name, cause, plan.ForResource(declared, config.ResourceTypes, plan.CheckOptions{From: pipeline.Version(from), SkipInterval: true,
		Parents: parents, Interval: s.deps.CheckEvery}))
}

// startCheckBuild starts the build of a check; resourceID is 0 when it is one of a type.
func (s *Service) startCheckBuild(ctx context.Context, p pipelineRow, resourceID int64, name, cause string, todo plan.Plan) (buildRow, error) {
	b := buildRow{TeamID: p.TeamID, PipelineID: p.ID, ResourceID: resourceID, Name: "check", Manual: true, CreatedBy: callerName(ctx), Cause: cause}
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.insertBuild(ctx, &b); err != nil {
			return err
		}
		if err := s.audit(ctx, p.TeamID, "resource.check", p.label()+"/"+name, ""); err != nil {
			return err
		}
		s.buildChanged(ctx, b)
		return s.launch(ctx, b, todo)
	})
	if err == nil {
		b, err = s.build(ctx, b.ID)
	}
	return b, err
}

// startPlan runs a plan that somebody sent: fly execute.
func (s *Service) startPlan(ctx context.Context, team, pipelineID int64, p plan.Plan) (buildRow, error) {
	b := buildRow{TeamID: team, PipelineID: pipelineID, Manual: true, CreatedBy: callerName(ctx), Cause: "fly execute by " + orSomebody(callerName(ctx))}
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.insertBuild(ctx, &b); err != nil {
			return err
		}
		b.Name = formatInt(b.ID)
		if err := s.nameBuild(ctx, b.ID, b.Name); err != nil {
			return err
		}
		if err := s.audit(ctx, team, "build.execute", "build "+b.Name, ""); err != nil {
			return err
		}
		return s.launch(ctx, b, p)
	})
	if err == nil {
		b, err = s.build(ctx, b.ID)
	}
	return b, err
}

// gone reports whether an error only says that the server is stopping.
func gone(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, work.ErrDetached) || errors.Is(err, engine.ErrDetached)
}
