-- +goose Up
-- How many values a secret has had, and who got it last: a build, or a check when used_build is 0.
ALTER TABLE secrets_values ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE secrets_values ADD COLUMN used_pipeline TEXT NOT NULL DEFAULT '';
ALTER TABLE secrets_values ADD COLUMN used_job TEXT NOT NULL DEFAULT '';
ALTER TABLE secrets_values ADD COLUMN used_number TEXT NOT NULL DEFAULT '';
ALTER TABLE secrets_values ADD COLUMN used_build BIGINT NOT NULL DEFAULT 0;
