package ci

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// errComparison is in Concourse's words, which scripts around fly look for.
var errComparison = errors.New("comparison with existing config failed during save")

// anyVersion lets setPipeline replace whatever is there.
const anyVersion = -1

// setRequest is a pipeline to be saved; its configuration has been validated.
type setRequest struct {
	Team         int64
	Name         string
	InstanceVars pipeline.InstanceVars
	Config       pipeline.Config
	Source       []byte
	// From is the version that was edited, 0 for a new pipeline, or anyVersion.
	From int64
	By   string
	// Parent is the build whose set_pipeline step asks.
	Parent engine.Build
	// Running leaves a new pipeline unpaused.
	Running bool
	// Self is set by a step that sets its own pipeline, which keeps its parent.
	Self bool
}

type setResult struct {
	Pipeline pipelineRow
	Created  bool
}

// setPipeline saves a configuration with its jobs and resources in one transaction.
func (s *Service) setPipeline(ctx context.Context, req setRequest) (setResult, error) {
	var out setResult
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		row, created, err := s.savePipelineRow(ctx, req)
		if err != nil {
			return err
		}
		out = setResult{row, created}
		if err := s.saveJobs(ctx, row, req.Config); err != nil {
			return err
		}
		if err := s.saveResources(ctx, row, req.Config); err != nil {
			return err
		}
		action := "pipeline.change"
		if created {
			action = "pipeline.create"
		}
		if err := s.audit(ctx, row.TeamID, action, row.label(), fmt.Sprintf("version %d", row.Version)); err != nil {
			return err
		}
		s.changed(ctx, row.TeamID, topicPipeline, row.ID)
		if err := s.archiveAbandoned(ctx); err != nil {
			return err
		}
		return s.scheduleAll(ctx, row)
	})
	return out, err
}

func (s *Service) savePipelineRow(ctx context.Context, req setRequest) (row pipelineRow, created bool, err error) {
	config := encode(req.Config)
	row, err = s.pipelineByName(ctx, req.Team, req.Name, canonicalVars(req.InstanceVars))
	if problem.Is(err, problem.NotFound) {
		if req.From > 0 {
			return row, false, errComparison
		}
		row = pipelineRow{TeamID: req.Team, Name: req.Name, InstanceVars: canonicalVars(req.InstanceVars), Config: config, Source: string(req.Source),
			Paused: !req.Running, UpdatedBy: req.By, ParentJobID: req.Parent.JobID, ParentBuildID: req.Parent.ID}
		return row, true, s.insertPipeline(ctx, &row)
	}
	if err != nil {
		return row, false, err
	}
	if err := s.lockPipeline(ctx, row.ID); err != nil {
		return row, false, err
	}
	if req.From != anyVersion && req.From != row.Version {
		return row, false, errComparison
	}
	if row.ParentBuildID > req.Parent.ID && req.Parent.ID != 0 && row.ParentJobID == req.Parent.JobID {
		return row, false, problem.New(problem.Conflict, "The pipeline was saved by a newer build.")
	}
	from := row.Version
	row.Config, row.Source, row.UpdatedBy = config, string(req.Source), req.By
	row.ParentJobID, row.ParentBuildID = req.keepParent(row)
	if row.Archived {
		row.Archived, row.Paused = false, !req.Running
	}
	ok, err := s.updatePipeline(ctx, row, from)
	if err == nil && !ok {
		err = errComparison
	}
	row.Version, row.UpdatedAt = from+1, toMillis(s.now())
	return row, false, err
}

