package issues

import (
	"context"
	"strings"

	"github.com/signalbox/signalbox/server/platform/database"
)

func (r rows) threadBetween(ctx context.Context, team, from, to int64, limit int) (list []threadRow, err error) {
	err = r.db.Reader(ctx).Raw(`SELECT * FROM (
		SELECT 'new' AS kind, i.title, i.culprit AS detail, '' AS actor, i.id, i.first_seen AS at, p.slug AS project, i.first_release AS release, '' AS ref
			FROM issues_issues i JOIN issues_projects p ON p.id = i.project_id
			WHERE i.team_id = ? AND i.status IN ('unresolved', 'resolved', 'archived') AND i.first_seen >= ? AND i.first_seen < ?
		UNION ALL SELECT a.kind, i.title, a.detail, a.person, i.id, a.at, p.slug, i.last_release, ''
			FROM issues_activity a JOIN issues_issues i ON i.id = a.issue_id JOIN issues_projects p ON p.id = i.project_id
			WHERE i.team_id = ? AND a.kind IN ('regressed', 'escalating', 'resolved') AND a.at >= ? AND a.at < ?
		UNION ALL SELECT 'release', l.version, '', '', l.id, l.created_at, COALESCE((SELECT MIN(p.slug) FROM issues_release_projects x JOIN issues_projects p ON p.id = x.project_id WHERE x.release_id = l.id), ''), l.version, l.ref
			FROM issues_releases l WHERE l.team_id = ? AND l.created_at >= ? AND l.created_at < ?
		UNION ALL SELECT 'deploy', l.version || ' to ' || d.environment, d.name, '', l.id, d.finished_at, COALESCE((SELECT MIN(p.slug) FROM issues_release_projects x JOIN issues_projects p ON p.id = x.project_id WHERE x.release_id = l.id), ''), l.version, l.ref
			FROM issues_deploys d JOIN issues_releases l ON l.id = d.release_id WHERE l.team_id = ? AND d.finished_at >= ? AND d.finished_at < ?
		UNION ALL SELECT 'alert', f.why, '', '', f.alert_id, f.at, COALESCE((SELECT slug FROM issues_projects p WHERE p.id = f.project_id), ''), '', ''
			FROM issues_alert_firings f WHERE f.team_id = ? AND NOT f.test AND f.at >= ? AND f.at < ?
		) x ORDER BY at DESC LIMIT ?`, team, from, to, team, from, to, team, from, to, team, from, to, team, from, to, limit).Scan(&list).Error
	return list, err
}

func (r rows) threadLike(ctx context.Context, team int64, text string, limit int) (list []threadRow, err error) {
	like := database.Containing(text)
	err = r.db.Reader(ctx).Raw(`SELECT * FROM (
		SELECT 'project' AS kind, name AS title, platform AS detail, id, slug AS project, '' AS ref, 0 AS place, last_event_at AS at FROM issues_projects
			WHERE team_id = ? AND (LOWER(name) LIKE ? ESCAPE '\' OR LOWER(slug) LIKE ? ESCAPE '\')
		UNION ALL SELECT 'release', version, status, id, '', '', 1, created_at FROM issues_releases WHERE team_id = ? AND LOWER(version) LIKE ? ESCAPE '\'
		UNION ALL SELECT 'error', title, detail, id, '', '', 2, at FROM (SELECT i.id, i.title, p.slug || '-' || i.number || ' · ' || i.culprit AS detail, i.last_seen AS at
			FROM issues_issues i JOIN issues_projects p ON p.id = i.project_id WHERE i.team_id = ? AND i.status IN ('unresolved', 'resolved', 'archived')
			AND (LOWER(i.title) LIKE ? ESCAPE '\' OR LOWER(p.slug || '-' || i.number) LIKE ? ESCAPE '\') ORDER BY i.last_seen DESC LIMIT ?) e
		UNION ALL SELECT 'view', name, query, 0, '', query, 3, 0 FROM issues_views WHERE team_id = ? AND LOWER(name) LIKE ? ESCAPE '\'
		UNION ALL SELECT 'alert', name, '', id, '', '', 4, 0 FROM issues_alerts WHERE team_id = ? AND LOWER(name) LIKE ? ESCAPE '\'
		UNION ALL SELECT 'monitor', m.slug, p.slug, m.id, '', '', 5, 0 FROM issues_monitors m JOIN issues_projects p ON p.id = m.project_id WHERE p.team_id = ? AND LOWER(m.slug) LIKE ? ESCAPE '\'
		) x ORDER BY place, at DESC LIMIT ?`, team, like, like, team, like, team, like, like, limit, team, like, team, like, team, like, 2*limit).Scan(&list).Error
	if err != nil {
		return nil, err
	}
	named, err := r.threadNamed(ctx, team, text)
	return append(named, list...), err
}

