package ci

import "context"

// supersedable lists the open builds of the job that are older than one, were not
// approved by anybody, and are no reruns.
func (s store) supersedable(ctx context.Context, newer buildRow) ([]buildRow, error) {
	var rows []buildRow
	err := s.db.Writer(ctx).Raw(`SELECT `+listColumns+` FROM ci_builds b WHERE b.job_id = ? AND b.pipeline_id = ? AND b.id < ? AND b.rerun_of = 0
		AND b.status IN ('pending', 'started') AND NOT b.abort_requested
		AND NOT EXISTS (SELECT 1 FROM ci_approvals a WHERE a.build_id = b.id AND a.state = 'approved') ORDER BY b.id`,
		newer.JobID, newer.PipelineID, newer.ID).Scan(&rows).Error
	return rows, err
}

func (s store) setSuperseded(ctx context.Context, id, by int64) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_builds SET superseded_by = ? WHERE id = ?", by, id).Error
}
