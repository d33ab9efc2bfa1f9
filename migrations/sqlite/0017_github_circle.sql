-- +goose Up
-- token or app. Of an App: its number, its private key (sealed) and the chosen installation.
ALTER TABLE github_connections ADD COLUMN kind TEXT NOT NULL DEFAULT 'token';
ALTER TABLE github_connections ADD COLUMN app_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE github_connections ADD COLUMN app_slug TEXT NOT NULL DEFAULT '';
ALTER TABLE github_connections ADD COLUMN app_url TEXT NOT NULL DEFAULT '';
ALTER TABLE github_connections ADD COLUMN app_key BLOB;
ALTER TABLE github_connections ADD COLUMN installation BIGINT NOT NULL DEFAULT 0;
-- Removed by a person, kept until its hooks are removed at GitHub.
ALTER TABLE github_connections ADD COLUMN removed_at BIGINT NOT NULL DEFAULT 0;
-- plain (entered by hand), repository, organization or app.
ALTER TABLE github_hooks ADD COLUMN kind TEXT NOT NULL DEFAULT 'plain';
-- What the hook is at; empty while unknown.
ALTER TABLE github_hooks ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE github_hooks ADD COLUMN repo TEXT NOT NULL DEFAULT '';
ALTER TABLE github_hooks ADD COLUMN github_id BIGINT NOT NULL DEFAULT 0;
-- We create and mend it at GitHub.
ALTER TABLE github_hooks ADD COLUMN managed BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE github_hooks ADD COLUMN events TEXT NOT NULL DEFAULT '[]';
-- Of a managed hook: waiting, ok or broken, and why.
ALTER TABLE github_hooks ADD COLUMN state TEXT NOT NULL DEFAULT '';
ALTER TABLE github_hooks ADD COLUMN problem TEXT NOT NULL DEFAULT '';
-- GitHub does not have the newest secret yet.
ALTER TABLE github_hooks ADD COLUMN secret_pending BOOLEAN NOT NULL DEFAULT FALSE;
-- GitHub's own stamp after our last change; another one means somebody changed it there.
ALTER TABLE github_hooks ADD COLUMN github_stamp TEXT NOT NULL DEFAULT '';
-- Comparison with GitHub's list of deliveries.
ALTER TABLE github_hooks ADD COLUMN compared_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE github_hooks ADD COLUMN compare_next BIGINT NOT NULL DEFAULT 0;
ALTER TABLE github_hooks ADD COLUMN compare_error TEXT NOT NULL DEFAULT '';
ALTER TABLE github_hooks ADD COLUMN compare_failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE github_hooks ADD COLUMN missing BIGINT NOT NULL DEFAULT 0;
ALTER TABLE github_hooks ADD COLUMN recovered BIGINT NOT NULL DEFAULT 0;
-- When GitHub sent the last one that did not arrive.
ALTER TABLE github_hooks ADD COLUMN missed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE github_deliveries ADD COLUMN github_id BIGINT NOT NULL DEFAULT 0;
-- It did not arrive and was fetched.
ALTER TABLE github_deliveries ADD COLUMN gap BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE github_deliveries ADD COLUMN installation BIGINT NOT NULL DEFAULT 0;
ALTER TABLE github_statuses ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE github_statuses ADD COLUMN failed BOOLEAN NOT NULL DEFAULT FALSE;
-- The hook that told, and when a person or GitHub moved it, where to.
ALTER TABLE github_repositories ADD COLUMN hook_id TEXT NOT NULL DEFAULT '';
CREATE TABLE github_moves (
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    -- Both as host/owner/name in lower case.
    from_place TEXT NOT NULL,
    to_place TEXT NOT NULL,
    moved_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, from_place, to_place)
);
CREATE INDEX github_moves_to ON github_moves(team_id, to_place);
-- A manifest on its way through GitHub, bound to the session that began it.
CREATE TABLE github_app_flows (
    -- SHA-256 of the state parameter.
    state TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL,
    -- The session or token that began it.
    holder TEXT NOT NULL,
    organization TEXT NOT NULL,
    api_url TEXT NOT NULL,
    hook_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
-- Hooks to be removed at GitHub; their own rows are gone.
CREATE TABLE github_removals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    connection_id TEXT NOT NULL REFERENCES github_connections(id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    repo TEXT NOT NULL,
    github_id BIGINT NOT NULL,
    url TEXT NOT NULL,
    error TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
);
CREATE INDEX github_removals_connection ON github_removals(connection_id);
-- Check runs and comments: what GitHub should show. Statuses have a table of their own.
CREATE TABLE github_posts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    connection_id TEXT NOT NULL REFERENCES github_connections(id) ON DELETE CASCADE,
    -- check or comment
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    repo TEXT NOT NULL,
    -- Which one: commit, name and external id of a check; number and key of a comment.
    subject TEXT NOT NULL,
    sha TEXT NOT NULL DEFAULT '',
    number BIGINT NOT NULL DEFAULT 0,
    -- Hidden in a comment, to find it by.
    marker TEXT NOT NULL DEFAULT '',
    -- JSON
    content TEXT NOT NULL,
    wanted BIGINT NOT NULL,
    posted BIGINT NOT NULL DEFAULT 0,
    -- GitHub's id once it is known.
    github_id BIGINT NOT NULL DEFAULT 0,
    -- How many annotations GitHub has.
    annotated BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    failed BOOLEAN NOT NULL DEFAULT FALSE,
    error TEXT NOT NULL DEFAULT '',
    updated_at BIGINT NOT NULL,
    UNIQUE (connection_id, kind, owner, repo, subject)
);
CREATE INDEX github_posts_updated ON github_posts(updated_at);
CREATE INDEX github_posts_team ON github_posts(team_id, updated_at);
CREATE TABLE github_rules (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- JSON lists; no actions means all.
    events TEXT NOT NULL,
    actions TEXT NOT NULL DEFAULT '[]',
    -- Globs; empty means all.
    repository TEXT NOT NULL DEFAULT '',
    branch TEXT NOT NULL DEFAULT '',
    channel_id TEXT NOT NULL,
    enabled BOOLEAN NOT NULL DEFAULT TRUE,
    last_sent_at BIGINT NOT NULL DEFAULT 0,
    sent BIGINT NOT NULL DEFAULT 0,
    failed BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (team_id, name)
);
CREATE TABLE github_rule_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    rule_id TEXT NOT NULL REFERENCES github_rules(id) ON DELETE CASCADE,
    -- Ours that caused it; empty for a test.
    delivery_id TEXT NOT NULL DEFAULT '',
    -- What the channel calls it.
    message_id BIGINT NOT NULL,
    title TEXT NOT NULL,
    -- waiting, sent or failed
    state TEXT NOT NULL,
    error TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX github_rule_messages_rule ON github_rule_messages(rule_id, id);
CREATE UNIQUE INDEX github_rule_messages_once ON github_rule_messages(rule_id, delivery_id) WHERE delivery_id <> '';
CREATE INDEX github_rule_messages_waiting ON github_rule_messages(id) WHERE state = 'waiting';
