-- +goose Up
-- What a build was given for the typed inputs of its job.
CREATE TABLE ci_run_inputs (
    build_id BIGINT NOT NULL REFERENCES ci_builds(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    ordering BIGINT NOT NULL,
    type TEXT NOT NULL,
    -- The value as JSON; empty for a secret, which is sealed.
    value TEXT NOT NULL DEFAULT '',
    sealed BLOB,
    PRIMARY KEY (build_id, name)
);
-- The newer build that made this one pointless; 0 when none did.
ALTER TABLE ci_builds ADD COLUMN superseded_by BIGINT NOT NULL DEFAULT 0;
-- A started build that waits for people alone, and so has no durable job.
ALTER TABLE ci_builds ADD COLUMN parked BOOLEAN NOT NULL DEFAULT FALSE;
