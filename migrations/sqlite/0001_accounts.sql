-- +goose Up
CREATE TABLE accounts_teams (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    -- Whether an administrator lets this team's tasks run privileged.
    privileged BOOLEAN NOT NULL DEFAULT FALSE,
    -- Concourse's auth document as set by fly set-team, JSON.
    auth TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE accounts_users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    is_admin BOOLEAN NOT NULL DEFAULT FALSE,
    disabled BOOLEAN NOT NULL DEFAULT FALSE,
    must_change_password BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    last_login_at BIGINT NOT NULL DEFAULT 0
);
-- Names differ by more than their case: Admin must not pass for admin.
CREATE UNIQUE INDEX accounts_users_lower ON accounts_users(lower(name));
CREATE TABLE accounts_members (
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL REFERENCES accounts_users(id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    PRIMARY KEY (team_id, user_id)
);
CREATE TABLE accounts_sessions (
    -- SHA-256 of the cookie's value, hex.
    hash TEXT PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES accounts_users(id) ON DELETE CASCADE,
    csrf TEXT NOT NULL,
    -- Times are Unix milliseconds, here and everywhere.
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
);
CREATE INDEX accounts_sessions_user ON accounts_sessions(user_id);
CREATE TABLE accounts_tokens (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    user_id BIGINT NOT NULL REFERENCES accounts_users(id) ON DELETE CASCADE,
    -- 0: every team of the user.
    team_id BIGINT NOT NULL DEFAULT 0,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    -- 'api', or 'fly' for those that the password grant gave out.
    kind TEXT NOT NULL DEFAULT 'api',
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL DEFAULT 0,
    last_used_at BIGINT NOT NULL DEFAULT 0,
    revoked_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX accounts_tokens_user ON accounts_tokens(user_id);
-- Expired sessions and tokens are swept by these.
CREATE INDEX accounts_sessions_expiry ON accounts_sessions(expires_at);
CREATE INDEX accounts_tokens_expiry ON accounts_tokens(expires_at) WHERE expires_at > 0;
CREATE INDEX accounts_members_user ON accounts_members(user_id);
CREATE TABLE accounts_audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    -- 0: concerns the installation.
    team_id BIGINT NOT NULL DEFAULT 0,
    actor TEXT NOT NULL,
    actor_id BIGINT NOT NULL DEFAULT 0,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    request_id TEXT NOT NULL DEFAULT ''
);
CREATE INDEX accounts_audit_team ON accounts_audit(team_id, id);
