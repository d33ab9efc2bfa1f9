-- +goose Up
-- When nodes of a place may fetch, such as 20:00-06:00; '': always.
ALTER TABLE edge_sites ADD COLUMN hours TEXT NOT NULL DEFAULT '';
-- The time zone of the hours; '': UTC.
ALTER TABLE edge_sites ADD COLUMN timezone TEXT NOT NULL DEFAULT '';
-- Keys of machines that people expect: who enrols with one is accepted at once.
CREATE TABLE edge_expected (
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    -- Of the node's public key, as it is shown.
    fingerprint TEXT NOT NULL,
    -- '': what the node says, or its token
    name TEXT NOT NULL,
    site TEXT NOT NULL,
    -- JSON; they win over the token's
    labels TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- '': it has not come yet
    node_id TEXT NOT NULL,
    enrolled_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, fingerprint)
);
