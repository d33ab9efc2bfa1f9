-- +goose Up
-- JSON: what a project takes out of events before it stores them.
ALTER TABLE issues_projects ADD COLUMN scrubbing TEXT NOT NULL DEFAULT '{}';
-- Mixed into hashes of what is taken out; made with the first rules.
ALTER TABLE issues_projects ADD COLUMN salt TEXT NOT NULL DEFAULT '';
-- owner/name of the repository whose builds make releases; '' when none does.
ALTER TABLE issues_projects ADD COLUMN repository TEXT NOT NULL DEFAULT '';
CREATE INDEX issues_projects_repository ON issues_projects(team_id, repository) WHERE repository <> '';
-- A user's data being taken out of what a project holds, in steps.
CREATE TABLE issues_erasures (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    project_id BIGINT NOT NULL REFERENCES issues_projects(id) ON DELETE CASCADE,
    -- waiting, running, done or failed
    state TEXT NOT NULL,
    -- rewrite or delete
    mode TEXT NOT NULL,
    -- JSON: how the user is known; '' once it is done, so that nothing here tells of them.
    subject TEXT NOT NULL,
    -- The same for people, with most of it left out.
    label TEXT NOT NULL,
    -- The last event that was looked at.
    position BIGINT NOT NULL DEFAULT 0,
    -- JSON: what was found.
    counts TEXT NOT NULL DEFAULT '{}',
    error TEXT NOT NULL DEFAULT '',
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX issues_erasures_project ON issues_erasures(project_id, created_at);
-- Searches that a team keeps.
CREATE TABLE issues_views (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    sort TEXT NOT NULL,
    -- A slug, '' for all projects.
    project TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (team_id, name)
);
