-- +goose Up
CREATE TABLE github_repositories (
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    -- The address as the part that clones it names it: host/owner/name in lower case.
    place TEXT NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    -- That of the hook which told; empty when the hook has none.
    connection_id TEXT NOT NULL DEFAULT '',
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, place)
);
