package ci

import "context"

// noteRerequest is false when the delivery has made the build run again before.
func (s store) noteRerequest(ctx context.Context, delivery string, build int64) (bool, error) {
	r := s.db.Writer(ctx).Exec("INSERT INTO ci_rerequests (delivery, build_id, rerun_id) VALUES (?, ?, 0) ON CONFLICT DO NOTHING", delivery, build)
	return r.RowsAffected == 1, r.Error
}

func (s store) setRerequest(ctx context.Context, delivery string, build, rerun int64) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_rerequests SET rerun_id = ? WHERE delivery = ? AND build_id = ?", rerun, delivery, build).Error
}

// newestOfCommit lists the newest build of each job that took a commit of a repository.
// sha is hexadecimal, so it means nothing to LIKE.
func (s store) newestOfCommit(ctx context.Context, team int64, names []string, sha string) ([]buildRow, error) {
	var rows []buildRow
	err := s.db.Reader(ctx).Raw(`SELECT `+listColumns+` FROM ci_builds b WHERE b.id IN (
		SELECT MAX(i.build_id) FROM ci_resources r JOIN ci_versions v ON v.resource_id = r.id AND v.version LIKE ?
		JOIN ci_build_versions i ON i.version_id = v.id AND i.direction = 'in'
		WHERE r.team_id = ? AND r.repository IN ? GROUP BY i.job_id) AND b.team_id = ? ORDER BY b.id`,
		`%"`+sha+`"%`, team, names, team).Scan(&rows).Error
	return rows, err
}
