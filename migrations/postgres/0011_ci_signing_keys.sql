-- +goose Up
-- Keys that sign the tokens of idtoken var sources: one for each algorithm.
CREATE TABLE ci_signing_keys (
    algorithm TEXT PRIMARY KEY,
    kid TEXT NOT NULL,
    -- The private key as PKCS #8, sealed for this row.
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
