-- +goose Up
CREATE TABLE work_jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    -- 0: concerns the installation.
    team_id BIGINT NOT NULL DEFAULT 0,
    payload TEXT NOT NULL,
    -- At most one unfinished job per kind and unique key; NULL when it does not matter.
    unique_key TEXT,
    -- Jobs with the same serial key run one after another, in order of id.
    serial_key TEXT,
    -- waiting, running, dead; a job that succeeded is deleted.
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    run_at BIGINT NOT NULL,
    lease_owner TEXT NOT NULL DEFAULT '',
    lease_until BIGINT NOT NULL DEFAULT 0,
    last_error TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    -- Times are Unix milliseconds.
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX work_jobs_unique ON work_jobs(kind, unique_key) WHERE unique_key IS NOT NULL AND state = 'waiting';
CREATE INDEX work_jobs_due ON work_jobs(kind, state, run_at);
CREATE INDEX work_jobs_serial ON work_jobs(serial_key, id) WHERE serial_key IS NOT NULL;
