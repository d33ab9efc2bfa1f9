-- +goose Up
CREATE TABLE github_connections (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    api_url TEXT NOT NULL,
    -- Sealed.
    token BLOB NOT NULL,
    -- Whom the token belonged to when it was last tested, and what went wrong then.
    login TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    tested_at BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (team_id, name)
);
CREATE TABLE github_hooks (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    connection_id TEXT REFERENCES github_connections(id) ON DELETE SET NULL,
    -- Both sealed. The previous secret stays valid until previous_until.
    secret BLOB NOT NULL,
    previous_secret BLOB,
    previous_until BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL DEFAULT 0,
    last_delivery_at BIGINT NOT NULL DEFAULT 0,
    last_ping_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX github_hooks_team ON github_hooks(team_id);
CREATE TABLE github_deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    team_id BIGINT NOT NULL,
    hook_id TEXT NOT NULL REFERENCES github_hooks(id) ON DELETE CASCADE,
    -- GitHub's delivery id; NULL for refused ones, which must not occupy it.
    guid TEXT,
    event TEXT NOT NULL,
    action TEXT NOT NULL DEFAULT '',
    repository TEXT NOT NULL DEFAULT '',
    sender TEXT NOT NULL DEFAULT '',
    received_at BIGINT NOT NULL,
    -- accepted or refused
    verdict TEXT NOT NULL,
    -- How many refusals this row stands for.
    repeats INTEGER NOT NULL DEFAULT 1,
    headers TEXT NOT NULL DEFAULT '{}',
    -- The JSON document; in the blob store instead when it is big.
    body BLOB,
    blob TEXT NOT NULL DEFAULT '',
    size BIGINT NOT NULL DEFAULT 0,
    -- waiting, done, failed (after the last attempt), none (nothing to digest)
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at BIGINT NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    digested_at BIGINT NOT NULL DEFAULT 0,
    digest_ms BIGINT NOT NULL DEFAULT 0,
    -- What it caused: JSON list of {kind, id, title, url}.
    caused TEXT NOT NULL DEFAULT '[]',
    UNIQUE (hook_id, guid)
);
CREATE INDEX github_deliveries_waiting ON github_deliveries(seq) WHERE state = 'waiting';
CREATE INDEX github_deliveries_team ON github_deliveries(team_id, seq);
CREATE INDEX github_deliveries_refused ON github_deliveries(hook_id, seq) WHERE verdict = 'refused';
CREATE INDEX github_deliveries_received ON github_deliveries(received_at);
CREATE TABLE github_statuses (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    connection_id TEXT NOT NULL REFERENCES github_connections(id) ON DELETE CASCADE,
    owner TEXT NOT NULL,
    repo TEXT NOT NULL,
    sha TEXT NOT NULL,
    context TEXT NOT NULL,
    -- What GitHub should show, and the number of that wish.
    state TEXT NOT NULL,
    description TEXT NOT NULL,
    target_url TEXT NOT NULL,
    wanted INTEGER NOT NULL,
    -- The number of the last wish that GitHub confirmed.
    posted INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    updated_at BIGINT NOT NULL,
    UNIQUE (connection_id, owner, repo, sha, context)
);
CREATE INDEX github_statuses_updated ON github_statuses(updated_at);