// threadNamed finds what is called by a hash: events by their whole id, commits by their beginning.
func (r rows) threadNamed(ctx context.Context, team int64, text string) (list []threadRow, err error) {
	word := strings.ToLower(strings.ReplaceAll(text, "-", ""))
	if len(word) < 6 || len(word) > 40 || strings.Trim(word, "0123456789abcdef") != "" {
		return nil, nil
	}
	err = r.db.Reader(ctx).Raw(`SELECT 'commit' AS kind, c.sha AS title, l.version || ' · ' || c.message AS detail, l.id FROM issues_commits c JOIN issues_releases l ON l.id = c.release_id
		WHERE c.team_id = ? AND c.sha >= ? AND c.sha < ? ORDER BY l.created_at DESC, c.sha LIMIT 5`, team, word, word+"g").Scan(&list).Error
	if err != nil || len(word) != 32 {
		return list, err
	}
	events, err := r.eventsByID(ctx, team, word)
	for _, e := range events {
		list = append(list, threadRow{Kind: "event", Title: e.Title, Detail: e.Release, ID: e.IssueID, Ref: e.EventID})
	}
	return list, err
}

func (r rows) threadOpen(ctx context.Context, team, user, since int64) (list []threadRow, err error) {
	err = r.db.Reader(ctx).Raw(`SELECT i.substate AS kind, i.title, i.id, i.state_at AS at, i.assignee AS actor, p.slug AS project
		FROM issues_issues i JOIN issues_projects p ON p.id = i.project_id
		WHERE i.team_id = ? AND i.status = 'unresolved' AND ((i.substate IN ('new', 'regressed', 'escalating') AND i.last_seen >= ?) OR (i.assignee_id = ? AND i.assignee_id <> 0))
		ORDER BY i.last_seen DESC LIMIT 50`, team, since, user).Scan(&list).Error
	return list, err
}

// releaseBefore is the one before a release among those of its projects; none when it is the first.
func (r rows) releaseBefore(ctx context.Context, of releaseRow) (list []releaseRow, err error) {
	err = r.db.Reader(ctx).Raw(`SELECT r.* FROM issues_releases r WHERE r.team_id = ? AND (r.created_at, r.id) < (?, ?)
		AND r.id IN (SELECT release_id FROM issues_release_projects WHERE project_id IN (SELECT project_id FROM issues_release_projects WHERE release_id = ?))
		ORDER BY r.created_at DESC, r.id DESC LIMIT 1`, of.TeamID, of.CreatedAt, of.ID, of.ID).Scan(&list).Error
	return list, err
}

// ofRelease selects the events of a release by the issues that have its tag, whose events are in order of time.
const ofRelease = ` FROM issues_tags t JOIN issues_events e ON e.issue_id = t.issue_id AND e.release = t.value
	WHERE t.project_id IN (SELECT project_id FROM issues_release_projects WHERE release_id = ?) AND t.key = 'release' AND t.value = ?`

func (r rows) threadEvents(ctx context.Context, of releaseRow, from, to int64) (n int64, err error) {
	err = r.db.Reader(ctx).Raw("SELECT COUNT(*)"+ofRelease+" AND e.timestamp >= ? AND e.timestamp < ?", of.ID, of.Version, from, to).Scan(&n).Error
	return n, err
}

// threadUsers counts who was affected by the events that are kept.
func (r rows) threadUsers(ctx context.Context, of releaseRow) (n int64, err error) {
	err = r.db.Reader(ctx).Raw("SELECT COUNT(DISTINCT e.user_hash)"+ofRelease+" AND e.user_hash <> 0", of.ID, of.Version).Scan(&n).Error
	return n, err
}

type threadEnvironment struct {
	Name         string
	Events, Last int64
}

func (r rows) threadEnvironments(ctx context.Context, of releaseRow) (list []threadEnvironment, err error) {
	err = r.db.Reader(ctx).Raw("SELECT e.environment AS name, COUNT(*) AS events, MAX(e.timestamp) AS last"+ofRelease+" GROUP BY e.environment ORDER BY 2 DESC LIMIT 50", of.ID, of.Version).Scan(&list).Error
	return list, err
}
