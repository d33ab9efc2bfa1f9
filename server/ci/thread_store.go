package ci

import (
	"context"
	"strconv"
	"strings"

	"github.com/signalbox/signalbox/server/platform/database"
)

// threadBuilds selects builds of jobs with their names and one commit that they took.
const threadBuilds = `SELECT b.id, b.name, b.status, b.created_by, b.cause, b.created_at, b.started_at, b.ended_at, b.job_id, p.name AS pipeline, p.instance_vars, j.name AS job,
	COALESCE(v.version, '') AS version, COALESCE(r.repository, '') AS repository
	FROM ci_builds b JOIN ci_jobs j ON j.id = b.job_id JOIN ci_pipelines p ON p.id = b.pipeline_id
	LEFT JOIN ci_versions v ON v.id = (SELECT MIN(x.version_id) FROM ci_build_versions x JOIN ci_resources y ON y.id = x.resource_id
		WHERE x.build_id = b.id AND x.direction = 'in' AND y.repository <> '')
	LEFT JOIN ci_resources r ON r.id = v.resource_id `

func (s store) threadBuilds(ctx context.Context, where string, args ...any) (list []threadBuild, err error) {
	err = s.db.Reader(ctx).Raw(threadBuilds+where, args...).Scan(&list).Error
	return list, err
}

func (s store) endedBetween(ctx context.Context, team, from, to int64, limit int) ([]threadBuild, error) {
	return s.threadBuilds(ctx, "WHERE b.team_id = ? AND b.ended_at >= ? AND b.ended_at < ? ORDER BY b.ended_at DESC LIMIT ?", team, from, to, limit)
}

// waitingFor gives the builds that wait for somebody's approval.
func (s store) waitingFor(ctx context.Context, team int64) ([]threadBuild, error) {
	return s.threadBuilds(ctx, "WHERE b.team_id = ? AND b.id IN (SELECT build_id FROM ci_approvals WHERE team_id = ? AND state = 'waiting') ORDER BY b.id DESC LIMIT 50", team, team)
}

// brokenJobs gives the newest ended build of each job where that did not succeed.
func (s store) brokenJobs(ctx context.Context, team int64) ([]threadBuild, error) {
	return s.threadBuilds(ctx, `WHERE b.team_id = ? AND b.id = j.finished_build_id AND j.active AND NOT p.archived AND NOT p.paused
		AND b.status IN ('failed', 'errored') ORDER BY b.ended_at DESC LIMIT 50`, team)
}

// touchedJobs are those that a person has run lately.
func (s store) touchedJobs(ctx context.Context, team int64, who string, since int64) (ids []int64, err error) {
	err = s.db.Reader(ctx).Raw("SELECT DISTINCT job_id FROM ci_builds WHERE team_id = ? AND created_by = ? AND ended_at >= ? AND job_id <> 0", team, who, since).Scan(&ids).Error
	return ids, err
}

// buildsLike finds builds by number, with a word of their pipeline or job before it, or by the beginning of a commit.
func (s store) buildsLike(ctx context.Context, team int64, text string, limit int) ([]threadBuild, error) {
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '/' || r == '#' })
	if len(words) == 0 {
		return nil, nil
	}
	last := words[len(words)-1]
	if _, err := strconv.ParseUint(last, 10, 32); err == nil {
		name := database.Containing(strings.Join(words[:len(words)-1], "/"))
		return s.threadBuilds(ctx, `WHERE b.team_id = ? AND b.name = ? AND (LOWER(p.name || '/' || j.name) LIKE ? ESCAPE '\') ORDER BY b.id DESC LIMIT ?`, team, last, name, limit)
	}
	if len(words) > 1 || !isSHA(last) {
		return nil, nil
	}
	return s.threadBuilds(ctx, `WHERE b.team_id = ? AND v.version LIKE ? ORDER BY b.id DESC LIMIT ?`, team, `{"ref":"`+strings.ToLower(last)+"%", limit)
}

