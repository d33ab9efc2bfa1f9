-- +goose Up
-- How many values a secret has had, and who got it last: a build, or a check when used_build is 0.
ALTER TABLE secrets_values ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE secrets_values ADD COLUMN used_pipeline TEXT NOT NULL DEFAULT '';
ALTER TABLE secrets_values ADD COLUMN used_job TEXT NOT NULL DEFAULT '';
ALTER TABLE secrets_values ADD COLUMN used_number TEXT NOT NULL DEFAULT '';
ALTER TABLE secrets_values ADD COLUMN used_build BIGINT NOT NULL DEFAULT 0;
-- Which check of an image (ci_image_checks) a pipeline's resource type has had last: what
-- clear-versions forgets.
CREATE TABLE ci_type_checks (
    pipeline_id BIGINT NOT NULL REFERENCES ci_pipelines(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    config TEXT NOT NULL,
    PRIMARY KEY (pipeline_id, name)
);
CREATE INDEX ci_type_checks_config ON ci_type_checks(config);
