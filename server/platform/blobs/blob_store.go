package blobs

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/problem"
)

type contentRow struct {
	TeamID    int64
	SHA256    string `gorm:"column:sha256"`
	Size      int64
	TouchedAt int64
}

func (contentRow) TableName() string { return "blobs_contents" }

func (s *Store) touch(ctx context.Context, team int64, ref Ref) error {
	return s.deps.DB.Writer(ctx).Exec(`INSERT INTO blobs_contents (team_id, sha256, size, touched_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (team_id, sha256) DO UPDATE SET touched_at = excluded.touched_at`, team, ref.SHA256, ref.Size, s.deps.Now().UnixMilli()).Error
}

// Own notes that a row (its kind, such as "ci_artifact", and its id) keeps the
// blob, in the context's transaction. Owning twice is owning once.
func (s *Store) Own(ctx context.Context, team int64, sha, kind, owner string) error {
	r := s.deps.DB.Writer(ctx).Exec(`INSERT INTO blobs_owners (team_id, sha256, kind, owner, created_at)
		SELECT team_id, sha256, ?, ?, ? FROM blobs_contents WHERE team_id = ? AND sha256 = ? ON CONFLICT DO NOTHING`,
		kind, owner, s.deps.Now().UnixMilli(), team, sha)
	if r.Error != nil || r.RowsAffected == 1 {
		return r.Error
	}
	var count int64
	if err := s.deps.DB.Reader(ctx).Model(&contentRow{}).Where("team_id = ? AND sha256 = ?", team, sha).Count(&count).Error; err != nil {
		return err
	}
	if count == 0 {
		return problem.New(problem.NotFound, "There is no stored file %.64s.", sha)
	}
	return nil
}

// Disown ends what Own began; the hour begins when nobody owns the blob any more.
func (s *Store) Disown(ctx context.Context, team int64, sha, kind, owner string) error {
	return s.deps.DB.Tx(ctx, func(ctx context.Context) error {
		r := s.deps.DB.Writer(ctx).Exec("DELETE FROM blobs_owners WHERE team_id = ? AND sha256 = ? AND kind = ? AND owner = ?", team, sha, kind, owner)
		if r.Error != nil || r.RowsAffected == 0 {
			return r.Error
		}
		return s.deps.DB.Writer(ctx).Exec("UPDATE blobs_contents SET touched_at = ? WHERE team_id = ? AND sha256 = ?",
			s.deps.Now().UnixMilli(), team, sha).Error
	})
}

func (s *Store) owned(ctx context.Context, team int64, sha string) (size int64, owned bool, err error) {
	var rows []contentRow
	err = s.deps.DB.Reader(ctx).Where("team_id = ? AND sha256 = ?", team, sha).
		Where("EXISTS (SELECT 1 FROM blobs_owners o WHERE o.team_id = blobs_contents.team_id AND o.sha256 = blobs_contents.sha256)").
		Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return 0, false, err
	}
	return rows[0].Size, true, nil
}

const nobody = "touched_at < ? AND NOT EXISTS (SELECT 1 FROM blobs_owners o WHERE o.team_id = blobs_contents.team_id AND o.sha256 = blobs_contents.sha256)"

func (s *Store) unowned(ctx context.Context, before int64, limit int) ([]contentRow, error) {
	var rows []contentRow
	return rows, s.deps.DB.Reader(ctx).Where(nobody, before).Order("touched_at").Limit(limit).Find(&rows).Error
}

func (s *Store) remove(ctx context.Context, team int64, sha string, before int64) (bool, error) {
	r := s.deps.DB.Writer(ctx).Where("team_id = ? AND sha256 = ?", team, sha).Where(nobody, before).Delete(&contentRow{})
	return r.RowsAffected == 1, r.Error
}

// Usage is how many bytes a team's blobs take.
func (s *Store) Usage(ctx context.Context, team int64) (bytes int64, err error) {
	err = s.deps.DB.Reader(ctx).Model(&contentRow{}).Where("team_id = ?", team).Select("COALESCE(SUM(size), 0)").Scan(&bytes).Error
	return bytes, err
}
