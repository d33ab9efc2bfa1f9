package ci

import (
	"context"
	"encoding/json"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/runtime"
)

type stepRow struct {
	BuildID    int64  `gorm:"primaryKey"`
	PlanID     string `gorm:"primaryKey"`
	Kind       string
	Name       string
	Attempt    string
	Resource   string
	State      string
	Outcome    string
	Container  string
	Dir        string
	RunAs      string
	Volumes    string
	ExitStatus *int
	Result     string
	Message    string
	StartedAt  millis
	EndedAt    millis
}

func (stepRow) TableName() string { return "ci_steps" }

func stepRowOf(s engine.StepRecord) stepRow {
	volumes := s.Volumes
	if volumes == nil {
		volumes = []engine.StepVolume{}
	}
	return stepRow{BuildID: s.BuildID, PlanID: s.PlanID, Kind: string(s.Kind), Name: s.Name, Attempt: s.Attempt, Resource: s.Resource,
		State: string(s.State), Outcome: string(s.Outcome), Container: string(s.Container), Dir: s.Dir, RunAs: s.User, Volumes: encode(volumes),
		ExitStatus: s.ExitStatus, Result: string(s.Result), Message: s.Message, StartedAt: toMillis(s.StartedAt), EndedAt: toMillis(s.EndedAt)}
}

func (r stepRow) record() (engine.StepRecord, error) {
	volumes, err := decode[[]engine.StepVolume](r.Volumes)
	out := engine.StepRecord{BuildID: r.BuildID, PlanID: r.PlanID, Kind: engine.Kind(r.Kind), Name: r.Name, Attempt: r.Attempt, Resource: r.Resource,
		State: engine.State(r.State), Outcome: engine.Outcome(r.Outcome), Container: runtime.ContainerID(r.Container), Dir: r.Dir, User: r.RunAs,
		Volumes: volumes, ExitStatus: r.ExitStatus, Message: r.Message, StartedAt: r.StartedAt.Time(), EndedAt: r.EndedAt.Time()}
	if r.Result != "" {
		out.Result = json.RawMessage(r.Result)
	}
	return out, err
}

func (s store) steps(ctx context.Context, build int64) ([]engine.StepRecord, error) {
	var rows []stepRow
	if err := s.db.Reader(ctx).Where("build_id = ?", build).Order("started_at, plan_id").Find(&rows).Error; err != nil {
		return nil, err
	}
	out := make([]engine.StepRecord, 0, len(rows))
	for _, r := range rows {
		step, err := r.record()
		if err != nil {
			return nil, err
		}
		out = append(out, step)
	}
	return out, nil
}

func (s store) saveStep(ctx context.Context, step engine.StepRecord) error {
	r := stepRowOf(step)
	return s.db.Writer(ctx).Exec(`INSERT INTO ci_steps (build_id, plan_id, kind, name, attempt, resource, state, outcome, container, dir, run_as,
			volumes, exit_status, result, message, started_at, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (build_id, plan_id) DO UPDATE SET kind = excluded.kind, name = excluded.name, attempt = excluded.attempt,
			resource = excluded.resource, state = excluded.state, outcome = excluded.outcome, container = excluded.container, dir = excluded.dir,
			run_as = excluded.run_as, volumes = excluded.volumes, exit_status = excluded.exit_status, result = excluded.result,
			message = excluded.message, started_at = excluded.started_at, ended_at = excluded.ended_at`,
		r.BuildID, r.PlanID, r.Kind, r.Name, r.Attempt, r.Resource, r.State, r.Outcome, r.Container, r.Dir, r.RunAs,
		r.Volumes, r.ExitStatus, r.Result, r.Message, r.StartedAt, r.EndedAt).Error
}

// containerRow is a container with the build it belongs to.
type containerRow struct {
	Step         stepRow `gorm:"embedded"`
	TeamID       int64
	BuildName    string
	PipelineID   int64
	PipelineName string
	InstanceVars string
	JobID        int64
	JobName      string
	CreatedAt    millis
}

// containers lists those of a team's builds that were not given back yet.
func (s store) containers(ctx context.Context, team int64) ([]containerRow, error) {
	var rows []containerRow
	err := s.db.Reader(ctx).Raw(`SELECT s.*, b.team_id, b.name AS build_name, b.pipeline_id, b.created_at, b.job_id,
			COALESCE(p.name, '') AS pipeline_name, COALESCE(p.instance_vars, '') AS instance_vars, COALESCE(j.name, '') AS job_name
		FROM ci_builds b JOIN ci_steps s ON s.build_id = b.id
		LEFT JOIN ci_pipelines p ON p.id = b.pipeline_id LEFT JOIN ci_jobs j ON j.id = b.job_id
		WHERE b.team_id = ? AND NOT b.released AND s.container <> '' ORDER BY b.id, s.started_at`, team).Scan(&rows).Error
	return rows, err
}

// failedSteps gives, for each build, the step that failed or errored last.
func (s store) failedSteps(ctx context.Context, builds []int64) (map[int64]stepRow, error) {
	var rows []stepRow
	err := s.db.Reader(ctx).Where("build_id IN ? AND outcome IN ('failed', 'errored')", builds).Order("ended_at, plan_id").Find(&rows).Error
	out := map[int64]stepRow{}
	for _, r := range rows {
		out[r.BuildID] = r
	}
	return out, err
}
