-- +goose Up
-- Searches under a name, and, without one, what short links lead to. Times are Unix milliseconds; 0 means never.
CREATE TABLE logs_searches (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    -- RFC 3339, or relative as "now-1h"
    start_time TEXT NOT NULL,
    end_time TEXT NOT NULL,
    -- JSON
    columns TEXT NOT NULL,
    shared BOOLEAN NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX logs_searches_team ON logs_searches(team_id, name);
-- What a team has set for itself; 0 leaves it to the installation.
CREATE TABLE logs_limits (
    team_id BIGINT PRIMARY KEY REFERENCES accounts_teams(id) ON DELETE CASCADE,
    retention_days BIGINT NOT NULL,
    retention_bytes BIGINT NOT NULL,
    lines_per_second BIGINT NOT NULL,
    bytes_per_day BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);
-- What a team has received by day (days since 1970, UTC).
CREATE TABLE logs_usage (
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    day BIGINT NOT NULL,
    lines BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (team_id, day)
) WITHOUT ROWID;
CREATE TABLE logs_alerts (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    -- JSON: what has to happen.
    condition TEXT NOT NULL,
    -- JSON: who is told.
    actions TEXT NOT NULL,
    throttle_minutes BIGINT NOT NULL,
    remind_minutes BIGINT NOT NULL,
    resolve BOOLEAN NOT NULL,
    muted_until BIGINT NOT NULL DEFAULT 0,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- Grows with each change, so that a look at the lines that began before it counts for nothing.
    revision BIGINT NOT NULL DEFAULT 0,
    checked_at BIGINT NOT NULL DEFAULT 0,
    -- Of the last look; without a value there was nothing to calculate from.
    value DOUBLE PRECISION,
    error TEXT NOT NULL DEFAULT '',
    error_since BIGINT NOT NULL DEFAULT 0,
    told_at BIGINT NOT NULL DEFAULT 0,
    fired_at BIGINT NOT NULL DEFAULT 0,
    -- When nobody looked for so long, few lines say little until then.
    gap BIGINT NOT NULL DEFAULT 0,
    gap_until BIGINT NOT NULL DEFAULT 0,
    -- Up to when patterns of messages have been learned.
    learned_to BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX logs_alerts_team ON logs_alerts(team_id, name);
-- What an alert fires about, and groups whose silence it would notice.
CREATE TABLE logs_alert_states (
    alert_id TEXT NOT NULL REFERENCES logs_alerts(id) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    firing BOOLEAN NOT NULL,
    since BIGINT NOT NULL,
    value DOUBLE PRECISION,
    told BOOLEAN NOT NULL,
    firing_id BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (alert_id, subject)
) WITHOUT ROWID;
-- Patterns of messages that an alert has seen.
CREATE TABLE logs_alert_patterns (
    alert_id TEXT NOT NULL REFERENCES logs_alerts(id) ON DELETE CASCADE,
    -- SHA-256 of the pattern
    hash TEXT NOT NULL,
    pattern TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (alert_id, hash)
);
CREATE TABLE logs_alert_firings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    alert_id TEXT NOT NULL REFERENCES logs_alerts(id) ON DELETE CASCADE,
    team_id BIGINT NOT NULL,
    subject TEXT NOT NULL,
    at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    value DOUBLE PRECISION,
    why TEXT NOT NULL,
    url TEXT NOT NULL,
    test BOOLEAN NOT NULL,
    -- JSON: what was done for each action.
    deliveries TEXT NOT NULL
);
CREATE INDEX logs_alert_firings_alert ON logs_alert_firings(alert_id, id);
CREATE INDEX logs_alert_firings_at ON logs_alert_firings(at);
