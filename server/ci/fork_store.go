package ci

import (
	"context"
	"fmt"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
)

// forkRow is the question whether builds may take a commit of a fork's pull request.
type forkRow struct {
	ID             string `gorm:"primaryKey"`
	TeamID         int64
	Repository     string
	Number         int64
	SHA            string `gorm:"column:sha"`
	Title          string
	Author         string
	HeadRepository string
	URL            string `gorm:"column:url"`
	State          ApprovalState
	AskedAt        millis
	ToldAt         millis
	DecidedBy      string
	DecidedAt      millis
	Reason         string
}

func (forkRow) TableName() string { return "ci_fork_approvals" }

func (q forkRow) label() string {
	return fmt.Sprintf("%s#%d %s", q.Repository, q.Number, q.SHA[:min(7, len(q.SHA))])
}

func (q forkRow) expires() time.Time { return q.AskedAt.Time().Add(forkPatience) }

// state is the stored one, or that nobody decided in time.
func (q forkRow) state(now time.Time) ApprovalState {
	if q.State == ApprovalWaiting && !now.Before(q.expires()) {
		return ApprovalExpired
	}
	return q.State
}

// saveFork reports whether the question is new or asked again. What is known of one
// that waits becomes richer only.
func (s store) saveFork(ctx context.Context, q forkRow) (bool, error) {
	r := s.db.Writer(ctx).Exec(`INSERT INTO ci_fork_approvals (id, team_id, repository, number, sha, title, author, head_repository, url, state, asked_at, told_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (team_id, repository, number, sha) DO UPDATE SET
		title = CASE WHEN excluded.title = '' THEN ci_fork_approvals.title ELSE excluded.title END,
		author = CASE WHEN excluded.author = '' THEN ci_fork_approvals.author ELSE excluded.author END,
		url = CASE WHEN excluded.url = '' THEN ci_fork_approvals.url ELSE excluded.url END,
		told_at = excluded.told_at, asked_at = excluded.asked_at, state = excluded.state
		WHERE ci_fork_approvals.state = 'withdrawn' AND excluded.state = 'waiting' AND excluded.told_at >= ci_fork_approvals.told_at
			OR ci_fork_approvals.state = 'waiting' AND ci_fork_approvals.told_at = 0`,
		q.ID, q.TeamID, q.Repository, q.Number, q.SHA, q.Title, q.Author, q.HeadRepository, q.URL, q.State, q.AskedAt, q.ToldAt)
	return r.RowsAffected == 1, r.Error
}

// newerFork reports whether a newer commit of the same pull request is known.
func (s store) newerFork(ctx context.Context, q forkRow) (bool, error) {
	if q.ToldAt == 0 {
		return false, nil
	}
	var n int64
	err := s.db.Writer(ctx).Raw("SELECT COUNT(*) FROM ci_fork_approvals WHERE team_id = ? AND repository = ? AND number = ? AND sha <> ? AND told_at > ?",
		q.TeamID, q.Repository, q.Number, q.SHA, q.ToldAt).Scan(&n).Error
	return n > 0, err
}

func (s store) withdrawOlderForks(ctx context.Context, q forkRow) error {
	if q.State != ApprovalWaiting {
		return nil
	}
	return s.db.Writer(ctx).Exec(`UPDATE ci_fork_approvals SET state = 'withdrawn' WHERE team_id = ? AND repository = ? AND number = ? AND sha <> ?
		AND state = 'waiting' AND (told_at < ? OR CAST(? AS BIGINT) = 0)`, q.TeamID, q.Repository, q.Number, q.SHA, q.ToldAt, q.ToldAt).Error
}

func (s store) withdrawFork(ctx context.Context, team int64, repository string, number int64, except string) (int64, error) {
	r := s.db.Writer(ctx).Exec("UPDATE ci_fork_approvals SET state = 'withdrawn' WHERE team_id = ? AND repository = ? AND number = ? AND sha <> ? AND state = 'waiting'",
		team, repository, number, except)
	return r.RowsAffected, r.Error
}