// buildsOfCommits gives the builds that took one of the commits, whole names in lower case, from a repository.
func (s store) buildsOfCommits(ctx context.Context, team int64, commits []string, limit int) ([]threadBuild, error) {
	if len(commits) == 0 {
		return nil, nil
	}
	var like []string
	args := []any{team, team}
	for _, sha := range commits {
		like = append(like, "t.version LIKE ?")
		args = append(args, `%"`+sha+`"%`)
	}
	return s.threadBuilds(ctx, `WHERE b.team_id = ? AND b.id IN (SELECT u.build_id FROM ci_versions t JOIN ci_build_versions u ON u.version_id = t.id AND u.direction = 'in'
		WHERE t.resource_id IN (SELECT id FROM ci_resources WHERE team_id = ? AND repository <> '') AND (`+strings.Join(like, " OR ")+`)) ORDER BY b.id DESC LIMIT ?`, append(args, limit)...)
}

// countFingerprint counts a team's builds before one that failed in the same way.
func (s store) countFingerprint(ctx context.Context, team, before int64, words string) (n int, err error) {
	err = s.db.Reader(ctx).Raw("SELECT COUNT(*) FROM ci_build_failures f JOIN ci_builds b ON b.id = f.build_id WHERE f.fingerprint = ? AND b.team_id = ? AND b.id < ?", words, team, before).Scan(&n).Error
	return n, err
}

// isSHA tells whether a word could be the beginning of a commit's name.
func isSHA(word string) bool {
	return len(word) >= 6 && len(word) <= 40 && strings.Trim(strings.ToLower(word), "0123456789abcdef") == ""
}

type threadName struct{ Kind, Name, Pipeline string }

func (s store) namedLike(ctx context.Context, team int64, text string, limit int) (list []threadName, err error) {
	like := database.Containing(text)
	err = s.db.Reader(ctx).Raw(`SELECT * FROM (
		SELECT 'pipeline' AS kind, name, name AS pipeline, 0 AS place FROM ci_pipelines WHERE team_id = ? AND NOT archived AND instance_vars = '' AND LOWER(name) LIKE ? ESCAPE '\'
		UNION ALL SELECT 'job', j.name, p.name, 1 FROM ci_jobs j JOIN ci_pipelines p ON p.id = j.pipeline_id
			WHERE j.team_id = ? AND j.active AND NOT p.archived AND p.instance_vars = '' AND LOWER(p.name || '/' || j.name) LIKE ? ESCAPE '\'
		UNION ALL SELECT 'resource', r.name, p.name, 2 FROM ci_resources r JOIN ci_pipelines p ON p.id = r.pipeline_id
			WHERE r.team_id = ? AND r.active AND NOT p.archived AND p.instance_vars = '' AND LOWER(r.name) LIKE ? ESCAPE '\'
		UNION ALL SELECT DISTINCT 'repository', repository, '', 3 FROM ci_resources WHERE team_id = ? AND active AND LOWER(repository) LIKE ? ESCAPE '\'
		) x ORDER BY place, LENGTH(name), name, pipeline LIMIT ?`, team, like, team, like, team, like, team, like, limit).Scan(&list).Error
	return list, err
}

// watched gives the repositories of each pipeline, as host/owner/name.
func (s store) watched(ctx context.Context, team int64) (map[string][]string, error) {
	var rows []struct{ Pipeline, Repository string }
	err := s.db.Reader(ctx).Raw(`SELECT DISTINCT p.name AS pipeline, COALESCE(r.repository, '') AS repository FROM ci_pipelines p
		LEFT JOIN ci_resources r ON r.pipeline_id = p.id AND r.active AND r.repository <> ''
		WHERE p.team_id = ? AND NOT p.archived AND p.instance_vars = '' ORDER BY 1, 2`, team).Scan(&rows).Error
	out := map[string][]string{}
	for _, r := range rows {
		if out[r.Pipeline] = append(out[r.Pipeline], r.Repository); r.Repository == "" {
			out[r.Pipeline] = nil
		}
	}
	return out, err
}
