package ci

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/signalbox/signalbox/server/ci/algorithm"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

// trigger makes a build of the job because somebody asked, with values for the typed
// inputs of the job. The resources are checked first; until then, and while the
// pipeline is paused, it waits.
func (s *Service) trigger(ctx context.Context, job jobRow, given map[string]any) (buildRow, error) {
	p, config, err := s.pipelineConfig(ctx, job.PipelineID)
	if err != nil {
		return buildRow{}, err
	}
	if err := refuseArchived(p); err != nil {
		return buildRow{}, err
	}
	declared, ok := config.Job(job.Name)
	if !ok {
		return buildRow{}, problem.New(problem.NotFound, "The pipeline has no job %s any more.", job.Name)
	}
	if declared.DisableManualTrigger {
		return buildRow{}, problem.New(problem.Conflict, "job '%s' has disabled manual triggering", job.Name)
	}
	extension := config.JobExtension(job.Name)
	values, err := fillInputs(extension, given)
	if err != nil {
		return buildRow{}, err
	}
	by := callerName(ctx)
	b := buildRow{TeamID: job.TeamID, PipelineID: p.ID, JobID: job.ID, Manual: true, CreatedBy: by, Cause: "Started by " + orSomebody(by)}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		// Scheduler, checks and this touch rows of jobs and resources in orders of their own.
		if err := s.lockPipeline(ctx, p.ID); err != nil {
			return err
		}
		if err := s.createBuild(ctx, &b); err != nil {
			return err
		}
		if err := s.keepInputs(ctx, b.ID, extension, values); err != nil {
			return err
		}
		if err := s.refreshJob(ctx, job.ID); err != nil {
			return err
		}
		if err := s.audit(ctx, job.TeamID, "build.start", p.label()+"/"+job.Name+" #"+b.Name, ""); err != nil {
			return err
		}
		if err := s.checkInputs(ctx, job, b); err != nil {
			return err
		}
		s.buildChanged(ctx, b)
		return s.schedule(ctx, p.ID, []string{job.Name})
	})
	return b, err
}

// checkInputs has the resources checked that the build waits for.
func (s *Service) checkInputs(ctx context.Context, job jobRow, b buildRow) error {
	v, err := s.look(ctx, job.PipelineID)
	if err != nil {
		return err
	}
	declared, _ := v.config.Job(job.Name)
	inputs, err := s.inputs(ctx, v, declared)
	if err != nil {
		return err
	}
	names, err := s.uncheckedInputs(ctx, v, b, inputs)
	if err != nil || len(names) == 0 {
		return err
	}
	ids := make([]int64, len(names))
	for i, name := range names {
		ids[i] = v.resources[name].ID
	}
	return s.askForCheck(ctx, ids, "")
}

func orSomebody(name string) string {
	if name == "" {
		return "somebody"
	}
	return name
}

// causeOf says in words why a build was made: the first triggering input that is new.
func (s *Service) causeOf(ctx context.Context, v view, inputs []algorithm.Input, result algorithm.Resolution) string {
	for _, in := range inputs {
		choice := result.Inputs[in.Name]
		if !in.Trigger || !choice.First {
			continue
		}
		words := in.Name
		if found, err := s.version(ctx, choice.Version); err == nil {
			words += " " + shortVersion(found.fields())
		}
		if len(in.Passed) > 0 {
			var names []string
			for _, j := range v.jobs {
				if slices.Contains(in.Passed, j.ID) {
					names = append(names, j.Name)
				}
			}
			return fmt.Sprintf("%s passed %s", words, joinWords(names))
		}
		return "New version of " + words
	}
	return "New version"
}

func joinWords(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	out := names[0]
	for _, n := range names[1 : len(names)-1] {
		out += ", " + n
	}
	return out + " and " + names[len(names)-1]
}

// shortVersion is what people say for a version: a short commit, or its only value.
func shortVersion(v map[string]string) string {
	if ref := v["ref"]; len(ref) >= 40 {
		return ref[:7]
	}
	if len(v) == 1 {
		for _, value := range v {
			return value
		}
	}
	return algorithm.Label(v)
}

// rerun makes a build with the same inputs as another.
func (s *Service) rerun(ctx context.Context, of buildRow) (buildRow, error) {
	return s.rerunFor(ctx, of, callerName(ctx))
}

// rerunFor is rerun for somebody who may not be a user of ours.
func (s *Service) rerunFor(ctx context.Context, of buildRow, by string) (buildRow, error) {
	if of.JobID == 0 {
		return buildRow{}, problem.New(problem.Invalid, "Only builds of jobs can be run again.")
	}
	job, err := s.job(ctx, of.JobID)
	if err != nil {
		return buildRow{}, err
	}
	p, config, err := s.pipelineConfig(ctx, job.PipelineID)
	if err != nil {
		return buildRow{}, err
	}
	if err := refuseArchived(p); err != nil {
		return buildRow{}, err
	}
	if declared, _ := config.Job(job.Name); declared.DisableReruns {
		return buildRow{}, problem.New(problem.Conflict, "job '%s' has disabled reruns", job.Name)
	}
	if !of.InputsReady {
		return buildRow{}, problem.New(problem.Invalid, "Build #%s never got its inputs, so it cannot be run again. Start a new one.", of.Name)
	}
	b := buildRow{TeamID: job.TeamID, PipelineID: p.ID, JobID: job.ID, Manual: true, CreatedBy: by, Original: of.Original, RerunOf: of.Original,
		InputsReady: true}
	err = s.db.Tx(ctx, func(ctx context.Context) error { return s.createRerun(ctx, p, job, of, &b) })
	return b, err
}

func (s *Service) createRerun(ctx context.Context, p pipelineRow, job jobRow, of buildRow, b *buildRow) error {
	original, err := s.build(ctx, of.Original)
	if err != nil {
		return err
	}
	n, err := s.rerunCount(ctx, of.Original)
	if err != nil {
		return err
	}
	b.RerunNumber = n + 1
	b.Name = fmt.Sprintf("%s.%d", original.Name, b.RerunNumber)
	b.Cause = fmt.Sprintf("Build #%s again, by %s", of.Name, orSomebody(b.CreatedBy))
	if err := s.createBuild(ctx, b); err != nil {
		return err
	}
	if err := s.copyInputs(ctx, of.ID, b.ID); err != nil {
		return err
	}
	if err := s.copyRunInputs(ctx, of.ID, b.ID); err != nil {
		return err
	}
	if err := s.refreshJob(ctx, job.ID); err != nil {
		return err
	}
	if err := s.audit(ctx, job.TeamID, "build.rerun", p.label()+"/"+job.Name+" #"+b.Name, ""); err != nil {
		return err
	}
	s.buildChanged(ctx, *b)
	return s.schedule(ctx, p.ID, []string{job.Name})
}
