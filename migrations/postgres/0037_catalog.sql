-- +goose Up
-- Services: what ties a repository, a job, an error project, log lines and a package together.
CREATE TABLE accounts_services (
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    -- JSON: names of people
    owners TEXT NOT NULL,
    -- owner/name in lower case
    repository TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    job TEXT NOT NULL,
    -- The slug of an error project.
    project TEXT NOT NULL,
    -- A search of log lines.
    log_filter TEXT NOT NULL,
    -- The package by which nodes carry it.
    package TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, name)
);
-- What a timeline asks by time alone.
CREATE INDEX ci_builds_ended ON ci_builds(team_id, ended_at);
CREATE INDEX issues_activity_at ON issues_activity(at);
