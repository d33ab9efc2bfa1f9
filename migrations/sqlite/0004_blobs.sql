-- +goose Up
CREATE TABLE blobs_contents (
    -- No reference to the team: the collector removes the bytes before the row.
    team_id BIGINT NOT NULL,
    -- SHA-256 of the content, hex.
    sha256 TEXT NOT NULL,
    size BIGINT NOT NULL,
    -- When it was last put or lost an owner; unowned for an hour since, it is collected.
    touched_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, sha256)
);
CREATE INDEX blobs_contents_touched ON blobs_contents(touched_at);
CREATE TABLE blobs_owners (
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    sha256 TEXT NOT NULL,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, sha256, kind, owner),
    FOREIGN KEY (team_id, sha256) REFERENCES blobs_contents(team_id, sha256)
);
CREATE INDEX blobs_owners_owner ON blobs_owners(team_id, kind, owner);