// saveJobs brings the rows in line: what is gone becomes inactive, what comes
// back is active again with its history, and old_name moves a row.
func (s *Service) saveJobs(ctx context.Context, p pipelineRow, config pipeline.Config) error {
	rows, err := s.allJobs(ctx, p.ID)
	if err != nil {
		return err
	}
	byName := map[string]jobRow{}
	for _, r := range rows {
		byName[r.Name] = r
	}
	kept := map[int64]bool{}
	for i, job := range config.Jobs {
		row, ok := byName[job.Name]
		if old, renamed := byName[job.OldName]; !ok && renamed && !kept[old.ID] {
			row, ok = old, true
		}
		if !ok {
			if err := s.insertJob(ctx, &jobRow{TeamID: p.TeamID, PipelineID: p.ID, Name: job.Name, Active: true, Ordering: int64(i)}); err != nil {
				return err
			}
			continue
		}
		kept[row.ID] = true
		if row.Name == job.Name && row.Active && row.Ordering == int64(i) {
			continue
		}
		row.Name, row.Active, row.Ordering = job.Name, true, int64(i)
		if err := s.placeJob(ctx, row); err != nil {
			return err
		}
	}
	for _, row := range rows {
		if row.Active && !kept[row.ID] {
			row.Active = false
			if err := s.placeJob(ctx, row); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) saveResources(ctx context.Context, p pipelineRow, config pipeline.Config) error {
	rows, err := s.allResources(ctx, p.ID)
	if err != nil {
		return err
	}
	byName := map[string]resourceRow{}
	for _, r := range rows {
		byName[r.Name] = r
	}
	kept := map[int64]bool{}
	for _, r := range config.Resources {
		row, ok := byName[r.Name]
		if old, renamed := byName[r.OldName]; !ok && renamed && !kept[old.ID] {
			row, ok = old, true
		}
		kept[row.ID] = true
		next := s.describeResource(row, r, config)
		next.TeamID, next.PipelineID = p.TeamID, p.ID
		switch {
		case !ok:
			err = s.insertResource(ctx, &next)
		case next != row:
			err = s.configureResource(ctx, next)
		}
		if err != nil {
			return err
		}
	}
	for _, row := range rows {
		if row.Active && !kept[row.ID] {
			row.Active, row.NextCheckAt = false, 0
			if err := s.configureResource(ctx, row); err != nil {
				return err
			}
		}
	}
	s.checker.wakeAfter(ctx)
	return nil
}

// describeResource is the row as the configuration wants it. Another type or
// source is another scope: the versions known so far are not of it, and what a
// check said about the former does not count.
func (s *Service) describeResource(row resourceRow, r pipeline.Resource, config pipeline.Config) resourceRow {
	scope := scopeOf(r, config)
	if row.Scope != scope {
		row.CheckStartedAt, row.CheckEndedAt, row.CheckError, row.NextCheckAt = 0, 0, "", 0
	}
	gets, triggers := facts{config}.polling(r.Name)
	row.Name, row.Type, row.Active, row.Scope, row.Repository, row.Triggers = r.Name, r.Type, true, scope, repositoryOf(r), triggers
	row.CheckEvery = s.checkEvery(r)
	switch {
	case row.CheckEvery == 0 || !gets:
		row.NextCheckAt = 0
	case row.NextCheckAt == 0 && (triggers || row.CheckEndedAt == 0 || row.CheckError != ""):
		row.NextCheckAt = toMillis(s.now())
	}
	return row
}

// checkEvery is in milliseconds; 0 means never.
func (s *Service) checkEvery(r pipeline.Resource) int64 {
	switch {
	case r.CheckEvery == nil || !r.CheckEvery.Never && r.CheckEvery.Interval == 0:
		return s.deps.CheckEvery.Milliseconds()
	case r.CheckEvery.Never:
		return 0
	}
	return max(r.CheckEvery.Interval, time.Second).Milliseconds()
}

// scopeOf identifies what versions are versions of: the type, the source, and
// how custom types are made.
func scopeOf(r pipeline.Resource, config pipeline.Config) string {
	chain, base := config.TypeChain(r.Type)
	parts := []any{base, r.Source}
	for _, t := range chain {
		parts = append(parts, t.Type, t.Source, t.Defaults)
	}
	sum := sha256.Sum256([]byte(encode(parts)))
	return hex.EncodeToString(sum[:])
}

// validate reads and checks a configuration. The texts are what fly prints.
func validate(source []byte) (config pipeline.Config, messages []string, warnings []pipeline.Warning) {
	config, err := pipeline.Parse(source)
	if err != nil {
		return config, []string{"malformed config: " + err.Error()}, nil
	}
	messages, warnings = pipeline.Validate(config)
	return config, messages, warnings
}

// SetPipelineStep saves a pipeline for a set_pipeline step of a build.
func (s *Service) SetPipelineStep(ctx context.Context, req engine.SetPipelineRequest) (engine.SetPipelineResult, error) {
	team, err := s.stepTeam(ctx, req)
	if err != nil {
		return engine.SetPipelineResult{}, err
	}
	source, err := interpolateSource(ctx, req.Config, req.Vars)
	if err != nil {
		return engine.SetPipelineResult{Invalid: []string{err.Error()}}, nil
	}
	config, messages, warnings := validate(source)
	out := engine.SetPipelineResult{Invalid: messages}
	for _, w := range warnings {
		out.Warnings = append(out.Warnings, w.Message)
	}
	if len(messages) > 0 {
		return out, nil
	}
	name, instance, parent := req.Name, req.InstanceVars, req.Build
	self := name == "self"
	if self {
		name, instance, parent = req.Build.PipelineName, req.Build.InstanceVars, engine.Build{}
	}
	existing, err := s.pipelineByName(ctx, team, name, canonicalVars(instance))
	if err != nil && !problem.Is(err, problem.NotFound) {
		return out, err
	}
	if err == nil && existing.Config == encode(config) && !existing.Archived {
		out.Output = "no changes to apply."
		if parent.JobID == 0 {
			return out, nil
		}
		newest, err := s.adopt(ctx, existing.ID, parent.JobID, parent.ID)
		if err == nil && !newest {
			out.Invalid = append(out.Invalid, "The pipeline was saved by a newer build")
		}
		return out, err
	}
	out.Changed = true
	_, err = s.setPipeline(ctx, setRequest{Team: team, Name: name, InstanceVars: instance, Config: config, Source: source, From: anyVersion,
		By: fmt.Sprintf("build %d", req.Build.ID), Parent: parent, Running: true, Self: self})
	if p := (*problem.Error)(nil); errors.As(err, &p) && p.Kind == problem.Conflict {
		out.Invalid = append(out.Invalid, strings.TrimSuffix(p.Detail, "."))
		return out, nil
	}
	out.Output = "setting pipeline: " + name + "\ndone"
	return out, err
}

// stepTeam is the team that the step means. Only team main may name another.
func (s *Service) stepTeam(ctx context.Context, req engine.SetPipelineRequest) (int64, error) {
	if req.Team == "" || req.Team == req.Build.TeamName {
		return req.Build.TeamID, nil
	}
	if req.Build.TeamName != "main" {
		return 0, problem.New(problem.Forbidden, "only main team can set another team's pipeline")
	}
	return s.deps.TeamID(ctx, req.Team)
}

// callerName is who is asking, for rows and sentences.
func callerName(ctx context.Context) string {
	if c := identity.From(ctx); c.SignedIn() {
		return c.Name
	}
	return ""
}
