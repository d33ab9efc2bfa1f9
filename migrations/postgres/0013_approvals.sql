-- +goose Up
CREATE TABLE ci_approvals (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL,
    build_id BIGINT NOT NULL REFERENCES ci_builds(id) ON DELETE CASCADE,
    -- The container handle of the step that waits: the same after a restart.
    handle TEXT NOT NULL,
    -- Names of users, roles and teams (JSON); none means whoever may run jobs.
    approvers TEXT NOT NULL,
    reason_required BOOLEAN NOT NULL DEFAULT FALSE,
    -- Who may not approve (JSON): who started the build or last set the pipeline when it was asked.
    excluded TEXT NOT NULL DEFAULT '[]',
    -- waiting, approved, rejected or expired
    state TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    decided_by TEXT NOT NULL DEFAULT '',
    decided_at BIGINT NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    UNIQUE (handle)
);
CREATE INDEX ci_approvals_team ON ci_approvals(team_id, asked_at);
CREATE INDEX ci_approvals_build ON ci_approvals(build_id);
