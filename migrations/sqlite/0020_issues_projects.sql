-- +goose Up
-- Times are Unix milliseconds; 0 means never.
CREATE TABLE issues_projects (
    -- In the DSN, so that an id is never given again.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    platform TEXT NOT NULL DEFAULT '',
    -- JSON: a list of origins, the inbound filters, a list of limits.
    origins TEXT NOT NULL DEFAULT '[]',
    filters TEXT NOT NULL DEFAULT '{}',
    limits TEXT NOT NULL DEFAULT '[]',
    -- 0 means the installation's default.
    retention_days INTEGER NOT NULL DEFAULT 0,
    retention_events BIGINT NOT NULL DEFAULT 0,
    retention_bytes BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    first_event_at BIGINT NOT NULL DEFAULT 0,
    last_event_at BIGINT NOT NULL DEFAULT 0,
    UNIQUE (team_id, slug)
);
CREATE TABLE issues_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id BIGINT NOT NULL REFERENCES issues_projects(id) ON DELETE CASCADE,
    -- 32 hex digits. Not hashed: it is part of every copy of the program that reports.
    public TEXT NOT NULL UNIQUE,
    -- Means nothing; clients of the first years insist on one.
    secret TEXT NOT NULL,
    label TEXT NOT NULL,
    active BOOLEAN NOT NULL DEFAULT TRUE,
    limits TEXT NOT NULL DEFAULT '[]',
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX issues_keys_project ON issues_keys(project_id);
-- What became of what was sent. No reference to the project: counters may come after its end.
CREATE TABLE issues_outcomes (
    project_id BIGINT NOT NULL,
    -- 0 when no key is concerned.
    key_id BIGINT NOT NULL,
    -- The beginning of the hour.
    hour BIGINT NOT NULL,
    -- accepted, filtered, limited, dropped, invalid, or discarded by the client
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    category TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    PRIMARY KEY (project_id, hour, key_id, outcome, reason, category)
) WITHOUT ROWID;
CREATE INDEX issues_outcomes_hour ON issues_outcomes(hour);
-- Up to where each server's spool is digested.
CREATE TABLE issues_spools (
    node TEXT PRIMARY KEY,
    position BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
-- Items that could not be digested, put aside so that they block nothing.
CREATE TABLE issues_rejected (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL,
    project_id BIGINT NOT NULL REFERENCES issues_projects(id) ON DELETE CASCADE,
    item_type TEXT NOT NULL,
    event_id TEXT NOT NULL,
    client TEXT NOT NULL,
    reason TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX issues_rejected_project ON issues_rejected(project_id, id);
CREATE INDEX issues_rejected_created ON issues_rejected(created_at);
-- Blobs that belong to items in a spool until these are digested.
CREATE TABLE issues_holds (
    id TEXT PRIMARY KEY,
    node TEXT NOT NULL,
    team_id BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX issues_holds_node ON issues_holds(node, created_at);
