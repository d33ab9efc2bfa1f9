-- +goose Up
-- What a policy says, as it was written, and what it said before.
CREATE TABLE edge_policies (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    revision BIGINT NOT NULL,
    body TEXT NOT NULL,
    -- The repository it comes from; '': it is written here.
    source_id TEXT NOT NULL,
    path TEXT NOT NULL,
    commit_sha TEXT NOT NULL,
    -- Whether it is to be rolled out once its bundle is published.
    wanted BOOLEAN NOT NULL,
    -- Why the last attempt to roll it out by itself failed.
    problem TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    UNIQUE (team_id, name)
);
CREATE TABLE edge_policy_revisions (
    policy_id TEXT NOT NULL REFERENCES edge_policies(id) ON DELETE CASCADE,
    revision BIGINT NOT NULL,
    body TEXT NOT NULL,
    commit_sha TEXT NOT NULL,
    reason TEXT NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (policy_id, revision)
);
-- Folders of repositories whose files are policies.
CREATE TABLE edge_policy_sources (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    -- host/owner/name, in lower case
    repository TEXT NOT NULL,
    branch TEXT NOT NULL,
    folder TEXT NOT NULL,
    -- Whether a change begins a rollout.
    starts BOOLEAN NOT NULL,
    -- What a change back to an older bundle does: stop or rollback.
    on_revert TEXT NOT NULL,
    commit_sha TEXT NOT NULL,
    -- 0: never
    synced_at BIGINT NOT NULL,
    -- JSON: file and what is wrong with it
    problems TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (team_id, repository, branch, folder)
);
CREATE INDEX edge_policy_sources_repository ON edge_policy_sources(team_id, repository, branch);
-- A policy on its way through the fleet. It keeps what the policy said at its start.
CREATE TABLE edge_rollouts (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    policy_id TEXT NOT NULL,
    policy TEXT NOT NULL,
    revision BIGINT NOT NULL,
    body TEXT NOT NULL,
    bundle_id TEXT NOT NULL,
    bundle_version BIGINT NOT NULL,
    manifest_sha256 TEXT NOT NULL,
    -- JSON: severities of what the bundle mends
    severities TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    waits TEXT NOT NULL,
    batches BIGINT NOT NULL,
    -- The last that was opened, -1: none
    batch BIGINT NOT NULL,
    -- 0: it is open
    closed_at BIGINT NOT NULL,
    -- Whether a person let the next batch go.
    proceeds BOOLEAN NOT NULL,
    -- Up to when failures are known and pause nothing any more.
    since_at BIGINT NOT NULL,
    -- 0: never
    deadline_at BIGINT NOT NULL,
    -- When time alone changes something; 0: never
    again_at BIGINT NOT NULL,
    -- When its nodes' orders last changed for all of them.
    ordered_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    UNIQUE (team_id, number)
);
CREATE INDEX edge_rollouts_team ON edge_rollouts(team_id, state);
CREATE INDEX edge_rollouts_policy ON edge_rollouts(policy_id, number);
CREATE TABLE edge_rollout_batches (
    rollout_id TEXT NOT NULL REFERENCES edge_rollouts(id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    size BIGINT NOT NULL,
    canary BOOLEAN NOT NULL,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT NOT NULL,
    PRIMARY KEY (rollout_id, number)
);
CREATE TABLE edge_rollout_nodes (
    rollout_id TEXT NOT NULL REFERENCES edge_rollouts(id) ON DELETE CASCADE,
    -- Without a reference: what became of a node that is gone stays told.
    node_id TEXT NOT NULL,
    team_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    site TEXT NOT NULL,
    variant TEXT NOT NULL,
    zone TEXT NOT NULL,
    -- -1: never was to take part
    batch BIGINT NOT NULL,
    state TEXT NOT NULL,
    agent_state TEXT NOT NULL,
    reason TEXT NOT NULL,
    exit_code BIGINT NOT NULL,
    released_at BIGINT NOT NULL,
    delivered_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    -- When the state last changed.
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (rollout_id, node_id)
);
CREATE INDEX edge_rollout_nodes_node ON edge_rollout_nodes(node_id);
CREATE INDEX edge_rollout_nodes_state ON edge_rollout_nodes(rollout_id, state);
-- Everything that changed a rollout: who, and why.
CREATE TABLE edge_rollout_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    rollout_id TEXT NOT NULL REFERENCES edge_rollouts(id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    -- created, state, batch, approval, proceed
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    -- '': the rollout itself
    actor TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX edge_rollout_events_rollout ON edge_rollout_events(rollout_id, id);
CREATE TABLE edge_rollout_approvals (
    rollout_id TEXT NOT NULL REFERENCES edge_rollouts(id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    comment TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (rollout_id, user_id)
);
-- Stretches in which nothing of a team is installed, whatever its policies say.
CREATE TABLE edge_freezes (
    id TEXT PRIMARY KEY,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    reason TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL,
    -- JSON: severities that are let through
    allow TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX edge_freezes_team ON edge_freezes(team_id, to_at);
