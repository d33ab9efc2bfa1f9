package ci

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/resource"
)

// stripBuilds is how many builds a run strip shows.
const stripBuilds = 20

// The shapes of our own API; openapi.yaml describes them.

type ref struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

func refTo(id int64, name string) *ref {
	if id == 0 {
		return nil
	}
	return &ref{id, name}
}

type buildSummary struct {
	ID         int64      `json:"id"`
	Job        string     `json:"job"`
	JobID      int64      `json:"job_id"`
	Name       string     `json:"name"`
	Status     Status     `json:"status"`
	CreatedAt  time.Time  `json:"created_at"`
	StartedAt  *time.Time `json:"started_at,omitempty"`
	EndedAt    *time.Time `json:"ended_at,omitempty"`
	DurationMS int64      `json:"duration_ms,omitempty"`
}

func (s *Service) summary(b buildRow, job string) buildSummary {
	return buildSummary{ID: b.ID, Job: job, JobID: b.JobID, Name: b.Name, Status: b.Status, CreatedAt: b.CreatedAt.Time(), StartedAt: b.StartedAt.pointer(),
		EndedAt: b.EndedAt.pointer(), DurationMS: b.duration(s.now()).Milliseconds()}
}

// strip is a list of builds, oldest first, from rows that are newest first.
func (s *Service) strip(rows []buildRow, jobs map[int64]string) []buildSummary {
	out := make([]buildSummary, 0, len(rows))
	for i := len(rows) - 1; i >= 0; i-- {
		out = append(out, s.summary(rows[i], jobs[rows[i].JobID]))
	}
	return out
}

type groupShape struct {
	Name string   `json:"name"`
	Jobs []string `json:"jobs"`
}

func groupsOf(config pipeline.Config) []groupShape {
	out := []groupShape{}
	for _, g := range config.Groups {
		shown := groupShape{Name: g.Name, Jobs: []string{}}
		for _, pattern := range g.Jobs {
			for _, name := range config.JobsMatching(pattern) {
				if !containsText(shown.Jobs, name) {
					shown.Jobs = append(shown.Jobs, name)
				}
			}
		}
		out = append(out, shown)
	}
	return out
}

type changeShape struct {
	SHA     string    `json:"sha,omitempty"`
	Message string    `json:"message,omitempty"`
	At      time.Time `json:"at"`
	By      string    `json:"by"`
}

type pipelineShape struct {
	ID           int64                 `json:"id"`
	Name         string                `json:"name"`
	Team         string                `json:"team"`
	InstanceVars pipeline.InstanceVars `json:"instance_vars,omitempty"`
	Paused       bool                  `json:"paused"`
	PausedBy     string                `json:"paused_by,omitempty"`
	Public       bool                  `json:"public"`
	Archived     bool                  `json:"archived"`
	Groups       []groupShape          `json:"groups"`
	Status       Status                `json:"status"`
	Running      int                   `json:"running"`
	LastBuilds   []buildSummary        `json:"last_builds"`
	LastChange   *changeShape          `json:"last_change,omitempty"`
	UpdatedAt    time.Time             `json:"updated_at"`
	Version      int64                 `json:"version"`
}

// shapePipelines shows pipelines with their last builds, in a fixed number of queries.
func (s *Service) shapePipelines(ctx context.Context, rows []pipelineRow) ([]pipelineShape, error) {
	ids := []int64{0}
	for _, p := range rows {
		ids = append(ids, p.ID)
	}
	jobs, err := s.jobs(ctx, ids...)
	if err != nil {
		return nil, err
	}
	builds, err := s.lastBuildsOfPipelines(ctx, ids, stripBuilds)
	if err != nil {
		return nil, err
	}
	ends, err := s.jobEnds(ctx, ids)
	if err != nil {
		return nil, err
	}
	changes, err := s.lastChanges(ctx, ids)
	if err != nil {
		return nil, err
	}
	names := map[int64]string{}
	for _, j := range jobs {
		names[j.ID] = j.Name
	}
	teams := s.names()
	out := make([]pipelineShape, 0, len(rows))
	for _, p := range rows {
		shown, err := s.shapePipeline(ctx, teams, p)
		if err != nil {
			return nil, err
		}
		shown.Status, shown.Running = ends[p.ID].worst(), ends[p.ID].running
		shown.LastBuilds = s.strip(builds[p.ID], names)
		if change, ok := changes[p.ID]; ok && own(ctx, p.TeamID) {
			shown.LastChange = change.shape()
		}
		out = append(out, shown)
	}
	return out, nil
}

