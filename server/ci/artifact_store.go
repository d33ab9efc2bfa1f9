package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/database"
)

type keptArtifactRow struct {
	ID        int64 `gorm:"primaryKey"`
	TeamID    int64
	BuildID   int64
	Path      string
	Size      int64
	SHA256    string `gorm:"column:sha256"`
	CreatedAt millis
	// ExpiresAt is 0 for what is kept without end.
	ExpiresAt millis
}

func (keptArtifactRow) TableName() string { return "ci_kept_artifacts" }

// buildOutputs are the problems that were found in a build's outputs; false when
// nobody has looked through them.
func (s store) buildOutputs(ctx context.Context, build int64) (problems []string, known bool, err error) {
	var texts []string
	if err := s.db.Reader(ctx).Raw("SELECT problems FROM ci_build_outputs WHERE build_id = ?", build).Scan(&texts).Error; err != nil || len(texts) == 0 {
		return nil, false, err
	}
	problems, err = decode[[]string](texts[0])
	return problems, true, err
}

// insertBuildOutputs notes that a build's outputs are looked through; false when they were before.
func (s store) insertBuildOutputs(ctx context.Context, b buildRow) (bool, error) {
	r := s.db.Writer(ctx).Exec("INSERT INTO ci_build_outputs (build_id, team_id, job_id, collected_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
		b.ID, b.TeamID, b.JobID, toMillis(s.now()))
	return r.RowsAffected == 1, r.Error
}

func (s store) setOutputProblems(ctx context.Context, build int64, problems []string) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_build_outputs SET problems = ? WHERE build_id = ?", encode(nonNil(problems)), build).Error
}

func (s store) insertKeptArtifact(ctx context.Context, a keptArtifactRow) (id int64, err error) {
	err = s.db.Writer(ctx).Create(&a).Error
	return a.ID, err
}

// keptArtifact finds one that has not expired; the caller checks its team.
func (s store) keptArtifact(ctx context.Context, id int64) (keptArtifactRow, error) {
	var row keptArtifactRow
	err := s.db.Reader(ctx).Where("id = ? AND (expires_at = 0 OR expires_at > ?)", id, toMillis(s.now())).Take(&row).Error
	return row, database.NotFound(err, "There is no artifact %d.", id)
}

// keptArtifacts lists those of a build that have not expired.
func (s store) keptArtifacts(ctx context.Context, build int64) ([]keptArtifactRow, error) {
	var rows []keptArtifactRow
	err := s.db.Reader(ctx).Where("build_id = ? AND (expires_at = 0 OR expires_at > ?)", build, toMillis(s.now())).Order("path, id").Find(&rows).Error
	return rows, err
}

func (s store) countKeptArtifacts(ctx context.Context, build int64) (n int64, err error) {
	err = s.db.Reader(ctx).Raw("SELECT COUNT(*) FROM ci_kept_artifacts WHERE build_id = ? AND (expires_at = 0 OR expires_at > ?)",
		build, toMillis(s.now())).Scan(&n).Error
	return n, err
}

func (s store) setArtifactExpiry(ctx context.Context, id int64, expires millis) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_kept_artifacts SET expires_at = ? WHERE id = ?", expires, id).Error
}

func (s store) deleteKeptArtifact(ctx context.Context, id int64) error {
	return s.db.Writer(ctx).Exec("DELETE FROM ci_kept_artifacts WHERE id = ?", id).Error
}

// expiredArtifacts lists those whose time is over or whose build is gone.
func (s store) expiredArtifacts(ctx context.Context, limit int) ([]keptArtifactRow, error) {
	var rows []keptArtifactRow
	err := s.db.Reader(ctx).Where(`expires_at > 0 AND expires_at <= ? OR NOT EXISTS (SELECT 1 FROM ci_builds b WHERE b.id = ci_kept_artifacts.build_id)`,
		toMillis(s.now())).Order("id").Limit(limit).Find(&rows).Error
	return rows, err
}

// reapUploads forgets what `fly execute` gave and got before a time, unless the team
// has a build without a job and resource open, which may still want it.
func (s store) reapUploads(ctx context.Context, before millis) error {
	return s.db.Writer(ctx).Exec(`DELETE FROM ci_artifacts WHERE created_at < ? AND NOT EXISTS (SELECT 1 FROM ci_builds b
		WHERE b.team_id = ci_artifacts.team_id AND b.job_id = 0 AND b.resource_id = 0 AND b.status IN ('pending', 'started'))`, before).Error
}