func (s store) findFork(ctx context.Context, team int64, repository string, number int64, sha string) (forkRow, bool, error) {
	var row forkRow
	err := s.db.Reader(ctx).Where("team_id = ? AND repository = ? AND number = ? AND sha = ?", team, repository, number, sha).Take(&row).Error
	if database.IsNotFound(err) {
		return row, false, nil
	}
	return row, err == nil, err
}

func (s store) fork(ctx context.Context, id string) (forkRow, error) {
	var row forkRow
	err := s.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no such approval.")
}

// forks lists a team's questions: open ones with the oldest first, or the last decided.
func (s store) forks(ctx context.Context, team int64, open bool, limit int) ([]forkRow, error) {
	q := s.db.Reader(ctx).Where("team_id = ?", team)
	since := toMillis(s.now().Add(-forkPatience))
	if open {
		q = q.Where("state = 'waiting' AND asked_at > ?", since).Order("asked_at, id")
	} else {
		q = q.Where("NOT (state = 'waiting' AND asked_at > ?)", since).Order("asked_at DESC, id")
	}
	var rows []forkRow
	err := q.Limit(limit).Find(&rows).Error
	return rows, err
}

func (s store) settleFork(ctx context.Context, q forkRow) (bool, error) {
	r := s.db.Writer(ctx).Exec("UPDATE ci_fork_approvals SET state = ?, decided_by = ?, decided_at = ?, reason = ? WHERE id = ? AND state = 'waiting'",
		q.State, q.DecidedBy, q.DecidedAt, q.Reason, q.ID)
	return r.RowsAffected == 1, r.Error
}

// lift gives a withheld version to the jobs, as the newest of its resource.
func (s store) lift(ctx context.Context, r resourceRow, version int64) (bool, error) {
	d := s.db.Writer(ctx).Exec(`UPDATE ci_versions SET enabled = ?, withheld = '', check_order = (SELECT COALESCE(MAX(n.check_order), 0) + 1 FROM ci_versions n
		WHERE n.resource_id = ? AND n.scope = ?) WHERE id = ? AND withheld = ?`, true, r.ID, r.Scope, version, withheldApproval)
	return d.RowsAffected > 0, d.Error
}

// taint makes versions untrusted that an untrusted build put. Those of pull requests
// then need a member's approval as if they had come from a fork.
func (s store) taint(ctx context.Context, r resourceRow, versions []int64) error {
	change := "UPDATE ci_versions SET untrusted = ? WHERE id IN ? AND NOT untrusted"
	if r.Type == pullType {
		change = "UPDATE ci_versions SET untrusted = ?, enabled = FALSE, withheld = 'approval' WHERE id IN ? AND NOT untrusted"
	}
	return s.db.Writer(ctx).Exec(change, true, versions).Error
}

// trust counts what a build takes.
type trust struct {
	// Waiting versions have no member's approval; Untrusted is what makes a build so.
	Waiting, Untrusted int64
}

func (s store) trustOf(ctx context.Context, b buildRow) (trust, error) {
	var t trust
	err := s.db.Writer(ctx).Raw(`SELECT
		(SELECT COUNT(*) FROM ci_build_versions i JOIN ci_versions v ON v.id = i.version_id WHERE i.build_id = ? AND i.direction = 'in' AND v.withheld = ?) AS waiting,
		(SELECT COUNT(*) FROM ci_build_versions i JOIN ci_versions v ON v.id = i.version_id WHERE i.build_id = ? AND i.direction = 'in' AND v.untrusted)
		+ (SELECT COUNT(*) FROM ci_build_pipes p JOIN ci_builds u ON u.id = p.upstream_id WHERE p.build_id = ? AND u.untrusted)
		+ (SELECT COUNT(*) FROM ci_builds o WHERE o.original = ? AND o.untrusted) AS untrusted`,
		b.ID, withheldApproval, b.ID, b.ID, b.Original).Scan(&t).Error
	return t, err
}

func (s store) setUntrusted(ctx context.Context, build int64) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_builds SET untrusted = ? WHERE id = ? AND NOT untrusted", true, build).Error
}