func (s *Service) shapePipeline(ctx context.Context, teams *names, p pipelineRow) (pipelineShape, error) {
	config, err := s.configs.of(p)
	if err != nil {
		return pipelineShape{}, err
	}
	team, err := teams.team(ctx, p.TeamID)
	if !own(ctx, p.TeamID) {
		p.PausedBy = ""
	}
	return pipelineShape{ID: p.ID, Name: p.Name, Team: team, InstanceVars: p.instanceVars(), Paused: p.Paused, PausedBy: p.PausedBy, Public: p.Public,
		Archived: p.Archived, Groups: groupsOf(config), UpdatedAt: p.UpdatedAt.Time(), Version: p.Version}, err
}

// jobEnds is how a pipeline's jobs stand.
type jobEnds struct {
	statuses []Status
	running  int
}

// worst is what the latest ended builds need attention for; pending when none has ended.
func (e jobEnds) worst() Status {
	worst := Status("")
	for _, status := range e.statuses {
		worst = worse(worst, status)
	}
	if worst == "" {
		return Pending
	}
	return worst
}

type graphInput struct {
	Name     string   `json:"name"`
	Resource string   `json:"resource"`
	Passed   []string `json:"passed"`
	Trigger  bool     `json:"trigger"`
}

type graphOutput struct {
	Name     string `json:"name"`
	Resource string `json:"resource"`
}

type jobShape struct {
	ID                   int64          `json:"id"`
	Name                 string         `json:"name"`
	Pipeline             ref            `json:"pipeline"`
	Paused               bool           `json:"paused"`
	PausedBy             string         `json:"paused_by,omitempty"`
	Groups               []string       `json:"groups"`
	Inputs               []graphInput   `json:"inputs"`
	Outputs              []graphOutput  `json:"outputs"`
	LatestBuild          *buildSummary  `json:"latest_build,omitempty"`
	NextBuild            *buildSummary  `json:"next_build,omitempty"`
	LastBuilds           []buildSummary `json:"last_builds"`
	HasNewInputs         bool           `json:"has_new_inputs"`
	DisableManualTrigger bool           `json:"disable_manual_trigger"`
	Waiting              []string       `json:"waiting"`
	// RunInputs are asked when somebody starts the job by hand.
	RunInputs []formField `json:"run_inputs"`
}

// shapeJobs shows jobs of one pipeline.
func (s *Service) shapeJobs(ctx context.Context, p pipelineRow, config pipeline.Config, rows []jobRow) ([]jobShape, error) {
	ids := []int64{0}
	for _, j := range rows {
		ids = append(ids, j.ID)
	}
	builds, err := s.lastBuilds(ctx, ids, stripBuilds)
	if err != nil {
		return nil, err
	}
	out := make([]jobShape, 0, len(rows))
	for _, j := range rows {
		declared, _ := config.Job(j.Name)
		if !own(ctx, j.TeamID) {
			j.PausedBy = ""
		}
		shown := jobShape{ID: j.ID, Name: j.Name, Pipeline: ref{p.ID, p.Name}, Paused: j.Paused, PausedBy: j.PausedBy, Groups: nonNil(facts{config}.groupsOf(j.Name)),
			Inputs: []graphInput{}, Outputs: []graphOutput{}, HasNewInputs: j.HasNewInputs, DisableManualTrigger: declared.DisableManualTrigger, Waiting: []string{},
			LastBuilds: s.strip(builds[j.ID], map[int64]string{j.ID: j.Name}), RunInputs: formOf(config.JobExtension(j.Name))}
		for _, get := range declared.Gets() {
			in := graphInput{Name: get.Name, Resource: get.ResourceName(), Passed: []string{}, Trigger: get.Trigger}
			for _, pattern := range get.Passed {
				in.Passed = append(in.Passed, config.JobsMatching(pattern)...)
			}
			shown.Inputs = append(shown.Inputs, in)
		}
		for _, put := range declared.Puts() {
			shown.Outputs = append(shown.Outputs, graphOutput{put.Name, put.ResourceName()})
		}
		if err := s.addBuilds(ctx, &shown, j, builds[j.ID]); err != nil {
			return nil, err
		}
		if sentence := unaskedSentence(config, declared); sentence != "" {
			shown.Waiting = append(shown.Waiting, sentence)
		}
		out = append(out, shown)
	}
	return out, nil
}

