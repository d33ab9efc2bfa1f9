package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/resource"
)

// The shapes of Concourse's answers; fields are in the order of its own.

type flyPipeline struct {
	ID            int64                 `json:"id"`
	Name          string                `json:"name"`
	InstanceVars  pipeline.InstanceVars `json:"instance_vars,omitempty"`
	Paused        bool                  `json:"paused"`
	PausedBy      string                `json:"paused_by,omitempty"`
	PausedAt      int64                 `json:"paused_at,omitempty"`
	Public        bool                  `json:"public"`
	Archived      bool                  `json:"archived"`
	Groups        []pipeline.Group      `json:"groups,omitempty"`
	TeamName      string                `json:"team_name"`
	Display       *pipeline.Display     `json:"display,omitempty"`
	UserData      any                   `json:"user_data,omitempty"`
	ParentBuildID int64                 `json:"parent_build_id,omitempty"`
	ParentJobID   int64                 `json:"parent_job_id,omitempty"`
	LastUpdated   int64                 `json:"last_updated,omitempty"`
}

func (f fly) presentPipeline(ctx context.Context, p pipelineRow, team string) (flyPipeline, error) {
	config, err := f.configs.of(p)
	if !own(ctx, p.TeamID) {
		p.PausedBy = ""
	}
	return flyPipeline{ID: p.ID, Name: p.Name, InstanceVars: p.instanceVars(), Paused: p.Paused, PausedBy: p.PausedBy, PausedAt: p.PausedAt.Seconds(),
		Public: p.Public, Archived: p.Archived, Groups: config.Groups, TeamName: team, Display: config.Display, UserData: config.UserData,
		ParentBuildID: p.ParentBuildID, ParentJobID: p.ParentJobID, LastUpdated: p.UpdatedAt.Seconds()}, err
}

