package ci

import "context"

// typeChecked notes which check a pipeline's resource type has.
func (s store) typeChecked(ctx context.Context, pipelineID int64, name, config string) error {
	return s.db.Writer(ctx).Exec(`INSERT INTO ci_type_checks (pipeline_id, name, config) VALUES (?, ?, ?)
		ON CONFLICT (pipeline_id, name) DO UPDATE SET config = excluded.config WHERE ci_type_checks.config <> excluded.config`, pipelineID, name, config).Error
}

// forgetImageChecks returns how many versions are forgotten.
func (s store) forgetImageChecks(ctx context.Context, team, pipelineID int64, name string) (int64, error) {
	const configs = "team_id = ? AND config IN (SELECT config FROM ci_type_checks WHERE pipeline_id = ? AND name = ?)"
	var n int64
	err := s.db.Writer(ctx).Raw("SELECT COUNT(*) FROM ci_image_checks WHERE latest <> '' AND "+configs, team, pipelineID, name).Scan(&n).Error
	if err != nil {
		return 0, err
	}
	return n, s.db.Writer(ctx).Exec("DELETE FROM ci_image_checks WHERE "+configs, team, pipelineID, name).Error
}

// typesAlike are the resource types of the team's pipelines that share a check with one.
func (s store) typesAlike(ctx context.Context, team, pipelineID int64, name string) (list []flyIdentifier, err error) {
	err = s.db.Reader(ctx).Raw(`SELECT DISTINCT o.name, p.name AS pipeline FROM ci_type_checks t JOIN ci_type_checks o ON o.config = t.config
		JOIN ci_pipelines p ON p.id = o.pipeline_id AND p.team_id = ? WHERE t.pipeline_id = ? AND t.name = ? ORDER BY 2, 1`, team, pipelineID, name).Scan(&list).Error
	return list, err
}