// addBuilds fills in the latest and the next build, and what the latter waits for.
func (s *Service) addBuilds(ctx context.Context, shown *jobShape, j jobRow, recent []buildRow) error {
	find := func(id int64) (*buildRow, error) {
		if id == 0 {
			return nil, nil
		}
		for i := range recent {
			if recent[i].ID == id {
				return &recent[i], nil
			}
		}
		b, err := s.build(ctx, id)
		return &b, err
	}
	latest, err := find(j.FinishedBuildID)
	if err != nil {
		return err
	}
	if latest != nil {
		summary := s.summary(*latest, j.Name)
		shown.LatestBuild = &summary
	}
	next, err := find(j.NextBuildID)
	if err != nil || next == nil {
		return err
	}
	summary := s.summary(*next, j.Name)
	shown.NextBuild = &summary
	if next.Status != Pending {
		return nil
	}
	waits, err := s.prepare(ctx, *next)
	shown.Waiting = waits.sentences()
	return err
}

type graphResource struct {
	ID            int64            `json:"id"`
	Name          string           `json:"name"`
	Type          string           `json:"type"`
	Icon          string           `json:"icon,omitempty"`
	LastVersion   resource.Version `json:"last_version,omitempty"`
	LastCheckedAt *time.Time       `json:"last_checked_at,omitempty"`
	CheckError    string           `json:"check_error,omitempty"`
	NextCheckAt   *time.Time       `json:"next_check_at,omitempty"`
	Pinned        bool             `json:"pinned"`
}

type graphShape struct {
	Pipeline  pipelineShape   `json:"pipeline"`
	Groups    []groupShape    `json:"groups"`
	Jobs      []jobShape      `json:"jobs"`
	Resources []graphResource `json:"resources"`
}

// graph shows a whole pipeline.
func (s *Service) graph(ctx context.Context, p pipelineRow) (graphShape, error) {
	config, err := s.configs.of(p)
	if err != nil {
		return graphShape{}, err
	}
	shown, err := s.shapePipelines(ctx, []pipelineRow{p})
	if err != nil {
		return graphShape{}, err
	}
	jobs, err := s.jobs(ctx, p.ID)
	if err != nil {
		return graphShape{}, err
	}
	out := graphShape{Pipeline: shown[0], Groups: shown[0].Groups, Resources: []graphResource{}}
	if out.Jobs, err = s.shapeJobs(ctx, p, config, jobs); err != nil {
		return out, err
	}
	rows, err := s.resources(ctx, p.ID)
	if err != nil {
		return out, err
	}
	latest, err := s.latestVersions(ctx, p.ID)
	for _, r := range rows {
		declared, _ := config.Resource(r.Name)
		shown := graphResource{ID: r.ID, Name: r.Name, Type: r.Type, Icon: declared.Icon, LastCheckedAt: r.CheckEndedAt.pointer(), CheckError: r.CheckError,
			NextCheckAt: nextCheckShown(p, r), Pinned: r.PinnedVersionID != 0 || declared.Version != nil}
		if !own(ctx, r.TeamID) {
			shown.CheckError = ""
		}
		if v, ok := latest[r.ID]; ok {
			shown.LastVersion = v.fields()
		}
		out.Resources = append(out.Resources, shown)
	}
	return out, err
}

// nextCheckShown is nil while a paused pipeline holds checks back.
func nextCheckShown(p pipelineRow, r resourceRow) *time.Time {
	if p.Paused || p.Archived || r.NextCheckAt <= checkNow {
		return nil
	}
	return r.NextCheckAt.pointer()
}
