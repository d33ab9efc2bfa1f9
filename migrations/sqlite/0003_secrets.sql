-- +goose Up
CREATE TABLE secrets_values (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id BIGINT NOT NULL REFERENCES accounts_teams(id) ON DELETE CASCADE,
    -- '': every pipeline of the team.
    pipeline TEXT NOT NULL DEFAULT '',
    name TEXT NOT NULL,
    -- The value as JSON, sealed for exactly this team, pipeline and name.
    sealed BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    last_used_at BIGINT NOT NULL DEFAULT 0,
    UNIQUE (team_id, pipeline, name)
);
