package issues

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
)

type releaseRow struct {
	ID         int64 `gorm:"primaryKey"`
	TeamID     int64
	Version    string
	Status     ReleaseStatus
	URL        string
	Ref        string
	CreatedAt  int64
	StartedAt  int64
	ReleasedAt int64
	Refs       string
}

func (releaseRow) TableName() string { return "issues_releases" }

func (r rows) release(ctx context.Context, team int64, version string) (releaseRow, error) {
	var row releaseRow
	err := r.db.Reader(ctx).Where("team_id = ? AND version = ?", team, version).Take(&row).Error
	return row, database.NotFound(err, "There is no release %.200s.", version)
}

func (r rows) releaseByID(ctx context.Context, id int64) (releaseRow, error) {
	var row releaseRow
	err := r.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no such release.")
}

func (r rows) releaseOfProject(ctx context.Context, project int64, version string) (releaseRow, error) {
	var row releaseRow
	err := r.db.Reader(ctx).Raw(`SELECT r.* FROM issues_releases r JOIN issues_release_projects p ON p.release_id = r.id
		WHERE p.project_id = ? AND r.version = ?`, project, version).Take(&row).Error
	return row, database.NotFound(err, "There is no release %.200s.", version)
}

// ensureRelease finds a release or makes it.
func (r rows) ensureRelease(ctx context.Context, team int64, version string, now int64) (row releaseRow, made bool, err error) {
	result := r.db.Writer(ctx).Exec("INSERT INTO issues_releases (team_id, version, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", team, version, now)
	if result.Error != nil {
		return row, false, result.Error
	}
	err = r.db.Writer(ctx).Where("team_id = ? AND version = ?", team, version).Take(&row).Error
	return row, result.RowsAffected > 0, err
}

func (r rows) linkRelease(ctx context.Context, release int64, projects []int64) error {
	values := make([]any, 0, 2*len(projects))
	for _, p := range projects {
		values = append(values, release, p)
	}
	return r.insertMany(ctx, "issues_release_projects (release_id, project_id)", 2, values, "ON CONFLICT DO NOTHING")
}

func (r rows) saveRelease(ctx context.Context, row releaseRow) error {
	return r.db.Writer(ctx).Exec("UPDATE issues_releases SET status = ?, url = ?, ref = ?, started_at = ?, released_at = ?, refs = ? WHERE id = ?",
		row.Status, clipText(row.URL, 1000), clipText(row.Ref, 200), row.StartedAt, row.ReleasedAt, row.Refs, row.ID).Error
}

func (r rows) removeRelease(ctx context.Context, id int64) error {
	return r.db.Writer(ctx).Where("id = ?", id).Delete(&releaseRow{}).Error
}

// listReleases gives a team's releases or those of one project, newest first.
func (r rows) listReleases(ctx context.Context, team, project int64, version string, offset, limit int) ([]releaseRow, error) {
	q := r.db.Reader(ctx).Table("issues_releases r").Select("r.*").Where("r.team_id = ?", team)
	if project != 0 {
		q = q.Where("r.id IN (SELECT release_id FROM issues_release_projects WHERE project_id = ?)", project)
	}
	if version != "" {
		q = q.Where("r.version = ?", version)
	}
	var list []releaseRow
	err := q.Order("r.created_at DESC, r.id DESC").Offset(offset).Limit(limit).Find(&list).Error
	return list, err
}

// releasesBefore are the earlier ones of the projects that a release belongs to, newest first.
func (r rows) releasesBefore(ctx context.Context, of releaseRow, limit int) ([]releaseRow, error) {
	var list []releaseRow
	err := r.db.Reader(ctx).Raw(`SELECT r.* FROM issues_releases r WHERE r.team_id = ? AND (r.created_at, r.id) < (?, ?) AND r.refs <> '[]'
		AND r.id IN (SELECT release_id FROM issues_release_projects WHERE project_id IN (SELECT project_id FROM issues_release_projects WHERE release_id = ?))
		ORDER BY r.created_at DESC, r.id DESC LIMIT ?`, of.TeamID, of.CreatedAt, of.ID, of.ID, limit).Scan(&list).Error
	return list, err
}

// projectsOfRepository are the team's projects whose releases a repository's builds make.
func (r rows) projectsOfRepository(ctx context.Context, team int64, repository string) (ids []int64, err error) {
	if repository == "" {
		return nil, nil
	}
	err = r.db.Reader(ctx).Raw("SELECT id FROM issues_projects WHERE team_id = ? AND repository = ? ORDER BY id", team, repository).Scan(&ids).Error
	return ids, err
}

type releaseProject struct {
	ReleaseID int64
	ID        int64
	Slug      string
	Name      string
	Platform  string
}

// projectsOfReleases are those that still exist.
func (r rows) projectsOfReleases(ctx context.Context, releases []int64) (map[int64][]releaseProject, error) {
	var list []releaseProject
	err := r.db.Reader(ctx).Raw(`SELECT l.release_id, p.id, p.slug, p.name, p.platform FROM issues_release_projects l
		JOIN issues_projects p ON p.id = l.project_id WHERE l.release_id IN ? ORDER BY p.slug`, releases).Scan(&list).Error
	out := map[int64][]releaseProject{}
	for _, p := range list {
		out[p.ReleaseID] = append(out[p.ReleaseID], p)
	}
	return out, err
}

