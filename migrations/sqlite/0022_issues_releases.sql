-- +goose Up
-- Times are Unix milliseconds; 0 means never. Releases belong to a team, as in Sentry to an organization.
CREATE TABLE issues_releases (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    version TEXT NOT NULL,
    -- open or archived
    status TEXT NOT NULL DEFAULT 'open',
    url TEXT NOT NULL DEFAULT '',
    ref TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    started_at BIGINT NOT NULL DEFAULT 0,
    released_at BIGINT NOT NULL DEFAULT 0,
    -- JSON: what set-commits named, repository and commit
    refs TEXT NOT NULL DEFAULT '[]',
    UNIQUE (team_id, version)
);
CREATE INDEX issues_releases_created ON issues_releases(team_id, created_at, id);
CREATE TABLE issues_release_projects (
    release_id BIGINT NOT NULL REFERENCES issues_releases(id) ON DELETE CASCADE,
    project_id BIGINT NOT NULL,
    PRIMARY KEY (release_id, project_id)
) WITHOUT ROWID;
CREATE INDEX issues_release_projects_project ON issues_release_projects(project_id, release_id);
CREATE TABLE issues_commits (
    release_id BIGINT NOT NULL REFERENCES issues_releases(id) ON DELETE CASCADE,
    team_id BIGINT NOT NULL,
    sha TEXT NOT NULL,
    -- Order as given: newest first.
    position BIGINT NOT NULL,
    repository TEXT NOT NULL,
    author TEXT NOT NULL,
    email TEXT NOT NULL,
    message TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- JSON: paths and what became of them
    files TEXT NOT NULL,
    PRIMARY KEY (release_id, sha)
) WITHOUT ROWID;
CREATE INDEX issues_commits_sha ON issues_commits(team_id, sha);
CREATE TABLE issues_deploys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    release_id BIGINT NOT NULL REFERENCES issues_releases(id) ON DELETE CASCADE,
    environment TEXT NOT NULL,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT NOT NULL
);
CREATE INDEX issues_deploys_release ON issues_deploys(release_id, id);
-- Which issues a release brought or brought back.
CREATE INDEX issues_issues_release ON issues_issues(project_id, first_release);
CREATE INDEX issues_activity_regressed ON issues_activity(detail, issue_id) WHERE kind = 'regressed';
-- Health, counted per hour.
CREATE TABLE issues_sessions (
    project_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    release TEXT NOT NULL,
    environment TEXT NOT NULL,
    total BIGINT NOT NULL,
    errored BIGINT NOT NULL,
    crashed BIGINT NOT NULL,
    abnormal BIGINT NOT NULL,
    PRIMARY KEY (project_id, hour, release, environment)
) WITHOUT ROWID;
CREATE INDEX issues_sessions_release ON issues_sessions(project_id, release, hour);
-- Sessions that went wrong, so that none is counted twice.
CREATE TABLE issues_session_marks (
    project_id BIGINT NOT NULL,
    session TEXT NOT NULL,
    mark TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (project_id, session, mark)
) WITHOUT ROWID;
CREATE INDEX issues_session_marks_at ON issues_session_marks(at);
-- Uploaded pieces by SHA-1, until they are assembled.
CREATE TABLE issues_chunks (
    team_id BIGINT NOT NULL,
    sha1 TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, sha1)
) WITHOUT ROWID;
CREATE INDEX issues_chunks_created ON issues_chunks(created_at);
-- Bundles with source maps, and debug files.
CREATE TABLE issues_artifacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL,
    project_id BIGINT NOT NULL,
    -- bundle or debug_file
    kind TEXT NOT NULL,
    -- SHA-1 as the client knows it; the bytes are the blob.
    checksum TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size BIGINT NOT NULL,
    name TEXT NOT NULL,
    release TEXT NOT NULL,
    dist TEXT NOT NULL,
    debug_id TEXT NOT NULL,
    files BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX issues_artifacts_checksum ON issues_artifacts(project_id, kind, checksum, release, dist);
