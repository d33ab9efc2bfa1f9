-- +goose Up
-- The newest push known of each branch and tag: an older one that arrives late is told by it.
CREATE TABLE ci_pushes (
    team_id BIGINT NOT NULL,
    -- host/owner/name in lower case
    repository TEXT NOT NULL,
    ref TEXT NOT NULL,
    from_sha TEXT NOT NULL,
    to_sha TEXT NOT NULL,
    pushed_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, repository, ref)
);
-- When a hook last told of an event of a repository.
CREATE TABLE ci_heard (
    team_id BIGINT NOT NULL,
    repository TEXT NOT NULL,
    event TEXT NOT NULL,
    heard_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, repository, event)
);
-- Commits of forks' pull requests, which no build takes until a member agrees.
CREATE TABLE ci_fork_approvals (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL,
    repository TEXT NOT NULL,
    number BIGINT NOT NULL,
    sha TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    author TEXT NOT NULL DEFAULT '',
    head_repository TEXT NOT NULL DEFAULT '',
    url TEXT NOT NULL DEFAULT '',
    -- waiting, approved, rejected or withdrawn
    state TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    -- When the commit was pushed, as far as told: a newer one of the pull request replaces it.
    told_at BIGINT NOT NULL DEFAULT 0,
    decided_by TEXT NOT NULL DEFAULT '',
    decided_at BIGINT NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    UNIQUE (team_id, repository, number, sha)
);
CREATE INDEX ci_fork_approvals_state ON ci_fork_approvals(team_id, state, asked_at);
-- Builds that GitHub's button made run again: once per delivery.
CREATE TABLE ci_rerequests (
    delivery TEXT NOT NULL,
    build_id BIGINT NOT NULL REFERENCES ci_builds(id) ON DELETE CASCADE,
    rerun_id BIGINT NOT NULL,
    PRIMARY KEY (delivery, build_id)
);
CREATE INDEX ci_rerequests_build ON ci_rerequests(build_id);
-- Somebody outside of the team wrote it, or a build that took such a version made it.
ALTER TABLE ci_versions ADD COLUMN untrusted BOOLEAN NOT NULL DEFAULT FALSE;
-- Why no build takes it though nobody disabled it: approval or closed.
ALTER TABLE ci_versions ADD COLUMN withheld TEXT NOT NULL DEFAULT '';
ALTER TABLE ci_builds ADD COLUMN untrusted BOOLEAN NOT NULL DEFAULT FALSE;