// releaseNews counts what a release brought, over the projects it belongs to.
type releaseNews struct {
	ReleaseID   int64
	FreshIssues int64
	Regressed   int64
	FirstEvent  int64
	Commits     int64
	Deploys     int64
}

func (r rows) releaseNews(ctx context.Context, releases []int64) (map[int64]releaseNews, error) {
	var list []releaseNews
	err := r.db.Reader(ctx).Raw(`SELECT r.id AS release_id,
		(SELECT COUNT(*) FROM issues_release_projects p JOIN issues_issues i ON i.project_id = p.project_id AND i.first_release = r.version
			WHERE p.release_id = r.id AND i.status <> 'merged') AS fresh_issues,
		(SELECT COUNT(DISTINCT a.issue_id) FROM issues_activity a JOIN issues_issues i ON i.id = a.issue_id
			WHERE a.kind = 'regressed' AND a.detail = r.version AND i.team_id = r.team_id AND i.status <> 'merged') AS regressed,
		(SELECT COALESCE(MIN(v.first_seen), 0) FROM issues_release_projects p JOIN issues_versions v ON v.project_id = p.project_id AND v.version = r.version
			WHERE p.release_id = r.id) AS first_event,
		(SELECT COUNT(*) FROM issues_commits c WHERE c.release_id = r.id) AS commits,
		(SELECT COUNT(*) FROM issues_deploys d WHERE d.release_id = r.id) AS deploys
		FROM issues_releases r WHERE r.id IN ?`, releases).Scan(&list).Error
	out := map[int64]releaseNews{}
	for _, n := range list {
		out[n.ReleaseID] = n
	}
	return out, err
}

// issuesOfRelease are those it brought, or brought back.
func (r rows) issuesOfRelease(ctx context.Context, release releaseRow, regressed bool, limit int) ([]issueRow, error) {
	query := `SELECT i.* FROM issues_release_projects p JOIN issues_issues i ON i.project_id = p.project_id AND i.first_release = ?
		WHERE p.release_id = ? AND i.status <> 'merged' ORDER BY i.last_seen DESC, i.id DESC LIMIT ?`
	if regressed {
		query = `SELECT i.* FROM issues_issues i WHERE i.id IN (SELECT issue_id FROM issues_activity WHERE kind = 'regressed' AND detail = ?)
			AND i.team_id = (SELECT team_id FROM issues_releases WHERE id = ?) AND i.status <> 'merged' ORDER BY i.last_seen DESC, i.id DESC LIMIT ?`
	}
	var list []issueRow
	err := r.db.Reader(ctx).Raw(query, release.Version, release.ID, limit).Scan(&list).Error
	return list, err
}

type deployRow struct {
	ID          int64 `gorm:"primaryKey"`
	ReleaseID   int64
	Environment string
	Name        string
	URL         string
	StartedAt   int64
	FinishedAt  int64
}

func (deployRow) TableName() string { return "issues_deploys" }

func (r rows) insertDeploy(ctx context.Context, row deployRow) (int64, error) {
	err := r.db.Writer(ctx).Create(&row).Error
	return row.ID, err
}

func (r rows) deploys(ctx context.Context, release int64) ([]deployRow, error) {
	var list []deployRow
	err := r.db.Reader(ctx).Where("release_id = ?", release).Order("id DESC").Limit(200).Find(&list).Error
	return list, err
}

// How long health and check-ins are kept.
const (
	keepMarks    = 3 * 24 * time.Hour
	keepSessions = 90 * 24 * time.Hour
	keepCheckIns = 90 * 24 * time.Hour
)

func (r rows) dropOldHealth(ctx context.Context, now time.Time) error {
	for _, q := range []struct {
		sql    string
		before int64
	}{
		{"DELETE FROM issues_session_marks WHERE at < ?", now.Add(-keepMarks).UnixMilli()},
		{"DELETE FROM issues_sessions WHERE hour < ?", hourNumber(now.Add(-keepSessions))},
		{"DELETE FROM issues_check_ins WHERE started_at < ?", now.Add(-keepCheckIns).UnixMilli()},
	} {
		if err := r.db.Writer(ctx).Exec(q.sql, q.before).Error; err != nil {
			return err
		}
	}
	// What deleted projects left behind.
	for _, table := range []string{"issues_release_projects", "issues_sessions", "issues_monitors"} {
		err := r.db.Writer(ctx).Exec("DELETE FROM " + table + " WHERE project_id NOT IN (SELECT id FROM issues_projects)").Error
		if err != nil {
			return err
		}
	}
	return nil
}

// eventsOfProject lists a project's events with their bodies, latest arrival first.
func (r rows) eventsOfProject(ctx context.Context, project int64, offset, limit int) ([]eventRow, error) {
	var list []eventRow
	err := r.db.Reader(ctx).Where("project_id = ?", project).Order("id DESC").Offset(offset).Limit(limit).Find(&list).Error
	return list, err
}
