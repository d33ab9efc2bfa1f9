package ci

import "context"

// keptVolume is a volume that outlives its build, and what keeps it.
type keptVolume struct {
	Volume, Kind, Path, Owner string
}

func (s store) keptVolumesOf(ctx context.Context, team int64) (rows []keptVolume, err error) {
	err = s.db.Reader(ctx).Raw(`SELECT volume, 'resource-cache' AS kind, '' AS path, CASE WHEN resource = '' THEN 'fetched ' || type ELSE 'resource ' || resource END AS owner
			FROM ci_resource_caches WHERE team_id = ?
		UNION ALL SELECT c.volume, 'task-cache', c.path, p.name || '/' || j.name || ' ' || c.step
			FROM ci_task_caches c JOIN ci_jobs j ON j.id = c.job_id JOIN ci_pipelines p ON p.id = j.pipeline_id WHERE p.team_id = ?
		UNION ALL SELECT volume, 'artifact', '', 'artifact ' || name FROM ci_artifacts WHERE team_id = ?`, team, team, team).Scan(&rows).Error
	return rows, err
}

// stepVolumesOf are the steps with volumes of a team's builds that were not given back yet.
func (s store) stepVolumesOf(ctx context.Context, team int64) (rows []containerRow, err error) {
	err = s.db.Reader(ctx).Raw(`SELECT s.build_id, s.name, s.volumes, b.name AS build_name, COALESCE(p.name, '') AS pipeline_name, COALESCE(j.name, '') AS job_name
		FROM ci_builds b JOIN ci_steps s ON s.build_id = b.id
		LEFT JOIN ci_pipelines p ON p.id = b.pipeline_id LEFT JOIN ci_jobs j ON j.id = b.job_id
		WHERE b.team_id = ? AND NOT b.released AND s.volumes <> '[]' ORDER BY b.id, s.started_at`, team).Scan(&rows).Error
	return rows, err
}
