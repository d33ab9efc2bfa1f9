package ci

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// buildItem is a build in a list.
type buildItem struct {
	ID         int64      `json:"id"`
	Name       string     `json:"name"`
	Status     Status     `json:"status"`
	Pipeline   *ref       `json:"pipeline,omitempty"`
	Job        *ref       `json:"job,omitempty"`
	Resource   *ref       `json:"resource,omitempty"`
	Cause      string     `json:"cause"`
	CreatedBy  string     `json:"created_by,omitempty"`
	CreatedAt  time.Time  `json:"created_at"`
	StartedAt  *time.Time `json:"started_at,omitempty"`
	EndedAt    *time.Time `json:"ended_at,omitempty"`
	DurationMS int64      `json:"duration_ms,omitempty"`
	// ReapedAt is when the log was deleted; nil while there is one.
	ReapedAt *time.Time `json:"reaped_at,omitempty"`
}

func (n *names) item(ctx context.Context, b buildRow) (buildItem, error) {
	out := buildItem{ID: b.ID, Name: b.Name, Status: b.Status, Cause: b.Cause, CreatedBy: b.CreatedBy, CreatedAt: b.CreatedAt.Time(),
		StartedAt: b.StartedAt.pointer(), EndedAt: b.EndedAt.pointer(), DurationMS: b.duration(n.now()).Milliseconds(), ReapedAt: b.ReapedAt.pointer()}
	if !own(ctx, b.TeamID) {
		out.Cause, out.CreatedBy = "", ""
	}
	p, err := n.pipelineRow(ctx, b.PipelineID)
	if err != nil {
		return out, err
	}
	job, err := n.jobName(ctx, b.JobID)
	if err != nil {
		return out, err
	}
	r, err := n.resourceName(ctx, b.ResourceID)
	out.Pipeline, out.Job, out.Resource = refTo(b.PipelineID, p.Name), refTo(b.JobID, job), refTo(b.ResourceID, r)
	return out, err
}

type usedShape struct {
	Name       string           `json:"name"`
	Resource   string           `json:"resource"`
	ResourceID int64            `json:"resource_id"`
	Type       string           `json:"type"`
	Version    resource.Version `json:"version"`
	Metadata   []resource.Field `json:"metadata"`
	First      bool             `json:"first"`
}

// buildShape is a build on its own page.
type buildShape struct {
	buildItem
	Team       string         `json:"team"`
	Comment    string         `json:"comment,omitempty"`
	RerunOf    *ref           `json:"rerun_of,omitempty"`
	MedianMS   int64          `json:"median_ms,omitempty"`
	Inputs     []usedShape    `json:"inputs"`
	Outputs    []usedShape    `json:"outputs"`
	Steps      []*step        `json:"steps"`
	Waiting    []string       `json:"waiting"`
	Failure    *failure       `json:"failure,omitempty"`
	PreviousID int64          `json:"previous_id,omitempty"`
	NextID     int64          `json:"next_id,omitempty"`
	Recent     []buildSummary `json:"recent"`
	// RunInputs are the values of the job's typed inputs; Inputs are versions.
	RunInputs    []runInputShape `json:"run_inputs"`
	SupersededBy *int64          `json:"superseded_by"`
	// Reports and SBOM say that there are test cases and components.
	Reports bool `json:"reports"`
	SBOM    bool `json:"sbom"`
	// Artifacts counts the files that can be downloaded.
	Artifacts int64 `json:"artifacts"`
}

