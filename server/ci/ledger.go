package ci

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// ledger is what the engine tells and asks; each method is one transaction.
type ledger struct{ *Service }

var _ engine.Ledger = ledger{}

// Steps returns the rows of a build.
func (l ledger) Steps(ctx context.Context, build int64) ([]engine.StepRecord, error) {
	return l.steps(ctx, build)
}

// SaveStep stores a row and tells the pages that watch the build.
func (l ledger) SaveStep(ctx context.Context, step engine.StepRecord) error {
	if err := l.saveStep(ctx, step); err != nil {
		return err
	}
	l.stepChanged(ctx, step)
	return nil
}

// LastCheck tells what is known of a target.
func (l ledger) LastCheck(ctx context.Context, target engine.CheckTarget) (engine.LastCheck, error) {
	if target.Resource == "" {
		row, err := l.imageCheck(ctx, target.Build.TeamID, target.Config)
		if err != nil {
			return engine.LastCheck{}, err
		}
		latest, err := decode[resource.Version](row.Latest)
		return lastCheck(row.StartedAt, row.EndedAt, row.Error, latest), err
	}
	r, err := l.resourceByName(ctx, target.Build.PipelineID, target.Resource)
	if problem.Is(err, problem.NotFound) {
		return engine.LastCheck{}, nil
	}
	if err != nil {
		return engine.LastCheck{}, err
	}
	v, err := l.latestVersion(ctx, r, false)
	if err != nil || v.ID == 0 {
		return lastCheck(r.CheckStartedAt, r.CheckEndedAt, r.CheckError, nil), err
	}
	return lastCheck(r.CheckStartedAt, r.CheckEndedAt, r.CheckError, v.fields()), nil
}

func lastCheck(started, ended millis, message string, latest resource.Version) engine.LastCheck {
	return engine.LastCheck{Started: started.Time(), Ended: ended.Time(), Succeeded: ended != 0 && message == "", Latest: latest}
}

// CheckStarted notes the beginning of a check.
func (l ledger) CheckStarted(ctx context.Context, target engine.CheckTarget, at time.Time) error {
	if target.Resource == "" {
		if target.ResourceType != "" && target.Build.PipelineID != 0 {
			if err := l.typeChecked(ctx, target.Build.PipelineID, target.ResourceType, target.Config); err != nil {
				return err
			}
		}
		return l.imageCheckStarted(ctx, target.Build.TeamID, target.Config, toMillis(at))
	}
	r, err := l.resourceByName(ctx, target.Build.PipelineID, target.Resource)
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return l.checkStarted(ctx, r.ID, toMillis(at), target.Build.ID)
}

// CheckEnded stores versions and requests scheduling.
func (l ledger) CheckEnded(ctx context.Context, target engine.CheckTarget, result engine.CheckResult) error {
	if target.Resource == "" {
		row := imageCheckRow{TeamID: target.Build.TeamID, Config: target.Config, EndedAt: toMillis(result.At), Error: result.Error}
		if n := len(result.Versions); n > 0 {
			row.Latest = encode(result.Versions[n-1])
		}
		return l.imageCheckEnded(ctx, row)
	}
	r, err := l.resourceByName(ctx, target.Build.PipelineID, target.Resource)
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return l.saveCheck(ctx, r, result)
}

// SaveOutput stores what a put created.
func (l ledger) SaveOutput(ctx context.Context, out engine.Output) error {
	return l.db.Tx(ctx, func(ctx context.Context) error {
		r, err := l.resourceByName(ctx, out.Build.PipelineID, out.Resource)
		if problem.Is(err, problem.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		s, err := l.saveVersions(ctx, r, []resource.Result{out.Result}, true)
		if err != nil {
			return err
		}
		if out.Build.Untrusted {
			if err := l.taint(ctx, r, s.IDs); err != nil {
				return err
			}
		}
		err = l.saveBuildVersion(ctx, buildVersionRow{BuildID: out.Build.ID, Direction: output, Name: out.Name, ResourceID: r.ID,
			VersionID: s.IDs[0], JobID: out.Build.JobID})
		if err != nil || !s.New {
			return err
		}
		return l.versionsChanged(ctx, r)
	})
}

// SaveMetadata stores what a get learned of its version. One that learned nothing
// leaves what the put said.
func (l ledger) SaveMetadata(ctx context.Context, build engine.Build, name string, result resource.Result) error {
	if len(result.Metadata) == 0 {
		return nil
	}
	r, err := l.resourceByName(ctx, build.PipelineID, name)
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	v, err := l.findVersion(ctx, r, result.Version)
	if err != nil || v.ID == 0 || v.Metadata == encode(metadata(result.Metadata)) {
		return err
	}
	return l.setMetadata(ctx, v.ID, result.Metadata)
}

// UseCache finds a fetched version and holds it for the build.
func (l ledger) UseCache(ctx context.Context, build int64, key engine.CacheKey) (cache engine.ResourceCache, found bool, err error) {
	err = l.db.Tx(ctx, func(ctx context.Context) error {
		cache, found, err = l.useCache(ctx, build, key)
		return err
	})
	return cache, found, err
}

// SaveCache makes a volume available to other builds.
func (l ledger) SaveCache(ctx context.Context, build int64, cache engine.ResourceCache) error {
	return l.db.Tx(ctx, func(ctx context.Context) error { return l.saveCache(ctx, build, cache) })
}

// ForgetCache drops a cache whose volume is gone.
func (l ledger) ForgetCache(ctx context.Context, key engine.CacheKey, volume runtime.VolumeID) error {
	return l.forgetCache(ctx, key, volume)
}

// ClaimTaskCache gives a task its cache.
func (l ledger) ClaimTaskCache(ctx context.Context, build int64, key engine.TaskCacheKey) (cache engine.TaskCache, found bool, err error) {
	err = l.db.Tx(ctx, func(ctx context.Context) error {
		cache, found, err = l.claimTaskCache(ctx, build, key)
		return err
	})
	return cache, found, err
}

// SaveTaskCache replaces a task's cache.
func (l ledger) SaveTaskCache(ctx context.Context, _ int64, key engine.TaskCacheKey, volume runtime.VolumeID, ttl time.Duration) error {
	return l.saveTaskCache(ctx, key, volume, ttl)
}

// Kept lists volumes that outlive their build.
func (l ledger) Kept(ctx context.Context, volumes []runtime.VolumeID) ([]runtime.VolumeID, error) {
	return l.keptVolumes(ctx, volumes)
}

// Artifact finds an uploaded artifact.
func (l ledger) Artifact(ctx context.Context, team, id int64) (runtime.VolumeID, bool, error) {
	row, err := l.artifact(ctx, team, id)
	if problem.Is(err, problem.NotFound) {
		return "", false, nil
	}
	return runtime.VolumeID(row.Volume), err == nil, err
}

// SaveArtifact offers a volume for download.
func (l ledger) SaveArtifact(ctx context.Context, build int64, name string, volume runtime.VolumeID) error {
	team, err := l.teamOfBuild(ctx, build)
	if err != nil {
		return err
	}
	return l.saveArtifact(ctx, &artifactRow{TeamID: team, BuildID: build, Name: name, Volume: string(volume), Node: l.self()})
}
