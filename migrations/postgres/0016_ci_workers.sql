-- +goose Up
-- The workers that have reported, and whether an administrator lets them land: that
-- outlives a restart of their server.
CREATE TABLE ci_workers (
    name TEXT PRIMARY KEY,
    landing BOOLEAN NOT NULL DEFAULT FALSE,
    message TEXT NOT NULL DEFAULT '',
    running BIGINT NOT NULL DEFAULT 0,
    places BIGINT NOT NULL DEFAULT 0,
    containers BIGINT NOT NULL DEFAULT 0,
    volumes BIGINT NOT NULL DEFAULT 0,
    disk_used BIGINT NOT NULL DEFAULT 0,
    disk_limit BIGINT NOT NULL DEFAULT 0,
    seen_at BIGINT NOT NULL DEFAULT 0
);
