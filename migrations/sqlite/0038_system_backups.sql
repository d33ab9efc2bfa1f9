-- +goose Up
CREATE TABLE system_backups (
    id TEXT PRIMARY KEY,
    -- The archive's file name in the folder or bucket, or a whole path.
    name TEXT NOT NULL,
    -- 'folder', 's3', or 'file' for one that a command wrote elsewhere and nobody prunes.
    place TEXT NOT NULL,
    -- 'everything' or 'database'.
    kind TEXT NOT NULL,
    -- 'schedule', 'person', 'command' or 'migration'.
    cause TEXT NOT NULL,
    actor TEXT NOT NULL DEFAULT '',
    node TEXT NOT NULL DEFAULT '',
    -- 'running', 'whole', 'failed', or 'gone' once the file was removed.
    state TEXT NOT NULL,
    error TEXT NOT NULL DEFAULT '',
    started_at BIGINT NOT NULL,
    finished_at BIGINT NOT NULL DEFAULT 0,
    -- The instant whose state it holds.
    state_at BIGINT NOT NULL DEFAULT 0,
    schema_number BIGINT NOT NULL DEFAULT 0,
    archive_bytes BIGINT NOT NULL DEFAULT 0,
    content_bytes BIGINT NOT NULL DEFAULT 0,
    row_count BIGINT NOT NULL DEFAULT 0,
    part_count BIGINT NOT NULL DEFAULT 0,
    missing_count BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX system_backups_started ON system_backups(started_at);
CREATE TABLE system_rehearsals (
    id TEXT PRIMARY KEY,
    -- Empty for an archive that this installation does not know.
    backup_id TEXT NOT NULL DEFAULT '',
    name TEXT NOT NULL,
    actor TEXT NOT NULL DEFAULT '',
    -- 'running', 'passed' or 'failed'.
    state TEXT NOT NULL,
    error TEXT NOT NULL DEFAULT '',
    started_at BIGINT NOT NULL,
    finished_at BIGINT NOT NULL DEFAULT 0,
    -- From the archive to a checked, migrated installation; and how old its state was then.
    rto_ms BIGINT NOT NULL DEFAULT 0,
    rpo_ms BIGINT NOT NULL DEFAULT 0,
    -- What was looked at, JSON.
    steps TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX system_rehearsals_started ON system_rehearsals(started_at);
CREATE TABLE system_backup_settings (
    id BIGINT PRIMARY KEY,
    every_hours BIGINT NOT NULL,
    at_minute BIGINT NOT NULL,
    keep BIGINT NOT NULL,
    rehearse BOOLEAN NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL
);