CREATE INDEX issues_artifacts_release ON issues_artifacts(project_id, release, id);
CREATE INDEX issues_artifacts_used ON issues_artifacts(used_at);
CREATE TABLE issues_artifact_files (
    artifact_id BIGINT NOT NULL REFERENCES issues_artifacts(id) ON DELETE CASCADE,
    project_id BIGINT NOT NULL,
    path TEXT NOT NULL,
    url TEXT NOT NULL,
    kind TEXT NOT NULL,
    debug_id TEXT NOT NULL,
    source_map TEXT NOT NULL,
    PRIMARY KEY (artifact_id, path)
) WITHOUT ROWID;
CREATE INDEX issues_artifact_files_debug ON issues_artifact_files(project_id, debug_id, kind);
CREATE INDEX issues_artifact_files_url ON issues_artifact_files(project_id, url);
CREATE TABLE issues_monitors (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL,
    project_id BIGINT NOT NULL,
    slug TEXT NOT NULL,
    -- crontab, or every so many units; both empty when nothing is expected
    crontab TEXT NOT NULL DEFAULT '',
    every BIGINT NOT NULL DEFAULT 0,
    unit TEXT NOT NULL DEFAULT '',
    timezone TEXT NOT NULL DEFAULT 'UTC',
    -- Seconds.
    margin BIGINT NOT NULL,
    max_runtime BIGINT NOT NULL,
    failure_threshold BIGINT NOT NULL,
    recovery_threshold BIGINT NOT NULL,
    muted BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    UNIQUE (project_id, slug)
);
CREATE INDEX issues_monitors_team ON issues_monitors(team_id, slug);
-- A monitor in one environment.
CREATE TABLE issues_monitor_states (
    monitor_id BIGINT NOT NULL REFERENCES issues_monitors(id) ON DELETE CASCADE,
    environment TEXT NOT NULL,
    -- waiting, ok or failing
    status TEXT NOT NULL,
    failures BIGINT NOT NULL DEFAULT 0,
    successes BIGINT NOT NULL DEFAULT 0,
    last_at BIGINT NOT NULL DEFAULT 0,
    -- When the next check-in is expected; 0 when none is.
    next_at BIGINT NOT NULL DEFAULT 0,
    -- With the margin: when it counts as missed.
    missed_at BIGINT NOT NULL DEFAULT 0,
    -- Since when it fails, and whether that has been told.
    failing_at BIGINT NOT NULL DEFAULT 0,
    told BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (monitor_id, environment)
) WITHOUT ROWID;
CREATE INDEX issues_monitor_states_missed ON issues_monitor_states(missed_at) WHERE missed_at > 0;
CREATE INDEX issues_monitor_states_told ON issues_monitor_states(monitor_id) WHERE failing_at > 0 AND told = FALSE;
CREATE TABLE issues_check_ins (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    monitor_id BIGINT NOT NULL REFERENCES issues_monitors(id) ON DELETE CASCADE,
    environment TEXT NOT NULL,
    check_in TEXT NOT NULL,
    -- in_progress, ok, error, missed, timeout
    status TEXT NOT NULL,
    late BOOLEAN NOT NULL DEFAULT FALSE,
    -- Milliseconds, -1 when unknown.
    duration BIGINT NOT NULL,
    release TEXT NOT NULL,
    expected_at BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    -- When an unfinished one counts as failed.
    timeout_at BIGINT NOT NULL
);
CREATE INDEX issues_check_ins_monitor ON issues_check_ins(monitor_id, environment, id);
CREATE INDEX issues_check_ins_id ON issues_check_ins(monitor_id, check_in);
CREATE INDEX issues_check_ins_timeout ON issues_check_ins(timeout_at) WHERE timeout_at > 0;
CREATE INDEX issues_check_ins_started ON issues_check_ins(started_at);
