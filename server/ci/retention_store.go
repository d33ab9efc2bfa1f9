package ci

import "context"

// runningPipelines lists those that are neither paused nor archived.
func (s store) runningPipelines(ctx context.Context) ([]pipelineRow, error) {
	var rows []pipelineRow
	err := s.db.Reader(ctx).Select(pipelineListColumns).Where("NOT paused AND NOT archived").Order("id").Find(&rows).Error
	return rows, err
}

// loggedBuilds lists the ended builds of a job that still have a log, newest first.
func (s store) loggedBuilds(ctx context.Context, job int64) ([]buildRow, error) {
	var rows []buildRow
	err := s.db.Reader(ctx).Raw(`SELECT id, team_id, job_id, status, ended_at, node FROM ci_builds
		WHERE job_id = ? AND ended_at > 0 AND reaped_at = 0 ORDER BY id DESC`, job).Scan(&rows).Error
	return rows, err
}

func (s store) markReaped(ctx context.Context, id int64) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_builds SET reaped_at = ? WHERE id = ?", toMillis(s.now()), id).Error
}
