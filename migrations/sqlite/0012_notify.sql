-- +goose Up
CREATE TABLE notify_channels (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- mail, slack or webhook
    kind TEXT NOT NULL,
    -- Where to and with which secret: JSON, sealed.
    target BLOB NOT NULL,
    -- What may be shown of the target.
    summary TEXT NOT NULL,
    -- JSON lists; no pipelines means all.
    events TEXT NOT NULL,
    pipelines TEXT NOT NULL DEFAULT '[]',
    enabled BOOLEAN NOT NULL DEFAULT TRUE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (team_id, name)
);
CREATE TABLE notify_deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    channel_id TEXT NOT NULL REFERENCES notify_channels(id) ON DELETE CASCADE,
    event TEXT NOT NULL,
    title TEXT NOT NULL,
    -- The whole message as JSON.
    message TEXT NOT NULL,
    -- waiting, sent or failed
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX notify_deliveries_channel ON notify_deliveries(channel_id, id);
