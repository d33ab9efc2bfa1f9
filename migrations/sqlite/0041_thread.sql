-- +goose Up
-- Which builds failed alike, over all jobs.
CREATE INDEX ci_build_failures_fingerprint ON ci_build_failures(fingerprint, build_id);