func (s *Service) shapeBuild(ctx context.Context, b buildRow) (buildShape, error) {
	n := s.names()
	item, err := n.item(ctx, b)
	if err != nil {
		return buildShape{}, err
	}
	out := buildShape{buildItem: item, Comment: b.Comment, Inputs: []usedShape{}, Outputs: []usedShape{}, Waiting: []string{}, Recent: []buildSummary{}}
	for _, fill := range []func(context.Context, buildRow, *buildShape) error{s.addTeam, s.addVersions, s.addSteps, s.addWaiting, s.addFamily, s.addRunInputs, s.addArtifacts, s.addOutcome} {
		if err := fill(ctx, b, &out); err != nil {
			return out, err
		}
	}
	if out.Failure, err = s.failureOf(ctx, b); err != nil || own(ctx, b.TeamID) {
		return out, err
	}
	out.Comment = ""
	public, err := s.publicJob(ctx, b)
	if !public {
		out.Steps, out.Failure, out.Waiting = []*step{}, nil, []string{}
		out.Reports, out.SBOM = false, false
	}
	return out, err
}

// addOutcome says what there is besides the log.
func (s *Service) addOutcome(ctx context.Context, b buildRow, out *buildShape) (err error) {
	out.Reports, out.SBOM, err = s.outcome(ctx, b.ID)
	return err
}

func (s *Service) addTeam(ctx context.Context, b buildRow, out *buildShape) (err error) {
	out.Team, err = s.teamName(ctx, b.TeamID)
	return err
}

func (s *Service) addVersions(ctx context.Context, b buildRow, out *buildShape) error {
	used, err := s.buildVersions(ctx, b.ID)
	if err != nil {
		return err
	}
	config := pipeline.Config{}
	if b.PipelineID != 0 {
		if _, config, err = s.pipelineConfig(ctx, b.PipelineID); err != nil {
			return err
		}
	}
	for _, u := range used {
		v := versionRow{Version: u.Version, Metadata: u.Metadata}
		metadata := visibleMetadata(ctx, b.TeamID, config, u.ResourceName, v.metadata())
		shown := usedShape{u.Name, u.ResourceName, u.ResourceID, u.Type, v.fields(), metadata, u.First}
		if u.Direction == input {
			out.Inputs = append(out.Inputs, shown)
		} else {
			out.Outputs = append(out.Outputs, shown)
		}
	}
	return nil
}

func (s *Service) addSteps(ctx context.Context, b buildRow, out *buildShape) error {
	rows, err := s.steps(ctx, b.ID)
	if err != nil {
		return err
	}
	p, err := decode[plan.Plan](b.Plan)
	if err != nil {
		return err
	}
	return s.withLog(b.ID, func(l *buildlog.Log) error {
		out.Steps = stepTree(p, rows, l.Sections(), b.Status.Ended())
		return nil
	})
}

func (s *Service) addWaiting(ctx context.Context, b buildRow, out *buildShape) error {
	waits, err := s.prepare(ctx, b)
	out.Waiting = waits.sentences()
	gone, awayErr := s.waitsForHome(ctx, b)
	if gone != "" {
		out.Waiting = append(out.Waiting, gone)
	}
	if reason := s.waitsForWorker(b.ID); reason != "" {
		out.Waiting = append(out.Waiting, reason)
	}
	return errors.Join(err, awayErr)
}

// addFamily fills in the other builds of the job.
func (s *Service) addFamily(ctx context.Context, b buildRow, out *buildShape) error {
	if b.JobID == 0 {
		return nil
	}
	previous, next, err := s.neighbours(ctx, b.JobID, b.ID)
	if err != nil {
		return err
	}
	out.PreviousID, out.NextID = previous, next
	sample, err := s.medianSample(ctx, b.JobID)
	if err != nil {
		return err
	}
	out.MedianMS = median(sample)
	recent, err := s.lastBuilds(ctx, []int64{b.JobID}, stripBuilds)
	if err != nil {
		return err
	}
	out.Recent = s.strip(recent[b.JobID], map[int64]string{b.JobID: out.Job.Name})
	if b.RerunOf == 0 {
		return nil
	}
	original, err := s.build(ctx, b.RerunOf)
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	out.RerunOf = refTo(original.ID, original.Name)
	return err
}

// median is 0 for an empty sample.
func median(sample []int64) int64 {
	if len(sample) == 0 {
		return 0
	}
	slices.Sort(sample)
	return sample[len(sample)/2]
}
