package ci

import "context"

// jobEnds tells, by pipeline, how the latest ended build of each job ended and how many run.
func (s store) jobEnds(ctx context.Context, pipelines []int64) (map[int64]jobEnds, error) {
	var rows []struct {
		PipelineID int64
		Status     Status
	}
	err := s.db.Reader(ctx).Raw(`SELECT j.pipeline_id, b.status FROM ci_jobs j JOIN ci_builds b ON b.id = j.finished_build_id
		WHERE j.pipeline_id IN ? AND j.active`, pipelines).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	out := map[int64]jobEnds{}
	for _, r := range rows {
		e := out[r.PipelineID]
		e.statuses = append(e.statuses, r.Status)
		out[r.PipelineID] = e
	}
	var running []struct {
		PipelineID int64
		N          int
	}
	err = s.db.Reader(ctx).Raw(`SELECT j.pipeline_id, COUNT(*) AS n FROM ci_jobs j JOIN ci_builds b ON b.job_id = j.id AND b.status = 'started'
		WHERE j.pipeline_id IN ? GROUP BY j.pipeline_id`, pipelines).Scan(&running).Error
	for _, r := range running {
		e := out[r.PipelineID]
		e.running = r.N
		out[r.PipelineID] = e
	}
	return out, err
}

// changeRow is the newest commit that a pipeline knows.
type changeRow struct {
	PipelineID int64
	Version    string
	Metadata   string
	CreatedAt  millis
}

func (r changeRow) shape() *changeShape {
	v := versionRow{Version: r.Version, Metadata: r.Metadata}
	out := &changeShape{SHA: v.fields()["ref"], At: r.CreatedAt.Time()}
	for _, field := range v.metadata() {
		switch field.Name {
		case "author":
			out.By = field.Value
		case "message":
			out.Message = field.Value
		}
	}
	return out
}

// lastChanges gives, by pipeline, the newest version of its resources that watch a repository.
func (s store) lastChanges(ctx context.Context, pipelines []int64) (map[int64]changeRow, error) {
	var rows []changeRow
	err := s.db.Reader(ctx).Raw(`SELECT r.pipeline_id, v.version, v.metadata, v.created_at FROM ci_resources r
		JOIN ci_versions v ON v.resource_id = r.id AND v.scope = r.scope
			AND v.check_order = (SELECT MAX(m.check_order) FROM ci_versions m WHERE m.resource_id = r.id AND m.scope = r.scope)
		WHERE r.pipeline_id IN ? AND r.active AND r.type = 'git' ORDER BY v.created_at`, pipelines).Scan(&rows).Error
	out := map[int64]changeRow{}
	for _, r := range rows {
		out[r.PipelineID] = r
	}
	return out, err
}

// deleteTeamRows removes everything of a team.
func (s store) deleteTeamRows(ctx context.Context, team int64) error {
	for _, table := range []string{"ci_builds", "ci_resource_caches", "ci_image_checks", "ci_artifacts", "ci_kept_artifacts", "ci_sboms", "ci_components", "ci_pipelines", "ci_pushes", "ci_heard", "ci_fork_approvals"} {
		if err := s.db.Writer(ctx).Exec("DELETE FROM "+table+" WHERE team_id = ?", team).Error; err != nil {
			return err
		}
	}
	return nil
}

func (s store) openBuildsOfTeam(ctx context.Context, team int64) (ids []int64, err error) {
	err = s.db.Reader(ctx).Raw("SELECT id FROM ci_builds WHERE team_id = ? AND status IN ('pending', 'started')", team).Scan(&ids).Error
	return ids, err
}

func (s store) buildIDsOfTeam(ctx context.Context, team int64) (ids []int64, err error) {
	err = s.db.Reader(ctx).Raw("SELECT id FROM ci_builds WHERE team_id = ?", team).Scan(&ids).Error
	return ids, err
}
