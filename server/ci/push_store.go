package ci

import (
	"context"
	"time"
)

// pushRow is the newest push known of a branch or tag.
type pushRow struct {
	TeamID     int64
	Repository string
	Ref        string
	FromSHA    string `gorm:"column:from_sha"`
	ToSHA      string `gorm:"column:to_sha"`
	PushedAt   millis
}

// lockTip gives the newest push of the same ref, with empty commits when there is
// none, and keeps other nodes from it until the transaction ends.
func (s store) lockTip(ctx context.Context, p pushRow) (pushRow, error) {
	var tip pushRow
	err := s.db.Writer(ctx).Raw(`INSERT INTO ci_pushes (team_id, repository, ref, from_sha, to_sha, pushed_at) VALUES (?, ?, ?, '', '', 0)
		ON CONFLICT (team_id, repository, ref) DO UPDATE SET ref = excluded.ref RETURNING *`, p.TeamID, p.Repository, p.Ref).Scan(&tip).Error
	return tip, err
}

func (s store) moveTip(ctx context.Context, p pushRow) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_pushes SET from_sha = ?, to_sha = ?, pushed_at = ? WHERE team_id = ? AND repository = ? AND ref = ?",
		p.FromSHA, p.ToSHA, p.PushedAt, p.TeamID, p.Repository, p.Ref).Error
}

// watching lists the active resources of a type and team that watch a repository, of
// pipelines that are not archived, by pipeline.
func (s store) watching(ctx context.Context, team int64, names []string, kind string) ([]resourceRow, error) {
	var rows []resourceRow
	if len(names) == 0 {
		return nil, nil
	}
	err := s.db.Reader(ctx).Raw(`SELECT r.* FROM ci_resources r JOIN ci_pipelines p ON p.id = r.pipeline_id
		WHERE r.team_id = ? AND r.repository IN ? AND r.repository <> '' AND r.type = ? AND r.active AND NOT p.archived ORDER BY r.pipeline_id, r.id`,
		team, names, kind).Scan(&rows).Error
	return rows, err
}

func (s store) countVersions(ctx context.Context, r resourceRow) (n int, err error) {
	err = s.db.Writer(ctx).Raw("SELECT COUNT(*) FROM ci_versions WHERE resource_id = ? AND scope = ?", r.ID, r.Scope).Scan(&n).Error
	return n, err
}

// heardEvery is how exactly it is kept when an event was last heard of.
const heardEvery = 10 * time.Minute

// heard notes that a hook told of an event of the repository.
func (s store) heard(ctx context.Context, team int64, event string, names []string) error {
	now := toMillis(s.now())
	for _, name := range names {
		err := s.db.Writer(ctx).Exec(`INSERT INTO ci_heard (team_id, repository, event, heard_at) VALUES (?, ?, ?, ?)
			ON CONFLICT (team_id, repository, event) DO UPDATE SET heard_at = excluded.heard_at WHERE ci_heard.heard_at < ?`,
			team, name, event, now, toMillis(s.now().Add(-heardEvery))).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// heardSince reports whether an event of the repository was heard of since then.
func (s store) heardSince(ctx context.Context, team int64, event string, names []string, since millis) (bool, error) {
	var n int64
	err := s.db.Reader(ctx).Raw("SELECT COUNT(*) FROM ci_heard WHERE team_id = ? AND event = ? AND repository IN ? AND heard_at >= ?",
		team, event, names, since).Scan(&n).Error
	return n > 0, err
}
