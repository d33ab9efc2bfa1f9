-- +goose Up
-- What a team has sent over each way in.
CREATE TABLE logs_sources (
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    -- loki, elastic, otlp, syslog, fluent, journald, jsonline …
    source TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    lines BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (team_id, source)
);
-- Lines that were not kept, by reason.
CREATE TABLE logs_rejects (
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    reason TEXT NOT NULL,
    lines BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    PRIMARY KEY (team_id, source, reason)
);
-- What is masked in a team's lines before they are kept.
CREATE TABLE logs_masks (
    team_id BIGINT PRIMARY KEY REFERENCES accounts_teams(id) ON DELETE CASCADE,
    -- JSON
    rules TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);
