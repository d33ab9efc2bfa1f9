-- +goose Up
-- The servers that share this database, each under the name in its data folder.
CREATE TABLE system_nodes (
    node TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- Where other servers reach it; '' when it does not say.
    address TEXT NOT NULL DEFAULT '',
    version TEXT NOT NULL DEFAULT '',
    -- Which place its blobs are at: equal for all that share one.
    blobs TEXT NOT NULL DEFAULT '',
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    -- When it stopped by itself; 0 while it runs, and after it was killed.
    left_at BIGINT NOT NULL DEFAULT 0,
    -- Bytes of acknowledged events that it had not digested when it was seen last.
    waiting BIGINT NOT NULL DEFAULT 0
);
-- The server that runs a build: its containers, volumes and log are there. '' before it starts.
ALTER TABLE ci_builds ADD COLUMN node TEXT NOT NULL DEFAULT '';
-- The only server that may run the job; '' lets any.
ALTER TABLE work_jobs ADD COLUMN node TEXT NOT NULL DEFAULT '';
-- Where the volume of an uploaded artifact is.
ALTER TABLE ci_artifacts ADD COLUMN node TEXT NOT NULL DEFAULT '';
