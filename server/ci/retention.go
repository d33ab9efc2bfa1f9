package ci

import (
	"context"
	"errors"
	"time"

	"github.com/signalbox/signalbox/server/ci/pipeline"
)

// ReapLogs deletes the logs that a job's build_log_retention does not keep. The
// builds stay, with when their log went. What is paused is left alone, as in
// Concourse: somebody may be looking into it.
func (s *Service) ReapLogs(ctx context.Context) error {
	pipelines, err := s.runningPipelines(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range pipelines {
		config, err := s.configs.of(p)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, declared := range config.Jobs {
			if keep := retentionOf(declared); keep.Builds > 0 || keep.Days > 0 {
				errs = append(errs, s.reapJob(ctx, p, declared.Name, keep))
			}
		}
	}
	return errors.Join(errs...)
}

func (s *Service) reapJob(ctx context.Context, p pipelineRow, name string, keep pipeline.BuildLogRetention) error {
	j, err := s.jobByName(ctx, p.ID, name)
	if err != nil || j.Paused {
		return err
	}
	logged, err := s.loggedBuilds(ctx, j.ID)
	if err != nil {
		return err
	}
	for _, b := range reapable(logged, keep, s.now()) {
		if s.away(b.Node) {
			continue // its server deletes it
		}
		// The file first: after a crash in between it is looked for once more.
		if err := s.deps.Logs.Remove(b.ID); err != nil {
			return err
		}
		if err := s.markReaped(ctx, b.ID); err != nil {
			return err
		}
		s.changed(ctx, b.TeamID, topicBuild, b.ID)
	}
	return nil
}

// retentionOf is what the job says, in either way of saying it.
func retentionOf(j pipeline.Job) pipeline.BuildLogRetention {
	if j.BuildLogRetention != nil {
		return *j.BuildLogRetention
	}
	return pipeline.BuildLogRetention{Builds: j.BuildLogsToRetain}
}

// reapable picks those of the ended builds, given newest first, whose logs go.
// A log is kept that is among the last `builds` or younger than `days`. Of the
// kept ones `minimum_succeeded_builds` are of builds that succeeded, however old;
// for them the oldest others make room.
func reapable(builds []buildRow, keep pipeline.BuildLogRetention, now time.Time) []buildRow {
	var gone, others []buildRow
	kept, succeeded := 0, 0
	expired := func(b buildRow) bool {
		return keep.Days == 0 || b.EndedAt.Time().AddDate(0, 0, keep.Days).Before(now)
	}
	for _, b := range builds {
		switch {
		case keep.Builds > 0 && b.Status == Succeeded && succeeded < keep.MinimumSucceededBuilds:
			kept++
			succeeded++
		case kept >= keep.Builds && expired(b):
			gone = append(gone, b)
		default:
			kept++
			others = append(others, b)
		}
	}
	for i := len(others) - 1; i >= 0 && keep.Builds > 0 && kept > keep.Builds; i-- {
		if expired(others[i]) {
			gone = append(gone, others[i])
			kept--
		}
	}
	return gone
}

// reapedSentence is what is shown where a log was.
func reapedSentence(b buildRow) string {
	return "The log was reaped on " + b.ReapedAt.Time().Format("2 January 2006 at 15:04 MST") + ", as the job's build_log_retention says."
}
