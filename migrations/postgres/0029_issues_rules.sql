-- +goose Up
-- Rules that give a project's events fingerprints, one a line, as written.
ALTER TABLE issues_projects ADD COLUMN grouping_rules TEXT NOT NULL DEFAULT '';
