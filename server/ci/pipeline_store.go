package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/platform/database"
)

type pipelineRow struct {
	ID            int64 `gorm:"primaryKey"`
	TeamID        int64
	Name          string
	InstanceVars  string
	Config        string
	Source        string
	Version       int64
	Paused        bool
	PausedBy      string
	PausedAt      millis
	Public        bool
	Archived      bool
	Ordering      int64
	ParentJobID   int64
	ParentBuildID int64
	CreatedAt     millis
	UpdatedAt     millis
	UpdatedBy     string
}

func (pipelineRow) TableName() string { return "ci_pipelines" }

// label is how people write the pipeline: its name, and its instance vars if it has any.
func (p pipelineRow) label() string {
	if p.InstanceVars == "" {
		return p.Name
	}
	return p.Name + p.InstanceVars
}

// instanceVars is nil for a pipeline without.
func (p pipelineRow) instanceVars() pipeline.InstanceVars {
	vars, _ := decode[pipeline.InstanceVars](p.InstanceVars)
	return vars
}

// canonicalVars writes instance vars so that equal ones are equal text.
func canonicalVars(vars pipeline.InstanceVars) string {
	if len(vars) == 0 {
		return ""
	}
	return encode(vars)
}

func (s store) pipeline(ctx context.Context, id int64) (pipelineRow, error) {
	var row pipelineRow
	err := s.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no pipeline %d.", id)
}

func (s store) pipelineByName(ctx context.Context, team int64, name, vars string) (pipelineRow, error) {
	var row pipelineRow
	err := s.db.Reader(ctx).Where("team_id = ? AND name = ? AND instance_vars = ?", team, name, vars).Take(&row).Error
	return row, database.NotFound(err, "There is no pipeline %s%s in this team.", name, vars)
}

const pipelineListColumns = `id, team_id, name, instance_vars, version, paused, paused_by, paused_at, public, archived, ordering,
	parent_job_id, parent_build_id, created_at, updated_at, updated_by, config`

// pipelines lists those of the teams in the teams' order.
func (s store) pipelines(ctx context.Context, teams []int64) ([]pipelineRow, error) {
	var rows []pipelineRow
	err := s.db.Reader(ctx).Select(pipelineListColumns).Where("team_id IN ?", teams).Order("team_id, ordering, id").Find(&rows).Error
	return rows, err
}

// visiblePipelines lists those of the teams, and the exposed ones of all others.
func (s store) visiblePipelines(ctx context.Context, teams []int64) ([]pipelineRow, error) {
	var rows []pipelineRow
	err := s.db.Reader(ctx).Select(pipelineListColumns).Where("team_id IN ? OR public", teams).Order("team_id, ordering, id").Find(&rows).Error
	return rows, err
}

func (s store) insertPipeline(ctx context.Context, p *pipelineRow) error {
	now := toMillis(s.now())
	p.CreatedAt, p.UpdatedAt, p.Version = now, now, 1
	if err := s.db.Writer(ctx).Raw("SELECT COALESCE(MAX(ordering), 0) + 1 FROM ci_pipelines WHERE team_id = ?", p.TeamID).Scan(&p.Ordering).Error; err != nil {
		return err
	}
	return s.db.Writer(ctx).Create(p).Error
}

// updatePipeline stores a new configuration over version from; false when the
// row has another version by now.
func (s store) updatePipeline(ctx context.Context, p pipelineRow, from int64) (bool, error) {
	r := s.db.Writer(ctx).Exec(`UPDATE ci_pipelines SET config = ?, source = ?, version = version + 1, updated_at = ?, updated_by = ?,
		archived = ?, paused = ?, parent_job_id = ?, parent_build_id = ? WHERE id = ? AND version = ?`,
		p.Config, p.Source, toMillis(s.now()), p.UpdatedBy, p.Archived, p.Paused, p.ParentJobID, p.ParentBuildID, p.ID, from)
	return r.RowsAffected == 1, r.Error
}

