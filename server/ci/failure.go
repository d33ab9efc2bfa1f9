package ci

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/event"
)

const (
	// lastLines is how much of a failed step's log is quoted.
	lastLines = 20
	// comparedBuilds is how many earlier builds are looked at for the same failure.
	comparedBuilds = 10
)

// failure says where and how a build failed.
type failure struct {
	Step       string   `json:"step"`
	Name       string   `json:"name"`
	Message    string   `json:"message,omitempty"`
	ExitStatus *int     `json:"exit_status,omitempty"`
	Line       int64    `json:"line,omitempty"`
	LastLines  []string `json:"last_lines"`
	SameInLast int      `json:"same_in_last"`
	Compared   int      `json:"compared"`
}

// failureOf is nil for builds that did not fail.
func (s *Service) failureOf(ctx context.Context, b buildRow) (*failure, error) {
	if b.Status != Failed && b.Status != Errored {
		return nil, nil
	}
	steps, err := s.failedSteps(ctx, []int64{b.ID})
	if err != nil {
		return nil, err
	}
	step, ok := steps[b.ID]
	if !ok {
		return &failure{Message: orText(b.Message, s.lastError(b.ID)), LastLines: []string{}}, nil
	}
	out := &failure{Step: step.PlanID, Name: step.Name, Message: step.Message, ExitStatus: step.ExitStatus, LastLines: []string{}}
	if err := s.quote(b.ID, step.PlanID, out); err != nil {
		return nil, err
	}
	if b.JobID == 0 {
		return out, nil
	}
	earlier, err := s.builds(ctx, buildFilter{Job: b.JobID, Below: b.ID, Limit: comparedBuilds})
	if err != nil {
		return nil, err
	}
	ids := []int64{0}
	for _, e := range earlier {
		ids = append(ids, e.ID)
	}
	others, err := s.failedSteps(ctx, ids)
	for _, o := range others {
		if o.Name == step.Name && o.Kind == step.Kind {
			out.SameInLast++
		}
	}
	out.Compared = len(earlier)
	return out, err
}

func orText(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// quote fills in the end of the step's log.
func (s *Service) quote(build int64, step string, out *failure) error {
	return s.withLog(build, func(l *buildlog.Log) error {
		lines, err := l.SectionTail(step, lastLines)
		for _, line := range lines {
			out.LastLines = append(out.LastLines, line.Text)
			out.Line = line.N
		}
		return err
	})
}

func (s *Service) withLog(build int64, use func(*buildlog.Log) error) error {
	l, err := s.deps.Logs.Open(build)
	if err != nil {
		return err
	}
	return errors.Join(use(l), l.Close())
}

// lastError is the last error event of a build, "" when it has none.
func (s *Service) lastError(build int64) string {
	message := ""
	err := s.withLog(build, func(l *buildlog.Log) error {
		events, err := l.Events(max(l.Stats().Events-50, 0), 50)
		for _, e := range events {
			var said event.Error
			if e.Kind == string(event.NameError) && json.Unmarshal(e.Data, &said) == nil {
				message = said.Message
			}
		}
		return err
	})
	if err != nil {
		return "The log cannot be read: " + err.Error()
	}
	return message
}

// tellFinished tells the hook of a job's ended build, in the transaction that ends it.
func (s *Service) tellFinished(ctx context.Context, b buildRow, status Status) error {
	if s.deps.OnBuildFinished == nil {
		return nil
	}
	described, err := s.describeOwner(ctx, b.TeamID, b.PipelineID)
	if err != nil {
		return err
	}
	job, err := s.job(ctx, b.JobID)
	if err != nil {
		return err
	}
	b.Status = status
	told := BuildFinished{Team: b.TeamID, Build: b.ID, Name: b.Name, Pipeline: described.PipelineName, Job: job.Name, Status: status,
		URL: s.buildPage(described.TeamName, described.PipelineName, described.InstanceVars, job.Name, b.Name)}
	if told.Previous, err = s.previousResult(ctx, b); err != nil {
		return err
	}
	if told.Commits, err = s.builtCommits(ctx, b); err != nil {
		return err
	}
	f, err := s.failureOf(ctx, b)
	switch {
	case err != nil: // an unreadable log must not keep a build from ending
		s.deps.Log.WarnContext(ctx, "quoting the log of a failed build failed", "build", b.ID, "error", err)
	case f != nil:
		told.Step, told.Message, told.LastLines = f.Name, f.Message, f.LastLines
	}
	return s.deps.OnBuildFinished(ctx, told)
}

// previousResult is how the newest earlier build of the job ended that was not
// aborted; "" when there is none among the last few.
func (s *Service) previousResult(ctx context.Context, b buildRow) (Status, error) {
	earlier, err := s.builds(ctx, buildFilter{Job: b.JobID, Below: b.ID, Limit: comparedBuilds})
	for _, e := range earlier {
		if e.Status.Ended() && e.Status != Aborted {
			return e.Status, err
		}
	}
	return "", err
}

var outcomeOf = map[engine.Outcome]Status{engine.Succeeded: Succeeded, engine.Failed: Failed, engine.Errored: Errored, engine.Aborted: Aborted}