type flyRerunOf struct {
	ID   int64  `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

type flyBuild struct {
	ID           int64                 `json:"id"`
	TeamName     string                `json:"team_name"`
	Name         string                `json:"name"`
	Status       Status                `json:"status"`
	APIURL       string                `json:"api_url"`
	Comment      string                `json:"comment,omitempty"`
	JobName      string                `json:"job_name,omitempty"`
	ResourceName string                `json:"resource_name,omitempty"`
	PipelineID   int64                 `json:"pipeline_id,omitempty"`
	PipelineName string                `json:"pipeline_name,omitempty"`
	InstanceVars pipeline.InstanceVars `json:"pipeline_instance_vars,omitempty"`
	StartTime    int64                 `json:"start_time,omitempty"`
	EndTime      int64                 `json:"end_time,omitempty"`
	ReapTime     int64                 `json:"reap_time,omitempty"`
	RerunNumber  int64                 `json:"rerun_number,omitempty"`
	RerunOf      *flyRerunOf           `json:"rerun_of,omitempty"`
	CreatedBy    *string               `json:"created_by,omitempty"`
}

// names translates ids for a list of answers, asking once for each id.
type names struct {
	*Service
	teams     map[int64]string
	pipelines map[int64]pipelineRow
	jobs      map[int64]string
	resources map[int64]string
}

func (s *Service) names() *names {
	return &names{s, map[int64]string{}, map[int64]pipelineRow{}, map[int64]string{}, map[int64]string{}}
}

func (n *names) team(ctx context.Context, id int64) (string, error) {
	if name, ok := n.teams[id]; ok {
		return name, nil
	}
	name, err := n.teamName(ctx, id)
	n.teams[id] = name
	return name, err
}

func (n *names) pipelineRow(ctx context.Context, id int64) (pipelineRow, error) {
	if p, ok := n.pipelines[id]; ok || id == 0 {
		return p, nil
	}
	p, err := n.Service.pipeline(ctx, id)
	n.pipelines[id] = p
	return p, err
}

func (n *names) jobName(ctx context.Context, id int64) (string, error) {
	if name, ok := n.jobs[id]; ok || id == 0 {
		return name, nil
	}
	j, err := n.Service.job(ctx, id)
	n.jobs[id] = j.Name
	return j.Name, err
}

func (n *names) resourceName(ctx context.Context, id int64) (string, error) {
	if name, ok := n.resources[id]; ok || id == 0 {
		return name, nil
	}
	r, err := n.Service.resource(ctx, id)
	n.resources[id] = r.Name
	return r.Name, err
}

func (n *names) flyBuild(ctx context.Context, b buildRow) (flyBuild, error) {
	out := flyBuild{ID: b.ID, Name: b.Name, Status: b.Status, APIURL: "/api/v1/builds/" + formatInt(b.ID), Comment: b.Comment, PipelineID: b.PipelineID,
		StartTime: b.StartedAt.Seconds(), EndTime: b.EndedAt.Seconds(), ReapTime: b.ReapedAt.Seconds(), RerunNumber: b.RerunNumber}
	var err error
	if out.TeamName, err = n.team(ctx, b.TeamID); err != nil {
		return out, err
	}
	p, err := n.pipelineRow(ctx, b.PipelineID)
	if err != nil {
		return out, err
	}
	out.PipelineName, out.InstanceVars = p.Name, p.instanceVars()
	if out.JobName, err = n.jobName(ctx, b.JobID); err != nil {
		return out, err
	}
	if out.ResourceName, err = n.resourceName(ctx, b.ResourceID); err != nil {
		return out, err
	}
	switch {
	case !own(ctx, b.TeamID):
		out.Comment = ""
	case b.CreatedBy != "":
		out.CreatedBy = &b.CreatedBy
	}
	if b.RerunOf != 0 {
		of, err := n.build(ctx, b.RerunOf)
		if err != nil {
			return out, err
		}
		out.RerunOf = &flyRerunOf{of.ID, of.Name}
	}
	return out, nil
}

func (n *names) flyBuilds(ctx context.Context, rows []buildRow) ([]flyBuild, error) {
	out := make([]flyBuild, 0, len(rows))
	for _, b := range rows {
		shown, err := n.flyBuild(ctx, b)
		if err != nil {
			return nil, err
		}
		out = append(out, shown)
	}
	return out, nil
}

type flyJobInput struct {
	Name     string   `json:"name"`
	Resource string   `json:"resource"`
	Trigger  bool     `json:"trigger"`
	Passed   []string `json:"passed,omitempty"`
}

type flyJobOutput struct {
	Name     string `json:"name"`
	Resource string `json:"resource"`
}

type flyJob struct {
	ID                   int64                 `json:"id"`
	Name                 string                `json:"name"`
	TeamName             string                `json:"team_name"`
	PipelineID           int64                 `json:"pipeline_id"`
	PipelineName         string                `json:"pipeline_name"`
	InstanceVars         pipeline.InstanceVars `json:"pipeline_instance_vars,omitempty"`
	Paused               bool                  `json:"paused,omitempty"`
	PausedBy             string                `json:"paused_by,omitempty"`
	PausedAt             int64                 `json:"paused_at,omitempty"`
	HasNewInputs         bool                  `json:"has_new_inputs,omitempty"`
	Groups               []string              `json:"groups,omitempty"`
	DisableManualTrigger bool                  `json:"disable_manual_trigger,omitempty"`
	DisableReruns        bool                  `json:"disable_reruns,omitempty"`
	NextBuild            *flyBuild             `json:"next_build"`
	FinishedBuild        *flyBuild             `json:"finished_build"`
	Inputs               []flyJobInput         `json:"inputs,omitempty"`
	Outputs              []flyJobOutput        `json:"outputs,omitempty"`
}

func (n *names) flyJob(ctx context.Context, p pipelineRow, j jobRow) (flyJob, error) {
	config, err := n.configs.of(p)
	if err != nil {
		return flyJob{}, err
	}
	declared, _ := config.Job(j.Name)
	if !own(ctx, j.TeamID) {
		j.PausedBy = ""
	}
	out := flyJob{ID: j.ID, Name: j.Name, PipelineID: p.ID, PipelineName: p.Name, InstanceVars: p.instanceVars(), Paused: j.Paused, PausedBy: j.PausedBy,
		PausedAt: j.PausedAt.Seconds(), HasNewInputs: j.HasNewInputs, Groups: facts{config}.groupsOf(j.Name),
		DisableManualTrigger: declared.DisableManualTrigger, DisableReruns: declared.DisableReruns}
	if out.TeamName, err = n.team(ctx, j.TeamID); err != nil {
		return out, err
	}
	for _, get := range declared.Gets() {
		out.Inputs = append(out.Inputs, flyJobInput{get.Name, get.ResourceName(), get.Trigger, get.Passed})
	}
	for _, put := range declared.Puts() {
		out.Outputs = append(out.Outputs, flyJobOutput{put.Name, put.ResourceName()})
	}
	if out.NextBuild, err = n.optionalBuild(ctx, j.NextBuildID); err != nil {
		return out, err
	}
	out.FinishedBuild, err = n.optionalBuild(ctx, j.FinishedBuildID)
	return out, err
}

func (n *names) optionalBuild(ctx context.Context, id int64) (*flyBuild, error) {
	if id == 0 {
		return nil, nil
	}
	b, err := n.build(ctx, id)
	if err != nil {
		return nil, err
	}
	out, err := n.flyBuild(ctx, b)
	return &out, err
}

type flyBuildSummary struct {
	ID           int64                 `json:"id"`
	Name         string                `json:"name,omitempty"`
	Status       Status                `json:"status"`
	StartTime    int64                 `json:"start_time,omitempty"`
	EndTime      int64                 `json:"end_time,omitempty"`
	TeamName     string                `json:"team_name"`
	PipelineID   int64                 `json:"pipeline_id,omitempty"`
	PipelineName string                `json:"pipeline_name,omitempty"`
	InstanceVars pipeline.InstanceVars `json:"pipeline_instance_vars,omitempty"`
}

type flyResource struct {
	Name           string                `json:"name"`
	PipelineID     int64                 `json:"pipeline_id"`
	PipelineName   string                `json:"pipeline_name"`
	InstanceVars   pipeline.InstanceVars `json:"pipeline_instance_vars,omitempty"`
	TeamName       string                `json:"team_name"`
	Type           string                `json:"type"`
	LastChecked    int64                 `json:"last_checked,omitempty"`
	Icon           string                `json:"icon,omitempty"`
	PinnedVersion  resource.Version      `json:"pinned_version,omitempty"`
	PinnedInConfig bool                  `json:"pinned_in_config,omitempty"`
	PinComment     string                `json:"pin_comment,omitempty"`
	Build          *flyBuildSummary      `json:"build,omitempty"`
}

func (n *names) flyResource(ctx context.Context, p pipelineRow, r resourceRow) (flyResource, error) {
	config, err := n.configs.of(p)
	if err != nil {
		return flyResource{}, err
	}
	declared, _ := config.Resource(r.Name)
	out := flyResource{Name: r.Name, PipelineID: p.ID, PipelineName: p.Name, InstanceVars: p.instanceVars(), Type: r.Type,
		LastChecked: r.CheckEndedAt.Seconds(), Icon: declared.Icon, PinComment: r.PinComment}
	if !own(ctx, r.TeamID) {
		out.PinComment = ""
	}
	if out.TeamName, err = n.team(ctx, r.TeamID); err != nil {
		return out, err
	}
	if r.PinnedVersionID != 0 {
		v, err := n.version(ctx, r.PinnedVersionID)
		if err != nil {
			return out, err
		}
		out.PinnedVersion = v.fields()
	} else if declared.Version != nil {
		out.PinnedVersion, out.PinnedInConfig = resource.Version(declared.Version), true
	}
	out.Build = checkSummary(p, r, out.TeamName)
	return out, nil
}

// checkSummary stands for the build of the last check, which periodic checks do
// not keep: fly reads the check's status from it.
func checkSummary(p pipelineRow, r resourceRow, team string) *flyBuildSummary {
	if r.CheckStartedAt == 0 {
		return nil
	}
	out := &flyBuildSummary{ID: r.CheckBuildID, Name: "check", Status: Started, StartTime: r.CheckStartedAt.Seconds(), TeamName: team,
		PipelineID: p.ID, PipelineName: p.Name, InstanceVars: p.instanceVars()}
	if r.CheckEndedAt >= r.CheckStartedAt {
		out.Status, out.EndTime = Succeeded, r.CheckEndedAt.Seconds()
		if r.CheckError != "" {
			out.Status = Failed
		}
	}
	return out
}

type flyVersion struct {
	ID       int64            `json:"id"`
	Metadata []resource.Field `json:"metadata,omitempty"`
	Version  resource.Version `json:"version"`
	Enabled  bool             `json:"enabled"`
}

func (f fly) presentVersions(ctx context.Context, r resourceRow, rows []versionRow) ([]flyVersion, error) {
	_, config, err := f.pipelineConfig(ctx, r.PipelineID)
	out := make([]flyVersion, 0, len(rows))
	for _, v := range rows {
		out = append(out, flyVersion{v.ID, visibleMetadata(ctx, r.TeamID, config, r.Name, v.metadata()), v.fields(), v.Enabled})
	}
	return out, err
}