func (s store) setPaused(ctx context.Context, id int64, paused bool, by string) error {
	at := toMillis(s.now())
	if !paused {
		by, at = "", 0
	}
	return s.db.Writer(ctx).Exec("UPDATE ci_pipelines SET paused = ?, paused_by = ?, paused_at = ? WHERE id = ?", paused, by, at, id).Error
}

func (s store) setPublic(ctx context.Context, id int64, public bool) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_pipelines SET public = ? WHERE id = ?", public, id).Error
}

// archive empties the configuration: an archived pipeline is set anew to come back.
func (s store) archive(ctx context.Context, id int64) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_pipelines SET archived = ?, paused = ?, version = version + 1, config = '{}', updated_at = ? WHERE id = ?",
		true, true, toMillis(s.now()), id).Error
}

// abandonedPipelines lists those whose set_pipeline step is no more. Reruns do not
// count as the last build: they say what an older one said.
func (s store) abandonedPipelines(ctx context.Context) ([]pipelineRow, error) {
	var rows []pipelineRow
	err := s.db.Writer(ctx).Raw(`SELECT p.id, p.team_id, p.name, p.instance_vars FROM ci_pipelines p
		LEFT JOIN ci_jobs j ON j.id = p.parent_job_id LEFT JOIN ci_pipelines o ON o.id = j.pipeline_id
		WHERE p.parent_job_id <> 0 AND NOT p.archived AND (o.id IS NULL OR o.id <> p.id) AND (j.id IS NULL OR NOT j.active OR o.archived
			OR p.parent_build_id < COALESCE((SELECT MAX(b.id) FROM ci_builds b WHERE b.job_id = j.id AND b.status = 'succeeded' AND b.rerun_of = 0), 0))
		ORDER BY p.id`).Scan(&rows).Error
	return rows, err
}

// adopt notes that a build's step would have set the pipeline as it is; false
// when a newer build of the job has done so.
func (s store) adopt(ctx context.Context, id, job, build int64) (bool, error) {
	r := s.db.Writer(ctx).Exec("UPDATE ci_pipelines SET parent_job_id = ?, parent_build_id = ? WHERE id = ? AND (parent_job_id <> ? OR parent_build_id <= ?)",
		job, build, id, job, build)
	return r.RowsAffected == 1, r.Error
}

// renamePipelines renames all instances of a name and tells how many there were.
func (s store) renamePipelines(ctx context.Context, team int64, name, next string) (int64, error) {
	r := s.db.Writer(ctx).Exec("UPDATE ci_pipelines SET name = ?, updated_at = ? WHERE team_id = ? AND name = ?", next, toMillis(s.now()), team, name)
	return r.RowsAffected, r.Error
}

func (s store) setOrdering(ctx context.Context, id, ordering int64) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_pipelines SET ordering = ? WHERE id = ?", ordering, id).Error
}

// deletePipeline removes the pipeline with jobs, resources, versions and builds.
func (s store) deletePipeline(ctx context.Context, id int64) error {
	for _, statement := range []string{
		"DELETE FROM ci_builds WHERE pipeline_id = ?",
		"DELETE FROM ci_resource_caches WHERE pipeline_id = ?",
		"DELETE FROM ci_pipelines WHERE id = ?",
	} {
		if err := s.db.Writer(ctx).Exec(statement, id).Error; err != nil {
			return err
		}
	}
	return nil
}

// buildIDs lists all builds of a pipeline, for their logs.
func (s store) buildIDs(ctx context.Context, pipeline int64) (ids []int64, err error) {
	err = s.db.Reader(ctx).Raw("SELECT id FROM ci_builds WHERE pipeline_id = ?", pipeline).Scan(&ids).Error
	return ids, err
}

// lockPipeline makes whoever else asks for it, here and on other nodes, wait until
// the context's transaction ends. On SQLite there is one writer anyway.
func (s store) lockPipeline(ctx context.Context, id int64) error {
	if id == 0 || s.db.Dialect != database.Postgres {
		return nil
	}
	return s.db.Writer(ctx).Exec("SELECT pg_advisory_xact_lock(7211, ?)", int32(id)).Error
}
